"""JSON values as every backend can keep them, and the bytes that stand for them.

What a backend hands out must equal what it was given, whichever backend it is. So whatever one of them would change
without a word is refused before any sees it: NaN (JSON has none), integers beyond 64 bits and the character NUL
(PostgreSQL has none), keys that are no text, objects that only look like JSON.
"""

from __future__ import annotations

from operator import methodcaller
from typing import Any

import msgspec

MAX_DEPTH = 32
"""How deeply lists and objects may be nested."""

GREATEST = 2**62
"""No position, version or count of events is as great; whoever adds two of them stays within 64 bits."""

_MAX_INTEGER = 2**63 - 1
_MIN_INTEGER = -(2**63)
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_decode_lines = msgspec.json.Decoder().decode_lines
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def copied(value: Any, name: str = "data") -> Any:
    """Return a JSON value as it will be read back, sharing nothing with what was given; tuples become lists.

    Raises:
        ValueError: a backend could not keep it as it is; the message says what, and where in `name`.
    """
    try:
        data = _encode(value)
        copy = msgspec.json.decode(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(_first_problem(value, name) or f"{name} is no JSON: {error}") from error
    if (
        copy != value
        or b"\\u0000" in data
        or data.count(b"[") + data.count(b"{") > MAX_DEPTH
        or _has_large_number(data)
    ):
        problem = _first_problem(value, name)
        if problem:
            raise ValueError(problem)
    return copy


def all_copied(values: list[Any], name: str = "data") -> list[Any]:
    """Return JSON values as they will be read back, as `copied` does, in a fraction of its time for each.

    Raises:
        ValueError: a backend could not keep one of them as it is.
    """
    try:
        lines = _encode_lines(values)
        copies = _decode_lines(lines)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return [copied(value, name) for value in values]
    if copies != values or b"\\u0000" in lines or _has_large_number(lines) or _may_be_deep(lines):
        return [copied(value, name) for value in values]
    return copies


def _may_be_deep(lines: bytes) -> bool:
    """Say whether a line may have more brackets than levels are allowed."""
    # Those with which lines begin are one for each line.
    more = lines.count(b"[") + lines.count(b"{") - lines.count(b"\n[") - lines.count(b"\n{")
    if more < MAX_DEPTH:
        return False
    each = lines.split(b"\n")
    return bool(max(map(_arrays, each)) + max(map(_objects, each)) > MAX_DEPTH)


_arrays, _objects = methodcaller("count", b"["), methodcaller("count", b"{")


def problem_of_text(text: object) -> str | None:
    """Return why no event can have such a text in it, None where one could."""
    if not isinstance(text, str):
        return f"{text!a} is a {type(text).__name__}, not text"
    return _problem_of_text(text, ascii(text))


def canonical(value: Any) -> bytes:
    """Return the bytes that two equal JSON values have in common, whatever the order of their keys."""
    return _encode_sorted(value)


def _has_large_number(data: bytes) -> bool:
    """Say whether a run of 19 digits occurs, without which no integer leaves 64 bits."""
    digits = data.translate(_DIGITS_AS_NINE)
    return b"9" * 19 in digits


_DIGITS_AS_NINE = bytes.maketrans(b"012345678", b"9" * 9)


def _first_problem(value: Any, where: str, depth: int = 1) -> str | None:
    """Return what a backend could not keep, None where all is well."""
    if isinstance(value, dict | list | tuple):
        if depth > MAX_DEPTH:
            return f"{where[:80]} is nested more than {MAX_DEPTH} deep"
        if isinstance(value, dict):
            other = next((key for key in value if not isinstance(key, str)), None)
            if other is not None:
                return f"{where} has the key {other!a}, which is no text"
            children = [(f"{where}.{key}", each) for key, each in value.items()]
            problem = next(filter(None, (_problem_of_text(key, f"a key of {where}") for key in value)), None)
        else:
            children = [(f"{where}[{index}]", each) for index, each in enumerate(value)]
            problem = None
        return problem or next(filter(None, (_first_problem(each, at, depth + 1) for at, each in children)), None)
    return _problem_of_scalar(value, where)


def _problem_of_scalar(value: Any, where: str) -> str | None:
    if isinstance(value, str):
        return _problem_of_text(value, where)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if _MIN_INTEGER <= value <= _MAX_INTEGER else f"{where} is an integer beyond 64 bits"
    if isinstance(value, float):
        return None if value - value == 0 else f"{where} is {value}, which JSON does not have"
    return f"{where} is a {type(value).__name__}, which JSON does not have"


def _problem_of_text(text: str, where: str) -> str | None:
    if "\0" in text:
        return f"{where} holds the character NUL"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return f"{where} holds half a character (a lone surrogate)"
    return None
