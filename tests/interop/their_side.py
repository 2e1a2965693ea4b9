"""spec-kitty itself, in its own interpreter: answers each line of JSON on stdin with one on stdout.

It is run by the interpreter of the environment that `make interop` makes, so it loads nothing of ours.

* `{"call": [...], "cwd": ...}` runs a command of theirs and answers `{"code", "out"}`
* `{"snapshot": FOLDER}` answers `{"text"}`, the snapshot that their reducer gives; nothing is written
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    """Load spec-kitty once, then answer until stdin ends."""
    answers = sys.stdout
    # Whatever spec-kitty prints by itself must not stand between the answers.
    sys.stdout = sys.stderr
    app: Any = import_module("specify_cli").app
    runner: Any = import_module("typer.testing").CliRunner()
    reducer: Any = import_module("specify_cli.status.reducer")
    for line in sys.stdin:
        request = json.loads(line)
        if "call" in request:
            os.chdir(request["cwd"])
            done = runner.invoke(app, request["call"])
            answer = {"code": done.exit_code, "out": done.output, "error": repr(done.exception)}
        else:
            snapshot = reducer.materialize_snapshot(Path(request["snapshot"]))
            answer = {"text": reducer.materialize_to_json(snapshot)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
