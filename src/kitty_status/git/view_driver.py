"""The merge driver for views: `merge-driver view %O %A %B %P %L %S %X %Y`.

A view is a person's Markdown with parts that are generated from the log: the lane of a work package's file, the
section of `tasks.md`. Both sides of nearly every merge have changed these parts, so they are made the same in all
three versions first, as the merged log says where that is known; then git itself merges the text.

Exit 0: merged. Exit 1: people's text conflicts, with git's own markers. Any other exit tells the configured
command to let git merge the three versions as they are.
"""

# ruff: noqa: PTH123, T201  the process has no time for pathlib, and printing is how a driver speaks

from __future__ import annotations

import gc
import os
import sys

from kitty_status.errors import GitError
from kitty_status.git.log_driver import EXIT_FAILED, EXIT_LOOK, EXIT_MERGED, USAGE
from kitty_status.git.run import run_git
from kitty_status.git.view_facts import UNKNOWN, commits_merged, facts_about
from kitty_status.status.view_merging import alike

_FILES = 4
_TOLD = 4
_MARKER_SIZE = "7"
# Longer markers are those of a merge that git makes for itself, of several common ancestors: it becomes a base, and
# one that held the outcome already would have git take the other side. Two names for one file have it add one.
_OF_WHAT_COMES_OUT = ("", _MARKER_SIZE, "8")
_HIGHEST_COUNT = 127
_GITHEAD = "GITHEAD_"
# What git before 2.44 leaves standing of the three labels.
_NOT_FILLED_IN = ["%S", "%X", "%Y"]


def main(argv: list[str]) -> int:
    """Merge the files `argv` names (base, ours, theirs, path in the repository) into ours; return the exit code.

    Behind them may stand how long conflict markers are, and the labels of the three.
    """
    if len(argv) < _FILES:
        print(USAGE, file=sys.stderr)
        return EXIT_FAILED
    base, ours, theirs, path, *told = argv
    gc.disable()
    try:
        marker_size, *labels = (*told, *([""] * _TOLD))[:_TOLD]
        if labels == _NOT_FILLED_IN:
            labels = ["", "", ""]
        commits = commits_merged(labels[0], labels[2]) if marker_size in _OF_WHAT_COMES_OUT else UNKNOWN
        _make_alike((base, ours, theirs), path, commits)
        return _merge((base, ours, theirs), path, marker_size, labels)
    except (GitError, OSError) as error:
        print(f"kitty-status: {path}: {error}; git merges it as any other text", file=sys.stderr)
        return EXIT_FAILED


def _make_alike(files: tuple[str, str, str], path: str, commits: tuple[str, str]) -> None:
    facts = facts_about(path, commits)
    if facts is None:
        return
    versions = (_read(files[0]), _read(files[1]), _read(files[2]))
    made = alike(versions, section=facts.section, lane=facts.lane, is_generated=facts.is_generated)
    for name, before, after in zip(files, versions, made, strict=True):
        if after != before:
            # All three are git's copies. With any of them made alike already, a merge is still one of the same text.
            with open(name, "wb") as file:
                file.write(after)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _merge(files: tuple[str, str, str], path: str, marker_size: str, labels: list[str]) -> int:
    """Have git merge the three files into ours, in the style of conflicts that the user has chosen."""
    base, ours, theirs = files
    options = [f"--marker-size={marker_size if marker_size.isdecimal() else _MARKER_SIZE}"]
    if all(labels):
        # A git that fills in labels knows this option too, and its own merges of branches compare so.
        options.append("--diff-algorithm=histogram")
    else:
        labels = _labels()
    for label in (labels[1], labels[0], labels[2]):
        options += ["-L", label]
    done = run_git(["merge-file", *options, "--", ours, base, theirs], cwd=os.curdir, inherit_repository=True)
    if done.code == 0:
        return EXIT_MERGED
    if not 0 < done.code <= _HIGHEST_COUNT:
        # As git does with what it takes for binary: ours stays, and a conflict.
        print(f"kitty-status: {path}: {os.fsdecode(done.err).strip()}; ours stays", file=sys.stderr)
    return EXIT_LOOK


def _labels() -> list[str]:
    """Return what git calls the base, ours and theirs, as far as its environment says it."""
    names = [value for name, value in os.environ.items() if name.startswith(_GITHEAD)]
    return ["merged common ancestors", "HEAD", names[0]] if len(names) == 1 else ["base", "ours", "theirs"]
