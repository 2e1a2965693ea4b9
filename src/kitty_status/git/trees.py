"""The tree objects of folders that hold regular files and nothing else, as the bytes that git hashes.

A snapshot names a log that is divided by writer by the tree of its shards. Hooks and drivers use this:
nothing that needs `re`, `pathlib` or `hashlib` is loaded.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_REGULAR_FILE = b"100644"


def tree_content(files: Mapping[str, str]) -> bytes:
    """Return the tree object of a folder with these files, {name: blob id}.

    Raises:
        ValueError: a name cannot be that of a file, or an id is none.
    """
    entries = sorted((os.fsencode(name), bytes.fromhex(oid)) for name, oid in files.items())
    for name, _ in entries:
        if not name or b"/" in name or b"\0" in name:
            raise ValueError(f"not a name of a file: {os.fsdecode(name)!r}")
    # Only folders would be sorted otherwise than by their bytes.
    return b"".join(b"%s %s\0%s" % (_REGULAR_FILE, name, oid) for name, oid in entries)


def files_in_tree(content: bytes, object_format: str) -> dict[str, str]:
    """Return {name: blob id} of what a tree object holds.

    Raises:
        ValueError: it is no tree, or it holds something else than regular files that cannot be executed.
    """
    size = 20 if object_format == "sha1" else 32
    files = {}
    at = 0
    while at < len(content):
        space, end = content.find(b" ", at), content.find(b"\0", at)
        oid = content[end + 1 : end + 1 + size]
        if not at < space < end or len(oid) < size:
            raise ValueError("this is no tree")
        name = os.fsdecode(content[space + 1 : end])
        if content[at:space] != _REGULAR_FILE:
            raise ValueError(f"{name} is no regular file")
        files[name] = oid.hex()
        at = end + 1 + size
    return files
