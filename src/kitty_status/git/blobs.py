"""The name git gives to a file's content. Apart, since hashlib costs half an interpreter's start."""

from __future__ import annotations

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_PIECE = 1 << 18


def blob_oid(data: bytes, object_format: str) -> str:
    """Return the object id that git gives to a blob holding `data`.

    `object_format` is that of the repository, `sha1` or `sha256`.

    Raises:
        ValueError: git knows no such object format.
    """
    if object_format not in {"sha1", "sha256"}:
        raise ValueError(f"unknown object format: {object_format!r}")
    digest = hashlib.new(object_format, b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def file_oid(path: Path, object_format: str) -> str:
    """Return the object id that git gives to the content of the file at `path`, reading it piece by piece.

    Raises:
        OSError: the file cannot be read.
        ValueError: git knows no such object format.
    """
    if object_format not in {"sha1", "sha256"}:
        raise ValueError(f"unknown object format: {object_format!r}")
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        digest = hashlib.new(object_format, b"blob %d\0" % size, usedforsecurity=False)
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
