"""Audit: whether git's own history proves that the logs were only ever appended to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.errors import NotFoundError, OutsideRepositoryError, UsageError
from kitty_status.git.append_only import (
    DAMAGE_REMOVED,
    FEATURE_DELETED,
    LINE_EDITED,
    LINE_REMOVED,
    LINES_REORDERED,
    LOG_DELETED,
    mark_restored,
    prove,
)
from kitty_status.git.bare import is_receiving
from kitty_status.git.history import History
from kitty_status.git.log_paths import feature_of
from kitty_status.git.revisions import describe, find_revision, resolve, shallow_edge
from kitty_status.jsonl.codec import preview
from kitty_status.status.validation import ERROR, WARNING, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.append_only import Loss
    from kitty_status.git.repository import Repository
    from kitty_status.git.revisions import Commit

HISTORY_CUT = "history-cut"
HISTORY_UNREADABLE = "history-unreadable"

_PUT_BACK = (
    "`git show {parent}:{path}` has what was there; `kitty-status resolve --from {parent}`, called in the feature's "
    "folder, puts the lines back for a further commit"
)
_MENDED = "nothing to do: the log holds again what it held at first"
_HARMLESS = "nothing to do: the order of the lines does not matter"
_SAYINGS = {
    LINE_REMOVED: ("the line was removed{later}: {line}", _PUT_BACK),
    LINE_EDITED: ("the line was edited{later}; it was: {line}", _PUT_BACK),
    LOG_DELETED: ("the log of {lines} lines was deleted while its folder stayed{later}", _PUT_BACK),
    FEATURE_DELETED: (
        "the feature was deleted with its log of {lines} lines",
        "nothing to do if that was meant; `git show {parent}:{path}` has the log",
    ),
    DAMAGE_REMOVED: ("a damaged line was removed: {line}", "nothing to do: damage may be taken out"),
    LINES_REORDERED: ("{lines} lines stand in another order", _HARMLESS),
}


class AuditFinding(Finding):
    """A finding about a commit: which one, whose, and the parent that it was held against."""

    __slots__ = ("commit", "parent")

    commit: Commit | None
    parent: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the finding in plain JSON types."""
        who = self.commit.to_dict() if self.commit else dict.fromkeys(("commit", "author", "email", "date"))
        return {**super().to_dict(), **who, "parent": self.parent}


class Audit:
    """What was found in a part of history, and how much was looked at."""

    def __init__(self, findings: list[AuditFinding], commits: int, logs: int) -> None:
        self.findings = findings
        self.commits = commits
        self.logs = logs

    @property
    def passed(self) -> bool:
        """Whether nothing worse than a warning was found."""
        return not any(finding.severity == ERROR for finding in self.findings)


def audit(repository: Repository | None, names: Sequence[str], revisions: Sequence[str] | None) -> Audit:
    """Hold every commit of a range against each of its parents. Nothing is written or fetched.

    Args:
        repository: where.
        names: slugs of features, or unique beginnings of them; none for all features. A feature is
            followed through its renames.
        revisions: the range, see `range_of`; None before the first commit.

    Raises:
        OutsideRepositoryError: there is no repository.
        NotFoundError: no commit of the range has touched such a feature, and its newest has none.
        UsageError: more than one feature may be meant.
        GitError: git failed.
    """
    if repository is None:
        raise OutsideRepositoryError(
            "there is no git repository here to audit", hint="call it in a clone, or `git init` makes one"
        )
    history = History(repository.worktree, inherit_repository=is_receiving(repository.worktree))
    commits = history.commits(revisions) if revisions else {}
    steps = history.steps(commits)
    proof = prove(history, steps)
    touched = {change.path for step in steps for change in step.changes}
    if revisions:
        mark_restored(history, proof.losses, revisions[0])
    chosen = touched
    if names:
        there = set(history.tree(revisions[0]).logs) if revisions else set()
        chosen = _followed(names, touched | there, proof.moves)
    described = describe((loss.commit for loss in proof.losses), cwd=repository.worktree)
    findings = [_cut(repository, commits), *(_unread(path) for path in sorted(proof.unread & chosen))]
    parents: dict[int, str | None] = {}
    for loss in proof.losses:
        if loss.path in chosen:
            if id(loss.change) not in parents:  # one change may have cost many lines
                parents[id(loss.change)] = history.parent_with(commits[loss.commit], loss.change)
            findings.append(_finding(loss, described[loss.commit], parents[id(loss.change)]))
    return Audit(
        [each for each in findings if each is not None], len(commits), len(set(map(feature_of, touched & chosen)))
    )


