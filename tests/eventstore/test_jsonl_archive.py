"""The archive of days that are over: it reads as before, is restored as it was, and may be interrupted anywhere."""

from __future__ import annotations

import json
import shutil
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from jsonl_stores import LAYOUTS, NOON, Clock, log_files, opened
from kitty_status.eventstore import zstd
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl import finding
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, refused
from kitty_status.testing.faulty_disk import FaultyDisk

DAYS = LAYOUTS[1:]
ORDERS = [
    EventQuery(),
    EventQuery(direction="desc"),
    EventQuery(after=7, limit=9),
    EventQuery(before=15, direction="desc", limit=9),
    EventQuery(streams="a", order_by="timestamp"),
    EventQuery(types="T1"),
]


def archived(store: JsonlEventStore) -> list[str]:
    return [each.name for each in store.archives()]


def fill(store: JsonlEventStore, clock: Clock, days: int = 6) -> None:
    for day in range(days):
        if day:
            clock.move(days=1)
        store.append_batch(
            [
                event(n, stream="ab"[n % 2], type=f"T{n % 3}", id=f"{day}-{n}", at=clock() + timedelta(n))
                for n in range(4)
            ]
        )


@pytest.mark.parametrize("layout", DAYS)
def test_what_is_archived_is_read_where_it_was(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LAG", 5)
    monkeypatch.setattr(finding, "_DEARER", 1)
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as store:
        fill(store, clock)
        before = {path: path.read_bytes() for path in log_files(tmp_path)}
        answers = [store.get_events(query) for query in ORDERS]
        assert store.compact_events(NOON + timedelta(days=3)) == 4 - 4
        assert store.compact_events(NOON + timedelta(days=5)) == sum(
            len(store.get_events(EventQuery(ids=[f"{day}-{n}" for n in range(4)]))) + (day > 0 and layout == "daily")
            for day in (0, 1)
        )
        assert archived(store) == ["2026-05-05", "2026-05-06"]
        assert len(log_files(tmp_path)) < len(before)
        assert [store.get_events(query) for query in ORDERS] == answers
        assert store.compact_events("2027-01-01T00:00:00Z") > 0
        assert archived(store) == [f"2026-05-{day:02d}" for day in range(5, 10)]
        assert [store.get_events(query) for query in ORDERS] == answers
        assert store.compact_events("2027-01-01T00:00:00Z") == 0
        assert store.append(answers[0][0]) == answers[0][0]
    with opened(tmp_path, layout, clock=clock) as again:
        assert [again.get_events(query) for query in ORDERS] == answers
        assert again.append(answers[0][3]) == answers[0][3]
        assert again.append(event(stream="a")).version == len(answers[4]) + 1
        for day in archived(again):
            assert again.restore_events(day) in (4, 5)
        assert again.restore_events("2026-05-05") == 0
        assert again.get_events()[:-1] == answers[0]
        for path, data in before.items():
            if "2026-05-10" not in str(path):
                assert path.read_bytes() == data
        assert archived(again) == []


@pytest.mark.parametrize("layout", DAYS)
def test_the_manifest_has_the_checksum_of_each_file(tmp_path: Path, layout: str) -> None:
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as store:
        fill(store, clock, 2)
        before = {path.stem: path.read_bytes() for path in log_files(tmp_path)}
        assert store.compact_events("2027-01-01T00:00:00Z") == 4
    manifest = json.loads((tmp_path / "events/archive/2026-05-05.json").read_text())
    assert (manifest["events"], manifest["first"], manifest["last"]) == (4, 1, 4)
    for packed in manifest["segments"]:
        data = before[Path(packed["name"]).name.removesuffix(".jsonl")]
        assert packed["size"] in (len(data), len(before.get("a", b"")))
        assert packed["sha256"] == sha256(data).hexdigest() or layout != "daily"
        assert (tmp_path / "events/archive/2026-05-05" / packed["file"]).read_bytes()[:4] == b"\x28\xb5\x2f\xfd"


@pytest.mark.parametrize("operation", ["write", "fsync", "replace", "unlink", "open", "mkdir", "fsync_directory"])
@pytest.mark.parametrize("layout", DAYS)
def test_an_archive_that_is_interrupted_anywhere_is_harmless(tmp_path: Path, layout: str, operation: str) -> None:
    for nth in range(1, 30):
        disk = FaultyDisk()
        clock = Clock()
        place = tmp_path / str(nth)
        with opened(place, layout, clock=clock, disk=disk) as store:
            fill(store, clock, 3)
            expected = store.get_events()
            disk.fail(operation, nth=nth, for_good=True)
            failed = False
            try:
                store.compact_events("2027-01-01T00:00:00Z")
            except EventStoreError as error:
                failed = True
                assert error.code is StoreCode.STORAGE_ERROR  # noqa: PT017  any other one is a failure
            disk.heal()
            assert store.get_events() == expected
        with opened(place, layout, clock=clock) as again:
            assert again.get_events() == expected
            again.compact_events("2027-01-01T00:00:00Z")
            assert archived(again) == ["2026-05-05", "2026-05-06"]
            assert not [path for path in log_files(place) if "2026-05-07" not in str(path)]
            assert again.get_events(EventQuery(direction="desc")) == expected[::-1]
        if not failed:
            return
    raise AssertionError("it was interrupted every time")


@pytest.mark.parametrize("layout", DAYS)
def test_an_archive_that_was_tampered_with_is_damage(tmp_path: Path, layout: str) -> None:
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as store:
        fill(store, clock, 2)
        store.compact_events("2027-01-01T00:00:00Z")
    (path, *_) = sorted((tmp_path / "events/archive/2026-05-05").iterdir())
    data = bytearray(path.read_bytes())
    for wreck in (bytes(data[:-20]), b"nothing like it", bytes(data[:9] + bytes([data[9] ^ 255]) + data[10:])):
        path.write_bytes(wreck)
        with opened(tmp_path, layout, clock=clock) as store, refused(StoreCode.CORRUPT, path.name):
            store.get_events()
    (tmp_path / "events/archive/2026-05-05.json").write_text("{}")
    with opened(tmp_path, layout, clock=clock) as store, refused(StoreCode.CORRUPT, "2026-05-05.json"):
        store.get_events()


@pytest.mark.parametrize("layout", DAYS)
def test_who_reads_while_days_are_moved_misses_nothing(tmp_path: Path, layout: str) -> None:
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as writer, opened(tmp_path, layout, clock=clock) as reader:
        fill(writer, clock, 12)
        expected = writer.get_events()
        forwards, backwards = reader.stream_events(), reader.stream_events(EventQuery(direction="desc"))
        seen, reversed_ = [next(forwards)], [next(backwards)]
        moving = threading.Thread(target=writer.compact_events, args=["2027-01-01T00:00:00Z"])
        moving.start()
        seen += forwards
        moving.join()
        reversed_ += backwards
        assert seen == expected
        assert reversed_ == expected[::-1]
        assert reader.get_events() == expected


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zstd, "_MODULES", ("no.such.module",))
    clock = Clock()
    with opened(tmp_path, "daily", clock=clock) as store:
        fill(store, clock, 2)
        with pytest.raises(EventStoreError) as caught:
            store.compact_events("2027-01-01T00:00:00Z")
        assert "kitty-status[archive]" in caught.value.hint
        assert len(store.get_events()) == 9


