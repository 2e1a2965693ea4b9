"""Reconcile: what git shows of the work, held against what the logs say, and the moves that close the gap."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.errors import GitError, KittyStatusError, UsageError
from kitty_status.git.scanning import scan
from kitty_status.status.catching_up import Chain, chain
from kitty_status.status.lanes import GUARD_APPROVAL, NINE_LANE
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest
from kitty_status.tracker.places.sight import Surroundings
from kitty_status.tracker.reconciling.facts import Work
from kitty_status.tracker.reconciling.linking import link
from kitty_status.tracker.reconciling.logged import LoggedFeature, vocabulary_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.git.gitpython import LocalRepository
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature, Project
    from kitty_status.tracker.reconciling.linking import LinkedCommit

ACTOR = "reconcile"
DEFAULT_LIMIT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    """What a caller asks for. `targets` are repositories; without one it is that of the features."""

    targets: Sequence[str] = ()
    base: str | None = None
    since: str | None = None
    limit: int = DEFAULT_LIMIT
    actor: str = ACTOR


@dataclass(slots=True)
class Scanned:
    """A repository that was looked through, or `problem` says why it could not be."""

    path: str
    name: str = ""
    base: str | None = None
    commits: int = 0
    problem: str = ""
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Proposal:
    """What git shows of one work package, the moves that follow, and why there are no more.

    `heads` are the newest events that the moves build on; `events` those that were recorded, and `refused`
    is why the rest was not. `is_stuck` says that git shows more than could be recorded.
    """

    feature: Feature
    wp_id: str
    lane: str
    chain: Chain
    work: Work
    heads: tuple[str, ...]
    profile: LaneProfile
    refused: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_drift(self) -> bool:
        """Whether the log is behind what git shows."""
        return len(self.events) < len(self.chain.moves) or self.chain.is_stuck or bool(self.refused)

    def evidence(self, number: int) -> dict[str, Any] | None:
        """Return the evidence of the move `number`: the commits; where they led beyond a review, that too.

        spec-kitty 3 cannot read evidence without a review, so that in a log that it may read there is none.
        """
        approves = self.profile.moves.get(self.chain.moves[number]) == GUARD_APPROVAL
        if not approves and self.profile.name == NINE_LANE.name:
            return None
        return self.work.evidence(approves=approves)


@dataclass(slots=True)
class Reconciliation:
    """What came of it: the repositories, and a proposal for each work package that commits were found for."""

    scanned: list[Scanned]
    proposals: list[Proposal]

    @property
    def unreadable(self) -> list[Scanned]:
        """The repositories that could not be looked through."""
        return [each for each in self.scanned if each.problem]

    @property
    def has_drift(self) -> bool:
        """Whether a log is still behind what git shows."""
        return any(proposal.is_drift for proposal in self.proposals)


def reconcile(
    project: Project, config: Config, features: Sequence[Feature], request: ReconcileRequest
) -> Reconciliation:
    """Return what git shows of the work on these features beyond what their logs say. Nothing is written.

    Raises:
        UsageError: no repository is named, and the features lie in none.
        StoreError: a log is damaged. GitError, OSError: the features' own repository or log cannot be read.
    """
    surroundings = Surroundings(project.repository) if project.repository else None
    logged = {feature.slug: LoggedFeature(feature, config, surroundings) for feature in features}
    vocabulary = vocabulary_of(project, config, logged)
    scanned: list[Scanned] = []
    commits: dict[tuple[str, str], list[LinkedCommit]] = {}
    seen: set[str] = set()
    for path in _targets(project, request):
        each = Scanned(path)
        scanned.append(each)
        try:
            repository = _open(path)
            if repository.place.common_dir in seen:
                scanned.pop()
                continue
            seen.add(repository.place.common_dir)
            found = scan(repository, base=request.base, limit=request.limit, since=request.since)
            links = link(found, vocabulary)
        except (GitError, OSError) as error:
            hint = error.hint if isinstance(error, GitError) else ""
            each.problem = f"{error}; {hint}" if hint else str(error)
            continue
        each.path, each.name, each.base = repository.path, repository.name, found.base
        each.commits, each.remarks = len(found.commits), links.remarks
        for wp, linked in links.commits.items():
            commits.setdefault(wp, []).extend(linked)
    proposals = [
        _proposal(log, wp_id, commits[slug, wp_id], request)
        for slug, log in logged.items()
        for wp_id in log.wp_ids
        if (slug, wp_id) in commits
    ]
    return Reconciliation(scanned, proposals)


def try_first_moves(project: Project, config: Config, found: Reconciliation, actor: str) -> None:
    """Ask for the first move of each proposal without making it, so that a refusal is known before. Nothing is written.

    Whether later ones are refused, only those before them can show.
    """
    for proposal in found.proposals:
        if proposal.chain.moves:
            _move(project, config, proposal, 0, actor=actor, dry_run=True)


def apply(project: Project, config: Config, found: Reconciliation, actor: str) -> None:
    """Make the moves of all proposals. What is refused stays in its proposal, with why, and the others go on.

    Raises:
        UsageError: a repository could not be read, so that what was found may be half of the truth.
    """
    if found.unreadable:
        raise UsageError(
            f"{found.unreadable[0].path} could not be read, and without it nothing is applied",
            hint="mend it, or leave it out of --target-repo",
        )
    for proposal in found.proposals:
        for number in range(len(proposal.chain.moves)):
            if not _move(project, config, proposal, number, actor=actor, dry_run=False):
                break


def _move(project: Project, config: Config, proposal: Proposal, number: int, *, actor: str, dry_run: bool) -> bool:
    request = EmitRequest(
        wp_id=proposal.wp_id,
        to_lane=proposal.chain.moves[number][1],
        actor=actor,
        feature=proposal.feature.slug,
        reason=proposal.work.reason(),
        evidence=proposal.evidence(number),
        heads=(proposal.events[-1]["event_id"],) if proposal.events else proposal.heads,
        dry_run=dry_run,
    )
    try:
        emitted = emit(project, config, request)
    except KittyStatusError as error:
        proposal.refused = f"{error.message}; {error.hint}" if error.hint else error.message
        return False
    if not dry_run:
        proposal.events.append(emitted.event)
        proposal.warnings += emitted.warnings
    return True


def _proposal(log: LoggedFeature, wp_id: str, commits: list[LinkedCommit], request: ReconcileRequest) -> Proposal:
    profile, lane = log.snapshot.profile, log.lane(wp_id)
    approval = log.approval(wp_id)
    work = Work(sorted(commits, key=lambda commit: -commit.at), since=log.sent_back_at(wp_id), approval=approval)
    moves = chain(lane, work.facts(), profile, actor=request.actor, holder=log.holder(wp_id))
    obstacle = log.in_the_way(wp_id) if moves.moves or moves.is_stuck else ""
    if obstacle:
        moves = Chain(stop=obstacle, is_stuck=True)
    heads = log.snapshot.heads.get(wp_id, ())
    return Proposal(log.feature, wp_id, lane, moves, work, heads, profile)


def _targets(project: Project, request: ReconcileRequest) -> Sequence[str]:
    if request.targets:
        return request.targets
    if project.repository is None:
        raise UsageError(
            f"{project.root} lies in no git repository", hint="name where the work is done: --target-repo PATH"
        )
    return [project.repository.worktree]


def _open(path: str) -> LocalRepository:
    if not path or not Path(path).is_dir():
        what = "a file" if path and Path(path).exists() else "no folder"
        raise GitError(f"{path!a} is {what}", hint="name the folder of a repository, or one in its work tree")
    # Loaded by name: GitPython takes longer to load than most commands take.
    try:
        module: Any = import_module("kitty_status.git.gitpython")
    except ImportError as error:
        # It asks for git's version as soon as it is loaded, and obeys variables of its own.
        raise GitError(
            f"GitPython could not be loaded: {error}", hint="look at GIT_PYTHON_GIT_EXECUTABLE and GIT_PYTHON_REFRESH"
        ) from error
    repository: LocalRepository = module.open_repository(path)
    return repository
