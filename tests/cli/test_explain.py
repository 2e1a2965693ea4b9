"""`explain` as it is called and as it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commandline import ask
from kitty_status.checks.explanations import codes, pages_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_code_is_explained_in_four_parts(tmp_path: Path) -> None:
    answer = ask(tmp_path, "explain", "never-current")
    assert answer.code == 0
    first, *parts = answer.out.splitlines()
    assert first == "never-current (validate, warning)"
    assert [part.split(":")[0].strip() for part in parts] == ["what", "why", "mend", "example"]


def test_capitals_and_underscores_are_no_matter(tmp_path: Path) -> None:
    assert ask(tmp_path, "explain", " Never_Current").out == ask(tmp_path, "explain", "never-current").out


def test_a_code_that_is_met_in_several_places_has_a_page_for_each(tmp_path: Path) -> None:
    data = ask(tmp_path, "explain", "held-by-other", "--json").data
    assert [(page["where"], page["severity"]) for page in data] == [("validate", "error"), ("error", "exit 5")]
    assert data[0].keys() == {"code", "where", "severity", "what", "why", "mend", "example"}
    assert set(pages_of("snapshot-drift")) == {"validate", "doctor"}


def test_the_list_holds_every_code_and_each_of_them_is_explained(tmp_path: Path) -> None:
    listed = ask(tmp_path, "explain").out.splitlines()
    groups = codes()
    assert [line for line in listed if not line.startswith(" ")] == [f"{where}:" for where in groups]
    assert len(listed) == len(groups) + sum(map(len, groups.values()))
    assert ask(tmp_path, "explain", "--json").data == groups
    for where, names in groups.items():
        assert len(names) > 7
        assert all(where in pages_of(name) for name in names)


def test_a_code_that_there_is_not_is_not_found_and_the_nearest_is_named(tmp_path: Path) -> None:
    answer = ask(tmp_path, "explain", "chain-brake", "--json")
    assert answer.code == 4
    assert "chain-break" in answer.error["hint"]
    assert ask(tmp_path, "explain", "x").err.endswith("hint: `kitty-status explain` lists all codes\n")
