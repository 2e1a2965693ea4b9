"""What keeps a SQLite file from being forged, split, replaced under a store's feet, or from being read at all."""

# ruff: noqa: S608  the statements are ours

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite import connections, schema, unwritable
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.base import SECONDS, event, events, positions, refused
from kitty_status.testing.event_store.forking import child_says

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = 65534
INSERT = "INTO events VALUES (?, ?, 'T', ?, ?, '2026-01-01T00:00:00.000000+00:00', ?, ?, '{}')"


def insert(path: Path, *row: object, way: str = "INSERT") -> None:
    """Insert an event (position, id, stream, version, data, tags) as a stranger does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute(f"{way} {INSERT}", row)


@pytest.mark.parametrize("way", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
@pytest.mark.parametrize(
    "row",
    [
        (1, "a", "s", 1),
        (2, "b", "s", 2),
        (4, "a", "s", 3),
        (4, "new", "s", 1),
        (4, "new", "s", 2),
        (4, "new", "s", 4),
        (4, "new", "new", 2),
        (99, "new", "s", 3),
        (0, "new", "s", 3),
        (-1, "new", "s", 3),
        (None, "new", "s", 3),
    ],
)
def test_a_stranger_can_put_nothing_in_the_place_of_an_event(tmp_path: Path, row: tuple[object, ...], way: str) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        stored = store.append_batch([event(id="a", stream="s"), event(id="b", stream="s"), event(id="c", stream="o")])
        with pytest.raises(sqlite3.IntegrityError, match="position"):
            insert(path, *row, '"forged"', "{}", way=way)
        assert store.get_events() == stored
        assert store.append(event(stream="s")).position == 4


def test_a_stranger_can_append_what_comes_next(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append(event(stream="s"))
        insert(path, 2, "b", "s", 2, '{"a":1}', '{"k":["v","w"],"l":"x"}')
        with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
            for tag in (("k", "v"), ("k", "w"), ("l", "x")):
                stranger.execute("INSERT INTO event_tags VALUES (?, ?, 2)", tag)
        assert store.append(event(stream="s")).version == 3
        assert positions(store.get_events(EventQuery(tags={"k": ["v", "w"], "l": "x"}))) == [2]


@pytest.mark.parametrize("tag", [("k", "w", 1), ("l", "v", 1), ("k", "v", 2), ("k", "[]", 1), ("$.k", "v", 1)])
def test_a_stranger_can_give_no_event_a_tag_that_it_does_not_have(tmp_path: Path, tag: tuple[str, str, int]) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append(event(tags={"k": "v"}))
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        for way in ("INSERT", "REPLACE"):
            with pytest.raises(sqlite3.IntegrityError, match="no such tag"):
                stranger.execute(f"{way} INTO event_tags VALUES (?, ?, ?)", tag)


def test_an_event_that_is_archived_cannot_be_inserted_again(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append_batch([event(number, id=f"e{number}", stream="s") for number in range(1, 11)])
        assert store.compact_events("2027-01-01T00:00:00Z") == 9
        for row in ((11, "e1", "s", 11), (11, "new", "s", 5), (3, "new", "s", 3), (11, "new", "s", 10)):
            for way in ("INSERT", "REPLACE"):
                with pytest.raises(sqlite3.IntegrityError, match="position"):
                    insert(path, *row, "{}", "{}", way=way)
        assert store.append(event(stream="s")).version == 11
        assert store.restore_events("1-9") == 9
        assert [each.version for each in store.get_events("s")] == list(range(1, 12))


def test_a_file_of_version_2_gets_the_triggers(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append_batch(events(3))
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executescript(
            "DROP TRIGGER events_come_next; DROP TRIGGER event_tags_are_those_of_their_events; PRAGMA user_version = 2"
        )
    with SqliteEventStore(path) as store:
        assert store.append(event()).position == 4
    with pytest.raises(sqlite3.IntegrityError):
        insert(path, 1, "x", "s", 1, "{}", "{}", way="REPLACE")


def test_a_program_that_changes_its_folder_goes_on_with_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    with SqliteEventStore("events.db") as store:
        store.append(event())
        monkeypatch.chdir(tmp_path / "other")
        reading = store.stream_events(EventQuery(order_by="type"))
        assert next(reading).position == 1
        assert len(store.get_events()) == 1  # by another connection
        assert store.append(event()).position == 2
        assert store.path == tmp_path / "one" / "events.db"
    assert list((tmp_path / "other").iterdir()) == []


def test_reading_makes_no_file_in_the_place_of_one_that_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append_batch(events(3))
        path.unlink()
        with refused(StoreCode.STORAGE_ERROR, "removed"):
            store.get_events()
        assert not path.exists()
        with SqliteEventStore(path) as other:
            other.append(event())
            with refused(StoreCode.STORAGE_ERROR, "replaced"):
                store.get_events()


def test_a_place_in_memory_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EventStoreError) as caught:
        SqliteEventStore(":memory:")
    assert caught.value.code == StoreCode.VALIDATION_FAILED
    assert "memory:" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_refused_for_what_it_is() -> None:
    with pytest.raises(EventStoreError) as caught:
        SqliteEventStore("/dev/null")
    assert caught.value.code == StoreCode.STORAGE_ERROR
    assert "rollback" not in caught.value.message


_HOLDER = """
import sqlite3, sys
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def test_asking_again_for_the_right_to_write_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_PATIENCE", 0.2)
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        counted: list[int] = []
        store._connections._retried = lambda: counted.append(1)
        argv = [sys.executable, "-c", _HOLDER, str(path)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with refused(StoreCode.STORAGE_ERROR, "locked"):
                store.append(event())
            holder.communicate("go\n")
        assert len(counted) == connections._ATTEMPTS - 1
        assert store.append(event()).position == 1


def without_rights(work: Callable[[], str]) -> str:
    """Return what a function says in a process that may write nothing that is not everybody's."""

    def attempt() -> str:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return work()

    return child_says(attempt)


def refusal(work: Callable[[], object]) -> str:
    try:
        return repr(work())
    except EventStoreError as error:
        return f"{error.code} {error.retryable}"


@pytest.mark.parametrize("is_open_elsewhere", [False, True])
def test_a_file_in_a_folder_that_may_not_be_written_is_read(is_open_elsewhere: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events ?%41.db"
        writing = SqliteEventStore(path)
        writing.append_batch(events(12, stream="s", tags={"a": "b"}))
        writing.create_snapshot("s", 3, {"sum": 6})
        writing.compact_events("2026-01-10T09:05:00Z")
        if not is_open_elsewhere:
            writing.close()
        for each in Path(folder).iterdir():
            each.chmod(0o444)
        Path(folder).chmod(0o555)
        before = sorted(Path(folder).iterdir())

        def read() -> str:
            with SqliteEventStore(path) as store:
                found = [
                    len(store.get_events()),
                    len(store.get_events(EventQuery(tags={"a": "b"}, order_by="timestamp", direction="desc"))),
                    store.count_events(),
                    store.head(),
                    len(store.archives()),
                    getattr(store.get_snapshot("s"), "state", None),
                    next(store.subscribe(after=0)).position,
                ]
                refusals = [
                    refusal(lambda: store.append(event())),
                    refusal(lambda: store.create_snapshot("s", 1, {})),
                    refusal(lambda: store.compact_events("2027-01-01T00:00:00Z")),
                ]
            return f"{found} {set(refusals)}"

        said = without_rights(read)
        assert sorted(Path(folder).iterdir()) == before
        Path(folder).chmod(0o755)
        for each in Path(folder).iterdir():
            each.chmod(0o644)
        writing.close()
    assert said == "[12, 12, 12, 12, 1, {'sum': 6}, 1] {'STORAGE_ERROR False'}"


def test_what_may_only_be_read_must_be_a_store_of_a_version_that_is_known() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.db"
        SqliteEventStore(path).close()
        said = []
        for version in (2, 1, schema.VERSION + 1):
            with closing(sqlite3.connect(path, isolation_level=None)) as old:
                old.execute(f"PRAGMA user_version = {version}")
            path.chmod(0o444)
            Path(folder).chmod(0o555)
            said.append(without_rights(lambda: refusal(lambda: SqliteEventStore(path).head())))
            Path(folder).chmod(0o755)
            path.chmod(0o644)
    assert said == ["0", "STORAGE_ERROR False", "STORAGE_ERROR False"]


def test_a_file_that_is_written_while_it_is_taken_for_unchanging_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append(event())
    with refused(StoreCode.STORAGE_ERROR, "while it was read"), unwritable.reading(path, 1.0) as reader:
        assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)
        with SqliteEventStore(path) as other:
            other.append(event())
    with unwritable.reading(path, 1.0) as reader:
        assert reader.execute("SELECT count(*) FROM events").fetchone() == (2,)


GOOD = ("'2026-01-01T00:00:00.000000+00:00'", "'{}'", "'{}'", "'{}'")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, "'x'"),
        (0, "'2026-01-01T00:00:00.000000'"),
        (0, "'2026-01-01T00:00:00Z'"),
        (1, "'{bad'"),
        (1, "'1,2'"),
        (1, "''"),
        (1, "x'00'"),
        (2, "'[1]'"),
        (2, "'{\"a\":1}'"),
        (3, "'null'"),
    ],
)
def test_a_row_that_cannot_be_read_is_damage_with_its_position(tmp_path: Path, column: int, value: str) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append_batch(events(3))
        with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
            stranger.execute("DROP TRIGGER events_come_next")
            values = [*GOOD[:column], value, *GOOD[column + 1 :]]
            stranger.execute(f"INSERT INTO events VALUES (4, 'b', 'T', 'x', 1, {', '.join(values)})")
        with refused(StoreCode.CORRUPT, "event 4"):
            store.get_events()
        assert positions(store.get_events(EventQuery(before=4))) == [1, 2, 3]


