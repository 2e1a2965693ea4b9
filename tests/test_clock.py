"""Event ids and the time: ids only ever increase, and a child does not mint its parent's."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from kitty_status.clock import EventIds, event_ids, future_ids, hours_ahead, now
from kitty_status.status.instants import format_instant, parse_instant
from kitty_status.status.rows import is_ulid


def test_now_is_an_instant_as_it_is_written() -> None:
    text = now()
    assert format_instant(parse_instant(text)) == text


def test_ids_of_the_future_begin_a_day_ahead() -> None:
    beginning, end = future_ids()
    assert 23.9 < hours_ahead(beginning) < 24.1
    assert event_ids.mint() < beginning < end
    assert is_ulid(end)


def test_ids_are_ulids_that_increase_even_if_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = EventIds()
    hour = 3_600_000_000_000
    times = iter([10 * hour, 10 * hour, 9 * hour, 9 * hour + 1, 11 * hour])
    monkeypatch.setattr("kitty_status.clock.time.time_ns", lambda: next(times))
    minted = [ids.mint() for _ in range(5)]
    assert minted == sorted(set(minted))
    assert all(is_ulid(each) for each in minted)


def test_an_id_above_one_of_an_earlier_process_or_of_ones_own_is_greater() -> None:
    ids, other = EventIds(), EventIds()
    first = ids.mint(above=other.mint(above=other.mint()))
    for above in (first, other.mint(above=first), ids.mint()):
        assert ids.mint(above=above) > above


def test_many_ids_stand_in_order_between_those_before_and_after_them() -> None:
    ids = EventIds()
    minted = [ids.mint(), *ids.mint_many(3000), *ids.mint_many(0), *ids.mint_many(2), ids.mint()]
    assert len(minted) == 3004
    assert minted == sorted(set(minted))
    assert all(is_ulid(each) for each in minted)


def test_threads_never_mint_the_same_id() -> None:
    ids = EventIds()
    minted: list[str] = []
    threads = [threading.Thread(target=lambda: minted.extend(ids.mint() for _ in range(500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(minted)) == 8 * 500


def test_an_id_is_new_once() -> None:
    ids = EventIds()
    minted = ids.mint()
    assert [ids.use(minted), ids.use(minted), ids.use("of somebody else")] == [True, False, False]


def test_only_so_many_new_ids_are_remembered() -> None:
    ids = EventIds()
    first = ids.mint()
    for _ in range(ids.REMEMBERED):
        ids.mint()
    assert ids.use(first) is False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_mints_ids_of_its_own() -> None:
    program = (
        "import os\n"
        "from kitty_status.clock import event_ids\n"
        "event_ids.mint()\n"
        "child = os.fork()\n"
        "os.write(1, ''.join(event_ids.mint() + ' ' for _ in range(50)).encode())\n"
        "child and os.wait()\n"
    )
    read, write = os.pipe()
    pid = os.posix_spawn(
        sys.executable, [sys.executable, "-c", program], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)]
    )
    os.close(write)
    with os.fdopen(read) as output:
        minted = output.read().split()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(minted) == len(set(minted)) == 100


def test_forgetting_begins_anew() -> None:
    minted = event_ids.mint()
    event_ids.forget()
    assert event_ids.use(minted) is False