def range_of(head: str, base: str | None, since: str | None, *, cwd: str) -> list[str] | None:
    """Return what to ask git for: all history of `head`, without what `base` has, or from `since` on.

    * `base` and everything that it stands on is left out, as in `git log base..head`
    * `since` itself is looked at, too: only what its parents have is left out
    * None: nothing has been committed yet

    Raises:
        NotFoundError: git knows no such commit here.
    """
    if base is None and since is None and head == "HEAD" and find_revision(head, cwd=cwd) is None:
        return None
    tip = resolve(head, cwd=cwd)
    if base is not None:
        return [tip, "--not", resolve(base, cwd=cwd)]
    if since is not None:
        return [tip, "--not", f"{resolve(since, cwd=cwd)}^@"]
    return [tip]


def _finding(loss: Loss, commit: Commit, parent: str | None) -> AuditFinding:
    message, hint = _SAYINGS[loss.code]
    if loss.is_restored:
        hint = _MENDED
    finding = AuditFinding(
        loss.code,
        message.format(
            line=preview(loss.line), lines=loss.lines, later=" and put back later" if loss.is_restored else ""
        ),
        hint=hint.format(parent=(parent or "")[: len(commit.short)], path=loss.path),
        severity=loss.severity,
        path=loss.path,
        event_id=loss.event_id,
    )
    finding.commit = commit
    finding.parent = parent
    return finding


def _unread(path: str) -> AuditFinding:
    return _about_history(
        HISTORY_UNREADABLE,
        "not every version of the log is in this clone, so it was compared in part only",
        "a clone without a filter has all of them",
        path,
    )


def _cut(repository: Repository, commits: dict[str, list[str]]) -> AuditFinding | None:
    """Return that history goes on where this clone does not, if a commit of the range stands at that edge."""
    reached = len(shallow_edge(repository.common_dir) & commits.keys())
    if not reached:
        return None
    return _about_history(
        HISTORY_CUT,
        f"this clone is shallow: what {reached} commits at its edge did to the logs cannot be seen",
        "`git fetch --unshallow` brings the rest",
        "",
    )


def _about_history(code: str, message: str, hint: str, path: str) -> AuditFinding:
    finding = AuditFinding(code, message, hint=hint, severity=WARNING, path=path)
    finding.commit = None
    finding.parent = None
    return finding


def _followed(names: Sequence[str], paths: Iterable[str], moves: Iterable[tuple[str, str]]) -> set[str]:
    """Return the paths that the logs of these features have, and had before they were moved there."""
    chosen: set[str] = set()
    for name in names:
        slugs = {_slug(path) for path in paths}
        meant = [slug for slug in slugs if slug == name] or [slug for slug in slugs if slug.startswith(name)]
        if len(meant) > 1:
            raise UsageError(f"{name} may mean {', '.join(sorted(meant)[:5])}", hint="write more of the slug")
        if not meant:
            raise NotFoundError(
                f"no commit that was looked at holds a log of {name}",
                hint="`kitty-status audit` without a name looks at all features",
            )
        chosen |= {path for path in paths if _slug(path) == meant[0]}
    before: dict[str, set[str]] = {}
    for old, new in moves:
        before.setdefault(new, set()).add(old)
    pending = list(chosen)
    while pending:
        fresh = before.get(pending.pop(), set()) - chosen
        chosen |= fresh
        pending += fresh
    return chosen


def _slug(path: str) -> str:
    return feature_of(path).rpartition("/")[2]
