"""What a store measures of itself, for OpenTelemetry.

Without the package `opentelemetry-api` (extra `otel`), or without an SDK behind it, nothing is measured.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.errors import EventStoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.staging import Outcome

METER = "kitty_status.eventstore"


class Measures:
    """The instruments of a store; every figure carries the `backend`.

    * `eventstore.appends`: appends that were answered, by `outcome` (`stored` or the error's code)
    * `eventstore.batch.events`: events in one commit
    * `eventstore.retries`: attempts that were made again after a failure that passed
    * `eventstore.subscription.lag`: by how many positions a subscription is behind when it reads on
    * `eventstore.query.duration`: seconds that a query took; where its events are taken one by one, up to the last one,
      or until nobody wants more of them
    * `eventstore.pool.connections`: connections of a pool, by `state`
    """

    def __init__(self, backend: str) -> None:
        self._labels = {"backend": backend}
        meter = _meter()
        self._appends = meter.create_counter("eventstore.appends", unit="{append}")
        self._batches = meter.create_histogram("eventstore.batch.events", unit="{event}")
        self._retries = meter.create_counter("eventstore.retries", unit="{attempt}")
        self._lag = meter.create_histogram("eventstore.subscription.lag", unit="{event}")
        self._queries = meter.create_histogram("eventstore.query.duration", unit="s")
        self._meter = meter

    def committed(self, outcomes: Sequence[Outcome]) -> None:
        """Count a commit and the appends in it."""
        stored = [outcome for outcome in outcomes if not isinstance(outcome, EventStoreError)]
        if stored:
            self._appends.add(len(stored), {**self._labels, "outcome": "stored"})
            self._batches.record(sum(map(len, stored)), self._labels)
        for outcome in outcomes:
            if isinstance(outcome, EventStoreError):
                self._appends.add(1, {**self._labels, "outcome": str(outcome.code)})

    def failed(self, appends: int, error: EventStoreError) -> None:
        """Count appends of a commit that failed."""
        self._appends.add(appends, {**self._labels, "outcome": str(error.code)})

    def retried(self) -> None:
        """Count an attempt that is made again."""
        self._retries.add(1, self._labels)

    def lagging(self, positions: int) -> None:
        """Record by how much a subscription is behind."""
        self._lag.record(positions, self._labels)

    @contextmanager
    def querying(self) -> Iterator[None]:
        """Record how long the body takes."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._queries.record(time.perf_counter() - start, self._labels)

    def streamed(self, found: Iterator[Event]) -> Iterator[Event]:
        """Return the same events, and record how long it takes from when the first is asked for."""
        if isinstance(self._queries, _Nothing):
            return found
        timing = _Timing(lambda seconds: self._queries.record(seconds, self._labels))
        # Nothing of this is run for each event.
        return chain(timing.begin(), found, timing.end())

    def watch_pool(self, states: Callable[[], dict[str, int]]) -> None:
        """Have the connections of a pool observed, by their state."""
        observation: Any = getattr(import_module(_API), "Observation", None) if _is_there() else None

        def observe(_options: object) -> list[Any]:
            return [observation(count, {**self._labels, "state": state}) for state, count in states().items()]

        self._meter.create_observable_gauge("eventstore.pool.connections", callbacks=[observe], unit="{connection}")


_API = "opentelemetry.metrics"


def _is_there() -> bool:
    return find_spec("opentelemetry") is not None and find_spec(_API) is not None


def _meter() -> Any:
    # Loaded by name: it is an extra.
    return import_module(_API).get_meter(METER) if _is_there() else _Nothing()


class _Timing:
    """Tells how many seconds lie between its beginning and its end, or until it is gone."""

    def __init__(self, tell: Callable[[float], object]) -> None:
        self._tell = tell
        self._start: float | None = None

    def begin(self) -> Iterator[Event]:
        self._start = time.perf_counter()
        yield from ()

    def end(self) -> Iterator[Event]:
        start, self._start = self._start, None
        if start is not None:
            self._tell(time.perf_counter() - start)
        yield from ()

    def __del__(self) -> None:
        next(self.end(), None)


class _Nothing:
    """Every instrument of a meter that is not there."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self
