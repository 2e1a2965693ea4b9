"""`store info`, `store events`, `store verify`: what an event store holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from kitty_status.cli.output import JsonOption, command, counted, say, say_json, say_json_rows
from kitty_status.cli.store_option import StoreOption, instant, opened
from kitty_status.errors import EXIT_DAMAGED, EXIT_DONE, EXIT_FINDINGS, UsageError
from kitty_status.eventstore.criteria import ANY
from kitty_status.eventstore.opening import shown
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.verifying import verify as verify_store
from kitty_status.status.visible import visible
from kitty_status.tracker.default_store import store_url

if TYPE_CHECKING:
    from kitty_status.eventstore.event import Event


@command
def info(url: StoreOption = None, json_output: JsonOption = False) -> None:
    """Say which event store it is, how many events it has, of which types, and what is in its archive.

    \b
    Examples:
      kitty-status store info
      kitty-status store info --store jsonl:events.jsonl --json
    """  # noqa: D301  \b keeps the lines of the help apart
    with opened(url) as store:
        head, types, archives = store.head(), store.get_event_types(), store.archives()
    place = shown(store_url(url))
    kind = place.partition(":")[0]
    if json_output:
        rows = [{name: getattr(each, name) for name in each.__struct_fields__} for each in archives]
        data = {"store": place, "kind": kind, "head": head, "types": types, "archives": rows}
        say_json("store-info", {**data, "archived": sum(each.events for each in archives)})
        return
    say(visible(place))
    archived = sum(each.events for each in archives)
    say(f"{counted(head, 'event')}, {archived} of them in {counted(len(archives), 'archive')}")
    if types:
        say(f"types: {visible(', '.join(types))}")
    for each in archives:
        held = counted(each.events, "event")
        say(f"archive {each.name}: {held}, {each.size} bytes in {each.packed}, sha256 {each.sha256}")


def _option(name: str, metavar: str, about: str) -> Any:
    return typer.Option(name, metavar=metavar, help=about)


@command
def events(
    url: StoreOption = None,
    types: Annotated[list[str] | None, _option("--type", "TYPE", "Only of this type, or these.")] = None,
    streams: Annotated[list[str] | None, _option("--stream", "STREAM", "Only of this stream, or these.")] = None,
    tags: Annotated[list[str] | None, _option("--tag", "KEY=VALUE", "Only with this tag, and each of these.")] = None,
    since: Annotated[
        str | None, _option("--since", "INSTANT", "Only what happened then or later; a day is its beginning, in UTC.")
    ] = None,
    until: Annotated[str | None, _option("--until", "INSTANT", "Only what happened before.")] = None,
    after: Annotated[int, _option("--after", "POSITION", "Only behind this position.")] = 0,
    before: Annotated[int | None, _option("--before", "POSITION", "Only before this position.")] = None,
    limit: Annotated[int | None, _option("--limit", "N", "Only so many.")] = None,
    order: Annotated[str, _option("--order", "ORDER", "Sort by position, timestamp or type.")] = "position",
    direction: Annotated[str, _option("--direction", "WAY", "asc or desc.")] = "asc",
    json_output: JsonOption = False,
) -> None:
    """Print events, one JSON object on each line; with --json, all of them in one document.

    \b
    Examples:
      kitty-status store events --stream session-7 --order timestamp
      kitty-status store events --tag issueId=12 --direction desc --limit 10 --json
    """  # noqa: D301  \b keeps the lines of the help apart
    query = EventQuery(
        types=types or ANY,
        streams=streams or ANY,
        tags=_tags(tags or []),
        start=instant(since) if since is not None else None,
        end=instant(until) if until is not None else None,
        after=after,
        before=before,
        limit=limit,
        order_by=order,
        direction=direction,
    )
    with opened(url) as store:
        rows = map(_row, store.stream_events(query))
        if json_output:
            say_json_rows("store-events", "events", rows)
            return
        for row in rows:
            say(json.dumps(row))


def _tags(given: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not (key and equals and value):
            raise UsageError(f"{each!a} is no tag", hint="write KEY=VALUE")
        found.setdefault(key, []).append(value)
    return found


def _row(event: Event) -> dict[str, Any]:
    # As JSON, its time is text; what is printed holds ASCII only, so nothing in it can disturb a terminal.
    content: dict[str, Any] = msgspec.to_builtins(event)
    return content


@command
def verify(url: StoreOption = None, json_output: JsonOption = False) -> int:
    """Read all events and archives, and report what is damaged or missing. Nothing is written.

    Exit 0 where everything is there, 1 where an event is missing, 7 where something cannot be read.

    \b
    Examples:
      kitty-status store verify
      kitty-status store verify --store sqlite:events.db --json
    """  # noqa: D301  \b keeps the lines of the help apart
    with opened(url) as store:
        found = verify_store(store)
    if json_output:
        rows = [
            {"code": flaw.code, "message": flaw.message, "hint": flaw.hint, "archive": flaw.archive}
            for flaw in found.flaws
        ]
        say_json("store-verify", {"events": found.events, "archives": found.archives, "findings": rows})
    else:
        for flaw in found.flaws:
            say(f"{flaw.code}: {visible(flaw.message)}")
            say(f"    hint: {visible(flaw.hint)}")
        flaws = counted(len(found.flaws), "finding")
        say(f"{counted(found.events, 'event')}, {counted(found.archives, 'archive')}: {flaws}")
    if found.is_damaged:
        return EXIT_DAMAGED
    return EXIT_FINDINGS if found.flaws else EXIT_DONE
