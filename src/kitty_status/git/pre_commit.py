"""The commit hook: what is about to be committed must not corrupt the record.

It reads the index, never the work tree, and stops a commit that holds

* a damaged line, or one that is no valid status event;
* a log that lacks a line, or holds it changed, that HEAD has, or that a merge, cherry-pick or
  rebase in progress brings (so that an ours-only resolution cannot pass);
* one event id with two contents, of which at least one is in no commit yet;
* a snapshot that was not made from the log beside it.

A log that was moved whole counts as present. One that was deleted with its folder is a warning.

As `pre-merge-commit` it checks a merge that git makes without a conflict, with one difference: a snapshot
that only one side changed is not made from the merged log, and that is for `post-merge` to mend.

git waits for this process at every commit. It starts two gits for the usual commit, loads nothing
that needs `re`, and parses only what HEAD does not have.
"""

# ruff: noqa: T201  printing is how a hook speaks

from __future__ import annotations

import os
import sys

from kitty_status.errors import GitError
from kitty_status.git.hooks import is_switched_off
from kitty_status.git.run import git, read_blobs
from kitty_status.git.staged import (
    LOG_NAME,
    SNAPSHOT_NAME,
    merged_branches,
    other_sources,
    staged_changes,
    whole_branch,
)
from kitty_status.jsonl.codec import decode, describe_damage, preview
from kitty_status.status.merging import split_lines
from kitty_status.status.record import event_in, is_readable
from kitty_status.status.repeats import find_other_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from kitty_status.git.staged import Change, Source
    from kitty_status.status.record import StatusRecord

    Blobs: TypeAlias = dict[str, bytes | None]

EXIT_CLEAN = 0
EXIT_STOPPED = 1
_MAX_SHOWN = 20
_MERGE = "pre-merge-commit"


