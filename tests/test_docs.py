"""What the command can do and say is in the documentation, and what the documentation names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from kitty_status import cli, errors
from kitty_status.checks import audit
from kitty_status.checks.ailments import AILMENTS
from kitty_status.checks.explanations import codes as codes_by_place
from kitty_status.checks.explanations import pages_of
from kitty_status.checks.pages import PAGES_OF_LOGS
from kitty_status.checks.pages_of_moves import PAGES_OF_HISTORY, PAGES_OF_MOVES
from kitty_status.cli.application import VERBS
from kitty_status.errors import KittyStatusError
from kitty_status.git import append_only
from kitty_status.git.configuration import own_profiles, placed_section
from kitty_status.git.hooks import HOOKS
from kitty_status.status import transitions, validation
from kitty_status.status.lanes import GUARDS
from kitty_status.status.profiles import KEYS
from kitty_status.tracker import config

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
HOOKS_PAGE = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
CODE = re.compile(r"[a-z]+(-[a-z]+)+")
OF_THE_COMMAND_LINE = ("usage", "operating-system", "interrupted", "bug")


def options() -> list[tuple[str, str]]:
    group = typer.main.get_command(cli.app)
    commands = group.commands  # type: ignore[attr-defined]
    owners = [(verb, commands[verb].params) for verb in VERBS] + [("", group.params)]
    owners += [(verb, each.params) for verb in VERBS for each in getattr(commands[verb], "commands", {}).values()]
    named = [(verb, option) for verb, params in owners for each in params for option in each.opts]
    return [(verb, option) for verb, option in named if option.startswith("-")]


def codes(module: object) -> set[str]:
    own = [(name, value) for name, value in vars(module).items() if name.isupper() and not name.startswith("GUARD_")]
    values = [value for _, value in own if isinstance(value, str)]
    return {value for value in values if CODE.fullmatch(value)}


def finding_codes() -> set[str]:
    return codes(validation) | codes(transitions) | codes(append_only) | codes(audit)


def error_classes(root: type[KittyStatusError] = KittyStatusError) -> list[type[KittyStatusError]]:
    return [root, *(each for child in root.__subclasses__() for each in error_classes(child))]


def section(verb: str) -> str:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    found = [part for part in re.split(r"^## ", text, flags=re.MULTILINE) if f"`{verb}" in part.partition("\n")[0]]
    assert found, f"no section for {verb}"
    return found[0]


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("merge-driver", "hook")])
def test_every_command_has_a_section_that_names_each_of_its_options(verb: str) -> None:
    text = section(verb)
    for owner, option in options():
        if owner == verb and option != "--json":
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


def test_every_option_and_every_call_of_git_is_named_somewhere() -> None:
    assert len(options()) > 25
    for _, option in options():
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", DOCS), option
    for call in (
        "merge-driver log|snapshot|view",
        "hook pre-commit",
        "hook pre-push",
        "KITTY_STATUS_ACTOR",
        "KITTY_STATUS_DEBUG",
    ):
        assert call in DOCS
    for name in HOOKS:
        assert f"| `{name}`" in HOOKS_PAGE or f"**`{name}`**" in HOOKS_PAGE, name


def test_every_finding_is_explained() -> None:
    found = finding_codes()
    assert len(found) > 20
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    for code in found:
        assert f"| `{code}` |" in text, code


def test_no_finding_is_explained_that_does_not_exist() -> None:
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    assert explained - {"unsafe-log"} == finding_codes()


def test_the_page_of_findings_says_what_explain_says() -> None:
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    pages = {**PAGES_OF_LOGS, **PAGES_OF_MOVES, **PAGES_OF_HISTORY}
    assert set(pages) - {"unsafe-log"} == finding_codes()
    for code, page in pages.items():
        assert f"| `{code}` | {page.severity} | {page.what} | {page.mend} |\n" in text, code


def test_every_code_is_explained_where_it_is_met() -> None:
    known = codes_by_place()
    assert set(known["doctor"]) == set(AILMENTS)
    assert set(known["error"]) >= {each.code for each in error_classes()[1:]} | set(OF_THE_COMMAND_LINE)
    for place, names in known.items():
        for code in names:
            page = pages_of(code)[place]
            assert all(page), code
            assert not any(text.strip() != text or "\n" in text for text in page), code


def test_every_finding_of_doctor_is_explained_with_its_severity_and_no_other_is() -> None:
    text = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    explained = dict(re.findall(r"^\| `([a-z-]+)` \| ([a-z]+) \|", text, re.MULTILINE))
    assert explained == {code: ailment.severity for code, ailment in AILMENTS.items()}


def test_every_error_code_and_every_exit_code_is_in_the_table() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = {int(row.split("|")[1]): row for row in text.splitlines() if re.match(r"\| \d+ \|", row)}
    assert set(rows) == {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    for each in error_classes():
        assert f"`{each.code}`" in rows[each.exit_code], each
    for code in OF_THE_COMMAND_LINE:
        assert any(f"`{code}`" in row for row in rows.values()), code


def test_every_key_of_the_configuration_is_explained() -> None:
    for key in config._KEYS:
        assert re.search(rf"`(status\.)?{key}\b", DOCS), key


def test_the_page_of_lanes_shows_a_profile_that_holds_together_and_every_key_and_guard() -> None:
    text = (ROOT / "docs" / "lanes.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    profiles, warnings = own_profiles(placed_section(example, "docs/lanes.md").value, "docs/lanes.md")
    assert list(profiles) == ["kanban"]
    assert warnings == []
    for name in (*GUARDS, *KEYS):
        assert f"| `{name}` |" in text, name


def test_the_first_screen_says_what_it_is_and_gives_the_commands() -> None:
    first = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40])
    for word in ("git", "make demo", "make test"):
        assert word in first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_between_the_pages_is_broken(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
