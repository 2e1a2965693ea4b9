"""Emit: the one write path. Under the log's lock it reads, decides, appends and materializes.

An event is reported only once it is on stable storage, and the lane that is reported is the one
that the reducer gives for the log with the event in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.errors import KittyStatusError, OutcomeUnknownError
from kitty_status.jsonl.append import append_locked, confirm
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.journal.writing import journal_of
from kitty_status.tracker.log import find_event
from kitty_status.tracker.moving.advice import in_the_middle
from kitty_status.tracker.moving.deciding import check_request, decide
from kitty_status.tracker.moving.listeners import tell
from kitty_status.tracker.phases import refuse_unlogged
from kitty_status.tracker.recent import remember
from kitty_status.tracker.views.materialize import oid_of, reduce_with_oid, write_snapshot
from kitty_status.tracker.views.views import stage, views_of
from kitty_status.tracker.writer import place_to_write

if TYPE_CHECKING:
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature, Project
    from kitty_status.tracker.journal.restoring import Fate
    from kitty_status.tracker.journal.writing import Journal
    from kitty_status.tracker.moving.request import EmitRequest, Emitted
    from kitty_status.tracker.views.views import StagedViews


def emit(project: Project, config: Config, request: EmitRequest) -> Emitted:
    """Move a work package of the feature that the request names or the project suggests; see `record`.

    Raises:
        NotFoundError, UsageError: no feature is meant, or more than one.
        MoveRefusedError: the feature is in phase 0 and keeps no log. And what `record` raises.
    """
    feature = project.feature(request.feature)
    refuse_unlogged(feature, config)
    return record(feature, config, request)


def record(feature: Feature, config: Config, request: EmitRequest) -> Emitted:
    """Move a work package of a feature that keeps a log, if its profile's rules allow it, by an event there.

    Raises:
        MoveRefusedError: the move is against the rules (HeldByOtherError: somebody else holds it).
        ConflictingEventError: `event_id` stands for another event already.
        UsageError, NotFoundError: feature, work package or lane cannot be understood or found.
        StoreError: the log is damaged. BusyError: another process held it for too long.
        OutcomeUnknownError: the disk did not confirm; repeat with the same `event_id`.
        WorkPackageFileError: a view could not be made of the log with the event in it; nothing was written.
        OSError: the operating system refused; the event is certainly absent.
    """
    config.check_may_write()
    check_request(request)
    if request.dry_run:
        return _foresee(feature, config, request)
    problem = None
    journal = journal_of(feature)
    try:
        with exclusive(feature.lock):
            brought_back = journal.bring_back() if journal else []
            emitted = _decide_and_append(feature, config, request, journal)
    finally:
        # A line that came back stays, whatever became of the request.
        if journal is not None and journal.restored:
            problem = journal.refresh_snapshots()
    emitted.warnings += [_says_brought_back(fate, feature) for fate in brought_back]
    emitted.warnings += [problem] if problem else []
    emitted.warnings += in_the_middle(feature, emitted.views)
    emitted.warnings += tell(emitted)
    return emitted


def _foresee(feature: Feature, config: Config, request: EmitRequest) -> Emitted:
    emitted = decide(feature, config, request)
    if emitted.prospect is not None:
        emitted.views = views_of(feature, config, emitted.prospect.snapshot)
    return emitted


def _decide_and_append(feature: Feature, config: Config, request: EmitRequest, journal: Journal | None) -> Emitted:
    emitted = _foresee(feature, config, request)
    if emitted.prospect is None:
        try:
            # Whoever recorded it may have been stopped before the disk confirmed it.
            for file in feature.log.files():
                confirm(file)
        except OutcomeUnknownError as error:
            raise _unknown(error.message, emitted) from error
        _settle(emitted, config, journal)
        return emitted
    # All that can go wrong with a view goes wrong before the event is written, but for the renaming.
    with stage(emitted.views, emitted.prospect.snapshot) as staged:
        try:
            place, line = place_to_write(feature, config.layout), emitted.prospect.line
            journal.append(place, line) if journal else append_locked(place, line)
        except OutcomeUnknownError as error:
            raise _unknown(error.message, emitted) from error
        _settle(emitted, config, journal, staged)
    return emitted


def _says_brought_back(fate: Fate, feature: Feature) -> str:
    event = fate.entry.event
    is_here = fate.tree is None or feature.repository is None or fate.tree.worktree == feature.repository.worktree
    return (
        f"event {event['event_id']} ({event['wp_id']} to {event['to_lane']}) had vanished from the log"
        f"{'' if is_here or fate.tree is None else f' in {fate.tree.worktree}'} and was brought back from the journal"
    )


def _settle(emitted: Emitted, config: Config, journal: Journal | None, staged: StagedViews | None = None) -> None:
    """Write snapshot and views of the log as it is with the event in it, and report the lane that this gives."""
    feature = emitted.feature
    try:
        snapshot, oid = _as_foreseen(emitted, config) or _as_it_stands(emitted, config, journal)
        emitted.state = snapshot.state_of(emitted.event["wp_id"])
        written = write_snapshot(feature, config, snapshot, oid, staged)
        emitted.views = written.views
        emitted.warnings += [f"the event is recorded, but {warning}" for warning in written.warnings(feature)]
    except OutcomeUnknownError:
        raise
    except (OSError, KittyStatusError) as error:
        # The event is acknowledged: what is derived from the log can be derived again.
        name = feature.snapshot.name
        has_views = any(view.drifted for view in emitted.views)
        what = f"neither {name} nor its views were written" if has_views else f"{name} was not written"
        emitted.warnings.append(
            f"the event is recorded, but {what} ({error}); run `kitty-status materialize {feature.slug}`"
        )


def _as_foreseen(emitted: Emitted, config: Config) -> tuple[Snapshot, str | None] | None:
    """Return the snapshot that the decision foresaw, and the log's blob id; None where the log is not what it foresaw.

    Its bytes are read once more, after the append, so that they prove that the event stands in it.
    """
    prospect, log = emitted.prospect, emitted.feature.log
    if prospect is None or log.is_divided:
        return None
    data = log.read()
    if data is None or not prospect.is_what_stands(data):
        return None
    remember(str(log), data, prospect.events, prospect.snapshot, config.profile)
    return prospect.snapshot, oid_of(emitted.feature, data)


def _as_it_stands(emitted: Emitted, config: Config, journal: Journal | None) -> tuple[Snapshot, str | None]:
    """Return the snapshot of whatever log is there, with the event in it, and the blob id of that log."""
    feature = emitted.feature
    event_id, wp_id = emitted.event["event_id"], emitted.event["wp_id"]
    if find_event(feature.log, event_id) is None and journal is not None:
        journal.bring_back()
    if find_event(feature.log, event_id) is None:
        raise _unknown(f"git put another file in place of {feature.log} while the event was written", emitted)
    snapshot, oid = reduce_with_oid(feature, config)
    if wp_id not in snapshot.work_packages:
        raise _unknown(f"git put another file in place of {feature.log} while it was read", emitted)
    return snapshot, oid


def _unknown(message: str, emitted: Emitted) -> OutcomeUnknownError:
    event_id = emitted.event["event_id"]
    return OutcomeUnknownError(
        message,
        hint=f"make the same call again with --event-id {event_id}",
        event_id=event_id,
        log=str(emitted.feature.log),
    )
