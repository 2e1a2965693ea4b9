"""What the object store holds at a path of a commit, asked for many at once."""

from __future__ import annotations

import os

from kitty_status.git.run import git, read_blobs, run_git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AT_ONCE = 8


def blob_ids(names: Iterable[str], *, cwd: str) -> list[str | None]:
    """Return the object id behind each name (`COMMIT:path`), None where no blob is there.

    Raises:
        GitError: git could not be asked.
    """
    wanted = list(names)
    if not wanted:
        return []
    if any("\n" in name for name in wanted):
        # What answers for many reads a name to a line.
        return [_object_id(name, cwd) for name in wanted]
    asked = "".join(f"{name}\n" for name in wanted)
    out = git(["cat-file", "--batch-check=%(objecttype) %(objectname)"], cwd=cwd, stdin=os.fsencode(asked))
    return [
        oid.decode("ascii") if kind == b"blob" else None
        for kind, _, oid in (line.partition(b" ") for line in out.split(b"\n")[:-1])
    ]


def _object_id(name: str, cwd: str) -> str | None:
    answer = run_git(["rev-parse", "--quiet", "--verify", name], cwd=cwd)
    return answer.out.decode("ascii").strip() if answer.code == 0 else None


def distinct_blobs(names: Iterable[str], *, cwd: str) -> Iterator[bytes]:
    """Yield the content of each blob that one of the names stands for, once, in the order of the names.

    Raises:
        GitError: git could not be asked.
    """
    oids = list(dict.fromkeys(oid for oid in blob_ids(names, cwd=cwd) if oid))
    for start in range(0, len(oids), _AT_ONCE):
        for blob in read_blobs(oids[start : start + _AT_ONCE], cwd=cwd):
            if blob is not None:
                yield blob[1]
