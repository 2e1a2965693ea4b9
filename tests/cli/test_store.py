"""The commands for event stores, with the real program: what is in a store, its archive, and whether it is whole."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from commandline import Answer, ask, kitty, tree
from gitrepo import GitRepo
from jsonl_stores import NOON, Clock
from kitty_status.eventstore import JsonlEventStore, SqliteEventStore, chunks, zstd
from kitty_status.testing.event_store.archiving import LATER, days
from kitty_status.testing.event_store.base import event
from kitty_status.tracker.default_store import default_path

BEFORE = LATER.isoformat()
STORE = ("--store", "sqlite:events.db")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a store of sixty events; chunks have ten."""
    monkeypatch.setattr(chunks, "MOST_EVENTS", 10)
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append_batch(days(60))
    return tmp_path


def store(folder: Path, verb: str, *args: str) -> Answer:
    """Run a command of the group in this process, for the store of most tests."""
    return ask(folder, "store", verb, *args, *STORE)


def test_the_whole_way_there_and_back_with_the_program_itself(place: Path) -> None:
    before = kitty(place, "store", "events", *STORE).out
    assert kitty(place, "store", "info", *STORE).out.splitlines() == [
        "sqlite:events.db",
        "60 events, 0 of them in 0 archives",
        "types: T0, T1, T2",
    ]
    dry = kitty(place, "store", "compact", "--before", BEFORE, "--dry-run", *STORE)
    assert dry.out == "would move 59 events; 0 archives now\n"
    done = kitty(place, "store", "compact", "--before", BEFORE, "--json", *STORE)
    assert (done.code, done.data["moved"], done.data["archives"]) == (0, 59, 1)
    info = kitty(place, "store", "info", "--json", *STORE).data
    assert (info["kind"], info["head"], info["archived"]) == ("sqlite", 60, 59)
    assert info["archives"][0]["name"] == "1-59"
    assert kitty(place, "store", "events", *STORE).out == before
    assert kitty(place, "store", "verify", *STORE).out == "60 events, 1 archive: 0 findings\n"
    assert kitty(place, "store", "restore", "1-59", *STORE).out == "restored 1-59: 59 events\n1 archive\n"
    assert kitty(place, "store", "events", *STORE).out == before
    assert kitty(place, "store", "verify", "--json", *STORE).data == {"events": 60, "archives": 0, "findings": []}


def test_events_come_one_on_each_line_or_in_one_document(place: Path) -> None:
    lines = store(place, "events").out.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["position"] for row in rows] == list(range(1, 61))
    assert rows[0] == {
        "position": 1,
        "id": "e0",
        "type": "T0",
        "stream": "s0",
        "version": 1,
        "ts": "2026-01-10T09:00:00Z",
        "data": {"number": 0},
        "tags": {"issueId": "0", "labels": ["all", "l0"]},
        "metadata": {},
    }
    assert store(place, "events", "--json").data["events"] == rows


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("--type", "T1", "--stream", "s2"), [11, 23, 35, 47, 59]),
        (("--type", "T1", "--type", "T2", "--limit", "3"), [2, 3, 5]),
        (("--tag", "issueId=3", "--tag", "labels=l1", "--before", "30"), [4, 14, 24]),
        (("--after", "57"), [58, 59, 60]),
        (("--since", "2026-01-10T09:00:00Z", "--until", "2026-01-13T00:00:00Z"), [1, 27, 44]),
        (("--since", "2026-01-10", "--until", "2026-01-13"), [1, 27, 44]),
        (("--order", "type", "--direction", "desc", "--limit", "2"), [60, 57]),
        (("--order", "timestamp", "--limit", "3"), [1, 44, 27]),
        (("--type", "nobody"), []),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_archived", [False, True])
def test_events_can_be_asked_for(place: Path, asked: tuple[str, ...], expected: list[int], is_archived: bool) -> None:
    if is_archived:
        assert store(place, "compact", "--before", BEFORE).code == 0
    answer = store(place, "events", *asked, "--json")
    assert [row["position"] for row in answer.data["events"]] == expected


