"""The event store of whoever names none."""

from __future__ import annotations

from pathlib import Path

import pytest

import kitty_status
from kitty_status.eventstore import EventStoreError, MemoryEventStore, NewEvent, SqliteEventStore, StoreCode
from kitty_status.git.run import git
from kitty_status.tracker.default_store import VARIABLE, open_store


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "work?%20").mkdir()
    monkeypatch.chdir(tmp_path / "work?%20")


def path_of(url: str | None = None) -> Path:
    with open_store(url) as store:
        assert isinstance(store, SqliteEventStore)
        store.append(NewEvent(type="Opened"))
        return store.path.resolve()


def test_in_a_repository_all_work_trees_share_one_in_the_common_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "work?%20"
    git(["init", "-q", "-b", "main"], cwd=str(here))
    git(["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"], cwd=str(here))
    git(["worktree", "add", "-q", str(tmp_path / "linked")], cwd=str(here))
    first = path_of()
    assert first == here / ".git" / "kitty-status" / "events.db"
    monkeypatch.chdir(tmp_path / "linked")
    assert path_of() == first
    with open_store() as store:
        assert store.head() == 2


def test_elsewhere_it_lies_in_the_users_data_folder(tmp_path: Path) -> None:
    assert path_of().name == "events.db"
    assert not list((tmp_path / "work?%20").iterdir())


def test_the_environment_names_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"sqlite:{tmp_path}/mine.db")
    assert path_of() == tmp_path / "mine.db"
    assert path_of(f"sqlite:{tmp_path}/other.db") == tmp_path / "other.db"
    monkeypatch.setenv(VARIABLE, "mysql:x")
    with pytest.raises(EventStoreError, match="mysql"):
        open_store()


def test_it_is_a_public_name() -> None:
    assert isinstance(kitty_status.open_store("memory:"), MemoryEventStore)


def test_a_bare_repository_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare.git"
    git(["init", "-q", "--bare", str(bare)], cwd=str(tmp_path))
    for place in (bare, bare / "refs"):
        monkeypatch.chdir(place)
        assert path_of() == bare / "kitty-status" / "events.db"


def test_without_git_there_is_no_bare_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert path_of() == tmp_path / "data" / "kitty-status" / "events.db"


def test_a_repository_that_is_broken_is_the_stores_own_error(tmp_path: Path) -> None:
    (tmp_path / "work?%20" / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(EventStoreError, match="does not lead to a repository") as caught:
        open_store()
    assert (caught.value.code, caught.value.retryable) == (StoreCode.STORAGE_ERROR, False)
    assert "git worktree repair" in caught.value.hint
