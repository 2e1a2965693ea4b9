"""The tables of docs/guarantees.md, made by running git.

`make guarantees` writes them, and tests hold them to what git does:

    python -m guarantees

The page's own words stay as they are; what stands between two marks is written anew.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import matrix
import uncommitted
from matrix import CLONES, Matrix
from operations import MEETINGS, MOVES
from uncommitted import THREATS, Journals
from world import safe_world

if TYPE_CHECKING:
    from typing import TypeAlias

    Cells: TypeAlias = dict[tuple[str, str], list[str]]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "guarantees.md"
TABLES = {"meetings": list(MEETINGS), "moves": list(MOVES), "uncommitted": list(THREATS)}
_ROWS = [(table, name) for table, names in TABLES.items() for name in names]
_GIT = re.compile(r"git (?:version )?((\d+\.\d+)\S*)")


def main() -> None:
    """Run every operation in every kind of clone and write the page."""
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        folder = Path(temporary)
        for name in ("home", "matrix", "journals"):
            (folder / name).mkdir()
        safe_world(folder / "home", folder, patch)
        meetings, journals = Matrix(folder / "matrix"), Journals(folder / "journals")
        cells: Cells = {}
        for number, (table, name) in enumerate(_ROWS):
            see = journals.observe if table == "uncommitted" else meetings.observe
            places = [folder / f"{number}-{i}" for i in range(len(CLONES))]
            for place in places:
                place.mkdir()
            cells[table, name] = [str(see(place, name, clone)) for place, clone in zip(places, CLONES, strict=True)]
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(written(page, cells, f"git {git_here()[0]} on {platform.system()}"), encoding="utf-8")


def git_here() -> tuple[str, str]:
    """Return the version of the git that is run here, whole and shortened to two numbers."""
    return _version_in(subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout)


def made_with(page: str) -> tuple[str, str]:
    """Return the version of git that the tables of a page were made with, whole and shortened to two numbers."""
    return _version_in(_between(page, "made"))


def cells_of(page: str) -> Cells:
    """Return what a page says of each operation: a cell for each kind of clone."""
    cells: Cells = {}
    for table, names in TABLES.items():
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in _between(page, table).splitlines()[2:]]
        said = {row[0]: row[1:] for row in rows}
        cells |= {(table, name): said[_shown(name)] for name in names if _shown(name) in said}
    return cells


def written(page: str, cells: Cells, made: str) -> str:
    """Return the page with its tables made from these cells."""
    page = _put(page, "made", [f"The tables were made with {made}."])
    for table, names in TABLES.items():
        rows = [[_shown(name), *cells[table, name]] for name in names]
        page = _put(page, table, _table(["operation", *CLONES], rows))
    parts = [(table, cell.split(" · ")) for (table, _), row in cells.items() for cell in row]
    met = [part for table, part in parts if table != "uncommitted"]
    legends = {
        "log": (matrix.LOG_WORDS, {part[0] for part in met}),
        "snapshot": (matrix.SNAPSHOT_WORDS, {part[1] for part in met}),
        "event": (uncommitted.WORDS, {part[0] for table, part in parts if table == "uncommitted"}),
    }
    for subject, (words, used) in legends.items():
        rows = [[word, meaning] for word, meaning in words.items() if word in used]
        page = _put(page, f"words of the {subject}", _table([subject, "means"], rows))
    return page


def _shown(name: str) -> str:
    command, comma, rest = name.partition(", ")
    return f"`git {command}`{comma}{rest}"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    line, *lines = [f"| {' | '.join(row)} |" for row in [head, *rows]]
    return [line, "|" + "---|" * len(head), *lines]


def _put(page: str, mark: str, lines: list[str]) -> str:
    before, begin, rest = page.partition(f"<!-- {mark}: written by `make guarantees` -->\n\n")
    _, end, after = rest.partition("\n<!-- end -->")
    assert begin, f"docs/guarantees.md has no place for {mark}"
    assert end, f"docs/guarantees.md does not end {mark}"
    return "".join([before, begin, *(f"{line}\n" for line in lines), end, after])


def _between(page: str, mark: str) -> str:
    rest = page.partition(f"<!-- {mark}: written by `make guarantees` -->\n\n")[2]
    return rest.partition("\n<!-- end -->")[0]


def _version_in(text: str) -> tuple[str, str]:
    found = _GIT.search(text)
    return (found[1], found[2]) if found else ("", "")


if __name__ == "__main__":
    main()
