"""The archive: days that are over, compressed (zstd), with a manifest of checksums for each.

`archive/DAY/` holds the compressed files, `archive/DAY.json` says what they are. The manifest is written once they are
on stable storage and were read back; only then the files themselves go. So an archive that was interrupted is one
without a manifest, which nobody reads, or one whose files are still there, which are read instead. Either is completed
by the next attempt.
"""

from __future__ import annotations

import os
import tempfile
import threading
from hashlib import sha256
from typing import IO, TYPE_CHECKING

import msgspec

from kitty_status.eventstore.archives import Archived
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.segments import Segment
from kitty_status.eventstore.zstd import compressor, zstd
from kitty_status.jsonl.disk import DISK, close_quietly, unlink_quietly, write_all
from kitty_status.jsonl.reading import read_bytes
from kitty_status.jsonl.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kitty_status.eventstore.jsonl.segments import Part
    from kitty_status.jsonl.disk import Disk

MANIFEST = ".json"
_CHUNK = 1 << 18
_MOST_OPEN = 8


class Packed(msgspec.Struct, frozen=True):
    """A file in the archive: its name among the files of events, its own, and the size and digest of its lines."""

    name: str
    file: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive holds of a day."""

    day: str
    events: int
    first: int
    last: int
    segments: list[Packed]


class ArchivedSegment(Segment):
    """A file in the archive, which is unpacked into a file without a name when it is read."""

    is_archived = True

    def __init__(self, path: Path, packed: Packed, unpacked: Unpacked, disk: Disk = DISK) -> None:
        super().__init__(path, packed.name, disk)
        self._packed = packed
        self._unpacked = unpacked

    def _opened(self) -> int:
        return self._unpacked.descriptor_of(self.path, self._packed)

    def size(self) -> int:
        """Return the length of its lines."""
        return self._packed.size


class Unpacked:
    """The files of an archive that were read last, unpacked."""

    def __init__(self) -> None:
        self._files: dict[Path, IO[bytes]] = {}
        self._lock = threading.Lock()

    def descriptor_of(self, path: Path, packed: Packed) -> int:
        """Return a descriptor of what a file holds, once its digest was compared.

        Raises:
            EventStoreError: CORRUPT: it holds something else than the manifest says.
        """
        with self._lock:
            file = self._files.pop(path, None)
            if file is None:
                file = tempfile.TemporaryFile()  # noqa: SIM115  it is kept for the next reader
                try:
                    _unpack_into(file, path, packed)
                except BaseException:
                    file.close()
                    raise
            self._files[path] = file
            while len(self._files) > _MOST_OPEN:
                self._files.pop(next(iter(self._files))).close()
            return os.dup(file.fileno())

    def close(self) -> None:
        """Give the files back."""
        with self._lock:
            while self._files:
                self._files.popitem()[1].close()


def _unpack_into(file: IO[bytes], path: Path, packed: Packed) -> None:
    digest = sha256()
    for chunk in unpack(path):
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    if digest.hexdigest() != packed.sha256:
        raise _damaged(path, "its contents are not those of which the manifest has the checksum")


def unpack(path: Path) -> Iterator[bytes]:
    """Yield what a compressed file holds, in pieces.

    Raises:
        EventStoreError: CORRUPT.
    """
    zstandard = zstd()
    try:
        with zstandard.open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except (zstandard.ZstdError, EOFError) as error:
        raise _damaged(path, str(error)) from error


def pack(segment: Segment, path: Path, disk: Disk) -> Packed:
    """Compress a file and return what the manifest says of it, once it is on stable storage and was read back."""
    packing = compressor()
    disk.makedirs(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    unlink_quietly(temporary, disk)
    digest = sha256()
    size = 0
    fd = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for _, data in segment.pieces(0, segment.end_of_lines()):
            digest.update(data)
            size += len(data)
            write_all(fd, packing.compress(data), disk)
        write_all(fd, packing.flush(), disk)
        disk.fsync(fd)
    finally:
        close_quietly(fd, disk)
    disk.replace(temporary, path)
    disk.fsync_directory(path.parent)
    packed = Packed(segment.name, path.name, size, digest.hexdigest())
    check = sha256()
    for chunk in unpack(path):
        check.update(chunk)
    if check.hexdigest() != packed.sha256:
        raise _damaged(path, "it could not be read back as it was written")
    return packed


class Archive:
    """The archive of a store, in a folder."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self.folder = folder
        self._disk = disk
        self._unpacked = Unpacked()

    def segments_of(self, day: str) -> tuple[ArchivedSegment, ...]:
        """Return the files of a day that are in the archive."""
        manifest = self.manifest_of(day)
        return tuple(
            ArchivedSegment(self.folder / day / packed.file, packed, self._unpacked, self._disk)
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
            raise _damaged(path, str(error)) from error

    def list(self, days: Iterable[str]) -> list[Archived]:
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
                raise _damaged(path, "it is not there")
            with tempfile.TemporaryFile() as file:
                _unpack_into(file, path, packed)

    def holds(self, day: str, segments: tuple[Segment, ...]) -> bool:
        """Say whether the archive of a day holds all that stands in these files of it."""
        manifest = self.manifest_of(day)
        kept = {packed.name: packed.sha256 for packed in manifest.segments} if manifest is not None else {}
        return bool(kept) and all(kept.get(segment.name) == _digest_of(segment) for segment in segments)

    def take(self, part: Part, places: tuple[int, int, int]) -> None:
        """Move a part into the archive; `places` are the count of its events, and its first and last position."""
        events, first, last = places
        packed = [
            pack(segment, self.folder / part.day / f"{os.path.basename(segment.path)}.zst", self._disk)  # noqa: PTH119
            for segment in part.segments
        ]
        manifest = Manifest(day=part.day, events=events, first=first, last=last, segments=packed)
        data = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        replace_file(self.folder / f"{part.day}{MANIFEST}", data, disk=self._disk)
        self.finish(part)

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
        self._disk.unlink(self.folder / f"{day}{MANIFEST}")
        self._disk.fsync_directory(self.folder)
        for packed in manifest.segments:
            unlink_quietly(self.folder / day / packed.file, self._disk)
        return manifest.events

    def close(self) -> None:
        """Give the files back that were unpacked."""
        self._unpacked.close()


def _digest_of(segment: Segment) -> str:
    digest = sha256()
    for _, data in segment.pieces(0, segment.end_of_lines()):
        digest.update(data)
    return digest.hexdigest()


def _digest_of_all(segments: Sequence[Packed]) -> str:
    if len(segments) == 1:
        return segments[0].sha256
    return sha256("".join(f"{each.sha256}  {each.name}\n" for each in segments).encode()).hexdigest()


def _damaged(path: Path, why: str) -> EventStoreError:
    return EventStoreError(
        StoreCode.CORRUPT, f"{path}: {why}", hint="put the file back from a copy; nothing else is lost", path=str(path)
    )
