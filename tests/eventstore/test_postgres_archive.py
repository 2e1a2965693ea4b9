"""The archive of a PostgreSQL store: whole months, whoever reads, writes or fails meanwhile."""

# ruff: noqa: S608  every name is the test's own

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
import pytest

from commandline import ask, kitty
from kitty_status.eventstore import chunks, zstd
from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.postgres import tables
from kitty_status.eventstore.postgres.archived import ArchiveTable
from kitty_status.eventstore.postgres.archiving import Archiver
from kitty_status.eventstore.postgres.connections import Options
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.archiving import LATER, answers, days, fill
from kitty_status.testing.event_store.base import MOMENT, event, events, positions, refused
from on_postgres import Schemas, end_connections
from postgres_proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kitty_status.eventstore.postgres.store import PostgresEventStore

SHORT = Options(patience=0.5)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MOST_EVENTS", 4)


def filled(schemas: Schemas, count: int = 30) -> PostgresEventStore:
    """Return a store with some events, a tenth of them in each month, and the newest in one of its own."""
    store = schemas.open("a")
    fill(store, days(count), lambda: schemas.turn_the_month("a"))
    return store


def months_in(schemas: Schemas, what: str = "archived") -> int:
    with schemas.stranger() as stranger:
        row = stranger.execute(f"SELECT count(*) FROM {schemas.name('a')}.event_months WHERE {what}").fetchone()
        assert row is not None
        return int(row[0])


def test_a_month_that_is_over_goes_as_a_whole_and_its_table_with_it(schemas: Schemas) -> None:
    with filled(schemas) as store, schemas.stranger() as stranger:
        first = datetime.now(UTC).strftime("%Y-%m")
        assert store.compact_events(LATER) == 29
        archives = store.archives()
        assert [(each.first, each.last) for each in archives[:2]] == [(1, 3), (4, 6)]
        assert archives[0].name == first
        assert archives[0].events == 3
        there = stranger.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree(%s)", (f"{schemas.name('a')}.events",)
        )
        assert len(there.fetchall()) == 3  # all of them, the month of the newest event, and the one that comes next
        assert stranger.execute(f"SELECT count(*) FROM {schemas.name('a')}.events").fetchone() == (1,)
        assert store.restore_events(first) == 3
        assert stranger.execute(f"SELECT position FROM {schemas.name('a')}.events ORDER BY 1 LIMIT 1").fetchone() == (
            1,
        )
        assert "Index" in store.explain(EventQuery(types="T1", after=1, before=3))


def test_a_month_with_an_event_that_has_not_happened_before_stays_and_others_go(schemas: Schemas) -> None:
    with schemas.open("a") as store:
        for batch in (events(5), [*events(5), event(at=LATER)], events(5), events(1)):
            schemas.turn_the_month("a")
            store.append_batch(batch)
        expected = store.get_events()
        assert store.compact_events(LATER, dry_run=True) == 10
        assert store.compact_events(LATER) == 10
        assert [(each.first, each.last) for each in store.archives()] == [(1, 5), (12, 16)]
        assert store.compact_events(LATER) == 0
        for asked in (EventQuery(), EventQuery(after=3, before=14), EventQuery(after=5, limit=7, offset=2)):
            wanted = [each for each in expected if asked.matches(each)][asked.offset :][: asked.limit]
            assert store.get_events(asked) == wanted
            assert store.get_events(asked.narrowed(order_by="timestamp")) is not None
        backwards = EventQuery(direction="desc", limit=9, offset=3)
        assert store.get_events(backwards) == expected[::-1][3:12]
        assert store.compact_events(LATER + timedelta(seconds=1)) == 6
        assert store.get_events() == expected


def test_months_without_events_stay_where_they_are(schemas: Schemas) -> None:
    with schemas.open("a") as store:
        assert store.compact_events(LATER) == 0
        store.append(event())
        for _ in range(3):
            schemas.turn_the_month("a")
        assert store.compact_events(LATER) == 0
        store.append(event())
        assert store.compact_events(LATER) == 1
        assert positions(store.get_events()) == [1, 2]
        assert store.restore_events(store.archives()[0].name) == 1
        assert positions(store.get_events(EventQuery(types="Counted"))) == [1, 2]


