"""What a command that fails says."""

from __future__ import annotations

from typing import Any, Literal

from kitty_status.cli.answers.part import Part


class Error(Part):
    """The object on stderr of a command that failed with --json; `code` is stable, `kitty-status explain` lists all."""

    code: str
    message: str
    hint: str
    retryable: bool
    exit_code: Literal[1, 2, 3, 4, 5, 6, 7, 70, 130]
    context: dict[str, Any]