class Report:
    """What the hook found, and says in the end."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def stop(self, where: str, what: str, mend: str) -> None:
        """Add a reason to stop the commit, with the way to mend it."""
        self.problems.append(f"{where}: {what}\n  hint: {mend}")

    def print(self, stopped: str = "commit") -> int:
        """Print everything to stderr, also what it is that was stopped, and return the exit code."""
        for warning in self.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        for problem in self.problems[:_MAX_SHOWN]:
            print(f"error: {problem}", file=sys.stderr)
        if len(self.problems) > _MAX_SHOWN:
            print(f"error: and {len(self.problems) - _MAX_SHOWN} more problems", file=sys.stderr)
        if self.problems:
            print(f"kitty-status: the {stopped} was stopped; nothing was changed", file=sys.stderr)
        return EXIT_STOPPED if self.problems else EXIT_CLEAN


def main(argv: list[str]) -> int:
    """Check what is staged in the repository of the current folder; return the exit code of the hook `argv` names."""
    if is_switched_off(os.environ):
        return EXIT_CLEAN
    try:
        return check_index(".", merging=argv == [_MERGE]).print()
    except ValueError as error:
        print(f"error: {error}\n  hint: give the folder a name without line breaks", file=sys.stderr)
        return EXIT_STOPPED
    except GitError as error:
        print(f"error: {error.message}\n  hint: {error.hint or 'the commit was stopped'}", file=sys.stderr)
        return EXIT_STOPPED


def check_index(cwd: str, *, merging: bool = False) -> Report:
    """Return what is wrong with the staged logs and snapshots of the repository around `cwd`.

    With `merging`, what is staged is the result of a merge that `git merge` is about to commit by itself.

    Raises:
        GitError: git could not be asked.
    """
    report = Report()
    changes = staged_changes(cwd)
    sources = [whole_branch("HEAD", changes), *other_sources(cwd, changes)]
    sources += merged_branches(cwd, os.environ) if merging else []
    features = dict.fromkeys(change.path.rpartition("/")[0] for change in changes)
    names = [name for source in sources for name in source.blobs()]
    names += [f":{folder}/{name}" for folder in features for name in (LOG_NAME, SNAPSHOT_NAME)]
    if not names:
        return report
    names = list(dict.fromkeys(names))
    # By its id a blob is found without a look at the index.
    ids = {f":{change.path}": change.new for change in changes if not change.is_deleted}
    asked = [ids.get(name, name) for name in names]
    blobs = dict(zip(names, read_blobs(asked, cwd=cwd, inherit_repository=True), strict=True))
    content = {name: blob[1] if blob else None for name, blob in blobs.items()}
    for source in sources:
        _check_source(source, content, cwd, report)
    for change in changes:
        if change.is_log and not change.is_deleted:
            _check_log(change, content, sources, report)
    for folder in features:
        log, snapshot = (blobs[f":{folder}/{name}"] for name in (LOG_NAME, SNAPSHOT_NAME))
        _check_snapshot(folder, log, snapshot, report, stale_passes=merging)
    return report


def _check_source(source: Source, content: Blobs, cwd: str, report: Report) -> None:
    lines_at = {name: set(split_lines(content[name] or b"")) for name in source.elsewhere}
    for path, held, excused in source.needs:
        lines = content[held] or b""
        staged = content[f":{path}"]
        elsewhere = {line for name, held_there in lines_at.items() if name != f":{path}" for line in held_there}
        # Where another log stands now, this one moved only if all of it is elsewhere.
        moved = elsewhere if staged is None or elsewhere.issuperset(split_lines(lines)) else set()
        missing = _missing(lines, staged or b"") - moved
        damaged = {line for line in missing if not is_readable(line, decode)}
        if damaged:
            missing -= damaged
            report.warnings.append(f"{path}: {len(damaged)} damaged lines of {source.name} are not there any more")
        if missing and excused:
            missing.difference_update(split_lines(content[excused] or b""))
        if not missing:
            continue
        if staged is None and moved.isdisjoint(split_lines(lines)):
            _report_deleted(path, len(missing), source.name, cwd, report)
        else:
            _stop_missing(path, missing, source.name, report)


def _missing(required: bytes, staged: bytes) -> set[bytes]:
    if staged.startswith(required):
        return set()
    return set(split_lines(required)).difference(split_lines(staged))


def _report_deleted(path: str, lines: int, source: str, cwd: str, report: Report) -> None:
    folder = path.rpartition("/")[0]
    if git(["ls-files", "-z", "--", f":(top,literal){folder}"], cwd=cwd, inherit_repository=True):
        report.stop(
            path,
            f"the log is deleted while its folder {folder} stays",
            f"`git restore --source={source} --staged -- {path}` keeps it in the commit",
        )
    else:
        report.warnings.append(f"{folder} is deleted with its log of {lines} lines")


def _stop_missing(path: str, missing: set[bytes], source: str, report: Report) -> None:
    some = preview(min(missing).rstrip(b"\n"))
    report.stop(
        path,
        f"{len(missing)} lines of {source} are changed or missing, among them {some}",
        f"a log is only ever appended to: `kitty-status resolve {path}` brings back what `git show {source}:{path}` "
        f"has, then `git add {path}`; a move is undone by `kitty-status revert`",
    )


def _check_log(change: Change, content: Blobs, sources: list[Source], report: Report) -> None:
    staged = content[f":{change.path}"] or b""
    before = b"" if change.is_added else content[change.old] or b""
    is_appended_to = staged.startswith(before) and before[-1:] in (b"\n", b"")
    known = before if is_appended_to else b""
    events = _check_new_lines(change.path, known, staged, report)
    for event, number in find_other_content(known, events, decode):
        where, what = f"{change.path}:{event.line_number}", f"event {event.event_id} has other content than on line"
        if _stand_in_history([event.line, staged.split(b"\n")[number - 1]], content, sources):
            # Neither may be left out: no commit could be made any more.
            report.warnings.append(f"{where}: {what} {number}; both stand in the history")
        else:
            mend = "give the new event an id of its own, or leave out the line that is wrong"
            report.stop(where, f"{what} {number}", mend)


def _stand_in_history(lines: list[bytes], content: Blobs, sources: list[Source]) -> bool:
    names = {held for source in sources for _, held, _ in source.needs}
    return {line + b"\n" for line in lines} <= {line for name in names for line in split_lines(content[name] or b"")}


def _check_new_lines(path: str, known: bytes, staged: bytes, report: Report) -> list[StatusRecord]:
    """Check the lines behind those that are known already, and return the events in them."""

    def damaged(number: int, line: bytes, why: str, is_json: bool) -> None:
        report.stop(
            f"{path}:{number}",
            describe_damage(line, why, is_json=is_json),
            f"correct or move the line, then `git add {path}`; `kitty-status validate {path}` lists all damage",
        )

    first_number = known.count(b"\n") + 1
    fresh = staged[len(known) :]
    if fresh and not fresh.endswith(b"\n"):
        number = first_number + fresh.count(b"\n")
        report.stop(f"{path}:{number}", "the last line has no line end", f"add one, then `git add {path}`")
    events = []
    for number, line in enumerate(fresh.split(b"\n"), start=first_number):
        event = event_in(line, number, decode, damaged)
        if event is not None:
            events.append(event)
    return events


def _check_snapshot(
    folder: str,
    log: tuple[str, bytes] | None,
    snapshot: tuple[str, bytes] | None,
    report: Report,
    *,
    stale_passes: bool,
) -> None:
    """Stop a snapshot that names another log than the staged one; one that names none says nothing."""
    if snapshot is None:
        return
    path = f"{folder}/{SNAPSHOT_NAME}"
    mend = f"`kitty-status materialize {folder.rpartition('/')[2]}`, then `git add {folder}`"
    try:
        named = decode(snapshot[1].rstrip()).get("log_oid")
    except ValueError as error:
        report.stop(path, f"the snapshot is damaged: {error}", mend)
        return
    if named is None or (log is not None and named == log[0]):
        return
    if log is None:
        report.stop(path, f"the snapshot is staged without its {LOG_NAME}", f"`git add {folder}`")
    elif not stale_passes:
        report.stop(path, f"the snapshot was not made from the staged {LOG_NAME}", mend)
