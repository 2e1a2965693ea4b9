"""A status event as the reducer and the rules read it: one slot per field, nothing kept besides.

`StatusRecord` is made from a parsed row by the standard library alone, so that the processes git
waits for can use it. The fast reader decodes straight into a type with the same attributes;
`LaneEvent` is what the two have in common.
"""

from __future__ import annotations

from kitty_status.status.instants import parse_instant
from kitty_status.status.lanes import needs_nine_lanes
from kitty_status.status.rows import display_actor, is_foreign, problem_with, slug_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import Any, Protocol, TypeAlias

    DecodeRow: TypeAlias = Callable[[bytes], Mapping[str, Any]]
    OnDamage: TypeAlias = Callable[[int, bytes, str, bool], None]

    class LaneEvent(Protocol):
        """What the reducer needs to know of a status event; written once, here, for both of its makers."""

        event_id: str
        wp_id: str
        from_lane: str
        to_lane: str
        force: bool
        reason: str | None
        review_ref: str | None
        evidence: dict[str, Any] | None
        slug: str  # the feature that the event names
        instant: datetime  # what `at` means
        shown_actor: str  # the actor's name; of a structured actor the tool
        known_parents: list[str] | None  # `parents` as the writer gave them, None where it gave none
        line: bytes  # as it was read

        @property
        def review_result(self) -> Any:
            """How a review ended, where the event leaves one; otherwise nothing."""

        @property
        def at(self) -> str:
            """The instant as the log spells it."""

        @property
        def nine_lane(self) -> bool:
            """Whether only the nine-lane profile knows such an event."""


class StatusRecord:
    """One status event, made from a row that `rows.problem_with` found nothing wrong with."""

    __slots__ = (
        "_is_theirs",
        "at",
        "event_id",
        "evidence",
        "force",
        "from_lane",
        "instant",
        "known_parents",
        "line",
        "line_number",
        "reason",
        "review_ref",
        "review_result",
        "shown_actor",
        "slug",
        "to_lane",
        "wp_id",
    )

    def __init__(self, row: Mapping[str, Any], line: bytes = b"", line_number: int = 0) -> None:
        self.line = line
        self.line_number = line_number
        self.event_id: str = row["event_id"]
        self.slug: str = slug_of(row)
        self.wp_id: str = row["wp_id"]
        self.from_lane: str = row["from_lane"]
        self.to_lane: str = row["to_lane"]
        self.at: str = row["at"]
        self.instant: datetime = parse_instant(self.at)
        self.shown_actor: str = display_actor(row["actor"])
        self.force: bool = row["force"]
        self.reason: str | None = row.get("reason")
        self.review_ref: str | None = row.get("review_ref")
        self.evidence: dict[str, Any] | None = row.get("evidence")
        self.review_result: Any = row.get("review_result")
        self.known_parents: list[str] | None = row.get("parents")
        self._is_theirs = "mission_slug" in row

    @property
    def nine_lane(self) -> bool:
        """Whether only the nine-lane profile knows such an event; asked where nothing else says which one it is."""
        return self._is_theirs or needs_nine_lanes(self.from_lane, self.to_lane)


def events_of(
    lines: Iterable[bytes], decode_row: DecodeRow, on_damage: OnDamage, *, first: int = 1
) -> Iterator[StatusRecord]:
    """Yield the status events among `lines`, which may end in LF; blank lines and foreign rows are passed over.

    A line that `decode_row` refuses with a ValueError, or that is no valid row, goes to
    `on_damage(line number, line as read, why, is_json)`; where that returns, reading goes on behind it. `first` is
    the number of the first line.
    """
    for number, line in enumerate(lines, start=first):
        event = event_in(line, number, decode_row, on_damage)
        if event is not None:
            yield event


def event_in(line: bytes, number: int, decode_row: DecodeRow, on_damage: OnDamage) -> StatusRecord | None:
    """Return the status event that one line holds; None for a blank, foreign or damaged line."""
    bare = line.removesuffix(b"\n")
    try:
        row = decode_row(bare)
    except ValueError as error:
        if bare.strip(b" \t"):
            on_damage(number, line, str(error), False)
        return None
    if is_foreign(row):
        return None
    problem = problem_with(row)
    if problem is not None:
        on_damage(number, line, problem, True)
        return None
    return StatusRecord(row, line, number)


def is_readable(line: bytes, decode_row: DecodeRow) -> bool:
    """Say whether a line is none that may be mended: damage that got in must be able to get out."""
    damage: list[str] = []
    event_in(line, 0, decode_row, lambda _number, _line, why, _is_json: damage.append(why))
    return not damage
