"""Snapshots and views after git has changed the logs beside them: writing those that are not made from their log."""

from __future__ import annotations

import os
import shlex
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import StoreError
from kitty_status.git.run import git, read_blobs
from kitty_status.status.layout import OVERVIEW_FILENAME, TASKS_FOLDER
from kitty_status.status.snapshot import parse
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import commands_to_commit
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Feature
from kitty_status.tracker.views.changes import differs_in_views_alone
from kitty_status.tracker.views.materialize import compare, log_oid, materialize_feature, reduce_with_oid
from kitty_status.tracker.views.views import look_at_views

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.views.views import View

_MESSAGE = "Make the snapshots from their logs"
_MESSAGE_WITH_VIEWS = "Make the snapshots and views from their logs"
_MOST_NAMED = 20


def refresh(
    hook: str, repository: Repository, changed: Iterable[str], may_be_written: Iterable[str], *, commit_follows: bool
) -> None:
    """Write what is not made from its log in `may_be_written`, snapshots and views; say that and what is in `changed`.

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
    written: list[_Written] = []
    stale = []
    for folder in changed:
        feature = Feature(Path(repository.worktree, folder), repository)
        try:
            if not _may_have_drifted(feature):
                continue
            if folder not in writable:
                stale += [feature] if _has_drifted(feature, config) else []
                continue
            made = materialize_feature(feature, config)
            views = [view for view in made.views if view.written]
            if made.written or views:
                written.append(_Written(feature, made.written, views))
            for warning in made.warnings(feature):
                _say(f"{hook}: {warning}", [])
        except (StoreError, OSError) as error:
            _say(f"{hook}: {folder}: {error}", [])
    if written:
        _say_written(written, commit_follows=commit_follows)
    if stale:
        _say_stale(stale)


class _Written(NamedTuple):
    """What of a feature was written: its snapshot or not, and which views."""

    feature: Feature
    snapshot: bool
    views: list[View]


def _may_have_drifted(feature: Feature) -> bool:
    """Say, without reading events, whether a snapshot is there that does not name the log beside it, or views are."""
    try:
        content = feature.snapshot.read_bytes()
    except FileNotFoundError:
        return False
    try:
        named = parse(content).get("log_oid")
    except ValueError:
        named = None
    return feature.log.exists() and (named is None or named != log_oid(feature) or _may_have_views(feature))


def _may_have_views(feature: Feature) -> bool:
    return (feature.folder / OVERVIEW_FILENAME).exists() or (feature.folder / TASKS_FOLDER).is_dir()


def _has_drifted(feature: Feature, config: Config) -> bool:
    snapshot, oid = reduce_with_oid(feature, config)
    views, _ = look_at_views(feature, config, snapshot)
    return compare(feature, config, snapshot, oid).drifted or any(view.drifted for view in views)


def _say_written(written: list[_Written], *, commit_follows: bool) -> None:
    paths = [each.feature.relative(each.feature.snapshot) for each in written if each.snapshot]
    views = [view for each in written for view in each.views]
    _say(
        "git has changed logs and not all that is made from them; these were written anew:",
        [*paths, *(view.where for view in views)],
    )
    others = _with_other_changes(views, "" if commit_follows else "HEAD")
    if others:
        _say("these have other changes as well, so see what you commit of them:", others)
    paths += [view.where for view in views if view.where not in others]
    # What git ignores is not to be committed.
    options = ["-z", "--modified", "--others", "--exclude-standard"]
    listed = git(["ls-files", *options, "--", *paths], cwd=os.curdir, inherit_repository=True) if paths else b""
    message = _MESSAGE_WITH_VIEWS if views else _MESSAGE
    commands = commands_to_commit([os.fsdecode(path) for path in listed.split(b"\0")[:-1]], message)
    if commands and commit_follows:
        _say("take them into the commit with:", commands[:1])
    elif commands:
        _say("commit them with:", commands)


def _with_other_changes(views: list[View], revision: str) -> list[str]:
    """Return where views are that differ from a commit, or from the index if it has no name, in people's text too."""
    names = [f"{revision}:{view.where}" for view in views]
    committed = read_blobs(names, cwd=os.curdir, inherit_repository=True) if names else []
    return [
        view.where
        for view, blob in zip(views, committed, strict=True)
        if blob is None or not differs_in_views_alone(view, blob[1])
    ]


def _say_stale(features: list[Feature]) -> None:
    commands = [f"kitty-status materialize {shlex.quote(feature.slug)}" for feature in features]
    if len(commands) > _MOST_NAMED:
        commands = ["kitty-status materialize --all"]
    _say("not every snapshot and view is made from the log beside it; this mends that:", commands)


def _say(what: str, lines: Iterable[str]) -> None:
    shown = map(visible, (f"kitty-status: {what}", *lines))
    print(*shown, sep="\n  ", file=sys.stderr)  # noqa: T201  a hook speaks so
