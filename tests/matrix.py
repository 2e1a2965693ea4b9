"""What git leaves of a log and its snapshot, in which clone, in the words that docs/guarantees.md explains."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from features import (
    blob,
    declare,
    event_line,
    install,
    install_and_lose,
    no_tool_on_path,
    numbers_in,
    paths_of_logs,
    reduction,
    uninstall,
)
from gitrepo import GitRepo
from going_on import go_on_in_a_hurry, is_unfinished
from kitty_status import EVENTS_FILENAME, SNAPSHOT_FILENAME
from operations import OPERATIONS, PRINTED

if TYPE_CHECKING:
    from typing import TypeAlias

    from operations import Operation

    Files: TypeAlias = dict[str, bytes]

INSTALLED, WITHOUT, LOST = "tool installed", "not installed", "binary gone"
CLONES = {INSTALLED: install, WITHOUT: uninstall, LOST: install_and_lose}

ORDERED, ALL, MORE, TWICE = "all, in order", "all", "all and more", "all, some twice"
SAME, TARGET, OURS_ONLY = "as before", "as committed", "ours alone"
TAKEN_OUT, FEWER, MARKERS, KEPT = "taken out", "LINES LOST", "markers", "conflict, kept"
LOG_WORDS = {
    ORDERED: "every line that the command is to bring, each once: the common beginning first, then by instant and id",
    ALL: "the same lines, each once, in an order that depends on who merges whom; readers sort for themselves",
    MORE: "every line, and more than the command was asked for: git's union takes in what stood before the "
    "commit that is wanted",
    SAME: "byte for byte as it was before the command; where the exit code is not 0, git or the hook refused, "
    "or found nothing to change",
    TARGET: "byte for byte as the commit has it that git was asked for",
    OURS_ONLY: "git was asked to take nothing of theirs; their lines stand in their commits alone, and "
    "`kitty-status audit` names them",
    TAKEN_OUT: "lines have gone with what the command leaves out; `kitty-status audit` names them, "
    "as long as a branch still leads to the commits that had them",
    MARKERS: "git reports a conflict: every line of both sides, between conflict markers",
    KEPT: "git reports a conflict, since one side deleted the file; the other side's stands in the work tree",
    TWICE: "every line, some more than once; readers count each once",
    FEWER: "a line that was to be there is in no file",
}
EXACT, MENDED, CONFLICT, STALE, BROKEN, NONE = "exact", "exact, to be committed", "conflict", "stale", "markers", "none"
SNAPSHOT_WORDS = {
    EXACT: "byte for byte what the log beside it says",
    MENDED: "what git committed was made from another log; the hook has written the exact one, to be committed next",
    CONFLICT: "git reports a conflict around valid JSON, as one of the sides has it; "
    "`kitty-status materialize` makes it exact",
    STALE: "valid JSON, but made from another log than the one beside it; "
    "the hook stops the next commit that has it, and `kitty-status materialize` makes it exact",
    BROKEN: "git reports a conflict, and the file is no JSON; `kitty-status materialize` makes it exact",
    NONE: "there is none",
}


class Observed(NamedTuple):
    """What a command left: a word each for log and snapshot, git's exit code, where that is, and the tips before."""

    log: str
    snapshot: str
    code: int
    place: GitRepo
    tips: list[str]

    def __str__(self) -> str:
        return f"{self.log} · {self.snapshot} · {self.code}"


