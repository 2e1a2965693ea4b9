"""What a move costs in a feature with a hundred work packages, against one in a feature with a single one.

Each work package has a file and three events, and `tasks.md` is there, so that whatever is written beside the log is
written: the snapshot, and the views. The CPU time of the whole call is measured in this process, where starting Python
does not hide the difference, and without what the process remembers of the log: a command remembers nothing.
"""

from __future__ import annotations

import json
import shutil
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.measuring import BenchmarkError, in_turn, ratio
from bench.repository import LOG, Repository

from kitty_status.jsonl.codec import encode
from kitty_status.tracker import recent
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest
from kitty_status.tracker.views.materialize import materialize_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.measuring import Figure

_ROUNDS = 41
_MANY = 100
_MOVES = ("planned", "claimed", "in_progress", "for_review")
_OF = "the same with one work package"
_FILE = """\
---
work_package_id: {wp}
title: The work of {wp}
lane: for_review  # written by hand before there was a log
subtasks: [T001, T002]
---

# {wp}

- [x] T001 the first half
- [x] T002 the other half
"""


def run(folder: Path) -> Iterator[Figure]:
    """Measure a move by `emit` and a `materialize` of everything, each in features of both sizes."""
    repository = Repository(folder / "project")
    one, many = (_Moved(repository, slug, count) for slug, count in (("001-one", 1), ("100-many", _MANY)))
    repository.commit("features")
    for moved in (one, many):
        moved.settle()
    times = in_turn(
        _ROUNDS,
        {
            "emit one": one.emit,
            "emit many": many.emit,
            "materialize one": one.materialize,
            "materialize many": many.materialize,
        },
    )
    name = f"with {_MANY} work packages"
    yield ratio(f"emit {name}", times["emit many"], times["emit one"], target=3, of=_OF)
    yield ratio(f"materialize {name}", times["materialize many"], times["emit one"], target=3, of="emit with one")


class _Moved:
    """A feature in which a work package is moved; after each move everything is as it was."""

    def __init__(self, repository: Repository, slug: str, count: int) -> None:
        self._slug = slug
        self._root = repository.path
        self._folder = repository.path / "kitty-specs" / slug
        self._journal = repository.path / ".git" / "kitty-status" / "journal"
        wps = [f"WP{number:02}" for number in range(1, count + 1)]
        (self._folder / "tasks").mkdir(parents=True)
        for wp in wps:
            (self._folder / "tasks" / f"{wp}-work.md").write_text(_FILE.format(wp=wp), encoding="utf-8")
        listed = "".join(f"- {wp}\n" for wp in wps)
        (self._folder / "tasks.md").write_text(f"# Tasks\n\n{listed}", encoding="utf-8")
        (self._folder / LOG).write_bytes(b"".join(_lines(slug, wps)))
        self._before: dict[Path, bytes] = {}

    def settle(self) -> None:
        """Write what belongs beside the log, so that a move alone has to be written from now on."""
        materialize_folder(self._folder)
        self._before = {path: path.read_bytes() for path in sorted(self._folder.rglob("*")) if path.is_file()}

    def emit(self) -> float:
        """Move a work package, and take that back unmeasured; return the CPU seconds of the move."""
        request = EmitRequest(wp_id="WP01", to_lane="blocked", actor="ada", feature=self._slug)
        vars(recent)["_lately"].clear()
        started = time.process_time()
        emit(Project(self._root), Config(), request)
        seconds = time.process_time() - started
        if (self._folder / LOG).read_bytes().count(b"\n") != self._before[self._folder / LOG].count(b"\n") + 1:
            raise BenchmarkError("emit did not write one line")
        self._take_back()
        return seconds

    def materialize(self) -> float:
        """Return the CPU seconds that it takes to make everything from the log where the snapshot is missing."""
        (self._folder / "status.json").unlink()
        vars(recent)["_lately"].clear()
        started = time.process_time()
        materialize_folder(self._folder)
        seconds = time.process_time() - started
        if any(path.read_bytes() != content for path, content in self._before.items()):
            raise BenchmarkError("materialize did not write the same again")
        return seconds

    def _take_back(self) -> None:
        for path, content in self._before.items():
            if path.read_bytes() != content:
                path.write_bytes(content)
        # The journal would bring the event back.
        shutil.rmtree(self._journal, ignore_errors=True)


def _lines(slug: str, wps: list[str]) -> Iterator[bytes]:
    number, newest = 0, dict[str, str]()
    for before, after in pairwise(_MOVES):
        for wp in wps:
            number += 1
            event_id = f"01KE{number:022}"
            parents = [newest[wp]] if wp in newest else []
            newest[wp] = event_id
            row = {
                "event_id": event_id,
                "feature_slug": slug,
                "wp_id": wp,
                "from_lane": before,
                "to_lane": after,
                "at": f"2026-01-05T{8 + number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000000+00:00",
                "actor": "ada",
                "force": False,
                "reason": None,
                "execution_mode": "direct_repo",
                "review_ref": None,
                "evidence": None,
                "parents": parents,
            }
            yield encode(row, json.dumps)
