"""`explain`: what a code means that a finding or an error has."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from kitty_status.checks.explanations import codes, pages_of
from kitty_status.cli.output import JsonOption, command, say, say_json
from kitty_status.errors import NotFoundError


@command
def explain(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="The code, as it was printed.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Explain a code of `validate`, `audit`, `doctor` or an error: what, why, how to mend it, and an example.

    Without a code, list all of them.

    \b
    Examples:
      kitty-status explain
      kitty-status explain chain-break
    """  # noqa: D301  \b keeps the lines of the help apart
    if code is None:
        _list(json_output=json_output)
        return
    code = code.strip().lower().replace("_", "-")
    pages = pages_of(code)
    if not pages:
        known = sorted({each for group in codes().values() for each in group})
        near = get_close_matches(code, known, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "`kitty-status explain` lists all codes"
        raise NotFoundError(f"there is no code {code!a}", hint=hint, nearest=near)
    if json_output:
        say_json("explanation", [{"code": code, "where": where, **page._asdict()} for where, page in pages.items()])
        return
    for where, page in pages.items():
        say(f"{code} ({where}, {page.severity})")
        say(f"  what: {page.what}")
        say(f"  why: {page.why}")
        say(f"  mend: {page.mend}")
        say(f"  example: {page.example}")


def _list(*, json_output: bool) -> None:
    groups = codes()
    if json_output:
        say_json("codes", groups)
        return
    for where, names in groups.items():
        say(f"{where}:")
        for name in names:
            say(f"  {name}")
