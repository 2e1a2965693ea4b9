"""All benchmarks, the table that they give, and the file that keeps it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench import (
    audit,
    commands,
    commit_hook,
    corpus,
    durable_append,
    git_merge,
    journal,
    jsonl_store,
    large_logs,
    many_work_packages,
    merge_driver,
    peers,
    postgres_store,
    sqlite_store,
)
from bench.measuring import Figure
from bench.places import RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Benchmark = Callable[[Path], Iterator[Figure | str]]

BENCHMARKS: dict[str, Benchmark] = {
    "merge-driver": merge_driver.run,
    "git-merge": git_merge.run,
    "commit-hook": commit_hook.run,
    "commands": commands.run,
    "append": durable_append.run,
    "journal": journal.run,
    "work-packages": many_work_packages.run,
    "corpus": corpus.run,
    "large-logs": large_logs.run,
    "audit": audit.run,
    "postgres-store": postgres_store.run,
    "jsonl-store": jsonl_store.run,
    "sqlite-store": sqlite_store.run,
    "peers": peers.run,
}
_EXIT_USAGE = 2
_ROW = "{:<44} {:>9}  {:>9}  {:<5} {:>15}  {}"


def main(names: Sequence[str]) -> int:
    """Run the benchmarks that are named, or all; return 1 if one of them could not be run."""
    unknown = [name for name in names if not any(known.startswith(name) for known in BENCHMARKS)]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return _EXIT_USAGE
    chosen = [known for known in BENCHMARKS if not names or known.startswith(tuple(names))]
    figures: list[Figure] = []
    messages: list[str] = []
    failed = False
    started = time.monotonic()
    print(_ROW.format("what", "measured", "target", "", "middle half", "measured against"))
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="kitty-status-bench-") as folder:
            try:
                for outcome in BENCHMARKS[name](Path(folder)):
                    if isinstance(outcome, Figure):
                        figures.append(outcome)
                        print(_row(outcome), flush=True)
                    else:
                        messages.append(outcome)
                        print(outcome, flush=True)
            except Exception as error:  # noqa: BLE001  one that fails must not keep the others from running
                failed = True
                messages.append(f"{name} failed: {type(error).__name__}: {error}")
                print(messages[-1], flush=True)
    over = sum(not figure.is_met for figure in figures)
    print(f"{len(figures)} figures, {over} over their target, in {time.monotonic() - started:.0f} s")
    _keep(figures, messages)
    return int(failed)


def _row(figure: Figure) -> str:
    def written(value: float) -> str:
        return f"{value:.0f}" if figure.unit == "MB" else f"{value:.2f}"

    sign = ">=" if figure.at_least else "<="
    return _ROW.format(
        figure.name,
        f"{written(figure.value)} {figure.unit}",
        f"{sign} {figure.target:g}",
        "ok" if figure.is_met else "OVER",
        f"{written(figure.low)}-{written(figure.high)}",
        figure.floor,
    )


def _keep(figures: Sequence[Figure], messages: Sequence[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    git_version = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    content = {
        "python": platform.python_version(),
        "git": git_version,
        "platform": platform.platform(),
        "figures": [{**asdict(figure), "is_met": figure.is_met} for figure in figures],
        "messages": list(messages),
    }
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
