"""What a wrecked log has to become: every row of the file and of its sources, and nothing else.

* no row that stands in the file or in a source is left out, and none is changed
* a log that lacks nothing and holds nothing but rows is left as it is, byte for byte
* where lines come in, or sides of a conflict stood apart, the result is ordered as the merge driver orders it:
  what the file and those sources begin with in common, then the rest by (instant, event id), each line once
* bytes that are no row leave the log; whoever applies this keeps them elsewhere first

Nothing is read or written here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.mending import CLEANED, DAMAGED, KEPT, MARKER, SPLIT, take_apart
from kitty_status.status.merging import merge_tails, split_lines
from kitty_status.status.rows import is_foreign, problem_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.jsonl.mending import Piece
    from kitty_status.tracker.sources import Source

ADDED = "added"
ACTIONS = {ADDED: "added", MARKER: "marker removed", CLEANED: "cleaned", SPLIT: "split", DAMAGED: "set aside"}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the file that does not stay as it is, or one that comes in.

    `number` is the line's number in the file as it was, 0 for one that comes from `source`.
    """

    action: str
    line: bytes
    number: int = 0
    source: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One event id with two contents, and the lines of the mended log that hold them. Nobody can decide that here."""

    event_id: str
    first: int
    second: int


@dataclass(slots=True)
class Mended:
    """What a log becomes. `set_aside` are the bytes that leave it and are no row and no marker."""

    log: bytes
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def added(self) -> list[bytes]:
        """The lines that come in, each once."""
        return [change.line for change in self.changes if change.action == ADDED]

    @property
    def set_aside(self) -> bytes:
        """The damaged lines, each once."""
        return b"".join(dict.fromkeys(change.line for change in self.changes if change.action == DAMAGED))


def mend(data: bytes, sources: Sequence[Source]) -> Mended:
    """Return what the file `data` has to become, given the versions whose lines it must hold."""
    pieces = take_apart(data, _problem)
    changes = [Change(piece.kind, piece.line, piece.number, why=piece.why) for piece in pieces if piece.kind != KEPT]
    rows = [piece.line for piece in pieces if piece.is_row]
    have = {*rows, *split_lines(data)}
    damaged = {piece.line for piece in pieces if piece.kind == DAMAGED}
    beginnings = [_untouched(pieces)]
    added: list[bytes] = []
    for source in sources:
        lines = split_lines(source.data)
        known = have.union(split_lines(source.excused))
        fresh = take_apart(b"".join(line for line in lines if line not in known), _problem)
        missing = dict.fromkeys(piece.line for piece in fresh if piece.is_row and piece.line not in known)
        if missing:
            have.update(missing)
            added += missing
            changes += [Change(ADDED, line, source=source.name) for line in missing]
            beginnings.append(_common(rows, lines))
        changes += _damage_of(source, fresh, damaged)
        damaged.update(piece.line for piece in fresh if piece.kind == DAMAGED)
    log = data
    if added or any(piece.kind == MARKER for piece in pieces):
        log = _ordered(rows, added, min(beginnings))
    elif any(piece.kind != KEPT for piece in pieces):
        log = b"".join(rows)
    return Mended(log, changes, _conflicts(log))


def rows_in(data: bytes) -> set[bytes]:
    """Return the rows, each with its LF, that a log in whatever state holds."""
    return {piece.line for piece in take_apart(data, _problem) if piece.is_row}


def _problem(row: dict[str, Any]) -> str | None:
    return None if is_foreign(row) else problem_with(row)


def _damage_of(source: Source, pieces: Iterable[Piece], known: set[bytes]) -> list[Change]:
    """Return what of a source cannot come into the log; what HEAD has of it may have been taken out before."""
    return [
        Change(DAMAGED, piece.line, source=source.name, why=piece.why)
        for piece in pieces
        if piece.kind == DAMAGED and piece.line not in known and source.name != "HEAD"
    ]


def _untouched(pieces: Sequence[Piece]) -> int:
    """Return how many rows the file begins with before anything else stands in it."""
    return next((at for at, piece in enumerate(pieces) if piece.kind != KEPT), len(pieces))


def _common(ours: Sequence[bytes], theirs: Sequence[bytes]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))


def _ordered(rows: Sequence[bytes], added: Sequence[bytes], shared: int) -> bytes:
    beginning = rows[:shared]
    known = frozenset(beginning)
    rest = b"".join(line for line in rows[shared:] if line not in known)
    return b"".join(beginning) + merge_tails(rest, b"".join(added), decode).tail()


def _conflicts(log: bytes) -> list[Conflict]:
    """Return the event ids that stand for more than one content."""
    first: dict[str, tuple[int, dict[str, Any]]] = {}
    found = []
    for number, line in enumerate(log.split(b"\n"), start=1):
        row = decode(line) if line.strip(b" \t") else {}
        event_id = row.get("event_id")
        if isinstance(event_id, str):
            earlier, content = first.setdefault(event_id, (number, row))
            if content != row:
                found.append(Conflict(event_id, earlier, number))
    return found
