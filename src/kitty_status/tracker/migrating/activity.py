"""What the section `## Activity Log` below a frontmatter tells: one list item for each thing that somebody did.

    - 2026-02-08T14:31:35Z -- ada -- shell_pid=42565 -- lane=doing -- Started

The fields stand between dashes: hyphens, en or em dashes. The first is a time and the second a name; one that begins
with `lane=` makes the item an entry. Every other item is a note, and so is all that stands in a block of code, in a
comment or in a quotation: the templates of such files explain the form there with examples.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.tracker.migrating.history import CannotReconstructError, Entry, lane_of, moment_of, name_of, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kitty_status.status.lanes import LaneProfile

ACTIVITY_LOG = "activity-log"

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?")
_TITLE = "activity log"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_COMMENT = re.compile(r" {0,3}<!--(.*)")
_COMMENT_END = "-->"
_ITEM = re.compile(r"[-*+] (\d{4}-\d.*)")
# A name may hold hyphens, so a hyphen parts two fields only between blanks.
_DASH = re.compile(r" ?[\u2013\u2014] ?| -{1,3} ")
_LANE = "lane="
_QUOTES = "`'\"*"


class _Item(NamedTuple):
    line: int
    time: str
    agent: str
    lane: str | None


def activity_entries(body: bytes, profile: LaneProfile, lines_before: int = 0) -> list[Entry]:
    """Return the entries of the section that name a lane, as they stand there.

    `lines_before` is how many lines of the file lie above the body.

    Raises:
        CannotReconstructError: one names a lane that the profile does not have, or no time.
    """
    found: list[Entry] = []
    for item in _items(body):
        if item.lane is None:
            continue
        try:
            found.append(Entry(lane_of(item.lane, profile), moment_of(item.time), item.agent, ACTIVITY_LOG))
        except CannotReconstructError as error:
            raise CannotReconstructError(f"line {item.line + lines_before}: {error}") from error
    return found


def activity_lanes(body: bytes) -> list[str]:
    """Return the lanes that the section names, as they are spelled there."""
    return [item.lane for item in _items(body) if item.lane is not None]


def activity_times(body: bytes) -> Iterator[datetime]:
    """Yield every time that the section names, of whatever item."""
    times = (time_of(item.time) for item in _items(body))
    yield from (each for each in times if each is not None)


def _items(body: bytes) -> Iterator[_Item]:
    """Yield the dated list items of the section."""
    for number, line in _lines_of_section(body):
        # Without runs of blanks no pattern looks at one twice.
        found = _ITEM.fullmatch(" ".join(line.split()))
        if found is None:
            continue
        time, *fields = _DASH.split(found[1])
        lane = next((field for field in fields if field.startswith(_LANE)), None)
        agent = fields[0] if fields and "=" not in fields[0] else ""
        yield _Item(number, time, name_of(agent), lane and lane.removeprefix(_LANE).strip(_QUOTES))


def _lines_of_section(body: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines below each heading of the section, up to the next heading that is as high."""
    level = 0
    for number, line in _lines_of_text(body):
        heading = _HEADING.fullmatch(line)
        if heading is None:
            if level:
                yield number, line
        elif _title(heading[2] or "") == _TITLE:
            level = len(heading[1])
        elif len(heading[1]) <= level:
            level = 0


def _title(text: str) -> str:
    return " ".join(text.strip(" \t#").removesuffix(":").lower().split())


def _lines_of_text(body: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither in a block of code nor in a comment."""
    fence = ""
    is_comment = False
    text = body.decode("utf-8", errors="replace")
    for number, each in enumerate(text.split("\n"), start=1):
        line = each.removesuffix("\r")
        mark, comment = _FENCE.fullmatch(line), _COMMENT.fullmatch(line)
        if is_comment:
            is_comment = _COMMENT_END not in line
        elif fence:
            is_end = mark is not None and mark[1].startswith(fence) and not mark[2].strip()
            fence = "" if is_end else fence
        elif mark is not None:
            fence = mark[1]
        elif comment is not None:
            is_comment = _COMMENT_END not in comment[1]
        else:
            yield number, line
