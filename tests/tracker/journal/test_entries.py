"""A journal that somebody has written into: what is no entry is kept, reported, and followed nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import LOG, SLUG, ask, emit, feature_in
from gitrepo import GitRepo
from kitty_status.git.repository import find_repository
from kitty_status.tracker.journal import entries
from kitty_status.tracker.journal.entries import read_book

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

JOURNAL = f".git/kitty-status/journal/{SLUG}.jsonl"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository with one event in the journal and its log committed without it."""
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    emit(repo.path, "WP01", "claimed")
    repo.commit("claimed")
    emit(repo.path, "WP02", "claimed")
    repo.git("reset", "-q", "--hard")
    (repo.path / ".git/kitty-status/journal/reflogs").unlink(missing_ok=True)
    return repo


def entry_of(repo: GitRepo) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(repo.read(JOURNAL).splitlines()[-1])
    return row


def event_with(line: str, **changes: object) -> str:
    event = {**json.loads(line), **changes}
    return json.dumps({key: value for key, value in event.items() if value != "absent"}, sort_keys=True)


def assert_is_no_entry(repo: GitRepo, row: dict[str, Any]) -> None:
    before = repo.read(LOG)
    written = json.dumps(row, sort_keys=True).encode() + b"\n"
    repo.write(JOURNAL, written)
    answer = ask(repo.path, "reconcile-journal")
    assert answer.code == 1
    assert "holds lines that are no entries; they are kept" in answer.err
    assert repo.read(JOURNAL) == written
    assert repo.read(LOG) == before
    assert repo.git("status", "--porcelain") == ""
    emit(repo.path, "WP03", "claimed")


@pytest.mark.parametrize(
    "changes",
    [{"at": "absent"}, {"at": "nonsense"}, {"at": 5}, {"wp_id": "absent"}, {"event_id": 5}, {"to_lane": "nowhere"}],
)
def test_an_entry_whose_event_is_none_is_kept_and_reported(repo: GitRepo, changes: dict[str, object]) -> None:
    row = entry_of(repo)
    assert_is_no_entry(repo, {**row, "line": event_with(row["line"], **changes)})


@pytest.mark.parametrize(
    "log",
    [
        "",
        ".git/config",
        "README.md",
        "../status.events.jsonl",
        "/status.events.jsonl",
        "a/.GIT/status.events.jsonl",
        f"{LOG}/",
        f"./{LOG}",
        LOG.replace("/", "//"),
        f"{LOG}\x00zz",
    ],
)
def test_an_entry_that_leads_to_no_log_is_kept_and_reported(repo: GitRepo, log: str) -> None:
    assert_is_no_entry(repo, {**entry_of(repo), "log": log})


def test_an_entry_of_two_lines_is_kept_and_reported(repo: GitRepo) -> None:
    row = entry_of(repo)
    assert_is_no_entry(repo, {**row, "line": row["line"].replace(", ", ",\n", 1)})


def test_entries_that_were_understood_once_are_the_same_and_so_many_are_kept(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wp in ("WP03", "WP04"):
        emit(repo.path, wp, "claimed")
    repository = find_repository(str(repo.path))
    assert repository is not None
    first, again = (read_book(repository, SLUG).entries for _ in range(2))
    assert [entry.row() for entry in first] == [entry.row() for entry in again]
    assert [entry.event["wp_id"] for entry in again][-3:] == ["WP02", "WP03", "WP04"]
    monkeypatch.setattr(entries, "_MOST_UNDERSTOOD", 2)
    entries._understood.clear()
    assert [entry.row() for entry in read_book(repository, SLUG).entries] == [entry.row() for entry in first]
    assert len(entries._understood) <= 2
