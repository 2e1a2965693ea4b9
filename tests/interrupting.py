"""Calls that a person interrupts, at each moment at which Python would notice it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_MOMENTS = ("call", "c_return")


def interrupted(work: Callable[[], object], moment: int) -> bool:
    """Raise KeyboardInterrupt at the `moment`th chance in a call; say whether it took that long.

    The interpreter looks for signals where a function of Python begins, and where one of C has returned; there, what
    is raised takes the way that it takes when a person presses Ctrl-C.
    """
    passed = 0

    def look(_: FrameType, event: str, __: object) -> None:
        nonlocal passed
        passed += event in _MOMENTS
        if passed == moment:
            sys.setprofile(None)
            raise KeyboardInterrupt

    try:
        sys.setprofile(look)
        work()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return passed >= moment
