"""The journal beside the real git: what was acknowledged is kept, whatever git does to the work tree."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in
from features import reduction
from gitrepo import GitRepo
from kitty_status.git.repository import find_repository
from kitty_status.tracker.journal.reconcile import Reconciled, reconcile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository whose feature has one committed event; no hook of ours is installed."""
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    emit(repo.path, "WP01", "claimed")
    repo.commit("claimed")
    assert reconciled(repo).waiting == []
    return repo


def reconciled(repo: GitRepo) -> Reconciled:
    """Reconcile, and hold the snapshot of a log that lines came back to against the log."""
    repository = find_repository(str(repo.path))
    assert repository is not None
    found = reconcile(repository)
    if found.restored and (repo.path / LOG).exists():
        assert repo.read(SNAPSHOT) == reduction(repo.read(LOG), repo.path / FOLDER)
    return found


def entries(repo: GitRepo) -> list[str]:
    """Return the event ids that the journal holds."""
    path = repo.path / f".git/kitty-status/journal/{SLUG}.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [json.loads(json.loads(line)["line"])["event_id"] for line in lines]


def move(folder: Path, wp: str, lane: str = "claimed", *args: str) -> str:
    """Move a work package and return the id of the acknowledged event."""
    answer = ask(folder, "emit", wp, "--to", lane, "--actor", "ada", "--feature", SLUG, "--json", *args)
    assert answer.code == 0, answer
    return str(answer.data["event"]["event_id"])


def holds(repo: GitRepo, event_id: str) -> bool:
    return event_id.encode() in repo.read(LOG)


def test_an_event_is_in_the_journal_until_a_commit_holds_it(repo: GitRepo) -> None:
    assert entries(repo) == []
    event = move(repo.path, "WP02")
    assert entries(repo) == [event]
    assert [fate.why for fate in reconciled(repo).fates] == [None]
    assert entries(repo) == [event]
    repo.commit("WP02")
    found = reconciled(repo)
    assert [entry.event_id for entry in found.settled] == [event]
    assert found.fates == []
    assert entries(repo) == []


def stash(repo: GitRepo) -> None:
    repo.git("stash", "push", "-q")


def stash_and_drop(repo: GitRepo) -> None:
    repo.git("stash", "push", "-q")
    repo.git("stash", "drop", "-q")


def reset_hard(repo: GitRepo) -> None:
    repo.git("reset", "-q", "--hard")


def check_out_the_file(repo: GitRepo) -> None:
    repo.git("checkout", "--", FOLDER)


def stash_clean_and_collect_garbage(repo: GitRepo) -> None:
    repo.git("stash", "push", "-q", "--include-untracked")
    repo.git("clean", "-q", "-f", "-d", "-x")
    repo.git("stash", "clear")
    repo.git("gc", "-q", "--prune=now")


TAKES_AWAY = [stash, stash_and_drop, reset_hard, check_out_the_file, stash_clean_and_collect_garbage]


@pytest.mark.parametrize("take_away", TAKES_AWAY)
def test_an_event_that_was_never_committed_comes_back(repo: GitRepo, take_away: Callable[[GitRepo], None]) -> None:
    event = move(repo.path, "WP02")
    take_away(repo)
    assert not holds(repo, event)
    found = reconciled(repo)
    assert [fate.entry.event_id for fate in found.restored] == [event]
    assert holds(repo, event)
    assert reconciled(repo).restored == []


@pytest.mark.parametrize("take_away", TAKES_AWAY)
def test_the_next_write_brings_an_event_back_before_it_decides(
    repo: GitRepo, take_away: Callable[[GitRepo], None]
) -> None:
    event = move(repo.path, "WP02")
    take_away(repo)
    answer = emit(repo.path, "WP02", "in_progress")
    assert f"warning: event {event} (WP02 to claimed) had vanished from the log and was brought back" in answer.err
    assert repo.read(LOG).count(b"\n") == 3
    assert repo.read(SNAPSHOT) == reduction(repo.read(LOG), repo.path / FOLDER)


def test_a_stash_that_is_popped_after_its_event_came_back_holds_it_once(repo: GitRepo) -> None:
    ask(repo.path, "init")
    ask(repo.path, "install")
    repo.commit("init")
    event = move(repo.path, "WP02")
    stash(repo)
    assert reconciled(repo).restored
    repo.git("add", "-A")
    repo.git("stash", "pop", "-q", check=False)
    assert repo.read(LOG).count(event.encode()) == 1


