"""The status of work, kept in git beside the work.

The public names of the library. They are loaded when they are asked for, because git's hook and
merge driver processes import this package too and have no time for what the names depend on.
"""

from __future__ import annotations

from kitty_status.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kitty_status.errors import KittyStatusError, StoreError
    from kitty_status.status.events import (
        DoneEvidence,
        Lane,
        RepoEvidence,
        ReviewApproval,
        StatusEvent,
        VerificationResult,
    )
    from kitty_status.status.layout import EVENTS_FILENAME, SNAPSHOT_FILENAME
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.default_store import open_store
    from kitty_status.tracker.store import (
        append_event,
        lane_profile,
        materialize,
        new_event_id,
        read_events,
        read_events_raw,
        reduce,
    )

__all__ = [
    "EVENTS_FILENAME",
    "SNAPSHOT_FILENAME",
    "DoneEvidence",
    "KittyStatusError",
    "Lane",
    "RepoEvidence",
    "ReviewApproval",
    "Snapshot",
    "StatusEvent",
    "StoreError",
    "VerificationResult",
    "__version__",
    "append_event",
    "lane_profile",
    "materialize",
    "new_event_id",
    "open_store",
    "read_events",
    "read_events_raw",
    "reduce",
]

_HOMES = {
    "kitty_status.errors": ("KittyStatusError", "StoreError"),
    "kitty_status.status.events": (
        "DoneEvidence",
        "Lane",
        "RepoEvidence",
        "ReviewApproval",
        "StatusEvent",
        "VerificationResult",
    ),
    "kitty_status.status.layout": ("EVENTS_FILENAME", "SNAPSHOT_FILENAME"),
    "kitty_status.status.snapshot": ("Snapshot",),
    "kitty_status.tracker.default_store": ("open_store",),
    "kitty_status.tracker.store": (
        "append_event",
        "lane_profile",
        "materialize",
        "new_event_id",
        "read_events",
        "read_events_raw",
        "reduce",
    ),
}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(__import__(home, fromlist=[name]), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'kitty_status' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
