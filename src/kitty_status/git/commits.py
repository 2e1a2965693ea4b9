"""What one commit did to logs."""

from __future__ import annotations

from kitty_status.errors import GitError, UsageError
from kitty_status.git.run import git, read_blobs, run_git
from kitty_status.git.staged import commit_changes
from kitty_status.git.versions import commit_named
from kitty_status.status.merging import split_lines

_SHORT = 12


class LogCommit:
    """A commit and its lines of logs: those it `added`, with their log's path, and those it `removed`."""

    __slots__ = ("added", "commit", "removed", "subject")

    def __init__(self, commit: str, subject: str) -> None:
        self.commit = commit
        self.subject = subject
        self.added: dict[bytes, str] = {}
        self.removed: set[bytes] = set()

    @property
    def short(self) -> str:
        """The beginning of its id, for people."""
        return self.commit[:_SHORT]


def log_commit(revision: str, cwd: str) -> LogCommit:
    """Return what a commit did to logs. A line that only moved from one log to another was not added.

    Raises:
        NotFoundError: there is no such commit.
        UsageError: the name is ambiguous, or the commit is a merge, which has no lines of its own.
        GitError: its parent is not in this clone.
    """
    commit = commit_named(revision, cwd)
    header, _, message = git(["cat-file", "commit", commit], cwd=cwd).partition(b"\n\n")
    parents = [line.split(b" ")[1].decode("ascii") for line in header.split(b"\n") if line.startswith(b"parent ")]
    if len(parents) > 1:
        raise UsageError(
            f"{commit[:_SHORT]} is a merge of {len(parents)} branches",
            hint=f"name a commit that it brought: `git log {commit[:_SHORT]}^1..{commit[:_SHORT]}`; or an event",
        )
    if parents and run_git(["rev-parse", "--verify", "--quiet", f"{commit}^"], cwd=cwd).code:
        raise GitError(
            f"the parent of {commit[:_SHORT]} is not in this clone, so what the commit added cannot be told",
            hint="`git fetch --deepen=1` brings it; or name an event",
        )
    found = LogCommit(commit, message.split(b"\n")[0].decode("utf-8", "replace").strip())
    changes = [change for change in commit_changes(commit, cwd) if change.is_log]
    before = _contents([change.old for change in changes], cwd)
    after = _contents([change.new for change in changes], cwd)
    for change, lines in zip(changes, after, strict=True):
        found.added.update((line, change.path) for line in lines)
    found.removed = {line for lines in before for line in lines}
    common = found.removed & found.added.keys()
    found.removed -= common
    for line in common:
        del found.added[line]
    return found


def _contents(oids: list[str], cwd: str) -> list[list[bytes]]:
    blobs = read_blobs(oids, cwd=cwd) if oids else []
    return [list(split_lines(blob[1])) if blob else [] for blob in blobs]
