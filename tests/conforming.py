"""Holding what is printed and stored to its JSON Schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from kitty_status.cli.answers.schemas import KINDS, schema_of


@cache
def validator_of(name: str) -> Draft202012Validator:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problem_of(name: str, content: Any) -> str | None:
    """Return what the schema of that name has against a content, None where it has nothing."""
    error = best_match(validator_of(name).iter_errors(content))
    return None if error is None else f"{error.json_path}: {error.message}"


def check_document(name: str, content: Any) -> None:
    """Fail where a content is not as the schema of that name says."""
    problem = problem_of(name, content)
    assert problem is None, f"the schema {name!r} does not describe this, at {problem}"


def check_answer(envelope: dict[str, Any]) -> None:
    """Fail where an answer to `--json` has no schema, or is not as it says."""
    kind = envelope["kind"]
    assert kind in KINDS, (
        f"answers of the kind {kind!r} have no schema: add a model of their data to KINDS "
        "in src/kitty_status/cli/answers/schemas.py, then `make schemas`"
    )
    check_document(kind, envelope)
