"""A claim is given back by its holder and taken over by another when it is stale; both leave an event behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER, LOG, SLUG, Answer, ask, emit, tree
from events import line, ulid
from kanban import KANBAN

if TYPE_CHECKING:
    from gitrepo import GitRepo


def call(repo: GitRepo, verb: str, actor: str, *args: str) -> Answer:
    return ask(repo.path, verb, "WP01", "--actor", actor, "--feature", SLUG, "--json", *args)


def event(answer: Answer) -> dict[str, Any]:
    assert answer.code == 0, answer
    found: dict[str, Any] = answer.data["event"]
    return found


def held(repo: GitRepo, *lanes: str, days: float = 0) -> GitRepo:
    """Return the repository with WP01 brought through these lanes by ada, the last one so many days ago."""
    start = datetime.now(UTC) - timedelta(days=days, minutes=len(lanes))
    lines = []
    for number, (before, lane) in enumerate(zip(("planned", *lanes), lanes, strict=False), start=1):
        at = (start + timedelta(minutes=number)).isoformat()
        parents = [ulid(number - 1)] if number > 1 else []
        fields = {"event_id": ulid(number), "from_lane": before, "to_lane": lane, "at": at, "actor": "ada"}
        lines.append(line(**fields, parents=parents))
    repo.write(LOG, b"".join(lines))
    return repo


def test_a_holder_gives_a_claim_back_by_a_forced_event_and_work_in_progress_by_a_legal_one(repo: GitRepo) -> None:
    found = event(call(held(repo, "claimed"), "release", "ada"))
    assert (found["from_lane"], found["to_lane"], found["force"]) == ("claimed", "planned", True)
    assert found["reason"] == "release: given back"
    emit(repo.path, "WP01", "claimed", actor="ben")
    emit(repo.path, "WP01", "in_progress", actor="ben")
    found = event(call(repo, "release", "ben", "--reason", "waiting for the design"))
    assert (found["from_lane"], found["to_lane"], found["force"]) == ("in_progress", "planned", False)
    assert found["reason"] == "release: waiting for the design"
    assert ask(repo.path, "validate", SLUG).code == 0


def test_nobody_else_gives_a_claim_back_without_force_and_a_reason(repo: GitRepo) -> None:
    held(repo, "claimed")
    before = tree(repo.path / FOLDER)
    answer = call(repo, "release", "ben")
    assert (answer.code, answer.error["code"], answer.error["context"]["holder"]) == (5, "held-by-other", "ada")
    assert call(repo, "release", "ben", "--force").code == 2
    assert tree(repo.path / FOLDER) == before
    found = event(call(repo, "release", "ben", "--force", "--reason", "ada has left"))
    assert (found["actor"], found["reason"]) == ("ben", "release of ada: ada has left")


@pytest.mark.parametrize("lanes", [(), ("claimed", "in_progress", "for_review"), ("canceled",)])
@pytest.mark.parametrize("verb", ["release", "take-over"])
def test_what_nobody_holds_is_neither_given_back_nor_taken_over(repo: GitRepo, verb: str, lanes: tuple[str]) -> None:
    held(repo, *lanes, days=100)
    answer = call(repo, verb, "ada")
    assert (answer.code, answer.error["code"]) == (3, "move-refused")
    assert "nobody holds it" in answer.error["message"]


@pytest.mark.parametrize(
    ("lanes", "days", "stale"),
    [
        (("claimed",), 6.9, False),
        (("claimed",), 7.1, True),
        (("claimed", "in_progress"), 13.9, False),
        (("claimed", "in_progress"), 14.1, True),
    ],
)
def test_a_claim_is_taken_over_once_it_is_stale(
    repo: GitRepo, lanes: tuple[str, ...], days: float, stale: bool
) -> None:
    answer = call(held(repo, *lanes, days=days), "take-over", "ben")
    assert answer.code == (0 if stale else 5), answer
    if not stale:
        assert answer.error["context"]["holder"] == "ada"
        return
    found = event(answer)
    assert (found["from_lane"], found["to_lane"], found["force"]) == (lanes[-1], lanes[-1], True)
    assert found["reason"].startswith("take-over from ada, who held it since ")
    assert answer.data["state"]["actor"] == "ben"
    assert ask(repo.path, "validate", SLUG).code == 0
    assert call(repo, "take-over", "cy").code == 5


def test_the_configuration_says_when_a_claim_is_stale(repo: GitRepo) -> None:
    held(repo, "claimed", days=2)
    repo.write(".kittify/config.yaml", "status:\n  stale_claimed_days: 1\n  stale_in_progress_days: 3\n")
    assert call(repo, "take-over", "ben", "--dry-run").code == 0
    held(repo, "claimed", "in_progress", days=2)
    assert call(repo, "take-over", "ben", "--dry-run").code == 5
    for wrong in ("0", "-1", "soon", "1.5", "999999"):
        repo.write(".kittify/config.yaml", f"status:\n  stale_claimed_days: {wrong}\n")
        answer = call(repo, "take-over", "ben")
        assert (answer.code, answer.error["code"]) == (2, "configuration")
        assert "config.yaml:2: status.stale_claimed_days is" in answer.error["message"]


def test_a_fresh_claim_is_taken_over_with_force_and_a_reason_only(repo: GitRepo) -> None:
    held(repo, "claimed")
    assert call(repo, "take-over", "ben", "--force").code == 2
    found = event(call(repo, "take-over", "ben", "--force", "--reason", "ada is ill"))
    assert found["reason"].endswith(": ada is ill")
    again = call(repo, "take-over", "ben")
    assert (again.code, again.error["message"]) == (3, "ben holds WP01 already")


@pytest.mark.parametrize("verb", ["release", "take-over"])
def test_both_need_an_actor(repo: GitRepo, verb: str) -> None:
    answer = ask(held(repo, "claimed", days=30).path, verb, "WP01", "--feature", SLUG, "--json")
    assert (answer.code, answer.error["message"]) == (3, "a claim belongs to somebody")


def test_a_stale_claim_of_another_work_tree_is_taken_over_here(repo: GitRepo, tmp_path: Path) -> None:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    repo.commit()
    other = repo.worktree(tmp_path / "other", "other")
    held(other, "claimed", days=8)
    answer = call(repo, "take-over", "ben")
    found = event(answer)
    assert (found["from_lane"], found["to_lane"]) == ("planned", "claimed")
    assert f"take-over from ada, who held it in the work tree {other.path} (branch other) since" in found["reason"]
    assert answer.data["state"]["actor"] == "ben"


def test_nothing_is_written_under_dry_run_and_commit_commits(repo: GitRepo) -> None:
    held(repo, "claimed", days=8)
    repo.commit()
    before = tree(repo.path / FOLDER)
    assert call(repo, "take-over", "ben", "--dry-run").data["dry_run"]
    assert tree(repo.path / FOLDER) == before
    assert call(repo, "take-over", "ben", "--commit").data["commit"]
    assert call(repo, "release", "ben", "--commit").data["commit"]
    assert repo.git("status", "--porcelain") == ""


def test_in_a_profile_of_its_own_a_claim_goes_back_to_where_it_can_be_claimed_again(repo: GitRepo) -> None:
    repo.write(".kittify/config.yaml", KANBAN)
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    for lane in ("ready", "working"):
        assert emit(repo.path, "WP01", lane, actor="ada").code == 0
    found = event(call(repo, "release", "ada"))
    assert (found["to_lane"], found["force"]) == ("ready", False)
    assert emit(repo.path, "WP01", "working", actor="ben").code == 0


@pytest.mark.parametrize("verb", ["release", "take-over"])
def test_a_work_package_that_no_name_can_be_is_refused_by_both(repo: GitRepo, verb: str) -> None:
    held(repo, "claimed")
    answer = ask(repo.path, verb, "../x", "--actor", "ada", "--feature", SLUG, "--json")
    assert (answer.code, answer.error["code"]) == (2, "invalid-name")
