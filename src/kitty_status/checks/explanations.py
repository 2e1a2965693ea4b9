"""Every code that kitty-status may name, explained: of `validate`, `audit`, `doctor`, and of errors.

One code can be met in several places; then it has several pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status import errors
from kitty_status.checks.ailments import AILMENTS
from kitty_status.checks.pages import PAGES_OF_LOGS, Page
from kitty_status.checks.pages_of_moves import PAGES_OF_HISTORY, PAGES_OF_MOVES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.checks.ailments import Ailment
    from kitty_status.errors import KittyStatusError

VALIDATE, AUDIT, DOCTOR, ERROR = "validate", "audit", "doctor", "error"
_MEND_BY_EXIT_CODE = {
    errors.EXIT_FINDINGS: "read what git said; call again when that is put right",
    errors.EXIT_USAGE: "correct the call or the file that the message names",
    errors.EXIT_REFUSED: "do what the hint says; `kitty-status lanes` shows what is legal",
    errors.EXIT_NOT_FOUND: "name one that is there; the hint says which there are",
    errors.EXIT_CONFLICT: "look at both sides, then do what the hint says",
    errors.EXIT_BUSY: "make the same call again, with the same event id if it gave one",
    errors.EXIT_DAMAGED: "`kitty-status validate` names the lines, `kitty-status resolve` mends them",
    errors.EXIT_BUG: "report it with what KITTY_STATUS_DEBUG=1 prints",
    errors.EXIT_INTERRUPTED: "`kitty-status log` shows whether the event is there",
}
_WITHOUT_CLASS = {
    "operating-system": (errors.EXIT_USAGE, "The operating system refused."),
    "bug": (errors.EXIT_BUG, "kitty-status did what nobody foresaw."),
    "interrupted": (errors.EXIT_INTERRUPTED, "Somebody stopped the command."),
}


def pages_of(code: str) -> dict[str, Page]:
    """Return the pages of a code by where it is met, none where there is no such code."""
    places = {
        VALIDATE: {**PAGES_OF_LOGS, **PAGES_OF_MOVES},
        AUDIT: PAGES_OF_HISTORY,
        DOCTOR: _of_doctor(),
        ERROR: _of_errors(),
    }
    return {place: pages[code] for place, pages in places.items() if code in pages}


def codes() -> dict[str, list[str]]:
    """Return all codes by where they are met, each list sorted."""
    return {
        VALIDATE: sorted([*PAGES_OF_LOGS, *PAGES_OF_MOVES]),
        AUDIT: sorted(PAGES_OF_HISTORY),
        DOCTOR: sorted(AILMENTS),
        ERROR: sorted(_of_errors()),
    }


def _of_doctor() -> dict[str, Page]:
    return {code: _ailing(code, ailment) for code, ailment in AILMENTS.items()}


def _ailing(code: str, ailment: Ailment) -> Page:
    return Page(
        ailment.severity,
        f"something else than {ailment.expected}",
        ailment.explanation,
        "the finding names the commands for where you are; `--fix` does what is safe",
        f"`kitty-status doctor --check {code}`",
    )


def _of_errors() -> dict[str, Page]:
    pages = {each.code: _failing(each.code, each.exit_code, each.__doc__ or "") for each in _classes()}
    pages |= {code: _failing(code, *rest) for code, rest in _WITHOUT_CLASS.items()}
    return pages


def _classes() -> Iterator[type[KittyStatusError]]:
    waiting = list(errors.KittyStatusError.__subclasses__())
    while waiting:
        each = waiting.pop()
        waiting += each.__subclasses__()
        yield each


def _failing(code: str, exit_code: int, text: str) -> Page:
    what = " ".join(text.split())
    return Page(
        f"exit {exit_code}",
        what[:1].lower() + what[1:].removesuffix("."),
        "the command stopped there; what it had acknowledged before stays",
        _MEND_BY_EXIT_CODE[exit_code],
        f'with --json, stderr holds `{{"code": "{code}", "exit_code": {exit_code}, …}}`',
    )
