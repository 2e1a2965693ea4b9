"""Every system call of an emit fails, once and for good, with every error: the outcome that is claimed is true.

* acknowledged: the event is in the log
* refused: it is in neither log nor journal, and never comes back
* unknown: the same call again, with the same event id, leads to it being there once
"""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from gitrepo import GitRepo
from kitty_status.errors import KittyStatusError, OutcomeUnknownError
from kitty_status.git.repository import find_repository
from kitty_status.jsonl.disk import DISK
from kitty_status.testing.faulty_disk import OPERATIONS, FaultyDisk
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal.reconcile import reconcile
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLUG = "001-feature"
LOG = f"kitty-specs/{SLUG}/status.events.jsonl"
JOURNAL = f".git/kitty-status/journal/{SLUG}.jsonl"
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EINTR, errno.EMFILE)
STEP = int(os.environ.get("KITTY_STATUS_PROOF_STEP", "7"))
EVENT_ID = "01M7Z6Z7AE8H49V05PV6B7T587"


def claim(root: Path, wp: str = "WP02", event_id: str | None = EVENT_ID) -> bool:
    """Claim a work package and say whether that repeated an earlier claim."""
    request = EmitRequest(wp_id=wp, to_lane="claimed", actor="ada", feature=SLUG, event_id=event_id)
    return emit(Project(root), Config(), request).replayed


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository whose log, journal and snapshot hold one event."""
    repo = GitRepo.init(tmp_path / "origin")
    (repo.path / "kitty-specs" / SLUG).mkdir(parents=True)
    claim(repo.path, "WP01", None)
    return repo.path


def through(patch: pytest.MonkeyPatch, disk: FaultyDisk) -> None:
    """Let everything that writes go through `disk`."""
    for operation in OPERATIONS:
        patch.setattr(DISK, operation, getattr(disk, operation), raising=True)


def copies(origin: Path, folder: Path) -> Iterator[Path]:
    """Yield one repository after the other, each as `origin` is."""
    copy = folder / "copy"
    while True:
        shutil.copytree(origin, copy)
        yield copy
        shutil.rmtree(copy)


def assert_true(root: Path, disk: FaultyDisk, patch: pytest.MonkeyPatch) -> str:
    """Emit through a disk that refuses, and hold what is claimed against what is there."""
    with patch.context() as faulty:
        through(faulty, disk)
        try:
            claim(root)
            outcome = "acknowledged"
        except OutcomeUnknownError:
            outcome = "unknown"
        except (KittyStatusError, OSError):
            outcome = "refused"
    event = EVENT_ID.encode()
    if outcome == "acknowledged":
        assert (root / LOG).read_bytes().count(event) == 1
    elif outcome == "refused":
        assert event not in (root / LOG).read_bytes()
        assert event not in (root / JOURNAL).read_bytes()
    repository = find_repository(str(root))
    assert repository is not None
    brought_back = [fate.entry.event_id for fate in reconcile(repository).restored]
    assert outcome == "unknown" or brought_back == []
    claim(root)
    log = (root / LOG).read_bytes()
    assert log.count(event) == log.count(b'"WP02"') == 1
    assert log.count(b"\n") == 2
    return outcome


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_what_emit_claims_is_true_whichever_system_call_fails(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool
) -> None:
    roots = copies(origin, tmp_path)
    disk = FaultyDisk()
    assert assert_true(next(roots), disk, monkeypatch) == "acknowledged"
    calls = list(disk.calls)
    assert len(calls) > 20
    outcomes: Counter[str] = Counter()
    for error in ERRORS:
        seen: Counter[str] = Counter()
        for operation in calls:
            seen[operation] += 1
            disk = FaultyDisk()
            disk.fail(operation, nth=seen[operation], error=error, for_good=for_good)
            outcomes[assert_true(next(roots), disk, monkeypatch)] += 1
    assert sum(outcomes.values()) == len(ERRORS) * len(calls)
    assert outcomes.keys() == {"acknowledged", "refused", "unknown"}


def test_what_emit_claims_is_true_wherever_the_disk_is_full(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = copies(origin, tmp_path)
    outcomes = []
    for room in range(0, 3000, STEP):
        disk = FaultyDisk()
        disk.fill_after(room)
        outcomes.append(assert_true(next(roots), disk, monkeypatch))
        if outcomes[-1] == "acknowledged":
            break
    assert outcomes[-1] == "acknowledged"
    assert set(outcomes[:-1]) == {"refused"}
    assert len(outcomes) > 100
