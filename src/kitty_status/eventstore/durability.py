"""How durable an event is when its append returns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kitty_status.eventstore.errors import EventStoreError, StoreCode

_BATCH = re.compile(r"batch\((\d{1,5})\)")


@dataclass(frozen=True, slots=True)
class Durability:
    """What an append waits for.

    * `flushes`: the disk has confirmed it, so that it survives a crash of the machine; without, only the operating
      system has it, so that it survives a crash of the process
    * `linger`: so many seconds a commit waits for other callers to join in, before one flush for them all
    """

    flushes: bool = True
    linger: float = 0.0

    @staticmethod
    def parse(text: str) -> Durability:
        """Return the level that `always`, `os` or `batch(MILLISECONDS)` names.

        Raises:
            EventStoreError: VALIDATION_FAILED: none of them.
        """
        if text in _LEVELS:
            return _LEVELS[text]
        match = _BATCH.fullmatch(text)
        if match is None:
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED, f"{text!a} is no durability", hint="it may be always, batch(MS) or os"
            )
        return Durability(linger=int(match[1]) / 1000)


ALWAYS = Durability()
"""Each commit is flushed to the disk before its callers are answered."""

OS = Durability(flushes=False)
"""The operating system has it; a crash of the machine may take the newest events."""

_LEVELS = {"always": ALWAYS, "os": OS}
