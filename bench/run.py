"""Measure what kitty-status promises about its speed: `python bench/run.py [NAME…]`.

A name is that of a benchmark, or a beginning of it; without one, all of them run. The exit code says
whether they could be run, not whether every target was met: that is for the table to say.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    # In place of this very folder, whose files are no modules for the whole world.
    sys.path[0] = str(ROOT)
    # The tests know how to start a PostgreSQL.
    sys.path.append(str(ROOT / "tests"))
    sys.exit(import_module("bench.suite").main(sys.argv[1:]))
