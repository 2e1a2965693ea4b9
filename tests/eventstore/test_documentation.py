"""What is printed in the documentation of event stores runs as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "event-stores.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) >= 3
    assert sum("EventStoreSuite" in each for each in SNIPPETS) == 1


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs_as_it_is_printed(tmp_path: Path, number: int) -> None:
    (tmp_path / "test_snippet.py").write_text(SNIPPETS[number], encoding="utf-8")
    program = ["test_snippet.py"]
    if "EventStoreSuite" in SNIPPETS[number]:
        # A few of the promises: that all of them are kept is tried elsewhere.
        program = [
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "test_snippet.py",
            "-k",
            "empty_batch or opened_again",
        ]
    done = subprocess.run([sys.executable, *program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
