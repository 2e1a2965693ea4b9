"""The moves of a work package told by either tool, and what both owe each other afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from commandline import SLUG, SNAPSHOT, Answer, ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitrepo import GitRepo
    from spec_kitty import Theirs

REVIEW = {"reviewer": "ben", "verdict": "approved", "reference": "PR 7"}
CHANGES = {**REVIEW, "verdict": "changes_requested", "reference": "PR 7#1"}
READY = ("--subtasks-complete", "--implementation-evidence-present")
Step = tuple[str, dict[str, Any]]
# Every lane, in four walks: a lane, and what the move to it says besides.
WALKS: dict[str, list[Step]] = {
    "to done, sent back once": [
        ("planned", {}),
        ("claimed", {}),
        ("in_progress", {}),
        ("for_review", {}),
        ("in_review", {}),
        ("in_progress", {"review": CHANGES}),
        ("for_review", {}),
        ("in_review", {}),
        ("approved", {"review": REVIEW}),
        ("done", {"review": REVIEW}),
    ],
    "given up, blocked and canceled": [
        ("planned", {}),
        ("claimed", {}),
        ("in_progress", {}),
        ("planned", {"reason": "another time"}),
        ("claimed", {}),
        ("blocked", {}),
        ("in_progress", {}),
        ("canceled", {"reason": "nobody needs it"}),
    ],
    "approved at once, sent back, left blocked and canceled from review": [
        ("planned", {}),
        ("claimed", {}),
        ("in_progress", {}),
        ("approved", {"review": REVIEW}),
        ("in_progress", {"review_ref": "PR 7#2"}),
        ("for_review", {}),
        ("in_review", {}),
        ("blocked", {"review": CHANGES}),
        ("in_progress", {}),
        ("for_review", {}),
        ("in_review", {}),
        ("canceled", {"review": CHANGES}),
    ],
    "by force": [
        ("planned", {}),
        ("in_review", {"force": "found in review"}),
        ("approved", {"force": "Zo\u00eb said so"}),
        ("done", {"force": "released"}),
        ("in_progress", {"force": "it was not"}),
    ],
}


def of_ours(step: Step) -> list[str]:
    to, says = step
    options = ["--to", to, "--actor", "ada", "-f", SLUG, "--execution-mode", "direct_repo"]
    if "review" in says:
        options += [part for key, value in says["review"].items() for part in (f"--{key}", value)]
    options += ["--review-ref", says["review_ref"]] if "review_ref" in says else []
    options += ["--reason", says["reason"]] if "reason" in says else []
    return [*options, "--force", "--reason", says["force"]] if "force" in says else options


def of_theirs(step: Step, before: str) -> list[str]:
    to, says = step
    options = [to, *(READY if to == "for_review" else ())]
    if "review" in says and before == "in_review":
        options += ["--review-result-json", json.dumps(says["review"])]
    if "review" in says and to in ("approved", "done"):
        options += ["--evidence-json", json.dumps({"review": says["review"]})]
    options += ["--review-ref", says["review_ref"]] if "review_ref" in says else []
    options += ["--reason", says["reason"]] if "reason" in says else []
    return [*options, "--force", "--reason", says["force"]] if "force" in says else options


def ours(repo: GitRepo, *call: str, code: int = 0) -> Answer:
    answer = ask(repo.path, *call)
    assert answer.code == code, (call, answer)
    return answer


def findings(repo: GitRepo) -> list[dict[str, Any]]:
    (found,) = ours(repo, "validate", SLUG, "--json").data
    listed: list[dict[str, Any]] = found["findings"]
    return listed


def their_move(repo: GitRepo, theirs: Theirs, wp_id: str, step: Step, before: str) -> None:
    if step[0] == "for_review":
        # Their gate does not ask the checkboxes but the log.
        theirs.task(repo, "mark-status", "T001", "--status", "done")
    theirs.emit(repo, wp_id, *of_theirs(step, before))


def walk(repo: GitRepo, theirs: Theirs, wp_id: str, steps: Sequence[Step], tools: str) -> None:
    """Take a work package along; `tools` says by whom, one letter for each step in turn: `o`urs or `t`heirs."""
    before = "genesis"
    for number, step in enumerate(steps):
        if tools[number % len(tools)] == "t":
            their_move(repo, theirs, wp_id, step, before)
        else:
            ours(repo, "emit", wp_id, *of_ours(step))
        before = step[0]


def check_both_agree(repo: GitRepo, theirs: Theirs, lanes: dict[str, str], warnings: Sequence[str] = ()) -> None:
    """Hold the repository to everything that two tools on one log owe each other; `warnings` of ours are known."""
    assert [each["code"] for each in findings(repo)] == list(warnings)
    checked = theirs.status(repo, "validate")
    assert (checked["passed"], checked["errors"], checked["warnings"]) == (True, [], [])
    for name, shown in {
        "ours": {wp: each["lane"] for wp, each in ours(repo, "show", SLUG, "--json").data["work_packages"].items()},
        "theirs": {wp: each["lane"] for wp, each in theirs.status(repo, "materialize")["work_packages"].items()},
    }.items():
        assert shown == lanes, name
    written = repo.read(SNAPSHOT)
    assert written == theirs.snapshot(repo)
    assert "up to date" in ours(repo, "materialize", SLUG).out
    theirs.status(repo, "materialize")
    assert repo.read(SNAPSHOT) == written
