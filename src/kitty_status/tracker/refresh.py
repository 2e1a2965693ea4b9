"""Snapshots after git has changed the logs beside them: which are not made from their log, and writing those anew."""

from __future__ import annotations

import os
import shlex
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import StoreError
from kitty_status.git.run import git
from kitty_status.status.snapshot import parse
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import commands_to_commit
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Feature
from kitty_status.tracker.materialize import compare, log_oid, materialize_feature, reduce_with_oid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.config import Config

_MESSAGE = "Make the snapshots from their logs"
_MOST_NAMED = 20


def refresh(
    hook: str, repository: Repository, changed: Iterable[str], may_be_written: Iterable[str], *, commit_follows: bool
) -> None:
    """Write the snapshots in `may_be_written` that are not made from their logs; say those and others in `changed`.

    The folders are named from the top of the work tree, which is the current folder. Said is, on stderr,
    what was written and how to commit it; where a commit of everything follows anyway, how to stage it.

    Raises:
        ConfigurationError: the configuration is wrong, or asks for a newer version; nothing was written.
        BusyError: another process held a log for too long.
        GitError, OSError: git or the operating system refused.
    """
    if sys.flags.no_site:
        # Hooks are run without site-packages. What reads a large log or an unusual configuration lies there.
        site.main()
    config = load_config(Path(repository.worktree))
    writable = set(may_be_written)
    written, stale = [], []
    for folder in changed:
        feature = Feature(Path(repository.worktree, folder), repository)
        try:
            if not _may_have_drifted(feature):
                continue
            if folder in writable and materialize_feature(feature, config).written:
                written.append(feature)
            elif folder not in writable and _has_drifted(feature, config):
                stale.append(feature)
        except (StoreError, OSError) as error:
            _say(f"{hook}: {folder}: {error}", [])
    if written:
        _say_written(written, commit_follows=commit_follows)
    if stale:
        _say_stale(stale)


def _may_have_drifted(feature: Feature) -> bool:
    """Say whether a snapshot is there that does not name the log beside it, without reading events."""
    try:
        content = feature.snapshot.read_bytes()
    except FileNotFoundError:
        return False
    try:
        named = parse(content).get("log_oid")
    except ValueError:
        named = None
    return feature.log.exists() and (named is None or named != log_oid(feature))


def _has_drifted(feature: Feature, config: Config) -> bool:
    return compare(feature, config, *reduce_with_oid(feature, config)).drifted


def _say_written(features: list[Feature], *, commit_follows: bool) -> None:
    paths = [feature.relative(feature.snapshot) for feature in features]
    _say("git has changed logs and not the snapshots beside them; these were written anew:", paths)
    # What git ignores is not to be committed.
    options = ["-z", "--modified", "--others", "--exclude-standard"]
    listed = git(["ls-files", *options, "--", *paths], cwd=os.curdir, inherit_repository=True)
    commands = commands_to_commit([os.fsdecode(path) for path in listed.split(b"\0")[:-1]], _MESSAGE)
    if commands and commit_follows:
        _say("take them into the commit with:", commands[:1])
    elif commands:
        _say("commit them with:", commands)


def _say_stale(features: list[Feature]) -> None:
    commands = [f"kitty-status materialize {shlex.quote(feature.slug)}" for feature in features]
    if len(commands) > _MOST_NAMED:
        commands = ["kitty-status materialize --all"]
    _say("not every snapshot is made from the log beside it; this mends that:", commands)


def _say(what: str, lines: Iterable[str]) -> None:
    shown = map(visible, (f"kitty-status: {what}", *lines))
    print(*shown, sep="\n  ", file=sys.stderr)  # noqa: T201  a hook speaks so
