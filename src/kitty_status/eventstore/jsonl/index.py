"""An index of a log, in a SQLite file beside it: by id, type, stream, tag and day.

It is derived from the log, and is never trusted over it: what it finds is read from the log, and where that is
something else, the index is made anew. It is caught up when a question needs it, never by an append.
"""

from __future__ import annotations

import sqlite3
import threading
from binascii import crc32
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from kitty_status.eventstore.jsonl.damage import jumps, stands_twice
from kitty_status.eventstore.jsonl.pieces import Cover, Piece, Place
from kitty_status.eventstore.jsonl.words import words_of
from kitty_status.eventstore.owning import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    Wrong: TypeAlias = Callable[[int, str], None]

VERSION = 2
_CHECKED = 256
_PATIENCE = 10.0
_SCHEMA = """
CREATE TABLE segments (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,
    digest INTEGER NOT NULL, stamp INTEGER NOT NULL);
CREATE TABLE reached (head INTEGER NOT NULL, missing INTEGER NOT NULL, layout TEXT NOT NULL);
CREATE TABLE places (position INTEGER PRIMARY KEY, segment INTEGER NOT NULL, start INTEGER NOT NULL,
    length INTEGER NOT NULL, version INTEGER NOT NULL);
CREATE TABLE ids (id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE streams (stream TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE stream_segments (stream TEXT NOT NULL, segment INTEGER NOT NULL, PRIMARY KEY (stream, segment))
    WITHOUT ROWID;
CREATE TABLE words (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE, events INTEGER NOT NULL);
CREATE TABLE postings (word INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (word, position)) WITHOUT ROWID;
"""


