"""The snapshot: equal logs give equal bytes, and a snapshot of spec-kitty stays one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import SEEDS, histories, instant, moves, record, record_of, shuffled, ulid
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.snapshot import Snapshot, parse, rendered, to_bytes


def competing() -> Snapshot:
    return reduce_events(moves([("a", "planned", "claimed", 0, []), ("b", "planned", "blocked", 1, [])]))


def test_the_bytes_of_a_snapshot() -> None:
    snapshot = reduce_events([record(actor="Zo\u00eb")])
    assert to_bytes(snapshot, "abc").decode() == (
        "{\n"
        '  "event_count": 1,\n'
        '  "feature_slug": "001-feature",\n'
        f'  "last_event_id": "{ulid(1)}",\n'
        '  "log_oid": "abc",\n'
        f'  "materialized_at": "{instant(0)}",\n'
        '  "summary": {\n'
        '    "blocked": 0,\n'
        '    "canceled": 0,\n'
        '    "claimed": 1,\n'
        '    "done": 0,\n'
        '    "for_review": 0,\n'
        '    "in_progress": 0,\n'
        '    "planned": 0\n'
        "  },\n"
        '  "work_packages": {\n'
        '    "WP01": {\n'
        '      "actor": "Zo\u00eb",\n'
        '      "force_count": 0,\n'
        '      "lane": "claimed",\n'
        f'      "last_event_id": "{ulid(1)}",\n'
        f'      "last_transition_at": "{instant(0)}"\n'
        "    }\n"
        "  }\n"
        "}\n"
    )


@settings(max_examples=500)
@given(histories(), SEEDS)
def test_equal_logs_give_equal_bytes(rows: list[dict[str, Any]], seed: int) -> None:
    once = reduce_events([record_of(content) for content in rows])
    again = reduce_events(unique_events([record_of(content) for content in shuffled(rows + rows, seed)]))
    assert to_bytes(once, "oid") == to_bytes(again, "oid")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(_VALUES, histories())
def test_a_snapshot_is_written_as_json_with_an_indent_writes_it(value: Any, rows: list[dict[str, Any]]) -> None:
    snapshot = reduce_events(unique_events(record_of(row) for row in rows))
    written = rendered({**snapshot.to_dict(), "kept": value}).decode()
    assert written == json.dumps(json.loads(written), sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert json.dumps(json.loads(written)["kept"], sort_keys=True) == json.dumps(value, sort_keys=True)


def test_a_state_that_is_given_away_may_be_changed() -> None:
    claims: list[tuple[str, str, str, int, list[str] | None]] = [
        ("a", "planned", "claimed", 1, []),
        ("b", "planned", "blocked", 2, []),
    ]
    snapshot = reduce_events(moves(claims))
    before = json.dumps(snapshot.to_dict())
    state = snapshot.state_of("WP01")
    assert state == snapshot.work_packages["WP01"]
    state["conflict"]["heads"][0]["lane"] = state["conflict"]["rule"] = state["lane"] = "elsewhere"
    assert json.dumps(snapshot.to_dict()) == before


def test_a_snapshot_tells_the_time_of_its_newest_event_and_no_other() -> None:
    snapshot = reduce_events(
        [record(at="2026-01-01T01:00:00+01:00"), record(event_id=ulid(2), at="1999-01-01T00:00:00Z")]
    )
    assert snapshot.materialized_at == "2026-01-01T01:00:00+01:00"
    assert b"2026-01-01T01:00:00+01:00" in to_bytes(snapshot, None)


def test_outside_git_the_log_has_no_object_id() -> None:
    assert parse(to_bytes(competing(), None))["log_oid"] is None
    assert parse(to_bytes(competing(), "abc"))["log_oid"] == "abc"
    assert "log_oid" not in competing().to_dict()


def test_a_conflict_is_written_while_moves_compete() -> None:
    content = parse(to_bytes(competing(), None))
    assert content["work_packages"]["WP01"]["conflict"] == {
        "rule": "newest",
        "head_count": 2,
        "heads": [
            {"event_id": "b", "lane": "blocked", "actor": "actor of b"},
            {"event_id": "a", "lane": "claimed", "actor": "actor of a"},
        ],
    }
    assert "conflict" not in parse(to_bytes(reduce_events([record()]), None))["work_packages"]["WP01"]


def test_a_snapshot_without_events_is_no_error() -> None:
    content = parse(to_bytes(Snapshot(NINE_LANE), None))
    assert content["work_packages"] == {}
    assert content["materialized_at"] is None
    assert set(content["summary"]) == set(NINE_LANE.lanes) - {"genesis"}
    assert set(content["summary"].values()) == {0}


def test_snapshots_are_equal_where_their_content_is() -> None:
    assert competing() == competing()
    assert competing() != reduce_events([record()])
    assert Snapshot(SEVEN_LANE) != Snapshot(NINE_LANE)
    assert Snapshot(SEVEN_LANE) != "a snapshot"
    with pytest.raises(TypeError, match="unhashable"):
        hash(competing())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"7",
        b"{",
        b"\xff",
        b"{} x",
        b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> side\n",
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    ],
)
def test_bytes_that_are_no_snapshot_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(data)
