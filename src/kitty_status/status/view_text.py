"""The generated parts of Markdown files: the lane of a work package's file, and the section of `tasks.md`.

Everything else in those files belongs to people and is handed through byte for byte. Bytes in, bytes out; the merge
driver uses this, so nothing is loaded. What is inside the YAML is read strictly elsewhere; here only the one line
of a plain lane is looked for, and where it is written in any other way nothing is found.
"""

from __future__ import annotations

FENCE = b"---"
BOM = b"\xef\xbb\xbf"
SECTION_BEGIN = b"<!-- kitty-status:begin -->"
SECTION_END = b"<!-- kitty-status:end -->"
_LANE_KEY = b"lane:"
_OPENING = {b"'": b"'", b'"': b'"', b"[": b"]", b"{": b"}"}
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def block_span(file: bytes) -> tuple[int, int] | None:
    """Return where the YAML of a file's block begins and ends, -1 if it is not closed; None where there is none."""
    first = len(BOM) if file.startswith(BOM) else 0
    line_end = file.find(b"\n", first)
    if line_end < 0 or file[first:line_end].rstrip() != FENCE:
        return None
    at = line_end + 1
    while at < len(file):
        end = file.find(b"\n", at)
        line = file[at:] if end < 0 else file[at:end]
        if line.rstrip() in (FENCE, b"..."):
            return line_end + 1, at
        if end < 0:
            break
        at = end + 1
    return line_end + 1, -1


def lane_span(file: bytes, block: tuple[int, int] | None = None) -> tuple[int, int] | None:
    """Return from which byte to which the lane stands in a file's `block`, without its quotes.

    None where there is not exactly one line `lane: word`, and where it may stand inside a text or a list that began in
    a line above: YAML asks for at least one space before what goes on, and its readers do without.
    """
    block = block_span(file) if block is None else block
    if block is None or block[1] < 0:
        return None
    found = None
    at, end = block
    while at < end:
        line_end = file.find(b"\n", at, end)
        line_end = end if line_end < 0 else line_end
        if _may_go_on(file[at:line_end]):
            return None
        if file.startswith(_LANE_KEY, at):
            if found is not None:
                return None
            found = _word(file, at + len(_LANE_KEY), line_end)
            if found is None:
                return None
        at = line_end + 1
    return found


def _may_go_on(line: bytes) -> bool:
    """Say whether a quoted text or a list in brackets may begin in a line and not end there; True is no answer."""
    if b"'" not in line and b'"' not in line and b"[" not in line and b"{" not in line:
        return False
    value = line.strip()
    while value.startswith((b"- ", b"? ")):
        value = value[2:].lstrip()
    if value[:1] not in _OPENING:
        key, colon, rest = value.partition(b": ")
        value = rest.lstrip() if colon and key else b""
    if value[:1] not in _OPENING:
        return False
    before_comment = value.partition(b" #")[0].rstrip()
    return not (_is_closed(before_comment) or (value[:1] in b"'\"" and _is_closed(value)))


def _is_closed(value: bytes) -> bool:
    opening = value[:1]
    closing = _OPENING[opening]
    if len(value) < 2 or not value.endswith(closing):  # noqa: PLR2004  both ends
        return False
    if opening == closing:
        return value.count(opening) % 2 == 0 and b"\\" not in value
    return value.count(opening) == value.count(closing) and not any(map(value.count, (b"'", b'"', b"\\")))


def _word(file: bytes, start: int, end: int) -> tuple[int, int] | None:
    rest = file[start:end].rstrip()
    value = rest.lstrip(b" ")
    if len(value) == len(rest):
        return None
    first = start + len(rest) - len(value)
    value = value.partition(b" #")[0].rstrip()
    quote = value[:1]
    if quote in (b"'", b'"') and len(value) > 1 and value.endswith(quote):
        first, value = first + 1, value[1:-1]
    return (first, first + len(value)) if value and _PLAIN.issuperset(value) else None


def section_span(file: bytes) -> tuple[int, int] | None:
    """Return where the generated section begins and ends: its two marker lines and what stands between them.

    The line end behind the last marker does not belong to it. None where the file has no section.

    Raises:
        ValueError: the markers are no pair; it says how many there are of each.
    """
    begins, ends = _lines_that_are(file, SECTION_BEGIN), _lines_that_are(file, SECTION_END)
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise ValueError(
            f"{len(begins)} line(s) `{SECTION_BEGIN.decode()}` and {len(ends)} line(s) `{SECTION_END.decode()}`, "
            "where one of each is expected, in this order"
        )
    return begins[0], ends[0] + len(SECTION_END)


def _lines_that_are(file: bytes, marker: bytes) -> list[int]:
    found, at = [], file.find(marker)
    while at >= 0:
        behind = at + len(marker)
        line_end = file.find(b"\n", behind)
        rest = file[behind:] if line_end < 0 else file[behind:line_end]
        if (at == 0 or file[at - 1 : at] == b"\n" or file[:at] == BOM) and not rest.strip():
            found.append(at)
        at = file.find(marker, behind)
    return found


def with_generated_parts_of(file: bytes, other: bytes) -> bytes:
    """Return a file with the generated parts of another version of it, where both have them; the rest stays.

    Raises:
        ValueError: as `section_span`.
    """
    for span_of in (lane_span, section_span):
        mine, theirs = span_of(file), span_of(other)
        if mine is not None and theirs is not None:
            file = file[: mine[0]] + other[theirs[0] : theirs[1]] + file[mine[1] :]
    return file
