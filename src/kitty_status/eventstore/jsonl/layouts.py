"""Where events stand: in one file, in a file for each day, or in a file for each stream of each day."""

from __future__ import annotations

import os
import re
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.archive import Archive
from kitty_status.eventstore.jsonl.names import name_among, taken_in
from kitty_status.eventstore.jsonl.packing import MANIFEST
from kitty_status.eventstore.jsonl.segments import Part, Segment
from kitty_status.eventstore.jsonl.split import SplitSegment
from kitty_status.jsonl.disk import DISK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kitty_status.jsonl.disk import Disk

LINES = ".jsonl"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# A folder that changed this many nanoseconds ago may have changed again within the same tick of the clock.
_TICK = 1_000_000_000


class Layout(ABC):
    """Finds the files of a store. Side files, which hold no events, lie in the folder `side`."""

    name: str
    has_days = True
    """Whether there is a part for each day."""
    announces_days = False
    """Whether the first event of each day is `session.day_changed`."""
    has_many_streams = False
    """Whether a part has a file for each stream."""

    def __init__(self, path: Path, side: Path, disk: Disk = DISK) -> None:
        self.path = path
        self.side = side
        self.lock = side / "store.lock"
        """The file that is locked by whoever writes."""
        self.quarantine = side / "quarantine"
        """The folder for what is cut off files after a crash."""
        self.archive = Archive(side / "archive", disk)
        self._disk = disk
        self._archived = _Listing(self.archive.folder)

    @property
    def snapshots(self) -> Path:
        """The folder for the states of streams."""
        return self.side / "snapshots"

    @property
    def index(self) -> Path:
        """The file of the index."""
        return self.side / "indexes" / "index.db"

    def archived_names(self) -> list[str]:
        """Return the days that the archive has a manifest of, the oldest first."""
        return [name.removesuffix(MANIFEST) for name in self._archived.names() if name.endswith(MANIFEST)]

    def parts(self) -> Sequence[Part]:
        """Return the parts in which events stand, the oldest first, as they are now."""
        archived = self._archived.names()
        while True:
            found = self._found()
            # What came back from the archive after its folder was listed was not there when the others were.
            before, archived = archived, self._archived.names()
            if archived is before:
                return found

    @abstractmethod
    def _found(self) -> Sequence[Part]:
        """Return the parts by the names in the folders; those of the archive are listed last."""

    def place_of(self, name: str) -> Path:
        """Return where the file of this name is when it is not in the archive."""
        return self.path / name

    @abstractmethod
    def segment_for(self, day: str, stream: str) -> Segment:
        """Return the file for an event of a stream that is written on a day."""

    @abstractmethod
    def refuse_others(self) -> None:
        """Refuse a folder in which a store of another layout keeps its files.

        Raises:
            EventStoreError: VALIDATION_FAILED.
        """

    def folders(self) -> list[Path]:
        """Return the folders in which something changes when events are appended, as far as they are there."""
        wanted = [self.path, *(segment.path.parent for part in self.parts()[-1:] for segment in part.segments[:1])]
        first = next(folder for folder in (self.path, *self.path.parents) if folder.is_dir())
        return [first, *(folder for folder in dict.fromkeys(wanted) if folder != first and folder.is_dir())]


class SingleFile(Layout):
    """Everything in the file at `path`; side files in the folder of its name with `.store` behind it."""

    name = "single"
    has_days = False

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        super().__init__(path, path.with_name(path.name + ".store"), disk)
        self.segment = SplitSegment(path, path.name, self.archive, disk)
        self._parts = (Part("", (self.segment,)),)

    def parts(self) -> Sequence[Part]:
        """Return the one part that there is."""
        return self._parts

    _found = parts

    def segment_for(self, day: str, stream: str) -> Segment:
        """Return the one file."""
        del day, stream
        return self.segment

    def archived_names(self) -> list[str]:
        """Return the archives of what came before the file, the oldest first."""
        return [packed.name for packed in self.segment.view().archived]

    def refuse_others(self) -> None:
        """Refuse nothing: another layout has a folder where this one has a file."""

    def leftover_archives(self) -> list[str]:
        """Return those archives whose lines are in the file, because a move was interrupted, or they were restored."""
        return sorted(set(self.archive.names()) - set(self.archived_names()))


