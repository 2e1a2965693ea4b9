"""Logs that a merge or a crash left in ruins, made by the real git; and the mending of them, held to its promises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from commandline import ask, tree
from features import FEATURE, LOG, SNAPSHOT, blob, declare, install, log_of, numbers_in, record, reduction
from gitrepo import GitRepo

if TYPE_CHECKING:
    from collections.abc import Callable

    from commandline import Answer

# The slug of the feature of these tests is none that may be typed as a name; a path may be.
PATH = f"./{FEATURE}"
FAILING = "failing"
STYLES = ("merge", "diff3", "zdiff3")
HOWS = (FAILING, *STYLES)


def merged_how(repo: GitRepo, how: str) -> None:
    """Have logs merged by a driver that fails, or as text in a conflict style."""
    folder = repo.git("rev-parse", "--git-common-dir")
    kind = "failing" if how == FAILING else "text"
    repo.write(f"{folder}/info/attributes", f"status.events.jsonl merge={kind}\nstatus.json merge=binary\n")
    if how == FAILING:
        repo.git("config", "merge.failing.driver", "false")
    else:
        repo.git("config", "merge.conflictStyle", how)


def two_branches(folder: Path, how: str, *, shared: tuple[int, ...] = (1, 2)) -> GitRepo:
    """Return a repository with 3 and 5 on `theirs`, 4 and 6 on `ours`, where it stands, and logs merged so."""
    repo = GitRepo.init(folder)
    declare(repo)
    if shared:
        record(repo, *shared)
    for name, numbers in (("theirs", (3, 5)), ("ours", (4, 6))):
        repo.git("checkout", "-q", "-b", name, "main")
        for number in numbers:
            record(repo, number)
    merged_how(repo, how)
    return repo


def conflict(repo: GitRepo, *command: str) -> None:
    """Run a git command that must end in a conflict about the log."""
    assert repo.run(*command).returncode
    assert repo.git("ls-files", "--unmerged", "--", LOG)


def damaged(line: bytes, how: str) -> bytes:
    """Return a whole line as an accident leaves it; only `torn` loses the event."""
    return DAMAGE[how](line)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "torn": lambda line: line[: len(line) // 2] + b"\n",
    "glued": lambda line: line[:-1] + log_of(90),
    "glued to a piece of another": lambda line: line[:-1] + b'{"actor": "ad\n',
    "behind a piece of another": lambda line: b'{"actor": "ad' + line,
    "carriage return": lambda line: line[:-1] + b"\r\n",
    "NUL behind": lambda line: line[:-1] + b"\0\0\0\n",
    "NUL in front": lambda line: b"\0\0" + line,
    "byte order mark": lambda line: b"\xef\xbb\xbf" + line,
    "no UTF-8 behind": lambda line: line[:-1] + b"\xff\xfe\n",
}


def resolve(repo: GitRepo, *args: str, code: int = 0, target: str = PATH) -> Any:
    """Say what would be done, do it, and do it again, which must change nothing; return what was done."""
    before = tree(repo.path / FEATURE)
    announced = ask(repo.path, "resolve", target, *args, "--dry-run", "--json")
    assert tree(repo.path / FEATURE) == before
    answer = ask(repo.path, "resolve", target, *args, "--json")
    assert (announced.code, answer.code) == (code, code), answer
    done, would = answer.data[0], announced.data[0]
    for key in ("changes", "conflicts", "unmerged", "is_needed", "elsewhere"):
        assert done[key] == would[key]
    if done["is_needed"]:
        assert_mended(repo, code)
    after, index = tree(repo.path / FEATURE), repo.git("ls-files", "--stage")
    again = ask(repo.path, "resolve", target, *args, "--json")
    assert again.code == code
    assert again.data[0]["changes"] == []
    assert (tree(repo.path / FEATURE), repo.git("ls-files", "--stage")) == (after, index)
    return done


def assert_mended(repo: GitRepo, code: int = 0) -> None:
    """Hold the work tree to the promise: a log without damage, and its exact snapshot."""
    validated = ask(repo.path, "validate", PATH, "--json")
    codes = {finding["code"] for finding in validated.data[0]["findings"] if finding["severity"] == "error"}
    assert codes & {"damaged-line", "invalid-event", "snapshot-drift"} == set()
    assert ("conflicting-event" in codes) is bool(code)


def numbers(repo: GitRepo) -> list[int]:
    return numbers_in(repo.read(LOG))


def originals(repo: GitRepo) -> list[bytes]:
    folder = Path(repo.git("rev-parse", "--path-format=absolute", "--git-common-dir"), "kitty-status/quarantine")
    return [path.read_bytes() for path in sorted(folder.glob("*.original"))]


def assert_committed(repo: GitRepo, tmp_path: Path, *expected: int) -> None:
    """Commit what is staged, past our own hook, and look at what came of it."""
    install(repo)
    repo.git("-c", "core.editor=true", "commit", "-q", "--no-edit", "-m", "merged")
    assert sorted(numbers_in(blob(repo, LOG))) == list(expected)
    assert blob(repo, SNAPSHOT) == reduction(blob(repo, LOG), tmp_path / "reduced")
    assert repo.git("status", "--porcelain") == ""


def refusal(repo: GitRepo, *args: str) -> Answer:
    before = tree(repo.path / "kitty-specs")
    answers = [ask(repo.path, "resolve", *args, *dry, "--json") for dry in ((), ("--dry-run",))]
    assert answers[0].code == answers[1].code
    assert answers[0].error["hint"]
    assert tree(repo.path / "kitty-specs") == before
    return answers[0]
