"""By which way git comes to a hook of ours: our own script, somebody else's that calls us, or git's configuration."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from kitty_status.git.hook_entry import PROBE
from kitty_status.git.hook_managers import PUT_ASIDE, owner_of, owner_of_path
from kitty_status.git.hook_stubs import call_in, is_stub

MISSING = "missing"
NOT_EXECUTABLE = "not-executable"
FOREIGN = "foreign"
OUTDATED = "outdated"

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~ ")


class Way(NamedTuple):
    """The line of shell that calls our hook and nothing else, or, where there is none, the `obstacle`.

    `is_script` says that git's own script for this hook is ours, so that git may be asked to fire it.
    """

    line: str = ""
    obstacle: str = ""
    is_script: bool = False


def way_to(worktree: str, name: str, path: Path, configured: list[str]) -> Way:
    """Return the way to the hook `name`, whose script git looks for at `path`.

    `configured` are the commands that git's configuration names for it. A hook of somebody else is only read.

    Raises:
        OSError: a script cannot be read.
    """
    for command in configured:
        way = _way_of_command(os.fsencode(command), name)
        if way is not None:
            return way
    if not path.is_file():
        return Way(obstacle=MISSING)
    if not os.access(path, os.X_OK):
        return Way(obstacle=NOT_EXECUTABLE)
    content = path.read_bytes()
    if is_stub(content):
        return _way_of_stub(path, content, is_script=True)
    return _way_through_others(worktree, name, path, content)


def _way_of_command(command: bytes, name: str) -> Way | None:
    call = _plain_call(command, name)
    if call:
        return Way(call)
    # `test ! -x SCRIPT || SCRIPT`, see `config_hooks`.
    script = Path(os.fsdecode(_last_word(command)))
    content = script.read_bytes() if script.is_file() else b""
    return _way_of_stub(script, content) if is_stub(content) else None


def _last_word(command: bytes) -> bytes:
    try:
        words = shlex.split(os.fsdecode(command))
    except ValueError:
        return b""
    return os.fsencode(words[-1]) if words else b""


def _way_of_stub(path: Path, content: bytes, *, is_script: bool = False) -> Way:
    # One that knows nothing of being asked would do its work.
    if PROBE.encode() not in content:
        return Way(obstacle=OUTDATED)
    return Way(shlex.quote(str(path)), is_script=is_script)


def _way_through_others(worktree: str, name: str, path: Path, content: bytes) -> Way:
    call = _plain_call(content, name)
    if call is None:
        folder = path.parent
        owner = owner_of_path(folder, name) if folder.name == "_" else owner_of(Path(worktree), name, content)
        if owner is not None and owner.is_installed and owner.file.is_file():
            call = _plain_call(owner.file.read_bytes(), name)
    if call is not None:
        return Way(call)
    for aside in (path.with_name(path.name + suffix) for suffix in PUT_ASIDE):
        kept = aside.read_bytes() if aside.is_file() else b""
        if is_stub(kept):
            return _way_of_stub(aside, kept)
    return Way(obstacle=FOREIGN)


def _plain_call(script: bytes, name: str) -> str | None:
    """Return how a script calls our hook; where only its shell can read that, how one that is on PATH is called."""
    call = call_in(script, name)
    return call if call is None or set(call) <= _PLAIN else f"kitty-status hook {name}"
