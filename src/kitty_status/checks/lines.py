"""How the lines of a log are spelled: whether in the one canonical way, and whether a foreign row names a lane.

Both depend on nothing but a line's *shape*: its keys and what stands between its strings. A log has
few shapes and many lines, so each shape is looked at once. A line with an escape or a character beyond
ASCII, whose strings matter too, is always taken apart.
"""

from __future__ import annotations

import json
from json import encoder
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from kitty_status.checks import usual_lines
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.reading import batches_of, open_log
from kitty_status.status.rows import is_foreign
from kitty_status.status.validation import LANE_IN_FOREIGN_ROW, NON_CANONICAL_LINE, WARNING, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


_encoder = json.JSONEncoder(sort_keys=True)
_LANE_KEYS = ("from_lane", "to_lane")
_MOST_SHAPES = 4096


def _encoding() -> Callable[[dict[str, Any]], str]:
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:  # pragma: no cover (interpreters without the extension module)
        return _encoder.encode
    # What JSONEncoder.encode makes anew for each row, made once. A row that was decoded holds itself nowhere.
    pieces = make(None, _encoder.default, encoder.encode_basestring_ascii, None, ": ", ", ", True, False, True)
    return lambda row: "".join(pieces(row, 0))


_encode = _encoding()


class _Usual:
    """Says whether a line is a usual one, which has nothing odd; False is no answer.

    The pattern is put together only once there are many lines to ask about.
    """

    FEW = 300

    def __init__(self) -> None:
        self._asked = 0
        self._match: Callable[[bytes], object] | None = None

    def __call__(self, line: bytes) -> bool:
        if self._match is None:
            self._asked += 1
            if self._asked <= self.FEW:
                return False
            self._match = usual_lines.pattern().fullmatch
        return self._match(line) is not None


_is_usual = _Usual()


class _Shapes:
    """Remembers which codes each shape of a line has earned, and where the keys are among the strings of each."""

    def __init__(self) -> None:
        self._keys: dict[bytes, Callable[[list[bytes]], object]] = {}
        self._codes: dict[tuple[bytes, object], tuple[str, ...]] = {}

    def codes(self, line: bytes) -> tuple[str, ...]:
        """Return the codes of what is odd about a line without its LF."""
        if b"\\" in line or not line.isascii():
            return _codes(line)
        parts = line.split(b'"')
        between = b'"'.join(parts[::2])
        keys = self._keys.get(between)
        if keys is None:
            keys = self._keys[between] = _picking_keys(parts)
        shape = between, keys(parts)
        found = self._codes.get(shape)
        if found is None:
            found = self._codes[shape] = _codes(line)
            if len(self._codes) > _MOST_SHAPES:
                # Whoever spells every line otherwise is not remembered.
                self._codes.clear()
                self._keys.clear()
        return found


def _picking_keys(parts: list[bytes]) -> Callable[[list[bytes]], object]:
    places = [place for place in range(1, len(parts) - 1, 2) if parts[place + 1].startswith(b":")]
    return itemgetter(*places) if places else bool


_shapes = _Shapes()


class Spelling:
    """Decodes lines as the codec does, and notes those that are odd on the way: what is decoded anyway costs least.

    * `was_asked` says whether it decoded any; the fast reader does without it
    * `found` are the findings by (line, code), without their places
    """

    def __init__(self) -> None:
        self.was_asked = False
        self.found: dict[tuple[bytes, str], Finding] = {}

    def decode(self, line: bytes) -> dict[str, Any]:
        """Return the row that `line` (without its LF) holds.

        Raises:
            LineDamagedError: as `codec.decode`.
        """
        self.was_asked = True
        row = decode(line)
        if _is_usual(line):
            return row
        if _encode(row).encode() != line:
            self.found[line, NON_CANONICAL_LINE] = _finding(NON_CANONICAL_LINE, line)
        if _names_a_lane(row) and is_foreign(row):
            self.found[line, LANE_IN_FOREIGN_ROW] = _finding(LANE_IN_FOREIGN_ROW, line)
        return row


def odd_lines(file: Path, path: str) -> Iterator[Finding]:
    """Yield what is odd about the spelling of the lines of one log file; damaged and blank lines are passed over.

    Raises:
        UnsafeLogError, OSError: as `jsonl.reading.open_log`.
    """
    log = open_log(file)
    if log is None:
        return
    number = 0
    with log:
        for lines in batches_of(log):
            for line in lines:
                number += 1
                if _is_usual(line):
                    continue
                for code in _shapes.codes(line.removesuffix(b"\n")):
                    yield _finding(code, line, path, number)


def _codes(line: bytes) -> tuple[str, ...]:
    try:
        # Laxer than the codec, and several times faster; the codec is asked where something is found.
        row = json.loads(line)
        is_canonical = _encode(row).encode() == line
    except (ValueError, RecursionError):
        return ()
    hides = isinstance(row, dict) and is_foreign(row) and _names_a_lane(row)
    if is_canonical and not hides:
        return ()
    try:
        decode(line)
    except LineDamagedError:
        return ()
    return (*(() if is_canonical else (NON_CANONICAL_LINE,)), *((LANE_IN_FOREIGN_ROW,) if hides else ()))


def _names_a_lane(row: dict[str, Any]) -> bool:
    return any(key in row for key in _LANE_KEYS)


def _finding(code: str, line: bytes, path: str = "", number: int | None = None) -> Finding:
    row: dict[str, Any] = decode(line.removesuffix(b"\n"))
    event_id = row.get("event_id")
    if code == NON_CANONICAL_LINE:
        message = "the line is not spelled as `json.dumps(row, sort_keys=True)` spells it"
        hint = "nothing to do: it counts; have its writer sort the keys and escape what is not ASCII"
    else:
        message = "the row names a lane and is marked as another kind of record, so it moves nothing"
        hint = "if a move was meant, emit it; if not, have its writer call the key otherwise"
    return Finding(
        code,
        message,
        hint=hint,
        severity=WARNING,
        path=path,
        line=number,
        event_id=event_id if isinstance(event_id, str) else None,
    )