def test_who_knows_the_months_of_before_is_told_of_every_move(schemas: Schemas) -> None:
    def told(other: PostgresEventStore) -> list[Any]:
        queries = [
            EventQuery(types="T1"),
            EventQuery(order_by="type", limit=5, offset=3),
            EventQuery(after=2, before=9),
        ]
        return [
            *([store.get_events(each), store.count_events(each)] for store in (other,) for each in queries),
            (other.get_event("e2"), other.get_event("nobody"), other.get_event_types(), other.get_tags()),
            (other.get_event_files(), other.get_events("s1", 2), other.get_events(EventQuery(streams="nobody"))),
        ]

    with filled(schemas) as store, schemas.open("a") as other, schemas.open("a") as third:
        expected = told(other)
        for _ in range(2):
            assert store.compact_events(LATER) == 29
            assert told(other) == expected
            for each in reversed(store.archives()):
                # Each kind of question has to find out by itself.
                assert store.restore_events(each.name) == each.events
                assert told(other) == expected
            assert other.compact_events(LATER) == 29
            for number in range(len(expected)):
                assert told(third)[number] == expected[number]
            for each in other.archives():
                other.restore_events(each.name)


@pytest.mark.parametrize("is_archived", [False, True])
def test_a_writer_who_goes_on_is_not_deceived_by_a_month_that_moved(schemas: Schemas, is_archived: bool) -> None:
    # It holds nothing while it looks, and the head has not moved: only the archive itself can tell it.
    old = days(30)
    with filled(schemas) as store, schemas.open("a") as writer:
        if is_archived:
            store.compact_events(LATER)
        for number in range(20):
            writer.append(event(stream="new", id=f"new {number}"))
        assert writer.append(old[2]).position == 3
        met = AppendCondition(EventQuery(types="T1", issue_ids="4"))
        moves: list[Callable[[], object]] = [
            lambda: store.compact_events(LATER),
            lambda: [store.restore_events(each.name) for each in store.archives()],
        ]
        for number, move in enumerate((moves * 2)[is_archived:]):
            move()
            with refused(StoreCode.CONFLICT, "e4"):
                writer.append(event(), condition=met)
            move()
            assert writer.append_batch([old[3], event(id=f"next {number}")])[0].position == 4
            move()
            with refused(StoreCode.DUPLICATE_EVENT, "e5", "position 6"):
                writer.append(event(99, id="e5"))
            writer.append(event(id=f"other {number}"))


