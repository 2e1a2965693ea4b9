"""The shell scripts that git runs as hooks.

A stub only finds its way to the Python that does the work; it is short, so that it can be read
where somebody comes across it in their hooks folder.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from kitty_status.git.drivers import interpreter, package_folder, python_command
from kitty_status.git.hooks import HOOKS, comes_after

EXECUTABLE = 0o755
_TEMPLATE = "hook"
_ENTRY = "kitty_status.git.hook_entry"
_MARK = b"# kitty-status hook: "
# What a person writes into a hook of their own to have ours called.
_CALL = "kitty-status hook {name}"


def stub(name: str) -> bytes:
    """Return the script for the hook `name`, made for the running interpreter.

    Raises:
        ConfigurationError: the running interpreter does not know its own path.
    """
    module = HOOKS[name]
    source = Path(package_folder(), *module.split("."))
    text = _template().read_text(encoding="utf-8").replace("@NAME@", name)
    text = text.replace("@PYTHON@", shlex.quote(interpreter()))
    text = text.replace("@MODULE@", shlex.quote(source.with_suffix(".py").as_posix()))
    command = f"{python_command(_ENTRY)} {name}"
    return text.replace("@COMMAND@", command).encode("utf-8", "surrogateescape")


def is_stub(content: bytes) -> bool:
    """Whether this script was written by kitty-status, of whatever version."""
    return any(line.startswith(_MARK) for line in content.split(b"\n")[:3])


def calls_us(content: bytes, name: str) -> bool:
    """Whether somebody has put the call of our hook into a script of their own."""
    return call_in(content, name) is not None


def call_in(content: bytes, name: str) -> str | None:
    """Return the call of our hook in a script of somebody else, with the folder they wrote in front, or None."""
    call = _CALL.format(name=name)
    for line in content.split(b"\n"):
        before, found, _ = os.fsdecode(line).partition(call)
        if found and not before.lstrip().startswith("#"):
            folder = "" if before[-1:].isspace() else before.split()[-1:]
            return "".join(folder) + call
    return None


def line_to_add(name: str) -> str:
    """Return the shell line with which a hook of somebody else calls ours."""
    return f'{_CALL.format(name=name)} "$@" || {":" if comes_after(name) else "exit $?"}'


def _template() -> Path:
    """Return where the template is: in the package once installed, at the root of a checkout before."""
    installed = Path(__file__).parent / "stubs" / _TEMPLATE
    return installed if installed.exists() else Path(__file__).parents[3] / "hooks" / _TEMPLATE
