"""Writing a file that git may be reading at this very moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put `content` at `path` in one go, with the folders it needs.

    The file gets `mode`, or keeps the one it has. Where a link stands, what it leads to is replaced.

    Raises:
        OSError: the folder cannot be written to; the file is as it was.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".kitty-status-new")
    fresh.write_bytes(content)
    if mode is None and target.exists():
        mode = target.stat().st_mode & 0o7777
    if mode is not None:
        fresh.chmod(mode)
    fresh.replace(target)
