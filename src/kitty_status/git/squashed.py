"""Whether a branch has everything that another one changed, however that got there: squashed, picked or typed again."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from kitty_status.git.drivers import LOG, SNAPSHOT
from kitty_status.git.log_paths import is_log_path
from kitty_status.git.run import git, read_blobs, run_git
from kitty_status.status.layout import SNAPSHOT_FILENAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kitty_status.git.repository import Repository


_MOST_CANDIDATES = 100
# Nobody asks for what our drivers would make of logs and snapshots, so that they need not be started.
_NO_DRIVERS = [part for kind in (LOG, SNAPSHOT) for part in ("-c", f"merge.kitty-status-{kind}.driver=true")]


def merge_in_memory(
    repository: Repository, ours: str, theirs: str, scratch: str, *options: str
) -> tuple[str, list[str]] | None:
    """Return the tree that merging `theirs` into `ours` gives, and the paths that it would leave for a person.

    None where this git cannot say (before 2.38). What git has to write for that goes into the folder `scratch`;
    `options` are such as stand before the command.

    Raises:
        GitError: git could not be started.
    """
    args = [*options, "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs]
    # The drivers are told in this way that whole branches are merged.
    environment = {**_objects(repository, scratch), f"GITHEAD_{theirs}": theirs}
    result = run_git(args, cwd=repository.worktree, environment=environment)
    if result.code not in (0, 1) or not result.out:
        return None
    tree, *names = result.out.split(b"\0")
    return tree.decode("ascii"), list(dict.fromkeys(os.fsdecode(name) for name in names if name))


def has_all_of(repository: Repository, base: str, commit: str) -> bool:
    """Say whether `base`, or a commit in its history, has all that another commit has changed since both parted.

    That is so where merging the commit there brings nothing. Of a log every line has to be there, in whatever order; a
    snapshot follows from its log, and does not matter. Where git cannot say, or nothing was changed in sum, the answer
    is no.

    Raises:
        GitError: git could not be asked.
    """
    found = run_git(["merge-base", base, commit], cwd=repository.worktree)
    parted = os.fsdecode(found.out).strip()
    changed = [] if found.code else _changed(repository, parted, commit)
    if not changed:
        return False
    with tempfile.TemporaryDirectory(prefix="kitty-status-") as scratch:
        logs = [path for path in changed if is_log_path(path)]
        candidates = [base, *_candidates(repository, parted, base, changed)]
        return any(
            _brings_no_file(repository, each, commit, scratch) and _has_lines(repository, each, commit, logs)
            for each in candidates
        )


def _candidates(repository: Repository, parted: str, base: str, changed: list[str]) -> list[str]:
    """Return the commits of a branch that may be the squash, the oldest first: one changes every file that it is of.

    Later ones may have changed the same files again, so that only the squash itself has them as they were.
    """
    path = next((path for path in changed if not (_is_snapshot(path) or is_log_path(path))), None)
    if path is None:
        return []
    limits = ["--first-parent", f"--max-count={_MOST_CANDIDATES}", "--reverse"]
    args = ["rev-list", *limits, f"{parted}..{base}", "--", f":(top,literal){path}"]
    return git(args, cwd=repository.worktree).decode("ascii").split()


def _brings_no_file(repository: Repository, base: str, commit: str, scratch: str) -> bool:
    """Say whether merging a commit would leave every file as it is but for logs, which have rules of their own."""
    merged = merge_in_memory(repository, base, commit, scratch, *_NO_DRIVERS)
    if merged is None:
        return False
    tree, conflicts = merged
    changed = _changed(repository, base, tree, _objects(repository, scratch))
    return all(_is_snapshot(path) or is_log_path(path) for path in [*changed, *conflicts])


def _changed(repository: Repository, one: str, other: str, environment: Mapping[str, str] | None = None) -> list[str]:
    args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", one, other]
    out = git(args, cwd=repository.worktree, environment=environment)
    return [os.fsdecode(name) for name in out.split(b"\0") if name]


def _has_lines(repository: Repository, base: str, commit: str, logs: Iterable[str]) -> bool:
    names = [f"{each}:{path}" for path in logs for each in (base, commit)]
    if any("\n" in name or "\r" in name for name in names):
        return False
    blobs = [set(found[1].split(b"\n")) if found else None for found in read_blobs(names, cwd=repository.worktree)]
    pairs = zip(blobs[::2], blobs[1::2], strict=True)
    return all(has is not None and wanted is not None and wanted <= has for has, wanted in pairs)


def _is_snapshot(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name == SNAPSHOT_FILENAME and is_log_path(f"{folder}/status.events.jsonl")


def _objects(repository: Repository, scratch: str) -> Mapping[str, str]:
    return {
        "GIT_OBJECT_DIRECTORY": scratch,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.path.join(repository.common_dir, "objects"),  # noqa: PTH118
    }
