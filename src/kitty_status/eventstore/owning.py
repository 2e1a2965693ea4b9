"""Whose a store is: the process's that opened it.

A forked child has copies of its parent's locks, which threads may hold that did not come along, and of its files and
connections, in the middle of whatever was done with them. So it uses nothing of a store that its parent has opened,
and gives nothing of it back.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from kitty_status.eventstore.errors import EventStoreError, StoreCode, closed

if TYPE_CHECKING:
    from types import TracebackType


class _Process:
    """This process; asking the system for its number at every append would cost more."""

    current = object()


class Owner:
    """The process in which this was made."""

    __slots__ = ("_process",)

    def __init__(self) -> None:
        self._process = _Process.current

    @property
    def is_here(self) -> bool:
        """Whether it is this one."""
        return self._process is _Process.current

    def refuse_others(self) -> None:
        """Refuse to work in any other.

        Raises:
            EventStoreError: STORAGE_ERROR.
        """
        if self._process is not _Process.current:
            raise EventStoreError(
                StoreCode.STORAGE_ERROR,
                "the store was opened before this process was forked",
                hint="open it again here",
            )


class Owned(ABC):
    """What one process opens, uses and closes."""

    def __init__(self) -> None:
        self._owner = Owner()
        self.is_closed = False

    @abstractmethod
    def close(self) -> None:
        """Finish, and give everything back."""

    def _refuse_if_closed(self) -> None:
        self._owner.refuse_others()
        if self.is_closed:
            raise closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Connection(sqlite3.Connection):
    """A connection to SQLite that a forked child never closes, not even by ending.

    Closing it there would undo what the parent has under way (https://www.sqlite.org/howtocorrupt.html, 2.6).
    """

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        _connections.add(self)


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


def _in_child() -> None:
    _Process.current = object()
    for connection in _connections:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


if hasattr(os, "register_at_fork"):  # pragma: no branch (windows)
    os.register_at_fork(after_in_child=_in_child)
