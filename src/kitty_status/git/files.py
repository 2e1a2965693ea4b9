"""Writing files that are git's, or that git reads, at the place where they really lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.jsonl.replace import replace_file

if TYPE_CHECKING:
    from pathlib import Path


def replace_linked_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put `content` at `path` in one step, with the folders it needs.

    The file gets `mode`, or keeps the one it has. Where a link stands, what it leads to is replaced:
    people keep hooks and attributes in folders of their own and link to them.

    Raises:
        OSError: the operating system refused; the file is as it was.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, content, mode=mode)
