"""Deciding: which event answers a request to move a work package, or why none does. Nothing is written here."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kitty_status.clock import MAX_HOURS_AHEAD, event_ids, hours_ahead, now
from kitty_status.errors import (
    ClockAheadError,
    ConflictingEventError,
    MoveRefusedError,
    UsageError,
)
from kitty_status.jsonl.codec import LineDamagedError, decode, encode
from kitty_status.status.instants import format_instant, hours_between, microsecond_after, parse_instant
from kitty_status.status.record import StatusRecord
from kitty_status.status.reducer import reduce_with
from kitty_status.status.rows import is_foreign, is_ulid, problem_with
from kitty_status.tracker.log import find_event
from kitty_status.tracker.missions import identity_of_events, profile_of_new_log
from kitty_status.tracker.moving.advice import unknown_work_package
from kitty_status.tracker.moving.judging import (
    lane_asked_for,
    move_asked_for,
    refuse_if_against_the_rules,
    refuse_if_moved_on,
)
from kitty_status.tracker.moving.request import Emitted, Prospect
from kitty_status.tracker.places.claims import refuse_if_held_elsewhere
from kitty_status.tracker.recent import understand
from kitty_status.tracker.slugs import check_name
from kitty_status.tracker.views.materialize import refuse_lost_log

if TYPE_CHECKING:
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.status.transitions import Move
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.moving.request import EmitRequest


def check_request(request: EmitRequest) -> None:
    """Refuse a request whose names or event id nobody may use, whatever the log says.

    Raises:
        InvalidNameError: the work package or the event id is no safe name.
        ClockAheadError: the event id's time lies more than a day ahead of this clock.
    """
    check_name(request.wp_id, "a work package")
    if request.event_id is not None:
        check_name(request.event_id, "an event")
        _refuse_an_id_from_the_future(request.event_id)


def decide(feature: Feature, config: Config, request: EmitRequest) -> Emitted:
    """Return the event that answers the request, with the state that it leads to.

    Raises:
        MoveRefusedError, ConflictingEventError, UsageError, NotFoundError, StoreError, OSError: as `emit.emit`.
    """
    feature.check_can_move()
    data = feature.log.read() or b""
    on_damage = feature.log.strictly(under_lock=not request.dry_run)
    profile = config.profile or profile_of_new_log(feature, data)
    events, before = understand(str(feature.log), data, profile, on_damage)
    refuse_lost_log(feature, before, config)
    to_lane = lane_asked_for(request, before.profile)
    replayed = _replayed(feature, request, to_lane)
    if replayed is not None:
        return Emitted(feature, replayed, before.state_of(request.wp_id), replayed=True)
    state = before.work_packages.get(request.wp_id)
    refuse_if_moved_on(request, before)
    move, unchecked = move_asked_for(feature, request, to_lane, before)
    refuse_if_against_the_rules(feature, request, move, before)
    elsewhere = refuse_if_held_elsewhere(feature, request.wp_id, move, events, before.profile)
    ids = sorted([event.event_id for event in events], reverse=True)
    newest_id = next(filter(is_ulid, ids), None)
    row = _row(feature, request, move, before, newest_id)
    problem = problem_with(row)
    if problem is not None:
        raise UsageError(f"the event would not be valid: {problem}")
    try:
        line = encode(row, json.dumps)
    except LineDamagedError as error:
        raise UsageError(f"the event could not be read back: {error}", hint="look at what was given") from error
    event = StatusRecord(decode(line.removesuffix(b"\n")), line)
    after = reduce_with(before, events, event, profile)
    became = after.work_packages[request.wp_id]
    if became["last_event_id"] != row["event_id"] or became["lane"] != to_lane:
        raise MoveRefusedError(
            f"{request.wp_id} would not be in {to_lane} after this event but in {became['lane']}",
            hint=f"`kitty-status validate {feature.slug}` shows which events are in the way",
        )
    warnings = [
        *feature.remarks(),
        *elsewhere,
        *unknown_work_package(feature, request, state, before),
        *unchecked,
    ]
    if not is_ulid(row["event_id"]):
        warnings.append(f"event id {row['event_id']} is no ULID; other tools may refuse it")
    prospect = Prospect(data, line, [*events, event], after)
    return Emitted(
        feature, row, after.state_of(request.wp_id), dry_run=request.dry_run, warnings=warnings, prospect=prospect
    )


def _replayed(feature: Feature, request: EmitRequest, to_lane: str) -> dict[str, Any] | None:
    """Return the event that a repeated request has already led to."""
    stored = find_event(feature.log, request.event_id) if request.event_id else None
    if stored is None:
        return None
    asked = {
        "wp_id": request.wp_id,
        "to_lane": to_lane,
        "actor": request.actor,
        "force": request.force,
        "reason": request.reason,
        "review_ref": request.review_ref or _reference_of_outcome(stored),
        "evidence": request.evidence,
    }
    other = [key for key, value in asked.items() if stored.get(key) != value]
    if other or is_foreign(stored):
        raise ConflictingEventError(
            f"event {request.event_id} stands in {feature.log} already, with another "
            f"{', '.join(other) or 'kind of row'}",
            hint="leave out --event-id for a new event",
            stored=stored,
            asked=asked,
        )
    return stored


def _reference_of_outcome(stored: dict[str, Any]) -> str | None:
    """Return where the review of an event can be read, if the event has that from how the review ended."""
    reference: str | None = (stored.get("review_result") or {}).get("reference")
    return reference if stored.get("review_ref") == reference else None


def _row(feature: Feature, request: EmitRequest, move: Move, before: Snapshot, newest_id: str | None) -> dict[str, Any]:
    row = {
        "event_id": request.event_id or event_ids.mint(above=newest_id),
        **identity_of_events(feature),
        "wp_id": request.wp_id,
        "from_lane": move.from_lane,
        "to_lane": move.to_lane,
        "at": _at(feature, before),
        "actor": request.actor,
        "force": request.force,
        "reason": request.reason,
        "execution_mode": move.execution_mode,
        "review_ref": move.review_ref,
        "evidence": request.evidence,
        "parents": list(before.heads.get(request.wp_id, ())),
    }
    return row if move.review_result is None else {**row, "review_result": dict(move.review_result)}


def _refuse_an_id_from_the_future(event_id: str) -> None:
    ahead = hours_ahead(event_id) if is_ulid(event_id) else 0
    if ahead > MAX_HOURS_AHEAD:
        raise ClockAheadError(
            f"event id {event_id} lies {ahead:.0f} hours ahead of this clock, and at most {MAX_HOURS_AHEAD} are taken",
            hint="set the clock of whoever made the id, or leave out --event-id; nothing was written",
            event_id=event_id,
        )


def _at(feature: Feature, before: Snapshot) -> str:
    """Return the time of a new event: now, but never before or at the log's newest event.

    An event that sorted before one that its writer had seen would not become current.
    """
    present = parse_instant(now())
    newest: datetime | None = before.newest_instant
    if newest is None or newest < present:
        return format_instant(present)
    if hours_between(present, newest) > MAX_HOURS_AHEAD:
        raise ClockAheadError(
            f"the newest event of {feature.log}, {before.last_event_id} at {before.materialized_at}, lies more than "
            f"{MAX_HOURS_AHEAD} hours ahead of this clock",
            hint="set this machine's clock, or have the event's writer explain it; nothing was written",
            event_id=before.last_event_id,
        )
    return format_instant(microsecond_after(newest))
