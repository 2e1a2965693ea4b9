"""What a worker process says: how much CPU its work took, and how much memory at most.

This file is loaded by the interpreter of another environment as well, so it uses nothing but the
standard library.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def answer(work: Callable[[], object]) -> None:
    """Do `work` once for each line on stdin and answer each with one line of JSON."""
    for _ in sys.stdin:
        gc.collect()
        started = time.process_time()
        work()
        seconds = time.process_time() - started
        print(json.dumps({"cpu": seconds, "peak": peak_megabytes()}), flush=True)


def peak_megabytes() -> float:
    """Return the most memory that this process ever held.

    Where the kernel says it for the program alone, that is taken: the usual figure of a new process
    begins with what its parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
