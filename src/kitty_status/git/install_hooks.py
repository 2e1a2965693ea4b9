"""The part of an installation that gives git our hooks: in the hooks folder, or beside whoever owns that."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.git import config_hooks
from kitty_status.git.changes import Change, Step
from kitty_status.git.files import replace_linked_file
from kitty_status.git.hook_managers import (
    HUSKY,
    PRE_COMMIT,
    PUT_ASIDE,
    SCRIPT,
    Owner,
    lines_for,
    owner_of,
    owner_of_path,
)
from kitty_status.git.hook_stubs import EXECUTABLE, calls_us, is_stub, line_to_add, stub
from kitty_status.git.hooks import HOOKS
from kitty_status.git.install_config import effective_value, local_values
from kitty_status.git.run import git

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.repository import Repository

_EARLIER = ".before-kitty-status"


def install_steps(repository: Repository) -> list[Step]:
    """Return the steps that give git our hooks. A hook that is there is kept and goes first.

    A hook that another tool owns is not touched: git's configuration serves instead where git knows how, and else
    the lines for that tool are said.
    """
    folder = _hooks_folder(repository)
    is_elsewhere = _is_managed_elsewhere(repository, folder)
    local = local_values(repository)
    steps = []
    for name in HOOKS:
        path = folder / name
        owner = owner_of_path(folder, name) if is_elsewhere else _owner(repository, path, name)
        if owner is None:
            # Both at once would run twice.
            steps += [_install_step(path, name), *config_hooks.removal_steps(repository, local, name)]
        else:
            steps += _steps_beside_owner(repository, local, owner, path)
    return steps


def removal_steps(repository: Repository) -> list[Step]:
    """Return the steps that take our hooks away and put back what was there before."""
    folder = _hooks_folder(repository)
    local = local_values(repository)
    # core.hooksPath may have been set after our stub was written.
    folders = {path.resolve(): path for path in (_own_folder(repository), folder)}.values()
    steps = []
    for name in HOOKS:
        steps += _stub_removals(folders, name)
        steps += config_hooks.removal_steps(repository, local, name)
    return steps + _caller_steps(repository, folder)


def _stub_removals(folders: Iterable[Path], name: str) -> list[Step]:
    steps = []
    for folder in folders:
        earlier = folder / f"{name}{_EARLIER}"
        for path in (folder / f"{name}{suffix}" for suffix in ("", *PUT_ASIDE)):
            content = _read(path)
            if content is not None and is_stub(content):
                is_there = os.path.lexists(earlier)
                details = (f"{earlier.name} becomes {path.name} again",) if is_there else ()
                steps.append(Step(Change(str(path), "remove", details), partial(_remove, path, earlier)))
    return steps


def _caller_steps(repository: Repository, folder: Path) -> list[Step]:
    """Return a step for each file of somebody else that calls our hooks: only they can take that out again."""
    calls: dict[Path, list[str]] = {}
    for name in HOOKS:
        path = folder / name
        content = _read(path)
        if content is not None and not is_stub(content) and calls_us(content, name):
            calls.setdefault(path, []).extend(lines_for(SCRIPT, [name]))
        beside = owner_of_path(folder, name), owner_of(Path(repository.worktree), name, content)
        for owner in beside:
            if owner is not None and owner.file != path and owner.calls_us(name):
                calls.setdefault(owner.file, []).extend(lines_for(owner.kind, [name]))
    what = "it is not ours: take out what calls kitty-status, which may read:"
    return [Step(Change(str(file), "manual", (what, *lines))) for file, lines in calls.items()]


def _owner(repository: Repository, path: Path, name: str) -> Owner | None:
    """Return the tool that owns a hook in the repository's own folder; a stub of ours that is there is ours."""
    content = _read(path)
    if content is not None and (is_stub(content) or calls_us(content, name)):
        return None
    return owner_of(Path(repository.worktree), name, content)


def _install_step(path: Path, name: str) -> Step:
    content = _read(path)
    wanted = stub(name)
    if content is None:
        return Step(Change(str(path), "create"), partial(replace_linked_file, path, wanted, mode=EXECUTABLE))
    if not is_stub(content):
        return _step_beside(path, content, name)
    if content == wanted and os.access(path, os.X_OK):
        return Step(Change(str(path), "keep"))
    return Step(Change(str(path), "update"), partial(replace_linked_file, path, wanted, mode=EXECUTABLE))


def _step_beside(path: Path, content: bytes, name: str) -> Step:
    """Return the step that lets ours and a hook of somebody else live together."""
    if calls_us(content, name):
        return Step(Change(str(path), "keep", ("a hook of yours that calls kitty-status",)))
    earlier = path.with_name(path.name + _EARLIER)
    if os.path.lexists(earlier):
        taken = (f"it is not ours, and {earlier.name} is taken; add this line to it:", line_to_add(name))
        return Step(Change(str(path), "manual", taken))
    details = (f"the hook that is there is renamed to {earlier.name} and still runs, before ours",)
    return Step(Change(str(path), "update", details), partial(_chain, path, earlier, stub(name)), "foreign")


def _steps_beside_owner(repository: Repository, local: dict[str, list[str]], owner: Owner, path: Path) -> list[Step]:
    name = path.name
    if owner.is_installed and (owner.calls_us(name) or _is_put_aside(owner, path)):
        kept = Step(Change(str(path), "keep", (f"{owner.file} calls kitty-status",)))
        return [kept, *config_hooks.removal_steps(repository, local, name)]
    if config_hooks.are_known_to_git(repository):
        return config_hooks.install_steps(repository, local, name)
    return [Step(Change(str(path), "manual", _what_to_do(owner, path)))]


def _is_put_aside(owner: Owner, path: Path) -> bool:
    """Whether the framework has found our stub where it put its own script; it then runs ours first."""
    return owner.kind == PRE_COMMIT and is_stub(_read(path.with_name(path.name + PUT_ASIDE[0])) or b"")


def _what_to_do(owner: Owner, path: Path) -> tuple[str, ...]:
    if owner.calls_us(path.name):
        return (f"{owner.file} calls kitty-status, but this hook is not there: run `lefthook install`",)
    if owner.kind in (SCRIPT, HUSKY):
        why = f"core.hooksPath names {path.parent}, which is not ours to write to; add this line to {owner.file}:"
    else:
        why = f"this hook belongs to {owner.kind}; add these lines to {owner.file}:"
    return (why, *lines_for(owner.kind, [path.name]))


def _is_managed_elsewhere(repository: Repository, folder: Path) -> bool:
    """Whether `core.hooksPath` is in force and names another folder than the repository's own."""
    if effective_value(repository, "core.hooksPath") is None:
        return False
    return folder.resolve() != _own_folder(repository).resolve()


def _own_folder(repository: Repository) -> Path:
    return Path(repository.common_dir, "hooks")


def _hooks_folder(repository: Repository) -> Path:
    answer = git(["rev-parse", "--git-path", "hooks"], cwd=repository.worktree)
    return Path(repository.worktree, os.fsdecode(answer.removesuffix(b"\n")))


def _read(path: Path) -> bytes | None:
    """Return a hook's bytes, none where a link leads nowhere (git passes over it), and None without any hook."""
    if path.is_file():
        return path.read_bytes()
    return b"" if os.path.lexists(path) else None


def _chain(path: Path, earlier: Path, content: bytes) -> None:
    path.rename(earlier)
    replace_linked_file(path, content, mode=EXECUTABLE)


def _remove(path: Path, earlier: Path) -> None:
    if os.path.lexists(earlier):
        earlier.replace(path)
    else:
        path.unlink()
