"""The way to PostgreSQL, which comes with an extra of this package: whoever does not use it need not install it."""

from __future__ import annotations

from kitty_status.eventstore.errors import EventStoreError, StoreCode

try:
    import psycopg
    import psycopg_pool
except ImportError as error:
    raise EventStoreError(
        StoreCode.STORAGE_ERROR,
        f"events in PostgreSQL need a library that is not installed: {error}",
        hint='pip install "kitty-status[postgres]"',
    ) from error

__all__ = ["psycopg", "psycopg_pool"]
