"""Status events straight from bytes to slots, for logs too large to take line by line through dicts.

A line is decoded by msgspec into a closed type. That alone would let a repeated key pass, so the
decoded strings are counted: every key and every string value puts two quotes into a line, and a
line whose number of `"` bytes is exactly twice the number of keys and string values decoded has no
room for anything that was not decoded, nor for an escaped quote. Carriage returns and too long lines
are the codec's to refuse, while msgspec takes them. A line that cannot be proved so
takes the strict way through `decode_row` and `rows.problem_with`; both ways accept the same lines
with the same meaning, which a test holds them to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.status.fast_events import OwnEvent, TheirEvent, decode_own, decode_theirs, decode_wide
from kitty_status.status.known_lanes import is_lane
from kitty_status.status.record import event_in
from kitty_status.status.rows import display_actor, is_foreign, is_safe_name, problem_with_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kitty_status.status.record import DecodeRow, LaneEvent, OnDamage

MAX_DEPTH = 32
MAX_LINE_BYTES = 8 * 1024 * 1024
_NEVER = -1_000_000_000
_CARRIAGE_RETURN = ord("\r")
_QUOTE, _BRACE, _BRACKET, _BACKSLASH = b'"{[\\'
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ESCAPED_QUOTE = b"\\u0022"
_OWN_QUOTES = 2 * (12 + 8)
_THEIR_QUOTES = 2 * (14 + 8)


_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder(dict[str, Any]).decode


def fast_batches(
    batches: Iterable[list[bytes]], decode_row: DecodeRow, on_damage: OnDamage
) -> Iterator[Sequence[LaneEvent]]:
    """Yield the status events of each batch of lines: the same promise as `record.events_of`, many times faster."""
    safe_names: set[str] = set()
    number = 1
    for lines in batches:
        events = _proved(lines, safe_names)
        yield _one_by_one(lines, number, safe_names, decode_row, on_damage) if events is None else events
        number += len(lines)


def _one_by_one(
    lines: list[bytes], number: int, safe_names: set[str], decode_row: DecodeRow, on_damage: OnDamage
) -> list[LaneEvent]:
    events: list[LaneEvent] = []
    for line_number, line in enumerate(lines, start=number):
        proved = _proved([line], safe_names)
        if proved is not None:
            events += proved
            continue
        event = event_in(line, line_number, decode_row, on_damage)
        if event is not None:
            events.append(event)
    return events


def _proved(lines: list[bytes], safe_names: set[str]) -> Sequence[LaneEvent] | None:
    """Return the events among lines that are all proved sound, None where one of them is not.

    One count of quotes does for all lines: none of them can hold fewer than is accounted for.
    """
    together = b"".join(lines)
    if _CARRIAGE_RETURN in together or len(together) > MAX_LINE_BYTES:
        return None
    has_escapes = _BACKSLASH in together
    if has_escapes and _ESCAPED_QUOTE in together:
        return None
    events: Sequence[LaneEvent]
    for read in (_all_ours, _all_wide, _of_every_kind):
        try:
            events, quotes = read(lines, has_escapes=has_escapes)
            break
        except _FAILURES:
            continue
    else:
        return None
    if together.count(_QUOTE) != quotes:
        return None
    names = {event.wp_id for event in events}
    if not names <= safe_names:
        if not all(map(is_safe_name, names)):
            return None
        safe_names |= names
    return events


def _all_ours(lines: list[bytes], *, has_escapes: bool) -> tuple[list[OwnEvent], int]:
    """Return the events of lines that are all our own, and how many quotes they account for.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: one of them is not.
    """
    return _accounted_for(list(map(decode_own, lines)), lines, has_escapes=has_escapes)


def _all_wide(lines: list[bytes], *, has_escapes: bool) -> tuple[list[OwnEvent], int]:
    """Return the same where the lanes may be any that are known."""
    events: list[OwnEvent] = list(map(decode_wide, lines))
    lanes = {event.from_lane for event in events} | {event.to_lane for event in events}
    if not all(map(is_lane, lanes)):
        raise msgspec.DecodeError("it names a lane that is not known")
    return _accounted_for(events, lines, has_escapes=has_escapes)


def _accounted_for(events: list[OwnEvent], lines: list[bytes], *, has_escapes: bool) -> tuple[list[OwnEvent], int]:
    quotes = _quotes_accounted_for(events, lines)
    return events, quotes + sum(map(_escaped_quotes, events)) if has_escapes else quotes


def _quotes_accounted_for(events: list[OwnEvent], lines: list[bytes]) -> int:
    """Return how many quotes the lines take for their keys and string values; give each event its line on the way."""
    quotes = _OWN_QUOTES * len(events)
    for event, line in zip(events, lines, strict=True):
        event.line = line
        if event.reason is not None:
            quotes += 2
        if event.review_ref is not None:
            quotes += 2
        parents = event.known_parents
        if parents is not None:
            quotes += 2 + 2 * len(parents)
        evidence = event.evidence
        if evidence is not None:
            quotes += _quotes_in_evidence(evidence)
    return quotes


def _escaped_quotes(event: OwnEvent) -> int:
    """Return how many quotes an event's texts hold, which a line has to spell with a backslash."""
    quotes = event.shown_actor.count('"')
    if event.reason is not None:
        quotes += event.reason.count('"')
    if event.review_ref is not None:
        quotes += event.review_ref.count('"')
    return quotes


