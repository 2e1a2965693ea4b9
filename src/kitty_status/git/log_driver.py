"""The merge driver for logs: `merge-driver log %O %A %B %P`.

git waits for this process, for every log that both sides changed. The part that both sides begin
with is therefore compared as bytes and never parsed; only what stands behind it is.

Exit 0: merged. Exit 1: the union of both sides stands in the file, and a person must look at what
was printed. Any other exit tells the configured command to leave git's own union there.
"""

# ruff: noqa: PTH123, T201  the process has no time for pathlib, and printing is how a driver speaks

from __future__ import annotations

import gc
import sys

from kitty_status.jsonl.codec import decode
from kitty_status.status.merging import Merge, agreeing_bytes, merge_tails, split_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO
    from os import environ
else:
    try:
        # `os` would be a tenth of what this process costs, and only for this.
        from posix import environ
    except ImportError:  # pragma: no cover (windows)
        from os import environ

EXIT_MERGED = 0
EXIT_LOOK = 1
EXIT_FAILED = 3
USAGE = "usage: kitty-status merge-driver log|snapshot|view %O %A %B %P"

# Small enough for two chunks to stay in a core's own cache; four times as much takes three times as long.
_CHUNK = 1 << 16
_SEEK_END = 2
_GITHEAD = ("GITHEAD_", b"GITHEAD_")


def main(argv: list[str]) -> int:
    """Merge the files `argv` names (base, ours, theirs, path in the repository) into ours; return the exit code."""
    if len(argv) != 4:  # noqa: PLR2004  %O %A %B %P
        print(USAGE, file=sys.stderr)
        return EXIT_FAILED
    base, ours, theirs, path = argv
    # The process ends before a collection could pay for itself, and nothing here is circular.
    gc.disable()
    try:
        return _merge(base, ours, theirs, path)
    except OSError as error:
        print(f"kitty-status: {path}: {error}; leaving git's own union of both sides", file=sys.stderr)
        return EXIT_FAILED


def takes_whole_branches() -> bool:
    """Say whether git merges branches here, and not one commit's change (rebase, cherry-pick, stash, revert).

    `git merge` alone puts the names of what it merges into its drivers' environment.
    """
    return any(name[:8] in _GITHEAD for name in environ)


def _merge(base_path: str, ours_path: str, theirs_path: str, path: str) -> int:
    with open(ours_path, "r+b", 0) as ours, open(theirs_path, "rb", 0) as theirs, open(base_path, "rb", 0) as base:
        shared = shared_lines(ours, theirs)
        ours_tail = _read_from(ours, shared)
        if takes_whole_branches():
            merge = merge_tails(ours_tail, _read_from(theirs, shared), decode)
            if base.seek(0, _SEEK_END) > shared:
                _report_missing_lines(base, ours, theirs, path)
        else:
            known = shared_lines(base, theirs)
            base_lines = frozenset(split_lines(_read_from(base, known)))
            merge = merge_tails(ours_tail, _read_from(theirs, max(shared, known)), decode, base_lines=base_lines)
        _write_tail(ours, shared, ours_tail, merge.tail())
        if merge.is_clean:
            return EXIT_MERGED
        _report(merge, path, lines_before=_count_lines(ours, shared))
        return EXIT_LOOK


def shared_lines(one: FileIO, other: FileIO) -> int:
    """Return how many bytes of whole lines two files begin with in common."""
    one.seek(0)
    other.seek(0)
    left, right = bytearray(_CHUNK), bytearray(_CHUNK)
    same = 0
    while True:
        got = min(one.readinto(left), other.readinto(right))
        if got == _CHUNK and left == right:
            same += got
            continue
        last_line_end = left.rfind(b"\n", 0, agreeing_bytes(left, right, got)) + 1
        return same + last_line_end if last_line_end else _line_end_before(one, same)


def _line_end_before(file: FileIO, limit: int) -> int:
    """Return the end of the last whole line among the first `limit` bytes."""
    while limit:
        start = max(0, limit - _CHUNK)
        file.seek(start)
        found = file.read(limit - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        limit = start
    return 0


def _read_from(file: FileIO, offset: int) -> bytes:
    file.seek(offset)
    return file.readall()


def _write_tail(file: FileIO, start: int, old: bytes, new: bytes) -> None:
    """Put `new` where `old` stands from `start` on, so that no line of `old` is ever absent from the file.

    Replaced in place, a process that is killed half way would leave a file without some of ours.
    The new lines, which include the old ones, are first written behind the old ones: whatever then
    interrupts the second copy, one of the two is whole up to the cut and the other from it on.
    """
    end = start + len(old)
    if new.startswith(old):
        _write_at(file, end, new[len(old) :], undo_to=end)
        return
    # Without a line end of its own, our last line would be glued to the copy's first.
    gap = b"" if old[-1:] in (b"\n", b"") else b"\n"
    _write_at(file, end, gap + new, undo_to=end)
    _write_at(file, start, new, undo_to=None)
    file.truncate(start + len(new))


def _write_at(file: FileIO, offset: int, data: bytes, *, undo_to: int | None) -> None:
    file.seek(offset)
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        if undo_to is not None:
            file.truncate(undo_to)
        raise


def _count_lines(file: FileIO, limit: int) -> int:
    file.seek(0)
    return file.read(limit).count(b"\n")


def _report(merge: Merge, path: str, lines_before: int) -> None:
    number = {id(line): lines_before + position for position, line in enumerate(merge.lines, start=1)}
    for line in merge.damaged:
        print(f"{path}:{number[id(line)]}: {line.problem}", file=sys.stderr)
    for first, second in merge.conflicts:
        print(
            f"{path}:{number[id(second)]}: event {first.event_id!a} has other content than on line {number[id(first)]}",
            file=sys.stderr,
        )
    print(
        f"kitty-status: both sides' lines are in {path}; mend the lines above (`kitty-status validate {path}` "
        "checks them), then `git add` the file",
        file=sys.stderr,
    )


def _report_missing_lines(base: FileIO, ours: FileIO, theirs: FileIO, path: str) -> None:
    """Say which side lost lines that the common ancestor had; the merge keeps what the other side still has."""
    for side, file in (("ours", ours), ("theirs", theirs)):
        shared = shared_lines(base, file)
        missing = set(split_lines(_read_from(base, shared))).difference(split_lines(_read_from(file, shared)))
        if missing:
            print(
                f"kitty-status: {path}: {side} lacks {len(missing)} lines of the common ancestor; "
                "a log is only ever appended to",
                file=sys.stderr,
            )
