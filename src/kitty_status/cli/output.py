"""What a command prints: results on stdout, everything else on stderr, and both in JSON where asked.

What events say comes from files that anybody may have written, so control, bidirectional and escape
characters in it are made visible before they reach a terminal.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import traceback
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from kitty_status.errors import EXIT_BUG, EXIT_BUSY, EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE, KittyStatusError
from kitty_status.status.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SCHEMA_VERSION = 1
_IN_MEMORY = 1 << 20
DEBUG_VARIABLE = "KITTY_STATUS_DEBUG"
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE})
_Parameters = ParamSpec("_Parameters")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
FeatureOption = Annotated[
    str | None, typer.Option("--feature", "-f", help="The feature's slug, or a unique beginning of it.")
]
FeatureArgument = Annotated[
    str | None, typer.Argument(metavar="[FEATURE]", help="The feature's slug, or a unique beginning of it.")
]


def say(text: str) -> None:
    """Print one line of a result; what comes from files must have gone through `visible`."""
    typer.echo(text)


def counted(number: int, what: str) -> str:
    """Return `1 event`, `2 events`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def warn(warnings: Sequence[str]) -> None:
    """Print warnings on stderr."""
    for warning in warnings:
        typer.echo(f"warning: {visible(warning)}", err=True)


def say_json(kind: str, data: Any, *, warnings: Sequence[str] = (), next_steps: Sequence[str] = ()) -> None:
    """Print the one envelope that every `--json` answer comes in."""
    envelope = {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "data": data,
        "warnings": list(warnings),
        "next": list(next_steps),
    }
    typer.echo(json.dumps(envelope, sort_keys=True))


def say_json_rows(kind: str, key: str, rows: Iterable[Any]) -> None:
    """Print the envelope of an answer whose data is `key` alone, a list that need not fit into memory.

    Nothing is printed before the last row is there, so that stdout stays empty on an error.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="ascii") as file:
        file.write(f'{{"data": {{{json.dumps(key)}: [')
        for number, row in enumerate(rows):
            file.write((", " if number else "") + json.dumps(row, sort_keys=True))
        file.write(f']}}, "kind": {json.dumps(kind)}, "next": [], "schema_version": {SCHEMA_VERSION}, "warnings": []}}')
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout)
    typer.echo()


def command(verb: Callable[_Parameters, int | None]) -> Callable[_Parameters, None]:
    """Make a verb a command: what it returns is the exit code, what it raises is said as it should be said.

    It catches every exception, so that no traceback reaches a user.
    """

    @wraps(verb)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        as_json = bool(kwargs.get("json_output"))
        try:
            for stream in (sys.stdout, sys.stderr):
                if hasattr(stream, "reconfigure"):
                    stream.reconfigure(errors="backslashreplace")
            code = verb(*args, **kwargs) or EXIT_DONE
            if sys.stdout is not None:
                sys.stdout.flush()
        except typer.Exit:
            raise
        except BrokenPipeError:
            # Whoever read has enough. Python would complain once more when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            code = EXIT_DONE
        except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  the last line of defence
            code = say_failure(error, as_json=as_json)
        if code:
            raise typer.Exit(code)

    return run


def say_failure(error: BaseException, *, as_json: bool) -> int:
    """Say what an exception means to the user, and return the exit code."""
    return _say_error(failure(error), as_json=as_json)


def failure(error: BaseException) -> dict[str, Any]:
    """Return how an exception is described, in plain JSON types but for the context of some."""
    if isinstance(error, KittyStatusError):
        return _described(error)
    if isinstance(error, KeyboardInterrupt):
        return _interruption()
    return _os_error(error) if isinstance(error, OSError) else _bug(error)


def say_usage_error(message: str, *, as_json: bool) -> int:
    """Say that the command line could not be understood, and return the exit code."""
    description = {
        "code": "usage",
        # typer lists choices on lines of their own.
        "message": " ".join(message.split()),
        "hint": "`kitty-status --help` lists the commands, `kitty-status COMMAND --help` its options",
        "retryable": False,
        "exit_code": EXIT_USAGE,
        "context": {},
    }
    return _say_error(description, as_json=as_json)


def _say_error(description: dict[str, Any], *, as_json: bool) -> int:
    if os.environ.get(DEBUG_VARIABLE) and sys.exc_info()[0] is not None:
        traceback.print_exc()
    if as_json:
        typer.echo(json.dumps(description, sort_keys=True, default=str), err=True)
    else:
        context = description["context"]
        place = f"{context['path']}:{context['line']}: " if {"path", "line"} <= context.keys() else ""
        typer.echo(f"error: {visible(place + description['message'])}", err=True)
        if description["hint"]:
            typer.echo(f"hint: {visible(description['hint'])}", err=True)
    return int(description["exit_code"])


def _described(error: KittyStatusError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "retryable": error.retryable,
        "exit_code": error.exit_code,
        "context": error.context,
    }


def _os_error(error: OSError) -> dict[str, Any]:
    passing = error.errno in _PASSING
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return {
        "code": "operating-system",
        "message": what,
        "hint": "make room and call again" if passing else "check that the folder exists and may be written to",
        "retryable": passing,
        "exit_code": EXIT_BUSY if passing else EXIT_USAGE,
        "context": {"errno": error.errno, "path": error.filename},
    }


def _interruption() -> dict[str, Any]:
    return {
        "code": "interrupted",
        "message": "interrupted; an event that was not reported may or may not be recorded",
        "hint": "`kitty-status log` shows it",
        "retryable": True,
        "exit_code": EXIT_INTERRUPTED,
        "context": {},
    }


def _bug(error: BaseException) -> dict[str, Any]:
    return {
        "code": "bug",
        "message": f"this is a bug in kitty-status: {type(error).__name__}: {error}",
        "hint": f"please report it with what {DEBUG_VARIABLE}=1 prints before this line",
        "retryable": False,
        "exit_code": EXIT_BUG,
        "context": {},
    }
