"""What doctor looks at about merging: the attributes, the drivers, and a trial merge."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.checks.diagnosis import INSTALL, Diagnosis, Fix
from kitty_status.git.attributes import LOCAL, LOCAL_LOGS, SPEC_KITTY_DRIVER, add_block, committed_rules, has_block
from kitty_status.git.attributes_in_force import ATTRIBUTES_FILE, attributes_of, travelling_attributes_of
from kitty_status.git.drivers import LOG, SNAPSHOT, VIEW, driver_sections
from kitty_status.git.install_config import effective_value
from kitty_status.git.run import read_blobs
from kitty_status.git.runnable import SECTIONS, broken_driver
from kitty_status.git.trial import try_merge
from kitty_status.git.trial_verdict import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from kitty_status.checks.diagnosis import Clone

    _Expected: TypeAlias = dict[str, dict[str, tuple[str, ...]]]

_INSTALL = ("kitty-status install",)
_TRAVELS: _Expected = {
    LOG: {"merge": ("union", SPEC_KITTY_DRIVER), "text": ("unset",)},
    SNAPSHOT: {"merge": ("binary", "unset")},
}
_HERE: _Expected = {
    LOG: {"merge": ("kitty-status-log",), "text": ("unset",)},
    SNAPSHOT: {"merge": ("kitty-status-snapshot",)},
    VIEW: {"merge": ("kitty-status-view",)},
}


def check_attributes(clone: Clone) -> Iterator[Diagnosis]:
    """Does every clone, with kitty-status or without, know how to treat these files?"""
    content = _read(Path(clone.repository.worktree, ATTRIBUTES_FILE))
    paths = clone.status_paths()
    travelling = travelling_attributes_of(clone.repository, [path for pair in paths for path in pair])
    wrong = _first_difference(travelling, _by_kind(paths), _TRAVELS)
    if wrong is None:
        committed = read_blobs([f"HEAD:{ATTRIBUTES_FILE}"], cwd=clone.repository.worktree)[0]
        if has_block(content) and not _declares(committed[1] if committed else None):
            commands = (
                f"git add -- :/{ATTRIBUTES_FILE}",
                f"git commit -m 'Declare status files' -- :/{ATTRIBUTES_FILE}",
            )
            yield Diagnosis("attributes-not-committed", ATTRIBUTES_FILE, "the last commit does not have it", commands)
    elif add_block(content, committed_rules(content)) != content:
        yield Diagnosis("attributes-not-declared", ATTRIBUTES_FILE, wrong[1], ("kitty-status init",))
    else:
        yield Diagnosis(
            "attributes-overridden", ATTRIBUTES_FILE, wrong[1], (f"git check-attr --all -- ':/{wrong[0]}'",)
        )


def _declares(content: bytes | None) -> bool:
    """Whether a file holds the block of this version."""
    return has_block(content) and add_block(content, committed_rules(content)) == content


def check_local_attributes(clone: Clone) -> Iterator[Diagnosis]:
    """Does git ask our drivers in this clone?"""
    path = Path(clone.repository.common_dir, "info", "attributes")
    content = _read(path)
    paths = _by_kind(clone.status_paths(), clone.view_paths())
    in_force = attributes_of(clone.repository.worktree, [path for _, path in paths])
    expected = _HERE if clone.snapshots else {LOG: _HERE[LOG]}
    wrong = _first_difference(in_force, paths, expected)
    if add_block(content, LOCAL if clone.snapshots else LOCAL_LOGS) != content:
        observed = wrong[1] if wrong else "the block is of another version"
        yield Diagnosis("local-attributes-missing", str(path), observed, _INSTALL, Fix(INSTALL))
    elif wrong:
        yield Diagnosis(
            "local-attributes-overridden", str(path), wrong[1], (f"git check-attr --all -- ':/{wrong[0]}'",)
        )


def _ask(clone: Clone, path: str) -> str:
    return f"git -C {shlex.quote(clone.repository.worktree)} check-attr --all -- {shlex.quote(path)}"


def _by_kind(pairs: list[tuple[str, str]], views: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return (kind, path) of all these files."""
    found = [each for log, snapshot in pairs for each in ((LOG, log), (SNAPSHOT, snapshot))]
    return [*found, *((VIEW, path) for path in views)]


def _first_difference(
    found: dict[str, dict[str, str]], paths: list[tuple[str, str]], expected: _Expected
) -> tuple[str, str] | None:
    """Return the first path whose attributes are not as expected, with what they are."""
    for kind, path in paths:
        for attribute, allowed in expected.get(kind, {}).items():
            if found[path][attribute] not in allowed:
                return path, f"{attribute}: {found[path][attribute]} for {path}"
    return None


def check_drivers(clone: Clone) -> Iterator[Diagnosis]:
    """Are the drivers declared, by this version's command line, and can git run them?"""
    wanted = driver_sections()
    for kind, section in SECTIONS.items():
        command = effective_value(clone.repository, f"{section}.driver")
        if command is None:
            yield _undeclared(clone, section)
            continue
        is_ours = command == wanted[section]["driver"]
        broken = broken_driver(clone.repository, kind)
        # Where another file overrides what install writes, installing again changes nothing.
        fix = None if is_ours else Fix(INSTALL)
        if broken:
            yield Diagnosis("driver-not-runnable", f"{section}.driver", str(broken), _INSTALL, fix)
        elif not is_ours:
            yield Diagnosis("driver-outdated", f"{section}.driver", command, _INSTALL, fix)


def _undeclared(clone: Clone, section: str) -> Diagnosis:
    if effective_value(clone.repository, f"{section}.name") is not None:
        return Diagnosis("driver-without-command", section, "it has a name and no command", _INSTALL, Fix(INSTALL))
    return Diagnosis("driver-missing", section, "it is not in git's configuration", _INSTALL, Fix(INSTALL))


def check_trial_merge(clone: Clone) -> Iterator[Diagnosis]:
    """Does git, with this clone's configuration, merge as it should?"""
    for trouble in try_merge(clone.repository, snapshots=clone.snapshots).troubles:
        code = "trial-merge-failed" if trouble.outcome == FAILED else "trial-merge-degraded"
        yield Diagnosis(code, clone.repository.common_dir, trouble.message, _INSTALL)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
