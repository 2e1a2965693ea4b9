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

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec

from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.record import event_in
from kitty_status.status.rows import display_actor, is_foreign, is_safe_name, problem_with_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from kitty_status.status.record import DecodeRow, LaneEvent, OnDamage

_Text = Annotated[str, msgspec.Meta(min_length=1)]
if TYPE_CHECKING:
    _SevenLane: TypeAlias = str
    _AnyLane: TypeAlias = str
else:
    _SevenLane = Literal[SEVEN_LANE.lanes]
    _AnyLane = Literal[NINE_LANE.lanes]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Mode = Literal["worktree", "direct_repo"]
_Object = dict[str, Any] | None

MAX_DEPTH = 32
MAX_LINE_BYTES = 8 * 1024 * 1024
_NEVER = -1_000_000_000
_CARRIAGE_RETURN = ord("\r")
_QUOTE, _BRACE, _BRACKET, _BACKSLASH = b'"{[\\'
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ESCAPED_QUOTE = b"\\u0022"
_OWN_QUOTES = 2 * (12 + 8)
_THEIR_QUOTES = 2 * (14 + 8)


class _OwnEvent(msgspec.Struct, gc=False):
    """An event as kitty-status writes it, all twelve keys there; the last two fields are ours, not the line's.

    A key that could be absent would leave room in the count of quotes for one that stands twice.
    """

    event_id: _Text
    wp_id: str
    from_lane: _SevenLane
    to_lane: _SevenLane
    force: bool
    execution_mode: _Mode
    instant: _Instant = msgspec.field(name="at")
    slug: _Text = msgspec.field(name="feature_slug")
    shown_actor: _Text = msgspec.field(name="actor")
    reason: str | None
    review_ref: str | None
    evidence: _Object
    known_parents: list[str] | None = msgspec.field(name="parents", default=None)
    line: bytes = b""
    nine_lane: ClassVar[bool] = False

    @property
    def at(self) -> str:
        """The instant as the log spells it; asked for one event of thousands, so it is not kept."""
        return _decode_at(self.line).at


class _TheirEvent(msgspec.Struct, gc=False):
    """An event as spec-kitty 3 writes it; `parents` where kitty-status added to its log."""

    event_id: _Text
    wp_id: str
    from_lane: _AnyLane
    to_lane: _AnyLane
    actor: str | dict[str, Any]
    force: bool
    execution_mode: _Mode
    mission_id: str
    instant: _Instant = msgspec.field(name="at")
    slug: _Text = msgspec.field(name="mission_slug")
    reason: str | None
    review_ref: str | None
    evidence: _Object
    policy_metadata: _Object
    review_result: _Object | msgspec.UnsetType = msgspec.UNSET
    known_parents: list[str] | None = msgspec.field(name="parents", default=None)
    shown_actor: str = ""
    line: bytes = b""
    nine_lane: ClassVar[bool] = True

    @property
    def at(self) -> str:
        """The instant as the log spells it."""
        return _decode_at(self.line).at


class _At(msgspec.Struct):
    at: str


_decode_own = msgspec.json.Decoder(_OwnEvent).decode
_decode_theirs = msgspec.json.Decoder(_TheirEvent).decode
_decode_at = msgspec.json.Decoder(_At).decode
_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder(dict[str, Any]).decode


