"""`schema`: the JSON Schemas of what is stored and printed."""

from __future__ import annotations

import json
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from kitty_status.cli.output import JsonOption, command, say, say_json
from kitty_status.errors import NotFoundError, UsageError
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.visible import visible


@command
def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="event, snapshot, error, or the kind of an answer to --json.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--all", metavar="FOLDER", help="Write all of them there, as NAME.json.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="With --all: say what would be written, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Print the JSON Schema (draft 2020-12) of an event, a snapshot, an error or an answer to --json.

    Without a name, list them. They are made from the models that the tests hold every answer to.

    \b
    Examples:
      kitty-status schema
      kitty-status schema event
      kitty-status schema emit --json
    """  # noqa: D301  \b keeps the lines of the help apart
    if name is not None and folder is not None:
        raise UsageError("a name and --all exclude each other", hint="leave one of them out")
    if dry_run and folder is None:
        raise UsageError("--dry-run is for --all", hint="without it, nothing is written anyway")
    # Loaded by name: the models take longer to load than all other commands together, and --help lists this one.
    schemas: Any = import_module("kitty_status.cli.answers.schemas")
    names: dict[str, str] = schemas.names()
    if folder is not None:
        _write({each: schemas.schema_of(each) for each in names}, folder, dry_run=dry_run, json_output=json_output)
    elif name is None:
        _list(names, json_output=json_output)
    else:
        if name not in names:
            near = get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "`kitty-status schema` lists all of them"
            raise NotFoundError(f"there is no schema {name!a}", hint=hint, nearest=near)
        content = schemas.schema_of(name)
        if json_output:
            say_json("schema", content)
        else:
            say(_rendered(content))


def _list(names: dict[str, str], *, json_output: bool) -> None:
    if json_output:
        say_json("schemas", [{"name": name, "about": about} for name, about in names.items()])
        return
    width = max(len(name) for name in names)
    for name, about in names.items():
        say(f"{name:<{width}}  {about}")


def _write(schemas: dict[str, dict[str, Any]], folder: Path, *, dry_run: bool, json_output: bool) -> None:
    if not folder.is_dir():
        raise NotFoundError(f"there is no folder {folder}", hint="make it first, or name another one")
    files = []
    for name, content in schemas.items():
        path, data = folder / f"{name}.json", f"{_rendered(content)}\n".encode()
        action = "create" if not path.exists() else "keep" if path.read_bytes() == data else "update"
        if action != "keep" and not dry_run:
            replace_file(path, data)
        files.append({"path": str(path), "action": action})
    if json_output:
        say_json("schema-files", {"dry_run": dry_run, "files": files})
        return
    for each in files:
        would = "would " if dry_run and each["action"] != "keep" else ""
        say(f"{would}{each['action']} {visible(each['path'])}")


def _rendered(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True)
