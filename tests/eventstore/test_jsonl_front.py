"""The archive of the one file: its first lines move, and whoever has it open, or reads by offsets, goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsonl_stores import opened
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl import finding, front
from kitty_status.eventstore.jsonl.archive import Archive
from kitty_status.eventstore.jsonl.packing import ArchivedSegment, Packed, Unpacked
from kitty_status.eventstore.jsonl.split import SplitSegment
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.archiving import LATER, answers, days, fill
from kitty_status.testing.event_store.base import event, events, positions, refused
from kitty_status.testing.faulty_disk import FaultyDisk


def names(store: JsonlEventStore) -> list[str]:
    return [each.name for each in store.archives()]


def log(place: Path) -> Path:
    return place / "events.jsonl"


def test_the_file_keeps_the_rest_and_gets_its_lines_back_byte_for_byte(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, days(60))
        log(tmp_path).chmod(0o640)
        before = log(tmp_path).read_bytes()
        assert store.compact_events(LATER, dry_run=True) == 59
        assert log(tmp_path).read_bytes() == before
        assert store.compact_events(LATER) == 59
        assert log(tmp_path).read_bytes() == before.splitlines(keepends=True)[-1]
        assert log(tmp_path).stat().st_mode & 0o777 == 0o640
        store.append(event())
        assert store.compact_events(LATER) == 1
        assert names(store) == ["1-59", "60-60"]
        assert store.restore_events("1-59") == 60
        assert log(tmp_path).read_bytes()[: len(before)] == before
        assert names(store) == []
    assert [path.name for path in (tmp_path / "events.jsonl.store/archive").rglob("*") if path.is_file()] == []


def test_what_was_written_together_and_what_was_written_last_stays_together(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        store.append_batch(events(3))
        store.append_batch([event(), event(at=LATER), event()])
        store.append_batch(events(3))
        assert store.compact_events(LATER) == 3
        assert store.compact_events(LATER.replace(year=9999)) == 3
        assert names(store) == ["1-3", "4-6"]
        assert positions(store.stream_events()) == list(range(1, 10))


def test_lines_of_other_programs_stay_with_all_behind_them(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        store.append_batch(events(2))
        store.append(event())
    with log(tmp_path).open("ab") as file:
        file.write(b'{"ts": "2026-01-01T00:00:00Z", "type": "Foreign", "data": {}}\n')
    with opened(tmp_path, "single") as store:
        store.append_batch(events(2))
        expected = store.get_events()
        assert store.compact_events(LATER) == 2
        assert store.compact_events(LATER) == 0
        assert store.get_events() == expected
    with opened(tmp_path, "single") as store:
        assert store.get_events() == expected


def test_stores_that_have_the_file_open_go_on_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LAG", 5)
    monkeypatch.setattr(finding, "_DEARER", 1)
    with opened(tmp_path, "single") as writer, opened(tmp_path, "single") as other:
        fill(writer, days(60))
        assert other.append(event(id="other")).position == 61
        expected = answers(other)
        forwards, backwards = other.stream_events(), other.stream_events(EventQuery(direction="desc"))
        seen, reversed_ = [next(forwards)], [next(backwards)]
        with other.subscribe(after=0) as subscription:
            first = subscription.next_within(30)
            assert writer.compact_events(LATER) == 60
            assert other.append(event(id="more")).position == 62
            assert writer.append(event(id="last")).position == 63
            assert writer.compact_events(LATER) == 2
            assert [each.id for each in other.stream_events(EventQuery(after=60))] == ["other", "more", "last"]
            assert [first, *(subscription.next_within(30) for _ in range(62))] == other.get_events()
        seen += forwards
        reversed_ += backwards
        assert positions(seen) == list(range(1, 62))
        assert positions(reversed_) == list(range(61, 0, -1))
        assert other.append(days(60)[4]).position == 5
        narrowed = [each for each in other.get_events() if each.position < 62]
        assert narrowed == seen
        assert writer.restore_events("1-60") == 62
        assert other.append(event(id="again")).position == 64
        assert positions(other.stream_events()) == positions(writer.stream_events()) == list(range(1, 65))
        assert len(answers(writer)) == len(expected)


def test_long_files_become_several_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "MOST_BYTES", 1000)
    with opened(tmp_path, "single") as store:
        fill(store, days(60))
        expected = answers(store)
        assert store.compact_events(LATER) == 59
        assert len(names(store)) > 3
        assert answers(store) == expected
        middle = names(store)[2]
        left = [each for each in store.archives() if each.last < int(middle.partition("-")[0])]
        assert store.restore_events(middle) == 59 - left[-1].last
        assert names(store) == [each.name for each in left]
        assert answers(store) == expected
    with opened(tmp_path, "single") as store:
        assert answers(store) == expected


@pytest.mark.parametrize("operation", ["write", "fsync", "replace", "unlink", "open", "mkdir", "fsync_directory"])
@pytest.mark.parametrize("way", ["archive", "restore"])
def test_a_move_that_is_interrupted_anywhere_is_harmless(tmp_path: Path, operation: str, way: str) -> None:
    for nth in range(1, 40):
        disk = FaultyDisk()
        place = tmp_path / str(nth)
        with opened(place, "single", disk=disk) as store:
            fill(store, days(20))
            if way == "restore":
                store.compact_events(LATER)
            expected = store.get_events()
            disk.fail(operation, nth=nth, for_good=True)
            failed = False
            try:
                if way == "archive":
                    store.compact_events(LATER)
                else:
                    store.restore_events("1-19")
            except EventStoreError as error:
                failed = True
                assert error.code is StoreCode.STORAGE_ERROR  # noqa: PT017  any other one is a failure
            disk.heal()
            assert store.get_events() == expected
            assert store.append(event(id="next")).position == 21
        with opened(place, "single") as again:
            assert again.get_events()[:-1] == expected
            again.compact_events(LATER)
            assert sum(each.events for each in again.archives()) == 20
            assert again.get_events(EventQuery(direction="desc"))[1:] == expected[::-1]
            assert again.restore_events(names(again)[0]) == 20
            assert again.get_events()[:-1] == expected
        left = [path for path in (place / "events.jsonl.store/archive").rglob("*") if path.is_file()]
        assert left == [], "what an interruption has left is removed by the next attempt"
        if not failed:
            return
    raise AssertionError("it was interrupted every time")


def test_a_file_that_is_gone_is_not_taken_for_an_empty_store(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, days(60))
        store.compact_events(LATER)
    content = log(tmp_path).read_bytes()
    for wreck in (lambda: log(tmp_path).unlink(), lambda: log(tmp_path).write_bytes(b"")):
        wreck()
        with opened(tmp_path, "single") as store:
            for work in (store.get_events, store.head, lambda: store.append(event())):
                with refused(StoreCode.CORRUPT, "events.jsonl"):
                    work()
    log(tmp_path).write_bytes(content)
    with opened(tmp_path, "single") as store:
        assert len(store.get_events()) == 60


def test_an_archive_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, days(60))
        store.compact_events(LATER)
        store.append(event())
    (packed,) = (tmp_path / "events.jsonl.store/archive/1-59").iterdir()
    content = packed.read_bytes()
    packed.write_bytes(content[:-5])
    with opened(tmp_path, "single") as store:
        for work in (store.get_events, lambda: store.check_archive("1-59"), lambda: store.restore_events("1-59")):
            with refused(StoreCode.CORRUPT, packed.name):
                work()
        assert positions(store.stream_events(EventQuery(after=59))) == [60, 61]
    manifest = tmp_path / "events.jsonl.store/archive/1-59.json"
    manifest.rename(manifest.with_suffix(".gone"))
    with opened(tmp_path, "single") as store, refused(StoreCode.CORRUPT, "1 to 59"):
        store.get_events()


def test_a_damaged_line_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        for each in days(10):
            store.append(each)
        store.compact_events(LATER)
        for each in days(13)[10:]:
            store.append(each)
    lines = log(tmp_path).read_bytes().splitlines(keepends=True)
    log(tmp_path).write_bytes(b"".join([*lines[:2], b"oops" + lines[2], *lines[3:]]))
    with opened(tmp_path, "single") as store, refused(StoreCode.CORRUPT, "events.jsonl:3: "):
        store.get_events()


def test_a_file_with_another_name_stays_whole(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, days(60))
        os.link(log(tmp_path), tmp_path / "other")
        with refused(StoreCode.STORAGE_ERROR, "hard links"):
            store.compact_events(LATER)
        (tmp_path / "other").unlink()
        assert store.compact_events(LATER) == 59


_WRITER = """
import sys
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl.store import JsonlEventStore
with JsonlEventStore(sys.argv[1]) as store:
    for number in range(60):
        store.append_batch([NewEvent(type="Counted", stream="s") for _ in range(1 + number % 3)])