class Matrix:
    """Repositories in which operations are run, copied where another one has needed the same; all below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[object, Path] = {}

    def prepare(self, folder: Path, name: str, clone: str) -> GitRepo:
        """Make the repository for an operation inside `folder`."""
        operation = OPERATIONS[name]
        repo = GitRepo(folder / "repo")
        shutil.copytree(self._template(operation, clone), repo.path, symlinks=True)
        repo.run("update-index", "-q", "--refresh")
        for each in operation.first:
            repo.git(*shlex.split(each))
        return repo

    def observe(self, folder: Path, name: str, clone: str) -> Observed:
        """Run an operation in a repository inside `folder`; return what it left.

        Where git stops, a person in a hurry stages what stands there and goes on: the log is looked at then.
        """
        repo, operation = self.prepare(folder, name, clone), OPERATIONS[name]
        place = GitRepo(repo.path / operation.at)
        target = _files_of(repo, repo.git("rev-parse", operation.target)) if operation.target else {}
        head, before = _head(place), _look(place, operation, "")
        tips = repo.git("for-each-ref", "--format=%(objectname)").split()
        with no_tool_on_path():
            done = repo.run(*shlex.split(operation.command))
            printed = done.stdout.decode()
            after, unmerged = _look(place, operation, printed), _unmerged(place, operation, printed)
            snapshot = self._snapshot_word(after, unmerged)
            if snapshot == EXACT and operation.revision is None and head != _head(place) is not None:
                snapshot = EXACT if self._is_exact(_files_of(place, "HEAD")) else MENDED
            log = _conflict_in_log(operation, _logs(after), unmerged)
            if log is None:
                goes_on = operation.revision is None and is_unfinished(place)
                if goes_on:
                    go_on_in_a_hurry(place, verify=clone != LOST)
                    after = _look(place, operation, printed)
                files = [_logs(each) for each in (before, after, target)]
                log = _log_word(operation, files, done.returncode, went_on=goes_on)
        return Observed(log, snapshot, done.returncode, place, tips)

    def _template(self, operation: Operation, clone: str) -> Path:
        if operation.prepare not in self._templates:
            template = GitRepo.init(self._folder / f"{len(self._templates)}")
            declare(template)
            install(template)
            operation.prepare(template)
            self._templates[operation.prepare] = template.path
        if (operation.prepare, clone) not in self._templates:
            folder = self._folder / f"{len(self._templates)}"
            shutil.copytree(self._templates[operation.prepare], folder, symlinks=True)
            CLONES[clone](GitRepo(folder))
            self._templates[operation.prepare, clone] = folder
        return self._templates[operation.prepare, clone]

    def _snapshot_word(self, files: Files, unmerged: set[str]) -> str:
        snapshots = {path: data for path, data in files.items() if path.endswith(SNAPSHOT_FILENAME)}
        if not snapshots:
            return NONE
        if not all(_is_json(data) for data in snapshots.values()):
            return BROKEN
        if unmerged & snapshots.keys():
            return CONFLICT
        return EXACT if self._is_exact(files) else STALE

    def _is_exact(self, files: Files) -> bool:
        return all(
            files.get(path.replace(EVENTS_FILENAME, SNAPSHOT_FILENAME)) == reduction(log, self._folder / "reduced")
            for path, log in _logs(files).items()
        )


def in_order(numbers: list[int]) -> list[int]:
    """Sort events as the driver does: those from 10 on stand first, as what both sides begin with."""
    return sorted(numbers, key=lambda number: (number < 10, number))


def _conflict_in_log(operation: Operation, logs: Files, unmerged: set[str]) -> str | None:
    lines = {line for log in logs.values() for line in log.splitlines(keepends=True)}
    if any(line.startswith(b"<<<<<<<") for line in lines):
        word = MARKERS
    elif unmerged & logs.keys():
        word = KEPT
    else:
        return None
    return word if {event_line(number) for number in operation.events} <= lines else FEWER


def _log_word(operation: Operation, files: list[Files], code: int, *, went_on: bool) -> str:
    before, after, target = files
    lines = [line for log in after.values() for line in log.splitlines(keepends=True)]
    wanted, found = {event_line(number) for number in operation.events}, set(lines)
    is_sorted = all(numbers == in_order(numbers) for numbers in map(numbers_in, after.values()))
    words = {
        TARGET: bool(target) and list(after.values()) == list(target.values()),
        SAME: after == before and (wanted == found or (code != 0 and not went_on)),
        OURS_ONLY: after == before and operation.takes_out and code == 0,
        FEWER: not wanted <= found,
        MORE: wanted < found,
        TAKEN_OUT: operation.takes_out,
        TWICE: len(found) < len(lines),
        ORDERED: is_sorted,
        ALL: True,
    }
    return next(word for word, holds in words.items() if holds)


def _look(place: GitRepo, operation: Operation, printed: str) -> Files:
    if operation.revision == PRINTED:
        return _files_of(place, printed.partition("\0")[0] or "HEAD")
    if operation.revision is not None:
        return _files_of(place, operation.revision)
    folder = place.path / "kitty-specs"
    found = sorted([*folder.rglob(EVENTS_FILENAME), *folder.rglob(SNAPSHOT_FILENAME)])
    return {path.relative_to(place.path).as_posix(): path.read_bytes() for path in found}


def _files_of(repo: GitRepo, revision: str) -> Files:
    logs = paths_of_logs(repo, revision)
    snapshots = [path.replace(EVENTS_FILENAME, SNAPSHOT_FILENAME) for path in logs]
    there = repo.git("ls-tree", "-rz", "--name-only", revision).split("\0")
    return {path: blob(repo, path, revision) for path in sorted([*logs, *snapshots]) if path in there}


def _logs(files: Files) -> Files:
    return {path: data for path, data in files.items() if path.endswith(EVENTS_FILENAME)}


def _unmerged(place: GitRepo, operation: Operation, printed: str) -> set[str]:
    if operation.revision == PRINTED:
        return set(printed.split("\0")[1:]) - {""}
    if operation.revision is not None:
        return set()
    return {entry.split("\t")[1] for entry in place.git("ls-files", "-uz").split("\0") if entry}


def _head(place: GitRepo) -> str | None:
    if not place.path.exists():
        return None
    return place.git("rev-parse", "--quiet", "--verify", "HEAD", check=False) or None


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
