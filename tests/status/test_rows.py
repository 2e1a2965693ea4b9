"""Rows: what is a safe name, a ULID, a name to show, a foreign row, and what is wrong with an event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import KEYS, row, their_row, ulid
from kitty_status.status.lanes import ALL_LANES
from kitty_status.status.rows import (
    DISCRIMINATORS,
    MAX_NAME,
    are_ulids,
    display_actor,
    is_foreign,
    is_safe_name,
    is_ulid,
    problem_with,
    problem_with_evidence,
    slug_of,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.mark.parametrize(
    "name", ["WP01", "001-feature", "a", "7", "v1.2_rc-3", "x" * MAX_NAME, "feature-alias-removal-01KW0N87", "A.b"]
)
def test_a_plain_name_is_safe(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a..b",
        "a/b",
        "/a",
        "a\\b",
        "C:x",
        "a:stream",
        "a b",
        "a\n",
        "a\nb",
        "\na",
        "a\0",
        "a\x1b[31m",
        "-a",
        "--force",
        "_a",
        ".git",
        "a.",
        "a*",
        "a?",
        "~a",
        "$a",
        "x" * (MAX_NAME + 1),
        "x" * 300,
        "WP0\u0661",
        "\u0661WP",
        "\uff37P01",
        "\u00e9",
        "a\u202eb",
        "a\u2028",
        None,
        1,
        b"WP01",
        ["WP01"],
    ],
)
def test_a_name_that_could_leave_its_folder_or_fool_a_program_is_not_safe(name: object) -> None:
    assert not is_safe_name(name)


@settings(max_examples=500)
@given(st.text(st.sampled_from("aZ09._-/\\ \n\u0661"), max_size=8))
def test_a_safe_name_is_one_plain_component_of_a_path(name: str) -> None:
    plain = name.isascii() and all(character.isalnum() or character in "._-" for character in name)
    expected = plain and name[:1].isalnum() and ".." not in name and name[-1:] != "."
    assert is_safe_name(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ulid(1), True),
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", True),
        ("00000000000000000000000000", True),
        ("80000000000000000000000000", False),
        (ulid(1)[:-1], False),
        (ulid(1) + "0", False),
        (ulid(1)[:-1] + "L", False),
        (ulid(1)[:-1] + "I", False),
        (ulid(1)[:-1] + "O", False),
        (ulid(1)[:-1] + "U", False),
        ("01arz3ndektsv4rrffq69g5fav", False),
        (ulid(1)[:-1] + "\u0661", False),
        ("\u0661" + ulid(1)[1:], False),
        ("", False),
    ],
)
def test_a_ulid_is_26_characters_of_crockfords_base_32_within_128_bits(text: str, expected: bool) -> None:
    assert is_ulid(text) == expected
    assert are_ulids([text]) == expected
    assert are_ulids([ulid(1), text, ulid(2)]) == expected


@settings(max_examples=1000)
@given(
    st.lists(
        st.text(CROCKFORD, min_size=26, max_size=26)
        | st.text(CROCKFORD[:8], min_size=26, max_size=26)
        | st.text(st.sampled_from("01ILOU8a\u00e9\ud800"), min_size=25, max_size=27),
        max_size=4,
    )
)
def test_many_texts_are_ulids_where_each_of_them_is_one(texts: list[str]) -> None:
    assert are_ulids(texts) == all(is_ulid(text) for text in texts)


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("ada", "ada"),
        ("", ""),
        ({"tool": "claude", "role": "reviewer", "model": "opus", "profile": "p"}, "claude"),
        ({"tool": "", "role": "reviewer"}, "reviewer"),
        ({"tool": None, "model": "opus"}, "opus"),
        ({"tool": 7, "profile": "p", "role": "reviewer"}, "p"),
        ({"display": "Ada", "id": "1", "kind": "human"}, "Ada"),
        ({"id": "1", "kind": "human"}, "1"),
        ({"kind": "human"}, ""),
        ({}, ""),
        (None, ""),
        (7, ""),
        (["ada"], ""),
    ],
)
def test_an_actor_shows_under_one_name_and_a_structured_one_as_its_tool(actor: object, shown: str) -> None:
    assert display_actor(actor) == shown


@pytest.mark.parametrize("key", sorted(DISCRIMINATORS))
def test_a_row_with_a_discriminator_is_foreign_whatever_else_it_holds(key: str) -> None:
    assert is_foreign({key: "x"})
    assert is_foreign({**row(), key: None})


def test_an_event_is_not_foreign() -> None:
    assert set(DISCRIMINATORS) == {"kind", "event_type", "event_name", "type"}
    assert not is_foreign(row())
    assert not is_foreign(their_row())
    assert not is_foreign({})


def test_an_event_of_either_tool_has_no_problem() -> None:
    assert problem_with(row()) is None
    assert problem_with(their_row()) is None


def test_the_slug_is_ours_or_else_the_mission() -> None:
    assert slug_of({"feature_slug": "f", "mission_slug": "m"}) == "f"
    assert slug_of({"mission_slug": "m"}) == "m"
    assert slug_of({}) is None


@pytest.mark.parametrize("key", sorted(set(KEYS) - {"reason", "review_ref", "evidence"}))
def test_a_missing_key_is_named(key: str) -> None:
    content = row()
    del content[key]
    assert problem_with(content) == f"{key} is missing"


def test_keys_that_may_be_absent_are_not_missed() -> None:
    content = row()
    for key in ("reason", "review_ref", "evidence"):
        del content[key]
    assert problem_with(content) is None


WRONG: dict[str, list[Any]] = {
    "event_id": [None, 1, "", ["x"], {}],
    "feature_slug": [None, 1, "", ["x"]],
    "wp_id": [None, 1, ["WP01"], "", "..", "../../x", "-x", "a\nb", "x" * 300],
    "from_lane": [None, 1, "", "doing", "Planned", "uninitialized", ["planned"]],
    "to_lane": [None, 1, "", "doing", "planned ", {}],
    "at": [None, 0, 1767225600, "", "yesterday", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z"],
    "actor": [None, 1, "", [], {}, {"kind": "human"}],
    "force": [None, 0, 1, "false", "true", []],
    "execution_mode": [None, 1, "", "Worktree", [], {}],
    "reason": [1, False, [], {}],
    "review_ref": [1, False, [], {}],
    "evidence": ["text", 1, False, []],
    "parents": [None, "x", {}, [1], [None], ["x", 1]],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_in_words_that_name_its_key(key: str, value: object) -> None:
    problem = problem_with(row(**{key: value}))
    assert problem is not None
    assert problem.startswith(key)
    assert len(problem) <= MAX_NAME + 40


@pytest.mark.parametrize("value", [None, "", 7])
def test_a_wrong_mission_slug_is_refused(value: object) -> None:
    problem = problem_with(their_row(mission_slug=value))
    assert problem == "feature_slug is missing"


def test_an_unknown_lane_is_answered_with_the_lanes() -> None:
    problem = problem_with(row(to_lane="nowhere"))
    assert problem is not None
    assert all(lane in problem for lane in ALL_LANES)


RIGHT: dict[str, list[Any]] = {
    "wp_id": ["WP01", "WP1", "7", "a.b-c_d"],
    "from_lane": sorted(ALL_LANES),
    "to_lane": sorted(ALL_LANES),
    "actor": ["ada", " ", {"tool": "claude"}, {"id": "1"}],
    "force": [True, False],
    "execution_mode": ["worktree", "direct_repo"],
    "reason": [None, "", "why"],
    "review_ref": [None, "", "PR 7"],
    "parents": [[], ["x"], ["x", "x"]],
    "evidence": [None, {}, {"review": None}, {"review": {}}, {"review": {"verdict": "unheard of"}}, {"repos": 7}],
    "anything_else": [None, 1, {"deep": []}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in RIGHT.items() for value in values])
def test_a_right_value_is_accepted(key: str, value: object) -> None:
    assert problem_with(row(**{key: value})) is None


@pytest.mark.parametrize("key", ["reviewer", "verdict", "reference"])
def test_a_review_says_who_what_and_where_in_strings(key: str) -> None:
    assert problem_with_evidence({"review": {key: 7}}) == f"evidence.review.{key} must be a string"
    assert problem_with_evidence({"review": {key: None}}) is None


@pytest.mark.parametrize("review", ["approved", 1, [], True])
def test_a_review_is_an_object(review: object) -> None:
    assert problem_with(row(evidence={"review": review})) == "evidence.review must be an object"
