"""The status section of `tasks.md`: a table of where every work package stands, made from the snapshot alone.

Equal snapshots give equal bytes. What events say comes from whoever can push, so it is written such that no renderer
of Markdown takes it for markup.
"""

from __future__ import annotations

from functools import lru_cache

from kitty_status.status.instants import format_instant, parse_instant
from kitty_status.status.view_text import BOM, SECTION_BEGIN, SECTION_END, section_span
from kitty_status.status.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kitty_status.status.snapshot import Snapshot

_REMARK = "<!-- made by kitty-status from the log beside this file; edits up to the next such line are overwritten -->"
_HEADING = "## Status"
_LONGEST = 100
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = frozenset("\\`*_[]|~$&<>")


def with_section(file: bytes, snapshot: Snapshot) -> bytes:
    """Return a `tasks.md` that says what the snapshot says; everything outside its section stays byte for byte.

    A file that has no section gets one at its end, unless there is nothing to say. The section's line ends are those
    of the file's first line.

    Raises:
        ValueError: the markers of the section are no pair; see `view_text.section_span`.
    """
    span = section_span(file)
    if span is None and not snapshot.work_packages:
        return file
    newline = b"\r\n" if file.partition(b"\n")[0].endswith(b"\r") else b"\n"
    section = newline.join(line.encode() for line in section_lines(snapshot))
    if span is not None:
        return file[: span[0]] + section + file[span[1] :]
    return file + _between(file, newline) + section + newline


def _between(file: bytes, newline: bytes) -> bytes:
    """Return what parts the section from the text above it: an empty line."""
    if file in (b"", BOM):
        return b""
    if not file.endswith(b"\n"):
        return newline * 2
    return b"" if file.endswith((b"\n\n", b"\n\r\n")) else newline


def section_lines(snapshot: Snapshot) -> list[str]:
    """Return the lines of the section, from its first marker to its last."""
    states = snapshot.work_packages
    competing = any("conflict" in state for state in states.values())
    heading = ["work package", "lane", "actor", "since", *(["conflict"] if competing else [])]
    table = [heading, ["---"] * len(heading)]
    for wp_id in sorted(states):
        state = states[wp_id]
        cells = [wp_id, state["lane"], state["actor"], _since(state["last_transition_at"])]
        cells += [_conflict(state)] if competing else []
        table.append([escaped(cell) for cell in cells])
    rows = [f"| {' | '.join(cells)} |" for cells in table] if states else []
    blank = [""] if rows else []
    begin, end = SECTION_BEGIN.decode(), SECTION_END.decode()
    return [begin, _REMARK, "", _HEADING, "", *rows, *blank, escaped(_counts(snapshot)), "", end]


@lru_cache(maxsize=1024)
def escaped(text: str) -> str:
    """Return text as a cell of a Markdown table shows it: no markup, no control characters, no more than a line."""
    shown = visible(text)
    if len(shown) > _LONGEST:
        shown = f"{shown[: _LONGEST - 1]}…"
    if _SPECIAL.isdisjoint(shown):
        return shown
    return "".join(_as_text(shown, at, char) for at, char in enumerate(shown))


def _as_text(text: str, at: int, char: str) -> str:
    # Within a word, an underscore is none of the Markdown that GitHub and others read.
    if char == "_" and text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalnum():
        return char
    return _ENTITIES.get(char) or (f"\\{char}" if char in _SPECIAL else char)


def _since(at: str) -> str:
    is_ours = at[26:] == "+00:00" and at[10] == "T" and at[19] == "."
    try:
        moment = at if is_ours else format_instant(parse_instant(at))
    except ValueError:
        # Its year in UTC is none of the calendar's.
        return at
    return f"{moment[:10]} {moment[11:16]} UTC"


def _conflict(state: dict[str, Any]) -> str:
    conflict = state.get("conflict")
    if conflict is None:
        return ""
    heads = [f"{head['lane']} by {head['actor']}" for head in conflict["heads"]]
    return f"{conflict['rule']}: {', '.join(heads)}"


def _counts(snapshot: Snapshot) -> str:
    """Return how many work packages are in which lane, in the profile's order of lanes."""
    counts = dict.fromkeys(snapshot.profile.counted, 0)
    for state in snapshot.work_packages.values():
        counts[state["lane"]] = counts.get(state["lane"], 0) + 1
    number = len(snapshot.work_packages)
    parts = ", ".join(f"{count} {lane}" for lane, count in counts.items() if count)
    return f"{number} work package{'' if number == 1 else 's'}{f': {parts}' if parts else ''}"
