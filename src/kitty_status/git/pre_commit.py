"""The commit hook: what is about to be committed must not corrupt the record.

It reads the index, never the work tree, and stops a commit that holds

* a damaged line, or one that is no valid status event;
* a log that lacks a line, or holds it changed, that HEAD has, or that a merge, cherry-pick or
  rebase in progress brings (so that an ours-only resolution cannot pass);
* one event id with two contents, of which at least one is new;
* a snapshot that was not made from the log beside it.

A log that was moved whole counts as present. One that was deleted with its folder is a warning.

git waits for this process at every commit. It starts two gits for the usual commit, loads nothing
that needs `re`, and parses only what HEAD does not have.
"""

# ruff: noqa: PTH110, PTH118, T201  the process has no time for pathlib, and printing is how a hook speaks

from __future__ import annotations

import os
import sys

from kitty_status.errors import GitError
from kitty_status.git.repository import find_repository
from kitty_status.git.run import git, read_blobs, run_git
from kitty_status.jsonl.codec import decode, preview
from kitty_status.jsonl.damage import describe_damage
from kitty_status.status.merging import split_lines
from kitty_status.status.record import event_in
from kitty_status.status.repeats import find_other_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Blobs: TypeAlias = dict[str, bytes | None]

LOG_NAME = "status.events.jsonl"
SNAPSHOT_NAME = "status.json"
EXIT_CLEAN = 0
EXIT_STOPPED = 1
_MAX_SHOWN = 20


class StagedChange:
    """One staged path: the blob HEAD has, the one the index has, all zeros where there is none."""

    __slots__ = ("new", "old", "path")

    def __init__(self, path: str, old: str, new: str) -> None:
        self.path = path
        self.old = old
        self.new = new

    @property
    def is_deleted(self) -> bool:
        """Whether the index no longer has the path."""
        return not self.new.strip("0")


class Report:
    """What the hook found, and says in the end."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def stop(self, where: str, what: str, mend: str) -> None:
        """Add a reason to stop the commit, with the way to mend it."""
        self.problems.append(f"{where}: {what}\n  hint: {mend}")

    def print(self) -> int:
        """Print everything to stderr and return the exit code."""
        for warning in self.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        for problem in self.problems[:_MAX_SHOWN]:
            print(f"error: {problem}", file=sys.stderr)
        if len(self.problems) > _MAX_SHOWN:
            print(f"error: and {len(self.problems) - _MAX_SHOWN} more problems", file=sys.stderr)
        if self.problems:
            print("kitty-status: the commit was stopped; nothing was changed", file=sys.stderr)
        return EXIT_STOPPED if self.problems else EXIT_CLEAN


def main(argv: list[str]) -> int:  # noqa: ARG001  git gives the hook no arguments
    """Check what is staged in the repository of the current folder; return the hook's exit code."""
    try:
        return check_index(".").print()
    except GitError as error:
        print(f"error: {error.message}\n  hint: {error.hint or 'the commit was stopped'}", file=sys.stderr)
        return EXIT_STOPPED


def check_index(cwd: str) -> Report:
    """Return what is wrong with the staged logs and snapshots of the repository around `cwd`.

    Raises:
        GitError: git could not be asked.
    """
    report = Report()
    changes = _staged_changes(cwd)
    logs = [change for change in changes if change.path.endswith(LOG_NAME)]
    features = dict.fromkeys(change.path.rpartition("/")[0] for change in changes)
    if not features:
        return report
    sources = _other_sources(cwd)
    names = [change.new for change in logs if not change.is_deleted]
    names += [change.old for change in logs if change.old.strip("0")]
    names += [f":{folder}/{name}" for folder in features for name in (LOG_NAME, SNAPSHOT_NAME)]
    names += [f"{source}:{change.path}" for change in logs for source in sources]
    names = list(dict.fromkeys(names))
    blobs = dict(zip(names, read_blobs(names, cwd=cwd, inherit_repository=True), strict=True))
    content = {name: blob[1] if blob else None for name, blob in blobs.items()}
    moved = _lines_of_added_logs(logs, content)
    for change in logs:
        if change.is_deleted:
            _check_deleted(change, content, moved, cwd, report)
        else:
            _check_log(change, content, moved, report)
            _check_sources(change, sources, content, report)
    for folder in features:
        _check_snapshot(folder, blobs[f":{folder}/{LOG_NAME}"], blobs[f":{folder}/{SNAPSHOT_NAME}"], report)
    return report


