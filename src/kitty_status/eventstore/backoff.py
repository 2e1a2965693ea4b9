"""Waiting between attempts: longer each time, by chance, so that many who wait do not all come back at once."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 2.0
_chance = random.SystemRandom()


def attempts(patience: float, *, first_pause: float = _FIRST_PAUSE, longest: float = _LONGEST_PAUSE) -> Iterator[int]:
    """Yield 0 at once, and then 1, 2, ... after a pause each, until so many seconds have passed; at least twice.

    A pause is any time up to one that doubles with each attempt ("full jitter").
    """
    deadline = time.monotonic() + patience
    number, most = 0, first_pause
    while True:
        yield number
        remaining = deadline - time.monotonic()
        if number and remaining <= 0:
            return
        time.sleep(min(_chance.uniform(0, most), max(remaining, 0)))
        number, most = number + 1, min(most * 2, longest)
