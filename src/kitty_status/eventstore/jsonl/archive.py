"""The archive: days that are over, or the first lines of the one file, with a manifest of checksums for each.

`archive/DAY/` holds the compressed files, `archive/DAY.json` says what they are. The manifest is written once they are
on stable storage and were read back; only then the files themselves go. So an archive that was interrupted is one
without a manifest, which nobody reads, or one whose files are still there, which are read instead. Either is completed
by the next attempt.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import msgspec

from kitty_status.eventstore.archives import Archived
from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.jsonl.packing import (
    MANIFEST,
    ArchivedSegment,
    Packed,
    ReadableSegment,
    Unpacked,
    damaged_file,
    pack,
    unpack_into,
)
from kitty_status.eventstore.jsonl.segments import Segment
from kitty_status.jsonl.disk import DISK, unlink_quietly
from kitty_status.jsonl.reading import read_bytes
from kitty_status.jsonl.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from kitty_status.eventstore.jsonl.packing import OnDamagedFile
    from kitty_status.eventstore.jsonl.segments import Part
    from kitty_status.jsonl.disk import Disk


_Kind = TypeVar("_Kind", bound=ArchivedSegment)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive holds of a day."""

    day: str
    events: int
    first: int
    last: int
    segments: list[Packed]


class Archive:
    """The archive of a store, in a folder."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self.folder = folder
        self._disk = disk
        self._unpacked = Unpacked()
        self.on_damage: OnDamagedFile = _raised
        """Is told of what cannot be read, and raises it, or returns to have it passed over."""

    def readable(self, day: str) -> tuple[ArchivedSegment, ...]:
        """Return the files of a day that are in the archive for whoever reads what is left of a store."""
        try:
            found = self._segments_of(day, ReadableSegment)
        except EventStoreError as error:
            self.on_damage(Segment(self.folder / f"{day}{MANIFEST}", day), error)
            return ()
        for each in found:
            each.on_damage = self.on_damage
        return found

    def segments_of(self, day: str) -> tuple[ArchivedSegment, ...]:
        """Return the files of a day that are in the archive."""
        return self._segments_of(day, ArchivedSegment)

    def _segments_of(self, day: str, kind: type[_Kind]) -> tuple[_Kind, ...]:
        manifest = self.manifest_of(day)
        return tuple(
            kind(self.folder / day / packed.file, packed, self._unpacked, self._disk)
            for packed in (manifest.segments if manifest is not None else ())
        )

    def manifest_of(self, day: str) -> Manifest | None:
        """Return what the archive says that it holds of a day.

        Raises:
            EventStoreError: CORRUPT: the manifest cannot be read.
        """
        path = self.folder / f"{day}{MANIFEST}"
        data = read_bytes(path)
        if data is None:
            return None
        try:
            return msgspec.json.decode(data, type=Manifest)
        except ValueError as error:
            raise damaged_file(path, str(error)) from error

    def listed(self, days: Iterable[str]) -> list[Archived]:
        """Return what the archive holds of days."""
        found = []
        for day in days:
            manifest = self.manifest_of(day)
            if manifest is not None:
                found.append(
                    Archived(
                        name=day,
                        first=manifest.first,
                        last=manifest.last,
                        events=manifest.events,
                        size=sum(packed.size for packed in manifest.segments),
                        packed=sum(self._size_of(day, packed) for packed in manifest.segments),
                        sha256=_digest_of_all(manifest.segments),
                    )
                )
        return found

    def _size_of(self, day: str, packed: Packed) -> int:
        try:
            return (self.folder / day / packed.file).stat().st_size
        except FileNotFoundError:
            return 0

    def check(self, day: str) -> None:
        """Compare the files of a day with their checksums.

        Raises:
            EventStoreError: CORRUPT.
        """
        manifest = self.manifest_of(day)
        for packed in manifest.segments if manifest is not None else ():
            path = self.folder / day / packed.file
            if not path.exists():
                raise damaged_file(path, "it is not there")
            with tempfile.TemporaryFile() as file:
                unpack_into(file, path, packed)

    def holds(self, day: str, segments: tuple[Segment, ...]) -> bool:
        """Say whether the archive of a day holds all that stands in these files of it."""
        manifest = self.manifest_of(day)
        kept = {packed.name: packed.sha256 for packed in manifest.segments} if manifest is not None else {}
        return bool(kept) and all(kept.get(segment.name) == _digest_of(segment) for segment in segments)

    def take(self, part: Part, places: tuple[int, int, int]) -> None:
        """Move a part into the archive; `places` are the count of its events, and its first and last position."""
        packed = [
            pack(
                segment.name,
                (data for _, data in segment.pieces(0, segment.end_of_lines())),
                self.folder / part.day / f"{segment.path.name}.zst",
                self._disk,
            )
            for segment in part.segments
        ]
        self._write_manifest(part.day, packed, places)
        self.finish(part)

    def keep(self, name: str, file: str, pieces: Iterable[bytes], places: tuple[int, int, int]) -> None:
        """Put lines of a file, with the places of `take`, into the archive; the file stays what it is."""
        packed = pack(name, pieces, self.folder / name / f"{file}.zst", self._disk)
        self._write_manifest(name, [packed], places)

    def _write_manifest(self, name: str, packed: list[Packed], places: tuple[int, int, int]) -> None:
        events, first, last = places
        manifest = Manifest(day=name, events=events, first=first, last=last, segments=packed)
        data = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        replace_file(self.folder / f"{name}{MANIFEST}", data, disk=self._disk)

    def names(self) -> list[str]:
        """Return the names that the archive has a manifest of, as they are now."""
        try:
            found = os.listdir(self.folder)  # noqa: PTH208  names are wanted
        except FileNotFoundError:
            return []
        return sorted(name.removesuffix(MANIFEST) for name in found if name.endswith(MANIFEST) and name[0] != ".")

    def chain_before(self, position: int) -> tuple[ArchivedSegment, ...]:
        """Return the lines that come before a position without a gap, of archives named by their positions."""
        by_last = {name.rpartition("-")[2]: name for name in self.names()}
        found: list[ArchivedSegment] = []
        while name := by_last.get(str(position - 1)):
            found += self.readable(name)
            position = int(name.partition("-")[0])
        return tuple(reversed(found))

    def discard(self, names: Iterable[str]) -> None:
        """Remove archives whose lines stand elsewhere; first the manifests, without which nobody reads them."""
        gone = [(name, self.manifest_of(name)) for name in names]
        for name, _ in gone:
            self._disk.unlink(self.folder / f"{name}{MANIFEST}")
        if gone:
            self._disk.fsync_directory(self.folder)
        for name, manifest in gone:
            for packed in manifest.segments if manifest is not None else ():
                unlink_quietly(self.folder / name / packed.file, self._disk)

    def discard_unfinished(self) -> None:
        """Remove what was packed for archives that never got a manifest; nobody else may be at work on one."""
        kept = set(self.names())
        for folder in self.folder.iterdir() if self.folder.exists() else ():
            if folder.is_dir() and not folder.is_symlink() and folder.name not in kept:
                for file in folder.iterdir():
                    unlink_quietly(file, self._disk)
                with suppress(OSError):
                    folder.rmdir()

    def finish(self, part: Part) -> None:
        """Remove the files of a part of which the archive has a manifest."""
        for segment in part.segments:
            self._disk.unlink(segment.path)
        self._disk.fsync_directory(part.segments[0].path.parent)

    def restore(self, day: str, places: dict[str, Path]) -> int:
        """Bring the files of a day back to where they were, by their names; return how many events they hold."""
        manifest = self.manifest_of(day)
        if manifest is None:
            return 0
        for segment in self.segments_of(day):
            data = b"".join(part for _, part in segment.pieces(0))
            self._disk.makedirs(places[segment.name].parent)
            replace_file(places[segment.name], data, disk=self._disk)
        self.discard([day])
        return manifest.events

    def close(self) -> None:
        """Give the files back that were unpacked."""
        self._unpacked.close()


def _raised(segment: Segment, error: EventStoreError) -> None:
    del segment
    raise error


def _digest_of(segment: Segment) -> str:
    digest = sha256()
    for _, data in segment.pieces(0, segment.end_of_lines()):
        digest.update(data)
    return digest.hexdigest()


def _digest_of_all(segments: Sequence[Packed]) -> str:
    if len(segments) == 1:
        return segments[0].sha256
    return sha256("".join(f"{each.sha256}  {each.name}\n" for each in segments).encode()).hexdigest()
