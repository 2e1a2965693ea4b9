"""The part of an installation that stands in the hooks folder."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.git.changes import Change, Step
from kitty_status.git.files import replace_linked_file
from kitty_status.git.hook_stubs import HOOKS, calls_us, is_stub, line_to_add, stub
from kitty_status.git.install_config import effective_value
from kitty_status.git.run import git

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.repository import Repository

_EARLIER = ".before-kitty-status"
_MODE = 0o755


def install_steps(repository: Repository) -> list[Step]:
    """Return the steps that give git our hooks. A hook that is there is kept and goes first."""
    folder = _hooks_folder(repository)
    if _is_managed_elsewhere(repository, folder):
        return [_manual_step(folder, name) for name in HOOKS]
    return [_install_step(folder / name, name) for name in HOOKS]


def removal_steps(repository: Repository) -> list[Step]:
    """Return the steps that take our hooks away and put back what was there before."""
    folder = _hooks_folder(repository)
    # core.hooksPath may have been set after our stub was written.
    folders = {path.resolve(): path for path in (_own_folder(repository), folder)}.values()
    return [step for name in HOOKS for step in (*_stub_removals(folders, name), *_caller_steps(folder, name))]


def _stub_removals(folders: Iterable[Path], name: str) -> list[Step]:
    steps = []
    for folder in folders:
        path = folder / name
        content = _read(path)
        if content is not None and is_stub(content):
            earlier = _earlier(path)
            details: tuple[str, ...] = (f"{earlier.name} gets its name back",) if os.path.lexists(earlier) else ()
            steps.append(Step(Change(str(path), "remove", details), partial(_remove, path)))
    return steps


def _caller_steps(folder: Path, name: str) -> list[Step]:
    details = ("it is not ours: take out the line that calls kitty-status, which may read:", line_to_add(name))
    return [Step(Change(str(caller), "manual", details)) for caller in _callers(folder, name)]


def _install_step(path: Path, name: str) -> Step:
    content = _read(path)
    wanted = stub(name)
    if content is None:
        return Step(Change(str(path), "create"), partial(replace_linked_file, path, wanted, mode=_MODE))
    if not is_stub(content):
        return _step_beside(path, content, name)
    if content == wanted and os.access(path, os.X_OK):
        return Step(Change(str(path), "keep"))
    return Step(Change(str(path), "update"), partial(replace_linked_file, path, wanted, mode=_MODE))


def _step_beside(path: Path, content: bytes, name: str) -> Step:
    """Return the step that lets ours and a hook of somebody else live together."""
    if calls_us(content, name):
        return Step(Change(str(path), "keep", ("a hook of yours that calls kitty-status",)))
    earlier = _earlier(path)
    if os.path.lexists(earlier):
        taken = (f"it is not ours, and {earlier.name} is taken; add this line to it:", line_to_add(name))
        return Step(Change(str(path), "manual", taken))
    details = (f"the hook that is there is renamed to {earlier.name} and still runs, before ours",)
    return Step(Change(str(path), "update", details), partial(_chain, path, stub(name)), "foreign")


def _manual_step(folder: Path, name: str) -> Step:
    path = folder / name
    if _callers(folder, name):
        return Step(Change(str(path), "keep", ("a hook of yours that calls kitty-status",)))
    details = (f"core.hooksPath names {folder}, which is not ours to write to; add this line:", line_to_add(name))
    return Step(Change(str(path), "manual", details))


def _callers(folder: Path, name: str) -> list[Path]:
    """Return the hooks of other people that call ours. Husky keeps the scripts beside the folder git looks in."""
    places = [folder / name, folder.parent / name] if folder.name == "_" else [folder / name]
    found = []
    for place in places:
        content = _read(place)
        if content is not None and not is_stub(content) and calls_us(content, name):
            found.append(place)
    return found


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


def _earlier(path: Path) -> Path:
    return path.with_name(path.name + _EARLIER)


def _read(path: Path) -> bytes | None:
    """Return a hook's bytes, none where a link leads nowhere (git passes over it), and None without any hook."""
    if path.is_file():
        return path.read_bytes()
    return b"" if os.path.lexists(path) else None


def _chain(path: Path, content: bytes) -> None:
    path.rename(_earlier(path))
    replace_linked_file(path, content, mode=_MODE)


def _remove(path: Path) -> None:
    earlier = _earlier(path)
    if os.path.lexists(earlier):
        earlier.replace(path)
    else:
        path.unlink()
