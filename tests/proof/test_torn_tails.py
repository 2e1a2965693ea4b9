"""Event stores whose newest bytes did not all reach the disk before the power failed.

What was acknowledged before is there; of the batch that was being written all or nothing is. `make crash` tears more.
"""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from every_store import LASTING
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl import finding
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import positions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.protocol import EventStore

_IN_A_ROW = 10
TEARS = int(os.environ.get("KITTY_STATUS_PROOF_TEARS", "100"))
# Files that say nothing which the others do not say: they may be as old, or as new, as they like.
_SIZES_IN_USE = (".jsonl", ".db", ".db-wal")


def batch(number: int, chance: random.Random) -> list[NewEvent]:
    return [
        NewEvent(
            type=f"T{number % 3}",
            stream=f"s{chance.randrange(4)}",
            id=f"{number}/{each}",
            data="the review asks for a narrower lock " * chance.choice((0, 1, 200)),
            tags={"batch": str(number), "labels": ["a", f"b{each % 3}"]},
        )
        for each in range(chance.randint(1, 7))
    ]


def sizes(place: Path) -> dict[Path, int]:
    """Return the sizes of the files that hold events."""
    return {
        path.relative_to(place): path.stat().st_size
        for path in sorted(place.rglob("*"))
        if path.name.endswith(_SIZES_IN_USE) and "quarantine" not in path.parts
    }


def tear(place: Path, confirmed: dict[Path, int], chance: random.Random) -> None:
    """Take back bytes that were not confirmed, from each file as many as it happens, or leave zeros in their place."""
    if chance.random() < 0.2:
        return
    for name, written in sizes(place).items():
        first = confirmed.get(name, 0)
        if written <= first:
            continue
        path = place / name
        kept = chance.choice((first, written, chance.randint(first, written), chance.randint(first, written)))
        if kept == 0 and chance.random() < 0.5:
            path.unlink()
            continue
        os.truncate(path, kept)
        if chance.random() < 0.3:
            # As a file system leaves it that has noted the new size, and not the content.
            os.truncate(path, written)


def check_index(store: EventStore, everything: list[Event]) -> None:
    """Check that what an index answers is what the log says."""
    for event_type in ("T0", "T1", "T2"):
        assert store.get_events_by_type(event_type) == [each for each in everything if each.type == event_type]
    for label in ("b0", "b2"):
        found = store.get_events(EventQuery(tags={"labels": label}))
        assert found == [each for each in everything if label in each.tags["labels"]]
    for stream in ("s0", "s3"):
        of_stream = [each for each in everything if each.stream == stream]
        assert store.get_events(stream) == of_stream
        assert [each.version for each in of_stream] == list(range(1, len(of_stream) + 1))


@pytest.mark.parametrize("name", LASTING)
def test_a_batch_whose_end_is_torn_is_there_as_a_whole_or_not_at_all(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "LAG", 20)
    monkeypatch.setattr(finding, "_DEARER", 0)
    chance = random.Random(name)  # noqa: S311  nothing secret
    torn = 0
    for first in range(0, TEARS, _IN_A_ROW):
        torn += tear_in_a_row(LASTING[name], tmp_path / str(first), chance)
    assert TEARS / 10 < torn < TEARS * 0.9


def tear_in_a_row(opener: Callable[[Path], EventStore], folder: Path, chance: random.Random) -> int:
    """Tear a store again and again, going on with what was left each time; return how often a batch was lost."""
    place = folder / "0"
    place.mkdir(parents=True)
    acknowledged: list[Event] = []
    torn = 0
    for number in range(_IN_A_ROW):
        # What the disk holds at the moment at which the power fails.
        after = folder / str(number + 1)
        with opener(place) as store:
            acknowledged += store.append_batch(batch(2 * number, chance))
            confirmed = sizes(place)
            lost = store.append_batch(batch(2 * number + 1, chance))
            shutil.copytree(place, after)
        tear(after, confirmed, chance)
        with opener(after) as store:
            found = store.get_events()
            assert found in (acknowledged, acknowledged + lost), number
            torn += found == acknowledged
            check_index(store, found)
            # Said again, it is stored once, and nothing is in its way.
            acknowledged += store.append_batch([_again(each) for each in lost])
            assert store.get_events() == acknowledged
            assert positions(acknowledged) == list(range(1, store.head() + 1))
            assert store.get_events(EventQuery(direction="desc")) == acknowledged[::-1]
            check_index(store, acknowledged)
            if isinstance(store, JsonlEventStore):
                assert store.damaged_lines() == []
        place = after
    return torn


def _again(event: Event) -> NewEvent:
    return NewEvent(
        type=event.type, stream=event.stream, id=event.id, data=event.data, tags=event.tags, metadata=event.metadata
    )
