"""The JSON Schemas: complete, closed, the same as in docs/schemas, and agreeing with what is stored."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import kitty_status
from commandline import LOG, SLUG, SNAPSHOT, emit, feature_in
from conforming import check_answer, check_document, problem_of
from events import SEEDS, history, line_of, row, their_row, ulid
from gitrepo import GitRepo
from kitty_status.cli.answers.schemas import DOCUMENTS, KINDS, names, schema_of
from kitty_status.status.rows import DISCRIMINATORS, problem_with

SOURCE = Path(kitty_status.__file__).parent / "cli"
FILES = Path(__file__).resolve().parents[3] / "docs" / "schemas"
SAYING = {"say_json", "say_json_rows", "say_changes", "finish", "change_holder"}
"""The functions that print an answer of the kind that is their first argument."""
OPEN = {"StatusEvent", "DoneEvidence", "ReviewApproval", "RepoEvidence", "VerificationResult", "ForeignSnapshot"}
OPEN |= {"ForeignState"}
"""What others may have put keys into, which are kept."""


def kinds_in_the_source() -> Iterator[tuple[str, str | None]]:
    """Yield where an answer is printed and of which kind; None for one that is handed on."""
    for file in sorted(SOURCE.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
                    kind = node.args[0]
                    value = kind.value if isinstance(kind, ast.Constant) else None
                    yield f"{file.name}: {function.name}", str(value) if value else None


def test_every_kind_of_answer_has_a_model_and_every_model_is_of_a_kind() -> None:
    found = list(kinds_in_the_source())
    for place, kind in found:
        if kind is None:
            assert place.partition(": ")[2] in SAYING, f"{place} must name the kind of its answer, or be in SAYING"
        else:
            assert kind in KINDS, f"{place} prints the kind {kind!r}, which has no model: see cli/answers/schemas.py"
    assert {kind for _, kind in found} - {None} == set(KINDS)


def test_an_answer_of_an_unknown_kind_fails_with_what_to_do() -> None:
    with pytest.raises(AssertionError, match="the kind 'nonsense' have no schema: add a model of their data to KINDS"):
        check_answer({"kind": "nonsense"})


def test_a_key_that_no_model_names_is_found() -> None:
    answer = {"schema_version": 1, "kind": "schemas", "data": [{"name": "a", "about": "b"}], "warnings": [], "next": []}
    check_answer(answer)
    with pytest.raises(AssertionError, match="'more' was unexpected"):
        check_answer({**answer, "data": [{"name": "a", "about": "b", "more": 1}]})
    with pytest.raises(AssertionError, match="'about' is a required property"):
        check_answer({**answer, "data": [{"name": "a"}]})


@pytest.mark.parametrize("name", names())
def test_a_schema_is_one_and_stands_in_the_documentation(name: str) -> None:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["title"]) == ("https://json-schema.org/draft/2020-12/schema", name)
    assert json.loads((FILES / f"{name}.json").read_text(encoding="utf-8")) == schema, "run `make schemas`"


def test_no_file_of_a_schema_is_left_over() -> None:
    assert {path.name for path in FILES.iterdir()} == {f"{name}.json" for name in names()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_of_an_answer_that_is_ours_is_closed(kind: str) -> None:
    schema = schema_of(kind)
    assert schema["additionalProperties"] is False
    for name, part in schema.get("$defs", {}).items():
        if part["type"] == "object":
            assert part["additionalProperties"] is (name in OPEN), name


@given(SEEDS, st.integers(1, 20))
def test_every_event_that_a_log_may_hold_is_as_the_schema_says(seed: int, count: int) -> None:
    for content in history(seed, count):
        check_document("event", content)


@pytest.mark.parametrize(
    "content",
    [
        row(),
        their_row(),
        row(parents=[]),
        row(evidence={"repos": []}),
        row(evidence={"review": {"reviewer": None}}),
        row(actor={"tool": "claude", "role": None}),
        row(actor={"role": "reviewer"}),
        row(wp_id="a.b_c-7"),
        row(later_key=[1]),
        their_row(feature_slug="001-feature"),
    ],
    ids=str,
)
def test_an_event_that_readers_accept_is_accepted(content: dict[str, Any]) -> None:
    assert problem_with(content) is None
    check_document("event", content)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {key: value for key, value in row().items() if key != "feature_slug"},
        {key: value for key, value in row().items() if key != "to_lane"},
        row(event_id=""),
        row(wp_id="../WP01"),
        row(wp_id="a..b"),
        row(wp_id="x" * 201),
        row(actor=""),
        row(actor={}),
        row(actor={"tool": ""}),
        row(force=0),
        row(execution_mode="moon"),
        row(reason=7),
        row(parents=None),
        row(parents=[7]),
        row(evidence=[]),
        their_row(mission_slug=""),
    ],
    ids=str,
)
def test_an_event_that_readers_refuse_is_refused(content: dict[str, Any]) -> None:
    assert problem_with(content) is not None
    assert problem_of("event", content) is not None


@pytest.mark.parametrize("key", sorted(DISCRIMINATORS))
def test_a_foreign_row_is_no_event(key: str) -> None:
    assert problem_of("event", row(**{key: "note"})) is not None


def test_a_snapshot_of_our_own_is_as_the_schema_says(repo: GitRepo) -> None:
    rivals = [
        row(event_id=ulid(2), from_lane="claimed", to_lane="done", parents=[ulid(1)], force=True),
        row(event_id=ulid(3), from_lane="claimed", to_lane="blocked", parents=[ulid(1)]),
    ]
    feature_in(repo, b"".join(map(line_of, [row(parents=[]), *rivals])))
    emit(repo.path, "WP02", "claimed")
    snapshot = json.loads(repo.read(SNAPSHOT))
    assert "conflict" in snapshot["work_packages"]["WP01"]
    check_document("snapshot", snapshot)
    assert problem_of("snapshot", {**snapshot, "more": 1}) is not None
    for event in map(json.loads, repo.read(LOG).splitlines()):
        check_document("event", event)


def test_a_snapshot_that_spec_kitty_keeps_is_as_the_schema_says(repo: GitRepo) -> None:
    feature_in(repo, line_of(their_row(to_lane="claimed")))
    theirs = {"mission_slug": SLUG, "mission_id": ulid(9), "work_packages": {"WP01": {"later": "kept"}}}
    repo.write(SNAPSHOT, json.dumps(theirs))
    emit(repo.path, "WP01", "in_progress")
    snapshot = json.loads(repo.read(SNAPSHOT))
    assert (snapshot["mission_id"], snapshot["work_packages"]["WP01"]["later"]) == (ulid(9), "kept")
    check_document("snapshot", snapshot)
    assert problem_of("snapshot", {**snapshot, "summary": None}) is not None


def test_every_kind_and_every_document_is_named_once() -> None:
    assert not KINDS.keys() & DOCUMENTS.keys()
    assert list(names()) == [*DOCUMENTS, *KINDS]
    assert list(KINDS) == sorted(KINDS)
