"""Where things are that benchmarks need."""

from __future__ import annotations

from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
RESULTS = BENCH / "results"
# Logs of public projects, where somebody has put them beside this one.
CORPUS = ROOT.parent / "shared" / "corpus" / "kitty-specs"
SPEC_KITTY = BENCH / ".venv-spec-kitty"
EVENTSOURCING = BENCH / ".venv-eventsourcing"
UMADB = BENCH / ".venv-umadb"
