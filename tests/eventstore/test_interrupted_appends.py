"""A person who presses Ctrl-C in the middle of an append: it is stored whole or not at all, and the store goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from every_store import STORES
from interrupting import interrupted
from kitty_status.eventstore.durability import OS, Durability
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.base import SECONDS, event, events, positions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kitty_status.eventstore.event import Event, NewEvent
    from kitty_status.eventstore.protocol import EventStore
    from on_postgres import Schemas

_SIZE = 3

# Python drops what is raised while it throws a generator away.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def batch(moment: int) -> list[NewEvent]:
    return [event(each, id=f"{moment}/{each}", stream=f"s{each % 2}", tags={"a": "b"}) for each in range(_SIZE)]


def check_every_moment(store: EventStore, step: int = 1) -> None:
    """Interrupt one append after the other, each a little later, until one is done before that."""
    everything: list[Event] = store.append_batch(events(2))
    moment = 1
    while interrupted(partial(store.append_batch, batch(moment)), moment):
        left = store.get_events(EventQuery(after=len(everything)))
        assert len(left) in (0, _SIZE), moment
        again = store.append_batch(batch(moment))
        assert left in ([], again), moment
        everything += again
        assert store.head() == len(everything), moment
        moment += step
    assert moment > 100
    found = store.get_events()
    assert found[: len(everything)] == everything
    assert positions(found) == list(range(1, len(everything) + _SIZE + 1))
    for stream in ("s0", "s1"):
        of_stream = [each for each in found if each.stream == stream]
        assert store.get_events(stream) == of_stream
        assert [each.version for each in of_stream] == list(range(1, len(of_stream) + 1))


@pytest.mark.parametrize("opener", STORES.values(), ids=STORES.keys())
def test_an_append_that_is_interrupted_at_any_moment_is_whole_or_nothing_and_the_store_goes_on(
    opener: Callable[[Path], EventStore], tmp_path: Path
) -> None:
    with opener(tmp_path) as store:
        check_every_moment(store)


def test_so_it_is_where_another_thread_writes_it(tmp_path: Path) -> None:
    lingering = Durability.parse("batch(1)")
    with SqliteEventStore(tmp_path / "events.db", durability=lingering) as store:
        check_every_moment(store)


def test_so_it_is_in_postgres(schemas: Schemas) -> None:
    with schemas.open("a", durability=OS) as store:
        check_every_moment(store, step=7)


def test_no_other_thread_is_held_up_by_an_append_that_was_interrupted() -> None:
    moment = 1
    while True:
        with MemoryEventStore() as store, store.subscribe(after=0) as subscription:
            if not interrupted(partial(store.append, event(1)), moment):
                break
            other = threading.Thread(target=store.append, args=[event(2, id="other")], daemon=True)
            other.start()
            other.join(SECONDS)
            assert not other.is_alive(), moment
            assert positions(islice(subscription, store.head())) == list(range(1, store.head() + 1))
        moment += 1
    assert moment > 50


_WAITING = """
import signal, threading
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.memory import MemoryEventStore

class Slow(MemoryEventStore):
    def commit(self, appends):
        begun.set()
        assert goes_on.wait(60)
        return super().commit(appends)

begun, goes_on = threading.Event(), threading.Event()
store = Slow()
other = threading.Thread(target=store.append, args=[NewEvent(type="T", id="other")])
other.start()
begun.wait(60)
person = threading.Timer(0.2, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
person.start()
try:
    store.append(NewEvent(type="T", id="interrupted"))
except KeyboardInterrupt:
    print("interrupted")
goes_on.set()
other.join()
print(store.append(NewEvent(type="T", id="interrupted")).position)
print(store.append(NewEvent(type="T", id="after")).position)
store.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a thread there cannot be sent a signal")
def test_who_is_interrupted_while_others_write_for_him_finds_his_event_stored_once() -> None:
    done = subprocess.run([sys.executable, "-c", _WAITING], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["interrupted", "2", "3"]
