"""Logs that a merge or a crash left in ruins, made by the real git; and the mending of them, held to its promises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from commandline import ask, tree
from features import FEATURE, LOG, SNAPSHOT, blob, declare, event_line, install, log_of, numbers_in
from gitrepo import GitRepo
from kitty_status import materialize
from kitty_status.tracker.features import feature_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from commandline import Answer

SHARDS = f"{FEATURE}/status.events.d"
SHARED, ADA, BOB = (f"{SHARDS}/{writer}.jsonl" for writer in ("shared", "ada", "bob"))

# The slug of the feature of these tests is none that may be typed as a name; a path may be.
PATH = f"./{FEATURE}"
FAILING = "failing"
STYLES = ("merge", "diff3", "zdiff3")
HOWS = (FAILING, *STYLES)

# Where the two branches write which event; where none of these says, the one file.
IN_ONE_FILE: dict[int, str] = {}
BY_WRITER = {1: SHARED, 2: ADA, 3: SHARED, 4: SHARED, 5: BOB, 6: ADA}
DIVIDED_BY_THEM = {3: SHARED, 5: BOB}
DIVIDED_BY_US = {4: SHARED, 6: ADA}
PUT_TOGETHER_BY_THEM = {1: SHARED, 2: ADA, 4: SHARED, 6: ADA}
LAYOUTS = {
    "one file": IN_ONE_FILE,
    "by writer": BY_WRITER,
    "divided by them": DIVIDED_BY_THEM,
    "divided by us": DIVIDED_BY_US,
    "put together by them": PUT_TOGETHER_BY_THEM,
}


def merged_how(repo: GitRepo, how: str) -> None:
    """Have logs merged by a driver that fails, or as text in a conflict style."""
    folder = repo.git("rev-parse", "--git-common-dir")
    kind = "failing" if how == FAILING else "text"
    repo.write(f"{folder}/info/attributes", f"*.jsonl merge={kind}\nstatus.json merge=binary\n")
    if how == FAILING:
        repo.git("config", "merge.failing.driver", "false")
    else:
        repo.git("config", "merge.conflictStyle", how)


def two_branches(
    folder: Path, how: str, *, shared: tuple[int, ...] = (1, 2), layout: dict[int, str] = IN_ONE_FILE
) -> GitRepo:
    """Return a repository with 3 and 5 on `theirs`, 4 and 6 on `ours`, where it stands, and logs merged so."""
    repo = GitRepo.init(folder)
    declare(repo)
    if shared:
        record_in(repo, layout, *shared)
    for name, numbers in (("theirs", (3, 5)), ("ours", (4, 6))):
        repo.git("checkout", "-q", "-b", name, "main")
        convert_for(repo, layout, numbers[0])
        for number in numbers:
            record_in(repo, layout, number)
    merged_how(repo, how)
    return repo


def record_in(repo: GitRepo, layout: dict[int, str], *numbers: int) -> None:
    """Write events into the files that they belong into by the layout, materialize and commit."""
    for number in numbers:
        repo.append(layout.get(number, LOG), event_line(number))
    materialize(repo.path / FEATURE)
    repo.commit(f"events {numbers}")


def convert_for(repo: GitRepo, layout: dict[int, str], number: int) -> None:
    """Give the log the layout that it has to have for an event, as `convert` does, in a commit of its own."""
    wanted = "single" if layout.get(number, LOG) == LOG else "per-writer"
    if log_files(repo) and wanted != feature_at(repo.path / FEATURE).log.layout:
        assert ask(repo.path, "convert", PATH, "--to", wanted).code == 0
        repo.commit("converted")


def conflict(repo: GitRepo, *command: str) -> None:
    """Run a git command that must end in a conflict about the log."""
    assert repo.run(*command).returncode
    assert repo.git("ls-files", "--unmerged", "--", LOG, SHARDS)


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


def log_files(repo: GitRepo) -> dict[str, bytes]:
    """Return {path: content} of the feature's log files, in the order in which they are read."""
    files = feature_at(repo.path / FEATURE).log.files()
    return {file.relative_to(repo.path).as_posix(): file.read_bytes() for file in files}


def committed_files(repo: GitRepo, revision: str = "HEAD") -> dict[str, bytes]:
    """Return {path: content} of the feature's log files in a commit, in the index where `revision` is empty."""
    listed = ["ls-tree", "-r", "-z", "--name-only", revision, "--"] if revision else ["ls-files", "-z", "--"]
    paths = [path for path in repo.git(*listed, FEATURE).split("\0") if path.endswith(".jsonl")]
    return {path: blob(repo, path, revision) for path in sorted(paths, key=lambda path: (path != LOG, path))}


def numbers(repo: GitRepo) -> list[int]:
    return [number for data in log_files(repo).values() for number in numbers_in(data)]


def originals(repo: GitRepo) -> list[bytes]:
    folder = Path(repo.git("rev-parse", "--path-format=absolute", "--git-common-dir"), "kitty-status/quarantine")
    return [path.read_bytes() for path in sorted(folder.glob("*.original"))]


def snapshot_of(files: dict[str, bytes], folder: Path) -> bytes:
    """Return what `materialize` writes for these log files, in a repository at `folder` made for it."""
    repo = GitRepo.init(folder)
    for path, data in files.items():
        repo.write(path, data)
    materialize(repo.path / FEATURE)
    return repo.read(SNAPSHOT)


def assert_committed(repo: GitRepo, tmp_path: Path, *expected: int) -> None:
    """Commit what is staged, past our own hook, and look at what came of it."""
    install(repo)
    repo.git("-c", "core.editor=true", "commit", "-q", "--no-edit", "-m", "merged")
    files = committed_files(repo)
    assert sorted({number for data in files.values() for number in numbers_in(data)}) == list(expected)
    assert blob(repo, SNAPSHOT) == snapshot_of(files, tmp_path / "reduced")
    assert repo.git("status", "--porcelain") == ""


def refusal(repo: GitRepo, *args: str) -> Answer:
    before = tree(repo.path / "kitty-specs")
    answers = [ask(repo.path, "resolve", *args, *dry, "--json") for dry in ((), ("--dry-run",))]
    assert answers[0].code == answers[1].code
    assert answers[0].error["hint"]
    assert tree(repo.path / "kitty-specs") == before
    return answers[0]
