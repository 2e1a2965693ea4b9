"""One line of a log, to and from bytes. What this module refuses is damage, everywhere in the program.

A line is one JSON object in UTF-8, ended by one LF, written with sorted keys as
`json.dumps(row, sort_keys=True)` writes it. Beyond JSON's grammar (RFC 8259) the following is
refused, because two readers could understand it differently (RFC 7493, I-JSON): repeated keys,
NaN and infinities, floats that overflow, lone surrogates, a byte order mark, a carriage return
before the LF, nesting deeper than 32, and lines over 8 MiB.

The processes that git waits for import this module. `json` itself imports `re`, which costs more
than the rest of the commit hook, so the scanner is taken straight from the extension module that
`json` is built on, with the pure Python one as the stand-in where an interpreter has none.
"""

from __future__ import annotations

try:
    from _json import make_scanner
except ImportError:  # pragma: no cover (interpreters without the extension module)
    from json.scanner import py_make_scanner as make_scanner  # type: ignore[attr-defined,no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 32
PREVIEW_CHARACTERS = 80

CONFLICT_MARKERS = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")
LINE_ENDINGS_CHANGED = (
    "it ends in CR LF: git changed the line endings of this file; "
    "`kitty-status init` writes the attribute that stops it"
)


class LineDamagedError(ValueError):
    """The bytes are not one line of a log. `reason` says why; it never repeats the line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Refusal(Exception):  # noqa: N818  it is never an error of its own
    """Carries a reason of ours out of the scanner; a ValueError would read like a fault of grammar."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:  # pragma: no branch (one of them is there twice)
            if key in seen:
                raise _Refusal(f"the key {key!a} stands twice in one object")
            seen.add(key)
    return row


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Refusal(f"the number {text[:40]} is too large")
    return number


def _no_constant(name: str) -> float:
    raise _Refusal(f"{name} is not a JSON value")


class _Grammar:
    """The settings that the scanner reads: strict strings and the three refusals above."""

    strict = True
    object_hook = None
    object_pairs_hook = staticmethod(_object)
    parse_float = staticmethod(_finite)
    parse_int = int
    parse_constant = staticmethod(_no_constant)
    memo: dict[str, str] = {}  # noqa: RUF012  read by the pure Python scanner only, never shared state


_scan = make_scanner(_Grammar())  # type: ignore[arg-type]


def decode(line: bytes) -> dict[str, Any]:
    """Return the row that `line` (without its LF) holds.

    Raises:
        LineDamagedError: the line is damaged in one of the ways this module lists.
    """
    if len(line) > MAX_LINE_BYTES:
        raise LineDamagedError(f"it is longer than {MAX_LINE_BYTES // 1024 // 1024} MiB")
    try:
        text = line.decode("utf-8") if line[:1] == b"{" and line[-1:] == b"}" else _text(line)
    except UnicodeDecodeError as error:
        raise LineDamagedError(f"byte {error.start + 1} is not UTF-8") from None
    row, end = _scanned(text)
    if end != len(text) and text[end:].strip(" \t\r"):
        raise LineDamagedError("more stands after the JSON value; two lines may have been glued together")
    if not isinstance(row, dict):
        raise LineDamagedError(f"it holds a JSON {_json_name(row)}, not an object")
    # Half a surrogate is spelled with a backslash: nearly every line is neither walked through nor even asked.
    if "\\" in text or text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth_and_surrogates(row, text)
    return row


def end_of_value(text: str, start: int) -> int:
    """Return where the JSON value ends that begins at `start`, or -1 where none does that a line could hold."""
    try:
        return _scanned(text, start)[1]
    except LineDamagedError:
        return -1


def _scanned(text: str, start: int = 0) -> tuple[Any, int]:
    """Return the JSON value that begins at `start` and where it ends."""
    try:
        return _scan(text, start)
    except StopIteration as stop:
        # Where no value begins, the scanner stops with the place, nested values included.
        if stop.value:
            raise LineDamagedError(f"a JSON value is missing at character {stop.value + 1}") from None
        raise LineDamagedError("it does not begin with a JSON value") from None
    except _Refusal as refusal:
        raise LineDamagedError(str(refusal)) from None
    except RecursionError:
        raise LineDamagedError(f"it is nested deeper than {MAX_DEPTH}") from None
    except SystemError:
        # The scanner finds its own error class only where `json` has been imported; damage is worth that.
        __import__("json")
        return _scanned(text, start)
    except ValueError as error:
        raise LineDamagedError(str(error)) from None


def encode(row: dict[str, Any], dumps: Callable[..., str]) -> bytes:
    """Return the bytes of one line, LF included, for `row`; `dumps` is `json.dumps`.

    Raises:
        LineDamagedError: what would be written could not be read back.
    """
    try:
        line = dumps(row, sort_keys=True, allow_nan=False).encode("ascii")
    except (ValueError, RecursionError) as error:
        raise LineDamagedError(str(error)) from None
    decode(line)
    return line + b"\n"


def describe_damage(line: bytes, why: str, *, is_json: bool) -> str:
    """Return what is wrong with a line; how the text begins is promised by the file format."""
    return f"invalid event structure: {why}" if is_json else f"invalid JSON: {preview(line)}: {why}"


def preview(line: bytes) -> str:
    """Return the first 80 characters of a line that may hold anything at all."""
    return line.rstrip(b"\r\n")[: PREVIEW_CHARACTERS * 4].decode("utf-8", "replace")[:PREVIEW_CHARACTERS]


def _text(line: bytes) -> str:
    """Return the text of a line that does not look like one of ours, or say what is wrong with it."""
    if line.endswith(b"\r"):
        raise LineDamagedError(LINE_ENDINGS_CHANGED)
    if line.startswith(CONFLICT_MARKERS):
        raise LineDamagedError("it is a conflict marker that a merge left behind")
    if line.startswith(b"\xef\xbb\xbf"):
        raise LineDamagedError("it begins with a byte order mark")
    if line and not line.strip(b"\0"):
        raise LineDamagedError("it holds nothing but NUL bytes, as a crash of the machine leaves them")
    return line.strip(b" \t").decode("utf-8")


def _check_depth_and_surrogates(row: dict[str, Any], text: str) -> None:
    suspect_surrogates = "\\ud" in text or "\\uD" in text
    if not suspect_surrogates and text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    pending: list[tuple[Any, int]] = [(row, 1)]
    while pending:
        value, depth = pending.pop()
        if isinstance(value, str):
            if suspect_surrogates and not _is_unicode(value):
                raise LineDamagedError("it holds half of a surrogate pair")
            continue
        if not isinstance(value, dict | list):
            continue
        if depth > MAX_DEPTH:
            raise LineDamagedError(f"it is nested deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            pending.extend((key, depth + 1) for key in value)
            pending.extend((inner, depth + 1) for inner in value.values())
        else:
            pending.extend((inner, depth + 1) for inner in value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names[type(value)]
