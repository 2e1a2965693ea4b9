"""From lines to records: what is an event, what is passed over, and what is damage."""

from __future__ import annotations

from datetime import UTC, datetime

from events import APPROVAL, line, line_of, record_of, row, their_row, ulid
from kitty_status.jsonl.codec import decode
from kitty_status.status.record import events_of


def test_a_record_has_one_attribute_for_each_thing_that_counts() -> None:
    event = record_of(row(evidence=APPROVAL, parents=["x"], reason="r", review_ref="PR 7", force=True))
    assert (event.event_id, event.slug, event.wp_id) == (ulid(1), "001-feature", "WP01")
    assert (event.from_lane, event.to_lane, event.force) == ("planned", "claimed", True)
    assert (event.reason, event.review_ref, event.evidence) == ("r", "PR 7", APPROVAL)
    assert (event.shown_actor, event.known_parents, event.nine_lane) == ("ada", ["x"], False)
    assert event.instant == datetime(2026, 1, 1, tzinfo=UTC)
    assert event.at == "2026-01-01T00:00:00.000000+00:00"


def test_a_record_of_spec_kitty_reads_the_same() -> None:
    event = record_of(their_row(actor={"tool": "claude"}))
    assert (event.slug, event.shown_actor, event.nine_lane, event.known_parents) == (
        "001-feature",
        "claude",
        True,
        None,
    )


def test_lines_are_counted_from_one_blank_and_foreign_ones_included() -> None:
    damage: list[tuple[int, bytes, str, bool]] = []
    lines = [b"\n", line_of({"kind": "note"}), b"not json\n", line(), b" \t\n", line(force=7), line()[:-1]]
    events = list(events_of(lines, decode, lambda *found: damage.append(found)))
    assert [(event.line_number, event.line) for event in events] == [(4, line()), (7, line()[:-1])]
    assert damage == [
        (3, b"not json\n", "it does not begin with a JSON value", False),
        (6, line(force=7), "force must be true or false, not 7", True),
    ]


def test_a_foreign_row_hides_no_damage_of_its_json() -> None:
    damage: list[int] = []
    lines = [b'{"kind": NaN}\n', b'{"kind": 1, "kind": 2}\n', b'{"kind": 1}\n']
    assert list(events_of(lines, decode, lambda number, *_: damage.append(number))) == []
    assert damage == [1, 2]
