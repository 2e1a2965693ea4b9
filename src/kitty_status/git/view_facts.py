"""What the merged log says about the generated parts of a view, as far as that is known while git merges."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kitty_status.status.view_merging import Versions


class Facts:
    """The section and the lane that the merge is to have, empty where that is not known."""

    __slots__ = ("is_generated", "lane", "section")

    def __init__(self, *, section: bytes = b"", lane: bytes = b"", is_generated: bool = True) -> None:
        self.section = section
        self.lane = lane
        self.is_generated = is_generated


def facts_about(path: str, versions: Versions) -> Facts:
    """Return what is known about a view at a path from the top of the work tree."""
    return Facts()
