"""What becomes of appends, before anything is written: the one place for idempotency, versions and conditions.

A backend that writes for several callers at once stages their appends one after the other. Each is judged by what is
stored and by what was staged before it, so the answers are those of appends that came one at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from kitty_status.eventstore.errors import EventStoreError, StoreCode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from kitty_status.eventstore.condition import AppendCondition
    from kitty_status.eventstore.event import Draft, Event
    from kitty_status.eventstore.query import EventQuery


# What judging one append can meet that no backend raises of itself.
_SURPRISES = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)

Outcome: TypeAlias = "list[Event] | EventStoreError"
"""The events of one append with their places, or why it was refused."""


class Append:
    """What one caller wants to append: all of it or nothing.

    `versions` are those that streams must be at, `condition` what must not have happened meanwhile. `ids_to_look_for`
    are the ids that may be stored already, `streams` those whose versions decide.
    """

    __slots__ = ("condition", "drafts", "ids_to_look_for", "streams", "versions")

    def __init__(
        self, drafts: tuple[Draft, ...], versions: dict[str, int], condition: AppendCondition | None = None
    ) -> None:
        self.drafts = drafts
        self.versions = versions
        self.condition = condition
        self.ids_to_look_for = {draft.id for draft in drafts if not draft.is_fresh}
        self.streams = {draft.stream for draft in drafts}
        self.streams.update(versions)


class Stored(Protocol):
    """What a backend can say of what it has stored, while nobody else writes."""

    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        ...

    def events_with_ids(self, ids: Collection[str]) -> dict[str, Event]:
        """Return the stored events that have one of these ids, by id."""
        ...

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        """Return the version of the newest event of each stream; a stream without events may be left out."""
        ...

    def first_match(self, query: EventQuery) -> Event | None:
        """Return the first event that a query asks for."""
        ...


class Stage:
    """Appends that are to be written together, in the order in which they were added.

    `events` are those to write; their positions follow on what is stored without a gap.
    """

    def __init__(self, stored: Stored, appends: Iterable[Append] = ()) -> None:
        """Ask at once for what `appends` will be judged by; others may be added as well, for a question each."""
        known = list(appends)
        self._stored = stored
        self._head = stored.head()
        self._asked: set[str] = set()
        streams: set[str] = set()
        for append in known:
            self._asked |= append.ids_to_look_for
            streams |= append.streams
        self._found = stored.events_with_ids(self._asked) if self._asked else {}
        self._versions = dict.fromkeys(streams, 0)
        if streams:
            self._versions.update(stored.versions_of(streams))
        self.events: list[Event] = []

    def add(self, append: Append) -> list[Event]:
        """Stage an append and return its events with their places; one that is stored already keeps its own.

        An append whose events are all stored already has happened: nothing is checked again.

        Raises:
            EventStoreError: DUPLICATE_EVENT: an id stands for another event. CONFLICT: a version or the condition does
                not hold. Nothing of the append was staged.
        """
        found = self._stored_events(append)
        if len(found) < len(append.ids_to_look_for) or any(draft.is_fresh for draft in append.drafts):
            self._check_versions(append)
            if append.condition is not None:
                self._check_condition(append.condition)
        versions = {stream: self._versions[stream] for stream in append.streams}
        answer, new = self._placed(append.drafts, found, versions)
        self.events += new
        if found:
            self._found |= found
        self._versions |= versions
        return answer

    def outcome_of(self, append: Append) -> Outcome:
        """Stage an append and return its events with their places, or the error by which it was refused; see `add`."""
        try:
            return self.add(append)
        except EventStoreError as error:
            return error
        except _SURPRISES as error:
            # Nothing of this append was staged, and those of others have nothing to do with it.
            refusal = EventStoreError(
                StoreCode.VALIDATION_FAILED,
                f"the append could not be judged: {type(error).__name__}: {error}",
                hint="see what its condition or its events hold; nothing was appended",
            )
            refusal.__cause__ = error
            return refusal

    def _stored_events(self, append: Append) -> dict[str, Event]:
        if not self._versions.keys() >= append.streams:
            streams = append.streams - self._versions.keys()
            self._versions |= {**dict.fromkeys(streams, 0), **self._stored.versions_of(streams)}
        if not append.ids_to_look_for:
            return {}
        unknown = append.ids_to_look_for - self._asked
        if unknown:
            self._asked |= unknown
            self._found.update(self._stored.events_with_ids(unknown))
        return {event_id: self._found[event_id] for event_id in append.ids_to_look_for if event_id in self._found}

    def _placed(
        self, drafts: Sequence[Draft], known: dict[str, Event], versions: dict[str, int]
    ) -> tuple[list[Event], list[Event]]:
        """Return the answer, and what of it is new; `known` and `versions` are brought up to it."""
        answer: list[Event] = []
        new: list[Event] = []
        next_position = self._head + len(self.events) + 1
        for draft in drafts:
            event = None if draft.is_fresh else known.get(draft.id)
            if event is not None:
                refuse_other(draft, event)
            else:
                version = versions[draft.stream] + 1
                if draft.version is not None and draft.version != version:
                    raise _wrong_version(draft.stream, draft.version - 1, version - 1)
                event = draft.stored(next_position + len(new), version)
                versions[draft.stream] = version
                new.append(event)
                if not draft.is_fresh:
                    known[draft.id] = event
            answer.append(event)
        return answer, new

    def _check_versions(self, append: Append) -> None:
        for stream, expected in append.versions.items():
            if self._versions[stream] != expected:
                raise _wrong_version(stream, expected, self._versions[stream])

    def _check_condition(self, condition: AppendCondition) -> None:
        query = condition.query
        event = self._stored.first_match(query) if self._head > query.after else None
        event = event or next(filter(query.matches, self.events), None)
        if event is not None:
            raise EventStoreError(
                StoreCode.CONFLICT,
                f"event {event.id} ({event.type}) at position {event.position} matches the append's condition",
                hint="read again from there, decide again, and append with the new position",
                event_id=event.id,
                position=event.position,
                after=query.after,
            )


def refuse_other(draft: Draft, event: Event) -> None:
    """Refuse a draft whose id stands for another event.

    Raises:
        EventStoreError: DUPLICATE_EVENT, naming both.
    """
    other = draft.differs_from(event)
    if other:
        raise EventStoreError(
            StoreCode.DUPLICATE_EVENT,
            f"event {draft.id} ({draft.type}) differs in {', '.join(other)} from the event ({event.type}) that is "
            f"stored with this id at position {event.position}",
            hint="give the new event an id of its own; nothing was appended",
            event_id=draft.id,
            differs_in=other,
            stored={"type": event.type, "stream": event.stream, "position": event.position},
            given={"type": draft.type, "stream": draft.stream},
        )


def _wrong_version(stream: str, expected: int, actual: int) -> EventStoreError:
    return EventStoreError(
        StoreCode.CONFLICT,
        f"stream {stream} was expected at version {expected} and is at {actual}",
        hint="read the stream again, decide again, and append with its new version",
        stream=stream,
        expected_version=expected,
        actual_version=actual,
    )
