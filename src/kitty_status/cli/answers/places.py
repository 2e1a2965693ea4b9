"""The answers of the commands that prepare repositories and clones, and move features and logs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kitty_status.cli.answers.part import NOT_ALWAYS, Part


class FileChange(Part):
    """A file and what happens to it."""

    path: str
    action: str
    lines: list[str]


class Initialized(Part):
    """What was done to prepare a repository, or with `dry_run` would be."""

    dry_run: bool
    changes: list[FileChange]


class CloneChange(Part):
    """A path or a configuration key of a clone, and what happens to it."""

    what: str
    state: Literal["create", "update", "remove", "keep", "manual"]
    details: list[str]


class Trial(Part):
    """What came of a merge in a temporary repository with this clone's configuration."""

    outcome: Literal["passed", "degraded", "failed"]
    troubles: list[str]


class Uninstalled(Part):
    """What was taken back, or with `dry_run` would be."""

    dry_run: bool
    changes: list[CloneChange]


class Installed(Uninstalled):
    """What was done to a clone, or with `dry_run` would be, and what came of the trial merge where one was made."""

    trial: Trial = NOT_ALWAYS


class Item(Part):
    """One thing that an installation consists of, and how it is found in a clone."""

    what: str
    state: Literal["installed", "missing", "outdated", "foreign"]
    details: list[str]


class InstallStatus(Part):
    """What is installed in a clone."""

    complete: bool
    items: list[Item]


class United(Part):
    """What uniting two folders brought: lines that were new, ids with two contents, and files that stay."""

    lines_gained: int
    conflicts: list[str]
    left: list[str]


class Relocated(Part):
    """A feature that has another folder now, or with `dry_run` would have; `row` is what its log records of it."""

    feature: str
    former: str
    from_: str = Field(alias="from")
    to: str
    archived: bool
    united: United | None
    row: dict[str, Any] | None
    dry_run: bool
    commit: str | None


class Archived(Part):
    """A feature that is archived, and its folder."""

    feature: str
    path: str


class Converted(Part):
    """A log that has another layout now, or with `dry_run` would have."""

    feature: str
    layout: Literal["single", "per-writer"]
    is_needed: bool
    lines: int
    written: str | None
    removed: list[str]
    dry_run: bool
    commit: str | None


class MergedLog(Part):
    """A log that was merged, and how many lines it gained."""

    path: str
    gained: int | None


class Synced(Part):
    """What came of merging the base branch; `unite` maps folders to the command that ends their conflict."""

    base: str
    base_commit: str
    result: Literal["up-to-date", "would-merge", "merged", "conflicts"]
    commit: str | None
    logs: list[MergedLog]
    conflicts: list[str]
    missing: dict[str, int]
    materialized: list[str]
    unite: dict[str, str]


class SchemaName(Part):
    """The name of a schema, and what it describes."""

    name: str
    about: str


class SchemaFile(Part):
    """A schema's file."""

    path: str
    action: Literal["create", "update", "keep"]


class SchemaFiles(Part):
    """What was written of the schemas, or with `dry_run` would be."""

    dry_run: bool
    files: list[SchemaFile]


class TidiedWorktree(Part):
    """A work tree, whether its feature is finished, where its commits are besides, and why it stays."""

    worktree: str
    branch: str | None
    head: str | None
    feature: str | None
    finished: bool
    removed: bool
    kept_by: Literal["merged", "pushed", "content"] | None
    why: list[str]


class TidiedWorkspace(Part):
    """A file of spec-kitty that names a folder with a work tree, or such a folder alone, and why it stays."""

    path: str
    folder: str
    feature: str | None
    gone: bool
    finished: bool
    removed: bool
    why: list[str]


class CleanedUp(Part):
    """The work trees that were removed, or with `dry_run` would be, and those that stay."""

    base: str
    dry_run: bool
    worktrees: list[TidiedWorktree]
    workspaces: list[TidiedWorkspace]
