"""Which files differ between one commit and many others, or lie in a work tree otherwise than in its commit."""

from __future__ import annotations

import os

from kitty_status.git.run import git, run_git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Difference: TypeAlias = tuple[str, str | None, str | None]

_RAW = ("diff-tree", "-r", "--raw", "-z", "--no-abbrev", "--no-renames")
_EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_FILES = ("100644", "100755")


def differences(
    base: str | None, commits: Iterable[str], pathspecs: Sequence[str], *, cwd: str, object_format: str
) -> dict[str, list[Difference]]:
    """Return for each commit the files in which it differs from `base`: (path, blob in base, blob in the commit).

    None stands for no file; links count as none. git skips folders that are equal, so this costs little
    however large the trees are, and it asks for no file's content. A `base` of None is the empty tree. A
    commit that git does not have is left out.

    Raises:
        GitError: git could not be asked, or does not have `base`.
    """
    found: dict[str, list[Difference]] = {}
    if base is None:
        for commit in commits:
            result = run_git([*_RAW, _EMPTY_TREE[object_format], commit, "--", *pathspecs], cwd=cwd)
            if result.code == 0:
                _parse(result.out, found, found.setdefault(commit, []))
        return found
    # A commit with a second one behind it is compared with that as if it were its parent.
    asked = "".join(f"{commit} {base}\n" for commit in commits)
    if asked:
        _parse(git([*_RAW, "--always", "--stdin", "--", *pathspecs], cwd=cwd, stdin=asked.encode("ascii")), found, [])
    return found


def changed_in_work_tree(pathspecs: Sequence[str], *, cwd: str) -> list[str]:
    """Return the files of a work tree that are not as its commit has them, new ones included, ignored ones not.

    Raises:
        GitError: git could not be asked.
    """
    options = ("--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
    out = git(["status", *options, "--", *pathspecs], cwd=cwd)
    # Two letters and a space come before each path, which begins at the top of the work tree.
    return [os.fsdecode(part[3:]) for part in out.split(b"\0") if part]


def _parse(out: bytes, found: dict[str, list[Difference]], current: list[Difference]) -> None:
    """Add what `git diff-tree -z` printed to the changes of the commit that each part is about."""
    parts = iter(out.split(b"\0")[:-1])
    for part in parts:
        if not part.startswith(b":"):
            current = found.setdefault(part.decode("ascii"), [])
            continue
        old_mode, new_mode, old, new, _ = part[1:].decode("ascii").split(" ")
        path = os.fsdecode(next(parts))
        current.append((path, old if old_mode in _FILES else None, new if new_mode in _FILES else None))
