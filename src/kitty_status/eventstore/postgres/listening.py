"""Hearing of new events: one connection that listens, and a store that looks for itself while there is none."""

from __future__ import annotations

import logging
import select
import socket
import threading
from typing import TYPE_CHECKING

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.owning import Owner
from kitty_status.eventstore.postgres.driver import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.eventstore.postgres.connections import Server

_log = logging.getLogger(__name__)
_FOR_EVER = float(10**9)
# How long a connection waits at most before it looks whether the server is still there.
_LOOK_UP = 5.0


class Listener:
    """Calls `heard` with the head whenever PostgreSQL tells of a new one; it begins with the first who waits."""

    def __init__(self, server: Server, channel: str, head: str, heard: Callable[[int], object]) -> None:
        """Listen to a channel; `head` is the statement for the head, which is asked once when that has begun."""
        self._server = server
        self._channel = channel
        self._head = head
        self._heard = heard
        self._listens = threading.Event()
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._owner = Owner()
        # What ends the wait of the thread before PostgreSQL has anything to tell.
        self._ending, self._end = socket.socketpair()

    def listens(self) -> bool:
        """Say whether whoever waits now will be told; the first time, begin to listen."""
        if self._thread is None and self._owner.is_here:
            with self._starting:
                if self._thread is None and not self._closed.is_set():
                    self._thread = threading.Thread(target=self._listen, name="postgres listener", daemon=True)
                    self._thread.start()
        return self._listens.is_set()

    def close(self) -> None:
        """Stop listening."""
        with self._starting:
            if self._closed.is_set():
                return
            self._closed.set()
        self._end.send(b".")
        if self._thread is not None:
            self._thread.join()
        self._end.close()
        self._ending.close()

    def _listen(self) -> None:
        tries = attempts(_FOR_EVER)
        while next(tries, None) is not None and not self._closed.is_set():
            try:
                with self._server.connect() as connection:
                    connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(self._channel)))
                    tries = attempts(_FOR_EVER)
                    self._hear(connection)
            except psycopg.Error as error:
                _log.warning("%s: not listening, looking for new events instead: %s", self._server.name, error)
            finally:
                self._listens.clear()

    def _hear(self, connection: psycopg.Connection) -> None:
        self._listens.set()
        for row in connection.execute(self._head).fetchall():
            self._heard(row[0])
        while not self._closed.is_set():
            newest = max((int(notice.payload) for notice in connection.notifies(timeout=0)), default=0)
            if newest:
                self._heard(newest)
            select.select([connection.fileno(), self._ending.fileno()], [], [], _LOOK_UP)
