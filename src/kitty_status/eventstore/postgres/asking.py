"""The SQL of a query. Every value is a bound parameter; what stands in the text is ours.

A tag is looked for by containment, which one GIN index answers for all keys there are or will be. It may stand alone
or in a list, so there are two things to look for.
"""

# ruff: noqa: S608

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.criteria import Criterion
from kitty_status.eventstore.postgres.driver import Int8
from kitty_status.eventstore.postgres.rows import READ
from kitty_status.eventstore.query import EventQuery, Order

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

_ORDERED_BY = {Order.POSITION: "events.position", Order.TIMESTAMP: "events.at", Order.TYPE: "events.type"}
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

    `months` are the first and the last one that can hold any of it, as far as that is known.
    """

    after: int = 0
    before: int | None = None
    offset: int = 0
    limit: int | None = None
    months: tuple[date | None, date | None] = (None, None)


class Asking:
    """Statements for the tables of a schema."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self.head = f"SELECT head, month FROM {schema}.event_head"
        self.by_ids = f"SELECT {READ} FROM {self._having_ids()}"
        self.versions = (
            "SELECT wanted.stream, (SELECT version FROM "
            f"{schema}.event_places AS place WHERE place.stream = wanted.stream ORDER BY version DESC LIMIT 1) "
            "FROM unnest(%s::text[]) AS wanted (stream)"
        )

        # Each type is found from the one before it, so that this costs what there are types, not events.
        self.types = Sql(
            f"WITH RECURSIVE found (type) AS (SELECT min(type) FROM {schema}.events UNION ALL "
            f"SELECT (SELECT min(type) FROM {schema}.events WHERE type > found.type) FROM found "
            "WHERE found.type IS NOT NULL) SELECT type FROM found WHERE type IS NOT NULL",
            [],
        )
        self.tags = Sql(f"SELECT key, value FROM {schema}.tag_values ORDER BY key, value", [])
        self.days = Sql(f"SELECT to_char(day, 'YYYY-MM-DD') FROM {schema}.days ORDER BY day", [])
        self.months = Sql(f"SELECT month, after_position FROM {schema}.event_months", [])
        self.keep_snapshot = (
            f"INSERT INTO {schema}.state_snapshots (stream, version, position, state, exact, at) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (stream, version) DO UPDATE "
            "SET position = excluded.position, state = excluded.state, exact = excluded.exact, at = excluded.at"
        )

    def place_of(self, stream: str, version: int) -> Sql:
        """Return the statement for the position of a version."""
        return Sql(
            f"SELECT position FROM {self.schema}.event_places WHERE stream = %s AND version = %s",
            [stream, Int8(version)],
        )

    def snapshot_of(self, stream: str, max_version: int | None) -> Sql:
        """Return the statement for the newest state of a stream."""
        text = f"SELECT version, position, state::text, exact, at FROM {self.schema}.state_snapshots WHERE stream = %s"
        values: list[Any] = [stream]
        if max_version is not None:
            text += " AND version <= %s"
            values.append(Int8(max_version))
        return Sql(f"{text} ORDER BY version DESC LIMIT 1", values)

    def _having_ids(self) -> str:
        return (
            f"{self.schema}.events AS events JOIN {self.schema}.event_places AS place "
            "ON events.position = place.position AND events.month = place.month WHERE place.id = ANY(%s::text[])"
        )

    def page(self, query: EventQuery, part: Part, *, tells_head: bool = False) -> Sql:
        """Return the statement for a part of an answer; `tells_head` adds the head of that moment to each row."""
        head = f", (SELECT head FROM {self.schema}.event_head)" if tells_head else ""
        return self._select(READ + head, query, part)

    def count(self, query: EventQuery, part: Part) -> Sql:
        """Return the statement that counts an answer."""
        if query.limit is None and not query.offset:
            where = self._where(query, part)
            return Sql(f"SELECT count(*) FROM {where.text}", where.values, prepare=False)
        inner = self._select("1", query, part)
        return Sql(f"SELECT count(*) FROM ({inner.text}) AS counted", inner.values, prepare=False)

    def _select(self, columns: str, query: EventQuery, part: Part) -> Sql:
        where = self._where(query, part)
        way = "DESC" if query.is_backwards else "ASC"
        key = _ORDERED_BY[query.order]
        order = f"{key} {way}" if query.order is Order.POSITION else f"{key} {way}, events.position {way}"
        text, values = f"SELECT {columns} FROM {where.text} ORDER BY {order}", where.values
        if part.limit is not None:
            text += " LIMIT %s"
            values.append(Int8(part.limit))
        if part.offset:
            text += " OFFSET %s"
            values.append(Int8(part.offset))
        return Sql(text, values, prepare=None if is_plain(query) else False)

    def _where(self, query: EventQuery, part: Part) -> Sql:
        clauses = ["events.position > %s"]
        values: list[Any] = [Int8(max(query.after, part.after))]
        before = min((each for each in (query.before, part.before) if each is not None), default=None)
        bounds: tuple[tuple[str, Any], ...] = (
            ("events.position < %s", None if before is None else Int8(before)),
            ("events.month >= %s", part.months[0]),
            ("events.month <= %s", part.months[1]),
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
        return Sql(f"{self.schema}.events AS events WHERE {' AND '.join(clauses)}", values)

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
            # An array that is found first, so that the index on positions serves also where this is one of several.
            clauses.append(
                f"events.position = ANY(ARRAY(SELECT position FROM {self.schema}.event_places "
                f"WHERE id {_one_of(criterion.ids, values)}))"
            )
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
