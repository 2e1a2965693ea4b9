"""Random moves through `emit`: what the rules allow is recorded, all else leaves no byte, and the record is sound.

A sequence moves one to three work packages of a feature, forced and unforced, by several actors, in every spelling of a
lane, with and without what guards ask for, by both profiles. A model beside it says what has to come of each move. Most
run on a file system that lives in memory (the way through `emit` down to the system calls is the same), some on the
disk of the temporary folder. `make crash` runs ten thousand and two hundred.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events import APPROVAL
from gitrepo import GitRepo
from kitty_status import EVENTS_FILENAME, SNAPSHOT_FILENAME
from kitty_status.checks.validate import validate
from kitty_status.errors import KittyStatusError, MoveRefusedError, UsageError
from kitty_status.status.lanes import PROFILES
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest, Emitted
from kitty_status.tracker.views.materialize import materialize_feature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.status.lanes import LaneProfile

SEQUENCES = int(os.environ.get("KITTY_STATUS_PROOF_SEQUENCES", "300"))
ON_DISK = max(SEQUENCES // 50, 10)
_EACH = 50
"""So many sequences share a repository."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux keeps files in memory
_SENT_BACK = {"review": {"reviewer": "ben", "verdict": "changes_requested", "reference": "PR 7"}}
_TASK = "---\nwork_package_id: {wp}\nsubtasks: [T001]\n---\n- [{tick}] T001 the only one\n"


@dataclass
class Model:
    """What the rules say, told a second time: where each work package stands, and how often it was forced."""

    profile: LaneProfile
    open_subtasks: set[str]
    lanes: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def allows(self, request: EmitRequest, target: str) -> bool:
        """Say whether a move has to be recorded."""
        said = {name for name in ("actor", "reason", "review_ref") if (getattr(request, name) or "").strip()}
        if request.force:
            return said >= {"actor", "reason"}
        source = self.leaves(request.wp_id, target)
        guard = self.profile.moves.get((source, target))
        satisfied = {
            None: False,
            "": True,
            "claim": True,
            # There is no work tree for any of them.
            "workspace": request.execution_mode != "worktree",
            "subtasks": request.wp_id not in self.open_subtasks,
            "approval": request.evidence == APPROVAL,
            "review-ref": "review_ref" in said,
            "review-result": request.evidence is not None,
            "reason": "reason" in said,
        }
        return satisfied[guard] and "actor" in said

    def leaves(self, wp_id: str, target: str) -> str:
        """Return the lane that a move leaves: at first the pre-seed lane, if it only puts the work where it begins."""
        seeded = target == self.profile.initial and ("genesis", target) in self.profile.moves
        return self.lanes.get(wp_id, "genesis" if seeded else self.profile.initial)

    def record(self, event: dict[str, Any]) -> None:
        """Take an acknowledged event for true."""
        self.lanes[event["wp_id"]] = event["to_lane"]
        self.events.append(event)

    def check_snapshot(self, snapshot: dict[str, Any]) -> None:
        """Hold a snapshot against what was acknowledged."""
        last = {event["wp_id"]: event for event in self.events}
        assert snapshot["event_count"] == len(self.events)
        assert snapshot["last_event_id"] == self.events[-1]["event_id"]
        assert snapshot["materialized_at"] == self.events[-1]["at"]
        assert snapshot["work_packages"] == {
            wp: {
                "lane": event["to_lane"],
                "actor": event["actor"],
                "last_transition_at": event["at"],
                "last_event_id": event["event_id"],
                "force_count": sum(each["force"] for each in self.events if each["wp_id"] == wp),
            }
            for wp, event in last.items()
        }
        stands = list(self.lanes.values())
        assert snapshot["summary"] == {lane: stands.count(lane) for lane in self.profile.counted}


