"""The SQL of a query. Every value is a bound parameter; what stands in the text is ours.

A tag is looked for by containment, which one GIN index answers for all keys there are or will be. It may stand alone
or in a list, so there are two things to look for.

The tables of months are named one by one, and the last column of each row tells the head, or NULL where another month
has begun than those that were known, or one has moved to the archive or back; see `months`.
"""

# ruff: noqa: S608

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.criteria import Criterion
from kitty_status.eventstore.postgres.driver import Int8
from kitty_status.eventstore.postgres.months import Known
from kitty_status.eventstore.postgres.rows import COLUMNS, READ
from kitty_status.eventstore.postgres.schema import partition_of
from kitty_status.eventstore.query import EventQuery, Order

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_ORDERED_BY = {Order.POSITION: "events.position", Order.TIMESTAMP: "events.at", Order.TYPE: "events.type"}
_ALL = ", ".join(COLUMNS)
_encode = msgspec.json.Encoder().encode


class Sql:
    """A statement and its parameters.

    `prepare` says whether one plan serves for all parameters: None where it does, once the statement has come often;
    False where which partitions and indexes serve depends on what is asked for.
    """

    __slots__ = ("prepare", "text", "values")

    def __init__(self, text: str, values: list[Any], *, prepare: bool | None = None) -> None:
        self.text = text
        self.values = values
        self.prepare = prepare


@dataclass(frozen=True)
class Part:
    """Which part of an answer is wanted: what lies between two positions, from an offset on, so many at most.

    `known` are the months that are known, of which those are asked that can hold any of it. With `is_bounded`, it ends
    in these, and it makes no difference whether another one has begun.
    """

    known: Known
    after: int = 0
    before: int | None = None
    offset: int = 0
    limit: int | None = None
    is_bounded: bool = False

    @property
    def told(self) -> list[Any]:
        """The parameters by which the statement tells whether the months are still those that are known."""
        return [date.max, self.known.moves] if self.is_bounded else self.known.told


