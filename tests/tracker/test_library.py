"""The library beyond the log: reduce, materialize, and the public names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import kitty_status
from events import instant, row, ulid
from gitrepo import GitRepo
from kitty_status import (
    EVENTS_FILENAME,
    SNAPSHOT_FILENAME,
    KittyStatusError,
    Snapshot,
    StatusEvent,
    StoreError,
    append_event,
    materialize,
    read_events,
    reduce,
)


def event(number: int = 1, **changes: Any) -> StatusEvent:
    return StatusEvent.from_dict(row(event_id=ulid(number), at=instant(number), **changes))


def test_reduce_gives_one_answer_for_every_order_and_repetition() -> None:
    story = [event(1), event(2, from_lane="claimed", to_lane="in_progress"), event(3, wp_id="WP02")]
    snapshot = reduce(story)
    assert isinstance(snapshot, Snapshot)
    assert {wp_id: state["lane"] for wp_id, state in snapshot.work_packages.items()} == {
        "WP01": "in_progress",
        "WP02": "claimed",
    }
    assert reduce([*reversed(story), *story]) == snapshot
    assert reduce([]).event_count == 0


def test_materialize_writes_the_reduction_of_the_log_once(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    folder = repo.path / "kitty-specs" / "001-feature"
    append_event(folder, event(1))
    snapshot = materialize(folder)
    written = (folder / SNAPSHOT_FILENAME).read_bytes()
    content = json.loads(written)
    assert content.pop("log_oid") == repo.git("hash-object", str(folder / EVENTS_FILENAME))
    assert content == snapshot.to_dict() == reduce(read_events(folder)).to_dict()
    assert written == (json.dumps(json.loads(written), sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()
    assert (SNAPSHOT_FILENAME, EVENTS_FILENAME) == ("status.json", "status.events.jsonl")


def test_materialize_refuses_a_damaged_log_and_leaves_the_snapshot(tmp_path: Path) -> None:
    (tmp_path / EVENTS_FILENAME).write_bytes(b"oops\n")
    (tmp_path / SNAPSHOT_FILENAME).write_text("before")
    with pytest.raises(StoreError, match=r"^Line 1: invalid JSON: oops"):
        materialize(tmp_path)
    assert (tmp_path / SNAPSHOT_FILENAME).read_text() == "before"


def test_every_public_name_is_there_and_no_other() -> None:
    for name in kitty_status.__all__:
        assert getattr(kitty_status, name) is not None
    assert dir(kitty_status) == sorted(kitty_status.__all__)
    assert issubclass(StoreError, KittyStatusError)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        kitty_status.nonsense  # noqa: B018
