"""Events of files with the places of their lines, as an index takes them and gives them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.eventstore.event import Event


class Place(NamedTuple):
    """Where a line stands, and the version of its event, which the line itself may not say."""

    position: int
    segment: str
    start: int
    length: int
    version: int


class Piece(NamedTuple):
    """Events of one file, each with where its line begins and how long it is, up to the offset `end`."""

    segment: str
    events: Sequence[Event]
    starts: Sequence[int]
    lengths: Sequence[int]
    end: int


class Cover(NamedTuple):
    """How much of a file is covered, the digest of the bytes before that place, and when the file had changed last."""

    size: int
    digest: int
    stamp: int
