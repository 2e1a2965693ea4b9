"""The logs of real projects: against decoding alone, and against spec-kitty's own reading and reducing."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.large_logs import worker
from bench.measuring import Worker, in_turn, ratio
from bench.places import BENCH, CORPUS, ROOT, SPEC_KITTY
from bench.spec_kitty import RELEASE, CannotInstallError, spec_kitty_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.measuring import Figure


def run(_folder: Path) -> Iterator[Figure | str]:
    """Measure all logs of the corpus, each with the rules checked."""
    if not CORPUS.is_dir():
        yield f"corpus: skipped, there is no {CORPUS}"
        return
    spec_kitty = _spec_kitty()
    with ExitStack() as stack:
        contestants = {task: stack.enter_context(worker(task, CORPUS)) for task in ("reduce-all", "decode-all")}
        if spec_kitty is not None:
            argv = [str(spec_kitty), str(BENCH / "spec_kitty_work.py"), str(CORPUS)]
            contestants["spec-kitty"] = stack.enter_context(Worker(argv, cwd=ROOT))
        times = in_turn(15, contestants)
    ours = times["reduce-all"]
    yield ratio("corpus", ours, times["decode-all"], target=2.5, of="decoding each line into its type")
    if spec_kitty is None:
        yield f"corpus against spec-kitty: skipped, {RELEASE} could not be installed in {SPEC_KITTY}"
        return
    yield ratio("corpus, times faster", times["spec-kitty"], ours, target=4, of=f"{RELEASE}, inverse", at_least=True)


def _spec_kitty() -> Path | None:
    try:
        return spec_kitty_python()
    except CannotInstallError:
        return None
