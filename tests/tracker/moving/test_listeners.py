"""Whoever registers as a listener hears of acknowledged events, and can do no harm to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, KITTY, LOG, SLUG, Answer, answer_to
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving import listeners
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest

if TYPE_CHECKING:
    from gitrepo import GitRepo

NOTE = """
import json, pathlib, sys, time
def heard(what):
    row = {"event": what.event["event_id"], "lane": what.state["lane"], "slug": what.feature_slug}
    row |= {"folder": str(what.folder), "replayed": what.replayed}
    with open(pathlib.Path(__file__).with_name("heard.jsonl"), "a") as file:
        file.write(json.dumps(row) + "\\n")
def prints(what):
    print("something on stdout")
def fails(what):
    what.event["to_lane"] = "spoilt"
    raise RuntimeError("no network")
def leaves(what):
    sys.exit(3)
def sleeps(what):
    time.sleep(60)
"""


class Listeners:
    """A distribution of listeners that a process of the command finds on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "my_board.py").write_text(NOTE)

    def register(self, *functions: str, module: str = "my_board") -> None:
        info = self.folder / "my_board-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-board\nVersion: 1.0\n")
        entries = "".join(f"{name} = {module}:{name}\n" for name in functions)
        (info / "entry_points.txt").write_text(f"[{listeners.GROUP}]\n{entries}")

    def emit(self, repo: GitRepo, to: str, *args: str, **environment: str) -> Answer:
        argv = [KITTY, "emit", "WP01", "--to", to, "--actor", "ada", "--feature", SLUG, "--json", *args]
        variables = {**os.environ, "PYTHONPATH": str(self.folder), **environment}
        done = subprocess.run(argv, cwd=repo.path, env=variables, capture_output=True, text=True, check=False)
        return answer_to(argv, done.returncode, done.stdout, done.stderr)

    @property
    def heard(self) -> list[dict[str, object]]:
        path = self.folder / "heard.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def board(tmp_path: Path, repo: GitRepo) -> Listeners:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    return Listeners(tmp_path / "site")


def test_a_listener_hears_of_each_acknowledged_event(board: Listeners, repo: GitRepo) -> None:
    board.register("heard")
    answer = board.emit(repo, "claimed")
    event_id = answer.data["event"]["event_id"]
    folder = str(repo.path / FOLDER)
    told = {"event": event_id, "lane": "claimed", "slug": SLUG, "folder": folder, "replayed": False}
    assert (answer.envelope["warnings"][1:], board.heard) == ([], [told])
    assert board.emit(repo, "claimed", "--event-id", event_id).data["replayed"]
    assert board.heard == [told, {**told, "replayed": True}]


def test_what_is_refused_or_only_tried_is_not_heard_of(board: Listeners, repo: GitRepo) -> None:
    board.register("heard")
    assert board.emit(repo, "done").code == 3
    assert board.emit(repo, "claimed", "--dry-run").code == 0
    assert board.emit(repo, "claimed", KITTY_STATUS_LISTENERS="0").code == 0
    assert board.heard == []


def test_a_listener_that_fails_leaves_or_prints_changes_nothing_but_the_warnings(
    board: Listeners, repo: GitRepo
) -> None:
    board.register("fails", "heard", "leaves", "prints", "missing")
    answer = board.emit(repo, "claimed")
    assert answer.code == 0
    warnings = [warning for warning in answer.envelope["warnings"] if warning.startswith("listener")]
    assert [warning.partition("; ")[0] for warning in warnings] == [
        "listener fails failed: RuntimeError: no network",
        "listener leaves failed: SystemExit: 3",
        "listener missing failed: AttributeError: module 'my_board' has no attribute 'missing'",
    ]
    assert answer.data["event"]["to_lane"] == "claimed"
    assert json.loads((repo.path / LOG).read_text())["to_lane"] == "claimed"
    assert [row["lane"] for row in board.heard] == ["claimed"]
    assert "something on stdout" in answer.err


def test_a_module_that_cannot_be_imported_is_reported(board: Listeners, repo: GitRepo) -> None:
    board.register("heard", module="gone_away")
    answer = board.emit(repo, "claimed")
    assert answer.code == 0
    assert "listener heard failed: ModuleNotFoundError" in answer.envelope["warnings"][-1]


def test_a_listener_that_does_not_finish_is_left_alone(board: Listeners, repo: GitRepo) -> None:
    board.register("heard", "sleeps")
    answer = board.emit(repo, "claimed")
    assert answer.code == 0
    assert "listener sleeps had not finished after 2.0 s and was left alone" in answer.envelope["warnings"][-1]
    assert len(board.heard) == 1


def test_once_the_time_for_all_is_over_the_others_are_named_and_not_called(
    board: Listeners, repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.register("heard", "prints")
    monkeypatch.syspath_prepend(str(board.folder))
    monkeypatch.setattr(listeners, "SECONDS_IN_ALL", 0.0)
    request = EmitRequest(wp_id="WP01", to_lane="claimed", actor="ada", feature=SLUG)
    emitted = emit(Project(repo.path), Config(), request)
    assert [warning for warning in emitted.warnings if warning.startswith("listener")] == [
        f"listener {name} was not called: those before it took all the time there is" for name in ("heard", "prints")
    ]
    assert board.heard == []


def test_events_are_appended_to_the_telemetry_file(board: Listeners, repo: GitRepo, tmp_path: Path) -> None:
    sink = tmp_path / "events.jsonl"
    for lane in ("claimed", "in_progress"):
        assert board.emit(repo, lane, KITTY_STATUS_TELEMETRY=str(sink)).code == 0
    rows = [json.loads(line) for line in sink.read_text().splitlines()]
    assert [(row["feature"], row["event"]["to_lane"], row["state"]["lane"]) for row in rows] == [
        (SLUG, "claimed", "claimed"),
        (SLUG, "in_progress", "in_progress"),
    ]


def test_a_telemetry_file_that_cannot_be_written_is_a_warning(board: Listeners, repo: GitRepo, tmp_path: Path) -> None:
    answer = board.emit(repo, "claimed", KITTY_STATUS_TELEMETRY=str(tmp_path))
    assert answer.code == 0
    assert "listener telemetry failed: UnsafeLogError" in answer.envelope["warnings"][-1]


def test_where_nobody_registered_nothing_is_loaded_for_it(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    code = (
        "import sys; from pathlib import Path\n"
        "from kitty_status.tracker.moving.listeners import _listeners\n"
        "assert list(_listeners()) == [], 'somebody registered'\n"
        "assert 'importlib.metadata' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