"""


def test_processes_that_append_meanwhile_lose_nothing_and_a_subscriber_sees_everything(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store, opened(tmp_path, "single") as reader, reader.subscribe(after=0) as seen:
        store.append(NewEvent(type="First"))
        writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(log(tmp_path))]) for _ in range(2)]
        stop = threading.Event()

        def move() -> None:
            while not stop.is_set():
                store.compact_events(LATER)
                for name in names(store)[len(names(store)) // 2 :][:1]:
                    store.restore_events(name)

        moving = threading.Thread(target=move)
        moving.start()
        try:
            found = [seen.next_within(60) for _ in range(241)]
        finally:
            stop.set()
            moving.join()
        assert [writer.wait(60) for writer in writers] == [0, 0]
        assert [each.position for each in found if each] == list(range(1, 242))
        assert [each.version for each in store.get_events("s")] == list(range(1, 241))


@pytest.mark.parametrize("how", ["damaged", "removed"])
def test_an_archive_that_cannot_be_read_is_passed_over_by_who_reads_and_never_restored(
    tmp_path: Path, how: str
) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, days(60))
        store.compact_events(LATER)
        store.append_batch(events(2))
        store.compact_events(LATER)
        expected = store.get_events()
    (packed,) = (log(tmp_path).with_name("events.jsonl.store") / "archive/1-59").iterdir()
    before = log(tmp_path).read_bytes()
    if how == "damaged":
        packed.write_bytes(b"nothing like it")
    else:
        packed.unlink()
    with opened(tmp_path, "single") as store, refused(StoreCode.CORRUPT, packed.name):
        store.get_events()
    with opened(tmp_path, "single", on_damage="skip") as store:
        assert store.get_events() == expected[59:]
        assert store.get_events(EventQuery(direction="desc")) == expected[:58:-1]
        assert {"missing"} <= {word for line in store.damaged_lines() for word in line.why.split()}
        with refused(StoreCode.CORRUPT, packed.name):
            store.restore_events("1-59")
        assert log(tmp_path).read_bytes() == before
        assert store.append(event()).position == expected[-1].position + 1


@pytest.mark.parametrize("on_damage", ["raise", "skip"])
def test_whoever_looks_for_archives_while_they_are_brought_back_misses_nothing(
    tmp_path: Path, on_damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, "single") as mover, opened(tmp_path, "single", on_damage=on_damage) as store:
        mover.append_batch(events(9))
        mover.append(event())
        expected = mover.get_events()
        assert store.head() == 10
        read, chained = SplitSegment.pieces, Archive.chain_before
        done: list[int] = []

        def moved(self: SplitSegment, start: int, *given: int) -> Iterator[tuple[int, bytes]]:
            if not done:
                done.append(-1)
                done.append(mover.compact_events(LATER))
            return read(self, start, *given)

        def restored(self: Archive, position: int) -> tuple[ArchivedSegment, ...]:
            if len(done) == 2 and done[-1] == 9:
                done.append(-1)
                done.append(mover.restore_events("1-9"))
            return chained(self, position)

        monkeypatch.setattr(SplitSegment, "pieces", moved)
        monkeypatch.setattr(Archive, "chain_before", restored)
        assert store.get_events() == expected
        assert done == [-1, 9, -1, 9]
        mover.append(event())
        assert positions(store.stream_events()) == list(range(1, 12))
        assert store.damaged_lines() == []


@pytest.mark.parametrize("on_damage", ["raise", "skip"])
def test_whoever_opens_the_store_while_an_archive_is_brought_back_finds_everything(
    tmp_path: Path, on_damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, "single") as mover:
        mover.append_batch(events(9))
        mover.append(event())
        expected = mover.get_events()
        assert mover.compact_events(LATER) == 9
        real = Unpacked.descriptor_of
        restored: list[int] = []

        def late(self: Unpacked, path: Path, packed: Packed) -> int:
            if not restored:
                restored.append(0)
                restored.append(mover.restore_events("1-9"))
            return real(self, path, packed)

        with opened(tmp_path, "single", on_damage=on_damage) as store:
            monkeypatch.setattr(Unpacked, "descriptor_of", late)
            assert store.get_events() == expected
            assert restored == [0, 9]
