"""A typer command that does nothing: what every command of ours is measured against."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False)


@app.command()
def nothing() -> None:
    """Do nothing."""


if __name__ == "__main__":
    app()
