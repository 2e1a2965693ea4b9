"""The entries of the journal: one file per feature slug, guarded by the lock of the logs it speaks of."""

# ruff: noqa: PTH118, PTH208

from __future__ import annotations

import os

from kitty_status.git.repository import read_file
from kitty_status.jsonl.append import Place
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.layout import feature_folder_of
from kitty_status.status.rows import problem_with

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kitty_status.git.repository import Repository

_FOLDER = "journal"
_SUFFIX = ".jsonl"
# Never a folder of a log's path: a line of a journal that somebody wrote by hand must lead nowhere else.
_NO_FOLDERS = frozenset(("", ".", "..", ".git"))
# Bytes of names that are not UTF-8, as Python reads them; JSON cannot hold them, and no name holds a NUL.
_FIRST_BYTE, _LAST_BYTE = "\udc80", "\udcff"
_ESCAPE = "\0"


class Entry:
    """An acknowledged event: its line (without LF), its log's path in the work tree, and where it was written.

    `branch` is None where HEAD was detached, `head` is None before the first commit. `stored` is the
    entry as it stands in the journal.
    """

    __slots__ = ("branch", "head", "line", "log", "stored")

    def __init__(self, log: str, line: bytes, branch: str | None, head: str | None, stored: bytes = b"") -> None:
        self.log = log
        self.line = line
        self.branch = branch
        self.head = head
        self.stored = stored

    @property
    def event(self) -> dict[str, Any]:
        """The event that the line holds."""
        return decode(self.line)

    @property
    def folder(self) -> str:
        """The feature's folder, from the top of the work tree."""
        return feature_folder_of(self.log) or ""

    @property
    def event_id(self) -> str:
        """The id of the event."""
        return str(self.event["event_id"])

    def row(self) -> dict[str, Any]:
        """Return the entry as it is written."""
        branch = None if self.branch is None else _escaped(self.branch)
        return {"branch": branch, "head": self.head, "line": self.line.decode("utf-8"), "log": _escaped(self.log)}


class Book:
    """What one file of the journal holds: entries, and lines that are none, which are kept as they are."""

    __slots__ = ("entries", "path", "unreadable")

    def __init__(self, path: str, entries: list[Entry], unreadable: list[bytes]) -> None:
        self.path = path
        self.entries = entries
        self.unreadable = unreadable

    def keep(self, entries: list[Entry]) -> None:
        """Leave only these entries, and what could not be read, in the file; the caller holds the lock.

        Raises:
            OSError: the operating system refused; the file is as it was.
        """
        self.entries = entries
        replace_file(self.path, b"".join([*self.unreadable, *(entry.stored for entry in entries)]))


def place_of(repository: Repository, name: str) -> Place:
    """Return what appending to the journal of a feature needs to know; `name` is that of the feature's lock."""
    return _place(repository, os.path.join(folder_of(repository), name + _SUFFIX), name)


def discarded_place(repository: Repository) -> Place:
    """Return what appending to the list of dropped events needs to know; nothing ever takes a line out of it."""
    return _place(repository, os.path.join(repository.state_dir, "discarded.jsonl"), ".discarded")


def log_place(tree: Repository, log: str, name: str) -> Place:
    """Return what appending to a log of a work tree needs to know."""
    return _place(tree, os.path.join(tree.worktree, *log.split("/")), name)


def folder_of(repository: Repository) -> str:
    """Return the folder of the journal, which need not exist."""
    return os.path.join(repository.state_dir, _FOLDER)


def books(repository: Repository) -> list[str]:
    """Return the names of all features of whose journal anything is left."""
    folder = folder_of(repository)
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [
        name.removesuffix(_SUFFIX)
        for name in names
        if name.endswith(_SUFFIX) and not name.startswith(".") and os.path.getsize(os.path.join(folder, name))  # noqa: PTH202
    ]


def read_book(repository: Repository, name: str) -> Book:
    """Return what the journal of a feature holds; nothing where there is none.

    Raises:
        OSError: it cannot be read.
    """
    path = os.path.join(folder_of(repository), name + _SUFFIX)
    entries: list[Entry] = []
    unreadable: list[bytes] = []
    try:
        data = read_file(path)
    except FileNotFoundError:
        data = b""
    *lines, tail = data.split(b"\n")
    # A last entry without its end is being written, or a crash cut it short: it was never acknowledged.
    for line in [*lines, tail] if _entry(tail) else lines:
        if not line.strip():
            continue
        entry = _entry(line)
        if entry is None:
            unreadable.append(line + b"\n")
        else:
            entries.append(entry)
    return Book(path, entries, unreadable)


def _place(repository: Repository, path: str, name: str) -> Place:
    state = repository.state_dir
    lock, quarantine = os.path.join(state, "locks", f"{name}.lock"), os.path.join(state, "quarantine")
    return Place(path, lock, quarantine)  # type: ignore[arg-type]  # any path will do; pathlib would delay a hook


# The entries of this process's last looks, by their lines: each write looks at all that wait for a commit.
_understood: dict[bytes, Entry] = {}
_MOST_UNDERSTOOD = 1024


def _entry(line: bytes) -> Entry | None:
    """Return the entry in a line of the journal, None where somebody else wrote the line."""
    entry = _understood.get(line)
    if entry is None:
        entry = _decoded(line)
        if entry is not None:
            if len(_understood) >= _MOST_UNDERSTOOD:
                _understood.clear()
            _understood[line] = entry
    return entry


def _decoded(line: bytes) -> Entry | None:
    try:
        row = decode(line)
        log, text, branch, head = row["log"], row["line"], row["branch"], row["head"]
        if not (isinstance(log, str) and isinstance(text, str)) or "\n" in text:
            return None
        event = decode(text.encode("utf-8"))
        log = _unescaped(log)
        branch = _unescaped(branch) if isinstance(branch, str) else branch
    except (LineDamagedError, KeyError, ValueError):
        return None
    is_known = all(value is None or isinstance(value, str) for value in (branch, head))
    if not is_known or problem_with(event) is not None or not _is_path_of_a_log(log):
        return None
    return Entry(log, text.encode("utf-8"), branch, head, line + b"\n")


def _is_path_of_a_log(path: str) -> bool:
    *folders, _ = path.split("/")
    return feature_folder_of(path) is not None and _NO_FOLDERS.isdisjoint(folder.lower() for folder in folders)


def _escaped(name: str) -> str:
    if name.isascii():
        return name
    return "".join(
        f"{_ESCAPE}{os.fsencode(char).hex()}" if _FIRST_BYTE <= char <= _LAST_BYTE else char for char in name
    )


def _unescaped(name: str) -> str:
    first, *rest = name.split(_ESCAPE)
    return first + "".join(bytes.fromhex(part[:2]).decode("ascii", "surrogateescape") + part[2:] for part in rest)
