"""The way to PostgreSQL, which comes with an extra of this package: whoever does not use it need not install it."""

from __future__ import annotations

from kitty_status.eventstore.errors import EventStoreError, StoreCode

try:
    import psycopg
    import psycopg_pool
    from psycopg.types.numeric import Int8
except ImportError as error:
    raise EventStoreError(
        StoreCode.STORAGE_ERROR,
        f"events in PostgreSQL need a library that is not installed: {error}",
        hint='pip install "kitty-status[postgres]"',
    ) from error

__all__ = ["Int8", "psycopg", "psycopg_pool"]