def test_what_events_say_disturbs_no_terminal(place: Path) -> None:
    with SqliteEventStore(place / "events.db") as found:
        found.append(event(data="\x1b[31m\u202e", id="odd"))
    for flags in ((), ("--json",)):
        answer = store(place, "events", "--after", "60", *flags)
        assert answer.out.isascii()
        assert "\x1b" not in answer.out
        assert "odd" in answer.out


def test_each_archive_is_listed_and_restored_by_its_name_or_with_all_others(place: Path) -> None:
    store(place, "compact", "--before", BEFORE)
    lines = store(place, "info").out.splitlines()
    assert lines[1] == "60 events, 59 of them in 6 archives"
    assert [line.split(":")[0] for line in lines[3:]] == [f"archive {n}-{min(n + 9, 59)}" for n in range(1, 60, 10)]
    assert store(place, "restore", "11-20", "--json").data["restored"] == [{"name": "11-20", "events": 10}]
    before = tree(place)
    dry = store(place, "restore", "--all", "--dry-run")
    assert dry.out.splitlines()[-2:] == ["would restore 1-10: 10 events", "5 archives"]
    assert tree(place)["events.db"] == before["events.db"]
    assert len(store(place, "restore", "--all", "--json").data["restored"]) == 5
    assert store(place, "info", "--json").data["archived"] == 0


def test_what_only_reads_makes_no_store(tmp_path: Path) -> None:
    for url in ("sqlite:none.db", "jsonl:none.jsonl", "jsonl:none?layout=daily", "sqlite:folder/none.db"):
        for call in (
            ("info",),
            ("events",),
            ("verify",),
            ("compact", "--before", BEFORE),
            ("compact", "--before", BEFORE, "--dry-run"),
            ("restore", "--all"),
        ):
            answer = ask(tmp_path, "store", *call, "--store", url, "--json")
            assert answer.code == 4
            assert "none" in answer.error["message"]
    assert tree(tmp_path) == {}


def test_without_a_url_it_is_the_store_of_the_environment_or_of_the_repository(
    place: Path, repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteEventStore(default_path(repo.path)) as found:
        found.append(event())
    assert ask(repo.path, "store", "info").out.splitlines()[1].startswith("1 event,")
    monkeypatch.setenv("KITTY_STATUS_STORE", f"sqlite:{place}/events.db")
    assert ask(repo.path, "store", "info").out.splitlines()[1].startswith("60 events")


def test_files_of_lines_are_archived_by_day(tmp_path: Path) -> None:
    url = ("--store", "jsonl:log?layout=daily")
    for day, batch in ((NOON, days(3)), (NOON + timedelta(days=1), [event(id="new")])):
        with JsonlEventStore(tmp_path / "log", layout="daily", clock=Clock(day)) as found:
            found.append_batch(batch)
    expected = ask(tmp_path, "store", "events", *url).out
    before = tree(tmp_path)
    dry = ask(tmp_path, "store", "compact", "--before", BEFORE, "--dry-run", *url, "--json")
    assert (dry.data["moved"], tree(tmp_path)) == (3, before)
    assert ask(tmp_path, "store", "compact", "--before", BEFORE, *url, "--json").data["moved"] == 3
    assert ask(tmp_path, "store", "info", *url, "--json").data["archives"][0]["name"] == "2026-05-05"
    assert ask(tmp_path, "store", "events", *url).out == expected
    assert ask(tmp_path, "store", "verify", *url).out == "5 events, 1 archive: 0 findings\n"
    (packed,) = (tmp_path / "log" / "archive" / "2026-05-05").iterdir()
    content = packed.read_bytes()
    packed.write_bytes(content[:-9])
    broken = ask(tmp_path, "store", "verify", *url, "--json")
    assert (broken.code, broken.data["events"]) == (7, 2)
    assert [each["archive"] for each in broken.data["findings"]] == ["2026-05-05"]
    packed.write_bytes(content)
    assert ask(tmp_path, "store", "restore", "2026-05-05", *url).code == 0
    assert ask(tmp_path, "store", "events", *url).out == expected


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        (("compact", "--before", "yesterday"), 2, "yesterday"),
        (("compact",), 2, "--before"),
        (("restore",), 2, "--all"),
        (("restore", "1-10", "--all"), 2, "--all"),
        (("restore", "1-10"), 4, "1-10"),
        (("events", "--tag", "issueId"), 2, "issueId"),
        (("events", "--order", "size"), 2, "size"),
        (("events", "--limit", "-1"), 2, "limit"),
        (("events", "--since", "2026-01-01T09:00"), 2, "names no time zone"),
        (("compact", "--before", "2026-13-01"), 2, "is no day"),
        (("nonsense",), 2, "nonsense"),
    ],
    ids=str,
)
def test_a_call_that_makes_no_sense_says_what_to_do(place: Path, call: tuple[str, ...], code: int, said: str) -> None:
    answer = store(place, *call, "--json")
    assert answer.code == code
    assert said in answer.error["message"]
    assert answer.error["hint"]
    plain = store(place, *call)
    assert (plain.code, plain.out) == (code, "")
    assert plain.err.startswith("error: ")


