"""Whatever has become of the tool, git's merge of a log keeps both sides and a snapshot never lies."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitrepo import GitRepo
from kitty_status import version
from kitty_status.errors import ConfigurationError
from kitty_status.git.attributes import LOCAL, add_block
from kitty_status.git.drivers import bootstrap, driver_command, driver_sections, interpreter

LOG = "kitty-specs/a b/it's é/status.events.jsonl"
SNAPSHOT = "kitty-specs/a b/it's é/status.json"


def diverge(repo: GitRepo, *, log: tuple[str, str, str] = ("0\n", "0\nours\n", "0\ntheirs\n")) -> None:
    """Make two branches that both changed the log and the snapshot, and stay on ours."""
    base, ours, theirs = log
    for branch, text in (("base", base), ("theirs", theirs), ("ours", ours)):
        if branch != "base":
            repo.git("checkout", "-q", "-B", branch, "base")
        else:
            repo.branch("base")
        repo.write(LOG, text)
        repo.write(SNAPSHOT, f'"{branch}"\n')
        repo.commit(branch)


def configure(repo: GitRepo) -> None:
    repo.write(".git/info/attributes", add_block(None, LOCAL))
    for section, values in driver_sections().items():
        for key, value in values.items():
            repo.git("config", f"{section}.{key}", value)


@pytest.fixture
def _no_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave on PATH what git needs, and no kitty-status."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh", "cat"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))


def stand_in(folder: Path, source: str) -> Path:
    """Write a package that stands in for kitty_status, with this merge driver."""
    package = folder / "kitty_status" / "git"
    package.mkdir(parents=True)
    for each in (package.parent, package):
        (each / "__init__.py").write_bytes(b"")
    for kind in ("log", "snapshot", "view"):
        (package / f"{kind}_driver.py").write_text(source)
    return folder


def use_stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(version, "__file__", str(folder / "kitty_status" / "version.py"))


RECORDER = """
import os, sys
def main(argv):
    with open("called", "a") as file:
        kind = __name__.rpartition(".")[2].removesuffix("_driver")
        file.write(repr((kind, argv[3], open(argv[1]).read(), open(argv[2]).read())) + "\\n")
    open(argv[1], "w").write("merged\\n")
    return 0
