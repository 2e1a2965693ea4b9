"""The server UmaDB, which is in the wheel of its client, and what clients do there when they are asked.

Run by the interpreter of an environment that holds it, with a folder, it starts a server on the loopback and reads
lines: what to do and how often. `one` and `hundred` append, `conditional` appends under a condition; `crowd` and
`conditional-crowd` let as many callers as the second argument says append that many events each; `fill` appends
so many events in batches; `all`, `decoded` and `tag` read. It answers each with the seconds that it took.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASE = "umadb==0.7.8"
SCRIPT = Path(__file__)
_BATCH = 1000
_ANSWERS_WITHIN = 20


class _Server:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        program = Path(sys.executable).with_name("umadb")
        argv = [str(program), "--listen", f"127.0.0.1:{self.port}", "--db-path", str(folder / "uma.db")]
        with (folder / "uma.log").open("w") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + _ANSWERS_WITHIN
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class _Work:
    def __init__(self, port: int, callers: int) -> None:
        self._api = import_module("umadb")
        self._url = f"http://127.0.0.1:{port}"
        self._clients = [self._api.Client(self._url) for _ in range(callers)]
        self._client = self._clients[0]

    def _event(self, number: int) -> Any:
        # The same event as that of the other stores, by its number.
        data = json.dumps({"number": number, "text": "the review asks for a narrower lock"}).encode()
        return self._api.Event(f"T{number % 10}", data, [f"stream:s{number % 50}", f"issueId:{number % 500}"])

    def append(self, client: Any, number: int, after: int) -> int:
        del after
        return int(client.append([self._event(number)]))

    def append_if(self, client: Any, number: int, after: int) -> int:
        # Nobody else takes the seat; from the position on that the caller has seen.
        tag = f"seat:{number}-{time.monotonic_ns()}"
        query = self._api.Query([self._api.QueryItem(tags=[tag])])
        event = self._api.Event("T", b'{"number": 1, "text": "the review asks for a narrower lock"}', [tag])
        return int(client.append([event], self._api.AppendCondition(query, after)))

    def alone(self, client: Any, work: Any, times: int) -> None:
        after = 0
        for number in range(times):
            after = work(client, number, after)

    def together(self, work: Any, each: int) -> None:
        callers = [threading.Thread(target=self.alone, args=(client, work, each)) for client in self._clients]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

    def fill(self, events: int, at_once: int = _BATCH) -> None:
        for first in range(0, events, at_once):
            last = min(first + at_once, events)
            self._client.append([self._event(number) for number in range(first, last)])

    def read(self, query: Any, take: Any) -> None:
        for each in self._client.read(query):
            _ = each.position, take(each.event.data)

    def do(self, what: str, times: int) -> None:
        tag = self._api.Query([self._api.QueryItem(tags=["issueId:7"])])
        works: dict[str, Callable[[], object]] = {
            "one": lambda: self.alone(self._client, self.append, times),
            "conditional": lambda: self.alone(self._client, self.append_if, times),
            "crowd": lambda: self.together(self.append, times),
            "conditional-crowd": lambda: self.together(self.append_if, times),
            "hundred": lambda: self.fill(100 * times, 100),
            "fill": lambda: self.fill(times),
            "all": lambda: self.read(None, bytes),
            "decoded": lambda: self.read(None, json.loads),
            "tag": lambda: self.read(tag, bytes),
        }
        works[what]()


def _serve(folder: str, callers: str) -> None:
    server = _Server(Path(folder))
    try:
        work = _Work(server.port, int(callers))
        for line in sys.stdin:
            what, times = line.split()
            start = time.perf_counter()
            work.do(what, int(times))
            sys.stdout.write(f"{time.perf_counter() - start}\n")
            sys.stdout.flush()
    finally:
        server.stop()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