def _staged_changes(cwd: str) -> list[StagedChange]:
    """Return the staged logs and snapshots that differ from HEAD, or from nothing before the first commit."""
    pathspecs = [f":(top,glob)**/kitty-specs/**/{name}" for name in (LOG_NAME, SNAPSHOT_NAME)]
    arguments = ["diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "HEAD", "--", *pathspecs]
    result = run_git(arguments, cwd=cwd, inherit_repository=True)
    if result.code:
        empty_tree = git(["hash-object", "-t", "tree", "--stdin"], cwd=cwd, inherit_repository=True)
        arguments[arguments.index("HEAD")] = empty_tree.decode("ascii").strip()
        result = run_git(arguments, cwd=cwd, inherit_repository=True)
        if result.code:
            raise GitError(f"git diff-index failed: {os.fsdecode(result.err).strip()}")
    fields = result.out.split(b"\0")
    changes = []
    for meta, path in zip(fields[0::2], fields[1::2], strict=False):
        _, _, old, new, _ = meta.decode("ascii").split(" ")
        changes.append(StagedChange(os.fsdecode(path), old, new))
    return changes


def _other_sources(cwd: str) -> list[str]:
    """Return what else this commit must hold lines of: `REV` a whole branch, `REV^!` one commit's own lines."""
    git_dir = _git_dir(cwd)
    sources = []
    if os.path.exists(os.path.join(git_dir, "MERGE_HEAD")):
        sources.append("MERGE_HEAD")
    for name, sign in (("CHERRY_PICK_HEAD", ""), ("REBASE_HEAD", "rebase-merge"), ("REBASE_HEAD", "rebase-apply")):
        if all(os.path.exists(os.path.join(git_dir, part)) for part in (name, sign)):
            # Picking a commit does not bring the earlier lines of its branch along.
            sources += [name, f"{name}^"]
    return list(dict.fromkeys(sources))


def _git_dir(cwd: str) -> str:
    inherited = os.environ.get("GIT_DIR")
    if inherited:
        return os.path.join(cwd, inherited)
    repository = find_repository(cwd)
    if repository is not None:
        return repository.git_dir
    return os.fsdecode(git(["rev-parse", "--absolute-git-dir"], cwd=cwd)).rstrip("\n")


def _lines_of_added_logs(logs: list[StagedChange], content: Blobs) -> set[bytes]:
    """Return the lines of logs that stand at a new path, if a log also went away, since it may have moved there."""
    if not any(change.is_deleted for change in logs):
        return set()
    added = [content[change.new] or b"" for change in logs if not change.old.strip("0")]
    return {line for data in added for line in split_lines(data)}


def _check_deleted(change: StagedChange, content: Blobs, moved: set[bytes], cwd: str, report: Report) -> None:
    old = content[change.old] or b""
    if moved.issuperset(split_lines(old)):
        return
    folder = change.path.rpartition("/")[0]
    left = git(["ls-files", "-z", "--", f":(top,literal){folder}"], cwd=cwd, inherit_repository=True)
    if left:
        report.stop(
            change.path,
            f"the log is deleted while its folder {folder} stays",
            f"`git restore --staged --worktree -- {change.path}` brings it back",
        )
    else:
        report.warnings.append(f"{folder} is deleted with its log of {len(split_lines(old))} lines")


def _check_log(change: StagedChange, content: Blobs, moved: set[bytes], report: Report) -> None:
    staged = content[change.new] or b""
    before = content.get(change.old) or b""
    if staged.startswith(before) and before[-1:] in (b"\n", b""):
        known = before
    else:
        known = b""
        missing = _missing(before, staged) - moved
        if missing:
            _stop_missing(change.path, missing, "HEAD", report)
    _check_new_lines(change.path, known, staged, report)


def _check_new_lines(path: str, known: bytes, staged: bytes, report: Report) -> None:
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
    for event, number in find_other_content(known, events, decode):
        report.stop(
            f"{path}:{event.line_number}",
            f"event {event.event_id} has other content than on line {number}",
            "give the new event an id of its own, or leave out the line that is wrong",
        )


def _check_sources(change: StagedChange, sources: list[str], content: Blobs, report: Report) -> None:
    staged = content[change.new] or b""
    for source in sources:
        if source.endswith("^"):
            continue
        lines = content.get(f"{source}:{change.path}") or b""
        missing = _missing(lines, staged)
        if f"{source}^" in sources:
            missing.difference_update(split_lines(content.get(f"{source}^:{change.path}") or b""))
        if missing:
            _stop_missing(change.path, missing, source, report)


def _missing(required: bytes, staged: bytes) -> set[bytes]:
    if staged.startswith(required):
        return set()
    return set(split_lines(required)).difference(split_lines(staged))


def _stop_missing(path: str, missing: set[bytes], source: str, report: Report) -> None:
    some = preview(min(missing).rstrip(b"\n"))
    report.stop(
        path,
        f"{len(missing)} lines of {source} are changed or missing, among them {some}",
        f"a log is only ever appended to: put back what `git show {source}:{path}` has, then `git add {path}`",
    )


def _check_snapshot(
    folder: str, log: tuple[str, bytes] | None, snapshot: tuple[str, bytes] | None, report: Report
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
    if log is not None and named is not None and named != log[0]:
        report.stop(path, f"the snapshot was not made from the staged {LOG_NAME}", mend)
