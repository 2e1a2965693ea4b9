"""How a database comes to have the tables, and what they are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.postgres import tables

if TYPE_CHECKING:
    from datetime import date

    from kitty_status.eventstore.postgres.driver import psycopg

DEFAULT_SCHEMA = "kitty_status"

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('kitty-status migrations of {s}', 0))"
_APPLIED = """
CREATE TABLE IF NOT EXISTS {s}.event_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def checked_schema(name: str) -> str:
    """Return the name of a schema, which goes into statements as it is.

    Raises:
        EventStoreError: VALIDATION_FAILED: it holds other characters than those that need no quotes.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise EventStoreError(
        StoreCode.VALIDATION_FAILED,
        f"{name!a} cannot be the schema of an event store",
        hint="write up to 40 small letters, digits and underscores, and begin with a letter",
        schema=name,
    )


def prepare(connection: psycopg.Connection, schema: str) -> None:
    """Give a database the tables of this version, one process at a time.

    Raises:
        EventStoreError: STORAGE_ERROR: the schema is another program's, or of a newer version.
        psycopg.Error: PostgreSQL refused.
    """
    if _version(connection, schema) == len(tables.MIGRATIONS):
        return
    with connection.transaction():
        connection.execute(_LOCK.format(s=schema))
        version = _version(connection, schema)
        if version > len(tables.MIGRATIONS):
            raise EventStoreError(
                StoreCode.STORAGE_ERROR,
                f"schema {schema} has version {version}, and this kitty-status knows {len(tables.MIGRATIONS)}",
                hint="upgrade kitty-status",
                schema=schema,
            )
        if not version:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            connection.execute(_APPLIED.format(s=schema))
        for number, (name, script) in enumerate(tables.MIGRATIONS[version:], version + 1):
            connection.execute(script.replace("{s}", schema))
            connection.execute(
                f"INSERT INTO {schema}.event_migrations (number, name) VALUES (%s, %s)",  # noqa: S608
                (number, name),
            )


def partition_of(month: date) -> str:
    """Return the name of the table that holds the events that were stored in a month."""
    return f"events_{month:%Y_%m}"


def _version(connection: psycopg.Connection, schema: str) -> int:
    """Return the number of the newest migration that was applied, 0 where there is none.

    Raises:
        EventStoreError: STORAGE_ERROR: the schema is another program's.
    """
    # Not `to_regclass`: it may answer from before the lock was had, out of a cache.
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,)).fetchall()
    names = [name for (name,) in found]
    if "event_migrations" in names:
        row = connection.execute(
            f"SELECT coalesce(max(number), 0) FROM {schema}.event_migrations"  # noqa: S608
        ).fetchone()
        return int(row[0]) if row else 0
    if names:
        raise EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"schema {schema} holds another program's tables ({names[0]})",
            hint="name another schema",
            schema=schema,
        )
    return 0
