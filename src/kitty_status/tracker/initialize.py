"""Declaring a repository's status files to git and writing the configuration's defaults: what `init` does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import ConfigurationError, OutsideRepositoryError
from kitty_status.git.attributes import IGNORED, add_block, committed_rules, has_block, remove_block
from kitty_status.git.configuration_keys import CONFIG_PATH, SECTION
from kitty_status.git.log_paths import SNAPSHOT_PATHSPEC
from kitty_status.git.run import git
from kitty_status.jsonl.replace import replace_file
from kitty_status.tracker.config import DEFAULTS, has_section, load_config

if TYPE_CHECKING:
    from kitty_status.tracker.features import Project

ATTRIBUTES_PATH = ".gitattributes"
IGNORE_PATH = ".gitignore"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that `init` writes: `action` is create, update, remove or keep, `lines` are what it adds.

    `content` is None where no file is to be left.
    """

    path: str
    action: str
    lines: tuple[str, ...]
    content: bytes | None


def plan_init(project: Project) -> list[FileChange]:
    """Return what `init` would write, and write nothing.

    Raises:
        OutsideRepositoryError: there is no git repository here.
        ConfigurationError: the existing configuration is not understood.
    """
    if project.repository is None:
        raise OutsideRepositoryError(f"{project.start} is in no git repository", hint="run `git init` first")
    attributes = _read(project.root / ATTRIBUTES_PATH)
    rules = committed_rules(attributes)
    config = _read(project.root / CONFIG_PATH)
    return [
        _change(ATTRIBUTES_PATH, attributes, add_block(attributes, rules), rules),
        _change(CONFIG_PATH, config, _with_defaults(project.root, config), tuple(DEFAULTS.splitlines())),
        *_ignore_rules(project),
    ]


def _ignore_rules(project: Project) -> list[FileChange]:
    """Return what becomes of `.gitignore`: nothing, unless snapshots are ignored or were so before."""
    existing = _read(project.root / IGNORE_PATH)
    if not load_config(project.root).commits_snapshots:
        return [_change(IGNORE_PATH, existing, add_block(existing, IGNORED), IGNORED)]
    return [_change(IGNORE_PATH, existing, remove_block(existing), ())] if has_block(existing) else []


def tracked_snapshots(project: Project) -> list[str]:
    """Return the snapshots that git tracks although they are not to be committed: rules do not ignore those.

    Raises:
        GitError: git could not be asked.
    """
    if project.repository is None or load_config(project.root).commits_snapshots:
        return []
    listed = git(["ls-files", "-z", "--", SNAPSHOT_PATHSPEC], cwd=project.repository.worktree)
    return [os.fsdecode(path) for path in listed.split(b"\0") if path]


def initialize(project: Project) -> list[FileChange]:
    """Write what `plan_init` says and return it.

    Raises:
        OutsideRepositoryError, ConfigurationError: as `plan_init`.
        OSError: the operating system refused.
    """
    changes = plan_init(project)
    for change in changes:
        target = project.root / change.path
        if change.action != "keep":
            target.parent.mkdir(parents=True, exist_ok=True)
            if change.content is None:
                target.unlink()
            else:
                replace_file(target, change.content)
    return changes


def _change(path: str, old: bytes | None, new: bytes | None, lines: tuple[str, ...]) -> FileChange:
    action = "create" if old is None else "keep" if old == new else "remove" if new is None else "update"
    return FileChange(path, action, () if action == "keep" else lines, new)


def _with_defaults(root: Path, config: bytes | None) -> bytes:
    """Return the configuration with a status section: the one it has, or the defaults behind what it holds."""
    if config is None:
        return DEFAULTS.encode()
    load_config(root)
    path = root / CONFIG_PATH
    text = config.decode("utf-8")
    if has_section(text, path):
        return config
    newline = "" if not text or text.endswith("\n") else "\n"
    extended = f"{text}{newline}{DEFAULTS}"
    try:
        has_section(extended, path)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{path} is not written line by line, so nothing can be added behind it",
            hint=f"add a `{SECTION}` mapping with `lanes: auto` yourself",
        ) from error
    return extended.encode()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
