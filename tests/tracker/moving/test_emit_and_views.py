"""Emit and views: what fails before the event refuses it, what fails afterwards is a warning, and nothing is left."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, tree
from gitrepo import GitRepo
from kitty_status.errors import OutcomeUnknownError, WorkPackageFileError
from kitty_status.jsonl.append import append_locked
from kitty_status.jsonl.replace import stage_file
from kitty_status.testing.faulty_disk import FaultyDisk
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving import emit as emitting
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest, Emitted
from kitty_status.tracker.views import views as tracker_views
from kitty_status.tracker.views.materialize import write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.jsonl.disk import StrPath
    from kitty_status.jsonl.replace import Staged

WP01 = f"{FOLDER}/tasks/WP01.md"
WP02 = f"{FOLDER}/tasks/WP02-form.md"
TASKS = f"{FOLDER}/tasks.md"
BLOCK = "---\nwork_package_id: {}\nlane: planned\n---\n# What it is\n"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "repo")
    repo.write(WP01, BLOCK.format("WP01"))
    repo.write(WP02, BLOCK.format("WP02"))
    repo.write(TASKS, "# Work packages\n")
    repo.commit("before")
    return repo


def claim(repo: GitRepo, wp: str = "WP01", lane: str = "claimed", **more: object) -> Emitted:
    request = {"wp_id": wp, "to_lane": lane, "actor": "ada", "feature": SLUG, **more}
    return emit(Project(repo.path), Config(), EmitRequest(**request))  # type: ignore[arg-type]


def written(emitted: Emitted) -> list[str]:
    return [view.where for view in emitted.views if view.written]


def through(patch: pytest.MonkeyPatch, disk: FaultyDisk) -> FaultyDisk:
    """Write views through a disk that refuses."""

    def staged(path: StrPath, data: bytes) -> Staged | None:
        return stage_file(path, data, disk=disk)

    patch.setattr(tracker_views, "stage_file", staged)
    return disk


def lane_in(repo: GitRepo, path: str) -> str:
    return repo.read(path).decode().partition("lane: ")[2].partition("\n")[0]


def test_an_event_brings_the_views_that_it_changes_and_touches_no_other_file(repo: GitRepo) -> None:
    before = (repo.path / WP02).stat().st_ctime_ns, (repo.path / WP02).stat().st_ino
    assert written(claim(repo)) == [WP01, TASKS]
    assert lane_in(repo, WP01) == "claimed"
    assert b"| WP01 | claimed | ada |" in repo.read(TASKS)
    assert ((repo.path / WP02).stat().st_ctime_ns, (repo.path / WP02).stat().st_ino) == before
    assert ask(repo.path, "validate", SLUG).out.endswith(": 0 errors, 0 warnings\n")


def test_a_dry_run_names_the_views_that_would_change_and_writes_none(repo: GitRepo) -> None:
    before = tree(repo.path)
    arguments = ("emit", "WP01", "--to", "claimed", "--actor", "ada", "--feature", SLUG, "--json")
    assert ask(repo.path, *arguments, "--dry-run").data["views"] == [WP01, TASKS]
    assert tree(repo.path) == before
    answer = ask(repo.path, *arguments)
    assert answer.data["views"] == [WP01, TASKS]
    assert all(path in answer.envelope["next"][0] for path in (LOG, SNAPSHOT, WP01, TASKS))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("operation", ["write", "fsync"])
def test_a_view_that_cannot_be_written_beside_its_file_refuses_the_event(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, operation: str, nth: int, error: int
) -> None:
    claim(repo, "WP02")
    before = tree(repo.path)
    disk = through(monkeypatch, FaultyDisk())
    disk.fail(operation, nth=nth, error=error)
    with pytest.raises(OSError, match="a new version could not be written beside it") as caught:
        claim(repo)
    assert (caught.value.errno, caught.value.filename) == (error, (WP01, TASKS)[nth - 1])
    assert tree(repo.path) == before
    claim(repo)
    assert lane_in(repo, WP01) == "claimed"


@pytest.mark.parametrize("nth", [1, 2])
def test_a_view_that_cannot_be_renamed_leaves_the_event_acknowledged_and_is_drift(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    disk = through(monkeypatch, FaultyDisk())
    disk.fail("replace", nth=nth)
    emitted = claim(repo)
    (warning,) = emitted.warnings
    assert warning.startswith("the event is recorded, but a view was not written (")
    assert f"`kitty-status materialize {SLUG}`" in warning
    assert emitted.state["lane"] == "claimed"
    assert len(written(emitted)) == 1
    assert not list((repo.path / FOLDER).rglob(".*.tmp"))
    answer = ask(repo.path, "validate", SLUG)
    assert (answer.code, answer.out.count("warning: view-drift")) == (0, 1)
    assert ask(repo.path, "materialize", SLUG).code == 0
    assert "view-drift" not in ask(repo.path, "validate", SLUG).out


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        (WP01, "---\na: &b c\nlane: planned\n---\n", f"{WP01}:2: "),
        (WP01, "---\na: !!python/object x\nlane: planned\n---\n", f"{WP01}:2: "),
        (WP01, "---\nlane: planned\nlane: planned\n---\n", f"{WP01}:3: "),
        (WP01, f"---\nlane: planned\na: {'x' * 65536}\n---\n", f"{WP01}:1: "),
        (WP01, "---\nlane: planned\n", f"{WP01}:1: "),
        (f"{FOLDER}/tasks/WP01-b.md", "", f"{FOLDER}/tasks/WP01-b.md and {WP01} are both files of WP01"),
        (TASKS, "# T\n<!-- kitty-status:begin -->\n", f"{TASKS}:2: "),
        (WP01, BLOCK.format("WP07").replace("planned", "x y"), f"{WP01}: the file's name says WP01"),
    ],
)
def test_a_view_that_cannot_be_made_refuses_the_event(repo: GitRepo, path: str, text: str, place: str) -> None:
    claim(repo, "WP02")
    repo.write(path, text)
    before = tree(repo.path)
    for dry_run in (True, False):
        with pytest.raises(WorkPackageFileError) as caught:
            claim(repo, dry_run=dry_run)
        assert caught.value.message.startswith(place), caught.value.message
        assert caught.value.hint
    assert tree(repo.path) == before


def test_what_somebody_saves_while_an_event_is_written_is_not_lost(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = write_snapshot

    def saved_meanwhile(*args: object) -> object:
        repo.write(WP01, repo.read(WP01) + b"a word more\n")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(emitting, "write_snapshot", saved_meanwhile)
    assert claim(repo).warnings == []
    assert repo.read(WP01) == BLOCK.format("WP01").replace("planned", "claimed").encode() + b"a word more\n"


def test_a_file_that_was_taken_away_meanwhile_does_not_come_back(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = write_snapshot

    def removed_meanwhile(*args: object) -> object:
        (repo.path / WP01).unlink()
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(emitting, "write_snapshot", removed_meanwhile)
    assert len(claim(repo).warnings) == 1
    assert not (repo.path / WP01).exists()


def test_a_log_that_is_not_what_the_decision_foresaw_has_its_own_views(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(repo, "WP02")
    line = repo.read(LOG)
    (repo.path / LOG).unlink()
    (repo.path / SNAPSHOT).unlink()
    real = append_locked

    def with_somebody_elses_line(*args: object) -> None:
        repo.write(LOG, line)
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(emitting, "append_locked", with_somebody_elses_line)
    monkeypatch.setattr(emitting, "journal_of", lambda _feature: None)
    repo.git("checkout", "-q", "--", FOLDER)
    claim(repo)
    assert (lane_in(repo, WP01), lane_in(repo, WP02)) == ("claimed", "claimed")
    assert b"2 work packages: 2 claimed" in repo.read(TASKS)
    assert not list((repo.path / FOLDER).rglob(".*.tmp"))


def test_an_append_that_fails_leaves_no_view_behind(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object) -> None:
        raise OutcomeUnknownError("the disk did not answer")

    monkeypatch.setattr(emitting, "journal_of", lambda _feature: None)
    monkeypatch.setattr(emitting, "append_locked", unknown)
    before = tree(repo.path / FOLDER)
    with pytest.raises(OutcomeUnknownError):
        claim(repo)
    assert tree(repo.path / FOLDER) == before


def test_a_repeated_call_mends_views_that_the_first_one_left(repo: GitRepo) -> None:
    event_id = claim(repo).event["event_id"]
    repo.git("checkout", "-q", "--", f"{FOLDER}/tasks", TASKS)
    again = claim(repo, event_id=event_id)
    assert (again.replayed, written(again)) == (True, [WP01, TASKS])


def test_what_a_killed_call_has_left_beside_a_file_goes_with_the_next(repo: GitRepo) -> None:
    leftover = repo.path / FOLDER / "tasks" / f".WP01.md.{os.getpid()}.abcdef.tmp"
    leftover.write_text("half a f")
    claim(repo)
    assert not leftover.exists()


def test_where_the_snapshot_cannot_be_written_the_warning_names_the_views_too(repo: GitRepo) -> None:
    repo.write(f"{SNAPSHOT}/x", "")
    answer = ask(repo.path, "emit", "WP01", "--to", "claimed", "--actor", "ada", "--feature", SLUG, "--json")
    assert (answer.code, lane_in(repo, WP01)) == (0, "planned")
    assert "recorded, but neither status.json nor its views were written" in answer.envelope["warnings"][0]
    assert not [path for path in tree(repo.path) if path.endswith(".tmp")]