class DailyFiles(Layout):
    """Each day's events in `events/YYYY-MM-DD.jsonl` below `path`, by the day in UTC on which they were written."""

    name = "daily"
    announces_days = True

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        super().__init__(path, path, disk)
        self._listing = _Listing(path / "events")
        self._segments: dict[str, Segment] = {}
        self._names: tuple[list[str] | None, list[str] | None] = (None, None)
        self._parts: tuple[Part, ...] = ()

    def _found(self) -> Sequence[Part]:
        names, archived = self._listing.names(), self._archived.names()
        if names is not self._names[0] or archived is not self._names[1]:
            live = {name.removesuffix(LINES) for name in names if name.endswith(LINES)}
            days = sorted({day for day in live if _DAY.fullmatch(day)} | set(self.archived_names()))
            files = {day: (self.segment_for(day, ""),) if day in live else self.archive.readable(day) for day in days}
            self._parts = tuple(Part(day, segments) for day, segments in files.items() if segments)
            self._names = names, archived
        return self._parts

    def place_of(self, name: str) -> Path:
        """Return where the file of this name is when it is not in the archive."""
        return self.path / "events" / f"{name}{LINES}"

    def refuse_others(self) -> None:
        """Refuse a folder with folders of days."""
        days = (name for name in _names_in(self.path) if _DAY.fullmatch(name))
        if any(name.endswith(LINES) for day in days for name in _names_in(self.path / day)):
            raise _other_layout(self.path, DaysAndStreams.name, self.name)

    def segment_for(self, day: str, stream: str) -> Segment:
        """Return the file of the day."""
        del stream
        if day not in self._segments:
            self._segments[day] = Segment(self.path / "events" / f"{day}{LINES}", day, self._disk)
        return self._segments[day]


class DaysAndStreams(Layout):
    """Each stream's events of a day in `YYYY-MM-DD/STREAM.jsonl` below `path`, by the day of writing, in UTC."""

    name = "per-day-and-stream"
    has_many_streams = True

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        super().__init__(path, path, disk)
        self._listing = _Listing(path)
        self._days: dict[str, _Listing] = {}
        self._parts: dict[str, tuple[list[str], list[str], Part]] = {}
        self._names: dict[str, dict[str, str]] = {}

    def _found(self) -> Sequence[Part]:
        live = {name for name in self._listing.names() if _DAY.fullmatch(name)}
        return [self._part(day) for day in sorted(live | set(self.archived_names()))]

    def _part(self, day: str) -> Part:
        names, archived = self._days.setdefault(day, _Listing(self.path / day)).names(), self._archived.names()
        known = self._parts.get(day)
        if known is None or known[0] is not names or known[1] is not archived:
            files = sorted(name for name in names if name.endswith(LINES))
            segments = tuple(Segment(self.path / day / name, f"{day}/{name}", self._disk) for name in files)
            there = {segment.name for segment in segments}
            # While a day is being moved, some of its files are here and all are there.
            gone = (each for each in self.archive.readable(day) if each.name not in there)
            known = self._parts[day] = (names, archived, Part(day, (*segments, *gone)))
        return known[2]

    def refuse_others(self) -> None:
        """Refuse a folder with files of days."""
        names = (name for name in _names_in(self.path / "events") if name.endswith(LINES))
        if any(_DAY.fullmatch(name.removesuffix(LINES)) for name in names):
            raise _other_layout(self.path, DailyFiles.name, self.name)

    def segment_for(self, day: str, stream: str) -> Segment:
        """Return the file of the stream in the folder of the day."""
        taken = self._names.setdefault(day, {})
        if not taken:
            taken.update(taken_in(self._days.setdefault(day, _Listing(self.path / day)).names()))
        name = name_among(taken, stream, LINES)
        return Segment(self.path / day / name, f"{day}/{name}", self._disk)


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  names are wanted
    except OSError:
        return []  # whoever writes there will hear of it


def _other_layout(path: Path, there: str, asked: str) -> EventStoreError:
    return EventStoreError(
        StoreCode.VALIDATION_FAILED,
        f"{path} holds a store of the layout {there}, and {asked} was asked for",
        hint=f"open it with layout={there}, or choose another folder",
        path=str(path),
        layout=there,
    )


class _Listing:
    """The names in a folder, looked up again only where the folder may have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._changed = -1
        self._is_settled = False

    def names(self) -> list[str]:
        """Return the names; the same list as before where nothing has changed."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed != self._changed or not self._is_settled:
            self._is_settled = not 0 <= time.time_ns() - changed < _TICK
            self._changed = changed
            names = sorted(each.name for each in self._folder.iterdir()) if changed else []
            if names != self._names:
                self._names = names
        return self._names


LAYOUTS: dict[str, type[SingleFile | DailyFiles | DaysAndStreams]] = {
    layout.name: layout for layout in (SingleFile, DailyFiles, DaysAndStreams)
}
"""The layouts by their names."""
