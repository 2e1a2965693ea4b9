"""Processes that write until they are killed, and what they have acknowledged."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING

from kitty_status.errors import KittyStatusError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

WRITERS = 2
_ENOUGH = 5
_MORE = 1.3
_LONGEST = 2.0


class Killed:
    """Two processes that write until they are killed; what they acknowledged comes through a pipe."""

    def __init__(self, write: Callable[[str], str], longest: float = 0.012) -> None:
        """Write by a function, in processes that live for so many seconds at most, and for a millisecond at least.

        Where the disk is so slow that hardly one in five acknowledges anything, the next ones live longer.
        """
        self._write = write
        self._longest = longest
        self._readable, self._writable = os.pipe()
        self.acknowledged: list[str] = []
        self.lives = 0
        self.gave_up = 0

    def run(self, kills: int, chance: random.Random) -> None:
        """Let writers live for some milliseconds each, so many times."""
        children: list[int] = []
        for kill in range(1, kills + 1):
            while len(children) < WRITERS:
                children.append(self._fork())
            time.sleep(chance.uniform(0.001, self._longest))
            child = children.pop(chance.randrange(len(children)))
            self._kill(child)
            self._drain()
            if len(self.acknowledged) * _ENOUGH < kill:
                self._longest = min(self._longest * _MORE, _LONGEST)
        for child in children:
            self._kill(child)
        os.close(self._writable)
        os.set_blocking(self._readable, True)
        self._drain()
        os.close(self._readable)

    def _kill(self, child: int) -> None:
        os.kill(child, signal.SIGKILL)
        # A writer that ended by itself could not write: what others left behind was in its way.
        self.gave_up += not os.WIFSIGNALED(os.waitpid(child, 0)[1])

    def _fork(self) -> int:
        self.lives += 1
        child = os.fork()
        if child:
            return child
        # The child must never come back into the test, whatever happens to it.
        try:
            for number in range(sys.maxsize):
                os.write(self._writable, self._write(f"WP-{self.lives}-{number}").encode("ascii"))
        except (KittyStatusError, OSError):
            traceback.print_exc()
            os._exit(3)
        finally:
            os._exit(4)

    def _drain(self) -> None:
        os.set_blocking(self._readable, False)
        data = b""
        try:
            while part := os.read(self._readable, 1 << 16):
                data += part
        except BlockingIOError:
            pass
        self.acknowledged += [data[at : at + 26].decode("ascii") for at in range(0, len(data), 26)]
