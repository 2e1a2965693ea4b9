"""Installing is announced, complete, repeatable and leaves no trace when undone."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from gitrepo import GitRepo
from kitty_status.errors import BusyError, GitError
from kitty_status.git import hook_stubs, install_config, installation
from kitty_status.git.attributes import LOCAL
from kitty_status.git.changes import Change
from kitty_status.git.hooks import HOOKS
from kitty_status.git.installation import apply, plan, plan_removal, remove
from kitty_status.git.repository import Repository, find_repository

CALL = 'kitty-status hook pre-commit "$@" || exit $?'
SECTIONS = ["merge.kitty-status-log", "merge.kitty-status-snapshot", "merge.kitty-status-view"]


def of(repo: GitRepo) -> Repository:
    repository = find_repository(str(repo.path))
    assert repository is not None
    return repository


def everything(repo: GitRepo) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and mode of all files and links below the repository."""
    return {
        str(path): (os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes(), path.lstat().st_mode)
        for path in sorted(repo.path.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def actions(changes: list[Change]) -> list[str]:
    return [change.action for change in changes]


def states(repo: GitRepo) -> dict[str, str]:
    return {Path(item.what).name: item.state for item in installation.status(of(repo)).items}


def hook(repo: GitRepo, name: str = "pre-commit") -> Path:
    return repo.path / ".git" / "hooks" / name


def change_of(changes: list[Change], name: str = "pre-commit") -> Change:
    (found,) = [change for change in changes if Path(change.what).name == name]
    return found


def put_hook(path: Path, content: str, mode: int = 0o755) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)


def test_a_plan_names_everything_and_touches_nothing(repo: GitRepo) -> None:
    before = everything(repo)

    changes = plan(of(repo), autostash=True)

    assert [change.what for change in changes] == [
        *SECTIONS,
        "merge.autoStash",
        "rebase.autoStash",
        str(repo.path / ".git/info/attributes"),
        *(str(hook(repo, name)) for name in HOOKS),
    ]
    assert set(actions(changes)) == {"create"}
    assert changes[len(SECTIONS) + 2].details == LOCAL
    assert everything(repo) == before


def test_what_is_done_is_what_was_planned(repo: GitRepo) -> None:
    planned = plan(of(repo), autostash=True)

    assert apply(of(repo), autostash=True) == planned
    assert installation.status(of(repo)).complete
    assert repo.git("config", "merge.autoStash") == "true"
    assert stat.S_IMODE(hook(repo).stat().st_mode) == 0o755


def test_a_second_time_changes_nothing(repo: GitRepo) -> None:
    apply(of(repo), autostash=True)
    before = everything(repo)

    assert set(actions(apply(of(repo), autostash=True))) == {"keep"}
    assert everything(repo) == before


CONFIGS = {
    "as git made it": b"",
    "no final newline": b"[user]\n\tname = x",
    "a section merge": b"[merge]\n\tff = only\n",
    "a section merge without final newline": b"[merge]\n\tff = only",
    "an empty section merge": b"[merge]\n\n[user]\n\tname = x\n",
    "a comment behind the header": b"[merge] # mine\n\tff = only\n[rebase] ; mine\n",
    "a comment without final newline": b"[rebase]\n# mine",
    "windows line endings": b"[merge]\r\n\tff = only\r\n",
    "autostash set": b"[merge]\n\tautoStash = false\n[rebase]\n\tautostash\n",
}
ATTRIBUTES = {"none": None, "empty": b"", "no final newline": b"*.py text", "windows": b"*.a text\r\n*.b text"}


@pytest.mark.parametrize("autostash", [True, False])
@pytest.mark.parametrize("attributes", ATTRIBUTES.values(), ids=ATTRIBUTES.keys())
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_removing_restores_every_byte(repo: GitRepo, config: bytes, attributes: bytes | None, autostash: bool) -> None:
    repo.append(".git/config", config)
    (repo.path / ".git/info/attributes").unlink(missing_ok=True)
    if attributes is not None:
        repo.write(".git/info/attributes", attributes)
    put_hook(hook(repo), "#!/bin/sh\nexit 0", 0o750)
    before = everything(repo)

    apply(of(repo), autostash=autostash)
    assert installation.status(of(repo)).complete
    assert everything(repo) != before
    announced = plan_removal(of(repo))

    assert remove(of(repo)) == announced
    assert everything(repo) == before
    assert remove(of(repo)) == []


def test_an_autostash_that_the_user_has_decided_on_is_left_alone(repo: GitRepo) -> None:
    repo.git("config", "merge.autoStash", "false")

    changes = {change.what: change for change in apply(of(repo), autostash=True)}
    remove(of(repo))

    assert changes["merge.autoStash"].action == "keep"
    assert "false" in changes["merge.autoStash"].details[0]
    assert repo.git("config", "merge.autoStash") == "false"
    assert repo.run("config", "rebase.autoStash").returncode == 1


def test_an_autostash_that_git_could_not_take_back_is_left_to_the_user(repo: GitRepo) -> None:
    repo.append(".git/config", "[merge]\n")

    changes = {change.what: change for change in apply(of(repo), autostash=True)}

    assert changes["merge.autoStash"].action == "manual"
    assert changes["merge.autoStash"].details[-1] == "git config merge.autoStash true"


def test_an_autostash_changed_since_is_the_users(repo: GitRepo) -> None:
    apply(of(repo), autostash=True)
    repo.git("config", "merge.autoStash", "false")

    remove(of(repo))

    assert repo.git("config", "merge.autoStash") == "false"
    assert "kitty-status" not in repo.git("config", "--list")


def test_what_the_user_wrote_since_survives_removal(repo: GitRepo) -> None:
    repo.append(".git/config", "[user]\n\tname = x")
    apply(of(repo))
    repo.git("config", "core.pager", "less")
    repo.git("config", "mine.key", "value")
    repo.append(".git/info/attributes", "*.md text\n")

    remove(of(repo))

    assert repo.git("config", "mine.key") == "value"
    assert repo.read(".git/config").endswith(b"name = x\n[mine]\n\tkey = value\n")
    assert repo.read(".git/info/attributes").endswith(b"*.md text\n")


def test_a_configuration_that_is_being_changed_is_not_cut(repo: GitRepo) -> None:
    repo.append(".git/config", "[user]\n\tname = x\n")
    repo.write(".git/config.lock", "")
    length = len(repo.read(".git/config")) - 1

    with pytest.raises(BusyError, match=r"config\.lock exists"):
        install_config._restore_ending(of(repo), length)

    assert len(repo.read(".git/config")) == length + 1


def test_a_key_of_somebody_else_in_our_section_survives_removal(repo: GitRepo) -> None:
    apply(of(repo), autostash=True)
    repo.git("config", "kitty-status.theirs", "x")

    remove(of(repo))

    assert repo.git("config", "--get-regexp", "kitty|auto") == "kitty-status.theirs x"


def test_what_others_have_set_in_our_sections_goes_with_them_and_is_named(repo: GitRepo) -> None:
    apply(of(repo))
    repo.git("config", f"{SECTIONS[0]}.recursive", "it's binary")
    assert installation.status(of(repo)).complete

    changes = {change.what: change for change in remove(of(repo))}

    assert changes[SECTIONS[1]].details == ()
    *_, line = changes[SECTIONS[0]].details
    assert repo.run("config", "--get-regexp", "kitty-status").returncode == 1
    subprocess.run(shlex.split(line), cwd=repo.path, check=True)
    assert repo.git("config", "--get-regexp", "kitty-status") == f"{SECTIONS[0]}.recursive it's binary"


@pytest.mark.parametrize("mode", [0o755, 0o644])
def test_a_hook_of_every_name_is_as_it_was_after_removal(repo: GitRepo, mode: int) -> None:
    for name in HOOKS:
        put_hook(hook(repo, name), f"#!/bin/sh\n# {name}", mode)
    before = everything(repo)

    planned = plan(of(repo))
    assert apply(of(repo)) == planned
    chained = everything(repo)
    assert set(actions(apply(of(repo)))) == {"keep"}
    assert everything(repo) == chained
    remove(of(repo))

    assert everything(repo) == before


def test_an_outdated_installation_is_told_and_renewed(repo: GitRepo) -> None:
    apply(of(repo))
    repo.git("config", f"{SECTIONS[0]}.driver", "/old/venv/bin/python %A")
    repo.write(".git/info/attributes", repo.read(".git/info/attributes").replace(b" -text", b""))
    hook(repo).write_bytes(hook(repo).read_bytes() + b"# older\n")

    assert states(repo) == {
        SECTIONS[0]: "outdated",
        **dict.fromkeys(SECTIONS[1:], "installed"),
        "attributes": "outdated",
        "pre-commit": "outdated",
        **dict.fromkeys(list(HOOKS)[1:], "installed"),
    }
    assert sorted(set(actions(apply(of(repo))))) == ["keep", "update"]
    assert installation.status(of(repo)).complete


def test_an_installation_from_before_views_were_merged_is_told_renewed_and_removed(repo: GitRepo) -> None:
    before = everything(repo)
    apply(of(repo))
    repo.git("config", "--remove-section", "merge.kitty-status-view")
    lines = repo.read(".git/info/attributes").splitlines(keepends=True)
    repo.write(".git/info/attributes", b"".join(line for line in lines if b"kitty-status-view" not in line))

    found = states(repo)
    assert {what for what, state in found.items() if state != "installed"} == {"merge.kitty-status-view", "attributes"}
    apply(of(repo))
    assert installation.status(of(repo)).complete
    remove(of(repo))
    assert everything(repo) == before


def test_a_driver_with_a_name_and_no_command_is_completed(repo: GitRepo) -> None:
    repo.git("config", f"{SECTIONS[0]}.name", "left over")

    assert states(repo)[SECTIONS[0]] == "outdated"
    apply(of(repo))
    assert "log_driver" in repo.git("config", f"{SECTIONS[0]}.driver")


def test_nothing_installed_is_all_missing(repo: GitRepo) -> None:
    assert set(states(repo).values()) == {"missing"}
    assert not installation.status(of(repo)).complete
    assert plan_removal(of(repo)) == []


def test_a_hook_that_is_no_longer_executable_is_outdated(repo: GitRepo) -> None:
    apply(of(repo))
    hook(repo).chmod(0o644)

    assert states(repo)["pre-commit"] == "outdated"


def test_without_our_snapshot_driver_only_logs_are_assigned(repo: GitRepo) -> None:
    apply(of(repo), snapshots=False)

    assert b"status.json" not in repo.read(".git/info/attributes")
    assert installation.status(of(repo), snapshots=False).complete
    assert not installation.status(of(repo)).complete


def test_all_goes_to_what_linked_work_trees_share(repo: GitRepo, tmp_path: Path) -> None:
    repo.commit_empty()
    linked = repo.worktree(tmp_path / "linked é", "side")
    before = everything(repo)

    apply(of(linked), autostash=True)

    assert installation.status(of(repo)).complete
    assert hook(repo).exists()
    remove(of(repo))
    assert everything(repo) == before


def test_an_earlier_hook_runs_first_and_its_refusal_stands(repo: GitRepo) -> None:
    put_hook(hook(repo), '#!/bin/sh\necho earlier "$@" >&2\nexit 3\n')

    assert states(repo)["pre-commit"] == "foreign"
    change = change_of(apply(of(repo)))

    assert (change.action, "renamed" in change.details[0]) == ("update", True)
    done = subprocess.run([hook(repo), "an argument"], cwd=repo.path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "earlier an argument\n")


def test_a_commit_in_a_linked_work_tree_passes_both_hooks(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_hook(tmp_path / "bin" / "kitty-status", "#!/bin/sh\n[ $2 != pre-commit ] || echo ours >>passed\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr("sys.executable", "/no/such/python")
    repo.commit_empty()
    put_hook(hook(repo), "#!/bin/sh\necho earlier >>passed\n")
    linked = repo.worktree(tmp_path / "linked é", "side")
    apply(of(linked))

    linked.commit_empty()

    assert linked.read("passed") == b"earlier\nours\n"


def test_an_earlier_hook_that_is_a_link_is_a_link_again(repo: GitRepo) -> None:
    repo.write("tools/check", "#!/bin/sh\n")
    hook(repo).symlink_to("../../tools/check")
    before = everything(repo)

    apply(of(repo))
    assert hook_stubs.is_stub(hook(repo).read_bytes())
    remove(of(repo))

    assert everything(repo) == before


def test_a_hook_is_not_renamed_over_another(repo: GitRepo) -> None:
    put_hook(hook(repo), "#!/bin/sh\n# theirs\n")
    put_hook(hook(repo).with_name("pre-commit.before-kitty-status"), "#!/bin/sh\n# older\n")
    hooks = everything(repo)

    change = change_of(apply(of(repo)))

    assert (change.action, change.details[-1]) == ("manual", CALL)
    assert {path: each for path, each in everything(repo).items() if "/hooks/pre-commit" in path} == {
        path: each for path, each in hooks.items() if "/hooks/pre-commit" in path
    }
    assert states(repo)["pre-commit"] == "foreign"


def test_a_hook_with_our_line_in_it_counts_as_installed(repo: GitRepo) -> None:
    put_hook(hook(repo), f"#!/bin/sh\n# kitty-status hook pre-commit\n{CALL}\nmake lint\n")

    apply(of(repo))
    assert installation.status(of(repo)).complete

    [*_, last] = [change for change in remove(of(repo)) if change.action == "manual"]
    assert (last.what, last.details[-1]) == (str(hook(repo)), CALL)
    assert hook(repo).exists()


@pytest.mark.parametrize(
    ("hooks_path", "script"),
    [(".husky/_", ".husky/pre-commit"), ("tools/hooks", "tools/hooks/pre-commit"), (".git/../h", "h/pre-commit")],
)
def test_hooks_that_somebody_else_manages_are_not_written_to(repo: GitRepo, hooks_path: str, script: str) -> None:
    repo.git("config", "core.hooksPath", hooks_path)

    change = change_of(apply(of(repo)))

    assert (change.action, change.details[-1]) == ("manual", CALL)
    assert not (repo.path / script).exists()
    assert not hook(repo).exists()
    assert states(repo)["pre-commit"] == "foreign"

    for name in HOOKS:
        put_hook((repo.path / script).with_name(name), f"#!/bin/sh\n{hook_stubs.line_to_add(name)}\n")
    assert installation.status(of(repo)).complete


def test_a_hooks_path_that_names_gits_own_folder_is_no_obstacle(repo: GitRepo) -> None:
    repo.git("config", "core.hooksPath", str(repo.path / ".git" / "hooks"))

    apply(of(repo))

    assert hook(repo).exists()


def test_our_stub_is_removed_also_when_git_looks_elsewhere_by_now(repo: GitRepo) -> None:
    apply(of(repo))
    repo.git("config", "core.hooksPath", ".husky/_")

    remove(of(repo))

    assert not hook(repo).exists()


def test_a_lost_stub_is_written_again_and_the_earlier_hook_stays_chained(repo: GitRepo) -> None:
    put_hook(hook(repo), "#!/bin/sh\n# theirs\n")
    before = everything(repo)
    apply(of(repo))
    hook(repo).unlink()

    assert states(repo)["pre-commit"] == "missing"
    apply(of(repo))
    remove(of(repo))

    assert everything(repo) == before


@pytest.fixture
def _tool_gone(repo: GitRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Install with an interpreter that is not there, and with no kitty-status on PATH."""
    monkeypatch.setattr("sys.executable", "/no/such/python")
    apply(of(repo))
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh"):
        found = next(Path(folder, name) for folder in os.get_exec_path() if Path(folder, name).exists())
        (tools / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))


@pytest.mark.usefixtures("_tool_gone")
def test_without_the_tool_other_commits_pass(repo: GitRepo) -> None:
    repo.write("kitty-specs/a/spec.md", "x")

    repo.commit()


@pytest.mark.usefixtures("_tool_gone")
@pytest.mark.parametrize("path", ["kitty-specs/é b/status.events.jsonl", "apps/kitty-specs/a/status.json"])
def test_without_the_tool_a_status_file_is_not_committed_unchecked(repo: GitRepo, path: str) -> None:
    repo.write("first", "")
    repo.commit()
    repo.write(path, "{}\n")
    repo.git("add", "-A")

    done = repo.run("commit", "-m", "x")

    assert done.returncode == 1
    assert b"not installed any more" in done.stderr
    assert b"kitty-status install" in done.stderr
    assert b"--no-verify" not in done.stderr


def test_without_the_interpreter_the_tool_on_the_path_is_asked(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_hook(tmp_path / "bin" / "kitty-status", '#!/bin/sh\necho "asked: $*" >&2\nexit 1\n')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr("sys.executable", "/no/such/python")
    apply(of(repo))

    done = repo.run("commit", "--allow-empty", "-m", "x")

    assert (done.returncode, done.stderr) == (1, b"asked: hook pre-commit\n")


def test_the_stub_calls_the_module_with_git_s_own_index(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "it's é %A" / "kitty_status"
    (folder / "git").mkdir(parents=True)
    for each in (folder, folder / "git"):
        (each / "__init__.py").write_bytes(b"")
    source = "import os\ndef main(argv):\n    print(argv, os.environ['GIT_INDEX_FILE'])\n    return 1\n"
    for name in ("hook_entry.py", "pre_commit.py"):
        (folder / "git" / name).write_text(source)
    monkeypatch.setattr("kitty_status.version.__file__", str(folder / "version.py"))
    apply(of(repo))
    repo.write("a", "x")
    repo.git("add", "a")

    done = repo.run("commit", "-m", "x")

    assert done.returncode == 1
    assert b"['pre-commit'] .git/index" in done.stdout + done.stderr


def test_a_failure_of_git_is_told_in_its_words(repo: GitRepo) -> None:
    repository = of(repo)
    repo.write(".git/config.lock", "")

    with pytest.raises(GitError, match="could not lock config file"):
        apply(repository)
