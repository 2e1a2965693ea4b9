"""Stories: files of commands and what they print, run against the real program and compared line by line.

A story reads from top to bottom. Its first line says what it is about. What stands at the left margin is for the
reader; what is indented by four spaces is run and compared:

    $ kitty-status emit WP01 --to claimed --actor ada
    ---
    moved WP01: planned to claimed in 001-login (<id 1>)

Commands begin with `$ `, and `> ` continues one. Behind `---` stands what they print: stdout, then stderr with `2> `
before each line, then the exit code in brackets where it is not 0. A step without `---` prints nothing and ends with 0.

A story begins in a new repository on the branch `001-login`, with the empty folder `kitty-specs/001-login`.

Only what this run made up is masked: ids and times of now, the names of git's objects, and where the repository stands.
They are numbered, so that the same id is the same number throughout a story. How to commit, which every write says on
stderr (`next: git add …`, `next: git commit …`), is left out.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ulid import ULID

from commandline import ask
from gitrepo import GitRepo

MARGIN = "    "
COMMAND, FURTHER, RULE = "$ ", "> ", "---"
BRANCH = "001-login"
_ADVICE = ("next: git add ", "next: git commit ")
_SHELL = set("|&;<>()*?[~{\n")
_SHELL_IN_QUOTES = set("$`\\")
_MASKED = re.compile(
    r"(?P<id>\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<hash>\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b|(?<=-)[0-9a-f]{8}(?=\.(?:lines|original)\b))"
)
"""What may differ from run to run; `_is_of_this_run` says whether it does."""


@dataclass
class Step:
    """Commands, and what they are expected to print together."""

    commands: list[str]
    expected: list[str]

    @property
    def text(self) -> str:
        """The step as a story has it."""
        lines = [
            (FURTHER if number else COMMAND) + line
            for command in self.commands
            for number, line in enumerate(command.split("\n"))
        ]
        lines += [RULE, *self.expected] if self.expected else []
        return "".join(f"{MARGIN}{line}".rstrip() + "\n" for line in lines)


@dataclass
class Story:
    """A story's parts in their order: prose as it stands, and steps."""

    parts: list[str | Step]

    @property
    def text(self) -> str:
        """The story as a file."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)


def read_story(text: str) -> Story:
    """Take a story apart.

    Raises:
        ValueError: A line is indented, but belongs to no command.
    """
    parts: list[str | Step] = []
    step: Step | None = None
    is_output = False
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        content = line.removeprefix(MARGIN).removesuffix("\n")
        if step is not None and not line.strip() and is_output and _goes_on(lines[number + 1 :]):
            step.expected.append("")
        elif not line.startswith(MARGIN):
            step = None
            parts.append(line)
        elif content.startswith(COMMAND):
            if step is None or is_output:
                step, is_output = Step([], []), False
                parts.append(step)
            step.commands.append(content.removeprefix(COMMAND))
        elif step is None:
            raise ValueError(f"line {number + 1} belongs to no command: {content}")
        elif is_output:
            step.expected.append(content)
        elif content == RULE:
            is_output = True
        elif content.startswith(FURTHER.rstrip()):
            step.commands[-1] += "\n" + content.removeprefix(FURTHER.rstrip()).removeprefix(" ")
        else:
            raise ValueError(f"line {number + 1} stands between a command and its {RULE}: {content}")
    return Story(parts)


def _goes_on(lines: list[str]) -> bool:
    following = next((line for line in lines if line.strip()), "")
    return following.startswith(MARGIN) and not following.startswith(MARGIN + COMMAND)


@dataclass
class Teller:
    """Runs the steps of one story in a repository below `folder`."""

    folder: Path
    began: float = field(default_factory=time.time)
    names: dict[str, str] = field(default_factory=dict)

    def tell(self, story: Story) -> Story:
        """Return the story as it goes with the program as it is."""
        repo = GitRepo.init(self.folder / "repo", branch=BRANCH)
        (repo.path / "kitty-specs" / BRANCH).mkdir(parents=True)
        self.began, self.names = time.time(), {}
        return Story([part if isinstance(part, str) else self._step(repo, part, story.text) for part in story.parts])

    def _step(self, repo: GitRepo, step: Step, told: str) -> Step:
        given = "\n".join(line for line in told.splitlines() if line.startswith((MARGIN + COMMAND, MARGIN + FURTHER)))
        seen: list[str] = []
        for command in step.commands:
            code, out, err = _run(repo, command)
            seen += out.split("\n")[: None if out and not out.endswith("\n") else -1]
            seen += [f"2> {line}" for line in err.splitlines() if not line.startswith(_ADVICE)]
            seen += [f"[{code}]"] if code else []
        return Step(step.commands, [self._masked(line.rstrip(), given) for line in seen])

    def _masked(self, line: str, given: str) -> str:
        def name(match: re.Match[str]) -> str:
            kind, found = str(match.lastgroup), match.group()
            if found in given or not self._is_of_this_run(kind, found):
                return found
            for known, its_name in self.names.items():
                if kind == "hash" and (known.startswith(found) or found.startswith(known)):
                    return its_name  # git abbreviates
            number = sum(each.startswith(f"<{kind}") for each in self.names.values()) + 1
            return self.names.setdefault(found, f"<{kind} {number}>")

        return _MASKED.sub(name, line.replace(str(self.folder), "<folder>"))

    def _is_of_this_run(self, kind: str, found: str) -> bool:
        if kind == "id":
            return abs(ULID.from_str(found).timestamp - self.began) < timedelta(hours=1).total_seconds()
        if kind == "time":
            today = datetime.fromtimestamp(self.began, UTC).date()
            return found[:10] in {str(today), str(today + timedelta(days=1))}
        return True


def _run(repo: GitRepo, command: str) -> tuple[int, str, str]:
    """Run one command: the program in this process where no shell is needed, which is what keeps many stories fast."""
    words = [] if _needs_shell(command) else shlex.split(command)
    if words[:1] == ["kitty-status"]:
        answer = ask(repo.path, *words[1:])
        return answer.code, answer.out, answer.err
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=repo.path, capture_output=True, check=False, env={**os.environ, "PATH": path}
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def _needs_shell(command: str) -> bool:
    bare = re.sub(r"'[^']*'", "", command)
    return bool(_SHELL_IN_QUOTES & set(bare) or _SHELL & set(re.sub(r'"[^"]*"', "", bare)))
