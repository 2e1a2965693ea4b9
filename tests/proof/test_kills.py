"""Writers that are killed at any moment: what was acknowledged is there, and the next append is safe.

A kill tears even a single write, at the border of a page. So a control arm that leaves out the tail
repair has to fail, or these tests would prove nothing. `make crash` kills more often.
"""

from __future__ import annotations

import os
import random
import struct
from typing import TYPE_CHECKING

import pytest

from events import instant, row, ulid
from gitrepo import GitRepo
from killing import Killed
from kitty_status import StatusEvent, append_event, read_events
from kitty_status.clock import event_ids
from kitty_status.errors import StoreError
from kitty_status.git.repository import find_repository
from kitty_status.jsonl import append
from kitty_status.status.layout import PER_WRITER, SINGLE
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal.reconcile import reconcile
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLS = int(os.environ.get("KITTY_STATUS_PROOF_KILLS", "150"))
SLUG = "001-feature"
# Long enough for a write to take more than one page.
REASON = "the review asks for a narrower lock " * 900
_NUMBER = struct.Struct(">q")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


def appending(folder: Path) -> Callable[[str], str]:
    def write(wp_id: str) -> str:
        event_id = event_ids.mint()
        append_event(folder, StatusEvent.from_dict(row(event_id=event_id, wp_id=wp_id, reason=REASON)))
        return event_id

    return write


def emitting(root: Path, layout: str = SINGLE) -> Callable[[str], str]:
    config = Config({"layout": layout})

    def write(wp_id: str) -> str:
        request = EmitRequest(wp_id=wp_id, to_lane="claimed", actor="ada", feature=SLUG, reason=REASON[:9000])
        return str(emit(Project(root), config, request).event["event_id"])

    return write


@pytest.mark.parametrize("layout", [SINGLE, PER_WRITER])
def test_no_acknowledged_append_is_lost_to_a_kill(tmp_path: Path, layout: str) -> None:
    repo = GitRepo.init(tmp_path)
    repo.write(".kittify/config.yaml", f"status:\n  layout: {layout}\n")
    folder = tmp_path / "kitty-specs" / SLUG
    killed = Killed(appending(folder))
    killed.run(KILLS, random.Random(1))  # noqa: S311  nothing secret
    append_event(folder, StatusEvent.from_dict(row(event_id=ulid(1), at=instant(1))))
    held = [event.event_id for event in read_events(folder)]
    assert killed.gave_up == 0
    assert len(killed.acknowledged) > KILLS / 10
    assert set(killed.acknowledged) - set(held) == set()
    assert len(held) == len(set(held))


@pytest.mark.parametrize("layout", [SINGLE, PER_WRITER])
def test_no_acknowledged_event_is_lost_to_a_kill(tmp_path: Path, layout: str) -> None:
    repo = GitRepo.init(tmp_path)
    folder = tmp_path / "kitty-specs" / SLUG
    folder.mkdir(parents=True)
    killed = Killed(emitting(tmp_path, layout))
    killed.run(KILLS, random.Random(2))  # noqa: S311  nothing secret
    repository = find_repository(str(repo.path))
    assert repository is not None
    emitting(tmp_path, layout)("WP-last")
    found = reconcile(repository)
    assert (found.waiting, found.unreadable) == ([], [])
    held = [event.event_id for event in read_events(folder)]
    assert killed.gave_up == 0
    assert len(killed.acknowledged) > 5
    assert set(killed.acknowledged) - set(held) == set()
    assert len(held) == len(set(held))


def test_without_tail_repair_the_same_kills_damage_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    GitRepo.init(tmp_path)
    folder = tmp_path / "kitty-specs" / SLUG
    monkeypatch.setattr(append, "repair_tail", lambda fd, _log, _folder, disk: (b"", disk.fstat(fd).st_size))
    for seed in range(40):
        killed = Killed(appending(folder))
        killed.run(KILLS, random.Random(seed))  # noqa: S311  nothing secret
        append_event(folder, StatusEvent.from_dict(row(event_id=ulid(seed), at=instant(seed))))
        try:
            read_events(folder)
        except StoreError:
            return
    pytest.fail("no kill tore a line: this disk cannot show what the repair is for")
