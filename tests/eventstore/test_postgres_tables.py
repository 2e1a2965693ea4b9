"""The tables of the event store in PostgreSQL: what the database itself sees to, whoever writes."""

# ruff: noqa: S608  every name is the test's own

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import psycopg
import pytest

from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.postgres import tables
from kitty_status.eventstore.postgres.schema import partition_of
from kitty_status.eventstore.postgres.store import PostgresEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, numbers, positions, refused

if TYPE_CHECKING:
    from on_postgres import Schemas

INSERT = """
INSERT INTO {table} (position, month, version, at, id, type, stream, data, tags, metadata)
SELECT position, month::date, 1, now(), 'stranger ' || position, 'Strange', 'stream ' || position,
    '{{}}', '{{}}', '{{}}'
FROM unnest(%s::bigint[], %s::text[]) AS given (position, month)
"""


def write_in(month: str, schemas: Schemas, name: str) -> None:
    """Let the clock of the database stand in a month, as far as the store in a schema asks it."""
    with schemas.stranger() as connection:
        connection.execute(
            f"CREATE OR REPLACE FUNCTION {name}.month_to_write_to() RETURNS date LANGUAGE sql STABLE "
            f"AS $$ SELECT greatest(month, date '{month}-01') FROM {name}.event_head $$"
        )


@pytest.mark.parametrize("table", ["events", "event_ids", "event_streams", "event_months", "this month"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {column} = {column}", "DELETE FROM {}", "TRUNCATE {}"])
def test_nobody_changes_or_removes_what_is_stored(schemas: Schemas, table: str, statement: str) -> None:
    with schemas.open("a") as store, schemas.stranger() as stranger:
        stored = store.append_batch(events(3))
        partition = stranger.execute(f"SELECT max(month) FROM {schemas.name('a')}.events").fetchone()
        assert partition is not None
        name = partition_of(partition[0]) if table == "this month" else table
        column = {"event_ids": "position", "event_streams": "version"}.get(table, "month")
        with pytest.raises(psycopg.DatabaseError, match="never changed") as refusal:
            stranger.execute(statement.format(f"{schemas.name('a')}.{name}", column=column))
        assert refusal.value.sqlstate == tables.NEVER_CHANGED
        assert store.get_events() == stored


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {}.event_head SET head = 7",
        "UPDATE {}.event_head SET head = 2",
        "UPDATE {}.event_head SET month = '2000-01-01'",
        "DELETE FROM {}.event_head",
        "TRUNCATE {}.event_head",
        "INSERT INTO {}.event_ids VALUES ('x', 4)",
        "INSERT INTO {}.event_streams VALUES ('x', 4)",
    ],
)
def test_nobody_moves_the_head_or_reserves_an_id_without_an_event(schemas: Schemas, statement: str) -> None:
    with schemas.open("a") as store, schemas.stranger() as stranger:
        store.append_batch(events(3))
        with pytest.raises(psycopg.DatabaseError, match="never changed"):
            stranger.execute(statement.format(schemas.name("a")))
        assert store.append(event()).position == 4


@pytest.mark.parametrize("given", [[5], [3], [4, 6], [4, 4, 6], [6, 5, 7], [1]])
def test_positions_of_a_stranger_that_do_not_follow_on_the_head_are_refused(schemas: Schemas, given: list[int]) -> None:
    with schemas.open("a") as store, schemas.stranger() as stranger:
        store.append_batch(events(3))
        month = f"{date.today():%Y-%m-01}"  # noqa: DTZ011  a test may run at midnight of a month, and then fails once
        for table in ("events", partition_of(date.fromisoformat(month))):
            with pytest.raises(psycopg.DatabaseError):
                stranger.execute(INSERT.format(table=f"{schemas.name('a')}.{table}"), (given, [month] * len(given)))
        assert store.append(event()).position == 4


