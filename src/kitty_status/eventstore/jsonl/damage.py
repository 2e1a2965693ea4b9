"""Lines that are damaged: raised at once, or skipped with a warning for each, as the store was told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.jsonl.codec import preview

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.jsonl.segments import Segment

OnDamage: TypeAlias = Literal["raise", "skip"]

_log = logging.getLogger(__name__)


class DamagedLine(msgspec.Struct, frozen=True):
    """A line that is no event: the file, the offset in bytes at which it begins, its number, why, and how it begins."""

    path: str
    offset: int
    number: int
    why: str
    beginning: str


class DamageNotes:
    """Remembers every damaged line that was met, and speaks of each once."""

    def __init__(self, on_damage: OnDamage) -> None:
        self.on_damage = on_damage
        self._found: dict[tuple[str, int], DamagedLine] = {}
        self._counted: dict[str, tuple[int, int]] = {}

    @property
    def lines(self) -> list[DamagedLine]:
        """Those that were met so far, by file and place."""
        return [self._found[place] for place in sorted(self._found)]

    def note(self, segment: Segment, offset: int, line: bytes, why: str) -> None:
        """Take note of a damaged line.

        Raises:
            EventStoreError: CORRUPT, where damage is not to be skipped.
        """
        path = str(segment.path)
        if (path, offset) in self._found and self.on_damage == "skip":
            return
        number = self._number_of(segment, path, offset)
        if self.on_damage == "raise":
            raise damaged(segment.path, number, why)
        self._found[path, offset] = DamagedLine(path, offset, number, why, preview(line))
        _log.warning("%s:%d: skipped: %s (%d skipped so far)", path, number, why, len(self._found))

    def note_file(self, segment: Segment, error: EventStoreError) -> None:
        """Take note of a file that cannot be read at all.

        Raises:
            EventStoreError: the same, where damage is not to be skipped.
        """
        if self.on_damage == "raise" or error.code is not StoreCode.CORRUPT:
            raise error
        self.note(segment, 0, b"", str(error.context.get("reason", error.message)))

    def _number_of(self, segment: Segment, path: str, offset: int) -> int:
        """Return the number of the line at an offset, counted from the damaged line before it."""
        beginning = segment.base if offset >= segment.base else 0
        start, number = self._counted.get(path, (beginning, 1))
        if not beginning <= start <= offset:
            start, number = beginning, 1
        number += sum(data.count(b"\n") for _, data in segment.pieces(start, offset))
        if offset > start:
            self._counted[path] = offset, number
        return number


def damaged(path: Path, number: int, why: str) -> EventStoreError:
    """Return the error for a damaged line."""
    return EventStoreError(
        StoreCode.CORRUPT,
        f"{path}:{number}: {why}",
        hint='open the store with on_damage="skip" to read the others, or put the line back from a copy',
        path=str(path),
        line=number,
        reason=why,
    )


def lost(path: Path, why: str) -> EventStoreError:
    """Return the error for a file of which something was read that is not there any more."""
    return EventStoreError(
        StoreCode.CORRUPT,
        f"{path} {why}",
        hint="put the file back, or open the store again to go on with what is left",
        path=str(path),
    )


def stands_twice(event_id: str, position: int) -> str:
    """Return what is wrong with an event whose id another one has."""
    return f"its id {event_id!a} stands at position {position} already"


def jumps(stream: str, version: int, before: int) -> str:
    """Return what is wrong with an event whose version does not follow on the one before it."""
    return f"its version {version} of stream {stream!a} does not follow on {before}, which is the one before it"
