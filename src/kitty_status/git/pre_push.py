"""The push hook: what is about to be sent must only have been appended to.

For each branch or tag that a push changes, the commits that the remote does not have yet are held
against their parents, as `audit` does it. Where the remote's own tip is left behind, as by a forced
push, the new tip is held against it, too. A line that was edited or removed stops the push.

What cannot be known stops nothing: where git fails, or this clone does not have the remote's tip,
the hook says so and lets the push go on.
"""

from __future__ import annotations

import sys

from kitty_status.errors import GitError
from kitty_status.git.append_only import FEATURE_DELETED, LINE_EDITED, LINES_REORDERED, mark_restored, prove
from kitty_status.git.history import History
from kitty_status.git.pre_commit import Report
from kitty_status.jsonl.codec import preview
from kitty_status.status.validation import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kitty_status.git.append_only import Loss, Proof

EXIT_CLEAN = 0
# A push of more commits than this is looked at in part, so that nobody waits for minutes.
MOST_COMMITS = 20_000
_SHORT = 12
_FIELDS_OF_A_LINE = 4


class Update:
    """One reference of a push: its name here, what it is here, and what it is at the remote; empty if nothing."""

    __slots__ = ("local", "name", "remote")

    def __init__(self, name: str, local: str, remote: str) -> None:
        self.name = name
        self.local = local
        self.remote = remote


def main(argv: list[str]) -> int:
    """Check the push that stdin describes to the remote that `argv` names; return the hook's exit code."""
    remote = argv[0] if argv else ""
    updates = list(parse_updates(sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\n")))
    return check_push(".", remote, updates).print("push")


def parse_updates(lines: Iterable[str]) -> Iterator[Update]:
    """Yield what the lines that git gives to the hook say, without the references that are deleted."""
    for line in lines:
        fields = line.split(" ")
        if len(fields) == _FIELDS_OF_A_LINE and fields[1].strip("0"):
            yield Update(fields[0], fields[1], fields[3] if fields[3].strip("0") else "")


def check_push(cwd: str, remote: str, updates: Sequence[Update]) -> Report:
    """Return what is wrong with the logs that a push would send to a remote."""
    report = Report()
    history = History(cwd, inherit_repository=True)
    try:
        here = history.here(update.remote for update in updates if update.remote)
        _Push(history, remote, here, report).check(updates)
    except GitError as error:
        report.warnings.append(f"the push goes on unchecked: {error.message}")
    return report


class _Push:
    """`here` are those of the remote's tips that this clone has."""

    def __init__(self, history: History, remote: str, here: set[str], report: Report) -> None:
        self._history = history
        self._remote = remote
        self._here = here
        self._say = report

    def check(self, updates: Sequence[Update]) -> None:
        """Check all references together, since many share their commits; one by one if that finds anything."""
        if not updates:
            return
        try:
            is_done = self._check_together(updates)
        except GitError as error:
            # One that git cannot walk, such as the tag of a file, must not keep the others from being checked.
            is_done = len(updates) == 1
            if is_done:
                self._say.warnings.append(f"{updates[0].name} is pushed unchecked: {error.message}")
        if not is_done:
            for update in updates:
                self.check([update])

    def _check_together(self, updates: Sequence[Update]) -> bool:
        """Check what the remote does not have yet; say whether the references need no look one by one."""
        revisions = [update.local for update in updates]
        revisions += [f"^{update.remote}" for update in updates if update.remote in self._here]
        revisions += ["--not", f"--remotes={self._remote}"] if self._remote else []
        commits = self._history.commits(revisions, limit=MOST_COMMITS)
        steps = self._history.steps(commits)
        proof = prove(self._history, steps)
        if proof.losses and len(updates) > 1:
            return False
        if len(commits) == MOST_COMMITS:
            self._say.warnings.append(f"only the newest {MOST_COMMITS} of the commits that are pushed were checked")
        mark_restored(self._history, proof.losses, updates[0].local)
        self._report(commits, proof)
        deleted = {change.path for step in steps for change in step.changes if change.is_deleted}
        for update in updates:
            self._check_tip(update, deleted)
        return True

    def _report(self, commits: dict[str, list[str]], proof: Proof) -> None:
        for path in sorted(proof.unread):
            self._say.warnings.append(f"{path}: not every version is in this clone, so it was checked in part only")
        for losses in _by_commit_and_log(proof.losses):
            loss = losses[0]
            path, short = loss.path, loss.commit[:_SHORT]
            if loss.code == LINES_REORDERED:
                continue
            if loss.severity != ERROR:
                restored = " that were put back" if loss.is_restored else ""
                self._say.warnings.append(f"{path}: {loss.code} by commit {short}, {_lines(losses)} lines{restored}")
                continue
            parent = (self._history.parent_with(commits[loss.commit], loss.change) or "")[:_SHORT]
            self._say.stop(
                path,
                f"commit {short} {_did(losses)}",
                f"`kitty-status audit --base {parent} --head {short}` says more; put back what "
                f"`git show {parent}:{path}` has, with a further commit, then push again",
            )

    def _check_tip(self, update: Update, deleted: set[str]) -> None:
        remote, old, new = self._remote, update.remote[:_SHORT], update.local[:_SHORT]
        if update.remote not in self._here:
            if update.remote:
                self._say.warnings.append(
                    f"{update.name}: {remote} has {old}, which this clone does not have, so nobody can say whether the "
                    f"push loses lines of it; `git fetch {remote}` brings it"
                )
            return
        if not self._history.commits([update.remote, f"^{update.local}"], limit=1):
            return
        # The remote's tip is left behind.
        proof = prove(self._history, [self._history.between(update.remote, update.local)])
        for losses in _by_commit_and_log(proof.losses):
            loss = losses[0]
            if loss.code == FEATURE_DELETED and loss.path in deleted:
                self._say.warnings.append(f"{loss.path}: the push deletes the feature, with {_lines(losses)} lines")
            elif loss.severity == ERROR or loss.code == FEATURE_DELETED:
                self._say.stop(
                    loss.path,
                    f"the remote has {old}, and {new} in its place {_did(losses)}",
                    f"`git merge {old}` brings them back; `git diff {old} {new} -- {loss.path}` shows what is missing",
                )


def _by_commit_and_log(losses: Iterable[Loss]) -> list[list[Loss]]:
    """Return the losses that one commit brought on one log together, apart from those that are no errors."""
    together: dict[tuple[str, str, str, str], list[Loss]] = {}
    for loss in losses:
        kind = "" if loss.severity == ERROR else loss.code
        together.setdefault((loss.commit, loss.path, loss.change.old, kind), []).append(loss)
    return list(together.values())


def _lines(losses: list[Loss]) -> int:
    return sum(loss.lines for loss in losses)


def _did(losses: list[Loss]) -> str:
    edited = sum(loss.code == LINE_EDITED for loss in losses)
    removed = _lines(losses) - edited
    counts = [f"{count} {verb}" for count, verb in ((edited, "edited"), (removed, "removed")) if count]
    some = f", among them {preview(losses[0].line)}" if losses[0].line else ""
    return f"has lines {' and '.join(counts)}{some}"
