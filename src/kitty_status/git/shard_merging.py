"""What git makes of two versions of a log that is divided by writer, file by file, as far as that is certain.

Git merges each file by itself: where one side alone has changed it against the base git takes that
side, and where both have, it asks the log driver.
"""

from __future__ import annotations

from kitty_status.git.blobs import blob_oid, tree_oid
from kitty_status.git.run import read_blobs
from kitty_status.git.trees import files_in_tree
from kitty_status.jsonl.codec import decode
from kitty_status.status.merging import merge_logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    # The blob ids of a log's files by name, as its tree says.
    Shards: TypeAlias = dict[str, str]

_SHA1_DIGITS = 40


class CannotMergeError(Exception):
    """Why the merged snapshot cannot be known here."""


def object_format_of(oid: str) -> str:
    """Return the object format of a repository that has such ids."""
    return "sha1" if len(oid) == _SHA1_DIGITS else "sha256"


def read_contents(oids: Iterable[str], *, trees: bool = False) -> dict[str, bytes]:
    """Return the content of each of these blobs, or trees, that is in this repository.

    Raises:
        GitError: git failed.
    """
    wanted = list(dict.fromkeys(oids))
    objects = read_blobs(wanted, cwd=".", inherit_repository=True, trees=trees) if wanted else []
    return {oid: each[1] for oid, each in zip(wanted, objects, strict=True) if each}


def read_shards(oids: Iterable[str]) -> dict[str, Shards]:
    """Return what each of these trees holds; one that is not here, or holds more than log files, is left out.

    Raises:
        GitError: git failed.
    """
    found = {}
    for oid, content in read_contents(oids, trees=True).items():
        try:
            found[oid] = files_in_tree(content, object_format_of(oid))
        except ValueError:
            continue
    return found


def merge_shards(
    base: Shards, ours: Shards, theirs: Shards, blobs: dict[str, bytes], *, whole_branches: bool
) -> tuple[Shards, str]:
    """Return the files that git will make of both sides, and the id of their tree.

    With `whole_branches` the lines of both sides are taken, else what theirs has beyond the base. `blobs`
    are the contents by their ids; those that a merge makes are added.

    Raises:
        CannotMergeError: the outcome is not certain, or not clean.
    """
    merged: Shards = {}
    for name in sorted(base.keys() | ours.keys() | theirs.keys()):
        before, our_oid, their_oid = base.get(name), ours.get(name), theirs.get(name)
        if our_oid is None or their_oid is None:
            only = our_oid or their_oid
            if only is None or before is not None:
                raise CannotMergeError(f"a side has lost {name}")
            merged[name] = only
        elif our_oid in (their_oid, before):
            merged[name] = their_oid
        elif their_oid == before:
            merged[name] = our_oid
        else:
            known = None if whole_branches else blobs[before] if before else b""
            log, merge = merge_logs(blobs[our_oid], blobs[their_oid], decode, base=known)
            if not merge.is_clean:
                raise CannotMergeError(f"{name} does not merge cleanly")
            merged[name] = blob_oid(log, object_format_of(our_oid))
            blobs[merged[name]] = log
    return merged, tree_oid(merged, object_format_of(next(iter(merged.values()))))
