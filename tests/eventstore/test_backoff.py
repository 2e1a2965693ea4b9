"""Waiting between attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.eventstore.backoff import attempts

if TYPE_CHECKING:
    import pytest


def test_attempts_pause_longer_each_time_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds + 0.01

    monkeypatch.setattr("kitty_status.eventstore.backoff.time.sleep", sleep)
    monkeypatch.setattr("kitty_status.eventstore.backoff.time.monotonic", lambda: now[0])
    numbers_given = list(attempts(5, first_pause=1, longest=2))
    assert numbers_given == list(range(len(slept) + 1))
    assert max(slept) <= 2
    assert sum(slept) <= 5
    assert list(attempts(0)) == [0, 1]
