"""Which entries git keeps by now, so that the journal need not.

A line is safe once it stands in a commit that refs/heads, refs/remotes or refs/tags reach, or that a
reflog of HEAD or of a branch lists: from there a person can always get it back, and one who takes it
out of a branch means to. refs/stash does not count, since dropping a stash is how events vanish.

The places are asked in the order of what they cost, and asking ends when every entry is found.
"""

# ruff: noqa: PTH110, PTH118, PTH123, PTH202

from __future__ import annotations

import os

from kitty_status.git.head import commit_of, positions, reflog_commits, reflog_path, worktrees
from kitty_status.git.log_paths import ANY_LOG_PATHSPECS
from kitty_status.git.objects import distinct_blobs
from kitty_status.git.run import git, run_git
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.instants import parse_instant
from kitty_status.status.merging import split_lines
from kitty_status.tracker.journal.entries import folder_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.journal.entries import Entry

_SEEN = "reflogs"
_KINDS = ("--branches", "--remotes", "--tags")
_PATTERNS = ("refs/heads", "refs/remotes", "refs/tags")
_MOST_ARGUMENTS = 64
_DAY = 24 * 60 * 60


def open_entries(repository: Repository, entries: Sequence[Entry]) -> list[Entry]:
    """Return those of the entries, in their order, that git does not keep yet.

    Raises:
        GitError: git could not be asked.
    """
    rest = list(entries)
    for commits in _places(repository, entries):
        rest = _not_in(repository, rest, commits)
        if not rest:
            break
    if rest:
        rest = _not_in_history(repository, rest)
    if rest:
        rest = _not_elsewhere(repository, rest)
    return rest


def has_moved(repository: Repository) -> bool:
    """Say whether any HEAD of the clone has moved since `note_position`; if none has, nothing new can be settled."""
    now = movements(repository)
    try:
        with open(os.path.join(folder_of(repository), _SEEN), "rb") as file:
            return now is None or file.read() != now
    except OSError:
        return True


def note_position(repository: Repository, seen: bytes | None) -> None:
    """Remember what `movements` said before all entries were looked for."""
    if seen is not None:
        replace_file(os.path.join(folder_of(repository), _SEEN), seen)


def movements(repository: Repository) -> bytes | None:
    """Return how far the reflogs of all work trees' HEADs have grown, None where git keeps none."""
    sizes = []
    for tree in worktrees(repository):
        try:
            sizes.append(f"{os.path.getsize(reflog_path(tree))} {tree.git_dir}\n")
        except OSError:
            return None
    return "".join(sizes).encode("utf-8", "surrogateescape")


def _places(repository: Repository, entries: Sequence[Entry]) -> Iterator[list[str]]:
    standing = positions(repository)
    branches = sorted({entry.branch for entry in entries if entry.branch})
    commits = [position.commit for _, position in standing if position is not None]
    yield _unique([*commits, *(commit_of(repository, f"refs/heads/{branch}") for branch in branches)])
    heads = {entry.head for entry in entries}
    logs = [reflog_commits(tree) for tree, _ in standing] + [reflog_commits(repository, branch) for branch in branches]
    # The newest first: that is where a line stands that was written a moment ago.
    yield _unique(commit for log in logs for commit in reversed(_since(log, heads)))
    yield _tips(repository)


def _since(commits: list[str], heads: set[str | None]) -> list[str]:
    """Return the part of a reflog from the first of `heads` on: no line is older than the HEAD it was written on."""
    known = [commits.index(head) for head in heads if head in commits]
    return commits[min(known) :] if len(known) == len(heads) else commits


def _unique(commits: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(commit for commit in commits if commit))


def _not_in(repository: Repository, entries: list[Entry], commits: Sequence[str]) -> list[Entry]:
    rest = entries
    for log in dict.fromkeys(entry.log for entry in entries):
        missing = {entry.line + b"\n" for entry in rest if entry.log == log}
        found: set[bytes] = set()
        for blob in distinct_blobs([f"{commit}:{log}" for commit in commits], cwd=repository.worktree):
            found |= missing.intersection(split_lines(blob))
            if found == missing:
                break
        rest = [entry for entry in rest if entry.log != log or entry.line + b"\n" not in found]
    return rest


def _not_in_history(repository: Repository, entries: list[Entry]) -> list[Entry]:
    """Look through the commits that touched the logs since the entries were written: a tip may have lost a line."""
    reflogs = [commit for tree in worktrees(repository) for commit in reflog_commits(tree)]
    rest = entries
    for log in dict.fromkeys(entry.log for entry in entries):
        # A line is never older than its event but for the clocks of two machines.
        oldest = min(parse_instant(entry.event["at"]).timestamp() for entry in entries if entry.log == log)
        args = ["rev-list", "--ignore-missing", *_KINDS, "--stdin", f"--max-age={int(oldest) - _DAY}"]
        listed = git(
            [*args, "--", f":(top,literal){log}"],
            cwd=repository.worktree,
            stdin="".join(f"{one}\n" for one in reflogs).encode(),
        )
        rest = _not_in(repository, rest, listed.decode("ascii").split())
    return rest


def _not_elsewhere(repository: Repository, entries: list[Entry]) -> list[Entry]:
    """Look for lines whose log has moved to another path since: where its branch is checked out, it is gone."""
    trees = [(tree.worktree, position.branch if position else None) for tree, position in positions(repository)]

    def has_moved_away(entry: Entry) -> bool:
        # Another branch may still have it where it was.
        own = [tree for tree, branch in trees if branch == entry.branch] or [tree for tree, _ in trees]
        return not any(os.path.exists(os.path.join(tree, entry.log)) for tree in own)

    moved = [entry for entry in entries if has_moved_away(entry)]
    if not moved:
        return entries
    tips = _tips(repository)
    parts = [tips[start : start + _MOST_ARGUMENTS] for start in range(0, len(tips), _MOST_ARGUMENTS)]

    def is_held(entry: Entry) -> bool:
        args = ["grep", "--fixed-strings", "--quiet", "-e", entry.line.decode("utf-8")]
        return any(
            run_git([*args, *part, "--", *ANY_LOG_PATHSPECS], cwd=repository.worktree).code == 0 for part in parts
        )

    return [entry for entry in entries if entry not in moved or not is_held(entry)]


def _tips(repository: Repository) -> list[str]:
    """Return the commits that branches, remote branches and tags name."""
    listed = git(["for-each-ref", "--format=%(objectname)", *_PATTERNS], cwd=repository.worktree)
    return _unique(listed.decode("ascii").split())
