"""A linked work tree goes once its feature is finished and nothing is lost with it; the others say why they stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from commandline import FOLDER, LOG, SLUG, Answer, ask, emit, tree
from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.git import squashed as squashes
from kitty_status.git.repository import Repository, find_repository
from kitty_status.jsonl.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable

CANCELED = line(event_id=ulid(1), at=instant(1), from_lane="planned", to_lane="canceled")


class Clone(NamedTuple):
    """A clone whose one feature is finished, and a linked work tree of that feature."""

    main: GitRepo
    linked: GitRepo

    def cleanup(self, *args: str) -> Answer:
        return ask(self.main.path, "cleanup", "--json", *args)

    def entry(self, answer: Answer) -> dict[str, Any]:
        path = str(self.linked.path.resolve())
        found: dict[str, Any] = next(each for each in answer.data["worktrees"] if each["worktree"] == path)
        return found


@pytest.fixture
def clone(repo: GitRepo, tmp_path: Path) -> Clone:
    repo.write(LOG, CANCELED)
    repo.write(".gitignore", "ignored/\n*.log\n")
    repo.commit()
    return Clone(repo, repo.worktree(tmp_path / "linked", f"{SLUG}-WP01"))


def test_what_is_finished_and_safe_is_removed_and_its_branch_is_left_to_a_person(clone: Clone) -> None:
    clone.linked.write("ignored/build.o", "x")
    before = tree(clone.main.path.parent)
    planned = clone.cleanup("--dry-run")
    assert (planned.code, planned.envelope["next"]) == (0, ["kitty-status cleanup"])
    assert tree(clone.main.path.parent) == before
    assert (
        "would be removed: 001-feature is finished, and main has its commits"
        in ask(clone.main.path, "cleanup", "-n").out
    )
    done = clone.cleanup()
    found = clone.entry(done)
    assert (done.code, found["removed"], found["why"], found["feature"]) == (0, True, [], SLUG)
    assert not clone.linked.path.exists()
    [command] = done.envelope["next"]
    assert command == f"git branch -d {SLUG}-WP01"
    assert clone.main.git("branch", "--list", "--format=%(refname:short)") == f"{SLUG}-WP01\nmain"
    assert clone.main.run(*command.split()[1:]).returncode == 0


def _ahead(clone: Clone) -> None:
    clone.linked.commit_empty()


def _unpushed_upstream(clone: Clone) -> None:
    """Let the branch follow another one of this clone, which is no copy that is kept elsewhere."""
    clone.linked.commit_empty()
    clone.main.git("branch", "copy", f"{SLUG}-WP01")
    clone.linked.git("branch", "--set-upstream-to=copy")


def _only_in_a_reflog(clone: Clone) -> None:
    clone.linked.git("checkout", "-q", "--detach")
    clone.linked.commit_empty()
    clone.linked.switch(f"{SLUG}-WP01")


def _hidden_change(clone: Clone) -> None:
    clone.linked.git("update-index", "--assume-unchanged", ".gitignore")
    clone.linked.write(".gitignore", "ignored/\nmine\n")


def _skipped_change(clone: Clone) -> None:
    clone.linked.git("update-index", "--skip-worktree", ".gitignore")
    clone.linked.write(".gitignore", "ignored/\nmine\n")


def _waiting_event(clone: Clone) -> None:
    """Acknowledge an event that is then taken out of its log by hand."""
    before = clone.linked.read(LOG)
    emit(clone.linked.path, "WP01", "planned", "--force", "--reason", "once more")
    clone.linked.write(LOG, before)
    (clone.linked.path / FOLDER / "status.json").unlink()


OBSTACLES: dict[str, tuple[Callable[[Clone], object], str]] = {
    "a change": (lambda clone: clone.linked.append(".gitignore", "x\n"), "not committed: .gitignore"),
    "a staged file": (
        lambda clone: (clone.linked.write("new", "x"), clone.linked.git("add", "new")),
        "not committed: new",
    ),
    "untracked files": (
        lambda clone: [clone.linked.write(f"a/{name}", "x") for name in "bcdef"],
        "not committed: a/b, a/c, a/d and 2 more",
    ),
    "a change that git does not see": (_hidden_change, "git was told not to see"),
    "a change that git skips": (_skipped_change, "git was told not to see"),
    "a log that git ignores": (
        lambda clone: clone.linked.write("ignored/kitty-specs/002-b/status.events.jsonl", CANCELED),
        "git ignores a log",
    ),
    "a repository": (lambda clone: GitRepo.init(clone.linked.path / "ignored" / "other"), "of its own, lies in it"),
    "a work tree": (lambda clone: clone.main.worktree(clone.linked.path / "ignored/deep", "deep"), "lies in it"),
    "a commit": (_ahead, "neither merged nor pushed"),
    "a commit on a local upstream": (_unpushed_upstream, "neither merged nor pushed"),
    "a commit that no branch has": (_only_in_a_reflog, "only its reflog has commit"),
    "a lock": (lambda clone: clone.main.git("worktree", "lock", str(clone.linked.path)), "it is locked"),
    "a lock with a reason": (
        lambda clone: clone.main.git("worktree", "lock", "--reason", "a usb stick", str(clone.linked.path)),
        "it is locked: a usb stick",
    ),
    "a merge": (lambda clone: clone.linked.git("merge", "--no-commit", "--no-ff", _side(clone)), "a merge is not"),
    "a bisection": (lambda clone: clone.linked.git("bisect", "start"), "git keeps for it alone: BISECT_LOG"),
    "a reference of its own": (
        lambda clone: clone.linked.git("update-ref", "refs/worktree/mine", "HEAD"),
        "git keeps for it alone: refs/worktree/mine",
    ),
    "an event in the journal": (_waiting_event, "1 acknowledged event waits in the journal"),
}


def _side(clone: Clone) -> str:
    return clone.main.git("commit-tree", "-p", "HEAD", "-m", "side", "HEAD^{tree}")


@pytest.mark.parametrize("name", OBSTACLES)
def test_a_finished_one_stays_with_anything_that_would_be_lost_and_says_what(clone: Clone, name: str) -> None:
    prepare, words = OBSTACLES[name]
    prepare(clone)
    planned = clone.cleanup("-n")
    done = clone.cleanup()
    found = clone.entry(done)
    assert (planned.code, done.code, found["removed"]) == (1, 1, False)
    assert any(words in why for why in found["why"]), found
    assert clone.linked.path.exists()
    assert done.envelope["next"] == []


def test_what_was_pushed_may_go_though_it_is_not_merged(clone: Clone, tmp_path: Path) -> None:
    remote = GitRepo.init(tmp_path / "remote.git", bare=True)
    clone.main.git("remote", "add", "origin", str(remote.path))
    clone.linked.commit_empty()
    clone.linked.git("push", "-q", "--no-verify", "-u", "origin", f"{SLUG}-WP01")
    assert clone.cleanup().code == 0
    assert not clone.linked.path.exists()


def squashed(clone: Clone, change: Callable[[], object]) -> Clone:
    """Commit changes in the work tree, each as a commit, and bring them to the main branch as one."""
    change()
    clone.linked.commit("work")
    clone.main.git("merge", "-q", "--squash", f"{SLUG}-WP01")
    clone.main.git("commit", "-q", "-m", "squashed")
    return clone


def _work(clone: Clone) -> None:
    clone.linked.write("one", "1")
    clone.linked.commit("one")
    clone.linked.write("two", "2")


def test_what_was_squashed_may_go_and_its_branch_stays(clone: Clone) -> None:
    squashed(clone, lambda: _work(clone))
    clone.main.append("one", "and more\n")
    clone.main.commit("the main branch goes on")
    words = (
        f"001-feature is finished, and the history of main has all that it changed, and its branch {SLUG}-WP01 stays"
    )
    assert f"would be removed: {words}" in ask(clone.main.path, "cleanup", "-n").out
    done = clone.cleanup()
    assert (done.code, clone.entry(done)["kept_by"], clone.entry(done)["removed"]) == (0, "content", True)
    assert done.envelope["next"] == []
    assert clone.main.git("branch", "--list", "--format=%(refname:short)") == f"{SLUG}-WP01\nmain"


def test_events_that_were_squashed_are_in_the_log_whatever_their_order(clone: Clone) -> None:
    def move() -> None:
        clone.linked.append(LOG, line(event_id=ulid(3), at=instant(3), wp_id="WP02", to_lane="canceled"))
        clone.linked.write(f"{FOLDER}/status.json", "{}")

    squashed(clone, move)
    first, second = clone.main.read(LOG).splitlines(keepends=True)
    between = line(event_id=ulid(2), at=instant(2), wp_id="WP03", to_lane="canceled")
    clone.main.write(LOG, second + first + between)
    clone.main.write(f"{FOLDER}/status.json", '{"other": 1}')
    clone.main.commit("more")
    assert clone.entry(clone.cleanup())["kept_by"] == "content"
    assert not clone.linked.path.exists()


def _further_commit(clone: Clone) -> None:
    clone.linked.write("three", "3")
    clone.linked.commit("three")


def _changed_again(clone: Clone) -> None:
    clone.main.write("one", "something else")
    clone.linked.write("one", "yet another thing")
    clone.main.commit("a")
    clone.linked.commit("b")


def _typed_again_but_for_one_file(clone: Clone) -> None:
    clone.linked.write("three", "3")
    clone.linked.write("four", "4")
    clone.linked.commit("three and four")
    clone.main.write("four", "4")
    clone.main.commit("four")


def _line_not_taken_along(clone: Clone) -> None:
    clone.linked.append(LOG, line(event_id=ulid(4), at=instant(4), wp_id="WP04", to_lane="canceled"))
    clone.linked.commit("an event")


@pytest.mark.parametrize(
    "go_on", [_further_commit, _changed_again, _line_not_taken_along, _typed_again_but_for_one_file]
)
def test_what_goes_on_after_a_squash_stays(clone: Clone, go_on: Callable[[Clone], None]) -> None:
    squashed(clone, lambda: _work(clone))
    go_on(clone)
    done = clone.cleanup()
    assert (done.code, clone.entry(done)["kept_by"]) == (1, None)
    assert any("neither merged nor pushed" in why for why in clone.entry(done)["why"])
    assert clone.linked.path.exists()


def test_a_squash_without_a_common_past_and_a_git_that_cannot_say_keep_the_work_tree(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    squashed(clone, lambda: _work(clone))
    with monkeypatch.context() as patch:
        patch.setattr(squashes, "merge_in_memory", lambda *_: None)
        assert not squashes.has_all_of(find(clone), "main", f"{SLUG}-WP01")
    assert squashes.has_all_of(find(clone), "main", f"{SLUG}-WP01")
    alone = clone.main.git("commit-tree", "-m", "alone", f"{SLUG}-WP01^{{tree}}")
    assert not squashes.has_all_of(find(clone), "main", alone)


def find(clone: Clone) -> Repository:
    found = find_repository(str(clone.main.path))
    assert found is not None
    return found


def test_who_stands_in_it_keeps_it_and_the_main_one_is_never_removed(clone: Clone) -> None:
    folder = clone.linked.path / FOLDER
    answer = ask(folder, "cleanup", "--json")
    whys = {each["worktree"]: each["why"] for each in answer.data["worktrees"]}
    assert answer.code == 1
    assert whys[str(clone.linked.path.resolve())] == ["you stand in it"]
    assert whys[str(clone.main.path.resolve())] == ["it is the main work tree"]


@pytest.mark.parametrize(
    ("branch", "folder"), [("other", "some"), ("001-feature-form", "some"), ("feature", "a"), ("001-featureWP01", "a")]
)
def test_one_that_names_no_feature_stays_and_nobody_calls_that_a_failure(
    clone: Clone, tmp_path: Path, branch: str, folder: str
) -> None:
    other = Clone(clone.main, clone.main.worktree(tmp_path / folder, branch))
    answer = other.cleanup()
    assert answer.code == 0
    assert other.entry(answer)["why"] == ["neither its branch nor its folder names one feature"]


def test_a_branch_that_names_another_feature_than_the_folder_stays(clone: Clone, tmp_path: Path) -> None:
    clone.main.write("kitty-specs/002-b/status.events.jsonl", CANCELED)
    clone.main.commit()
    other = Clone(clone.main, clone.main.worktree(tmp_path / "002-b", f"fix/{SLUG}"))
    assert not other.entry(other.cleanup())["removed"]


@pytest.mark.parametrize("branch", ["fix/001-feature", "001-feature", "ada/001-feature-WP01"])
def test_the_name_of_a_branch_or_of_a_folder_says_the_feature(clone: Clone, tmp_path: Path, branch: str) -> None:
    by_branch = Clone(clone.main, clone.main.worktree(tmp_path / "some", branch))
    by_folder = Clone(clone.main, clone.main.worktree(tmp_path / f"{SLUG}-WP02", "some"))
    answer = clone.cleanup()
    assert by_branch.entry(answer)["removed"]
    assert by_folder.entry(answer)["removed"]


def test_a_work_package_in_another_lane_or_with_a_file_and_no_event_keeps_the_work_trees(clone: Clone) -> None:
    clone.main.append(LOG, line(event_id=ulid(2), at=instant(2), wp_id="WP02"))
    clone.main.write(f"{FOLDER}/tasks/WP03-later.md", "# Later\n")
    clone.main.commit()
    answer = clone.cleanup()
    assert answer.code == 0
    assert clone.entry(answer)["why"] == ["not finished in main: WP02 (claimed), WP03 (planned)"]


def test_a_log_in_the_work_tree_that_goes_on_keeps_it(clone: Clone) -> None:
    """It does so though the main branch says that all is done, and though nothing would be lost."""
    more = line(event_id=ulid(2), at=instant(2), from_lane="canceled", to_lane="planned", force=True, reason="again")
    clone.linked.append(LOG, more)
    clone.linked.commit()
    assert clone.entry(clone.cleanup())["why"] == ["not finished with what stands in the work tree: WP01 (planned)"]


def test_what_the_main_branch_has_not_committed_does_not_count(repo: GitRepo, tmp_path: Path) -> None:
    repo.write(LOG, line(event_id=ulid(1), at=instant(1)))
    repo.commit()
    linked = Clone(repo, repo.worktree(tmp_path / "linked", SLUG))
    repo.append(LOG, line(event_id=ulid(2), at=instant(2), from_lane="claimed", to_lane="canceled"))
    assert linked.entry(linked.cleanup())["why"] == ["not finished in main: WP01 (claimed)"]


@pytest.mark.parametrize("where", ["main", "linked"])
def test_a_log_that_cannot_be_read_keeps_the_work_tree(clone: Clone, where: str) -> None:
    getattr(clone, where).append(LOG, "junk\n{}\n")
    if where == "main":
        clone.main.commit()
    [why] = clone.entry(clone.cleanup())["why"]
    assert why.startswith(f"the log of {SLUG} cannot be read: Line 2")


def test_a_feature_that_the_main_branch_does_not_have_is_not_finished(clone: Clone, tmp_path: Path) -> None:
    other = Clone(clone.main, clone.main.worktree(tmp_path / "002-b", "002-b"))
    clone.main.write("kitty-specs/002-b/status.events.jsonl", CANCELED)
    assert other.entry(other.cleanup())["why"] == ["main has no events of 002-b"]


def test_an_archived_feature_and_one_that_was_renamed_are_found_by_what_the_branch_calls_them(clone: Clone) -> None:
    assert ask(clone.main.path, "rename", SLUG, "003-new", "--commit").code == 0
    assert clone.entry(clone.cleanup("-n"))["feature"] == "003-new"
    assert ask(clone.main.path, "archive", "003-new", "--commit").code == 0
    assert clone.entry(clone.cleanup())["removed"]


def test_a_work_tree_whose_branch_or_head_is_gone_stays(clone: Clone) -> None:
    clone.main.git("update-ref", "-d", f"refs/heads/{SLUG}-WP01")
    assert f"its branch {SLUG}-WP01 is gone, or has no commit yet" in clone.entry(clone.cleanup())["why"]
    clone.main.write(f".git/worktrees/{clone.linked.path.name}/HEAD", "garbage\n")
    assert clone.entry(clone.cleanup())["why"] == ["its HEAD cannot be read"]


def test_a_folder_that_is_gone_is_only_said(clone: Clone, tmp_path: Path) -> None:
    clone.linked.path.rename(tmp_path / "elsewhere")
    [warning] = clone.cleanup().envelope["warnings"]
    assert warning.endswith("is gone; `git worktree prune` has git forget it")


def test_git_looks_once_more_and_what_it_refuses_is_said_in_its_words(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Clone(clone.main, clone.main.worktree(tmp_path / "other", f"{SLUG}-WP02"))
    other.linked.write("late", "written after everything was looked at")
    monkeypatch.setattr("kitty_status.git.removal.uncommitted_files", lambda _: [])
    answer = other.cleanup()
    [why] = other.entry(answer)["why"]
    assert (answer.code, "git worktree remove failed" in why, "untracked" in why) == (1, True, True)
    assert other.linked.path.exists()
    assert clone.entry(answer)["removed"]


def test_commits_that_were_rewritten_on_the_branch_itself_keep_nothing(clone: Clone) -> None:
    clone.linked.write("a", "x")
    clone.linked.commit()
    clone.linked.git("commit", "-q", "--amend", "--no-edit", "-m", "better")
    clone.main.commit_empty()
    clone.linked.git("rebase", "-q", "main")
    clone.main.git("merge", "-q", f"{SLUG}-WP01")
    assert clone.entry(clone.cleanup())["removed"]


def test_a_snapshot_or_log_that_others_hold_the_lock_of_is_waited_for(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = clone.main.path / f".git/kitty-status/locks/{SLUG}.lock"
    monkeypatch.setattr("kitty_status.tracker.places.cleanup.exclusive", lambda path: exclusive(path, timeout=0))
    with exclusive(lock):
        answer = clone.cleanup()
    assert (answer.code, clone.entry(answer)["removed"]) == (1, False)
    assert clone.linked.path.exists()


def test_without_a_repository_or_a_main_branch_the_call_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    outside = ask(tmp_path / "plain", "cleanup", "--json")
    assert (outside.code, outside.error["code"]) == (2, "outside-repository")
    unborn = ask(GitRepo.init(tmp_path / "unborn").path, "cleanup", "--json")
    assert (unborn.code, unborn.error["code"]) == (2, "usage")


def test_where_no_branch_is_called_main_the_one_of_the_first_work_tree_counts(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo", branch="trunk")
    repo.write(LOG, CANCELED)
    repo.commit()
    clone = Clone(repo, repo.worktree(tmp_path / "linked", SLUG))
    answer = clone.cleanup()
    assert (answer.data["base"], clone.entry(answer)["removed"]) == ("trunk", True)