"""


@pytest.mark.parametrize("folder", ["plain", '100% O\'Neil "é" $HOME `x` \\ %A'])
def test_git_calls_the_driver_with_the_files_and_the_path(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    package = stand_in(tmp_path / folder, RECORDER)
    python = tmp_path / folder / "bin python"
    # A link would lead Python to the wrong standard library here.
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    use_stand_in(monkeypatch, package)
    monkeypatch.setattr(sys, "executable", str(python))
    diverge(repo)
    configure(repo)

    assert repo.merge("theirs") == 0
    calls = repo.read("called").decode().splitlines()
    assert sorted(calls) == [
        repr(("log", LOG, "0\nours\n", "0\ntheirs\n")),
        repr(("snapshot", SNAPSHOT, '"ours"\n', '"theirs"\n')),
    ]
    assert (repo.read(LOG), repo.read(SNAPSHOT)) == (b"merged\n", b"merged\n")


def test_a_conflict_of_the_driver_is_final(repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "def main(argv):\n    open(argv[1], 'w').write('said\\n')\n    return 1\n"
    use_stand_in(monkeypatch, stand_in(tmp_path / "p", source))
    diverge(repo)
    configure(repo)

    assert repo.merge("theirs") == 1
    assert repo.read(LOG) == b"said\n"
    assert repo.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0") == [LOG, SNAPSHOT, ""]


CRASHES = {
    "it has no such module": None,
    "it raises": "def main(argv):\n    raise RuntimeError('oh')\n",
    "it cannot be imported": "import no_such_module\n",
    "it ends with an odd code": "def main(argv):\n    return 129\n",
    "it is killed": "import os\ndef main(argv):\n    os.kill(os.getpid(), 9)\n",
}


@pytest.mark.usefixtures("_no_tool")
@pytest.mark.parametrize("source", CRASHES.values(), ids=CRASHES.keys())
def test_after_a_crash_a_log_keeps_both_sides_and_a_snapshot_conflicts_as_ours(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None
) -> None:
    use_stand_in(monkeypatch, stand_in(tmp_path / "p", source) if source else tmp_path)
    diverge(repo)
    configure(repo)

    done = repo.run("merge", "--no-edit", "theirs")

    assert done.returncode == 1
    assert repo.read(LOG) == b"0\nours\ntheirs\n"
    assert repo.read(SNAPSHOT) == b'"ours"\n'
    assert repo.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0") == [SNAPSHOT, ""]
    said = done.stderr.decode()
    assert f"both sides of {LOG}" in said
    assert f"kept of {SNAPSHOT}" in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("_no_tool")
def test_without_the_interpreter_a_log_merges_cleanly_line_by_line(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/100% python")
    diverge(repo)
    configure(repo)
    repo.git("config", "merge.kitty-status-snapshot.driver", "exit 0")

    assert repo.merge("theirs") == 0
    assert repo.read(LOG) == b"0\nours\ntheirs\n"
    assert repo.git("status", "--porcelain") == ""


@pytest.mark.usefixtures("_no_tool")
def test_a_log_that_looks_binary_to_git_keeps_both_sides_and_conflicts(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    diverge(repo, log=("0\n", "0\nou\0rs", "0\ntheirs\n"))
    configure(repo)

    assert repo.merge("theirs") == 1
    assert repo.read(LOG) == b"0\nou\0rs\n0\ntheirs\n"


def test_without_the_interpreter_the_tool_on_the_path_is_asked(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "bin" / "kitty-status"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nprintf "%s %s|" "$1" "$2" >>called\nprintf "%s\\n" "$6" >"$4"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    diverge(repo)
    configure(repo)

    assert repo.merge("theirs") == 0
    assert sorted(repo.read("called").split(b"|")) == [b"", b"merge-driver log", b"merge-driver snapshot"]
    assert repo.read(LOG).decode() == f"{LOG}\n"


def test_an_exception_is_one_line_and_a_traceback_only_on_request(tmp_path: Path) -> None:
    stand_in(tmp_path, "def main(argv):\n    raise RuntimeError('oh')\n")
    program = bootstrap("kitty_status.git.log_driver").replace(
        ascii(str(Path(version.__file__).resolve().parent.parent)), ascii(str(tmp_path))
    )

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-I", "-S", "-c", program]
        return subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, **environment})

    quiet, loud = run(), run(KITTY_STATUS_DEBUG="1")

    assert (quiet.returncode, quiet.stderr) == (70, "kitty-status: RuntimeError: oh\n")
    assert loud.returncode == 70
    assert "Traceback" in loud.stderr


def test_every_section_has_a_command_of_one_line() -> None:
    for values in driver_sections().values():
        assert values["driver"]
        assert "\n" not in values["driver"]


@pytest.mark.parametrize("kind", ["log", "snapshot"])
def test_no_command_has_a_placeholder_that_some_git_leaves_as_it_is(kind: str) -> None:
    letters = {word[0] for word in driver_command(kind).replace("%%", "").split("%")[1:]}

    assert letters <= set("OABP")


def test_a_python_that_does_not_know_its_path_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")

    with pytest.raises(ConfigurationError, match="path of the running python"):
        interpreter()


VIEW = "kitty-specs/a b/tasks.md"


def diverge_view(repo: GitRepo, *, ours: str, theirs: str) -> None:
    """Make two branches that both changed an overview, and stay on ours."""
    for branch, text in (("base", "1\n2\n3\n4\n5\n6\n"), ("theirs", theirs), ("ours", ours)):
        repo.git("checkout", "-q", "-B", branch, *([] if branch == "base" else ["base"]))
        repo.write(VIEW, text)
        repo.commit(branch)


@pytest.mark.usefixtures("_no_tool")
@pytest.mark.parametrize("source", CRASHES.values(), ids=CRASHES.keys())
def test_after_a_crash_a_view_is_merged_as_any_text(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None
) -> None:
    use_stand_in(monkeypatch, stand_in(tmp_path / "p", source) if source else tmp_path)
    diverge_view(repo, ours="1\n2\n3\n4\n5\nours\n", theirs="theirs\n2\n3\n4\n5\n6\n")
    configure(repo)

    done = repo.run("merge", "--no-edit", "theirs")

    assert done.returncode == 0
    assert repo.read(VIEW) == b"theirs\n2\n3\n4\n5\nours\n"
    assert f"merged it as any other text: {VIEW}" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.usefixtures("_no_tool")
@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_without_the_tool_a_view_conflicts_as_git_has_it(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    diverge_view(repo, ours="ours\n2\n", theirs="theirs\n2\n")
    configure(repo)
    repo.git("config", "merge.conflictStyle", style)

    assert repo.merge("theirs") == 1
    lines = repo.read(VIEW).decode().splitlines()
    assert [line[:7] for line in lines if line[:7] in ("<<<<<<<", "=======", ">>>>>>>")] == [
        "<<<<<<<",
        "=======",
        ">>>>>>>",
    ]
    assert any(line.startswith("|||||||") for line in lines) == (style == "diff3")
    assert not any("%" in line or ".merge_file" in line for line in lines)
    assert repo.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0") == [VIEW, ""]


@pytest.mark.usefixtures("_no_tool")
def test_without_the_tool_a_view_that_looks_binary_to_git_stays_ours(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    diverge_view(repo, ours="ou\0rs\n", theirs="theirs\n")
    configure(repo)

    assert repo.merge("theirs") == 1
    assert repo.read(VIEW) == b"ou\0rs\n"


def test_switched_off_a_view_is_merged_by_git(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITTY_STATUS", "0")
    section = "<!-- kitty-status:begin -->\n{}\n<!-- kitty-status:end -->\n"
    diverge_view(repo, ours=section.format("ours"), theirs=section.format("theirs"))
    configure(repo)

    assert repo.merge("theirs") == 1
    assert b"\nours\n=======\ntheirs\n" in repo.read(VIEW)
