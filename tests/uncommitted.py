"""What git does to an event that was acknowledged and not committed, and what the journal makes of it."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

from features import declare, install, no_tool_on_path, record
from gitrepo import GitRepo
from going_on import go_on_in_a_hurry, is_unfinished
from kitty_status import EVENTS_FILENAME
from kitty_status.git.repository import find_repository
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal.entries import books, read_book
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest
from matrix import CLONES, LOST

_OLD, _NEW = "034-old", "035-new"

STAYS, BY_HOOK, BY_WRITE, WAITS, TAKEN = "stays", "back by the hook", "back by a write", "waits", "not brought back"
WORDS = {
    STAYS: "it stands in the log when git is done: left there, or brought back by a hook of that very command",
    BY_HOOK: "git took it out of the log; it is back as soon as a hook of the next git command has run",
    BY_WRITE: "git took it out of the log; the next `emit` for the feature, or `kitty-status reconcile-journal`, "
    "brings it back (where the binary is gone, once there is one again)",
    WAITS: "it is in the journal alone; `kitty-status reconcile-journal` says what it waits for",
    TAKEN: "it was committed before, so the journal has let go of it; git was asked to leave that commit, "
    "which its reflog still knows",
}


class Threat(NamedTuple):
    """Git commands after an event was acknowledged, and those that lead back to where it was written."""

    commands: tuple[str, ...]
    back: tuple[str, ...] = ()
    feature: str = _OLD


THREATS = {
    "stash": Threat(("stash push -q",)),
    "stash, then stash pop": Threat(("stash push -q", "stash pop -q")),
    "stash, then stash drop": Threat(("stash push -q", "stash drop -q")),
    "stash --include-untracked, then stash clear and gc": Threat(
        ("stash push -q -u", "stash clear", "gc -q --prune=now")
    ),
    "reset --hard": Threat(("reset -q --hard",)),
    "checkout -- PATH": Threat(("checkout -q -- kitty-specs",)),
    "restore PATH": Threat(("restore kitty-specs",)),
    "checkout --force, of another branch and back": Threat(("checkout -q --force theirs",), ("checkout -q ours",)),
    "checkout --force, of another branch": Threat(("checkout -q --force theirs",)),
    "checkout, of another branch, which git refuses": Threat(("checkout -q theirs",)),
    "merge, which git refuses": Threat(("merge -q --no-edit theirs",)),
    "merge --autostash": Threat(("merge -q --no-edit --autostash theirs",)),
    "rebase --autostash": Threat(("rebase -q --autostash theirs",)),
    "pull --rebase --autostash": Threat(("pull -q --rebase --autostash . theirs",)),
    "clean -fdx": Threat(("clean -q -fdx",)),
    "clean -fdx, of a feature that was never added": Threat(("clean -q -fdx",), feature=_NEW),
    "commit --all, then reset --hard HEAD~1": Threat(("commit -q -a --no-verify -m x", "reset -q --hard HEAD~1")),
    "commit --all, then branch -D": Threat(
        ("checkout -q -b side", "commit -q -a --no-verify -m x", "checkout -q ours", "branch -q -D side")
    ),
}


class Journals:
    """Repositories with an acknowledged event that is not committed, for threats; all below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[tuple[str, str], Path] = {}

    def observe(self, folder: Path, name: str, clone: str) -> str:
        """Run a threat in a clone inside `folder`, and say what became of the event."""
        threat = THREATS[name]
        repo = GitRepo(folder / "repo")
        shutil.copytree(self._template(threat.feature, clone), repo.path, symlinks=True)
        return _what_becomes(repo, threat, verify=clone != LOST)

    def _template(self, feature: str, clone: str) -> Path:
        if (feature, clone) not in self._templates:
            repo = GitRepo.init(self._folder / f"{len(self._templates)}")
            declare(repo)
            install(repo)
            record(repo, 1, 2, feature=f"kitty-specs/{_OLD}")
            for name, number in (("theirs", 3), ("ours", 4)):
                repo.git("checkout", "-q", "-b", name, "main")
                record(repo, number, feature=f"kitty-specs/{_OLD}")
            CLONES[clone](repo)
            (repo.path / "kitty-specs" / feature).mkdir(exist_ok=True)
            _claim(repo, feature, "WP09")
            self._templates[feature, clone] = repo.path
        return self._templates[feature, clone]


def _what_becomes(repo: GitRepo, threat: Threat, *, verify: bool) -> str:
    repo.run("update-index", "-q", "--refresh")
    log = Path(repo.path, "kitty-specs", threat.feature, EVENTS_FILENAME)
    event = log.read_bytes().splitlines(keepends=True)[-1]

    def is_there() -> bool:
        return log.exists() and event in log.read_bytes().splitlines(keepends=True)

    with no_tool_on_path():
        for command in threat.commands:
            repo.run(*shlex.split(command))
            if is_unfinished(repo):
                go_on_in_a_hurry(repo, verify=verify)
        for command in threat.back:
            repo.git(*shlex.split(command))
        if is_there():
            return STAYS
        repo.git("commit", "-q", "--allow-empty", "-m", "the next command")
    if is_there():
        return BY_HOOK
    log.parent.mkdir(parents=True, exist_ok=True)
    _claim(repo, threat.feature, "WP10")
    if is_there():
        return BY_WRITE
    repository = find_repository(str(repo.path))
    assert repository
    entries = [entry for name in books(repository) for entry in read_book(repository, name).entries]
    return WAITS if event.removesuffix(b"\n") in [entry.line for entry in entries] else TAKEN


def _claim(repo: GitRepo, feature: str, wp_id: str) -> None:
    emit(Project(repo.path), Config(), EmitRequest(wp_id=wp_id, to_lane="claimed", actor="ada", feature=feature))
