"""A disk that refuses, and a journal that somebody wrote into: nothing is claimed that is not so."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, ask, emit, feature_in
from events import ulid
from gitrepo import GitRepo
from kitty_status.errors import OutcomeUnknownError
from kitty_status.jsonl import append
from kitty_status.jsonl.append import append_locked, take_back
from kitty_status.jsonl.disk import DISK
from kitty_status.testing.faulty_disk import FaultyDisk
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.journal import writing
from kitty_status.tracker.moving.emit import emit as emit_event
from kitty_status.tracker.moving.request import EmitRequest, Emitted

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.jsonl.append import Place

JOURNAL = f".git/kitty-status/journal/{SLUG}.jsonl"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    return repo


def claim(repo: GitRepo, wp: str = "WP01") -> Emitted:
    request = EmitRequest(wp_id=wp, to_lane="claimed", actor="ada", feature=SLUG)
    return emit_event(Project(repo.path), Config(), request)


def refuse(patch: pytest.MonkeyPatch, disk: FaultyDisk, *, journal: bool) -> None:
    """Write the log, or the journal, through a disk that refuses."""

    def through(place: Place, data: bytes) -> None:
        is_journal = str(place.log).endswith(JOURNAL)
        append_locked(place, data, disk=disk if is_journal == journal else DISK)

    patch.setattr(writing, "append_locked", through)


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("operation", ["open", "write"])
def test_an_event_whose_log_refuses_it_is_in_neither(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, operation: str, error: int, for_good: bool
) -> None:
    claim(repo)
    before = repo.read(LOG), repo.read(JOURNAL)
    disk = FaultyDisk()
    disk.fail(operation, error=error, for_good=for_good)
    refuse(monkeypatch, disk, journal=False)
    with pytest.raises(OSError, match=r"\[Errno"):
        claim(repo, "WP02")
    assert (repo.read(LOG), repo.read(JOURNAL)) == before


@pytest.mark.parametrize("operation", ["open", "write"])
def test_an_event_whose_journal_refuses_it_is_in_neither(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    claim(repo)
    before = repo.read(LOG), repo.read(JOURNAL)
    disk = FaultyDisk()
    disk.fail(operation, error=errno.ENOSPC)
    refuse(monkeypatch, disk, journal=True)
    with pytest.raises(OSError, match="No space left"):
        claim(repo, "WP02")
    assert (repo.read(LOG), repo.read(JOURNAL)) == before


def test_an_entry_that_cannot_be_taken_back_leaves_the_outcome_unknown_and_a_retry_finds_it(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(repo)
    with monkeypatch.context() as patch:
        disk = FaultyDisk()
        disk.fail("write", error=errno.ENOSPC)
        refuse(patch, disk, journal=False)
        patch.setattr(writing, "take_back", lambda *_: take_back_in_vain())
        with pytest.raises(OutcomeUnknownError) as unknown:
            claim(repo, "WP02")
    event_id = str(unknown.value.context["event_id"])
    assert event_id in unknown.value.hint
    again = emit(repo.path, "WP02", "claimed", "--event-id", event_id)
    assert "had moved already" in again.out
    assert repo.read(LOG).count(event_id.encode()) == 1


def take_back_in_vain() -> None:
    raise OutcomeUnknownError("it could not be taken back")


def test_a_fsync_that_fails_leaves_the_outcome_unknown(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    for journal in (False, True):
        with monkeypatch.context() as patch:
            disk = FaultyDisk()
            disk.fail("fsync", error=errno.EIO)
            refuse(patch, disk, journal=journal)
            with pytest.raises(OutcomeUnknownError):
                claim(repo, f"WP0{1 + journal}")


def test_a_line_is_taken_back_only_from_the_end_it_stands_at(tmp_path: Path) -> None:
    place = feature_at(tmp_path / "outside git").place
    for line in (b'{"a": 1}\n', b'{"a": 2}\n'):
        append.append_line(place, line)
    with pytest.raises(OutcomeUnknownError, match="does not end in the line"):
        take_back(place, b'{"a": 1}\n')
    take_back(place, b'{"a": 2}\n')
    assert place.log.read_bytes() == b'{"a": 1}\n'
    disk = FaultyDisk()
    disk.fail("ftruncate", error=errno.EIO)
    with pytest.raises(OutcomeUnknownError, match="could not be taken back"):
        take_back(place, b'{"a": 1}\n', disk=disk)


ODD = {
    "damaged": b"{not json\n",
    "no entry": b'{"kind": "note"}\n',
    "no event": b'{"log": "a", "line": "[]", "branch": null, "head": null}\n',
    "outside": json.dumps(
        {"log": "../outside", "line": json.dumps({"event_id": ulid(1)}), "branch": "main", "head": None}
    ).encode()
    + b"\n",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_what_is_no_entry_is_kept_reported_and_never_acted_on(repo: GitRepo, odd: bytes) -> None:
    claim(repo)
    repo.write(JOURNAL, odd + repo.read(JOURNAL))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "claimed")
    answer = ask(repo.path, "reconcile-journal")
    assert answer.code == 1
    assert "holds lines that are no entries; they are kept" in answer.err
    assert repo.read(JOURNAL) == odd
    claim(repo, "WP02")
    assert repo.read(JOURNAL).startswith(odd)
    assert sorted(path.name for path in repo.path.parent.iterdir()) == ["repo"]


def test_a_torn_last_entry_is_set_aside_by_the_next_write(repo: GitRepo) -> None:
    claim(repo)
    whole = repo.read(JOURNAL)
    repo.write(JOURNAL, whole + whole[:40])
    claim(repo, "WP02")
    assert repo.read(JOURNAL).startswith(whole + b'{"branch"')
    assert repo.read(JOURNAL).count(b"\n") == 2
    assert len(list((repo.path / ".git/kitty-status/quarantine").iterdir())) == 1


def test_a_journal_that_no_hook_settles_is_settled_by_a_write_once_it_is_large(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(repo)
    repo.commit("claimed")
    claim(repo, "WP02")
    assert repo.read(JOURNAL).count(b"\n") == 2
    monkeypatch.setattr(writing, "_MANY", 10)
    claim(repo, "WP03")
    assert repo.read(JOURNAL).count(b"\n") == 2
    assert FOLDER in repo.read(JOURNAL).decode()
