"""The SQL of a query.

A page of an answer by position is a union of alternatives, each of which one index gives in the order of positions, so
that a page costs what it holds however many events there are. Every value is a bound parameter.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from kitty_status.eventstore.criteria import Criterion
from kitty_status.eventstore.query import EventQuery, Order
from kitty_status.status.instants import format_instant

if TYPE_CHECKING:
    Value: TypeAlias = "str | int"

COLUMNS = "position, id, type, stream, version, at, data, tags, metadata"
# Where two tables are joined, both have positions.
_COLUMNS = ", ".join(f"events.{name}" for name in COLUMNS.split(", "))
# More alternatives than this are asked for in one scan.
_MOST_ALTERNATIVES = 32
_MOST_IN_A_ROW = 100
_encode = msgspec.json.Encoder().encode
_ORDERED_BY = {Order.POSITION: "position", Order.TIMESTAMP: "at", Order.TYPE: "type"}


class Sql:
    """A statement and its parameters."""

    __slots__ = ("text", "values")

    def __init__(self, text: str, values: list[Value]) -> None:
        self.text = text
        self.values = values


def page_by_position(query: EventQuery, after: int, before: int, limit: int) -> Sql:
    """Return the statement for the next `limit` events of an answer between two positions."""
    way = "DESC" if query.is_backwards else "ASC"
    alternatives = _alternatives(query)
    if alternatives is None or len(alternatives) == 1:
        where = _where(query, after, before, alternatives[0] if alternatives else None)
        # ruff: noqa: S608  names and operators are ours; every value is a parameter
        return Sql(f"SELECT {_COLUMNS} FROM {where.text} ORDER BY events.position {way} LIMIT {limit}", where.values)
    parts, values = [], []
    for alternative in alternatives:
        where = _where(query, after, before, alternative)
        parts.append(
            f"SELECT * FROM (SELECT events.position FROM {where.text} ORDER BY events.position {way} LIMIT {limit})"
        )
        values += where.values
    union = " UNION ".join(parts)
    text = (
        f"SELECT {_COLUMNS} FROM events WHERE position IN "
        f"(SELECT position FROM ({union}) ORDER BY position {way} LIMIT {limit}) ORDER BY position {way}"
    )
    return Sql(text, values)


def whole(query: EventQuery, before: int, columns: str = _COLUMNS) -> Sql:
    """Return the statement for an answer up to a position, in any order, cut by the query's limit and offset."""
    where = _where(query, query.after, before, None)
    way = "DESC" if query.is_backwards else "ASC"
    key = _ORDERED_BY[query.order]
    text, values = f"SELECT {columns} FROM {where.text}", where.values
    if query.behind is not None:
        behind, position = query.behind
        comparison = "<" if query.is_backwards else ">"
        text += f" AND ({key}, position) {comparison} (?, ?)"
        values += [behind, position]
    text += f" ORDER BY {key} {way}, position {way}"
    if query.limit is not None or query.offset:
        text += f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
    return Sql(text, values)


def count(query: EventQuery, before: int) -> Sql:
    """Return the statement that counts an answer up to a position."""
    inner = whole(query, before, "position")
    return Sql(f"SELECT count(*) FROM ({inner.text})", inner.values)


def _alternatives(query: EventQuery) -> list[Criterion] | None:
    """Return criteria of one word each that come to the same; None where there are too many."""
    found: list[Criterion] = []
    if sum(map(_combinations, query.criteria)) > _MOST_ALTERNATIVES:
        return None
    for criterion in query.criteria or (Criterion(),):
        choices = [
            [frozenset([word]) for word in sorted(words)] or [frozenset[str]()]
            for words in (criterion.types, criterion.streams, criterion.ids)
        ]
        tags = [[(key, frozenset([value])) for value in sorted(values)] for key, values in criterion.tags]
        for types, streams, ids in product(*choices):
            found += [Criterion(types, streams, ids, clauses) for clauses in product(*tags)]
    return found


def _combinations(criterion: Criterion) -> int:
    """Return of how many words each way to meet a criterion is one."""
    choices = (criterion.types, criterion.streams, criterion.ids, *(words for _, words in criterion.tags))
    return prod(max(1, len(words)) for words in choices)


def _where(query: EventQuery, after: int, before: int, alternative: Criterion | None) -> Sql:
    """Return what stands behind FROM for the events of an alternative, or of all criteria at once."""
    text = "events"
    values: list[Value] = []
    clauses: list[str] = []
    if alternative is not None and alternative.tags and not alternative.ids:
        # The first tag leads: its rows lie in the order of positions.
        (key, words), *others = alternative.tags
        text = "event_tags AS leading CROSS JOIN events ON events.position = leading.position"
        clauses.append("leading.key = ? AND leading.value = ? AND leading.position > ? AND leading.position < ?")
        values += [key, next(iter(words)), after, before]
        alternative = Criterion(alternative.types, alternative.streams, alternative.ids, tuple(others))
    else:
        clauses.append("events.position > ? AND events.position < ?")
        values += [after, before]
    if query.after_version:
        clauses.append("events.version > ?")
        values.append(query.after_version)
    for comparison, moment in ((">=", query.earliest), ("<", query.latest)):
        if moment is not None:
            clauses.append(f"events.at {comparison} ?")
            values.append(format_instant(moment))
    wanted = query.criteria if alternative is None else (alternative,)
    met = [_met(criterion, values) for criterion in wanted if not criterion.is_everything]
    if met:
        clauses.append(_joined(" OR ", met))
    return Sql(f"{text} WHERE {' AND '.join(clauses)}", values)


def _met(criterion: Criterion, values: list[Value]) -> str:
    """Return the condition under which an event meets a criterion, and add its parameters."""
    clauses = []
    for column, words in (("type", criterion.types), ("stream", criterion.streams), ("id", criterion.ids)):
        if words:
            clauses.append(f"events.{column} {_one_of(words, values)}")
    for key, words in criterion.tags:
        values.append(key)
        clauses.append(
            "EXISTS (SELECT 1 FROM event_tags WHERE event_tags.position = events.position AND event_tags.key = ? "
            f"AND event_tags.value {_one_of(words, values)})"
        )
    return _joined(" AND ", clauses)


def _joined(operator: str, clauses: list[str]) -> str:
    """Return clauses in parentheses, many in groups: SQLite allows for so many operators in a row only."""
    while len(clauses) > _MOST_IN_A_ROW:
        groups = [clauses[at : at + _MOST_IN_A_ROW] for at in range(0, len(clauses), _MOST_IN_A_ROW)]
        clauses = [f"({operator.join(group)})" for group in groups]
    return f"({operator.join(clauses)})"


def _one_of(words: frozenset[str], values: list[Value]) -> str:
    if len(words) > _MOST_IN_A_ROW:
        # SQLite allows for so many parameters only; here they are one.
        values.append(_encode(sorted(words)).decode())
        return "IN (SELECT value FROM json_each(?))"
    values += sorted(words)
    return "= ?" if len(words) == 1 else f"IN ({', '.join('?' * len(words))})"
