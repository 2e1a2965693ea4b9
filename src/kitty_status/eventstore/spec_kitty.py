"""A file of spec-kitty's events: the `EventStore` of the package `spec-kitty-events`, kept in JSONL.

It needs the extra: `pip install "kitty-status[spec-kitty]"`.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from kitty_status.errors import KittyStatusError
from kitty_status.jsonl.append import Place, append_line
from kitty_status.jsonl.codec import LineDamagedError, decode, describe_damage, encode
from kitty_status.jsonl.reading import open_log, rows_in

try:
    from spec_kitty_events.models import Event, StorageError, normalize_event_id
    from spec_kitty_events.ordering import node_order_key
    from spec_kitty_events.storage import EventStore
except ImportError as error:
    raise ImportError('SimpleJsonStore needs spec-kitty-events: pip install "kitty-status[spec-kitty]"') from error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kitty_status.jsonl.damage import DamagePolicy

_log = logging.getLogger(__name__)
_PREVIEW = 100
# What the package's models may raise for a row that is no event; `ValidationError` is one of them.
_REFUSALS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class _EventWithMore(Event):
    """An event of a newer schema: the fields that the installed package does not know are kept with it."""

    model_config = ConfigDict(frozen=True, extra="allow")


class SimpleJsonStore(EventStore):
    """Events in the file `file_path`, one line each; threads and processes may use it at the same time.

    * **Kept.** When `save_event` returns, the event is on stable storage.
    * **Once.** An event whose id is stored already is not stored again, and nothing is said. (The words of the
      abstract class let a duplicate overwrite; a log only grows, so here the first one stays.)
    * **Ordered** as the installed package orders: events without a clock first, then by clock, node and id.
    * **Tolerant.** A damaged line is skipped with a warning, and a summary says how many were.
    * **Complete.** Fields that the package does not know stay with their events.
    * **Bounded.** A payload nested deeper than 32, or a line over 8 MiB, is refused, and skipped where one stands.
    * A file that does not exist is an empty store; its folders are made by the first event.

    Lock and quarantine lie in the folder `.kitty-status` beside the file.
    """

    def __init__(self, file_path: Path) -> None:
        # A program may change its folder while it keeps the store.
        self._file_path = Path(file_path).absolute()
        state = self._file_path.parent / ".kitty-status"
        self._place = Place(self._file_path, state / "locks" / f"{self._file_path.name}.lock", state / "quarantine")
        self._known_ids: set[str] = set()
        self._read_to = (0, 0)
        self._gate = threading.Lock()

    def save_event(self, event: Event) -> None:
        """Append an event, unless one with its id is there already.

        Raises:
            StorageError: it could not be stored; the same call may be made again.
        """
        if not isinstance(event, Event):
            raise StorageError(f"a {type(event).__name__} is no event, and was not saved")
        try:
            # The model would write null for a number that JSON does not have.
            json.dumps(event.model_dump(), allow_nan=False, default=lambda _: None)
            line = encode(event.model_dump(mode="json"), json.dumps)
            self._file_path.parent.mkdir(parents=True, exist_ok=True)
            with self._gate:
                append_line(self._place, line, unless=lambda: self._is_known(event.event_id))
        except (LineDamagedError, ValueError, TypeError) as error:
            raise StorageError(f"event {event.event_id} cannot be written as JSON: {error}") from error
        except (OSError, KittyStatusError) as error:
            raise StorageError(f"event {event.event_id} was not saved in {self._file_path}: {error}") from error

    def load_events(self, aggregate_id: str) -> list[Event]:
        """Return the events of one aggregate, in order.

        Raises:
            StorageError: the file cannot be read.
        """
        return sorted((each for each in self.stream_events() if each.aggregate_id == aggregate_id), key=node_order_key)

    def load_all_events(self) -> list[Event]:
        """Return all events, in order.

        Raises:
            StorageError: the file cannot be read.
        """
        return sorted(self.stream_events(), key=node_order_key)

    def stream_events(self) -> Iterator[Event]:
        """Yield the events as they stand in the file, one at a time, however large it is; each id once.

        Raises:
            StorageError: the file cannot be read.
        """
        skipped = 0
        seen: set[str] = set()

        def skip(number: int, line: bytes, why: str, is_json: bool) -> None:
            nonlocal skipped
            skipped += 1
            what = describe_damage(line, why, is_json=is_json)
            _log.warning("%s:%d: skipping a malformed line: %s", self._file_path, number, what[:_PREVIEW])

        for number, row, line in self._rows(skip):
            try:
                event = _event_of(row)
            except _REFUSALS as error:
                skip(number, line, f"{type(error).__name__}: {' '.join(str(error).split())}", is_json=True)
                continue
            if event.event_id not in seen:
                seen.add(event.event_id)
                yield event
        if skipped:
            _log.warning("%s: %d malformed line(s) skipped", self._file_path, skipped)

    def _rows(self, skip: DamagePolicy) -> Iterator[tuple[int, dict[str, Any], bytes]]:
        try:
            log = open_log(self._file_path)
            if log is None:
                return
            with log:
                yield from rows_in(map(_unix, log), skip)
        except (OSError, KittyStatusError) as error:
            raise StorageError(f"{self._file_path} cannot be read: {error}") from error

    def _is_known(self, event_id: str) -> bool:
        """Say whether the file holds an event; called under its lock. Only what was added since is read."""
        log = open_log(self._file_path)
        if log is None:
            self._known_ids, self._read_to = set(), (0, 0)
            return False
        with log:
            status = os.fstat(log.fileno())
            inode = status.st_ino
            if self._read_to[0] != inode or status.st_size < self._read_to[1]:
                # Another file, or less than was read: somebody put it there in place of the one that was known.
                self._known_ids, self._read_to = set(), (inode, 0)
            log.seek(self._read_to[1])
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._read_to = (inode, self._read_to[1] + len(line))
                self._known_ids.update(_id_in(line))
        return event_id in self._known_ids


def _id_in(line: bytes) -> list[str]:
    """Return the id of the event in a line, in the package's spelling; none where the line is damaged."""
    try:
        return [normalize_event_id(decode(_unix(line).removesuffix(b"\n")).get("event_id"))]
    except (LineDamagedError, ValueError):
        return []


def _unix(line: bytes) -> bytes:
    """Return a line as it would end if no other program had changed the line endings of the file."""
    return line.removesuffix(b"\r\n") + b"\n" if line.endswith(b"\r\n") else line


def _event_of(row: dict[str, Any]) -> Event:
    unknown = row.keys() - Event.model_fields.keys()
    return _EventWithMore.from_dict(row) if unknown else Event.from_dict(row)
