"""The part of an installation that stands in the repository's configuration.

git itself writes all of it. Only one thing git cannot do: take back the newline that it puts behind a
last line that had none.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError
from kitty_status.git.changes import Change, Step
from kitty_status.git.drivers import driver_sections
from kitty_status.git.run import git, run_git

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository

AUTOSTASH = ("merge.autoStash", "rebase.autoStash")

# What we set for the user, to be unset again; and how long a file without final newline was.
_NOTES = "kitty-status"
_RECORD = "kitty-status.autostash"
_LENGTH = "kitty-status.configlength"


def effective_value(repository: Repository, key: str) -> str | None:
    """Return what git goes by for `key`, from whichever file, or None where it is not set."""
    result = run_git(["config", "--null", "--get", key], cwd=repository.worktree)
    return os.fsdecode(result.out.removesuffix(b"\0")) if result.code == 0 else None


def install_steps(repository: Repository, *, autostash: bool) -> list[Step]:
    """Return the steps that declare the drivers and, if wished, let git stash an uncommitted log by itself."""
    local = local_values(repository)
    steps = section_steps(repository, local, driver_sections())
    if autostash:
        steps += [_autostash_step(repository, local, key) for key in AUTOSTASH]
    length = _length_without_newline(repository)
    if length and any(step.change.action in {"create", "update"} for step in steps):
        details = ("the file has no final newline: uninstall takes away the one that git adds",)
        steps.insert(0, Step(Change(_LENGTH, "create", details), partial(_set, repository, _LENGTH, str(length))))
    return steps


def removal_steps(repository: Repository) -> list[Step]:
    """Return the steps that take away exactly what `install_steps` has put there."""
    local = local_values(repository)
    steps = section_removals(repository, local, driver_sections())
    ours = local.get(_RECORD, [])
    steps += [
        Step(Change(key, "remove"), partial(_unset, repository, key))
        for key in ours
        if local.get(key.lower()) == ["true"]
    ]
    notes = [note for note in (_RECORD, _LENGTH) if note in local]
    if notes:
        steps.append(Step(Change(_NOTES, "remove"), partial(_remove_notes, repository, local, notes)))
    return steps


def section_steps(
    repository: Repository, local: dict[str, list[str]], sections: dict[str, dict[str, str]]
) -> list[Step]:
    """Return the steps after which each section holds these keys, written in their order.

    `local` is what `local_values` found. What others have put into a section stays.
    """
    return [_section_step(repository, local, section, wanted) for section, wanted in sections.items()]


def section_removals(
    repository: Repository, local: dict[str, list[str]], sections: dict[str, dict[str, str]]
) -> list[Step]:
    """Return the steps that remove, whole, those of our sections that are there, and say what of others goes with them.

    Without our keys, what others have added to a section would be worse than nothing: for a driver or a hook
    that has settings and no command, git stops.
    """
    steps = []
    for section, ours in sections.items():
        found = keys_of(local, section)
        if found:
            theirs = [
                f"{section}.{key} {shlex.quote(each)}" for key in sorted(found.keys() - ours) for each in found[key]
            ]
            details = ("with it goes what kitty-status has not set; this would set it again:",) if theirs else ()
            change = Change(section, "remove", (*details, *(f"git config --add {setting}" for setting in theirs)))
            steps.append(Step(change, partial(_remove_section, repository, section)))
    return steps


def _section_step(repository: Repository, local: dict[str, list[str]], section: str, wanted: dict[str, str]) -> Step:
    found = keys_of(local, section)
    if all(found.get(key) == [value] for key, value in wanted.items()):
        return Step(Change(section, "keep"))
    details = tuple(f"{key} = {value}" for key, value in wanted.items())

    def write() -> None:
        for key, value in wanted.items():
            _set(repository, f"{section}.{key}", value)

    return Step(Change(section, "update" if found else "create", details), write)


def _autostash_step(repository: Repository, local: dict[str, list[str]], key: str) -> Step:
    value = effective_value(repository, key)
    if value is not None:
        ours = key in local.get(_RECORD, [])
        return Step(Change(key, "keep", () if ours else (f"it is set to {value} already",)))
    if not _can_be_taken_back(repository, key):
        details = ("git could not take this back without a trace; if you want it, run:", f"git config {key} true")
        return Step(Change(key, "manual", details))

    def write() -> None:
        # The record first: what is recorded and not set does no harm.
        git(["config", "--local", "--add", _RECORD, key], cwd=repository.worktree)
        _set(repository, key, "true")

    return Step(Change(key, "create", (f"{key} = true",)), write)


def _can_be_taken_back(repository: Repository, key: str) -> bool:
    """Whether setting and unsetting `key` leaves the file as it was.

    It does not where the section stands there empty, or has a comment behind its header. So it is tried on a copy.
    """
    content = _config(repository).read_bytes()
    if content and not content.endswith(b"\n"):
        content += b"\n"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "config")
        copy.write_bytes(content)
        git(["config", "--file", str(copy), key, "true"], cwd=repository.worktree)
        git(["config", "--file", str(copy), "--unset", key], cwd=repository.worktree)
        return copy.read_bytes() == content


def local_values(repository: Repository) -> dict[str, list[str]]:
    """Return all values of the clone's own configuration, by key as git writes it.

    Raises:
        GitError: git failed.
    """
    listed = os.fsdecode(git(["config", "--local", "--null", "--list"], cwd=repository.worktree))
    values: dict[str, list[str]] = {}
    for entry in listed.split("\0")[:-1]:
        key, _, value = entry.partition("\n")
        values.setdefault(key, []).append(value)
    return values


def keys_of(local: dict[str, list[str]], section: str) -> dict[str, list[str]]:
    """Return what stands in one section of `local`, by its last name."""
    return {key.removeprefix(f"{section}."): value for key, value in local.items() if key.startswith(f"{section}.")}


def _set(repository: Repository, key: str, value: str) -> None:
    git(["config", "--local", "--replace-all", key, value], cwd=repository.worktree)


def _unset(repository: Repository, key: str) -> None:
    git(["config", "--local", "--unset-all", key], cwd=repository.worktree)


def _config(repository: Repository) -> Path:
    return Path(repository.common_dir, "config")


def _length_without_newline(repository: Repository) -> int:
    """Return how long the configuration is if its last line is unfinished, else 0."""
    content = _config(repository).read_bytes()
    return 0 if content.endswith(b"\n") else len(content)


def _remove_section(repository: Repository, section: str) -> None:
    git(["config", "--local", "--remove-section", section], cwd=repository.worktree)


def _remove_notes(repository: Repository, local: dict[str, list[str]], notes: list[str]) -> None:
    if len(keys_of(local, _NOTES)) > len(notes):
        for note in notes:
            git(["config", "--local", "--unset-all", note], cwd=repository.worktree)
    else:
        # Whole: where a comment stands above the section, git would leave the header behind.
        _remove_section(repository, _NOTES)
    if _LENGTH in local:
        _restore_ending(repository, int(local[_LENGTH][-1]))


def _restore_ending(repository: Repository, length: int) -> None:
    """Cut the final newline that git added, if the file is back to what it was but for that."""
    path = _config(repository).resolve()
    content = path.read_bytes()
    if len(content) != length + len(b"\n") or not content.endswith(b"\n"):
        # Somebody has written to the file since, and git's newline separates theirs from what was there.
        return
    lock = path.with_name(path.name + ".lock")
    try:
        # git's own lock, so that no other change can be lost.
        with lock.open("xb") as file:
            file.write(content[:length])
    except FileExistsError as error:
        raise BusyError(f"{lock} exists: git is changing its configuration", hint="try again") from error
    lock.chmod(path.stat().st_mode & 0o7777)
    lock.replace(path)
