"""A refusal names the calls that would succeed; each of them is tried."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, SLUG, ask, emit
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.transitions import ILLEGAL, Move
from kitty_status.tracker.moving.ways import ways

if TYPE_CHECKING:
    from gitrepo import GitRepo

_FILLED_IN = {"NAME": "ben", "WHERE": "PR 7", "WHY": "it is agreed"}


def call(repo: GitRepo, command: str) -> int:
    words = [_FILLED_IN.get(word, word) for word in shlex.split(command)]
    assert words[0] == "kitty-status"
    return ask(repo.path, *words[1:]).code


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ([], ["done", "--actor", "ada"]),
        ([], ["for_review"]),
        (["claimed"], ["in_progress"]),
        (["claimed", "in_progress"], ["planned", "--actor", "ada"]),
        (["claimed", "in_progress"], ["for_review", "--actor", "o'hara"]),
        (["claimed", "in_progress", "for_review"], ["done", "--actor", "ada"]),
        (["claimed", "in_progress", "for_review"], ["in_progress", "--actor", "ada"]),
        (["claimed", "in_progress", "for_review"], ["done"]),
        (["canceled"], ["planned", "--actor", "ada"]),
        (["canceled"], ["planned", "--actor", "ada", "--force"]),
        (["blocked"], ["in_progress", "--force", "--reason", "at once"]),
    ],
)
def test_the_named_calls_bring_the_work_package_where_it_was_to_go(
    repo: GitRepo, path: list[str], refused: list[str]
) -> None:
    repo.write(f"{FOLDER}/tasks.md", "## WP01\n- [x] T001 done\n")
    for lane in path:
        emit(repo.path, "WP01", lane, actor="ada")
    if refused[:1] == ["for_review"]:
        repo.write(f"{FOLDER}/tasks.md", "## WP01\n- [ ] T001 open\n")
    answer = ask(repo.path, "emit", "WP01", "--to", *refused, "--feature", SLUG, "--json")
    assert answer.code == 3, answer
    commands = answer.error["context"]["commands"]
    assert commands
    assert commands[0] in answer.error["hint"]
    for command in commands[:-1]:
        assert call(repo, command) == 0, command
    if "for_review" in commands[-1]:
        repo.write(f"{FOLDER}/tasks.md", "## WP01\n- [x] T001 done\n")
    assert call(repo, commands[-1]) == 0, commands
    shown = ask(repo.path, "show", SLUG, "--json").data["work_packages"]["WP01"]
    assert shown["lane"] == refused[0]


def test_the_way_round_is_the_shortest_and_asks_for_what_each_step_needs() -> None:
    found = ways("WP01", Move("planned", "done", actor="ada"), [ILLEGAL], SEVEN_LANE, has_open_subtasks=lambda: False)
    assert found == [
        "kitty-status emit WP01 --to claimed --actor ada",
        "kitty-status emit WP01 --to in_progress --actor ada",
        "kitty-status emit WP01 --to for_review --actor ada",
        "kitty-status emit WP01 --to done --actor ada --reviewer NAME --verdict approved --reference WHERE",
    ]
    nine = ways("WP01", Move("for_review", "done", actor=""), [ILLEGAL], NINE_LANE, has_open_subtasks=lambda: True)
    assert [command.split()[4] for command in nine] == ["in_review", "done"]
    assert nine[0] == "kitty-status emit WP01 --to in_review --actor NAME"


def test_where_somebody_else_holds_the_work_package_no_call_is_named(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    emit(repo.path, "WP01", "claimed", actor="ada")
    answer = ask(repo.path, "emit", "WP01", "--to", "claimed", "--actor", "ben", "--feature", SLUG, "--json")
    assert (answer.code, answer.error["context"]["commands"]) == (5, [])


def test_a_missing_actor_is_named_beside_a_move_that_is_not_legal(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    answer = ask(repo.path, "emit", "WP01", "--to", "for_review", "--feature", SLUG, "--json")
    assert answer.error["context"]["refusals"] == ["missing-actor", "illegal-move"]
    commands = answer.error["context"]["commands"]
    assert [call(repo, command) for command in commands] == [0, 0, 0]


def test_a_claim_that_was_migrated_is_taken_over_by_the_named_call(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    emit(repo.path, "WP01", "claimed", actor="migration")
    answer = ask(repo.path, "emit", "WP01", "--to", "claimed", "--actor", "o'hara", "--feature", SLUG, "--json")
    [command] = answer.error["context"]["commands"]
    assert (answer.code, command in answer.error["hint"], call(repo, command)) == (5, True, 0)
    assert ask(repo.path, "show", SLUG, "--json").data["work_packages"]["WP01"]["actor"] == "o'hara"


@pytest.mark.parametrize("path", [[], ["claimed"], ["claimed", "in_progress"]])
def test_the_way_round_leads_past_open_subtasks(repo: GitRepo, path: list[str]) -> None:
    repo.write(f"{FOLDER}/tasks.md", "## WP01\n- [ ] T001 open\n")
    for lane in path:
        emit(repo.path, "WP01", lane, actor="ada")
    answer = ask(repo.path, "emit", "WP01", "--to", "done", "--actor", "ada", "--feature", SLUG, "--json")
    commands = answer.error["context"]["commands"]
    assert [call(repo, command) for command in commands] == [0] * (4 - len(path)), commands
    assert ask(repo.path, "show", SLUG, "--json").data["work_packages"]["WP01"]["lane"] == "done"


def test_subtasks_that_cannot_be_read_do_not_hide_why_a_move_is_refused(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/tasks/WP01.md", "---\nlane: [\n---\n")
    answer = ask(repo.path, "emit", "WP01", "--to", "done", "--actor", "ada", "--feature", SLUG, "--json")
    assert (answer.code, len(answer.error["context"]["commands"])) == (3, 4)
