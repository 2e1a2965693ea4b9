"""The commit hook: what is about to be committed must not corrupt the record.

It reads the index, never the work tree, and stops a commit that holds

* a damaged line, or one that is no valid status event;
* a log that lacks a line, or holds it changed, that HEAD has, or that a merge, cherry-pick or
  rebase in progress brings (so that an ours-only resolution cannot pass);
* one event id with two contents, of which at least one is in no commit yet;
* a snapshot that was not made from the log beside it.

All that holds for each file of a log that is divided by writer, and ids for all of them together.
A log that was moved whole counts as present, and so does a line that moved between the files of one
log. A log that was deleted with its folder is a warning.

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
from kitty_status.git.log_paths import feature_of
from kitty_status.git.run import git
from kitty_status.git.staged import merged_branches, other_sources, staged_changes, whole_branch
from kitty_status.git.staged_logs import StagedLogs
from kitty_status.jsonl.codec import decode, describe_damage, preview
from kitty_status.status.layout import EVENTS_FILENAME, SHARDS_FOLDER, SNAPSHOT_FILENAME
from kitty_status.status.merging import split_lines
from kitty_status.status.record import event_in, is_readable
from kitty_status.status.repeats import find_other_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.git.staged import Change, Source
    from kitty_status.status.record import StatusRecord

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
    if not any(source.needs for source in sources) and not changes:
        return report
    staged = StagedLogs(cwd, changes, sources)
    for source in sources:
        _check_source(source, staged, cwd, report)
    told: set[frozenset[tuple[str, int]]] = set()
    for change in changes:
        if not (change.is_deleted or change.is_file):
            what = "it is no regular file, and git would keep no lines in it"
            report.stop(change.path, what, f"`git restore --staged -- {change.path}`, then put the file itself there")
        elif change.is_log and not change.is_deleted:
            _check_log(change, staged, sources, told, report)
    for folder in staged.features:
        _check_snapshot(folder, staged, report, stale_passes=merging)
    return report


def _check_source(source: Source, staged: StagedLogs, cwd: str, report: Report) -> None:
    for path, held, excused in source.needs:
        lines = staged.content[held] or b""
        there = staged.content[f":{path}"]
        missing = _missing(lines, there or b"")
        if not missing:
            continue
        required = staged.lines_at(held)
        # Between the files of one log lines may move one by one.
        moved = {line for other in staged.beside(path) for line in staged.lines_at(f":{other}")}
        missing -= moved
        if missing:
            elsewhere = {line for name in source.elsewhere if name != f":{path}" for line in staged.lines_at(name)}
            # Where another log stands now, this one moved only if all of it is elsewhere.
            if there is None or elsewhere >= required:
                moved |= elsewhere
                missing -= elsewhere
        damaged = {line for line in missing if not is_readable(line, decode)}
        if damaged:
            missing -= damaged
            report.warnings.append(f"{path}: {len(damaged)} damaged lines of {source.name} are not there any more")
        if missing and excused:
            missing -= staged.lines_at(excused)
        if not missing:
            continue
        if there is None and moved.isdisjoint(required):
            _report_deleted(path, len(missing), source.name, cwd, report)
        else:
            _stop_missing(path, missing, source.name, report)


def _missing(required: bytes, staged: bytes) -> set[bytes]:
    if staged.startswith(required):
        return set()
    return set(split_lines(required)).difference(split_lines(staged))


def _report_deleted(path: str, lines: int, source: str, cwd: str, report: Report) -> None:
    folder = feature_of(path)
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


def _check_log(
    change: Change, staged: StagedLogs, sources: list[Source], told: set[frozenset[tuple[str, int]]], report: Report
) -> None:
    path = change.path
    there = staged.content[f":{path}"] or b""
    before = b"" if change.is_added else staged.content[change.old] or b""
    is_appended_to = there.startswith(before) and before[-1:] in (b"\n", b"")
    known = before if is_appended_to else b""
    events = _check_new_lines(path, known, there, report)
    for event, other, number in _other_contents(path, known, events, staged):
        pair = frozenset({(path, event.line_number), (other, number)})
        if pair in told:
            continue
        told.add(pair)
        place = f"line {number}" if other == path else f"line {number} of {other}"
        where, what = f"{path}:{event.line_number}", f"event {event.event_id} has other content than on {place}"
        earlier = (staged.content[f":{other}"] or b"").split(b"\n")[number - 1]
        if _stand_in_history([event.line, earlier], path, staged, sources):
            # Neither may be left out: no commit could be made any more.
            report.warnings.append(f"{where}: {what}; both stand in the history")
        else:
            mend = "give the new event an id of its own, or leave out the line that is wrong"
            report.stop(where, what, mend)


def _other_contents(
    path: str, known: bytes, events: list[StatusRecord], staged: StagedLogs
) -> Iterator[tuple[StatusRecord, str, int]]:
    """Yield each new event whose id stands for something else in a file of its log: which one, and on which line."""
    for event, number in find_other_content(known, events, decode):
        yield event, path, number
    first = list({event.event_id: event for event in reversed(events)}.values())
    for other in staged.beside(path):
        for event, number in find_other_content(staged.content[f":{other}"] or b"", first, decode):
            yield event, other, number


def _stand_in_history(lines: list[bytes], path: str, staged: StagedLogs, sources: list[Source]) -> bool:
    names = {held for source in sources for _, held, _ in source.needs}
    names.update(f":{other}" for other in staged.beside(path) if other not in staged.changed)
    return all(any(line + b"\n" in staged.lines_at(name) for name in names) for line in lines)


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


def _check_snapshot(folder: str, staged: StagedLogs, report: Report, *, stale_passes: bool) -> None:
    """Stop a snapshot that names another log than the staged one; one that names none says nothing."""
    path = f"{folder}/{SNAPSHOT_FILENAME}"
    snapshot = staged.content[f":{path}"]
    if snapshot is None:
        return
    mend = f"`kitty-status materialize {folder.rpartition('/')[2]}`, then `git add {folder}`"
    try:
        named = decode(snapshot.rstrip()).get("log_oid")
    except ValueError as error:
        report.stop(path, f"the snapshot is damaged: {error}", mend)
        return
    if named is None or named == staged.log_oid(folder):
        return
    logs = staged.logs[folder]
    if not logs:
        report.stop(path, f"the snapshot is staged without its {EVENTS_FILENAME}", f"`git add {folder}`")
    elif not stale_passes:
        log = EVENTS_FILENAME if f"{folder}/{EVENTS_FILENAME}" in logs else SHARDS_FOLDER
        report.stop(path, f"the snapshot was not made from the staged {log}", mend)