def fast_events_of(  # noqa: C901, PLR0912  one loop on purpose: a call per line would cost a tenth of it
    lines: Iterable[bytes], decode_row: DecodeRow, on_damage: OnDamage
) -> Iterator[LaneEvent]:
    """Yield the status events among `lines`: the same promise as `record.events_of`, several times faster."""
    safe_names: set[str] = set()
    decode, own_quotes, failures = _decode_own, _OWN_QUOTES, _FAILURES
    is_theirs = False
    event: LaneEvent | None
    for number, line in enumerate(lines, start=1):
        if is_theirs:
            event, is_theirs = _other_event(line, number, safe_names, decode_row, on_damage)
            if event is not None:
                yield event
            continue
        try:
            own = decode(line)
        except failures:
            event, is_theirs = _other_event(line, number, safe_names, decode_row, on_damage)
        else:
            quotes = own_quotes
            if own.reason is not None:
                quotes += 2
            if own.review_ref is not None:
                quotes += 2
            parents = own.known_parents
            if parents is not None:
                quotes += 2 + 2 * len(parents)
            evidence = own.evidence
            if evidence is not None:
                quotes += _quotes_in_evidence(evidence, line)
            if (
                line.count(_QUOTE) == quotes
                and own.wp_id in safe_names
                and _CARRIAGE_RETURN not in line
                and len(line) <= MAX_LINE_BYTES
            ):
                own.line = line
                event = own
            else:
                event = event_in(line, number, decode_row, on_damage)
                if event is not None:
                    safe_names.add(event.wp_id)
        if event is not None:
            yield event


def _other_event(
    line: bytes, number: int, safe_names: set[str], decode_row: DecodeRow, on_damage: OnDamage
) -> tuple[LaneEvent | None, bool]:
    """Return the event of a line that is none of ours, and whether the next one is likely of the same kind."""
    if _CARRIAGE_RETURN not in line and not _may_hide_a_quote(line) and len(line) <= MAX_LINE_BYTES:
        event = _theirs(line)
        if event is not None:
            if event.wp_id in safe_names:
                return event, True
            if is_safe_name(event.wp_id):
                safe_names.add(event.wp_id)
                return event, True
        if _is_sound_foreign_row(line):
            return None, True
    return event_in(line, number, decode_row, on_damage), False


def _quotes_in_evidence(evidence: dict[str, Any], line: bytes) -> int:
    if _may_hide_a_quote(line) or problem_with_evidence(evidence):
        return _NEVER
    return _quotes_in(evidence)


def _theirs(line: bytes) -> _TheirEvent | None:
    try:
        event = _decode_theirs(line)
    except _FAILURES:
        return None
    quotes = _THEIR_QUOTES
    actor = event.actor
    if actor.__class__ is str:
        event.shown_actor = actor
        quotes += 2 + actor.count('"')
    else:
        event.shown_actor = display_actor(actor)
        quotes += _quotes_in(actor)
    text = event.reason
    if text is not None:
        quotes += 2 + text.count('"')
    text = event.review_ref
    if text is not None:
        quotes += 2 + text.count('"')
    if event.evidence is not None:
        quotes += _NEVER if problem_with_evidence(event.evidence) else _quotes_in(event.evidence)
    if event.policy_metadata:
        quotes += _quotes_in(event.policy_metadata)
    result = event.review_result
    if result is not msgspec.UNSET:
        quotes += 2 + (_quotes_in(result) if result else 0)
    if event.known_parents is not None:
        quotes += 2 + 2 * len(event.known_parents)
    if line.count(_QUOTE) != quotes or not event.shown_actor:
        return None
    event.line = line
    return event


def _is_sound_foreign_row(line: bytes) -> bool:
    try:
        row = _decode_any(line)
    except _FAILURES:
        return False
    return is_foreign(row) and line.count(_QUOTE) == _quotes_in(row)


def _quotes_in(value: Any) -> int:
    """Return how many `"` bytes a value takes at least in JSON, its escaped ones included.

    The count is exact unless a quote is spelled as a `u0022` escape, so callers rule that out.
    A value that may be nested too deeply counts as so far below zero that no line can match.
    """
    spelled = _encode(value)
    if spelled.count(_BRACE) + spelled.count(_BRACKET) >= MAX_DEPTH:
        return _NEVER
    return spelled.count(_QUOTE)


def _may_hide_a_quote(line: bytes) -> bool:
    # One byte is found many times faster than six, and few lines hold it.
    return _BACKSLASH in line and _ESCAPED_QUOTE in line