def test_events_of_two_months_in_one_statement_are_refused(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.open("a") as store, schemas.stranger() as stranger:
        for month in ("2020-01", "2020-02"):
            write_in(month, schemas, name)
            store.append(event())
        for months in (["2020-02-01", "2020-01-01"], ["2020-01-01", "2020-01-01"], ["2020-01-01", "2020-02-01"]):
            with pytest.raises(psycopg.DatabaseError) as refusal:
                stranger.execute(INSERT.format(table=f"{name}.events"), ([3, 4], months))
            assert refusal.value.sqlstate == tables.NOT_AT_THE_HEAD


def test_a_strangers_event_that_follows_on_the_head_is_an_event_as_any_other(schemas: Schemas) -> None:
    with schemas.open("a") as store, schemas.stranger() as stranger, store.subscribe(after=0) as subscription:
        store.append_batch(events(3))
        month = stranger.execute(f"SELECT month::text FROM {schemas.name('a')}.event_head").fetchone()
        assert month is not None
        stranger.execute(INSERT.format(table=f"{schemas.name('a')}.events"), ([4, 5], [month[0]] * 2))
        assert positions(filter(None, (subscription.next_within(30) for _ in range(5)))) == [1, 2, 3, 4, 5]
        assert store.append(event()).position == 6
        found = store.get_event("stranger 4")
        assert found is not None
        assert found.type == "Strange"


def test_an_id_and_a_version_are_taken_once_in_all_months(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.open("a") as store, schemas.stranger() as stranger:
        write_in("2020-01", schemas, name)
        first = store.append(event(id="stranger 2"))
        second = store.append(event(stream="strange", id="x"))
        write_in("2020-02", schemas, name)
        third = store.append(event(2, stream="strange"))
        assert store.append(event(id="stranger 2")) == first
        with refused(StoreCode.DUPLICATE_EVENT, "stranger 2", "position 1"):
            store.append(event(9, id="stranger 2"))
        assert (second.version, third.version) == (1, 2)
        for table in (f"{name}.events", f"{name}.events_2020_02"):
            with pytest.raises(psycopg.errors.UniqueViolation):
                stranger.execute(
                    INSERT.format(table=table).replace("'stranger ' || position", "'stranger 2'"), ([4], ["2020-02-01"])
                )
            for version in (1, 2, 4):
                statement = INSERT.replace("'stream ' || position", "'strange'").replace(
                    "::date, 1", f"::date, {version}"
                )
                with pytest.raises(psycopg.errors.UniqueViolation):
                    stranger.execute(statement.format(table=table), ([4], ["2020-02-01"]))
            with pytest.raises(psycopg.errors.UniqueViolation):
                stranger.execute(
                    INSERT.replace("'stream ' || position", "'both'").format(table=table), ([4, 5], ["2020-02-01"] * 2)
                )
        assert store.head() == 3


def test_every_month_has_a_partition_and_a_reader_asks_only_those_that_it_needs(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.open("a") as store:
        for month in range(1, 13):
            write_in(f"2020-{month:02}", schemas, name)
            store.append_batch(events(5))
        assert positions(store.get_events()) == list(range(1, 61))
        assert positions(store.get_events(EventQuery(direction="desc", limit=3))) == [60, 59, 58]
        assert len(store.get_events(EventQuery(types="Counted", order_by="timestamp"))) == 60
        plan = store.explain(EventQuery(after=17, before=24))
        assert [month for month in range(1, 13) if f"events_2020_{month:02}" in plan] == [4, 5]
        assert "Index" in store.explain(EventQuery(after=17, before=24))
        assert positions(store.get_events(EventQuery(after=17, before=24))) == list(range(18, 24))
        assert [month for month in range(1, 13) if f"_2020_{month:02}" in store.explain(EventQuery(after=55))] == [12]
        # A reader who knows the months of yesterday still finds today's events.
        with schemas.open("a") as other:
            other.head()
            write_in("2021-01", schemas, name)
            new = store.append_batch(events(3))
            assert other.get_events(EventQuery(after=58)) == [*store.get_events(EventQuery(after=58, before=61)), *new]
            assert other.get_events(EventQuery(after=60, before=63)) == new[:2]


def test_a_clock_that_goes_back_opens_no_older_month(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.open("a") as store, schemas.stranger() as stranger:
        for month in ("2020-03", "2020-02", "2020-03"):
            write_in(month, schemas, name)
            store.append(event())
        assert stranger.execute(f"SELECT month, after_position FROM {name}.event_months").fetchall() == [
            (date(2020, 3, 1), 0)
        ]


def test_the_views_answer_what_a_person_asks_first(schemas: Schemas) -> None:
    with schemas.open("a") as store, schemas.stranger() as stranger:
        store.append_batch([*events(3, tags={"a": ["b", "c"], "d": "e"}), event(stream="other", type="Else")])
        name = schemas.name("a")
        assert stranger.execute(f"SELECT stream, events, newest_version FROM {name}.streams ORDER BY 1").fetchall() == [
            ("default", 3, 3),
            ("other", 1, 1),
        ]
        assert stranger.execute(f"SELECT type, events FROM {name}.event_types ORDER BY 1").fetchall() == [
            ("Counted", 3),
            ("Else", 1),
        ]
        assert stranger.execute(f"SELECT * FROM {name}.tag_values ORDER BY 1, 2").fetchall() == [
            ("a", "b", 3),
            ("a", "c", 3),
            ("d", "e", 3),
        ]
        assert stranger.execute(f"SELECT day::text, events FROM {name}.days").fetchall() == [("2026-01-10", 4)]
        assert stranger.execute(f"SELECT number, name FROM {name}.event_migrations").fetchall() == [
            (1, "events"),
            (2, "archive"),
        ]


def test_another_programs_schema_is_left_alone(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.stranger() as stranger:
        stranger.execute(f"CREATE SCHEMA {name}; CREATE TABLE {name}.mine (a int)")
        with refused(StoreCode.STORAGE_ERROR, name, "another program", "mine"):
            schemas.open("a")
        assert stranger.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (name,)).fetchall() == [
            ("mine",)
        ]


def test_a_schema_of_a_newer_version_is_refused(schemas: Schemas) -> None:
    schemas.open("a").close()
    with schemas.stranger() as stranger:
        stranger.execute(f"INSERT INTO {schemas.name('a')}.event_migrations VALUES (99, 'from the future')")
    with refused(StoreCode.STORAGE_ERROR, "version 99", "knows 2"):
        schemas.open("a")


def test_migrations_are_applied_once_however_many_stores_are_opened_at_the_same_time(
    schemas: Schemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(_: int) -> int:
        with schemas.open("a") as store:
            return store.append(event()).position

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(opened, range(6))) == list(range(1, 7))
        more = (*tables.MIGRATIONS, ("one more", "CREATE TABLE {s}.one_more (a int)"))
        monkeypatch.setattr(tables, "MIGRATIONS", more)
        assert sorted(pool.map(opened, range(6))) == list(range(7, 13))
    with schemas.stranger() as stranger:
        applied = stranger.execute(f"SELECT number, name FROM {schemas.name('a')}.event_migrations ORDER BY 1")
        assert applied.fetchall() == [(1, "events"), (2, "archive"), (3, "one more")]


def test_a_migration_that_fails_leaves_the_tables_as_they_were(
    schemas: Schemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    with schemas.open("a") as store:
        stored = store.append_batch(events(2))
    with monkeypatch.context() as patch:
        patch.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, ("bad", "CREATE TABLE {s}.b (a int); SELECT 1 / 0")))
        with refused(StoreCode.STORAGE_ERROR, "division by zero"):
            schemas.open("a")
    with schemas.open("a") as store:
        assert store.get_events() == stored


@pytest.mark.parametrize("name", ["", "Big", "a b", 'a"; DROP TABLE events; --', "1a", "ä", "a" * 41, "a.b"])
def test_a_schema_whose_name_would_need_quotes_is_refused(postgres: str, name: str) -> None:
    with refused(StoreCode.VALIDATION_FAILED, "schema"):
        PostgresEventStore(postgres, schema=name)


def test_words_of_a_query_are_never_part_of_a_statement(schemas: Schemas) -> None:
    bad = "'; DROP TABLE events; --"
    with schemas.open("a") as store:
        stored = store.append(event(type=bad, stream=f"%s {bad}", tags={bad: bad, '"\\': ["{}", "%(a)s"]}, id=bad))
        for query in (
            EventQuery(types=bad),
            EventQuery(streams=f"%s {bad}"),
            EventQuery(ids=[bad, "%s"]),
            EventQuery(tags={bad: bad, '"\\': ["{}", "%(a)s"]}),
            EventQuery(types=bad, order_by="type"),
        ):
            assert store.get_events(query) == [stored]
            assert store.explain(query)
        assert numbers(store.get_events(EventQuery(types="%s"))) == []
        assert store.get_tags() == {'"\\': ["%(a)s", "{}"], bad: [bad]}


def test_a_tag_is_found_through_the_index_and_so_is_an_id(schemas: Schemas) -> None:
    with schemas.open("a") as store, schemas.stranger() as stranger:
        store.append_batch([event(number, tags={"any key": str(number)}) for number in range(5000)])
        stranger.execute(f"ANALYZE {schemas.name('a')}.events")
        assert "tags" in store.explain(EventQuery(tags={"any key": "77"}))
        assert "Bitmap Index Scan" in store.explain(EventQuery(tags={"any key": "77"}))
        for query in (EventQuery(ids=["a", "b"]), EventQuery(ids="a", any_of=(EventQuery(tags={"any key": "5"}),))):
            plan = store.explain(query)
            assert "event_ids_pkey" in plan
            assert "Seq Scan on events" not in plan
        assert numbers(store.get_events(EventQuery(tags={"any key": "77"}))) == [77]