def test_what_a_question_began_with_is_read_to_its_end(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitty_status.eventstore.postgres.reading._FIRST_PAGE", 5)
    monkeypatch.setattr("kitty_status.eventstore.postgres.reading._LARGEST_PAGE", 5)
    with filled(schemas, 60) as store, schemas.open("a", options=SHORT) as reader:
        expected = store.get_events()
        for query in (EventQuery(), EventQuery(direction="desc"), EventQuery(limit=50, offset=1)):
            for restores in (False, True):
                store.compact_events(LATER)
                if restores:
                    [store.restore_events(each.name) for each in store.archives()]
                found = reader.stream_events(query)
                begun = [next(found) for _ in range(7)]
                # A plain history holds no table while its pages are handed out.
                store.compact_events(LATER)
                [store.restore_events(each.name) for each in store.archives()[3:]]
                wanted = expected[::-1] if query.is_backwards else expected
                assert begun + list(found) == wanted[query.offset :][: query.limit]


def test_a_subscriber_goes_on_through_moves(schemas: Schemas) -> None:
    with filled(schemas) as store, schemas.open("a") as other, other.subscribe(after=0) as subscription:
        found = []
        for number in range(30):
            if number % 10 == 3:
                store.compact_events(LATER)
            if number % 10 == 8:
                [store.restore_events(each.name) for each in store.archives()[::2]]
            found.append(subscription.next_within(30))
        assert [each and each.position for each in found] == list(range(1, 31))


def test_whoever_reads_a_month_keeps_it_and_nobody_else_waits(schemas: Schemas) -> None:
    with filled(schemas, 3000) as store, schemas.open("a", options=SHORT) as archiver:
        slow = store.stream_events(EventQuery(types=["T0", "T1", "T2"]))
        begun = [next(slow) for _ in range(600)]
        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(archiver.compact_events, LATER)
            written = 0
            while not moving.done():
                written += len(store.append_batch(events(2)))
                assert store.count_events(EventQuery(types="T1")) == 1000
            with pytest.raises(EventStoreError) as caught:
                moving.result()
        assert (caught.value.code, caught.value.retryable) == (StoreCode.STORAGE_ERROR, True)
        assert written
        assert positions(begun + list(slow)) == list(range(1, 3001))
        archiver.compact_events(LATER)
        assert sum(each.events for each in archiver.archives()) == 2999
        assert positions(store.get_events()) == list(range(1, 3001 + written))


def test_of_two_that_archive_the_same_each_month_is_moved_by_one(schemas: Schemas) -> None:
    with filled(schemas) as store, schemas.open("a") as other, ThreadPoolExecutor(2) as pool:
        expected = answers(store)
        moving = [pool.submit(each.compact_events, LATER) for each in (store, other)]
        assert sum(each.result() for each in moving) == 29
        assert answers(store) == answers(other) == expected


def test_an_archive_that_is_cut_off_anywhere_is_harmless(postgres: str, schemas: Schemas) -> None:
    with Proxy(postgres) as proxy, filled(schemas, 10) as store:
        expected = answers(store)
        behind = Schemas(proxy.dsn, schemas.used)
        nth, cuts = 0, 0
        is_cut = True
        while is_cut:
            with behind.open("a", options=SHORT) as cut_off:
                cuts = proxy.cuts
                proxy.answers_until_cut = nth
                try:
                    cut_off.compact_events(LATER)
                except EventStoreError as error:
                    assert error.code is StoreCode.STORAGE_ERROR  # noqa: PT017  not every cut is an error
                proxy.answers_until_cut = None
                is_cut = proxy.cuts > cuts
            # Nothing of a month, or all of it.
            assert sum(each.events for each in store.archives()) == months_in(schemas)
            if nth % 10 == 0:
                assert answers(store) == expected
            store.compact_events(LATER)
            assert sum(each.events for each in store.archives()) == 9
            assert store.get_events() == expected[0][0]
            for each in store.archives():
                store.restore_events(each.name)
            nth += 7
        assert nth > 70


def test_a_return_that_is_cut_off_anywhere_is_harmless(postgres: str, schemas: Schemas) -> None:
    with Proxy(postgres) as proxy, filled(schemas, 60) as store:
        expected = answers(store)
        behind = Schemas(proxy.dsn, schemas.used)
        nth, is_cut = 0, True
        while is_cut:
            store.compact_events(LATER)
            first = store.archives()[0]
            with behind.open("a", options=SHORT) as cut_off:
                before = proxy.cuts
                proxy.answers_until_cut = nth
                try:
                    cut_off.restore_events(first.name)
                except EventStoreError as error:
                    assert error.code is StoreCode.STORAGE_ERROR  # noqa: PT017  not every cut is an error
                proxy.answers_until_cut = None
                is_cut = proxy.cuts > before
            assert months_in(schemas) in (9, 10)
            assert store.get_events() == expected[0][0]
            nth += 1
        assert nth > 5
        assert answers(store) == expected


@pytest.mark.parametrize("statement", ["INSERT INTO %event_archives%", "SELECT lines FROM %"])
def test_an_archiver_that_is_ended_leaves_everything_readable(
    schemas: Schemas, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    kept = ArchiveTable.kept
    calls = 0

    def ended(table: ArchiveTable, connection: psycopg.Connection, chunk: chunks.Chunk) -> bytes:
        nonlocal calls
        calls += 1
        found = kept(table, connection, chunk) if "SELECT" in statement else b""
        if calls == 3:
            assert end_connections(schemas, statement) == 1
        return found or kept(table, connection, chunk)

    with filled(schemas) as store:
        expected = answers(store)
        with monkeypatch.context() as patch:
            patch.setattr(ArchiveTable, "kept", ended)
            with pytest.raises(EventStoreError) as caught:
                store.compact_events(LATER)
        assert (caught.value.code, caught.value.retryable) == (StoreCode.STORAGE_ERROR, True)
        assert answers(store) == expected
        assert months_in(schemas) == 2
        assert store.compact_events(LATER) == 23
        assert answers(store) == expected


def test_what_cannot_be_read_back_is_not_moved(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled(schemas) as store:
        with monkeypatch.context() as patch:
            patch.setattr(Archiver, "_keep", "", raising=False)
            patch.setattr(ArchiveTable, "kept", lambda *_: b"something else")
            with refused(StoreCode.CORRUPT, "1-3"):
                store.compact_events(LATER)
        assert store.archives() == []
        assert positions(store.get_events()) == list(range(1, 31))


COPY = (  # a copy of the first chunk
    "INSERT INTO {{}}.event_archives SELECT from_position, {}, {}, size, sha256, codec, first_at, last_at, "
    "archived_at, types, days, words, lines FROM {{}}.event_archives ORDER BY 2 LIMIT 1"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {}.event_archives SET sha256 = ''",
        "DELETE FROM {}.event_archives",
        "TRUNCATE {}.event_archives",
        COPY.format("2", "month"),
        COPY.format("2", "'1000-01-01'"),
        "UPDATE {}.event_months SET archived = NOT archived",
        "UPDATE {}.event_months SET archived = true WHERE NOT archived",
        "UPDATE {}.event_months SET archived = false WHERE after_position = 3",
        "UPDATE {}.event_months SET after_position = 0",
        "DELETE FROM {}.event_months",
        "TRUNCATE {}.event_months",
        "UPDATE {}.event_head SET moves = 0",
        "SELECT {}.archive_month(month) FROM {}.event_months WHERE NOT archived",
    ],
)
def test_nobody_else_moves_anything_into_the_archive_or_out_of_it(schemas: Schemas, statement: str) -> None:
    with filled(schemas) as store, schemas.stranger() as stranger:
        expected = store.get_events()
        store.compact_events(LATER)
        store.restore_events(store.archives()[-1].name)
        with pytest.raises(psycopg.DatabaseError, match="never changed") as refusal:
            stranger.execute(statement.replace("{}", schemas.name("a")))
        assert refusal.value.sqlstate == tables.NEVER_CHANGED
        assert store.get_events() == expected


def wreck(schemas: Schemas, statement: str) -> None:
    name = schemas.name("a")
    with schemas.stranger() as stranger:
        for table in ("event_archives", "event_ids"):
            stranger.execute(f"ALTER TABLE {name}.{table} DISABLE TRIGGER ALL")
        assert stranger.execute(statement.replace("{}", name)).rowcount == 1


DAMAGE = {
    "other bytes": "UPDATE {}.event_archives SET lines = '\\x00112233' WHERE to_position = 10",
    "half of it": "UPDATE {}.event_archives SET lines = substr(lines, 1, length(lines) / 2) WHERE to_position = 10",
    "more than it": "UPDATE {}.event_archives SET lines = lines || lines WHERE to_position = 10",
    "another chunk": "UPDATE {}.event_archives AS one SET (lines, size, sha256) = (SELECT lines, size, sha256 "
    "FROM {}.event_archives WHERE to_position = 16) WHERE to_position = 10",
    "another codec": "UPDATE {}.event_archives SET codec = 'zip' WHERE to_position = 10",
    "nothing": "DELETE FROM {}.event_archives WHERE to_position = 10",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_chunk_is_named_with_its_month_and_others_are_read(schemas: Schemas, damage: str) -> None:
    with filled(schemas, 60) as store:
        store.compact_events(LATER)
        wreck(schemas, damage)
        month = store.archives()[1].name
    with schemas.open("a") as store:
        for ask in (
            lambda: store.check_archive(month),
            store.get_events,
            lambda: store.get_events(EventQuery(order_by="timestamp")),
            lambda: store.count_events(EventQuery(types=["T0", "T1", "T2"])),
            lambda: store.restore_events(month),
            lambda: store.append(days(60)[7]),
        ):
            with refused(StoreCode.CORRUPT, month):
                ask()
        store.check_archive(store.archives()[2].name)
        assert positions(store.stream_events(EventQuery(before=7))) == list(range(1, 7))
        assert positions(store.stream_events(EventQuery(after=12))) == list(range(13, 61))
        assert store.append(event()).position == 61


def test_an_id_that_is_lost_is_found_by_the_check(schemas: Schemas) -> None:
    with filled(schemas) as store:
        store.compact_events(LATER)
        wreck(schemas, "DELETE FROM {}.event_ids WHERE id = 'e1'")
        with refused(StoreCode.CORRUPT, "event_ids"):
            store.check_archive(store.archives()[0].name)
        store.check_archive("nobody")


def test_without_the_library_nothing_is_moved(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled(schemas) as store:
        monkeypatch.setattr(zstd, "_MODULES", ("no.such.module",))
        with pytest.raises(EventStoreError) as caught:
            store.compact_events(LATER)
        assert "kitty-status[archive]" in caught.value.hint
        assert positions(store.get_events()) == list(range(1, 31))


def test_tables_of_before_the_archive_get_what_they_lack(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.stranger() as stranger:
        stranger.execute(f"CREATE SCHEMA {name}")
        stranger.execute(f"CREATE TABLE {name}.event_migrations (number int, name text, applied_at timestamptz)")
        stranger.execute(tables.MIGRATIONS[0][1].replace("{s}", name))
        stranger.execute(f"INSERT INTO {name}.event_migrations VALUES (1, 'events')")
        for number, month in ((1, "2020-01-01"), (2, "2020-02-01")):
            stranger.execute(f"SELECT {name}.begin_month('{month}', {number - 1})")
            stranger.execute(
                f"INSERT INTO {name}.events (position, month, version, at, id, type, stream, data) "
                f"VALUES ({number}, '{month}', {number}, '2020-01-01Z', 'e{number}', 'Old', 's', '{{}}')"
            )
    with schemas.open("a") as store:
        assert store.append(event()).position == 3
        assert store.compact_events(MOMENT) == 2
        assert [each.name for each in store.archives()] == ["2020-01", "2020-02"]
        assert [each.id for each in store.get_events("s")] == ["e1", "e2"]
        assert store.restore_events("2020-01") == 1
        assert positions(store.get_events()) == [1, 2, 3]


def test_the_commands_go_the_whole_way_there_and_back(schemas: Schemas, tmp_path: Path) -> None:
    told = psycopg.conninfo.conninfo_to_dict(schemas.dsn)
    options = {name: str(value) for name, value in told.items() if name != "dbname"} | {"schema": schemas.name("a")}
    url = ("--store", f"postgresql:///{told['dbname']}?{urlencode(options)}".replace("+", "%20"))
    before = LATER.isoformat()
    filled(schemas).close()
    expected = ask(tmp_path, "store", "events", *url).out
    dry = ask(tmp_path, "store", "compact", "--before", before, "--dry-run", *url)
    assert dry.out == "would move 29 events; 0 archives now\n"
    assert kitty(tmp_path, "store", "compact", "--before", before, *url).out == "moved 29 events; 10 archives now\n"
    info = ask(tmp_path, "store", "info", "--json", *url).data
    assert (info["kind"], info["head"], info["archived"]) == ("postgresql", 30, 29)
    assert ask(tmp_path, "store", "events", *url).out == expected
    assert ask(tmp_path, "store", "verify", *url).out == "30 events, 10 archives: 0 findings\n"
    name = info["archives"][0]["name"]
    assert ask(tmp_path, "store", "restore", name, *url).out == f"restored {name}: 3 events\n1 archive\n"
    assert len(ask(tmp_path, "store", "restore", "--all", "--json", *url).data["restored"]) == 9
    assert ask(tmp_path, "store", "events", *url).out == expected
