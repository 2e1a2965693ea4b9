"""What doctor looks at first: git itself, the repository, its configuration and this machine's own folder."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.checks.diagnosis import RECONCILE, Diagnosis, Fix
from kitty_status.errors import ConfigurationError, GitError
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.git.git_version import git_version
from kitty_status.git.head import operation_in_progress, positions
from kitty_status.git.hooks import SWITCH, is_switched_off
from kitty_status.git.install_config import effective_value
from kitty_status.git.log_paths import LOG_PATHSPECS
from kitty_status.git.run import git, run_git
from kitty_status.tracker.config import load_config
from kitty_status.tracker.journal.reconcile import reconcile
from kitty_status.tracker.phases import warnings_about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.checks.diagnosis import Clone
    from kitty_status.tracker.journal.entries import Entry
    from kitty_status.tracker.journal.restoring import Fate

_OLDEST_GIT = (2, 30)
_MOST_NAMES = 3


def check_git(start: str) -> Iterator[Diagnosis]:
    """Is there a git that can do what it is asked?"""
    try:
        version = git_version(start)
    except GitError as error:
        yield Diagnosis("git-missing", "PATH", error.message)
        return
    if version < _OLDEST_GIT:
        yield Diagnosis("git-too-old", "PATH", f"git {'.'.join(map(str, version))}", ("git version",))


def missing_repository(start: str) -> Diagnosis:
    """Return what to say about a folder around which there is no work tree."""
    bare = run_git(["rev-parse", "--is-bare-repository"], cwd=start)
    if bare.out.strip() == b"true":
        return Diagnosis("bare-repository", start, "a bare repository", ("git worktree list",))
    return Diagnosis(
        "not-a-repository", start, "neither this folder nor one above it is a git repository", ("git init",)
    )


def check_access(clone: Clone) -> Iterator[Diagnosis]:
    """Does git open the repository? It refuses one of another owner, and one whose configuration is damaged."""
    result = run_git(["rev-parse", "--git-dir"], cwd=clone.repository.worktree)
    if result.code:
        yield Diagnosis("repository-unreadable", clone.repository.worktree, os.fsdecode(result.err).strip())


def check_configuration(clone: Clone) -> Iterator[Diagnosis]:
    """Can the configuration be understood, and may this version write?"""
    try:
        config = load_config(clone.project.root)
    except ConfigurationError as error:
        yield Diagnosis("configuration-unreadable", CONFIG_PATH, f"{error.message}; {error.hint}")
        return
    try:
        config.check_may_write()
    except ConfigurationError as error:
        yield Diagnosis("newer-tool-required", CONFIG_PATH, error.message, ("kitty-status --version",))
    for warning in warnings_about(config):
        yield Diagnosis("invalid-phase", CONFIG_PATH, warning, ("kitty-status phase --all",))


def check_switch(_clone: Clone) -> Iterator[Diagnosis]:
    """Are hooks and drivers switched off here?"""
    if is_switched_off(os.environ):
        yield Diagnosis("switched-off", "environment", f"{SWITCH}={os.environ[SWITCH]}")


def check_operation(clone: Clone) -> Iterator[Diagnosis]:
    """Is git in the middle of something?"""
    git_dir = clone.repository.git_dir
    operation = operation_in_progress(git_dir)
    rebase = Path(git_dir, "rebase-merge")
    if rebase.is_dir() and not Path(rebase, "head-name").exists():
        # A log that is written to while git begins a rebase with autostash makes it give up after the first step.
        observed = f"{rebase} holds no rebase: `git rebase --abort` cannot end it"
        yield Diagnosis("rebase-left-behind", clone.repository.worktree, observed, ("git rebase --quit",))
    elif operation:
        yield Diagnosis(
            "operation-in-progress", clone.repository.worktree, f"a {operation} is not finished", ("git status",)
        )


def check_heads(clone: Clone) -> Iterator[Diagnosis]:
    """Is it known what every work tree stands on?"""
    for tree, position in positions(clone.repository):
        if position is None:
            observed = f"{Path(tree.git_dir, 'HEAD')} cannot be read, or holds neither a branch nor a commit"
            yield Diagnosis("head-unreadable", tree.worktree, observed, ("git worktree list",))


def check_completeness(clone: Clone) -> Iterator[Diagnosis]:
    """Does the clone lack history, objects or files?"""
    repository = clone.repository
    if Path(repository.common_dir, "shallow").exists():
        yield Diagnosis("shallow-clone", repository.common_dir, "the history is cut off", ("git fetch --unshallow",))
    promisors = run_git(["config", "--get-regexp", r"^remote\..*\.promisor$"], cwd=repository.worktree)
    if promisors.out:
        remote = os.fsdecode(promisors.out).split(".")[1]
        yield Diagnosis("partial-clone", repository.common_dir, f"objects are left with the remote {remote}")
    sparse = effective_value(repository, "core.sparseCheckout")
    if sparse is not None and sparse.lower() == "true":
        yield from _left_out(clone)


def _left_out(clone: Clone) -> Iterator[Diagnosis]:
    pathspecs = [*LOG_PATHSPECS, ":(top).gitattributes"]
    listed = os.fsdecode(git(["ls-files", "-t", "-z", "--", *pathspecs], cwd=clone.repository.worktree))
    left_out = [entry[2:] for entry in listed.split("\0") if entry.startswith("S ")]
    if left_out:
        observed = f"{len(left_out)} of them are left out, such as {left_out[0]}"
        yield Diagnosis("sparse-checkout", clone.repository.worktree, observed, ("git sparse-checkout list",))


def check_autostash(clone: Clone) -> Iterator[Diagnosis]:
    """May git set an uncommitted log aside when it merges?"""
    if effective_value(clone.repository, "merge.autoStash") is None:
        yield Diagnosis("autostash-unset", "merge.autoStash", "it is not set", ("kitty-status install --autostash",))


def check_quarantine(clone: Clone) -> Iterator[Diagnosis]:
    """Is there something in the quarantine that a person should look at?"""
    folder = Path(clone.repository.state_dir, "quarantine")
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield Diagnosis("quarantine-not-empty", str(folder), f"it holds {', '.join(names[:_MOST_NAMES])}{more}")


def check_journal(clone: Clone) -> Iterator[Diagnosis]:
    """Is every acknowledged event in its log, or in a commit?"""
    found = reconcile(clone.repository, dry_run=True)
    for fate in found.restored:
        commands = ("kitty-status reconcile-journal",)
        yield Diagnosis("event-vanished", fate.entry.log, _told(fate.entry), commands, Fix(RECONCILE))
    for fate in found.waiting:
        yield Diagnosis("event-waits", fate.entry.log, f"{_told(fate.entry)}: {fate.why}", _how_to_move(fate))
    for path in found.unreadable:
        yield Diagnosis("journal-unreadable", path, "it holds lines that are no entries")


def _how_to_move(fate: Fate) -> tuple[str, ...]:
    """Return how a folder that was moved by hand is moved by the command that readers can follow."""
    if fate.tree is None or fate.moved_to is None:
        return ()
    now, before = (Path(fate.tree.worktree, folder) for folder in (fate.moved_to, fate.entry.folder))
    move_back = f"mv -- {shlex.quote(str(now))} {shlex.quote(str(before))}"
    return move_back, f"kitty-status rename {shlex.quote(before.name)} {shlex.quote(now.name)}"


def _told(entry: Entry) -> str:
    event = entry.event
    return (
        f"{entry.event_id} ({event.get('wp_id')} to {event.get('to_lane')}), written on {entry.branch or 'no branch'}"
    )
