"""Taking moves back by further events: a log is only ever appended to, so nothing is undone by removing lines.

The events of a commit are those whose lines its logs have and its first parent's have not. A work
package that they moved goes back to the lane that the first of them found it in, by a forced event.
Everything is decided before the first event is written: what is refused for one work package is
refused for all. A call that is repeated finds them where they belong and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kitty_status.errors import KittyStatusError, MovedOnError, NotFoundError, UsageError
from kitty_status.git.commits import log_commit
from kitty_status.jsonl.codec import decode
from kitty_status.status.causality import moment
from kitty_status.status.record import event_in
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.rows import is_ulid
from kitty_status.tracker.log import read_log
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kitty_status.git.commits import LogCommit
    from kitty_status.status.record import LaneEvent, StatusRecord
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature, Project
    from kitty_status.tracker.moving.request import Emitted

MOVED = "moved"
ALREADY = "already"
UNMOVED = "unmoved"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertRequest:
    """What a caller asks for: `what` is a commit or an event id, `feature` narrows where events are looked for."""

    what: str
    actor: str
    feature: str | None = None
    reason: str | None = None
    force: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Undoing:
    """What becomes of one work package, whose `events` are reverted.

    The `outcome` is `moved` (by `emitted`), `already` where it is in `to_lane` already, or `unmoved` where the
    events left it in the lane they found it in. `others` are its newest events besides those reverted.
    """

    feature: Feature
    wp_id: str
    to_lane: str
    events: list[str]
    heads: tuple[str, ...]
    outcome: str = MOVED
    others: list[LaneEvent] = field(default_factory=list)
    emitted: Emitted | None = None


@dataclass(slots=True)
class Reverted:
    """What was reverted (a commit's short id, or an event's), what it was about, and each work package's part."""

    name: str
    about: str
    commit: str | None
    undoings: list[Undoing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Holder:
    """A feature whose log holds events that are to be reverted: those, and all of its events."""

    feature: Feature
    own: list[LaneEvent]
    events: list[LaneEvent]


def revert(project: Project, config: Config, request: RevertRequest) -> Reverted:
    """Bring every work package that a commit or an event moved back to the lane it was in before.

    Raises:
        MovedOnError: a work package has moved on since, and `force` was not given. Nothing was written.
        NotFoundError: there is no such commit or event, or its events stand in no log here.
        UsageError: the commit is a merge, the name is ambiguous, or the event stands in several features.
        MoveRefusedError: there is no actor. Nothing was written.
        StoreError, BusyError, OutcomeUnknownError, OSError: as `emit.emit`; the same call again does the rest.
        GitError: git could not be asked.
    """
    config.check_may_write()
    commit = _commit(project, request.what)
    holders = _holders_of_commit(project, request, commit) if commit else _holders_of_event(project, request)
    undoings = [undoing for holder in holders for undoing in _undoings(holder, config)]
    name, about = (commit.short, commit.subject) if commit else (request.what, _in_words(holders[0].own[0]))
    if not request.force:
        _refuse_if_moved_on(undoings)
    due = [undoing for undoing in undoings if undoing.outcome == MOVED]
    reason = f"revert of {name}: {request.reason or about}"
    moves = [_move(undoing, request.actor, reason) for undoing in due]
    # Decided for all of them before anything is written for one.
    for undoing, move in zip(due, moves, strict=True):
        undoing.emitted = emit(project, config, replace(move, dry_run=True))
    if not request.dry_run:
        _emit(project, config, due, moves)
    return Reverted(name, about, commit.commit if commit else None, undoings)


def _emit(project: Project, config: Config, due: Sequence[Undoing], moves: Sequence[EmitRequest]) -> None:
    for done, (undoing, move) in enumerate(zip(due, moves, strict=True)):
        try:
            undoing.emitted = emit(project, config, move)
        except KittyStatusError as error:
            error.hint = f"{done} of {len(due)} work packages are back; make the same call again for the others"
            raise


def _commit(project: Project, what: str) -> LogCommit | None:
    """Return the commit that is meant, None where it must be an event."""
    if project.repository is None or is_ulid(what):
        return None
    try:
        return log_commit(what, project.repository.worktree)
    except NotFoundError:
        return None


def _holders_of_commit(project: Project, request: RevertRequest, commit: LogCommit) -> list[_Holder]:
    before = {event.event_id for event in _events_in(commit.removed)}
    ids = {event.event_id for event in _events_in(commit.added)} - before
    if not ids:
        hint = "name a commit that moved a work package"
        if commit.removed:
            hint = f"it removed lines: `kitty-status resolve --from {commit.short}^` brings them back"
        raise NotFoundError(f"commit {commit.short} added no event to a log", hint=hint)
    # Where a log still lies where the commit had it, it is that one; others are looked through afterwards.
    slugs = {PurePosixPath(path).parent.name for path in commit.added.values()}
    features = sorted(_features(project, request), key=lambda feature: feature.slug not in slugs)
    holders = []
    for feature in features:
        holder = _holder(feature, ids)
        if holder is not None:
            holders.append(holder)
            ids -= {event.event_id for event in holder.own}
    if ids:
        raise NotFoundError(
            f"{len(ids)} events of commit {commit.short}, among them {min(ids)}, stand in no log here",
            hint="if they were lost, `kitty-status resolve --from` the commit brings them back; nothing was written",
        )
    return holders


def _holders_of_event(project: Project, request: RevertRequest) -> list[_Holder]:
    found = [_holder(feature, {request.what}) for feature in _features(project, request)]
    holders = [holder for holder in found if holder is not None]
    if not holders:
        raise NotFoundError(
            f"{request.what!a} is no commit of this clone and no event of a log here",
            hint="`kitty-status log FEATURE` shows the events and their ids, `git log` the commits",
        )
    if len(holders) > 1:
        slugs = ", ".join(holder.feature.slug for holder in holders)
        raise UsageError(f"event {request.what} stands in several features: {slugs}", hint="name one: --feature")
    return holders


def _features(project: Project, request: RevertRequest) -> list[Feature]:
    return [project.feature(request.feature)] if request.feature else project.features()


def _holder(feature: Feature, ids: set[str]) -> _Holder | None:
    """Return the events of a feature if any of `ids` is among them; other logs are only searched, not parsed."""
    data = feature.log.read()
    if data is None or not any(event_id.encode("utf-8", "surrogatepass") in data for event_id in ids):
        return None
    events: list[LaneEvent] = unique_events(read_log(feature.log, feature.log.strictly()))
    own = sorted((event for event in events if event.event_id in ids), key=moment)
    return _Holder(feature, own, events) if own else None


def _events_in(lines: Iterable[bytes]) -> Iterator[StatusRecord]:
    """Yield the events among lines; what else stands there moved no work package."""
    for line in lines:
        event = event_in(line, 0, decode, lambda _number, _line, _why, _is_json: None)
        if event is not None:
            yield event


def _undoings(holder: _Holder, config: Config) -> Iterator[Undoing]:
    snapshot = reduce_events(holder.events, config.profile)
    by_id = {event.event_id: event for event in holder.events}
    work_packages: dict[str, list[LaneEvent]] = {}
    for event in holder.own:
        work_packages.setdefault(event.wp_id, []).append(event)
    for wp_id, own in sorted(work_packages.items()):
        ids = [event.event_id for event in own]
        heads = snapshot.heads[wp_id]
        undoing = Undoing(holder.feature, wp_id, own[0].from_lane, ids, heads)
        if own[-1].to_lane == undoing.to_lane:
            undoing.outcome = UNMOVED
        elif snapshot.work_packages[wp_id]["lane"] == undoing.to_lane:
            undoing.outcome = ALREADY
        else:
            undoing.others = [by_id[head] for head in heads if head not in ids]
        yield undoing


def _refuse_if_moved_on(undoings: Sequence[Undoing]) -> None:
    on = [(undoing, event) for undoing in undoings for event in undoing.others]
    if on:
        raise MovedOnError(
            "; ".join(f"{each.wp_id} was moved on: {_in_words(event)} ({event.event_id})" for each, event in on),
            hint="revert that first, or move it with `emit`; --force brings it back all the same",
            events=[event.event_id for _, event in on],
        )


def _move(undoing: Undoing, actor: str, reason: str) -> EmitRequest:
    return EmitRequest(
        wp_id=undoing.wp_id,
        to_lane=undoing.to_lane,
        actor=actor,
        feature=undoing.feature.slug,
        force=True,
        reason=reason,
        heads=undoing.heads,
    )


def _in_words(event: LaneEvent) -> str:
    return f"{event.from_lane} to {event.to_lane} by {event.shown_actor}"
