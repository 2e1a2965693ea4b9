"""The trial merge says of each clone what the next merge of a log would come to, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from commandline import KITTY, tree
from features import declare, install, install_and_lose, no_tool_on_path
from gitrepo import GitRepo
from kitty_status.git.repository import Repository, find_repository
from kitty_status.git.runnable import broken_driver
from kitty_status.git.trial import Trial, try_merge

LOG_DRIVER = "merge.kitty-status-log.driver"
SNAPSHOT_DRIVER = "merge.kitty-status-snapshot.driver"
VIEW_DRIVER = "merge.kitty-status-view.driver"


def of(repo: GitRepo) -> Repository:
    repository = find_repository(str(repo.path))
    assert repository is not None
    return repository


def trial(repo: GitRepo, *, snapshots: bool = True) -> Trial:
    """Try, and hold the trial to its promise that nothing of it remains."""
    before = tree(repo.path)
    temporary = set(Path(tempfile.gettempdir()).glob("kitty-status-*"))
    result = try_merge(of(repo), snapshots=snapshots)
    assert tree(repo.path) == before
    assert set(Path(tempfile.gettempdir()).glob("kitty-status-*")) <= temporary
    return result


def said(result: Trial) -> str:
    return "\n".join(trouble.message for trouble in result.troubles)


@pytest.fixture
def installed(repo: GitRepo) -> GitRepo:
    declare(repo)
    install(repo)
    return repo


@pytest.fixture(autouse=True)
def _temporary_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))


def test_an_installed_clone_passes(installed: GitRepo) -> None:
    assert trial(installed) == Trial(())
    assert trial(installed).outcome == "passed"


def test_a_linked_work_tree_and_a_path_with_spaces_pass(installed: GitRepo, tmp_path: Path) -> None:
    assert trial(installed.worktree(tmp_path / "it's é", "other")).outcome == "passed"


def test_a_repository_with_sha256_passes(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo", object_format="sha256")
    declare(repo)
    install(repo)
    assert trial(repo).outcome == "passed"


def test_what_a_person_has_set_for_all_repositories_neither_runs_nor_hinders(
    installed: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "hooks" / "pre-merge-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    config = tmp_path / "config"
    unwanted = ("commit.gpgSign=true", "merge.ff=only", "merge.verifySignatures=true", f"core.hooksPath={hook.parent}")
    for key, value in (each.split("=") for each in unwanted):
        installed.git("config", "--file", str(config), key, value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("KITTY_STATUS", "0")
    assert trial(installed).outcome == "passed"


def test_without_any_declaration_git_writes_markers(repo: GitRepo) -> None:
    repo.commit_empty()
    result = trial(repo)
    assert result.outcome == "failed"
    assert "git wrote conflict markers into the log: no attribute assigns a merge driver" in said(result)
    assert "git wrote conflict markers into the snapshot" in said(result)


def test_a_clone_that_only_has_what_is_committed_keeps_every_line(repo: GitRepo) -> None:
    declare(repo)
    result = trial(repo)
    assert result.outcome == "degraded"
    assert "no line is lost, but kitty-status does not merge logs: the attributes say merge=union" in said(result)
    assert "snapshots are left as a conflict: the attributes say merge=binary" in said(result)


def test_snapshots_that_another_tool_writes_are_not_looked_at(repo: GitRepo) -> None:
    declare(repo)
    assert "snapshot" not in said(trial(repo, snapshots=False))


def test_when_the_interpreter_is_gone_both_sides_stay_and_the_command_is_named(repo: GitRepo) -> None:
    declare(repo)
    install_and_lose(repo)
    with no_tool_on_path():
        result = trial(repo)
    assert result.outcome == "degraded"
    log, snapshot, view = (trouble.message for trouble in result.troubles)
    assert log.startswith(
        "git kept the lines of both sides by itself, because the driver does not run: `'/no longer/here"
    )
    assert "ended with 127 and said: " in log
    assert "not found" in log
    assert snapshot.startswith("our snapshot was kept, and a conflict, because the driver does not run")
    assert view.startswith("the status in `tasks.md` was left as a conflict, because the driver does not run")


def test_when_only_the_interpreter_is_gone_the_tool_on_path_merges(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(KITTY).parent), prepend=":")
    declare(repo)
    install_and_lose(repo)
    assert trial(repo).outcome == "passed"


def test_a_driver_that_fails_without_a_way_out_keeps_one_side_only(installed: GitRepo) -> None:
    installed.git("config", LOG_DRIVER, "no-such-program %O %A %B")
    result = trial(installed)
    assert result.outcome == "failed"
    assert (
        "the merged log holds 2 of 3 lines, because the driver does not run: `no-such-program` ended with 127"
        in said(result)
    )


def test_a_driver_that_says_it_is_done_and_did_nothing_is_found_out(installed: GitRepo) -> None:
    installed.git("config", LOG_DRIVER, "true")
    installed.git("config", SNAPSHOT_DRIVER, "true")
    result = trial(installed)
    assert [trouble.outcome for trouble in result.troubles] == ["failed", "failed"]
    assert "the merged log holds 2 of 3 lines" in said(result)
    assert "the merged snapshot is not what the merged log says, and git reports no conflict" in said(result)


def test_a_driver_that_merges_and_still_reports_a_conflict_is_degraded(installed: GitRepo) -> None:
    installed.git("config", LOG_DRIVER, "git merge-file -q --union %A %O %B; exit 1")
    assert "the merged log holds every line, but git reports a conflict" in said(trial(installed))


def test_a_driver_with_an_order_of_its_own_is_degraded(installed: GitRepo) -> None:
    installed.git("config", LOG_DRIVER, "sort -r -u -o %A %A %B")
    result = trial(installed)
    assert result.outcome == "degraded"
    assert "its lines stand in another order" in said(result)


def test_a_view_that_is_not_merged_as_it_should_is_degraded(installed: GitRepo) -> None:
    installed.git("config", VIEW_DRIVER, "true")
    result = trial(installed)
    assert result.outcome == "degraded"
    assert "`tasks.md` is not the text of both sides with the status of the merged log" in said(result)


def test_views_without_our_driver_are_said_to_conflict(installed: GitRepo) -> None:
    installed.append(".git/info/attributes", "*.md -merge\n")
    result = trial(installed)
    assert result.outcome == "degraded"
    assert "the status in `tasks.md` conflicts in every merge: no attribute assigns a merge driver" in said(result)


def test_a_driver_without_a_command_stops_git(installed: GitRepo) -> None:
    installed.git("config", "--unset", LOG_DRIVER)
    result = trial(installed)
    assert result.outcome == "failed"
    assert "git merged nothing: it ended with 128 and said: fatal: custom merge driver" in said(result)


def test_attributes_without_a_driver_end_in_markers(installed: GitRepo) -> None:
    installed.git("config", "--remove-section", "merge.kitty-status-log")
    result = trial(installed)
    assert "the attributes say merge=kitty-status-log, and git has no such driver" in said(result)
    assert result.outcome == "failed"


def test_attributes_that_a_later_line_takes_back_are_those_of_the_trial(installed: GitRepo) -> None:
    installed.append(".git/info/attributes", "*.jsonl -merge\n")
    assert "the merged log holds 2 of 3 lines" in said(trial(installed))


def test_attributes_of_the_folder_of_features_count(repo: GitRepo) -> None:
    declare(repo)
    repo.write("kitty-specs/.gitattributes", "*.jsonl merge=text\n")
    assert "the attributes say merge=text" in said(trial(repo))


def test_drivers_that_stand_in_the_configuration_of_the_person_count(
    installed: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for section in ("merge.kitty-status-log", "merge.kitty-status-snapshot", "merge.kitty-status-view"):
        value = installed.git("config", f"{section}.driver")
        installed.git("config", "--file", str(tmp_path / "config"), f"{section}.driver", value)
        installed.git("config", "--remove-section", section)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    assert trial(installed).outcome == "passed"


def test_where_there_is_no_temporary_folder_the_system_s_words_are_raised(
    installed: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    with pytest.raises(FileNotFoundError):
        try_merge(of(installed))


def test_a_driver_that_is_not_set_is_not_broken(repo: GitRepo) -> None:
    assert broken_driver(of(repo), "log") is None


def test_a_percent_sign_in_the_path_of_the_interpreter_is_one_to_the_shell(repo: GitRepo) -> None:
    repo.git("config", LOG_DRIVER, "'/50%% off/python' -I %O %A %B %P; s=$?; exit $s")
    broken = broken_driver(of(repo), "log")
    assert broken is not None
    assert (broken.command, broken.code) == ("'/50% off/python' -I", 127)
