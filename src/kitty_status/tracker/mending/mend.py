"""What a wrecked log has to become: every row of its files and of its sources, and nothing else.

* no row that stands in a file or in a source is left out, and none is changed
* a row of a source that stands in any file of the log is there: it may have moved from one to another
* a row that is missing goes into the file that its source names, one that stands stays where it stands
* a file that lacks nothing and holds nothing but rows is left as it is, byte for byte
* where lines come in, or sides of a conflict stood apart, a file is ordered as the merge driver orders it:
  what it and its versions begin with in common, then the rest by (instant, event id), each line once
* bytes that are no row leave their file; whoever applies this keeps them elsewhere first

Nothing is read or written here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.mending import CLEANED, DAMAGED, KEPT, MARKER, SPLIT, take_apart
from kitty_status.status.merging import merge_tails, split_lines
from kitty_status.status.rows import is_foreign, problem_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kitty_status.jsonl.mending import Piece

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


class Standing(NamedTuple):
    """Where a line of the mended log stands: a file, and the line's number in it."""

    path: str
    number: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """One event id with two contents, and where they stand. Nobody can decide that here."""

    event_id: str
    first: Standing
    second: Standing


@dataclass(frozen=True, slots=True)
class Source:
    """Lines that must not be missing from the log, but for those that are `excused`.

    `path` is the file that those which are missing belong into; `version_of` is the file that `data` is a
    version of, None where they are loose lines.
    """

    name: str
    path: str
    data: bytes
    version_of: str | None = None
    excused: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class MendedFile:
    """What one file of a log becomes; `original` is None where there is no such file yet."""

    path: str
    original: bytes | None
    data: bytes
    changes: list[Change] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether it does not stay as it is, byte for byte."""
        return self.data != (self.original or b"")

    @property
    def set_aside(self) -> bytes:
        """The damaged lines, which are no row and no marker, each once."""
        return b"".join(dict.fromkeys(change.line for change in self.changes if change.action == DAMAGED))


@dataclass(slots=True)
class Mended:
    """What a log becomes: its files in the order in which they are read."""

    files: list[MendedFile]
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def changed(self) -> list[MendedFile]:
        """The files that do not stay as they are."""
        return [file for file in self.files if file.is_changed]

    @property
    def has_lines(self) -> bool:
        """Whether any line is left."""
        return any(file.data.strip() for file in self.files)


def mend(files: Mapping[str, bytes], sources: Sequence[Source]) -> Mended:
    """Return what a log of these files, {path: content}, has to become, given the lines that it must hold."""
    wrecks = {path: _Wreck(path, data) for path, data in files.items()}
    known = _Known(wrecks.values())
    for source in sources:
        wreck = wrecks.get(source.path) or _Wreck(source.path, None)
        if wreck.take(source, known):
            wrecks[source.path] = wreck
    # Of the two layouts, the one file is read first, and its path is the shorter one.
    order = sorted(wrecks, key=lambda path: (path.count("/"), path))
    mended = [wrecks[path].mended() for path in order]
    return Mended(mended, _conflicts(mended))


class _Known:
    """The lines that stand in any file of the log, and the damaged ones that were met."""

    def __init__(self, wrecks: Iterable[_Wreck]) -> None:
        self.lines: set[bytes] = set()
        self.damaged: set[bytes] = set()
        for wreck in wrecks:
            self.lines.update(wreck.rows, split_lines(wreck.original or b""))
            self.damaged.update(piece.line for piece in wreck.pieces if piece.kind == DAMAGED)


class _Wreck:
    """One file that is being mended."""

    def __init__(self, path: str, original: bytes | None) -> None:
        self.path = path
        self.original = original
        self.pieces = take_apart(original or b"", _problem)
        self.rows = [piece.line for piece in self.pieces if piece.is_row]
        self.changes = [
            Change(piece.kind, piece.line, piece.number, why=piece.why) for piece in self.pieces if piece.kind != KEPT
        ]
        self._added: list[bytes] = []
        # How many rows it begins with before anything else stands in it, or before a version of it differs.
        self._untouched = next((at for at, piece in enumerate(self.pieces) if piece.kind != KEPT), len(self.pieces))

    def take(self, source: Source, known: _Known) -> bool:
        """Take in what of a source stands nowhere yet; say whether there was anything."""
        lines = split_lines(source.data)
        unknown = [line for line in lines if line not in known.lines and line not in source.excused]
        pieces = take_apart(b"".join(unknown), _problem)
        missing = dict.fromkeys(
            piece.line
            for piece in pieces
            if piece.is_row and piece.line not in known.lines and piece.line not in source.excused
        )
        damage = _damage_of(source, pieces, known.damaged)
        known.lines.update(missing)
        known.damaged.update(piece.line for piece in pieces if piece.kind == DAMAGED)
        self.changes += [Change(ADDED, line, source=source.name) for line in missing] + damage
        if missing and not self.pieces and not self.rows:
            # Where nothing is left of a file, a version of it is what the others are compared with.
            self.rows = list(missing)
            self._untouched = len(self.rows)
        elif missing:
            self._added += missing
            if source.version_of == self.path:
                self._untouched = min(self._untouched, _common(self.rows, lines))
        return bool(missing or damage)

    def mended(self) -> MendedFile:
        """Return what becomes of the file."""
        data = self.original or b""
        if self._added or any(piece.kind == MARKER for piece in self.pieces):
            data = _ordered(self.rows, self._added, self._untouched)
        elif any(piece.kind != KEPT for piece in self.pieces) or (self.rows and not self.pieces):
            data = b"".join(self.rows)
        return MendedFile(self.path, self.original, data, self.changes)


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


def _common(ours: Sequence[bytes], theirs: Sequence[bytes]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))


def _ordered(rows: Sequence[bytes], added: Sequence[bytes], shared: int) -> bytes:
    beginning = rows[:shared]
    known = frozenset(beginning)
    rest = b"".join(line for line in rows[shared:] if line not in known)
    return b"".join(beginning) + merge_tails(rest, b"".join(added), decode).tail()


def _conflicts(files: Iterable[MendedFile]) -> list[Conflict]:
    """Return the event ids that stand for more than one content."""
    first: dict[str, tuple[Standing, dict[str, Any]]] = {}
    found = []
    for file in files:
        for number, line in enumerate(file.data.split(b"\n"), start=1):
            row = decode(line) if line.strip(b" \t") else {}
            event_id = row.get("event_id")
            if isinstance(event_id, str):
                standing = Standing(file.path, number)
                earlier, content = first.setdefault(event_id, (standing, row))
                if content != row:
                    found.append(Conflict(event_id, earlier, standing))
    return found
