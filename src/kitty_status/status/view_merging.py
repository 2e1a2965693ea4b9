"""Three versions of a file with generated parts, made alike in these: a merge is then about people's text only.

The lane of a work package's file and the section of `tasks.md` say what a log says. Both sides of nearly every
merge have changed them, and no person has to decide between them. So all versions get the same ones before git
merges what is left. Bytes in, bytes out, and nothing is loaded, since the merge driver uses this.
"""

from __future__ import annotations

from kitty_status.status.view_text import block_span, lane_span, section_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    # The base, ours and theirs.
    Versions: TypeAlias = tuple[bytes, bytes, bytes]
    Span: TypeAlias = tuple[int, int]

_BASE, _OURS, _THEIRS = range(3)


def alike(versions: Versions, *, section: bytes = b"", lane: bytes = b"", is_generated: bool = True) -> Versions:
    """Return base, ours and theirs with the same generated parts, as far as one of them has any.

    `section` and `lane` are what the merged log says, empty where that is not known: then ours counts, but for a
    lane that only theirs has changed. Where the lane of this file is not generated from a log (`is_generated`),
    people have written it: changed by both sides, it stays for git to report. A part that one side has added or
    taken out, it adds to all, or takes out of all.
    """
    return with_one_lane(with_one_section(versions, section), lane, is_generated=is_generated)


def with_one_section(versions: Versions, section: bytes = b"") -> Versions:
    """Return the versions with one section in all of them, or in none; as they are where markers are no pair."""
    try:
        spans = [section_span(version) for version in versions]
    except ValueError:
        return versions
    parts = [version[slice(*span)] if span else b"" for version, span in zip(versions, spans, strict=True)]
    if not any(parts):
        return versions
    if _is_kept(*(bool(part) for part in parts)):
        # Ours, or theirs where ours has none: it is then theirs that adds it.
        section = section or parts[_OURS] or parts[_THEIRS]
        made = [_with_section(version, span, section) for version, span in zip(versions, spans, strict=True)]
    else:
        made = [_without_section(version, span) for version, span in zip(versions, spans, strict=True)]
    return made[_BASE], made[_OURS], made[_THEIRS]


def _is_kept(base: bool, ours: bool, theirs: bool) -> bool:
    """Say whether the merge has what three versions have or not: a side that changed that against the base wins."""
    return theirs if ours == base else ours


def _with_section(version: bytes, span: Span | None, section: bytes) -> bytes:
    newline = _newline(version)
    section = section.replace(b"\r\n", b"\n").replace(b"\n", newline)
    if span is not None:
        return version[: span[0]] + section + version[span[1] :]
    if version and not version.endswith(b"\n"):
        version += newline
    gap = newline if version and not version.endswith((b"\n\n", b"\n\r\n")) else b""
    return version + gap + section + newline


def _without_section(version: bytes, span: Span | None) -> bytes:
    if span is None:
        return version
    before, behind = version[: span[0]], version[span[1] :].partition(b"\n")[2]
    newline = _newline(version)
    # Behind the text it stood after an empty line, which came with it.
    if not behind and before.endswith(newline * 2):
        before = before[: -len(newline)]
    return before + behind


def _newline(text: bytes) -> bytes:
    """Return how the first line of a text ends."""
    first, line_feed, _ = text.partition(b"\n")
    return b"\r\n" if line_feed and first.endswith(b"\r") else b"\n"


def with_one_lane(versions: Versions, lane: bytes = b"", *, is_generated: bool = True) -> Versions:
    """Return the versions with the one lane that their merge is to have, where that can be said."""
    spans = [lane_span(version) for version in versions]
    words = [version[slice(*span)] if span else b"" for version, span in zip(versions, spans, strict=True)]
    if not any(words[_OURS:]):
        return versions
    merged = lane or _merged_lane(*words, is_generated=is_generated)
    if not merged:
        return versions
    source = _OURS if words[_OURS] else _THEIRS
    line = _line_at(versions[source], spans[source] or (0, 0), merged)
    # A key that the base has is taken out by who has it no more; one that the base lacks is added for all.
    is_added = not words[_BASE]
    made = [
        _with_lane(version, span, merged, line if is_added else b"")
        for version, span in zip(versions, spans, strict=True)
    ]
    return made[_BASE], made[_OURS], made[_THEIRS]


def _merged_lane(base: bytes, ours: bytes, theirs: bytes, *, is_generated: bool) -> bytes:
    """Return the word that the merge has, empty where people have to decide."""
    if theirs in (ours, base, b""):
        return ours or theirs
    if ours in (base, b""):
        return theirs
    return ours if is_generated else b""


def _line_at(version: bytes, span: Span, lane: bytes) -> bytes:
    """Return the whole line of a lane, with another lane and without its end."""
    begin = version.rfind(b"\n", 0, span[0]) + 1
    return version[begin : span[0]] + lane + version[span[1] :].partition(b"\n")[0].rstrip(b"\r")


def _with_lane(version: bytes, span: Span | None, lane: bytes, line: bytes) -> bytes:
    """Return a version with a lane in place of its own; with `line` at the end of its block if it has none."""
    if span is not None:
        return version[: span[0]] + lane + version[span[1] :]
    block = block_span(version)
    if not line or block is None or block[1] < 0 or _names_a_lane(version, block):
        return version
    return version[: block[1]] + line + _newline(version) + version[block[1] :]


def _names_a_lane(version: bytes, block: Span) -> bool:
    """Say whether a block has the key in some way that is not a plain word."""
    return version.startswith(b"lane", block[0]) or b"\nlane" in version[block[0] - 1 : block[1]]
