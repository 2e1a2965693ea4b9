"""Folding events in batches, and a snapshot with everything that it knows, to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.status.folding import Fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.status.record import StatusRecord
    from kitty_status.status.snapshot import Snapshot


def fold(events: Sequence[StatusRecord], *, remember_ids: bool = True, batch: int = 3) -> Snapshot:
    """Return the snapshot that folding gives, so many events at a time.

    Raises:
        CannotFoldError: as `Fold.add`.
    """
    folding = Fold(remember_ids=remember_ids)
    for start in range(0, len(events), batch):
        folding.add(events[start : start + batch])
    return folding.snapshot(None, lambda _tangled: events)


def whole(snapshot: Snapshot) -> tuple[object, ...]:
    """Return everything that a snapshot knows."""
    return (
        snapshot.to_dict(),
        snapshot.heads,
        snapshot.newest_instant,
        snapshot.profile.name,
        list(snapshot.work_packages),
    )
