"""Connections that break, servers that are not there, questions that take too long."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest

from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.opening import open_url
from kitty_status.eventstore.postgres.connections import Options, store_error
from kitty_status.eventstore.postgres.store import PostgresEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, numbers, positions, refused
from on_postgres import QUICK, Schemas, end_connections
from postgres_proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = Options(patience=0.3)


@pytest.fixture(params=["postgres", "postgres_16"])
def cut_off(request: pytest.FixtureRequest) -> Iterator[tuple[Proxy, Schemas]]:
    """Stores behind a proxy; their schemas are dropped past it."""
    dsn: str = request.getfixturevalue(request.param)
    direct = Schemas(dsn)
    with Proxy(dsn) as proxy:
        yield proxy, Schemas(proxy.dsn, direct.used)
    direct.drop()


def test_without_the_library_the_error_names_what_to_install() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from kitty_status.eventstore.errors import EventStoreError\n"
        "try:\n    import kitty_status.eventstore.postgres.store\n"
        "except EventStoreError as error:\n    print(error.code, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'STORAGE_ERROR pip install "kitty-status[postgres]"'


def test_a_server_that_is_not_there_is_a_storage_error_that_names_no_password() -> None:
    with refused(StoreCode.STORAGE_ERROR, "/nowhere"):
        PostgresEventStore("host=/nowhere dbname=a password=secret")
    with pytest.raises(EventStoreError) as refusal:
        PostgresEventStore("postgresql://ann:secret@localhost:1/events?connect_timeout=2")
    assert "secret" not in refusal.value.message
    assert refusal.value.retryable
    with refused(StoreCode.VALIDATION_FAILED, "connection string"):
        PostgresEventStore("nonsense=1")


def test_a_role_that_may_not_make_the_tables_is_refused(schemas: Schemas) -> None:
    role = schemas.name("role")
    with schemas.stranger() as stranger:
        stranger.execute(f"CREATE ROLE {role} LOGIN")
        try:
            with pytest.raises(EventStoreError, match="permission denied") as refusal:
                PostgresEventStore(psycopg.conninfo.make_conninfo(schemas.dsn, user=role), schema=schemas.name("a"))
            assert not refusal.value.retryable
        finally:
            stranger.execute(f"DROP ROLE {role}")


def test_a_question_that_takes_too_long_is_given_up(schemas: Schemas) -> None:
    with schemas.open("a", options=Options(statement_timeout=0.2)) as store, schemas.stranger() as stranger:
        store.append(event())
        with stranger.transaction():
            stranger.execute(f"LOCK TABLE {schemas.name('a')}.events IN ACCESS EXCLUSIVE MODE")
            for ask in (
                store.get_events,
                lambda: store.count_events(EventQuery(types="Counted")),
                store.get_event_types,
            ):
                with refused(StoreCode.QUERY_ERROR, "given up"):
                    ask()
        assert len(store.get_events()) == 1


def test_an_append_that_waits_for_the_head_too_long_says_so_and_stores_nothing(schemas: Schemas) -> None:
    with schemas.open("a", options=SHORT) as store, schemas.stranger() as stranger:
        store.append(event())
        with stranger.transaction():
            stranger.execute(f"SELECT FROM {schemas.name('a')}.event_head FOR UPDATE")
            with pytest.raises(EventStoreError, match="timeout") as refusal:
                store.append(event(id="one"))
            assert refusal.value.code == StoreCode.STORAGE_ERROR
            assert refusal.value.retryable
            assert not refusal.value.outcome_unknown
        assert store.append(event(id="one")).position == 2


def test_reading_goes_on_behind_the_last_event_when_the_connection_is_cut(schemas: Schemas) -> None:
    queries = [
        EventQuery(),
        EventQuery(types="Counted", limit=5500, offset=100),
        EventQuery(order_by="timestamp", direction="desc"),
        EventQuery(direction="desc"),
    ]
    with schemas.open("a") as store:
        store.append_batch([event(number, type="Else" if number % 7 == 0 else "Counted") for number in range(7000)])
        for query in queries:
            expected = store.get_events(query)
            stream = store.stream_events(query)
            seen = [next(stream) for _ in range(700)]
            assert end_connections(schemas)
            seen += stream
            assert seen == expected
        assert positions(store.get_events(EventQuery(limit=2))) == [1, 2]


def test_questions_and_appends_survive_the_end_of_every_connection(schemas: Schemas) -> None:
    with schemas.open("a") as store:
        for number in range(1, 6):
            assert store.append(event(number)).position == number
            end_connections(schemas)
            assert store.head() == number
            end_connections(schemas)
            store.create_snapshot("default", number, number)
        assert numbers(store.get_events()) == [1, 2, 3, 4, 5]
        kept = store.get_snapshot("default")
        assert kept is not None
        assert kept.state == 5


def test_an_append_that_is_cut_while_it_waits_is_stored_once(schemas: Schemas) -> None:
    with schemas.open("a") as store, schemas.stranger() as stranger:
        store.append(event())
        stored: list[int] = []
        with stranger.transaction():
            stranger.execute(f"SELECT FROM {schemas.name('a')}.event_head FOR UPDATE")
            thread = threading.Thread(target=lambda: stored.append(store.append(event(2)).position))
            thread.start()
            deadline = time.monotonic() + 30
            while not end_connections(schemas, "INSERT%"):
                assert time.monotonic() < deadline
        thread.join(30)
        assert stored == [2]
        assert numbers(store.get_events()) == [1, 2]


@pytest.mark.parametrize("size", [1, 40])
def test_an_append_whose_answer_is_lost_is_stored_once(cut_off: tuple[Proxy, Schemas], size: int) -> None:
    proxy, schemas = cut_off
    with schemas.open("a") as store:
        count = 0
        for number in range(25):
            condition = AppendCondition(EventQuery(tags={"round": str(number)}))
            batch = [event(count + each, tags={"round": str(number)}) for each in range(size)]
            # The answers of an append are one to a few; so each of them is the one that is lost.
            proxy.answers_until_cut = number % 5
            stored = store.append_batch(batch, condition=condition)
            proxy.answers_until_cut = None
            assert positions(stored) == list(range(count + 1, count + size + 1))
            count += size
        assert numbers(store.get_events()) == list(range(count))
        assert proxy.cuts > 10


def test_an_append_whose_outcome_cannot_be_found_out_says_so_and_may_be_repeated(
    cut_off: tuple[Proxy, Schemas],
) -> None:
    proxy, schemas = cut_off
    with schemas.open("a", options=SHORT) as store:
        store.append(event(1))
        for number in range(2, 6):
            proxy.answers_until_cut = 0
            proxy.refuses = True
            with pytest.raises(EventStoreError) as failure:
                store.append(event(number, id=f"e{number}"))
            assert failure.value.outcome_unknown
            assert failure.value.retryable
            proxy.refuses = False
            proxy.answers_until_cut = None
            assert store.append(event(number, id=f"e{number}")).position == number
        assert numbers(store.get_events()) == [1, 2, 3, 4, 5]


def test_a_subscriber_hears_of_events_while_its_connection_is_cut_again_and_again(
    cut_off: tuple[Proxy, Schemas], caplog: pytest.LogCaptureFixture
) -> None:
    proxy, schemas = cut_off
    caplog.set_level(logging.WARNING)
    with schemas.open("a") as store, schemas.open("a") as other, store.subscribe(after=0) as subscription:
        for number in range(1, 20):
            later = threading.Timer(0.03, other.append, [event(number)])
            later.start()
            if number % 4 == 0:
                proxy.cut_all()
            found = subscription.next_within(30)
            later.join()
            assert found is not None
            assert found.position == number
    assert "not listening" in caplog.text


def test_events_that_only_the_operating_system_needs_to_have_are_not_waited_for(schemas: Schemas) -> None:
    settings: list[object] = []
    with schemas.open("a") as kept, schemas.open("b", durability=OS) as handed:
        for store in (kept, handed):
            connection = store._writer._connection
            assert connection is not None
            settings += connection.execute("SHOW synchronous_commit").fetchall()
    assert settings == [("on",), ("off",)]


def test_damage_that_the_server_finds_is_corrupt() -> None:
    error = store_error(psycopg.errors.DataCorrupted("invalid page"), "here")
    assert error.code == StoreCode.CORRUPT


def test_connections_that_are_changed_between_transactions_are_named_as_the_cause() -> None:
    error = store_error(psycopg.errors.DuplicatePreparedStatement("already exists"), "here")
    assert error.code == StoreCode.STORAGE_ERROR
    assert not error.retryable
    assert "pool_mode = session" in error.hint


def test_a_store_that_is_closed_twice_and_used_afterwards_says_so(schemas: Schemas) -> None:
    store = schemas.open("a", options=QUICK)
    store.append(event())
    store.close()
    store.close()
    for call in (store.head, lambda: store.append(event()), store.get_events):
        with refused(StoreCode.STORAGE_ERROR, "closed"):
            call()


def test_a_url_names_a_store_and_its_options(schemas: Schemas) -> None:
    told = psycopg.conninfo.conninfo_to_dict(schemas.dsn)
    where = f"host={quote(str(told['host']), safe='')}&port={told.get('port', 5432)}"
    server = f"postgresql://{told['user']}@/{told['dbname']}?{where}"
    schema = schemas.name("by URL")
    with open_url(f"{server}&schema={schema}&durability=os&application_name=a%20b") as store:
        assert isinstance(store, PostgresEventStore)
        assert store.durability == OS
        assert store.append(event()).position == 1
    replicas = quote(f"{server} {server}", safe="")
    with open_url(f"{server}&schema={schema}&replicas={replicas}".replace("postgresql:", "postgres:", 1)) as store:
        assert positions(store.get_events()) == [1]
    with refused(StoreCode.VALIDATION_FAILED, "Other"):
        open_url(f"{server}&schema=Other")
    with pytest.raises(EventStoreError) as refusal:
        open_url("mysql://ann:secret@localhost/events?password=secret")
    assert "secret" not in f"{refusal.value.message} {refusal.value.context}"


def test_a_store_whose_head_is_gone_is_damaged(schemas: Schemas) -> None:
    with schemas.open("a") as store, schemas.stranger() as owner:
        store.append_batch(events(2))
        owner.execute(f"ALTER TABLE {schemas.name('a')}.event_head DISABLE TRIGGER ALL")
        owner.execute(f"DELETE FROM {schemas.name('a')}.event_head")  # noqa: S608  the name is the test's own
        for call in (lambda: store.append(event()), store.get_events, store.get_event_types):
            with refused(StoreCode.CORRUPT, "event_head"):
                call()


def test_an_event_may_hold_any_character_whatever_the_surroundings_speak(
    postgres: str, schemas: Schemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    dsn = psycopg.conninfo.make_conninfo(postgres, client_encoding="LATIN1")
    with PostgresEventStore(dsn, schema=schemas.name("encoded")) as store:
        stored = store.append(event(type="\u65e5\u672c", data={"\u65e5": "\U0001f600"}))
        assert store.get_events(EventQuery(types="\u65e5\u672c")) == [stored]


def test_an_option_or_a_schema_that_nobody_knows_is_refused(postgres: str) -> None:
    with refused(StoreCode.VALIDATION_FAILED, "foo"):
        open_url("postgresql://?foo=bar")
    nothing: Any = None
    with refused(StoreCode.VALIDATION_FAILED, "schema"):
        PostgresEventStore(postgres, schema=nothing)
