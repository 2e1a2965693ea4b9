"""Event ids that stand more than once: with the same content that is harmless, with another it is a conflict."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kitty_status.status.record import DecodeRow, StatusRecord

# Beyond this many bytes of searching, looking at every line once is cheaper than looking for every id.
_SEARCH_BUDGET = 1 << 28


def find_other_content(
    known: bytes, events: Sequence[StatusRecord], decode_row: DecodeRow
) -> Iterator[tuple[StatusRecord, int]]:
    """Yield each of the new `events` whose id already stands for something else, with the line that has it.

    `known` are the bytes of a log's earlier lines; they are searched, not parsed.
    """
    first: dict[str, StatusRecord] = {}
    for event in events:
        earlier = first.setdefault(event.event_id, event)
        if earlier is not event and _differ(earlier.line, event.line, decode_row):
            yield event, earlier.line_number
    if len(known) * len(first) > _SEARCH_BUDGET:
        mentioned = _mentioned(known, first)
        first = {event_id: event for event_id, event in first.items() if event_id in mentioned}
    for event_id, event in first.items():
        for line, number in lines_with(known, event_id):
            if _is_about(line, event_id, decode_row) and _differ(line, event.line, decode_row):
                yield event, number
                break


def lines_with(data: bytes, event_id: str) -> Iterator[tuple[bytes, int]]:
    """Yield the lines that hold an event id anywhere, each with its number; they may only mention it."""
    if not event_id.isascii() or not event_id.isprintable() or '"' in event_id or "\\" in event_id:
        # Such an id can be spelled in more than one way: every line that is not blank may hold it.
        yield from ((line, number) for number, line in enumerate(data.split(b"\n"), start=1) if line.strip(b" \t"))
        return
    needle = f'"{event_id}"'.encode()
    at = data.find(needle)
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        yield data[start:end], data.count(b"\n", 0, start) + 1
        at = data.find(needle, end)


def _mentioned(data: bytes, event_ids: Iterable[str]) -> set[str]:
    """Return those of `event_ids` that stand between two quotes anywhere, as `lines_with` would find them."""
    wanted = {event_id.encode("utf-8", "surrogatepass"): event_id for event_id in event_ids}
    found: set[bytes] = set()
    for line in data.split(b"\n"):
        found.update(wanted.keys() & line.split(b'"')[1:-1])
    return {wanted[text] for text in found}


def _is_about(line: bytes, event_id: str, decode_row: DecodeRow) -> bool:
    try:
        return decode_row(line).get("event_id") == event_id
    except ValueError:
        return False


def _differ(one: bytes, other: bytes, decode_row: DecodeRow) -> bool:
    one, other = one.rstrip(b"\n"), other.rstrip(b"\n")
    return one != other and decode_row(one) != decode_row(other)
