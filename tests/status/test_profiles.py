"""Profiles that a repository defines: what they mean, and every mistake in them by its line."""

from __future__ import annotations

import pytest

from kanban import KANBAN, LANES
from kitty_status.errors import ConfigurationError
from kitty_status.git.configuration import own_profiles, placed_section
from kitty_status.status.lanes import LaneProfile
from kitty_status.status.profiles import Node, is_lane_name, profiles_in

# A profile that holds together; each test puts one thing out of order.
SOUND = """\
status:
  profiles:
    own:
      lanes:
        - open
        - doing
        - closed
      initial: open
      terminal: [closed]
      moves:
        - {from: open, to: doing, guard: claim}
        - {from: doing, to: closed}
"""
MISTAKES = [
    ("- open\n", "- open\n        - open\n", 6, "the lane open is there twice"),
    ("- open\n", "- Open\n        - open\n", 5, "'Open' is no name for a lane"),
    ("- open\n", "- 5\n        - open\n", 5, "5 is no name for a lane"),
    ("- open\n", "- {a: b}\n        - open\n", 5, "is no name for a lane"),
    ("- open\n", "- \n        - open\n", 5, "None is no name for a lane"),
    ("      initial: open\n", "", 3, "initial is missing"),
    ("initial: open", "initial: begun", 8, "initial: 'begun' is no lane of this profile"),
    ("initial: open", "initial: [open]", 8, "initial: 'this' is no lane of this profile"),
    ("initial: open", "initially: open", 8, "unknown key initially; known are lanes, initial"),
    ("terminal: [closed]", "terminal: closed", 9, "terminal must be a list"),
    ("terminal: [closed]", "terminal: [closed, closed]", 9, "terminal: closed is there twice"),
    ("terminal: [closed]", "terminal: [over]", 9, "terminal: 'over' is no lane"),
    ("terminal: [closed]", "terminal: [closed, doing]", 12, "doing is terminal, and this move leaves it"),
    ("terminal: [closed]", "pre_seed: [seed]", 9, "pre_seed: 'seed' is no lane"),
    ("terminal: [closed]", "aliases: [doing]", 9, "aliases must map other spellings to lanes"),
    ("terminal: [closed]", "aliases: {open: doing}", 9, "the alias open is the name of a lane"),
    ("terminal: [closed]", "aliases: {wip: working}", 9, "alias wip: 'working' is no lane"),
    ("terminal: [closed]", "aliases: {In Work: doing}", 9, "the alias 'In Work' must be of lower case letters"),
    ("terminal: [closed]", "rollbacks: [closed]", 9, "a rollback must be written as [FROM, TO]"),
    ("terminal: [closed]", "rollbacks: [[closed]]", 9, "a rollback must be written as [FROM, TO]"),
    ("terminal: [closed]", "rollbacks: [[review, open]]", 9, "rollback: 'review' is no lane"),
    ("guard: claim", "guard: clam", 11, "'clam' is no guard; guards are claim, workspace"),
    ("guard: claim", "guard: [claim]", 11, "is no guard"),
    ("guard: claim", "gaurd: claim", 11, "unknown key gaurd of a move; known are from, to, guard"),
    ("from: doing, to: closed", "from: begun, to: closed", 12, "move from: 'begun' is no lane"),
    ("from: doing, to: closed", "from: doing, to: over", 12, "move to: 'over' is no lane"),
    ("from: doing, to: closed", "from: doing, to: [closed, over]", 12, "move to: 'over' is no lane"),
    ("from: doing, to: closed", "from: doing", 12, "a move without to"),
    ("from: doing, to: closed", "to: closed", 12, "a move without from"),
    ("from: doing, to: closed", "from: doing, to: doing", 12, "a move from doing to itself changes nothing"),
    ("from: doing, to: closed", "from: open, to: doing", 12, "the move from open to doing is there twice"),
    ("- {from: doing, to: closed}", "- doing to closed", 12, "a move must be written as {from: LANE"),
    ("    own:\n", "    seven-lane:\n", 3, "this name is taken"),
    ("    own:\n", "    auto:\n", 3, "this name is taken"),
    ("    own:\n", "    Own One:\n", 3, "its name must be of lower case letters, digits and -"),
]


def read(text: str) -> tuple[dict[str, LaneProfile], list[str]]:
    return own_profiles(placed_section(text, "c.yaml").value, "c.yaml")


def test_a_profile_says_what_its_definition_says() -> None:
    profiles, warnings = read(KANBAN)
    assert warnings == []
    profile = profiles["kanban"]
    assert profile.name == "kanban"
    assert profile.lanes == LANES
    assert (profile.initial, profile.pre_seed) == ("backlog", ("idea",))
    assert profile.counted == LANES[1:]
    assert profile.terminal == {"shipped", "dropped"}
    assert profile.held == {"working"}
    assert profile.resolve("Doing") == "working"
    assert profile.resolve("claimed") is None
    assert profile.rollbacks == {("review", "working")}
    assert dict(profile.moves) == {
        ("idea", "backlog"): "",
        ("backlog", "ready"): "",
        ("ready", "working"): "claim",
        ("working", "review"): "subtasks",
        ("working", "ready"): "reason",
        ("review", "shipped"): "approval",
        ("review", "working"): "review-ref",
        ("backlog", "dropped"): "",
        ("ready", "dropped"): "",
        ("working", "dropped"): "",
        ("review", "dropped"): "",
    }


