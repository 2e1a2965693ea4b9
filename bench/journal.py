"""What keeping an event costs: the journal and the log, and a whole emit, against one append that the disk confirms."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from bench.durable_append import event_to_append
from bench.logs import write_log
from bench.measuring import BenchmarkError, in_turn, ratio
from bench.places import RESULTS
from bench.repository import LOG, Repository

from kitty_status.jsonl.append import append_locked
from kitty_status.jsonl.codec import encode
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.journal.reconcile import reconcile
from kitty_status.tracker.journal.writing import Journal, journal_of
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.measuring import Figure

    from kitty_status.tracker.features import Feature

_ROUNDS = 150
_LINES = 60
_WORK_PACKAGES = 10
_LANES = ("claimed", "blocked")
_COMMITS_EVERY = 5
_OF = "one append that the disk confirms"


def run(folder: Path) -> Iterator[Figure]:
    """Measure a log as long as real ones, in wall time: the wait for the disk is most of it."""
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as here:
        project = Repository(Path(here) / "project")
        features = [project.path / "kitty-specs" / slug for slug in ("one", "journaled", "emitted")]
        for feature in features:
            feature.mkdir(parents=True)
            shutil.copyfile(write_log(folder, _LINES), feature / LOG)
        project.commit("logs")
        one, journaled = feature_at(features[0]), feature_at(features[1])
        journal = journal_of(journaled)
        if journal is None:
            raise BenchmarkError("there is no journal to be measured")
        emits = _Emits(project)
        times = in_turn(
            _ROUNDS,
            {"one": lambda: _append(one, None), "both": lambda: _append(journaled, journal), "emit": emits},
        )
    yield ratio("journal and log append", times["both"], times["one"], target=2.5, of=_OF)
    yield ratio("emit with its snapshot", times["emit"], times["one"], target=7, of=_OF)


def _append(feature: Feature, journal: Journal | None) -> float:
    line = encode(event_to_append().to_dict(), json.dumps)
    started = time.perf_counter()
    with exclusive(feature.place.lock):
        if journal is None:
            append_locked(feature.place, line)
        else:
            journal.append(feature.place, line)
    return time.perf_counter() - started


class _Emits:
    """Moves one work package after the other, back and forth, and makes sure that no git is started for it."""

    def __init__(self, repository: Repository) -> None:
        clone = Project(repository.path).repository
        if clone is None:
            raise BenchmarkError("outside git there is nothing to be measured")
        self._repository = repository
        self._clone = clone
        self._root = repository.path
        self._count = 0

    def __call__(self) -> float:
        self._count += 1
        request = EmitRequest(
            wp_id=f"WP{1 + self._count % _WORK_PACKAGES:02}",
            to_lane=_LANES[self._count // _WORK_PACKAGES % 2],
            actor="ada",
            feature="emitted",
            force=True,
            reason="measured",
        )
        project = Project(self._root)
        if self._count % _COMMITS_EVERY == 0:
            self._repository.commit("moves")
            reconcile(self._clone)
        # The first emit asks once whether git ignores the log.
        with _no_git() if self._count > 1 else nullcontext():
            started = time.perf_counter()
            emit(project, Config(), request)
            return time.perf_counter() - started


@contextmanager
def _no_git() -> Iterator[None]:
    path = os.environ["PATH"]
    os.environ["PATH"] = ""
    try:
        yield
    finally:
        os.environ["PATH"] = path
