"""A way to a PostgreSQL server that can be cut: in front of what the client sends, or of what the server answers."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg

if TYPE_CHECKING:
    from types import TracebackType


class Proxy:
    """Passes on what clients and the server say.

    * `answers_until_cut`: so many pieces of what the server says are still passed on; the one after that is lost, and
      the connection with it. None for all
    * `refuses`: new connections are closed at once
    """

    def __init__(self, dsn: str) -> None:
        told = psycopg.conninfo.conninfo_to_dict(dsn)
        host, port = str(told["host"]), int(told.get("port") or 5432)
        self._server = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
        self._folder = tempfile.mkdtemp(prefix="kspx-", dir="/tmp")
        self.dsn = psycopg.conninfo.make_conninfo(dsn, host=self._folder)
        self.answers_until_cut: int | None = None
        self.refuses = False
        self.cuts = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(f"{self._folder}/.s.PGSQL.{told.get('port', 5432)}")
        self._listening.listen(64)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuses = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut_all()
        for thread in self._threads:
            thread.join(10)
        shutil.rmtree(Path(self._folder), ignore_errors=True)

    def cut_all(self) -> None:
        """Cut every connection."""
        with self._lock:
            for each in self._open:
                _shut(each)

    def _start(self, run: object, *arguments: object) -> None:
        assert callable(run)
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.refuses:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET)
            try:
                server.connect(self._server)
            except OSError:
                client.close()
                server.close()
                continue
            with self._lock:
                self._open |= {client, server}
            self._start(self._pass_on, client, server, False)
            self._start(self._pass_on, server, client, True)

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        try:
            while (piece := source.recv(65536)) and not (answers and self._is_cut_now()):
                target.sendall(piece)
        except OSError:
            pass
        _shut(source)
        _shut(target)
        if answers:
            # Both ways share the two sockets; the one that hears the server closes them, when the other has ended.
            with self._lock:
                self._open -= {source, target}
            source.close()
            target.close()

    def _is_cut_now(self) -> bool:
        with self._lock:
            if self.answers_until_cut is None:
                return False
            if self.answers_until_cut > 0:
                self.answers_until_cut -= 1
                return False
            self.answers_until_cut = None
            self.cuts += 1
            return True


def _shut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
