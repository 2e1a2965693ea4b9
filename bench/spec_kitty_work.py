"""What spec-kitty's own code takes to read and reduce every log below a folder.

It runs in the environment that spec-kitty-cli is installed in, and so loads nothing of ours but the
answering: `spec_kitty_work.py FOLDER`, once for each line on stdin.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.answering import answer

_LOG = "status.events.jsonl"


def main() -> None:
    """Find the functions and the logs, then work when asked."""
    store: Any = import_module("specify_cli.status.store")
    reducer: Any = import_module("specify_cli.status.reducer")
    features = sorted(log.parent for log in Path(sys.argv[1]).glob(f"*/{_LOG}"))

    def work() -> None:
        for feature in features:
            reducer.reduce(store.read_events(feature))

    answer(work)


if __name__ == "__main__":
    main()