class Asking:
    """Statements for the tables of a schema."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self.head = f"SELECT head FROM {schema}.event_head"
        self.state = f"SELECT head, moves FROM {schema}.event_head"
        self.told = f"(SELECT CASE WHEN month <= %s AND moves = %s THEN head END FROM {schema}.event_head)"
        self.versions = f"SELECT stream, version FROM {schema}.event_streams WHERE stream = ANY(%s::text[])"
        self.months = (
            "SELECT event_months.month, after_position, archived, moves "
            f"FROM {schema}.event_months CROSS JOIN {schema}.event_head"
        )
        self.places = f"SELECT id, position FROM {schema}.event_ids WHERE id = ANY(%s::text[])"
        self.keep_snapshot = (
            f"INSERT INTO {schema}.state_snapshots (stream, version, position, state, exact, at) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (stream, version) DO UPDATE "
            "SET position = excluded.position, state = excluded.state, exact = excluded.exact, at = excluded.at"
        )

    def by_ids(self, ids: Sequence[str], known: Known) -> Sql:
        """Return the statement for the events with these ids."""
        where = f"{self._events(known.tables)} WHERE {self._has_id('= ANY(%s::text[])')}"
        return Sql(f"SELECT {READ}, {self.told} FROM {where}", [*known.told, list(ids)])

    def types(self, known: Known) -> Sql:
        """Return the statement for all types, of which each is found from the one before it."""
        return self._one_by_one(("type", "type", "types"), "events.type > found.type", known)

    def days(self, known: Known) -> Sql:
        """Return the statement for the days on which events happened, of which each is found from the one before it."""
        day = "to_char(at, 'YYYY-MM-DD') COLLATE \"C\""
        is_next = "events.at >= date_trunc('day', found.at) + interval '1 day'"
        return self._one_by_one(("at", day, "days"), is_next, known)

    def _one_by_one(self, names: tuple[str, str, str], is_next: str, known: Known) -> Sql:
        """Return the statement for what there is of a column; chunks of the archive list what they have."""
        column, shown, listed = names
        events = self._events(known.tables)
        text = (
            f"WITH RECURSIVE found ({column}) AS (SELECT min({column}) FROM {events} UNION ALL "
            f"SELECT (SELECT min(events.{column}) FROM {events} WHERE {is_next}) FROM found "
            f"WHERE found.{column} IS NOT NULL) "
            f"SELECT each, {self.told} FROM (SELECT {shown} FROM found WHERE {column} IS NOT NULL UNION "
            f"SELECT unnest({listed}) FROM {self.schema}.event_archives JOIN {self.schema}.event_months USING (month) "
            "WHERE archived) AS every (each) ORDER BY 1"
        )
        return Sql(text, known.told)

    def tags(self, known: Known) -> Sql:
        """Return the statement for the values of each tag."""
        text = (
            f'SELECT tag.key COLLATE "C", word.value COLLATE "C", {self.told} FROM {self._events(known.tables)} '
            "CROSS JOIN jsonb_each(events.tags) AS tag CROSS JOIN jsonb_array_elements_text("
            "CASE jsonb_typeof(tag.value) WHEN 'array' THEN tag.value ELSE jsonb_build_array(tag.value) END) AS word "
            "GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return Sql(text, known.told)

    def place_of(self, stream: str, version: int, known: Known) -> Sql:
        """Return the statement for the position of a version; who asks for it mostly asks for one of the newest."""
        where = f"{self._events(known.tables)} WHERE events.stream = %s AND events.version = %s"
        text = f"SELECT events.position, {self.told} FROM {where} ORDER BY events.position DESC LIMIT 1"
        return Sql(text, [*known.told, stream, Int8(version)])

    def snapshot_of(self, stream: str, max_version: int | None) -> Sql:
        """Return the statement for the newest state of a stream."""
        text = f"SELECT version, position, state::text, exact, at FROM {self.schema}.state_snapshots WHERE stream = %s"
        values: list[Any] = [stream]
        if max_version is not None:
            text += " AND version <= %s"
            values.append(Int8(max_version))
        return Sql(f"{text} ORDER BY version DESC LIMIT 1", values)

    def page(self, query: EventQuery, part: Part) -> Sql:
        """Return the statement for a part of an answer."""
        return self._select(READ, query, part)

    def count(self, query: EventQuery, part: Part) -> Sql:
        """Return the statement that counts an answer."""
        if query.limit is None and not query.offset:
            where = self._where(query, part)
            return Sql(f"SELECT count(*), {self.told} FROM {where.text}", [*part.told, *where.values], prepare=False)
        inner = self._select("1", query, part)
        text = f"SELECT count(*), {self.told} FROM ({inner.text}) AS counted"
        return Sql(text, [*part.told, *inner.values], prepare=False)

    def _select(self, columns: str, query: EventQuery, part: Part) -> Sql:
        where = self._where(query, part)
        way = "DESC" if query.is_backwards else "ASC"
        key = _ORDERED_BY[query.order]
        order = f"{key} {way}" if query.order is Order.POSITION else f"{key} {way}, events.position {way}"
        text = f"SELECT {columns}, {self.told} FROM {where.text} ORDER BY {order}"
        values = [*part.told, *where.values]
        if part.limit is not None:
            text += " LIMIT %s"
            values.append(Int8(part.limit))
        if part.offset:
            text += " OFFSET %s"
            values.append(Int8(part.offset))
        return Sql(text, values, prepare=None if is_plain(query) else False)

    def _events(self, months: Sequence[date]) -> str:
        """Return what holds the events of some months, as `events`."""
        tables = [f"{self.schema}.{partition_of(month)}" for month in months] or [f"{self.schema}.events"]
        if len(tables) == 1:
            return f"{tables[0]} AS events"
        # Taken apart by the planner: each table is asked through its own indexes, as a partition would be.
        return f"({' UNION ALL '.join(f'SELECT {_ALL} FROM {table}' for table in tables)}) AS events"

    def _has_id(self, is_wanted: str) -> str:
        # An array that is found first, so that the index on positions serves also where this is one of several.
        return f"events.position = ANY(ARRAY(SELECT position FROM {self.schema}.event_ids WHERE id {is_wanted}))"

    def _where(self, query: EventQuery, part: Part) -> Sql:
        clauses = ["events.position > %s"]
        after = max(query.after, part.after)
        values: list[Any] = [Int8(after)]
        before = min((each for each in (query.before, part.before) if each is not None), default=None)
        bounds: tuple[tuple[str, Any], ...] = (
            ("events.position < %s", None if before is None else Int8(before)),
            ("events.version > %s", Int8(query.after_version) if query.after_version else None),
            ("events.at >= %s", query.earliest),
            ("events.at < %s", query.latest),
        )
        for clause, value in bounds:
            if value is not None:
                clauses.append(clause)
                values.append(value)
        if query.behind is not None:
            clauses.append(self._behind(query, query.behind, values))
        if query.criteria:
            clauses.append("(" + " OR ".join(self._met(each, values) for each in query.criteria) + ")")
        events = self._events(part.known.holding(after + 1, before))
        return Sql(f"{events} WHERE {' AND '.join(clauses)}", values)

    def _behind(self, query: EventQuery, behind: tuple[str | int, int], values: list[Any]) -> str:
        sign = "<" if query.is_backwards else ">"
        key, position = behind
        if query.order is Order.POSITION:
            values.append(Int8(position))
            return f"events.position {sign} %s"
        values += [key, Int8(position)]
        kind = "timestamptz" if query.order is Order.TIMESTAMP else "text"
        return f"({_ORDERED_BY[query.order]}, events.position) {sign} (%s::{kind}, %s)"

    def _met(self, criterion: Criterion, values: list[Any]) -> str:
        """Return the condition under which an event meets a criterion, and add its parameters."""
        clauses = []
        for column, words in (("type", criterion.types), ("stream", criterion.streams)):
            if words:
                clauses.append(f"events.{column} {_one_of(words, values)}")
        if criterion.ids:
            clauses.append(self._has_id(_one_of(criterion.ids, values)))
        for key, words in criterion.tags:
            found = []
            for word in sorted(words):
                found.append("events.tags @> %s::jsonb OR events.tags @> %s::jsonb")
                values += [_encode({key: word}).decode(), _encode({key: [word]}).decode()]
            clauses.append(f"({' OR '.join(found)})")
        return "(" + " AND ".join(clauses) + ")"


def is_plain(query: EventQuery) -> bool:
    """Say whether a query asks for every event between two positions."""
    filters = (query.criteria, query.earliest, query.latest, query.after_version)
    return query.order is Order.POSITION and not any(filters)


def _one_of(words: Collection[str], values: list[Any]) -> str:
    if len(words) == 1:
        values += words
        return "= %s"
    values.append(sorted(words))
    return "= ANY(%s::text[])"
