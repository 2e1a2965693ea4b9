"""The JSON Schemas (draft 2020-12) of what kitty-status stores and prints, made from the models.

A new kind of `--json` answer gets a model in this package and a line in `KINDS`; the tests hold every answer to it.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema

from kitty_status.cli.answers import checks, moves, places, stores, views
from kitty_status.cli.answers.failures import Error
from kitty_status.cli.answers.part import Part
from kitty_status.cli.answers.stored import SnapshotFile
from kitty_status.cli.output import SCHEMA_VERSION
from kitty_status.status.events import StatusEvent

KINDS: dict[str, tuple[Any, str]] = {
    "archive": (places.Relocated, "archive"),
    "archived": (list[places.Archived], "archive --list"),
    "audit": (checks.Audited, "audit"),
    "cleanup": (places.CleanedUp, "cleanup"),
    "codes": (dict[str, list[str]], "explain"),
    "convert": (list[places.Converted], "convert"),
    "diff": (views.Diff, "diff"),
    "discard": (moves.Discarded, "discard"),
    "doctor": (checks.Examined, "doctor"),
    "emit": (moves.Moved | moves.MovedInFile, "emit"),
    "explanation": (list[checks.Page], "explain CODE"),
    "features": (views.Features, "show, without a feature"),
    "features-worktrees": (views.FeaturesWorktrees, "show --worktrees, without a feature"),
    "findings": (list[checks.Validated], "validate"),
    "init": (places.Initialized, "init"),
    "install": (places.Installed, "install"),
    "install-status": (places.InstallStatus, "install --status"),
    "lanes": (views.Lanes, "lanes"),
    "log": (views.Log, "log"),
    "materialize": (list[checks.Materialized], "materialize"),
    "migration": (list[moves.Migrated], "migrate"),
    "phase": (list[views.FeaturePhase], "phase"),
    "reconcile": (moves.Reconciled, "reconcile"),
    "reconcile-journal": (moves.ReconciledJournal, "reconcile-journal"),
    "release": (moves.Moved, "release"),
    "rename": (places.Relocated, "rename"),
    "resolve": (list[checks.Resolved], "resolve"),
    "revert": (moves.Reverted, "revert"),
    "schema": (dict[str, Any], "schema NAME"),
    "schema-files": (places.SchemaFiles, "schema --all"),
    "schemas": (list[places.SchemaName], "schema"),
    "show": (views.Shown | views.ShownByFiles, "show FEATURE"),
    "show-worktrees": (views.ShownWorktrees, "show FEATURE --worktrees"),
    "store-compact": (stores.StoreCompacted, "store compact"),
    "store-events": (stores.StoreEvents, "store events"),
    "store-info": (stores.StoreInfo, "store info"),
    "store-restore": (stores.StoreRestored, "store restore"),
    "store-verify": (stores.StoreVerified, "store verify"),
    "sync-base": (places.Synced, "sync-base"),
    "take-over": (moves.Moved, "take-over"),
    "unarchive": (places.Relocated, "unarchive"),
    "uninstall": (places.Uninstalled, "uninstall"),
    "worktrees": (views.Worktrees, "worktrees"),
}
"""Every `kind` of an answer to `--json`: what its `data` is, and the command line that is answered with it."""


DOCUMENTS: dict[str, tuple[Any, str]] = {
    "event": (StatusEvent, "an event, as a line of a log holds it"),
    "snapshot": (SnapshotFile, "a snapshot, status.json"),
    "error": (Error, "what a command that fails prints on stderr with --json"),
}
"""What else has a schema, and what it is."""


class _Generator(GenerateJsonSchema):
    """Names no titles for keys, and no defaults: a key that is left out has no value."""

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """Return what describes the value, without its default."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  as pydantic calls it
        """Say no: the title would be the key once more."""
        return False


def names() -> dict[str, str]:
    """Return the name of every schema and what it describes: the documents first, then the kinds of answers."""
    about = {name: what for name, (_, what) in DOCUMENTS.items()}
    return about | {kind: f"the answer to `{call}` with --json" for kind, (_, call) in KINDS.items()}


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document or of the whole answer of a kind.

    Raises:
        KeyError: there is none of that name.
    """
    model = DOCUMENTS[name][0] if name in DOCUMENTS else _envelope(name)
    content = TypeAdapter(model).json_schema(schema_generator=_Generator)
    about = {"title": name, "description": names()[name]}
    return {"$schema": _Generator.schema_dialect, **content, **about}


def _envelope(kind: str) -> Any:
    data, _ = KINDS[kind]
    return create_model(
        kind,
        __base__=Part,
        schema_version=(int, Field(json_schema_extra={"const": SCHEMA_VERSION})),
        kind=(str, Field(json_schema_extra={"const": kind})),
        data=(data, ...),
        warnings=(list[str], ...),
        next=(list[str], Field(description="Commands that a caller may want to run.")),
    )
