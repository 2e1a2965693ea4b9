"""The library's store, as the document asks that the project began with: append, read, refuse damage."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from events import APPROVAL, instant, line, row, their_row, ulid
from kitty_status import (
    EVENTS_FILENAME,
    DoneEvidence,
    Lane,
    StatusEvent,
    StoreError,
    append_event,
    new_event_id,
    read_events,
    read_events_raw,
)
from kitty_status.errors import ConflictingEventError, UnsafeLogError

_AS_NOBODY = """
import os, sys
from pathlib import Path
from kitty_status import StatusEvent, StoreError, append_event, read_events
import json, kitty_status.tracker.store
folder, row = Path(sys.argv[1]), json.loads(sys.argv[2])
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for act in (lambda: append_event(folder, StatusEvent.from_dict(row)), lambda: read_events(folder)):
    try:
        act()
        print("done")
    except StoreError:
        print("StoreError")
    except OSError as error:
        print(type(error).__name__)
sys.stdout.flush()
os._exit(0)
"""


def event(number: int = 1, **changes: Any) -> StatusEvent:
    return StatusEvent.from_dict(row(event_id=ulid(number), at=instant(number), **changes))


def log_in(folder: Path, *lines: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EVENTS_FILENAME).write_bytes(b"".join(lines))
    return folder


def numbered(number: int, **changes: Any) -> bytes:
    return line(event_id=ulid(number), at=instant(number), **changes)


def test_append_and_read_round_trip(tmp_path: Path) -> None:
    done = event(from_lane="for_review", to_lane="done", evidence=APPROVAL, reason="", review_ref="PR 7")
    append_event(tmp_path, done)
    assert read_events(tmp_path) == [done]
    assert isinstance(done.evidence, DoneEvidence)
    assert done.to_lane is Lane.DONE


def test_multiple_appends_preserve_order(tmp_path: Path) -> None:
    events = [event(number) for number in (3, 1, 2)]
    for each in events:
        append_event(tmp_path, each)
    assert read_events(tmp_path) == events


def test_read_empty_file(tmp_path: Path) -> None:
    log_in(tmp_path)
    assert read_events(tmp_path) == []
    assert read_events_raw(tmp_path) == []


def test_a_file_of_nothing_but_blanks_holds_no_events(tmp_path: Path) -> None:
    log_in(tmp_path, b"  \n\t\n\n   ")
    assert read_events(tmp_path) == []
    append_event(tmp_path, event())
    assert read_events(tmp_path) == [event()]


def test_read_nonexistent_file(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert read_events(folder) == []
        assert read_events_raw(folder) == []


def test_file_and_folders_are_created_on_first_event(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b c" / "001-feature"
    append_event(folder, event(1))
    append_event(folder, event(2))
    assert (folder / EVENTS_FILENAME).read_bytes().count(b"\n") == 2


def test_an_existing_file_is_appended_to_and_not_touched(tmp_path: Path) -> None:
    before = b'{"kind": "annotation", "note": 1}\n\n' + numbered(7)
    log_in(tmp_path, before)
    append_event(tmp_path, event(8))
    assert (tmp_path / EVENTS_FILENAME).read_bytes() == before + numbered(8)


def test_a_file_without_final_newline_is_not_glued_to(tmp_path: Path) -> None:
    log_in(tmp_path, numbered(1).rstrip(b"\n"))
    assert read_events(tmp_path) == [event(1)]
    append_event(tmp_path, event(2))
    assert read_events(tmp_path) == [event(1), event(2)]


@pytest.mark.parametrize("bad", [b"not json at all", b'{"this is not a valid event"}', b"{", b"\xff\xfe\0binary\x01"])
def test_corruption_invalid_json(tmp_path: Path, bad: bytes) -> None:
    log_in(tmp_path, bad + b"\n")
    expected = f"Line 1: invalid JSON: {bad.decode('utf-8', 'replace')}"
    for read in (read_events, read_events_raw):
        with pytest.raises(StoreError) as caught:
            read(tmp_path)
        assert str(caught.value).startswith(expected)


def test_corruption_reports_line_number(tmp_path: Path) -> None:
    log_in(tmp_path, numbered(1), numbered(2), b"oops\n", numbered(4), numbered(5))
    with pytest.raises(StoreError, match=r"^Line 3: invalid JSON: oops"):
        read_events(tmp_path)


def test_line_numbers_are_those_of_an_editor(tmp_path: Path) -> None:
    log_in(tmp_path, b"\n", numbered(1, reason="\u2028 is no line end"), b"  \n\n", b"{}\n")
    with pytest.raises(StoreError, match=r"^Line 5: invalid event structure: "):
        read_events(tmp_path)


def test_the_preview_of_a_long_line_is_its_first_eighty_characters(tmp_path: Path) -> None:
    log_in(tmp_path, ("é" * 500).encode() + b"\n")
    with pytest.raises(StoreError) as caught:
        read_events(tmp_path)
    assert str(caught.value).startswith(f"Line 1: invalid JSON: {'é' * 80}: ")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "event_id is missing"),
        ({"event_id": "bad"}, "feature_slug is missing"),
        (row(to_lane="nowhere"), "to_lane must be one of the lanes"),
        (row(at="yesterday"), "at: "),
        (row(force="no"), "force must be true or false"),
        (row(wp_id="../WP01"), "wp_id '../WP01' is not a safe name"),
    ],
)
def test_corruption_invalid_event_structure(tmp_path: Path, content: dict[str, Any], why: str) -> None:
    log_in(tmp_path, numbered(1), json.dumps(content).encode() + b"\n")
    with pytest.raises(StoreError) as caught:
        read_events(tmp_path)
    assert str(caught.value).startswith(f"Line 2: invalid event structure: {why}")
    assert read_events_raw(tmp_path)[1] == content


def test_read_raw_returns_dicts_and_foreign_rows_with_them(tmp_path: Path) -> None:
    foreign = {"event_type": "MissionCreated", "payload": {"n": 1}}
    log_in(tmp_path, numbered(1), json.dumps(foreign).encode() + b"\n")
    assert read_events_raw(tmp_path) == [row(event_id=ulid(1), at=instant(1)), foreign]
    assert read_events(tmp_path) == [event(1)]


def test_deterministic_key_ordering(tmp_path: Path) -> None:
    forwards = row(event_id=ulid(1), evidence={"review": dict(reversed(APPROVAL["review"].items()))})
    backwards = dict(reversed(row(event_id=ulid(2), evidence=APPROVAL).items()))
    for content in (forwards, backwards):
        append_event(tmp_path, StatusEvent.from_dict(content))
    first, second = (tmp_path / EVENTS_FILENAME).read_bytes().splitlines()
    assert first.replace(ulid(1).encode(), ulid(2).encode()) == second
    assert list(json.loads(first)) == sorted(json.loads(first))
    assert json.dumps(json.loads(first), sort_keys=True).encode() == first


def test_absent_values_are_written_as_null_and_empty_ones_as_they_are(tmp_path: Path) -> None:
    append_event(tmp_path, event(reason=""))
    stored = json.loads((tmp_path / EVENTS_FILENAME).read_bytes())
    assert stored["reason"] == ""
    assert [key for key, value in stored.items() if value is None] == ["evidence", "review_ref"]


def test_blank_lines_are_skipped(tmp_path: Path) -> None:
    log_in(tmp_path, b"\n", numbered(1), b" \t\n", b"\n", numbered(2), b"\n")
    assert read_events(tmp_path) == [event(1), event(2)]


def test_a_name_beyond_ascii_is_escaped_on_disk_and_whole_when_read(tmp_path: Path) -> None:
    append_event(tmp_path, event(actor="Zoë 🐈"))
    assert rb'"actor": "Zo\u00eb \ud83d\udc08"' in (tmp_path / EVENTS_FILENAME).read_bytes()
    assert read_events(tmp_path)[0].actor == "Zoë 🐈"


def test_a_very_long_reason_and_a_line_of_700_kb_are_kept(tmp_path: Path) -> None:
    append_event(tmp_path, event(1, reason="ü" * 117_000))
    assert (tmp_path / EVENTS_FILENAME).stat().st_size > 700_000
    append_event(tmp_path, event(2))
    assert [each.reason for each in read_events(tmp_path)] == ["ü" * 117_000, None]


def test_rows_of_spec_kitty_are_read_and_written_again_as_they_are(tmp_path: Path) -> None:
    actor = {"role": "implementer", "tool": "claude", "model": "m"}
    theirs = their_row(event_id=ulid(1), actor=actor, to_lane="in_review")
    read = StatusEvent.from_dict(theirs)
    append_event(tmp_path, read)
    assert read_events_raw(tmp_path) == [theirs]
    assert (read.feature_slug, read.shown_actor) == ("001-feature", "claude")


def test_an_event_that_is_there_already_is_not_written_twice(tmp_path: Path) -> None:
    for _ in range(3):
        append_event(tmp_path, event(1))
    minted = event().model_copy(update={"event_id": new_event_id()})
    append_event(tmp_path, minted)
    append_event(tmp_path, minted)
    assert read_events(tmp_path) == [event(1), minted]


def test_other_content_under_the_same_id_is_refused_naming_both(tmp_path: Path) -> None:
    append_event(tmp_path, event(1))
    append_event(tmp_path, event(2))
    before = (tmp_path / EVENTS_FILENAME).read_bytes()
    with pytest.raises(ConflictingEventError, match="other content") as caught:
        append_event(tmp_path, event(2, reason="another"))
    assert f"{EVENTS_FILENAME}:2" in str(caught.value)
    context: dict[str, Any] = caught.value.context
    assert (context["stored"]["reason"], context["refused"]["reason"]) == (None, "another")
    assert (tmp_path / EVENTS_FILENAME).read_bytes() == before


def test_an_id_that_is_only_mentioned_or_stands_in_a_damaged_line_is_not_there(tmp_path: Path) -> None:
    damaged = b'{"event_id": "' + ulid(2).encode() + b'", oops\n'
    log_in(tmp_path, numbered(1, reason=ulid(2), parents=[ulid(2)]), damaged)
    append_event(tmp_path, event(2))
    assert (tmp_path / EVENTS_FILENAME).read_bytes().endswith(damaged + numbered(2))


def test_threads_that_append_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(first: int) -> None:
        for number in range(first, first + 25):
            append_event(tmp_path / "001-feature", event(number))

    threads = [threading.Thread(target=write, args=(100 * name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = [each.event_id for each in read_events(tmp_path / "001-feature")]
    assert sorted(stored) == sorted(ulid(100 * name + number) for name in range(4) for number in range(25))


def test_a_folder_without_permission_is_the_operating_systems_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name)
        outer.chmod(0o755)
        closed, hidden = log_in(outer / "closed"), log_in(outer / "hidden", numbered(1))
        closed.chmod(0o555)
        (closed / EVENTS_FILENAME).chmod(0o444)
        hidden.chmod(0o000)
        said = []
        for folder in (closed, hidden):
            argv = [sys.executable, "-c", _AS_NOBODY, str(folder), json.dumps(row())]
            done = subprocess.run(argv, cwd=outer, capture_output=True, text=True, check=False)
            said.append(done.stdout.split())
        hidden.chmod(0o755)
        assert said == [["PermissionError", "done"], ["PermissionError", "PermissionError"]]


def test_a_log_that_is_a_symbolic_link_is_neither_read_nor_written(tmp_path: Path) -> None:
    target = log_in(tmp_path / "target", numbered(1)) / EVENTS_FILENAME
    folder = tmp_path / "001-feature"
    folder.mkdir()
    (folder / EVENTS_FILENAME).symlink_to(target)
    for act in (lambda: read_events(folder), lambda: append_event(folder, event(2))):
        with pytest.raises(UnsafeLogError):
            act()
    assert target.read_bytes() == numbered(1)


def test_a_torn_last_line_is_passed_over_and_an_unfit_one_is_damage(tmp_path: Path) -> None:
    log_in(tmp_path, numbered(1), b'{"event_id": "01')
    assert read_events(tmp_path) == [event(1)]
    log_in(tmp_path, numbered(1), b"{}")
    with pytest.raises(StoreError, match=r"^Line 2: invalid event structure: event_id is missing"):
        read_events(tmp_path)