def test_the_sound_profile_of_these_tests_is_sound() -> None:
    profiles, warnings = read(SOUND)
    assert list(profiles) == ["own"]
    assert warnings == []


@pytest.mark.parametrize(("old", "new", "line", "words"), MISTAKES, ids=[each[3] for each in MISTAKES])
def test_a_mistake_is_named_by_file_and_line(old: str, new: str, line: int, words: str) -> None:
    assert SOUND.count(old) == 1
    with pytest.raises(ConfigurationError) as caught:
        read(SOUND.replace(old, new))
    said = caught.value.message.split("; c.yaml:")
    assert any(part.removeprefix("c.yaml:").startswith(f"{line}: ") and words in part for part in said), said
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("status: {profiles: [own]}", "c.yaml:1: profiles must map names to profiles"),
        ("status: {profiles: {own: text}}", "c.yaml:1: profile own: must be a mapping with lanes and moves"),
        ("status: {profiles: {own: }}", "must be a mapping"),
        ("status:\n  profiles:\n    own: {initial: a}\n", "c.yaml:3: profile own: lanes are missing"),
        ("status:\n  profiles:\n    own: {initial: a}\n", "c.yaml:3: profile own: moves are missing"),
        ("status:\n  profiles:\n    own: {lanes: [], initial: a, moves: []}\n", "there must be lanes"),
        ("status:\n  profiles:\n    own: {lanes: a, initial: a, moves: {}}\n", "lanes must be a list"),
        ("status: {profiles: [[[[[[[[[[[[]]]]]]]]]]]]}", "c.yaml:1: it is nested too deeply"),
        ("status: {profiles: &a {own: *a}}", "c.yaml:1: profile own: must be a mapping"),
        ("status: [profiles]", "c.yaml: status is no mapping"),
        ("status: {profiles: {own: {", "c.yaml:1: it is no YAML"),
    ],
)
def test_what_is_no_profile_at_all_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert words in caught.value.message


def test_all_mistakes_are_named_at_once_in_the_order_of_their_lines() -> None:
    wrong = SOUND.replace("guard: claim", "guard: clam").replace("initial: open", "initial: begun")
    with pytest.raises(ConfigurationError) as caught:
        read(wrong)
    assert caught.value.message == (
        "c.yaml:8: profile own: initial: 'begun' is no lane of this profile; c.yaml:11: profile own: 'clam' is no "
        "guard; guards are claim, workspace, subtasks, approval, review-ref, review-result, reason"
    )


@pytest.mark.parametrize(
    ("old", "new", "warnings"),
    [
        ("- closed\n", "- closed\n        - lost\n", ["8: profile own: no move leads to lost", "8: profile own: no"]),
        ("      terminal: [closed]\n", "", ["7: profile own: no move leaves closed, and it is not terminal"]),
        (
            "terminal: [closed]",
            "terminal: [closed]\n      rollbacks: [[doing, open]]",
            ["10: profile own: the rollback from doing to open is no legal move"],
        ),
    ],
)
def test_what_can_be_lived_with_is_a_warning(old: str, new: str, warnings: list[str]) -> None:
    profiles, said = read(SOUND.replace(old, new))
    assert list(profiles) == ["own"]
    assert len(said) == len(warnings)
    for one, expected in zip(said, warnings, strict=True):
        assert one.startswith(f"c.yaml:{expected}")


def test_a_part_that_an_anchor_merges_in_is_understood() -> None:
    profiles, _ = read(
        "base: &base\n  lanes: [a, b]\n  initial: a\n  terminal: [b]\n"
        "status:\n  profiles:\n    own:\n      <<: *base\n      moves: [{from: a, to: b}]\n"
    )
    assert profiles["own"].lanes == ("a", "b")


def test_no_profiles_and_an_empty_key_are_no_mistake() -> None:
    for text in ("status: {}", "status: {profiles: }", "other: 1", "[]"):
        assert read(text) == ({}, [])
    assert profiles_in(Node({}, 1)) == ({}, [])


@pytest.mark.parametrize("name", ["", "_a", "1a", "a b", "a-b", "A", "é", "a" * 41, None, 3])
def test_what_is_no_name_for_a_lane(name: object) -> None:
    assert not is_lane_name(name)


@pytest.mark.parametrize("name", ["a", "in_progress", "a1", "a" * 40])
def test_what_is_a_name_for_a_lane(name: str) -> None:
    assert is_lane_name(name)
