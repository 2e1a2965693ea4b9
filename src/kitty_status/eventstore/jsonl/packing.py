"""Files of lines, compressed (zstd) and unpacked again, with the size and digest by which they are known."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, TYPE_CHECKING, TypeAlias

import msgspec

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.segments import PIECE, Segment
from kitty_status.eventstore.zstd import compressor, zstd
from kitty_status.jsonl.disk import DISK, close_quietly, unlink_quietly, write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from kitty_status.jsonl.disk import Disk

    OnDamagedFile: TypeAlias = Callable[[Segment, EventStoreError], None]

MANIFEST = ".json"
_CHUNK = 1 << 18
_MOST_OPEN = 8


class Packed(msgspec.Struct, frozen=True):
    """A file in the archive: its name among the files of events, its own, and the size and digest of its lines."""

    name: str
    file: str
    size: int
    sha256: str


class ArchivedSegment(Segment):
    """A file in the archive, which is unpacked into a file without a name when it is read."""

    is_archived = True

    def __init__(self, path: Path, packed: Packed, unpacked: Unpacked, disk: Disk = DISK) -> None:
        super().__init__(path, packed.name, disk)
        self._packed = packed
        self._unpacked = unpacked

    def _opened(self) -> int:
        try:
            return self._unpacked.descriptor_of(self.path, self._packed)
        except FileNotFoundError:
            # Who brings an archive back removes the manifest first.
            if self.path.parent.with_name(self.path.parent.name + MANIFEST).exists():
                raise damaged_file(self.path, "it is not there") from None
            raise

    def size(self) -> int:
        """Return the length of its lines."""
        return self._packed.size

    def stamp(self) -> int:
        """Return 0: its lines have a checksum."""
        return 0


class ReadableSegment(ArchivedSegment):
    """A file in the archive that has no lines for whoever is told of its damage and goes on."""

    on_damage: OnDamagedFile

    def pieces(self, start: int, end: int | None = None, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines); see `Segment.pieces`."""
        with self._noting():
            yield from super().pieces(start, end, largest)

    def pieces_backwards(self, end: int, start: int = 0, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines), the last ones first; see `Segment.pieces_backwards`."""
        with self._noting():
            yield from super().pieces_backwards(end, start, largest)

    def lines_at(self, places: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        """Yield the bytes at each place, none where they cannot be read."""
        wanted = list(places)
        read = 0
        with self._noting():
            for line in super().lines_at(wanted):
                read += 1
                yield line
        yield from [b""] * (len(wanted) - read)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except EventStoreError as error:
            self.on_damage(self, error)


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
                    unpack_into(file, path, packed)
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


def unpack_into(file: IO[bytes], path: Path, packed: Packed) -> None:
    """Write what a compressed file holds to another one.

    Raises:
        EventStoreError: CORRUPT: it holds something else than the manifest says.
    """
    digest = sha256()
    for chunk in unpack(path):
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    if digest.hexdigest() != packed.sha256:
        raise damaged_file(path, "its contents are not those of which the manifest has the checksum")


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
        raise damaged_file(path, str(error)) from error


def pack(name: str, pieces: Iterable[bytes], path: Path, disk: Disk) -> Packed:
    """Compress lines and return what the manifest says of them, once they are on stable storage and were read back."""
    packing = compressor()
    disk.makedirs(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    unlink_quietly(temporary, disk)
    digest = sha256()
    size = 0
    fd = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for data in pieces:
            digest.update(data)
            size += len(data)
            write_all(fd, packing.compress(data), disk)
        write_all(fd, packing.flush(), disk)
        disk.fsync(fd)
    finally:
        close_quietly(fd, disk)
    disk.replace(temporary, path)
    disk.fsync_directory(path.parent)
    packed = Packed(name, path.name, size, digest.hexdigest())
    check = sha256()
    for chunk in unpack(path):
        check.update(chunk)
    if check.hexdigest() != packed.sha256:
        raise damaged_file(path, "it could not be read back as it was written")
    return packed


def damaged_file(path: Path, why: str) -> EventStoreError:
    """Return the error for a file of an archive that does not hold what was put into it."""
    return EventStoreError(
        StoreCode.CORRUPT,
        f"{path}: {why}",
        hint="put the file back from a copy; nothing else is lost",
        path=str(path),
        reason=why,
    )