class Index:
    """The index of a layout in one file, which is made where it is not there, or is no such index of this version."""

    def __init__(self, path: Path, layout: str) -> None:
        self._path = str(path)
        self._layout = layout
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._words: dict[str, int] = {}

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                try:
                    self._connection = self._made()
                except sqlite3.OperationalError:
                    raise
                except sqlite3.DatabaseError:
                    self.discard()
                    self._connection = self._made()
            yield self._connection

    def _made(self) -> sqlite3.Connection:
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        connection = Connection(self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        # Other processes read while one catches up. A crash of the machine may undo the newest steps, not damage it.
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        is_ours = version == 0 or (
            version == VERSION and connection.execute("SELECT layout FROM reached").fetchone() == (self._layout,)
        )
        if not is_ours:
            connection.close()
            Path(self._path).unlink()
            return self._made()
        if version == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO reached VALUES (0, 0, ?)", (self._layout,))
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        return connection

    def discard(self) -> None:
        """Remove the file: it will be made anew."""
        with self._lock:
            self.close()
            for name in (self._path, self._path + "-journal"):
                with suppress(FileNotFoundError):
                    Path(name).unlink()

    def close(self) -> None:
        """Give the connection back; the next use opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            self._words.clear()
            if connection is not None:
                connection.close()

    @property
    def exists(self) -> bool:
        """Whether there is one already."""
        return self._connection is not None or Path(self._path).exists()

    def reached(self) -> int:
        """Return the position up to which it is complete."""
        with self._open() as connection:
            return int(connection.execute("SELECT head FROM reached").fetchone()[0])

    def missing(self) -> int:
        """Return how many positions up to there were known to have no event."""
        with self._open() as connection:
            return int(connection.execute("SELECT missing FROM reached").fetchone()[0])

    def events(self) -> int:
        """Return how many events it has the places of."""
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM places").fetchone()[0])

    def covers(self) -> dict[str, Cover]:
        """Return how much of each file it covers."""
        with self._open() as connection:
            rows = connection.execute("SELECT name, size, digest, stamp FROM segments")
            return {name: Cover(*cover) for name, *cover in rows}

    def add(self, pieces: Iterable[tuple[Piece, Cover]], wrong: Wrong) -> None:
        """Add events of files; `wrong` is told of the offset of a line whose id or version cannot be."""
        with self._open() as connection, self._transaction(connection):
            for piece, cover in pieces:
                self._add_piece(connection, piece, cover, wrong)

    def reach(self, head: int, missing: int) -> None:
        """Say that it is complete up to a position, as far as there are events."""
        with self._open() as connection, self._transaction(connection):
            connection.execute("UPDATE reached SET head = ?, missing = ?", (head, missing))

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            self._words.clear()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _add_piece(self, connection: sqlite3.Connection, piece: Piece, cover: Cover, wrong: Wrong) -> None:
        connection.execute(
            "INSERT INTO segments (name, size, digest, stamp) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET size = excluded.size, digest = excluded.digest, stamp = excluded.stamp",
            (piece.segment, *cover),
        )
        number = connection.execute("SELECT number FROM segments WHERE name = ?", (piece.segment,)).fetchone()[0]
        connection.executemany(
            "INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)",
            [
                (event.position, number, start, length, event.version)
                for event, start, length in zip(piece.events, piece.starts, piece.lengths, strict=True)
            ],
        )
        ids = [(event.id, event.position) for event in piece.events]
        if connection.executemany("INSERT OR IGNORE INTO ids VALUES (?, ?)", ids).rowcount < len(ids):
            _tell_of_ids(connection, piece, wrong)
        newest = _versions_in(connection, piece, wrong)
        connection.executemany(
            "INSERT INTO streams VALUES (?, ?) ON CONFLICT DO UPDATE SET version = max(version, excluded.version)",
            newest.items(),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO stream_segments VALUES (?, ?)", [(stream, number) for stream in newest]
        )
        postings: list[tuple[int, int]] = []
        counts: dict[int, int] = {}
        for event in piece.events:
            for word in words_of(event):
                known = self._words.get(word) or self._number_of(connection, word)
                postings.append((known, event.position))
                counts[known] = counts.get(known, 0) + 1
        connection.executemany("INSERT OR IGNORE INTO postings VALUES (?, ?)", postings)
        connection.executemany(
            "UPDATE words SET events = events + ? WHERE number = ?", [(count, word) for word, count in counts.items()]
        )

    def _number_of(self, connection: sqlite3.Connection, word: str) -> int:
        if len(self._words) > 50_000:  # noqa: PLR2004  a memory bound, nothing more
            self._words.clear()
        connection.execute("INSERT OR IGNORE INTO words (word, events) VALUES (?, 0)", (word,))
        number = int(connection.execute("SELECT number FROM words WHERE word = ?", (word,)).fetchone()[0])
        self._words[word] = number
        return number

    def positions_of(self, ids: Collection[str]) -> dict[str, int]:
        """Return the positions of those ids that it holds."""
        with self._open() as connection:
            found: dict[str, int] = {}
            for event_id in ids:
                row = connection.execute("SELECT position FROM ids WHERE id = ?", (event_id,)).fetchone()
                if row is not None:
                    found[event_id] = row[0]
            return found

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        """Return the newest versions of those streams that it holds."""
        with self._open() as connection:
            found: dict[str, int] = {}
            for stream in streams:
                row = connection.execute("SELECT version FROM streams WHERE stream = ?", (stream,)).fetchone()
                if row is not None:
                    found[stream] = row[0]
            return found

    def count(self, words: Iterable[str]) -> int:
        """Return how many events have one of the words, at most."""
        with self._open() as connection:
            question = "SELECT events FROM words WHERE word = ?"
            return sum((connection.execute(question, (word,)).fetchone() or (0,))[0] for word in words)

    def starting_with(self, beginning: str) -> list[str]:
        """Return the words that begin like this, without this beginning, sorted."""
        with self._open() as connection:
            after = beginning[:-1] + chr(ord(beginning[-1]) + 1)
            rows = connection.execute("SELECT word FROM words WHERE word >= ? AND word < ?", (beginning, after))
            return sorted(row[0][len(beginning) :] for row in rows)

    def page(self, word: str, span: tuple[int, int], size: int, *, backwards: bool) -> list[int]:
        """Return positions of events with a word between two positions (exclusive), the nearest to the first end."""
        way = "DESC" if backwards else "ASC"
        with self._open() as connection:
            rows = connection.execute(
                "SELECT position FROM postings WHERE word = (SELECT number FROM words WHERE word = ?) "  # noqa: S608
                f"AND position > ? AND position < ? ORDER BY position {way} LIMIT ?",
                (word, *span, size),
            )
            return [row[0] for row in rows.fetchall()]

    def streams(self) -> Iterator[tuple[str, int, list[str]]]:
        """Yield each stream with its newest version and the names of its files, in the order of their names."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT stream, version, name FROM streams JOIN stream_segments USING (stream) "
                "JOIN segments ON number = segment ORDER BY stream, name"
            ).fetchall()
        for (stream, version), group in groupby(rows, key=itemgetter(0, 1)):
            yield stream, version, [row[2] for row in group]

    def places(self, positions: Iterable[int]) -> list[Place]:
        """Return where the events at some positions stand, in the order of positions."""
        with self._open() as connection:
            found = []
            for position in positions:
                row = connection.execute(
                    "SELECT position, name, start, length, version FROM places JOIN segments ON number = segment "
                    "WHERE position = ?",
                    (position,),
                ).fetchone()
                if row is not None:
                    found.append(Place(*row))
            return found


def _tell_of_ids(connection: sqlite3.Connection, piece: Piece, wrong: Wrong) -> None:
    for event, start in zip(piece.events, piece.starts, strict=True):
        (position,) = connection.execute("SELECT position FROM ids WHERE id = ?", (event.id,)).fetchone()
        if position != event.position:
            wrong(start, stands_twice(event.id, position))


def _versions_in(connection: sqlite3.Connection, piece: Piece, wrong: Wrong) -> dict[str, int]:
    """Return the newest versions of the streams in a piece."""
    found: dict[str, int] = {}
    for event, start in zip(piece.events, piece.starts, strict=True):
        before = found.get(event.stream)
        if before is None:
            row = connection.execute("SELECT version FROM streams WHERE stream = ?", (event.stream,)).fetchone()
            before = row[0] if row is not None else 0
        if event.version != before + 1:
            wrong(start, jumps(event.stream, event.version, before))
        found[event.stream] = max(event.version, before)
    return found


def digest_of(data: bytes) -> int:
    """Return the digest by which the end of what is covered is told from other bytes."""
    return crc32(data[-_CHECKED:])