def _of_every_kind(lines: list[bytes], *, has_escapes: bool) -> tuple[list[LaneEvent], int]:
    """Return the events among lines of our own, of spec-kitty's and of foreign rows, and the quotes they account for.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: one of them is nothing of these.
    """
    events: list[LaneEvent] = []
    quotes = 0
    for line in lines:
        try:
            theirs = decode_theirs(line)
        except _FAILURES:
            row = _decode_any(line)
            if is_foreign(row):
                quotes += _quotes_in(row)
            else:
                (own,), more = _all_wide([line], has_escapes=has_escapes)
                events.append(own)
                quotes += more
        else:
            quotes += _quotes_of_theirs(theirs)
            theirs.line = line
            events.append(theirs)
    return events, quotes


def _quotes_of_theirs(event: TheirEvent) -> int:
    """Return how many quotes an event of spec-kitty accounts for, and find out how its actor is shown."""
    quotes = _THEIR_QUOTES
    actor = event.actor
    if actor.__class__ is str:
        event.shown_actor = actor
        quotes += 2 + actor.count('"')
    else:
        event.shown_actor = display_actor(actor)
        quotes += _quotes_in(actor)
    if not event.shown_actor:
        return _NEVER
    text = event.reason
    if text is not None:
        quotes += 2 + text.count('"')
    text = event.review_ref
    if text is not None:
        quotes += 2 + text.count('"')
    if event.evidence is not None:
        quotes += _quotes_in_evidence(event.evidence)
    if event.policy_metadata:
        quotes += _quotes_in(event.policy_metadata)
    result = event.review_result
    if result is not msgspec.UNSET:
        quotes += 2 + (_quotes_in(result) if result else 0)
    if event.known_parents is not None:
        quotes += 2 + 2 * len(event.known_parents)
    return quotes


def _quotes_in_evidence(evidence: dict[str, Any]) -> int:
    return _NEVER if problem_with_evidence(evidence) else _quotes_in(evidence)


def _quotes_in(value: Any) -> int:
    """Return how many `"` bytes a value takes at least in JSON, its escaped ones included.

    The count is exact unless a quote is spelled as a `u0022` escape, so callers rule that out.
    A value that may be nested too deeply counts as so far below zero that no line can match.
    """
    spelled = _encode(value)
    if len(spelled) >= 2 * MAX_DEPTH and spelled.count(_BRACE) + spelled.count(_BRACKET) >= MAX_DEPTH:
        return _NEVER
    return spelled.count(_QUOTE)
