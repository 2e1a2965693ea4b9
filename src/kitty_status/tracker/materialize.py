"""Writing `status.json` from the log, and saying whether it is what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.errors import StoreError
from kitty_status.git.blobs import blob_oid, file_oid
from kitty_status.jsonl.damage import strictly
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.snapshot import parse, to_bytes, written_by_spec_kitty
from kitty_status.tracker.config import SNAPSHOT_OWN, SNAPSHOT_SPEC_KITTY
from kitty_status.tracker.log import reduce_log

if TYPE_CHECKING:
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature

_IDENTITY = "mission_slug"


class Materialized:
    """A feature's snapshot and whether `status.json` says the same; `written` if it was made to."""

    __slots__ = ("data", "drifted", "existing", "snapshot", "written")

    def __init__(self, snapshot: Snapshot, data: bytes, existing: bytes | None, *, written: bool = False) -> None:
        self.snapshot = snapshot
        self.data = data
        self.existing = existing
        self.drifted = data != existing
        self.written = written


def materialize_feature(feature: Feature, config: Config) -> Materialized:
    """Write the snapshot of a feature's log, unless the file says the same already.

    The log's lock is held meanwhile, so that an older snapshot cannot replace a newer one.

    Raises:
        StoreError: the log is damaged; `status.json` is as it was.
        BusyError: another process held the log for too long.
        OSError: the operating system refused.
    """
    config.check_may_write()
    with exclusive(feature.place.lock):
        snapshot = reduce_log(feature.log, config.profile, strictly(feature.log))
        refuse_lost_log(feature, snapshot)
        return write_snapshot(feature, config, snapshot)


def refuse_lost_log(feature: Feature, snapshot: Snapshot) -> None:
    """Refuse to write beside a snapshot that counts events while the log has none.

    Such a snapshot may be the last thing that tells of the events: it must not be written over.

    Raises:
        StoreError: that is so.
    """
    if snapshot.event_count:
        return
    counted = events_counted_by(feature)
    if counted:
        raise StoreError(
            f"{feature.snapshot} counts {counted} events and the log has none: the log may have been lost",
            hint=f"look for it with `git log -- {feature.relative(feature.log)}`; "
            f"if it is meant to be empty, move {feature.snapshot.name} away",
        )


def events_counted_by(feature: Feature) -> int:
    """Return how many events `status.json` counts, 0 where it is not there or says nothing that can be read."""
    try:
        counted = parse(_read(feature) or b"{}").get("event_count")
    except (ValueError, OSError):
        return 0
    return counted if isinstance(counted, int) else 0


def write_snapshot(feature: Feature, config: Config, snapshot: Snapshot) -> Materialized:
    """Write a snapshot that was just reduced from the log; the caller holds the log's lock.

    Raises:
        OSError: the operating system refused; `status.json` is as it was.
    """
    result = compare(feature, config, snapshot)
    result.written = replace_file(feature.snapshot, result.data)
    return result


def compare(feature: Feature, config: Config, snapshot: Snapshot) -> Materialized:
    """Return what `status.json` should say beside what it says, and write nothing.

    Raises:
        OSError: the operating system refused.
    """
    existing = _read(feature)
    return Materialized(
        snapshot, to_bytes(snapshot, log_oid(feature), _their_keys(feature, config, existing)), existing
    )


def log_oid(feature: Feature) -> str | None:
    """Return the git blob id of a feature's log, None outside git."""
    if feature.repository is None:
        return None
    object_format = feature.repository.object_format
    try:
        return file_oid(feature.log, object_format)
    except FileNotFoundError:
        return blob_oid(b"", object_format)


def _read(feature: Feature) -> bytes | None:
    try:
        return feature.snapshot.read_bytes()
    except FileNotFoundError:
        return None


def _their_keys(feature: Feature, config: Config, existing: bytes | None) -> dict[str, Any] | None:
    """Return the content of a snapshot that spec-kitty 3 keeps, None where the snapshot is ours alone."""
    if config.snapshot == SNAPSHOT_OWN:
        return None
    try:
        content = parse(existing) if existing else None
    except ValueError:
        # A snapshot is derived: what cannot be read is written anew.
        content = None
    if config.snapshot == SNAPSHOT_SPEC_KITTY and not written_by_spec_kitty(content):
        return {_IDENTITY: feature.slug}
    return content
