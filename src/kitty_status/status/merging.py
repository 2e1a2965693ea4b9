"""The union of two histories of one log.

* no line of either side is lost, each stands once among the new lines, and every byte is kept
* it is the same for both directions, idempotent, and associative as a set of lines
* the part that both sides begin with comes first and is not looked into; then come the new lines of
  both in (instant, event id) order; a foreign row without `at` counts by its `timestamp`; a line
  without either, and one that is damaged, comes before the others, by its bytes
* two lines with one event id and different content are both kept and reported, as is damage
"""

from __future__ import annotations

from kitty_status.status.instants import BEGINNING_OF_TIME, parse_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from kitty_status.status.record import DecodeRow


class NewLine:
    """A line that stands outside the common part, as far as merging needs to know it."""

    __slots__ = ("event_id", "instant", "line", "problem", "row")

    def __init__(self, line: bytes, decode_row: DecodeRow) -> None:
        self.line = line
        self.event_id = ""
        self.instant = BEGINNING_OF_TIME
        self.problem: str | None = None
        self.row: Mapping[str, Any] = {}
        try:
            self.row = row = decode_row(line[:-1])
        except ValueError as error:
            self.problem = f"invalid JSON: {error}"
            return
        self.instant = _instant_of(row)
        event_id = row.get("event_id")
        self.event_id = event_id if isinstance(event_id, str) else ""


def _place(line: NewLine) -> tuple[datetime, str, bytes]:
    return line.instant, line.event_id, line.line


class Merge:
    """The new lines of a merged log in order, and what a person must look at."""

    __slots__ = ("conflicts", "damaged", "lines")

    def __init__(self, lines: list[NewLine]) -> None:
        self.lines = lines
        self.damaged = [line for line in lines if line.problem is not None]
        first_with: dict[str, NewLine] = {}
        self.conflicts: list[tuple[NewLine, NewLine]] = []
        for line in lines:
            first = first_with.setdefault(line.event_id, line)
            if first is not line and line.event_id and first.row != line.row:
                self.conflicts.append((first, line))

    @property
    def is_clean(self) -> bool:
        """Whether nothing needs a person."""
        return not self.damaged and not self.conflicts

    def tail(self) -> bytes:
        """Return the bytes that come after the common part."""
        return b"".join([line.line for line in self.lines])


def merge_tails(
    ours: bytes, theirs: bytes, decode_row: DecodeRow, *, base_lines: Container[bytes] | None = None
) -> Merge:
    """Return the union of what stands after the common part of two logs.

    Where `base_lines` is given, only the lines of theirs that are not among them are taken: the one
    commit that is being picked, not the whole branch it comes from. Lines of ours are always kept.
    """
    lines = dict.fromkeys(split_lines(ours))
    lines.update((line, None) for line in split_lines(theirs) if base_lines is None or line not in base_lines)
    return Merge(sorted([NewLine(line, decode_row) for line in lines], key=_place))


def split_lines(data: bytes) -> Sequence[bytes]:
    """Return the lines of `data`, each with its LF; a last line without one is given it, blank ones are left out.

    Only the byte LF ends a line: `splitlines` would also cut at carriage returns inside damaged ones.
    """
    return [line + b"\n" for line in data.split(b"\n") if line.strip(b" \t")]


def common_part(ours: bytes, theirs: bytes) -> int:
    """Return how many bytes of whole lines two logs begin with in common."""
    return ours.rfind(b"\n", 0, agreeing_bytes(ours, theirs, min(len(ours), len(theirs)))) + 1


def agreeing_bytes(one: bytes | bytearray, other: bytes | bytearray, limit: int) -> int:
    """Return how many of the first `limit` bytes two buffers begin with in common."""
    # Compared where they stand: to copy megabytes costs far more than to compare them.
    whole = memoryview(other)
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(whole[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def merge_logs(ours: bytes, theirs: bytes, decode_row: DecodeRow, *, base: bytes | None = None) -> tuple[bytes, Merge]:
    """Return the merged log's bytes and the merge of its new lines; see `merge_tails` for `base`."""
    shared = known = common_part(ours, theirs)
    base_lines = None
    if base is not None:
        # As the log driver does it, for the result must be the same byte for byte.
        known = common_part(base, theirs)
        base_lines = frozenset(split_lines(base[known:]))
    merge = merge_tails(ours[shared:], theirs[max(shared, known) :], decode_row, base_lines=base_lines)
    return b"".join((memoryview(ours)[:shared], merge.tail())), merge


def _instant_of(row: Mapping[str, Any]) -> datetime:
    text = row.get("at", row.get("timestamp"))
    try:
        return parse_instant(text) if isinstance(text, str) else BEGINNING_OF_TIME
    except ValueError:
        return BEGINNING_OF_TIME
