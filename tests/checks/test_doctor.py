"""Doctor finds each thing that can be wrong, says what to do, and what it says can be done."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ailing import FIX, STATES, healthy
from commandline import KITTY, LOG, SLUG, SNAPSHOT, ask, tree
from features import no_tool_on_path
from gitrepo import GitRepo
from kitty_status.checks import doctor
from kitty_status.checks.ailments import AILMENTS, SEVERITIES
from kitty_status.checks.diagnosis import Diagnosis, Examination
from kitty_status.checks.doctor import ANYWHERE, IN_A_REPOSITORY, OBSTACLES, OF_A_FEATURE, OF_THE_WORK, examine, mend

APART = {"check-failed", "git-missing", "git-too-old", "switched-off", "log-unreadable"}


@pytest.fixture
def clone(tmp_path: Path) -> GitRepo:
    return healthy(tmp_path / "a clone")


def codes(repo: GitRepo, *wanted: str) -> set[str]:
    return {finding.code for finding in examine(repo.path, wanted).findings}


def finding_of(examination: Examination, code: str) -> Diagnosis:
    return next(finding for finding in examination.findings if finding.code == code)


def run(repo: GitRepo, command: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(KITTY).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path},
    )


def test_every_code_has_a_state_and_a_check() -> None:
    assert set(STATES) | APART == set(AILMENTS)
    of_checks = {code for check in (*ANYWHERE, *IN_A_REPOSITORY) for code in check.codes}
    assert of_checks | set(OF_A_FEATURE) | set(OF_THE_WORK) | OBSTACLES | {"bare-repository", "git-too-old"} == set(
        AILMENTS
    )


def test_a_healthy_clone_is_clean_and_nothing_is_written(clone: GitRepo, tmp_path: Path) -> None:
    other = clone.worktree(tmp_path / "it's é", "other")
    before = tree(tmp_path)
    for start in (clone.path, clone.path / f"kitty-specs/{SLUG}", other.path, other.path / "kitty-specs"):
        assert examine(start).findings == []
        assert examine(start).healthy
    assert tree(tmp_path) == before


@pytest.mark.parametrize("code", STATES)
def test_each_state_is_found_nothing_is_written_and_its_commands_can_be_run(clone: GitRepo, code: str) -> None:
    STATES[code].prepare(clone)
    before = tree(clone.path)
    examination = examine(clone.path)
    assert tree(clone.path) == before
    assert "check-failed" not in {each.code for each in examination.findings}
    severities = [SEVERITIES.index(each.severity) for each in examination.findings]
    assert severities == sorted(severities)
    finding = finding_of(examination, code)
    assert finding.observed
    assert finding.where
    assert (finding.fix is not None) == (code in FIXED)
    for command in finding.commands:
        assert_can_be_run(clone, command)
    assert (code in codes(clone, code)) == (STATES[code].mended_by == "a person")


FIXED = {code for code, state in STATES.items() if state.mended_by == FIX} - {
    # These go away with what causes them.
    "trial-merge-failed",
    "trial-merge-degraded",
}


def assert_can_be_run(repo: GitRepo, command: str) -> None:
    done = run(repo, command)
    assert done.returncode in (0, 1) or "--unshallow" in command, (command, done)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("code", [code for code, state in STATES.items() if state.mended_by == FIX])
def test_what_fix_mends_is_gone_afterwards(clone: GitRepo, code: str) -> None:
    STATES[code].prepare(clone)
    after = mend(clone.path, examine(clone.path))
    assert (after.failed, len(after.fixed), after.healthy) == ([], 1, True)
    assert code not in {finding.code for finding in after.findings}


@pytest.mark.parametrize(
    "code", [code for code in (*OF_A_FEATURE, "log-unmerged") if code in STATES and code not in FIXED]
)
def test_fix_leaves_alone_what_is_not_safe_to_mend(clone: GitRepo, code: str) -> None:
    STATES[code].prepare(clone)
    log = clone.path / LOG
    before = log.read_bytes() if log.is_file() else None
    after = mend(clone.path, examine(clone.path), [code])
    assert (log.read_bytes() if log.is_file() else None) == before
    assert code in {finding.code for finding in after.findings}


def test_many_things_are_mended_in_one_go(clone: GitRepo) -> None:
    for code in ("log-tail-torn", "driver-missing", "snapshot-drift", "hook-missing", "local-attributes-missing"):
        STATES[code].prepare(clone)
    clone.write("kitty-specs/002-b/status.events.jsonl", clone.read(LOG).partition(b"\n")[0] + b"\n")
    before = clone.read(LOG)
    examination = examine(clone.path)
    after = mend(clone.path, examination)
    assert after.fixed == [
        f"mend the end of the log of {SLUG}",
        "install what is missing or outdated",
        "materialize 002-b",
    ]
    assert not after.healthy
    assert {finding.code for finding in after.findings} == {"snapshot-drift", "quarantine-not-empty"}
    again = mend(clone.path, after)
    assert again.fixed == [f"materialize {SLUG}"]
    assert again.healthy
    assert before.startswith(clone.read(LOG))
    assert [path.read_bytes() for path in (clone.path / ".git/kitty-status/quarantine").iterdir()] == [
        before[len(clone.read(LOG)) :]
    ]


def test_what_cannot_be_mended_is_said_and_the_rest_is_done(clone: GitRepo) -> None:
    STATES["snapshot-drift"].prepare(clone)
    STATES["driver-missing"].prepare(clone)
    clone.write(".git/config.lock", "")
    after = mend(clone.path, examine(clone.path))
    assert len(after.failed) == 1
    assert after.failed[0].startswith("install what is missing or outdated: git config failed")
    assert after.fixed == [f"materialize {SLUG}"]
    assert not after.healthy


def test_a_newer_tool_is_asked_for_before_anything_is_mended(clone: GitRepo) -> None:
    STATES["log-tail-torn"].prepare(clone)
    STATES["newer-tool-required"].prepare(clone)
    before = clone.read(LOG)
    after = mend(clone.path, examine(clone.path))
    assert "asks for kitty-status >=99.0" in after.failed[0]
    assert clone.read(LOG) == before


def test_a_torn_end_that_git_holds_as_well_is_left_to_the_next_event(clone: GitRepo) -> None:
    STATES["log-tail-torn"].prepare(clone)
    clone.git("add", "-A")
    finding = finding_of(examine(clone.path), "log-tail-torn")
    assert finding.fix is None
    assert "git holds them as well" in finding.observed


def test_a_whole_last_line_without_its_end_gets_it(clone: GitRepo) -> None:
    whole = clone.read(LOG)
    clone.write(LOG, whole[:-1])
    clone.commit_empty()
    assert finding_of(examine(clone.path), "log-tail-torn").fix is not None
    assert mend(clone.path, examine(clone.path)).healthy
    assert clone.read(LOG) == whole


def test_a_line_that_is_being_written_is_no_torn_end(clone: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = clone.read(LOG)
    clone.append(LOG, '{"event')
    monkeypatch.setattr("kitty_status.checks.doctor_features.time.sleep", lambda _: clone.write(LOG, whole))
    assert "log-tail-torn" not in codes(clone)


def test_without_git_only_that_is_said(clone: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/no/such/folder")
    assert codes(clone) == {"git-missing"}
    assert codes(clone, "snapshot-drift") == {"git-missing"}


def test_an_old_git_is_named(clone: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitty_status.checks.doctor_repository.git_version", lambda _: (2, 11, 0))
    assert finding_of(examine(clone.path), "git-too-old").observed == "git 2.11.0"


@pytest.mark.parametrize("value", ["0", "off"])
def test_a_switch_that_was_left_off_is_said(clone: GitRepo, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KITTY_STATUS", value)
    assert codes(clone) == {"switched-off"}


def test_a_log_that_may_not_be_read_is_a_finding(clone: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("kitty_status.checks.doctor_features.reduce_log", refuse)
    finding = finding_of(examine(clone.path), "log-unreadable")
    assert (finding.where, finding.observed) == (LOG, "Permission denied")


@pytest.mark.parametrize(
    "where", ["doctor_repository.effective_value", "doctor_features.git", "doctor_merging.try_merge"]
)
def test_a_check_that_fails_is_a_finding_and_the_others_are_made(
    clone: GitRepo, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("nobody foresaw this")

    STATES["snapshot-drift"].prepare(clone)
    monkeypatch.setattr(f"kitty_status.checks.{where}", fail)
    assert {"check-failed", "snapshot-drift"} <= codes(clone)
    assert "RuntimeError: nobody foresaw this" in finding_of(examine(clone.path), "check-failed").observed
    assert not examine(clone.path).healthy


def test_a_feature_whose_check_fails_does_not_hide_the_next_one(clone: GitRepo) -> None:
    clone.write("kitty-specs/000-first/status.events.jsonl", clone.read(LOG))
    clone.write("kitty-specs/000-first/meta.json", "x")
    (clone.path / SNAPSHOT).unlink()
    assert {finding.where for finding in examine(clone.path, ["snapshot-missing"]).findings} == {
        "kitty-specs/000-first/status.json",
        SNAPSHOT,
    }


@pytest.mark.parametrize(
    "name", ["kitty-specs", ".gitattributes", ".kittify", ".git/info", ".git/hooks", ".git/kitty-status"]
)
@pytest.mark.parametrize("becomes", ["a file", "a folder", "a dangling link", "nothing"])
def test_whatever_stands_in_the_place_of_a_folder_or_file_doctor_comes_to_an_end(
    clone: GitRepo, name: str, becomes: str
) -> None:
    target = clone.path / name
    target.rename(clone.path / "was")
    if becomes == "a file":
        target.write_bytes(b"\xff\0\n")
    elif becomes == "a folder":
        target.mkdir()
    elif becomes == "a dangling link":
        target.symlink_to("nowhere")
    examination = examine(clone.path)
    assert isinstance(examination.healthy, bool)
    mend(clone.path, examination)


def test_a_work_tree_whose_repository_was_moved_is_said_to_be_unreadable(clone: GitRepo, tmp_path: Path) -> None:
    other = clone.worktree(tmp_path / "other", "other")
    clone.path.rename(tmp_path / "moved")
    finding = finding_of(examine(other.path), "repository-unreadable")
    assert "does not lead to a repository" in finding.observed


def test_a_feature_with_a_name_that_is_no_slug_is_looked_at_and_its_commands_can_be_run(clone: GitRepo) -> None:
    clone.write("kitty-specs/it's bad/status.events.jsonl", clone.read(LOG))
    finding = finding_of(examine(clone.path, ["snapshot-missing"]), "snapshot-missing")
    assert finding.commands == ("kitty-status validate --all",)
    assert run(clone, finding.commands[0]).returncode in (0, 1)
    assert "snapshot-missing" not in {each.code for each in mend(clone.path, examine(clone.path)).findings}


def test_a_clone_without_features_is_looked_at_all_the_same(repo: GitRepo) -> None:
    repo.commit_empty()
    assert {"attributes-not-declared", "local-attributes-missing", "driver-missing", "hook-missing"} <= codes(repo)
    assert ask(repo.path, "init").code == 0
    repo.commit()
    assert ask(repo.path, "install", "--autostash").code == 0
    assert codes(repo) == set()


def test_blocks_from_before_logs_could_be_divided_are_brought_up_to_date_by_the_commands_that_are_named(
    clone: GitRepo,
) -> None:
    for path in (".gitattributes", ".git/info/attributes"):
        lines = clone.read(path).splitlines(keepends=True)
        clone.write(path, b"".join(line for line in lines if b"status.events.d" not in line))
    clone.commit()
    declared = finding_of(examine(clone.path), "attributes-not-declared")
    local = finding_of(examine(clone.path), "local-attributes-missing")
    assert declared.observed.startswith("merge: unspecified for kitty-specs/")
    assert declared.observed.endswith("/status.events.d/shared.jsonl")
    assert local.observed.endswith("/status.events.d/shared.jsonl")

    for command in (*declared.commands, *local.commands):
        assert run(clone, command).returncode == 0
    committed = finding_of(examine(clone.path), "attributes-not-committed")
    for command in committed.commands:
        assert run(clone, command).returncode == 0

    assert codes(clone).isdisjoint(
        {"attributes-not-declared", "attributes-not-committed", "attributes-overridden", "local-attributes-missing"}
    )


def test_hooks_of_another_work_tree_are_looked_at_from_here(clone: GitRepo, tmp_path: Path) -> None:
    other = clone.worktree(tmp_path / "other", "other")
    clone.git("config", "extensions.worktreeConfig", "true")
    other.git("config", "--worktree", "core.hooksPath", "nowhere")
    finding = finding_of(examine(clone.path), "hook-missing")
    assert finding.where == str(other.path)
    assert finding.fix is None
    assert run(clone, finding.commands[0]).stdout.strip() == "nowhere"


def test_what_work_trees_share_is_said_once(clone: GitRepo, tmp_path: Path) -> None:
    for name in ("one", "two"):
        clone.worktree(tmp_path / name, name)
    STATES["hook-missing"].prepare(clone)
    [finding] = examine(clone.path).findings
    assert finding.where == f"{clone.path} and 2 more work trees"
    assert finding.observed == f"pre-commit in {clone.path}/.git/hooks"
    assert mend(clone.path, examine(clone.path)).healthy


def test_a_clone_that_was_installed_before_views_were_merged_is_found_and_mended(clone: GitRepo) -> None:
    clone.git("config", "--remove-section", "merge.kitty-status-view")
    lines = clone.read(".git/info/attributes").splitlines(keepends=True)
    clone.write(".git/info/attributes", b"".join(line for line in lines if b"kitty-status-view" not in line))

    found = examine(clone.path)

    assert {"driver-missing", "local-attributes-missing", "trial-merge-degraded"} <= codes(clone)
    assert finding_of(found, "driver-missing").where == "merge.kitty-status-view"
    assert "tasks.md" in finding_of(found, "trial-merge-degraded").observed
    assert mend(clone.path, found).healthy


def test_attributes_that_take_views_away_from_the_driver_are_named(clone: GitRepo) -> None:
    clone.append(".git/info/attributes", "WP*.md merge=text\n")
    finding = finding_of(examine(clone.path), "local-attributes-overridden")
    assert finding.observed.startswith("merge: text for kitty-specs/")


def test_a_driver_that_another_file_overrides_is_not_said_to_be_mended(clone: GitRepo) -> None:
    clone.git("config", "extensions.worktreeConfig", "true")
    clone.git("config", "--worktree", "merge.kitty-status-log.driver", "false")
    after = mend(clone.path, examine(clone.path))
    assert not after.healthy
    assert after.fixed == []
    assert after.failed == [
        "install what is missing or outdated: nothing is missing or outdated that may be written to without you"
    ]
    assert {"driver-not-runnable", "trial-merge-failed"} <= {finding.code for finding in after.findings}


def test_where_another_tool_writes_snapshots_no_driver_of_ours_is_asked_for_them(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "theirs")
    repo.write(".kittify/config.yaml", "status:\n  snapshot: spec-kitty\n")
    ask(repo.path, "init")
    ask(repo.path, "install", "--autostash")
    repo.commit()
    assert codes(repo) == set()


def test_without_the_tool_on_path_a_lost_driver_is_degraded_and_not_silent(clone: GitRepo) -> None:
    STATES["driver-not-runnable"].prepare(clone)
    with no_tool_on_path():
        found = examine(clone.path)
    assert "not found" in finding_of(found, "driver-not-runnable").observed
    assert finding_of(found, "trial-merge-degraded").severity == "degraded"
    assert doctor.describe(finding_of(found, "driver-not-runnable").fix or pytest.fail("no fix"))
