"""Subtasks: the checkboxes that a work package has in its own file and in `tasks.md`.

In `tasks.md` they are those below the heading that names the work package, up to the next heading of the same level
or a higher one, and those that name a subtask which the frontmatter of the work package's file lists. In the
work package's own file they are those that name a subtask (`T001`), and those below a heading that speaks of
subtasks; a checklist for reviewers is none. Code blocks and HTML comments hold no checkboxes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BOX = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\][ \t]+(.*)")
_SUBTASK = re.compile(r"\bT\d{2,}\b")


class Subtask(NamedTuple):
    """A checkbox: the line it stands on, its text, and whether it is ticked."""

    line: int
    text: str
    is_done: bool


class _Box(NamedTuple):
    subtask: Subtask
    headings: tuple[str, ...]


def subtasks_in_file(text: str) -> list[Subtask]:
    """Return the subtasks that a work package's own file holds."""
    return [
        box.subtask
        for box in _boxes(text)
        if _SUBTASK.search(box.subtask.text) or any("subtask" in heading.lower() for heading in box.headings)
    ]


def subtasks_in_overview(text: str, wp_id: str, listed: Collection[str] = ()) -> list[Subtask]:
    """Return the subtasks of a work package in `tasks.md`; `listed` are the ids that its frontmatter names."""
    name = re.compile(rf"(?<![\w-]){re.escape(wp_id)}(?![\w-])")
    return [
        box.subtask
        for box in _boxes(text)
        if any(name.search(heading) for heading in box.headings) or _is_listed(box, listed)
    ]


def _is_listed(box: _Box, listed: Collection[str]) -> bool:
    named = _SUBTASK.match(box.subtask.text.lstrip("*_` "))
    return named is not None and named.group() in listed


def _boxes(text: str) -> Iterator[_Box]:
    """Yield each checkbox with the headings that it stands below, from the highest down."""
    headings: dict[int, str] = {}
    for number, line in _prose(text):
        heading = _HEADING.match(line)
        if heading:
            level = len(heading.group(1))
            headings = {above: title for above, title in headings.items() if above < level}
            headings[level] = heading.group(2)
            continue
        box = _BOX.match(line)
        if box:
            subtask = Subtask(number, box.group(2).strip(), box.group(1) != " ")
            yield _Box(subtask, tuple(headings[level] for level in sorted(headings)))


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that stand in no code block and no comment."""
    fence = ""
    in_comment = False
    for number, line in enumerate(text.split("\n"), start=1):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark.group(1).startswith(fence) and not line.strip(" \t\r`~"):
                fence = ""
            continue
        if in_comment:
            in_comment = "-->" not in line
            continue
        if mark:
            fence = mark.group(1)
            continue
        before, opened, after = line.partition("<!--")
        in_comment = bool(opened) and "-->" not in after
        yield number, (before if in_comment else line).rstrip("\r")