def test_a_reset_of_a_committed_event_is_respected(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    repo.commit("WP02")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    found = reconciled(repo)
    assert [entry.event_id for entry in found.settled] == [event]
    assert found.restored == []
    emit(repo.path, "WP03", "claimed")
    assert not holds(repo, event)


def test_a_reset_of_a_committed_event_is_respected_by_the_next_write_alone(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    repo.commit("WP02")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    emit(repo.path, "WP03", "claimed")
    assert not holds(repo, event)


def test_a_commit_that_only_a_stash_knows_does_not_settle(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    stash(repo)
    assert event in repo.git("show", f"stash@{{0}}:{LOG}")
    assert reconciled(repo).settled == []
    assert entries(repo) == [event]


def test_an_amended_commit_and_a_deleted_branch_settle_through_the_reflog(repo: GitRepo) -> None:
    first = move(repo.path, "WP02")
    repo.commit("WP02")
    repo.git("commit", "-q", "--amend", "-m", "another name")
    repo.branch("side")
    second = move(repo.path, "WP03")
    repo.commit("WP03")
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-D", "side")
    assert {entry.event_id for entry in reconciled(repo).settled} == {first, second}
    assert not holds(repo, second)


def test_an_event_waits_while_its_branch_is_checked_out_nowhere(repo: GitRepo) -> None:
    repo.branch("side")
    event = move(repo.path, "WP02")
    repo.git("reset", "-q", "--hard")
    repo.git("checkout", "-q", "main")
    waiting = reconciled(repo).waiting
    assert [(fate.entry.event_id, fate.why) for fate in waiting] == [(event, "branch side is checked out nowhere")]
    assert not holds(repo, event)
    emit(repo.path, "WP03", "claimed")
    assert not holds(repo, event)
    repo.git("checkout", "-q", "-f", "side")
    assert [fate.entry.event_id for fate in reconciled(repo).restored] == [event]


def test_an_event_comes_back_in_whichever_work_tree_its_branch_is_checked_out(repo: GitRepo, tmp_path: Path) -> None:
    other = GitRepo(tmp_path / "other tree é")
    repo.git("worktree", "add", "-q", "-b", "side", str(other.path))
    event = move(other.path, "WP02")
    other.git("checkout", "--", FOLDER)
    assert [fate.tree.worktree for fate in reconciled(repo).restored if fate.tree] == [str(other.path)]
    assert event.encode() in other.read(LOG)
    assert not holds(repo, event)


def test_an_event_of_a_removed_work_tree_waits_for_its_branch(repo: GitRepo, tmp_path: Path) -> None:
    other = tmp_path / "other"
    repo.git("worktree", "add", "-q", "-b", "side", str(other))
    event = move(other, "WP02")
    repo.git("worktree", "remove", "--force", str(other))
    assert [fate.entry.event_id for fate in reconciled(repo).waiting] == [event]
    repo.git("worktree", "add", "-q", str(other), "side")
    assert [fate.entry.event_id for fate in reconciled(repo).restored] == [event]


def test_nothing_is_restored_in_the_middle_of_a_merge_and_all_of_it_afterwards(repo: GitRepo) -> None:
    repo.branch("side")
    repo.write("file", "theirs")
    repo.commit("theirs")
    repo.git("checkout", "-q", "main")
    repo.write("file", "ours")
    repo.commit("ours")
    repo.git("merge", "-q", "side", check=False)
    event = move(repo.path, "WP02")
    check_out_the_file(repo)
    why = [fate.why for fate in reconciled(repo).waiting]
    assert why == [f"git is in the middle of a merge in {repo.path}"]
    repo.git("merge", "--abort")
    assert [fate.entry.event_id for fate in reconciled(repo).restored] == [event]


def test_a_log_that_is_gone_with_its_committed_lines_is_not_begun_anew(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    (repo.path / LOG).unlink()
    why = [fate.why for fate in reconciled(repo).waiting]
    assert why == [f"{LOG} is missing from the work tree; `git restore -- {LOG}` brings back what HEAD has"]
    answer = emit(repo.path, "WP02", "in_progress", code=7)
    assert "the log may have been lost" in answer.err
    repo.git("restore", "--", LOG)
    assert [fate.entry.event_id for fate in reconciled(repo).restored] == [event]


def in_a_rebase(repo: GitRepo) -> str:
    """Stop a rebase of main at a conflict in another file, and return an event written there that git took away."""
    repo.branch("side")
    repo.write("file", "theirs")
    repo.commit("theirs")
    repo.git("checkout", "-q", "main")
    repo.write("file", "ours")
    repo.commit("ours")
    repo.git("rebase", "-q", "side", check=False)
    event = move(repo.path, "WP02")
    check_out_the_file(repo)
    assert [fate.why for fate in reconciled(repo).waiting] == [f"git is in the middle of a rebase in {repo.path}"]
    return event


def test_an_event_written_in_a_rebase_belongs_to_the_branch_that_is_rebased(repo: GitRepo) -> None:
    event = in_a_rebase(repo)
    repo.git("add", "file")
    repo.git("rebase", "--continue", environment={"GIT_EDITOR": "true"})
    assert [fate.entry.event_id for fate in reconciled(repo).restored] == [event]


def test_an_event_written_in_a_rebase_comes_back_where_that_was_given_up(repo: GitRepo) -> None:
    event = in_a_rebase(repo)
    repo.git("rebase", "--abort")
    assert [fate.entry.event_id for fate in reconciled(repo).restored] == [event]


def test_an_event_written_on_no_branch_waits(repo: GitRepo) -> None:
    repo.git("checkout", "-q", "--detach")
    event = move(repo.path, "WP02")
    reset_hard(repo)
    assert [fate.why for fate in reconciled(repo).waiting] == ["it was written on no branch"]
    move(repo.path, "WP02")
    assert not holds(repo, event)


def test_an_event_waits_where_its_branch_was_made_anew_from_elsewhere(repo: GitRepo) -> None:
    repo.branch("side")
    repo.commit_empty("on side")
    event = move(repo.path, "WP02")
    reset_hard(repo)
    head = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-D", "side")
    repo.git("checkout", "-q", "-b", "side")
    why = [fate.why for fate in reconciled(repo).waiting]
    assert why == [f"branch side does not hold commit {head}, on which it was written"]
    assert not holds(repo, event)


def test_an_event_waits_where_its_folder_is_gone(repo: GitRepo) -> None:
    move(repo.path, "WP02")
    shutil.rmtree(repo.path / FOLDER)
    assert [fate.why for fate in reconciled(repo).waiting] == [f"the folder of {LOG} is not there"]


def test_a_log_that_moved_settles_at_its_new_place(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    repo.git("add", "-A")
    repo.git("mv", FOLDER, "kitty-specs/002-renamed")
    repo.commit("renamed")
    assert [entry.event_id for entry in reconciled(repo).settled] == [event]


def test_a_tip_that_lost_a_committed_line_does_not_bring_it_back(repo: GitRepo) -> None:
    before = repo.read(LOG)
    event = move(repo.path, "WP02")
    repo.commit("WP02")
    repo.write(LOG, before)
    repo.commit("taken out")
    shutil.rmtree(repo.path / ".git/logs")
    assert [entry.event_id for entry in reconciled(repo).settled] == [event]


def test_a_branch_without_a_commit_keeps_its_events_too(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    event = move(repo.path, "WP01")
    (repo.path / LOG).unlink()
    assert [fate.entry.event_id for fate in reconciled(repo).restored] == [event]
    repo.commit("the first")
    assert [entry.event_id for entry in reconciled(repo).settled] == [event]


def test_a_log_that_git_ignores_has_no_journal(repo: GitRepo, tmp_path: Path) -> None:
    shutil.rmtree(repo.path / ".git/kitty-status")
    repo.git("rm", "-q", "--cached", "-r", FOLDER)
    repo.write(".gitignore", "kitty-specs/\n")
    move(repo.path, "WP02")
    assert entries(repo) == []
    outside = tmp_path / "outside"
    (outside / FOLDER).mkdir(parents=True)
    move(outside, "WP01")
    assert not (outside / FOLDER / ".kitty-status/journal").exists()


def test_settling_is_not_tried_again_before_a_head_has_moved(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    move(repo.path, "WP02")
    assert len(reconciled(repo).fates) == 1

    def never(*_: object) -> None:
        raise AssertionError("git was asked")

    with monkeypatch.context() as patch:
        patch.setattr("kitty_status.tracker.journal.reconcile.open_entries", never)
        assert len(reconciled(repo).fates) == 1
        repo.commit("WP02")
        with pytest.raises(AssertionError, match="was asked"):
            reconciled(repo)
    assert len(reconciled(repo).settled) == 1


def test_a_submodule_has_a_journal_of_its_own(repo: GitRepo, tmp_path: Path) -> None:
    outer = GitRepo.init(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo.path), "inner")
    inner = GitRepo(outer.path / "inner")
    event = move(inner.path, "WP02")
    reset_hard(inner)
    assert [fate.entry.event_id for fate in reconciled(inner).restored] == [event]
    assert holds(inner, event)