@pytest.mark.parametrize("layout", DAYS)
def test_what_came_to_a_file_after_it_was_archived_is_not_removed_with_it(
    tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as store:
        fill(store, clock, 2)
        before = {path: path.read_bytes() for path in log_files(tmp_path) if "2026-05-05" in str(path)}
        store.compact_events("2027-01-01T00:00:00Z")
        path, data = next(iter(before.items()))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data + b"# a stranger's note\n")
    with opened(tmp_path, layout, clock=clock, on_damage="skip") as store:
        store.compact_events("2027-01-01T00:00:00Z")
        if layout == "daily":
            assert store.restore_events("2026-05-05") == 4
        assert path.read_bytes().endswith(b"stranger's note\n")
        assert len(store.get_events()) == 8 + (layout == "daily")
    assert ("not the same" in caplog.text) == (layout != "daily")


@pytest.mark.parametrize("layout", DAYS)
@pytest.mark.parametrize("what", ["file", "missing file", "manifest"])
def test_an_archive_that_cannot_be_read_is_damage_or_passed_over(tmp_path: Path, layout: str, what: str) -> None:
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as store:
        fill(store, clock, 4)
        store.compact_events("2027-01-01T00:00:00Z")
        expected = store.get_events()
    folder = tmp_path / "events/archive"
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    lost = folder / "2026-05-06.json" if what == "manifest" else next((folder / "2026-05-06").iterdir())
    if what == "missing file":
        lost.unlink()
    else:
        lost.write_bytes(b"{")
    shutil.rmtree(tmp_path / "events/indexes", ignore_errors=True)  # it would know the ids without the files
    for ask in (JsonlEventStore.get_events, lambda store: store.append(event())):
        with opened(tmp_path, layout, clock=clock) as store, refused(StoreCode.CORRUPT, lost.name):
            ask(store)
    with opened(tmp_path, layout, clock=clock, on_damage="skip") as store:
        left = store.get_events()
        assert left == [each for each in expected if each in left]
        assert 0 < len(expected) - len(left) <= 5
        assert store.get_events(EventQuery(direction="desc")) == left[::-1]
        assert {lost.name, "missing"} <= {
            word for line in store.damaged_lines() for word in (Path(line.path).name, *line.why.split())
        }
        assert store.append(event()).position == expected[-1].position + 1
        with refused(StoreCode.CORRUPT, lost.name):
            store.restore_events("2026-05-06")
    lost.write_bytes(kept[lost])
    with opened(tmp_path, layout, clock=clock) as store:
        assert store.get_events()[:-1] == expected


@pytest.mark.parametrize("layout", DAYS)
def test_who_reads_while_days_come_back_misses_nothing(tmp_path: Path, layout: str) -> None:
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as writer, opened(tmp_path, layout, clock=clock) as reader:
        fill(writer, clock, 12)
        expected = writer.get_events()
        writer.compact_events("2027-01-01T00:00:00Z")
        done = threading.Event()

        def move() -> None:
            for _ in range(3):
                for each in archived(writer):
                    writer.restore_events(each)
                writer.compact_events("2027-01-01T00:00:00Z")
            done.set()

        moving = threading.Thread(target=move)
        moving.start()
        looks = 0
        while not done.is_set() or looks < 3:
            assert reader.get_events() == expected
            assert reader.get_events(EventQuery(direction="desc", limit=30)) == expected[:-31:-1]
            looks += 1
        moving.join()
