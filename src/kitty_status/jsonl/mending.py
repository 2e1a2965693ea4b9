"""Taking a wrecked log apart: which of its lines stand, what is only wrapped in something, and what is beyond reading.

* a conflict marker, of any merge style and length, is no line of a log
* a whole row stays a row when a carriage return, a byte order mark or NUL bytes stand around it, and when
  other rows, or a piece of one, are glued to it
* everything else is damaged: it is handed back as it is, never left out

Bytes of a row are never changed, and a row is never put together from parts.
"""

from __future__ import annotations

from kitty_status.jsonl.codec import LineDamagedError, decode, end_of_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    ProblemWith: TypeAlias = Callable[[dict[str, Any]], str | None]

KEPT = "kept"
MARKER = "marker"
CLEANED = "cleaned"
SPLIT = "split"
DAMAGED = "damaged"

_MARKER_SIGNS = b"<|=>"
_SHORTEST_MARKER = 7
_BLANK = b" \t"
_BOM = b"\xef\xbb\xbf"
# What may stand between two rows without being a part of either.
_BETWEEN = " \t\r\0\ufeff"
_BEFORE_A_VALUE = ":,["


class Piece:
    """What a line of a file holds, or a part of what it holds: a row with its LF, or bytes that are none.

    `number` is the line's number in the file, `why` says what is wrong with it.
    """

    __slots__ = ("kind", "line", "number", "why")

    def __init__(self, kind: str, line: bytes, number: int, why: str = "") -> None:
        self.kind = kind
        self.line = line
        self.number = number
        self.why = why

    @property
    def is_row(self) -> bool:
        """Whether it belongs into a log."""
        return self.kind in (KEPT, CLEANED, SPLIT)


def take_apart(data: bytes, problem_with: ProblemWith) -> list[Piece]:
    """Return all that `data`, a log in whatever state, holds, in its order; blank lines are left out.

    `problem_with` says what is wrong with a row, or None. A last line without LF is given one.
    """
    pieces: list[Piece] = []
    for number, bare in enumerate(data.split(b"\n"), start=1):
        if bare.strip(_BLANK):
            pieces.extend(_pieces_of(bare, number, problem_with))
    return pieces


def is_marker(bare: bytes) -> bool:
    """Say whether a line is one that git puts around the sides of a conflict; nested ones are longer."""
    sign = bare[:1]
    run = len(bare) - len(bare.lstrip(sign))
    return sign in _MARKER_SIGNS and run >= _SHORTEST_MARKER and bare[run : run + 1] in (b"", b" ", b"\r")


def _pieces_of(bare: bytes, number: int, problem_with: ProblemWith) -> list[Piece]:
    if is_marker(bare):
        return [Piece(MARKER, bare + b"\n", number)]
    why = _problem(bare, problem_with)
    if why is None:
        return [Piece(KEPT, bare + b"\n", number)]
    cleaned = bare.removeprefix(_BOM).strip(b" \t\r\0")
    if cleaned != bare and _problem(cleaned, problem_with) is None:
        return [Piece(CLEANED, cleaned + b"\n", number, why)]
    parts = list(_split(cleaned, problem_with))
    if not any(is_row for _, is_row in parts):
        return [Piece(DAMAGED, bare + b"\n", number, why)]
    return [Piece(SPLIT if is_row else DAMAGED, part + b"\n", number, why) for part, is_row in parts]


def _problem(bare: bytes, problem_with: ProblemWith) -> str | None:
    try:
        row = decode(bare)
    except LineDamagedError as error:
        return error.reason
    return problem_with(row)


def _split(line: bytes, problem_with: ProblemWith) -> Iterator[tuple[bytes, bool]]:
    """Yield the parts of a line, each with whether it is a whole row."""
    text = line.decode("utf-8", "surrogateescape")
    rest = at = 0
    while at >= 0:
        at = text.find("{", at)
        end = end_of_value(text, at) if at >= 0 and _may_begin(text, rest, at) else -1
        if end < 0:
            at = text.find("{", at + 1) if at >= 0 else -1
            continue
        row = text[at:end].encode("utf-8", "surrogateescape")
        if _problem(row, problem_with) is not None:
            at += 1
            continue
        yield from _left_over(text[rest:at])
        yield row, True
        rest = at = end
    yield from _left_over(text[rest:])


def _may_begin(text: str, rest: int, at: int) -> bool:
    """Say whether a row may begin at `at`: a value inside the object begun at `rest` follows one of three signs."""
    while at > rest and text[at - 1] in _BETWEEN:
        at -= 1
    return at == rest or text[at - 1] not in _BEFORE_A_VALUE


def _left_over(text: str) -> Iterator[tuple[bytes, bool]]:
    if text.strip(_BETWEEN):
        yield text.encode("utf-8", "surrogateescape"), False