@pytest.mark.parametrize(
    ("url", "code"), [("nonsense:", 2), ("sqlite:folder", 2), ("sqlite:text", 7), ("jsonl:text", 7)]
)
def test_what_is_no_store_is_said_to_be_none(tmp_path: Path, url: str, code: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no event at all, and no database\n" * 100)
    answer = ask(tmp_path, "store", "events", "--store", url, "--json")
    assert answer.code == code
    assert answer.error["hint"]


def test_a_login_is_not_printed(tmp_path: Path) -> None:
    answer = ask(tmp_path, "store", "info", "--store", "memory:?a=//ann:secret@host")
    assert "secret" not in answer.out + answer.err


def wreck(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path / "events.db", isolation_level=None)) as stranger:
        for (name,) in stranger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            stranger.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            stranger.execute(statement)


def test_verify_names_damaged_archives_and_reads_on_behind_them(place: Path) -> None:
    store(place, "compact", "--before", BEFORE)
    wreck(
        place,
        "UPDATE event_archives SET lines = x'00' WHERE to_position IN (20, 50)",
        "DELETE FROM archived_ids WHERE id = 'e25'",
    )
    answer = store(place, "verify", "--json")
    assert answer.code == 7
    assert [each["archive"] for each in answer.data["findings"]] == ["11-20", "21-30", "41-50"]
    assert {each["code"] for each in answer.data["findings"]} == {"damaged"}
    assert answer.data["events"] == 30
    plain = store(place, "verify")
    assert plain.out.startswith("damaged: archive 11-20: ")
    assert plain.out.endswith("30 events, 6 archives: 3 findings\n")
    broken = store(place, "events", "--json")
    assert (broken.code, broken.error["code"]) == (7, "CORRUPT")
    assert "11-20" in broken.error["message"]
    assert store(place, "events").out.count("\n") == 10


def test_verify_finds_what_is_missing(place: Path) -> None:
    wreck(place, "DELETE FROM events WHERE position IN (7, 8)")
    answer = store(place, "verify", "--json")
    assert answer.code == 1
    assert [each["code"] for each in answer.data["findings"]] == ["position-gap", "version-gap", "version-gap"]
    assert "7 to 8" in answer.data["findings"][0]["message"]


def test_verify_says_where_a_line_is_damaged(tmp_path: Path) -> None:
    with JsonlEventStore(tmp_path / "events.jsonl") as found:
        found.append_batch(days(3))
    with (tmp_path / "events.jsonl").open("r+b") as file:
        file.write(b"oops")
    answer = ask(tmp_path, "store", "verify", "--store", "jsonl:events.jsonl")
    assert answer.code == 7
    assert "events.jsonl:1: " in answer.out


def test_without_the_library_of_the_archive_it_says_what_to_install(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zstd, "_MODULES", ("no.such.module",))
    answer = store(place, "compact", "--before", BEFORE, "--json")
    assert answer.code == 2
    assert 'pip install "kitty-status[archive]"' in answer.error["hint"]
    assert store(place, "events").code == 0
