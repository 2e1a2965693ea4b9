"""The command lines that git is given for merging logs, snapshots and views.

To git, a merge driver that cannot run has left a conflict in which only our side is present, and
nothing marks it. So each command carries its own way out for the day on which the interpreter, or
the package, has gone: both sides of a log, our snapshot and an honest conflict, or what git itself makes of a view.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from kitty_status import version
from kitty_status.errors import ConfigurationError

LOG = "log"
SNAPSHOT = "snapshot"
VIEW = "view"

_MODULES = {
    LOG: "kitty_status.git.log_driver",
    SNAPSHOT: "kitty_status.git.snapshot_driver",
    VIEW: "kitty_status.git.view_driver",
}
_FILES = "%O %A %B %P"
# A view may conflict as text does, so its driver is told how git marks that.
_ARGUMENTS = {LOG: _FILES, SNAPSHOT: _FILES, VIEW: f"{_FILES} %L %S %X %Y"}
RESCUED = {
    LOG: "kitty-status: its merge driver did not run, so git kept the lines of both sides of",
    SNAPSHOT: "kitty-status: its merge driver did not run, so our side was kept of",
    VIEW: "kitty-status: its merge driver did not run, so git merged it as any other text:",
}
"""What a command says, in front of the path, when it had to go the last way."""

_MEND = "unless KITTY_STATUS is set to switch it off, install kitty-status again, run: kitty-status install"
_SWITCHED_ON = ";; *) "
_WAY_OUT = "; s=$?;"
_OFF = "0|[Ff][Aa][Ll][Ss][Ee]|[Oo][Ff][Ff]|[Nn][Oo]"
# Any exit code above 1 says that the driver did not do its work, and the next way is tried. The end
# of `git merge-file` is watched as well: it refuses what looks binary to it, and then both sides are
# simply put one behind the other and the conflict stands.
_LOG_RESCUE = (
    f"printf '%%s ' '{RESCUED[LOG]}' %P >&2; "
    f"printf '%%s\\n' '(hint: {_MEND}, and then: kitty-status validate)' >&2; "
    "git merge-file -q --union %A %O %B && exit 0; { echo; cat %B; } >>%A; exit 1"
)
_SNAPSHOT_RESCUE = (
    f"printf '%%s ' '{RESCUED[SNAPSHOT]}' %P >&2; "
    f"printf '%%s\\n' '(hint: {_MEND}, and then: kitty-status materialize)' >&2; "
    "exit 1"
)
# Git before 2.44 leaves the labels as they stand in the command. More than 127 conflicts are not counted, and git
# ends with 255 where it takes a file for binary and leaves ours.
_VIEW_RESCUE = (
    f"printf '%%s ' '{RESCUED[VIEW]}' %P >&2; "
    f"printf '%%s\\n' '(hint: {_MEND}, and then: kitty-status materialize)' >&2; "
    'set -- %X %S %Y; test "$1" != %%X || set -- ours base theirs; '
    'git merge-file -q --marker-size=%L -L "$1" -L "$2" -L "$3" -- %A %O %B && exit 0; exit 1'
)
_RESCUES = {LOG: _LOG_RESCUE, SNAPSHOT: _SNAPSHOT_RESCUE, VIEW: _VIEW_RESCUE}


def driver_sections() -> dict[str, dict[str, str]]:
    """Return the sections of git configuration that declare the drivers, as {section: {key: value}}.

    A section is only ever written and removed whole, the command first: a driver with a name and no command
    stops git.

    Raises:
        ConfigurationError: the running interpreter does not know its own path.
    """
    return {
        "merge.kitty-status-log": {
            "driver": driver_command(LOG),
            "name": "kitty-status: the union of both sides' events",
        },
        "merge.kitty-status-snapshot": {
            "driver": driver_command(SNAPSHOT),
            "name": "kitty-status: the snapshot of the merged log",
        },
        "merge.kitty-status-view": {
            "driver": driver_command(VIEW),
            "name": "kitty-status: the text of both sides, with one status",
        },
    }


def driver_command(kind: str) -> str:
    """Return the value of `merge.<driver>.driver` for `log`, `snapshot` or `view`.

    It ends with 0 (merged) or 1 (conflict) whatever happens to this installation afterwards. Switched off by
    KITTY_STATUS=0, it does what it does without the installation.

    Raises:
        ConfigurationError: the running interpreter does not know its own path.
    """
    # Only the placeholders are git's to fill in: a % in a path must reach the shell.
    ours = python_command(_MODULES[kind]).replace("%", "%%")
    arguments = _ARGUMENTS[kind]
    return (
        f"case $KITTY_STATUS in {_OFF}) s=2{_SWITCHED_ON}{ours} {arguments}{_WAY_OUT} "
        "if test $s -gt 1 && command -v kitty-status >/dev/null 2>&1; "
        f"then kitty-status merge-driver {kind} {arguments}; s=$?; fi;; esac; "
        f"if test $s -gt 1; then {_RESCUES[kind]}; fi; exit $s"
    )


def first_way(command: str) -> str:
    """Return what a driver's command, of any version, tries first, as a shell reads it and without the files to merge.

    Behind it stand, in a command of ours, the ways that are tried after it has failed.
    """
    first = command.partition(_WAY_OUT)[0].rpartition(_SWITCHED_ON)[2]
    for placeholder in _ARGUMENTS[VIEW].split():
        first = first.replace(f" {placeholder}", "")
    return first.replace("%%", "%")


def python_command(module: str) -> str:
    """Return the shell words that call `module.main` with the arguments that follow them.

    Raises:
        ConfigurationError: the running interpreter does not know its own path.
    """
    return f"{shlex.quote(interpreter())} -I -S -c {shlex.quote(bootstrap(module))}"


def bootstrap(module: str, function: str = "main") -> str:
    """Return one line of Python that exits with what `module.function(arguments)` returns.

    It needs no `site`: it puts the folder of this very package on the path. Python ends with 1 after
    an exception, and so does a driver after a conflict; here an exception ends with 70, said in one
    line, or with its traceback under KITTY_STATUS_DEBUG.
    """
    # `os` is imported only where something failed: it costs a tenth of a whole merge.
    # !a: the text then means the same in every locale that git may be run in.
    return (
        "import sys;"
        "sys.excepthook=lambda k,e,t,o=__import__:("
        'sys.__excepthook__(k,e,t) if o("os").environ.get("KITTY_STATUS_DEBUG") else '
        'print(f"kitty-status: {k.__name__}: {e}",file=sys.stderr),'
        'o("os")._exit(70));'
        f"sys.path.insert(0,{package_folder()!a});"
        f"from {module} import {function};"
        f"s={function}(sys.argv[1:]);"
        "sys.stdout and sys.stdout.flush();"
        # Taking the interpreter down in good order costs a tenth of its start; stderr keeps nothing back.
        'o=__import__("nt" if sys.platform=="win32" else "posix");'
        "o._exit(s)"
    )


def interpreter() -> str:
    """Return the absolute path of the running interpreter, as a shell takes it.

    Raises:
        ConfigurationError: the running interpreter does not know its own path.
    """
    if not sys.executable:
        raise ConfigurationError(
            "the path of the running python is unknown, so git cannot be told how to call it",
            hint="run kitty-status with a python that is installed in a folder",
        )
    path = os.path.abspath(sys.executable)  # noqa: PTH100 - the link of a virtual environment must stay a link
    return path.replace("\\", "/") if sys.platform == "win32" else path


def package_folder() -> str:
    """Return the folder that has to be on Python's path for `import kitty_status`."""
    return str(Path(version.__file__).resolve().parent.parent)
