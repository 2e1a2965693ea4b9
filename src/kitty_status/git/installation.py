"""Making one clone merge and check status files with kitty-status, and undoing that.

An installation is: the two drivers in the repository's configuration, the block in `info/attributes`
that assigns them, and the hooks. All of it is shared by the linked work trees of the clone. None of
it is committed.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kitty_status.git import hook_managers, install_config, install_hooks
from kitty_status.git.attributes import LOCAL, LOCAL_LOGS, add_block, has_block, remove_block
from kitty_status.git.changes import Change, Item, Step
from kitty_status.git.drivers import driver_sections
from kitty_status.git.files import replace_linked_file
from kitty_status.git.hooks import HOOKS
from kitty_status.git.repository import Repository


@dataclass(frozen=True, slots=True)
class Status:
    """How much of an installation a clone has."""

    items: tuple[Item, ...]

    @property
    def complete(self) -> bool:
        """Whether everything is there and of this version."""
        return all(item.state == "installed" for item in self.items)


def plan(repository: Repository, *, autostash: bool = False, snapshots: bool = True) -> list[Change]:
    """Return what `apply` would do, and do nothing.

    Args:
        repository: the clone.
        autostash: also let git set aside an uncommitted log in merges and rebases, where the user has not decided.
        snapshots: merge snapshots with our driver. Pass False where another tool writes them.

    Raises:
        GitError: git failed.
        ConfigurationError: the running interpreter does not know its own path.
    """
    return [step.change for step in _steps(repository, autostash=autostash, snapshots=snapshots)]


def apply(repository: Repository, *, autostash: bool = False, snapshots: bool = True) -> list[Change]:
    """Install, and return what was done. Once installed, everything is `keep` and nothing is written.

    Whatever is `manual` is left to the user. The arguments are those of `plan`.

    Raises:
        GitError: git failed; the steps before it are done, and the call can be repeated.
        ConfigurationError: the running interpreter does not know its own path.
        OSError: a file could not be written; as above.
    """
    return _run(_steps(repository, autostash=autostash, snapshots=snapshots))


def mend(repository: Repository, *, snapshots: bool = True) -> list[Change]:
    """Do again what of an installation is missing or outdated, and return it; what others have put there stays.

    Raises:
        GitError, ConfigurationError, OSError: as `apply`.
    """
    steps = _steps(repository, autostash=False, snapshots=snapshots)
    stale = [step for step in steps if step.item().state in ("missing", "outdated")]
    return _run(stale)


def status(repository: Repository, *, snapshots: bool = True) -> Status:
    """Return what of an installation the clone has.

    Raises:
        GitError: git failed.
        ConfigurationError: the running interpreter does not know its own path.
    """
    steps = _steps(repository, autostash=False, snapshots=snapshots)
    # A note for uninstall is a part of installing, not of what is installed.
    return Status(tuple(step.item() for step in steps if not step.change.what.startswith("kitty-status.")))


def plan_removal(repository: Repository) -> list[Change]:
    """Return what `remove` would do, and do nothing.

    Raises:
        GitError: git failed.
    """
    return [step.change for step in _removal_steps(repository)]


def remove(repository: Repository) -> list[Change]:
    """Uninstall, and return what was done: nothing where nothing is installed.

    Every byte that installing did not write is as it was: an earlier hook has its name and mode again,
    and a file that was not there is gone. What others wrote since stays.

    Raises:
        GitError: git failed; the steps before it are done, and the call can be repeated.
        BusyError: git is changing its configuration at this moment.
        OSError: a file could not be written; as above.
    """
    return _run(_removal_steps(repository))


def manual(repository: Repository, *, snapshots: bool = True) -> list[Change]:
    """Return all that an installation consists of as lines for a person, for each way to have hooks; do nothing.

    Raises:
        ConfigurationError: the running interpreter does not know its own path.
    """
    by_configuration = {
        f"hook.kitty-status-{name}": {"command": f"kitty-status hook {name}", "event": name} for name in HOOKS
    }
    ways = {
        "hooks: your own scripts, or husky's; each in .git/hooks/NAME or .husky/NAME": hook_managers.SCRIPT,
        "hooks: lefthook.yml": hook_managers.LEFTHOOK,
        "hooks: .pre-commit-config.yaml": hook_managers.PRE_COMMIT,
    }
    return [
        Change("merge drivers", "manual", _as_commands(driver_sections())),
        Change(str(_attributes(repository)), "manual", LOCAL if snapshots else LOCAL_LOGS),
        *(Change(what, "manual", hook_managers.lines_for(kind, HOOKS)) for what, kind in ways.items()),
        Change(
            "hooks: git's configuration, from git 2.54 on, beside whatever owns the scripts",
            "manual",
            _as_commands(by_configuration),
        ),
    ]


def _as_commands(sections: dict[str, dict[str, str]]) -> tuple[str, ...]:
    return tuple(
        f"git config {section}.{key} {shlex.quote(value)}"
        for section, values in sections.items()
        for key, value in values.items()
    )


def _run(steps: list[Step]) -> list[Change]:
    for step in steps:
        step.run()
    return [step.change for step in steps]


def _steps(repository: Repository, *, autostash: bool, snapshots: bool) -> list[Step]:
    # The drivers before the attributes: git would write conflict markers for a driver it does not know.
    return [
        *install_config.install_steps(repository, autostash=autostash),
        _attributes_step(repository, LOCAL if snapshots else LOCAL_LOGS),
        *install_hooks.install_steps(repository),
    ]


def _removal_steps(repository: Repository) -> list[Step]:
    return [
        *install_hooks.removal_steps(repository),
        *_attributes_removal(repository),
        *install_config.removal_steps(repository),
    ]


def _attributes_step(repository: Repository, rules: tuple[str, ...]) -> Step:
    path = _attributes(repository)
    content = path.read_bytes() if path.exists() else None
    wanted = add_block(content, rules)
    if content == wanted:
        return Step(Change(str(path), "keep"))
    if has_block(content):
        return Step(Change(str(path), "update", rules), partial(replace_linked_file, path, wanted))
    return Step(Change(str(path), "create", rules), partial(replace_linked_file, path, wanted))


def _attributes_removal(repository: Repository) -> list[Step]:
    path = _attributes(repository)
    content = path.read_bytes() if path.exists() else None
    if not has_block(content):
        return []
    rest = remove_block(content)
    return [
        Step(Change(str(path), "remove"), path.unlink if rest is None else partial(replace_linked_file, path, rest))
    ]


def _attributes(repository: Repository) -> Path:
    return Path(repository.common_dir, "info", "attributes").resolve()
