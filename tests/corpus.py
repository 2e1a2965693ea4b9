"""Real logs to test against, where the folder that holds them stands beside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "kitty-specs"
needs_corpus = pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder of real logs is not beside the project")


def logs() -> list[Path]:
    return sorted(FOLDER.glob("*/status.events.jsonl"))