class Sequence:
    """One feature, and what is asked of it, as a seed says."""

    def __init__(self, repo: GitRepo, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311  nothing secret
        name, self.profile = self._chance.choice(sorted(PROFILES.items()))
        self.config = Config({"lanes": name})
        self.slug = f"{seed % 1000:03}-moves-{seed}"
        self.folder = repo.path / "kitty-specs" / self.slug
        self.project = Project(repo.path)
        self.wps = [f"WP{number:02}" for number in range(1, self._chance.randint(1, 3) + 1)]
        self.model = Model(self.profile, {wp for wp in self.wps if self._chance.random() < 0.2})
        self.asked: list[EmitRequest] = []
        for wp in self.wps:
            tick = " " if wp in self.model.open_subtasks else "x"
            repo.write(f"kitty-specs/{self.slug}/tasks/{wp}.md", _TASK.format(wp=wp, tick=tick))

    def run(self) -> None:
        """Ask for one move after the other; each leads to what the model says, and to nothing else."""
        for _ in range(self._chance.randint(1, 18)):
            request, target = self._request()
            self.asked.append(request)
            before, answer = self._files(), self._ask(request)
            may = target is not None and self.model.allows(request, target)
            assert isinstance(answer, Emitted) == may, (answer, self)
            if isinstance(answer, Emitted):
                assert answer.event["to_lane"] == answer.state["lane"] == target, self
                assert answer.event["from_lane"] == self.model.leaves(request.wp_id, answer.event["to_lane"]), self
                self.model.record(answer.event)
            else:
                assert isinstance(answer, UsageError if target is None else MoveRefusedError), (answer, self)
                assert self._files() == before, self

    def check(self) -> None:
        """Hold everything that was written against the model."""
        found = validate(self.project.feature(self.slug), self.config)
        assert [finding.to_dict() for finding in found.findings] == [], self
        assert found.event_count == len(self.model.events), self
        log, snapshot = self._files()
        if not self.model.events:
            assert (log, snapshot) == (None, None), self
            return
        assert [json.loads(line) for line in (log or b"").splitlines()] == self.model.events, self
        self.model.check_snapshot({**json.loads(snapshot or b""), "log_oid": None})
        for wp, lane in self.model.lanes.items():
            assert f"\nlane: {lane}\n---\n" in (self.folder / "tasks" / f"{wp}.md").read_text(encoding="utf-8"), self
        # What emit wrote, in steps, is what the reduction of the whole log says.
        (self.folder / SNAPSHOT_FILENAME).unlink()
        materialize_feature(self.project.feature(self.slug), self.config)
        assert self._files()[1] == snapshot, self

    def __str__(self) -> str:
        return "\n".join([f"{self.slug}, {self.profile.name}:", *map(str, self.asked)])

    def _ask(self, request: EmitRequest) -> Emitted | KittyStatusError:
        try:
            return emit(self.project, self.config, request)
        except KittyStatusError as error:
            return error

    def _request(self) -> tuple[EmitRequest, str | None]:
        chance, wp = self._chance, self._chance.choice(self.wps)
        targets = self.profile.targets(self.model.lanes.get(wp, self.profile.initial))
        target: str | None = chance.choice(targets if targets and chance.random() < 0.75 else self.profile.lanes)
        spelling = self._spelled(str(target))
        if chance.random() < 0.02:
            target, spelling = None, chance.choice(["", "finished", "doing it", "planned,claimed"])
        return EmitRequest(
            wp_id=wp,
            to_lane=spelling,
            actor=chance.choice(["ada", "ben", "Žofie", "agent:claude", "ada", "ben", "ada", ""]),
            feature=self.slug,
            force=chance.random() < 0.15,
            reason=chance.choice([None, "", "because", "weil: es ist so"]),
            review_ref=chance.choice([None, "PR 7", " "]),
            evidence=chance.choice([None, APPROVAL, APPROVAL, _SENT_BACK]),
            execution_mode=chance.choice([None, "direct_repo", "worktree"]),
        ), target

    def _spelled(self, lane: str) -> str:
        aliases = [alias for alias, meant in self.profile.aliases.items() if meant == lane]
        ways = [lane, lane, lane, lane.upper(), f" {lane}\t", lane.replace("_", "-"), *aliases]
        return self._chance.choice(ways)

    def _files(self) -> tuple[bytes | None, bytes | None]:
        log, snapshot = self.folder / EVENTS_FILENAME, self.folder / SNAPSHOT_FILENAME
        return log.read_bytes() if log.exists() else None, snapshot.read_bytes() if snapshot.exists() else None


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder on a file system in memory, where the machine has one."""
    if not _IN_MEMORY.is_dir():
        pytest.skip("no file system in memory here")
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as folder:
        yield Path(folder)


def run_sequences(folder: Path, seeds: range) -> None:
    repo = GitRepo.init(folder / "repo")
    recorded = 0
    for seed in seeds:
        sequence = Sequence(repo, seed)
        sequence.run()
        sequence.check()
        recorded += len(sequence.model.events)
        shutil.rmtree(sequence.folder)
    assert recorded > len(seeds)


@pytest.mark.parametrize("first", range(0, SEQUENCES, _EACH))
def test_no_sequence_of_moves_leads_to_an_illegal_state_in_memory(memory: Path, first: int) -> None:
    run_sequences(memory, range(first, min(first + _EACH, SEQUENCES)))


@pytest.mark.parametrize("first", range(0, ON_DISK, _EACH))
def test_no_sequence_of_moves_leads_to_an_illegal_state_on_disk(tmp_path: Path, first: int) -> None:
    run_sequences(tmp_path, range(SEQUENCES + first, SEQUENCES + min(first + _EACH, ON_DISK)))
