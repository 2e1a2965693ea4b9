"""The name git gives to a file's content, and to a folder of files. Apart, since hashlib costs half a start."""

from __future__ import annotations

import hashlib

from kitty_status.git.trees import tree_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PIECE = 1 << 18


def blob_oid(data: bytes, object_format: str) -> str:
    """Return the object id that git gives to a blob holding `data`.

    `object_format` is that of the repository, `sha1` or `sha256`.

    Raises:
        ValueError: git knows no such object format.
    """
    return _object_id(b"blob", data, object_format)


def tree_oid(files: Mapping[str, str], object_format: str) -> str:
    """Return the object id that git gives to a folder of regular files, {name: blob id}, that holds nothing else.

    `object_format` is as for `blob_oid`, and so are the blobs' ids.

    Raises:
        ValueError: git knows no such object format, a name cannot be that of a file, or an id is none.
    """
    return _object_id(b"tree", tree_content(files), object_format)


def _object_id(kind: bytes, data: bytes, object_format: str) -> str:
    if object_format not in {"sha1", "sha256"}:
        raise ValueError(f"unknown object format: {object_format!r}")
    digest = hashlib.new(object_format, b"%s %d\0" % (kind, len(data)), usedforsecurity=False)
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
