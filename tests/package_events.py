"""Events of the package `spec-kitty-events`."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from spec_kitty_events.models import Event
from ulid import ULID

PROJECT = uuid.UUID("12345678-1234-5678-1234-567812345678")
MOMENT = datetime(2026, 2, 15, 20, 4, 50, 279505, tzinfo=UTC)


def make_event(**fields: Any) -> Event:
    said: dict[str, Any] = {
        "event_id": str(ULID()),
        "event_type": "WPStatusChanged",
        "aggregate_id": "WP01",
        "payload": {"to": "claimed"},
        "timestamp": MOMENT,
        "build_id": "main",
        "node_id": "node-a",
        "lamport_clock": 1,
        "project_uuid": PROJECT,
        "correlation_id": str(ULID()),
    }
    return Event(**(said | fields))
