"""Event stores by their URL."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from kitty_status.errors import NotFoundError
from kitty_status.eventstore.durability import Durability
from kitty_status.eventstore.errors import EventStoreError, StoreCode

if TYPE_CHECKING:
    from kitty_status.eventstore.protocol import EventStore

_HINT = "memory:, sqlite:PATH, jsonl:PATH?layout=daily or postgresql://HOST/DATABASE"
# Who logs in where, and with which password, is nothing for a message.
_LOGIN = re.compile(r"(?<=//)[^/?#]*(?=@)|(?<=password=)[^&]*")


def open_url(url: str) -> EventStore:
    """Open the event store that a URL names, and make it if it is not there.

    * `memory:` is a store in this process, gone with it
    * `sqlite:PATH` is a file; PATH may be relative, `~` is the home folder
    * `jsonl:PATH` is a file of lines; with `layout=daily` or `layout=per-day-and-stream`, a folder of them. What is
      damaged in it is an error, or with `on_damage=skip` a warning
    * `postgresql://HOST/DATABASE` is a database, by a URL as libpq takes it (extra `postgres`); besides libpq's own
      options, it takes `schema=NAME` and `replicas=URL URL`
    * options stand behind a question mark: `durability=always`, `batch(MS)` or `os`

    Raises:
        EventStoreError: VALIDATION_FAILED: the URL names no store. STORAGE_ERROR, CORRUPT: it cannot be opened.
    """
    scheme, colon, rest = url.partition(":")
    if scheme in _POSTGRES:
        return _open_postgres(url)
    if not colon or scheme not in _OPENERS:
        raise _no_store(url, f"{scheme!a} is no kind of event store")
    opener, known = _OPENERS[scheme]
    path, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = options.keys() - known
    if unknown:
        raise _no_store(url, f"{scheme} stores know no {', '.join(sorted(unknown))}")
    try:
        return opener(unquote(path), options)
    except ValueError as error:
        raise _no_store(url, str(error)) from error


def open_existing(url: str) -> EventStore:
    """Open the event store that a URL names, if it is there: no file is made.

    Raises:
        NotFoundError: there is none.
        EventStoreError: as `open_url`.
    """
    scheme, _, rest = url.partition(":")
    path = unquote(rest.partition("?")[0])
    if scheme in ("sqlite", "jsonl") and path and "\0" not in path and not _file(path).exists():
        raise NotFoundError(
            f"there is no event store at {_file(path)}", hint="name another one, or append an event first", path=path
        )
    return open_url(url)


def shown(url: str) -> str:
    """Return a URL without who logs in there."""
    return _LOGIN.sub("***", url)


def _open_memory(path: str, _options: dict[str, str]) -> EventStore:
    if path:
        raise ValueError("a store in memory has no path")
    store: EventStore = _class_of("memory", "MemoryEventStore")()
    return store


def _open_sqlite(path: str, options: dict[str, str]) -> EventStore:
    store: EventStore = _class_of("sqlite.store", "SqliteEventStore")(_file(path), durability=_durability(options))
    return store


def _open_postgres(url: str) -> EventStore:
    base, _, query = url.partition("?")
    options = parse_qsl(query, keep_blank_values=True)
    own = {name: value for name, value in options if name in _OF_POSTGRES}
    others = urlencode([pair for pair in options if pair[0] not in _OF_POSTGRES], quote_via=quote)
    arguments = {"schema": own["schema"]} if "schema" in own else {}
    store: EventStore = _class_of("postgres.store", "PostgresEventStore")(
        f"{base}?{others}" if others else base,
        replicas=own.get("replicas", "").split(),
        durability=_durability(own),
        **arguments,
    )
    return store


def _open_jsonl(path: str, options: dict[str, str]) -> EventStore:
    on_damage = options.get("on_damage", "raise")
    if on_damage not in ("raise", "skip"):
        raise ValueError(f"on_damage is {on_damage!a}, and may be raise or skip")
    store: EventStore = _class_of("jsonl.store", "JsonlEventStore")(
        _file(path),
        layout=options.get("layout", "single"),
        on_damage=on_damage,
        durability=_durability(options),
    )
    return store


def _class_of(module: str, name: str) -> Any:
    # Loaded by name: who opens one kind of store does not pay for the libraries of the others.
    return getattr(import_module(f"kitty_status.eventstore.{module}"), name)


def _file(path: str) -> Path:
    if not path:
        raise ValueError("it names no file")
    if "\0" in path:
        raise ValueError("no file has the character NUL in its name")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError("there is no such user, so no home folder") from error


def _durability(options: dict[str, str]) -> Durability:
    return Durability.parse(options.get("durability", "always"))


_POSTGRES = ("postgresql", "postgres")
_OF_POSTGRES = ("durability", "schema", "replicas")
_OPENERS = {
    "memory": (_open_memory, set[str]()),
    "sqlite": (_open_sqlite, {"durability"}),
    "jsonl": (_open_jsonl, {"durability", "layout", "on_damage"}),
}


def _no_store(url: str, why: str) -> EventStoreError:
    url = shown(url)
    return EventStoreError(StoreCode.VALIDATION_FAILED, f"{url!a} names no event store: {why}", hint=_HINT, url=url)
