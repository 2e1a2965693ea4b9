"""Promises to a child that was forked while its parent's store is open."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.testing.event_store.base import SECONDS, StoreCase, event, events, numbers, positions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CHILDREN = 12


class ForkingPromises(StoreCase):
    """What is promised of a store that was opened before a process was forked."""

    if sys.platform != "win32":  # pragma: no branch (windows)

        def test_a_forked_child_is_refused_whatever_it_asks_of_its_parents_store(self, tmp_path: Path) -> None:
            """It can open one of its own, and the parent's is none the worse."""
            with self.opened(tmp_path) as store:
                store.append_batch(events(3, stream="a", id=None))
                store.create_snapshot("a", 1, {})
                reading = store.stream_events()
                assert next(reading).position == 1
                with store.subscribe(after=0) as subscription:
                    calls: list[Callable[[], object]] = [
                        lambda: store.append(event(4)),
                        store.head,
                        store.get_events,
                        lambda: next(iter(store.stream_events())),
                        lambda: store.get_event("x"),
                        store.count_events,
                        store.get_event_types,
                        store.get_tags,
                        store.get_event_files,
                        lambda: store.get_snapshot("a"),
                        lambda: store.create_snapshot("a", 2, {}),
                        lambda: next(subscription),
                        lambda: store.subscribe(after=0),
                    ]

                    def attempt() -> str:
                        answers = [_refusal(call) for call in calls]
                        subscription.close()
                        store.close()
                        store.close()
                        if self.persists:
                            with self.opened(tmp_path) as own:
                                answers.append(str(own.append(event(4)).position))
                        return " ".join(answers)

                    said = child_says(attempt)
                    assert said.split() == ["forked"] * len(calls) + ["4"] * self.persists, said
                    assert positions(reading) == [2, 3]
                    assert store.append(event(5)).position == 4 + self.persists
                    assert numbers(store.get_events())[-1] == 5

        def test_a_child_that_is_forked_amid_appends_closes_its_parents_store_at_once(self, tmp_path: Path) -> None:
            """Whatever locks the parent's threads held, and whatever they had under way."""
            with self.opened(tmp_path) as store:
                stop = threading.Event()

                def write(stream: str) -> None:
                    while not stop.is_set():
                        store.append_batch(events(3, stream=stream))

                writers = [threading.Thread(target=write, args=(stream,)) for stream in "abc"]
                for writer in writers:
                    writer.start()

                def close() -> str:
                    answer = _refusal(lambda: store.append(event()))
                    store.close()
                    return answer

                try:
                    said = [child_says(close) for _ in range(_CHILDREN)]
                finally:
                    stop.set()
                    for writer in writers:
                        writer.join()
                assert said == ["forked"] * _CHILDREN
                found = positions(store.get_events())
                assert found == list(range(1, store.head() + 1))


def child_says(work: Callable[[], str]) -> str:
    """Return what a function returns in a forked child; one that hangs is killed."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        # The child must never come back into the test.
        code = 1
        try:
            signal.alarm(int(SECONDS))
            os.write(writable, work().encode())
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    os.close(writable)
    with os.fdopen(readable) as answer:
        said = answer.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert not code, "the child hung" if code < 0 else "the child failed"
    return said


def _refusal(call: Callable[[], object]) -> str:
    try:
        return repr(call())
    except EventStoreError as error:
        is_so = error.code == StoreCode.STORAGE_ERROR and "forked" in error.message and "open it again" in error.hint
        return "forked" if is_so else repr(error)