def test_a_state_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append(event(stream="s"))
        store.create_snapshot("s", 1, {})
        with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
            stranger.execute("UPDATE state_snapshots SET state = '{bad'")
        with refused(StoreCode.CORRUPT, "version 1"):
            store.get_snapshot("s")


def test_a_file_that_was_set_back_under_open_stores_is_refused_and_nothing_of_what_is_gone_is_heard(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as writing, SqliteEventStore(path) as listening:
        with listening.subscribe(after=0) as subscription:
            writing.append_batch(events(3))
            assert [subscription.next_within(SECONDS) for _ in range(3)] == listening.get_events()
            with closing(sqlite3.connect(path)) as stranger, closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
                stranger.backup(copy)
                writing.append_batch(events(3))
                assert subscription.next_within(SECONDS) is not None
                copy.backup(stranger)
        for store in (writing, listening):
            with refused(StoreCode.STORAGE_ERROR, "ends at position 3"):
                store.head()
            with store.subscribe(after=3) as late, refused(StoreCode.STORAGE_ERROR, "set back"):
                late.next_within(SECONDS)
        with refused(StoreCode.STORAGE_ERROR, "set back"):
            writing.append(event())
    with SqliteEventStore(path) as again:
        assert again.append(event()).position == 4


def test_an_event_has_as_many_tags_as_it_likes(tmp_path: Path) -> None:
    many = {"file": [f"name{number}" for number in range(3000)]}
    with SqliteEventStore(tmp_path / "events.db") as store:
        stored = store.append(event(tags=many))
        assert store.get_events(EventQuery(tags={"file": "name2999"})) == [stored]
    with closing(sqlite3.connect(tmp_path / "events.db")) as stranger, pytest.raises(sqlite3.IntegrityError):
        stranger.execute("INSERT INTO event_tags (key, value, position) VALUES ('file', 'name3000', 2)")
