"""Findings about views: what was edited by hand, what cannot be read, and how bad that is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, Answer, ask, tree
from events import line
from gitrepo import GitRepo
from kitty_status.checks import views as checked
from kitty_status.checks.views import view_findings
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.views.materialize import reduce_with_oid

if TYPE_CHECKING:
    from pathlib import Path

WP01 = f"{FOLDER}/tasks/WP01.md"
TASKS = f"{FOLDER}/tasks.md"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "repo")
    repo.write(WP01, "---\nlane: planned\n---\n")
    repo.write(TASKS, "# Work packages\n")
    repo.write(LOG, line())
    assert ask(repo.path, "materialize", SLUG).code == 0
    return repo


def findings(answer: Answer) -> list[tuple[str, str, str, int | None]]:
    return [
        (each["code"], each["severity"], each["path"], each["line"])
        for feature in answer.data
        for each in feature["findings"]
    ]


def validate(repo: GitRepo) -> Answer:
    return ask(repo.path, "validate", SLUG, "--json")


def edit(repo: GitRepo, path: str, old: bytes, new: bytes) -> None:
    assert old in repo.read(path)
    repo.write(path, repo.read(path).replace(old, new))


@pytest.mark.parametrize("path", [WP01, TASKS])
def test_a_view_that_was_edited_by_hand_is_drift_until_it_is_materialized(repo: GitRepo, path: str) -> None:
    assert findings(validate(repo)) == []
    edit(repo, path, b"claimed", b"done")
    before = tree(repo.path)
    answer = validate(repo)
    assert (answer.code, findings(answer)) == (0, [("view-drift", "warning", path, None)])
    words = "the lane is done in this file and claimed in the log"
    assert answer.data[0]["findings"][0]["message"] == (
        words if path == WP01 else "the status in this file is not what the log says"
    )
    assert ask(repo.path, "materialize", SLUG, "--check").code == 1
    dry = ask(repo.path, "materialize", SLUG, "--dry-run", "--json")
    assert dry.data[0]["views"] == [{"path": path, "drifted": True, "written": False}]
    assert tree(repo.path) == before
    mended = ask(repo.path, "materialize", SLUG, "--json")
    assert mended.data[0]["views"] == [{"path": path, "drifted": True, "written": True}]
    assert findings(validate(repo)) == []
    assert ask(repo.path, "materialize", SLUG, "--check").code == 0


def test_drift_is_an_error_where_the_log_alone_counts(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/meta.json", json.dumps({"status_phase": 2}))
    edit(repo, WP01, b"claimed", b"done")
    answer = validate(repo)
    assert (answer.code, findings(answer)) == (1, [("view-drift", "error", WP01, None)])


@pytest.mark.parametrize("views", ["off", "auto"])
def test_where_views_are_off_nothing_is_drift(repo: GitRepo, views: str) -> None:
    edit(repo, WP01, b"claimed", b"done")
    repo.write(TASKS, "<!-- kitty-status:end -->\n")
    repo.write(f"{FOLDER}/meta.json", json.dumps({"mission_slug": SLUG}) if views == "auto" else "{}")
    repo.write(".kittify/config.yaml", f"status:\n  views: {views}\n  snapshot: own\n")
    assert findings(validate(repo)) == []
    assert ask(repo.path, "emit", "WP01", "--to", "in_progress", "--actor", "ada", "--feature", SLUG).code == 0
    assert b"lane: done" in repo.read(WP01)


@pytest.mark.parametrize(
    ("path", "text", "line_number"),
    [
        (WP01, "---\nlane: claimed2\nx: &a b\ny: *a\n---\n", 3),
        (WP01, "---\nlane: claimed2\nx: !!python/object y\n---\n", 3),
        (WP01, "---\nlane: claimed2\nlane: claimed3\n---\n", 3),
        (WP01, f"---\nlane: claimed\nx: {'y' * 65536}\n---\n", 1),
        (WP01, "---\n{lane: claimed\n---\n", None),
        (TASKS, "a\n\n<!-- kitty-status:end -->\n<!-- kitty-status:begin -->\n", 3),
        (f"{FOLDER}/tasks/WP01-other.md", "", None),
    ],
)
def test_a_view_that_cannot_be_made_is_a_finding_and_stops_no_other_check(
    repo: GitRepo, path: str, text: str, line_number: int | None
) -> None:
    repo.write(path, text)
    answer = validate(repo)
    assert answer.code == 1
    assert [each[:3] for each in findings(answer) if each[0] != "view-drift"] == [
        ("view-unreadable", "error", path),
    ]
    if line_number is not None:
        assert findings(answer)[-1][3] == line_number
    finding = answer.data[0]["findings"][-1]
    assert finding["hint"]
    assert not finding["message"].startswith(f"{path}:")
    before = tree(repo.path)
    materialized = ask(repo.path, "materialize", SLUG)
    assert (materialized.code, "a view was not written" in materialized.err) == (1, True)
    assert tree(repo.path) == before


def test_links_and_folders_in_the_place_of_views_are_findings(repo: GitRepo, tmp_path: Path) -> None:
    (repo.path / FOLDER / "tasks").rename(tmp_path / "tasks")
    (repo.path / FOLDER / "tasks").symlink_to(tmp_path / "tasks")
    (repo.path / TASKS).unlink()
    (repo.path / TASKS).mkdir()
    edit(repo, WP01, b"claimed", b"done")
    assert findings(validate(repo)) == [
        ("view-unreadable", "error", f"{FOLDER}/tasks", None),
        ("view-unreadable", "error", TASKS, None),
    ]
    assert ask(repo.path, "materialize", SLUG).code == 1
    assert b"lane: done" in (tmp_path / "tasks/WP01.md").read_bytes()


def test_what_an_event_has_changed_meanwhile_is_no_drift(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    feature = feature_at(repo.path / FOLDER)
    before, _ = reduce_with_oid(feature, Config())
    assert ask(repo.path, "emit", "WP01", "--to", "in_progress", "--actor", "ada", "--feature", SLUG).code == 0
    assert view_findings(feature, Config(), before) == []
    monkeypatch.setattr(checked, "reduce_with_oid", lambda *_: (before, None))
    assert [finding.path for finding in view_findings(feature, Config(), before)] == [WP01, TASKS]


def test_doctor_writes_views_that_have_drifted(repo: GitRepo) -> None:
    edit(repo, WP01, b"claimed", b"done")
    assert "view-drift" in ask(repo.path, "doctor", "--check", "view-drift").out
    assert ask(repo.path, "doctor", "--check", "view-drift", "--fix").code == 0
    assert b"lane: claimed" in repo.read(WP01)
