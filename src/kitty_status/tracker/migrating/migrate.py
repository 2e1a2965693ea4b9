"""Migrating a feature: what its work packages' frontmatter tells becomes events of its log, all of them or none.

The files are only read, but for their views: those that spell a lane otherwise than the log are written as by `emit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.errors import OutcomeUnknownError
from kitty_status.jsonl.append import append_locked, confirm
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.journal.writing import journal_of
from kitty_status.tracker.log import read_log
from kitty_status.tracker.migrating.plan import ALREADY, check_lanes, plan
from kitty_status.tracker.moving.advice import in_the_middle
from kitty_status.tracker.views.materialize import compare, materialize_feature, reduce_with_oid, write_snapshot
from kitty_status.tracker.writer import place_to_write

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.journal.writing import Journal
    from kitty_status.tracker.migrating.plan import Migration


def migrate(feature: Feature, config: Config, *, dry_run: bool = False) -> Migration:
    """Make events of what the frontmatter of a feature's work packages tells, and write the snapshot.

    Raises:
        UnreadableError: work packages cannot be read; nothing was written.
        ConfigurationError: this version must not write here.
        StoreError: the log is damaged; or it gives another lane than the frontmatter although all was written.
        BusyError: another process held the log for too long.
        OutcomeUnknownError: the disk did not confirm; make the same call again.
        OSError: the operating system refused; the events are certainly absent.
    """
    config.check_may_write()
    migration = plan(feature, config, may_be_lost=not dry_run)
    if dry_run:
        return migration
    if not migration.events:
        _complete_snapshot(migration, config)
        return migration
    problem = None
    journal = journal_of(feature)
    try:
        with exclusive(feature.lock):
            if journal is not None:
                journal.bring_back()
            migration = plan(feature, config, migration)
            _write(migration, config, journal)
    finally:
        # A line that came back stays, whatever became of the rest.
        if journal is not None and journal.restored:
            problem = journal.refresh_snapshots()
    migration.warnings += [problem] if problem else []
    migration.warnings += in_the_middle(feature, migration.views)
    return migration


def _complete_snapshot(migration: Migration, config: Config) -> None:
    """Write the snapshot if whoever has migrated was stopped before that."""
    feature = migration.feature
    if not any(outcome.what == ALREADY for outcome in migration.outcomes):
        return
    if compare(feature, config, *reduce_with_oid(feature, config)).drifted:
        materialize_feature(feature, config)


def _write(migration: Migration, config: Config, journal: Journal | None) -> None:
    feature, events = migration.feature, migration.events
    if not events:
        # Another process was faster, and may have been stopped before the disk confirmed.
        for file in feature.log.files():
            confirm(file)
        return
    place = place_to_write(feature, config.layout)
    lines = [event.line for event in events]
    if journal is not None:
        journal.append(place, *lines)
    else:
        append_locked(place, *lines)
    migration.written = True
    _refuse_if_lines_are_missing(migration)
    snapshot, oid = reduce_with_oid(feature, config)
    check_lanes(migration, snapshot)
    try:
        written = write_snapshot(feature, config, snapshot, oid)
        migration.views = written.views
        migration.warnings += [f"the events are recorded, but {warning}" for warning in written.warnings(feature)]
    except OSError as error:
        migration.warnings.append(
            f"the events are recorded, but {feature.snapshot.name} was not written ({error}); "
            f"run `kitty-status materialize {feature.slug}`"
        )


def _refuse_if_lines_are_missing(migration: Migration) -> None:
    """Make sure that git has put no other file in the log's place: it takes no lock of ours."""
    log = migration.feature.log
    present = {event.event_id for event in read_log(log, log.strictly(under_lock=True))}
    if any(event.event_id not in present for event in migration.events):
        raise OutcomeUnknownError(
            f"git put another file in place of {log} while it was written", hint="make the same call again"
        )
