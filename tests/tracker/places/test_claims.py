"""A claim looks at the whole clone: other work trees, branches that nobody stands on, and the journal."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER, KITTY, LOG, SLUG, Answer, ask, emit, kitty, tree, wait_until_it_waits
from events import APPROVAL, line, ulid
from gitrepo import GitRepo
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.features import Project

if TYPE_CHECKING:
    from pathlib import Path


class Clone:
    """A repository with a feature, and two work trees whose paths need care, each on a branch of its own."""

    def __init__(self, folder: Path, *, options: tuple[str, ...] = ()) -> None:
        self.main = GitRepo.init(folder / "the é repo")
        for option in options:
            self.main.git("config", option, "true")
        self.main.write(f"{FOLDER}/spec.md", "what to do\n")
        self.main.commit()
        self.one = self.main.worktree(folder / "work tree é 1", "one")
        self.two = self.main.worktree(folder / "two", "two")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def claim(repo: GitRepo, actor: str, *args: str) -> Answer:
    return ask(repo.path, "emit", "WP01", "--to", "claimed", "--actor", actor, "--feature", SLUG, *args)


def refused(repo: GitRepo, actor: str = "ben", *args: str) -> dict[str, Any]:
    before = tree(repo.path / FOLDER)
    answer = claim(repo, actor, *args, "--json")
    assert answer.code == 5, answer
    assert tree(repo.path / FOLDER) == before
    assert answer.error["code"] == "held-by-other"
    context: dict[str, Any] = answer.error["context"]
    return context


def test_a_claim_in_another_work_tree_that_is_not_committed_refuses_and_names_holder_and_place(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", actor="ada")
    answer = claim(clone.two, "ben")
    assert answer.code == 5
    assert f"ada holds it (claimed) in the work tree {clone.one.path} (branch one)" in answer.err
    for way in ("merge branch one", "ask ada", "`kitty-status worktrees`", "--force with a --reason"):
        assert way in answer.err
    context = refused(clone.two)
    assert (context["holder"], context["worktree"], context["branch"]) == ("ada", str(clone.one.path), "one")
    assert context["lane"] == "claimed"
    assert (context["legal_lanes"], context["commands"]) == (["claimed", "blocked", "canceled"], [])
    assert refused(clone.two, "ben", "--dry-run")["holder"] == "ada"


def test_work_in_progress_elsewhere_holds_as_a_claim_does(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    emit(clone.one.path, "WP01", "in_progress", "--commit")
    assert refused(clone.main)["lane"] == "in_progress"


def test_a_claim_on_a_branch_that_is_checked_out_nowhere_refuses(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", "--commit")
    clone.main.git("worktree", "remove", "--force", str(clone.one.path))
    context = refused(clone.two)
    assert (context["worktree"], context["branch"]) == (None, "one")
    assert context["places"] == [{"found_in": "branch", "worktree": None, "branch": "one"}]


def test_packed_branches_are_seen_as_loose_ones_are(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", "--commit")
    clone.main.git("worktree", "remove", "--force", str(clone.one.path))
    clone.main.git("pack-refs", "--all")
    assert refused(clone.two)["branch"] == "one"


def test_a_claim_that_a_stash_has_swallowed_holds_until_it_is_brought_back(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    clone.one.git("stash", "push", "-q", "--include-untracked")
    clone.one.git("stash", "drop", "-q")
    answer = claim(clone.two, "ben", "--json")
    assert answer.code == 5
    assert answer.error["context"]["places"] == [{"found_in": "journal", "worktree": None, "branch": "one"}]
    assert "merge branch" not in answer.error["hint"]


def test_a_claim_on_a_detached_head_holds_where_it_stands(clone: Clone) -> None:
    clone.one.git("checkout", "-q", "--detach")
    emit(clone.one.path, "WP01", "claimed")
    assert "(detached HEAD)" in claim(clone.two, "ben").err
    assert refused(clone.two)["branch"] is None


def test_a_claim_in_a_work_tree_whose_folder_is_gone_waits_and_holds(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    shutil.rmtree(clone.one.path)
    assert refused(clone.two)["branch"] == "one"


def test_another_clone_that_lies_where_a_work_tree_was_is_none_of_ours(clone: Clone) -> None:
    shutil.rmtree(clone.one.path)
    stranger = GitRepo.init(clone.one.path)
    stranger.write(LOG, line(feature_slug=SLUG, actor="a stranger"))
    assert claim(clone.two, "ben").code == 0


def test_a_claim_is_seen_in_the_middle_of_a_rebase_that_has_not_reached_it(clone: Clone) -> None:
    clone.one.write("text", "one\n")
    clone.one.commit()
    emit(clone.one.path, "WP01", "claimed", "--commit")
    clone.main.write("text", "main\n")
    clone.main.commit()
    assert clone.one.run("rebase", "main").returncode != 0
    assert not (clone.one.path / LOG).exists()
    assert refused(clone.two)["branch"] == "one"


def test_linked_work_trees_of_a_bare_repository_see_each_other(tmp_path: Path) -> None:
    Clone(tmp_path / "source")
    bare = GitRepo(tmp_path / "bare.git")
    GitRepo(tmp_path).git("clone", "-q", "--bare", str(tmp_path / "source" / "the é repo"), str(bare.path))
    trees = [bare.worktree(tmp_path / name, branch) for name, branch in (("a b", "new/a"), ("c", "c"))]
    emit(trees[0].path, "WP01", "claimed")
    assert refused(trees[1])["worktree"] == str(trees[0].path)


def test_nothing_holds_once_it_is_merged_or_given_back_or_finished_or_its_branch_is_deleted(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", "--commit")
    emit(clone.one.path, "WP01", "in_progress", "--commit")
    refused(clone.two)
    emit(clone.one.path, "WP01", "planned", "--reason", "no time", "--commit")
    assert claim(clone.two, "ben", "--dry-run").code == 0
    emit(clone.one.path, "WP01", "claimed", "--commit")
    refused(clone.two)
    clone.main.git("worktree", "remove", "--force", str(clone.one.path))
    clone.main.git("branch", "-q", "-D", "one")
    assert claim(clone.two, "ben").code == 0


def test_a_deleted_branch_holds_nothing_by_events_that_were_never_committed(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    clone.main.git("worktree", "remove", "--force", str(clone.one.path))
    refused(clone.two)
    clone.main.git("branch", "-q", "-D", "one")
    assert claim(clone.two, "ben").code == 0


def test_a_claim_that_was_committed_and_reset_away_holds_nothing(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", "--commit")
    clone.one.git("reset", "-q", "--hard", "HEAD~1")
    assert claim(clone.two, "ben").code == 0


def test_a_claim_that_another_branch_has_gone_on_from_holds_nothing(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", "--commit")
    assert clone.two.merge("one") == 0
    emit(clone.two.path, "WP01", "in_progress")
    emit(clone.two.path, "WP01", "planned", "--reason", "no time", "--commit")
    answer = claim(clone.main, "ben", "--json")
    assert answer.code == 0
    assert answer.envelope["warnings"] == [answer.envelope["warnings"][-1]]


def test_a_merged_branch_does_not_count(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", "--commit")
    emit(clone.one.path, "WP01", "in_progress", "--commit")
    assert clone.two.merge("one") == 0
    emit(clone.two.path, "WP01", "planned", "--reason", "no time", "--commit")
    assert claim(clone.two, "ben").code == 0


def test_force_with_a_reason_sets_a_forgotten_claim_aside(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed", "--commit")
    assert claim(clone.two, "ben", "--force").code == 3
    answer = claim(clone.two, "ben", "--force", "--reason", "ada has left", "--json")
    assert answer.code == 0
    assert answer.data["event"]["parents"] == []


def test_who_holds_it_elsewhere_already_is_told_so_and_may_claim(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    answer = claim(clone.two, "ada")
    assert answer.code == 0
    assert f"warning: ada holds WP01 already, in the work tree {clone.one.path} (branch one)" in answer.err


def test_work_that_is_finished_elsewhere_is_said_and_may_be_claimed(clone: Clone, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.json"
    evidence.write_text(json.dumps(APPROVAL), encoding="utf-8")
    for lane, *options in (
        ("claimed",), ("in_progress",), ("for_review",), ("done", "--evidence-json", str(evidence)),
    ):  # fmt: skip
        emit(clone.one.path, "WP01", lane, *options)
    answer = claim(clone.two, "ben")
    assert answer.code == 0
    assert (
        f"warning: ada has moved WP01 to done in the work tree {clone.one.path} (branch one); that is not" in answer.err
    )


def test_other_work_packages_and_other_moves_are_nobodys_business(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    assert "warning: ada" not in emit(clone.two.path, "WP02", "claimed", actor="ben").err
    emit(clone.two.path, "WP02", "in_progress", actor="ben")
    emit(clone.two.path, "WP01", "blocked", actor="ben")


def test_damaged_lines_elsewhere_are_passed_over_with_a_warning_and_the_rest_counts(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    clone.one.append(LOG, b"<<<<<<< ours\noops\n" + line(feature_slug=SLUG, wp_id="WP09", event_id=ulid(7)))
    answer = emit(clone.two.path, "WP02", "claimed", actor="ben")
    warning = f"line 2 of {LOG} in the work tree {clone.one.path} (branch one) is damaged"
    assert warning in answer.err
    assert "and 1 more lines: passed over" in answer.err
    assert warning in refused(clone.two)["warnings"][0]


def test_a_line_that_is_being_written_elsewhere_is_no_damage(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    clone.one.append(LOG, line(wp_id="WP09")[:40])
    assert "damaged" not in emit(clone.two.path, "WP02", "claimed", actor="ben").err


def test_a_log_elsewhere_that_cannot_be_read_is_said(clone: Clone) -> None:
    (clone.one.path / LOG).symlink_to(clone.one.path / "nothing")
    answer = claim(clone.two, "ben")
    assert answer.code == 0
    assert f"warning: {LOG} in the work tree {clone.one.path} (branch one) cannot be read: " in answer.err


def test_a_work_tree_without_a_readable_head_is_said(clone: Clone) -> None:
    (clone.main.path / ".git/worktrees/two/HEAD").unlink()
    answer = claim(clone.one, "ben")
    assert answer.code == 0
    assert "warning: cannot read" in answer.err


def test_lines_of_the_journal_that_are_no_entries_are_said(clone: Clone) -> None:
    emit(clone.one.path, "WP01", "claimed")
    book = next((clone.main.path / ".git/kitty-status/journal").glob("*.jsonl"))
    book.write_bytes(book.read_bytes() + b"oops\n")
    assert "holds lines that are no entries" in emit(clone.two.path, "WP02", "claimed", actor="ben").err


def test_a_branch_whose_log_is_not_in_the_object_store_is_said(clone: Clone) -> None:
    emit(clone.one.path, "WP02", "claimed", "--commit")
    clone.main.git("worktree", "remove", "--force", str(clone.one.path))
    oid = clone.main.git("rev-parse", f"one:{LOG}")
    (clone.main.path / ".git/objects" / oid[:2] / oid[2:]).unlink()
    answer = claim(clone.two, "ben")
    assert answer.code == 0
    assert "not in this clone's object store" in answer.err


def test_a_branch_whose_commit_is_missing_is_said(clone: Clone) -> None:
    clone.main.write(".git/refs/heads/lost", "1" * 40 + "\n")
    clone.main.write(".git/refs/heads/broken", "no object id\n")
    answer = claim(clone.two, "ben")
    assert answer.code == 0
    assert "warning: branch lost stands at 1111" in answer.err


def test_where_references_are_kept_in_tables_git_is_asked(clone: Clone, tmp_path: Path) -> None:
    probe = GitRepo(tmp_path)
    if probe.run("init", "-q", "--ref-format=reftable", str(tmp_path / "tables")).returncode:
        pytest.skip("this git keeps references in files only")
    assert clone.main.path.exists()
    main = GitRepo(tmp_path / "tables")
    main.write(f"{FOLDER}/spec.md", "what to do\n")
    main.commit()
    one = main.worktree(tmp_path / "t1", "one")
    emit(one.path, "WP01", "claimed", "--commit")
    assert refused(main)["branch"] == "one"


def test_with_one_work_tree_and_one_branch_no_claim_starts_git(repo: GitRepo, tmp_path: Path) -> None:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    repo.commit()
    emit(repo.path, "WP01", "claimed")
    empty = tmp_path / "empty"
    empty.mkdir()
    answer = kitty(repo.path, "emit", "WP02", "--to", "claimed", "--actor", "ada", "-f", SLUG, PATH=str(empty))
    assert answer.code == 0, answer


def test_of_two_who_claim_at_once_in_two_work_trees_exactly_one_wins(clone: Clone) -> None:
    place = Project(clone.one.path).feature(SLUG).place
    for number in range(20):
        with exclusive(place.lock):
            calls = {name: start(repo, f"WP{number}", name) for name, repo in (("ada", clone.one), ("ben", clone.two))}
            for process in calls.values():
                wait_until_it_waits(process, place.lock)
        ends = {name: (process.communicate()[1], process.returncode) for name, process in calls.items()}
        assert sorted(code for _, code in ends.values()) == [0, 5]
        winner = next(name for name, (_, code) in ends.items() if code == 0)
        context = next(json.loads(err)["context"] for err, code in ends.values() if code == 5)
        assert context["holder"] == winner
        assert context["worktree"] == str({"ada": clone.one, "ben": clone.two}[winner].path)


def start(repo: GitRepo, wp: str, actor: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [KITTY, "emit", wp, "--to", "claimed", "--actor", actor, "--feature", SLUG, "--json"],
        cwd=repo.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


NEW = "002-renamed"


def renamed_on_main(clone: Clone) -> None:
    """Give the feature another name on `main`, by its command, while `one` and `two` go on under the old one."""
    emit(clone.main.path, "WP09", "claimed", "--commit")
    for tree_of_branch in (clone.one, clone.two):
        tree_of_branch.git("merge", "-q", "--ff-only", "main")
    assert ask(clone.main.path, "rename", SLUG, NEW, "--commit").code == 0


def claim_renamed(repo: GitRepo, *args: str) -> Answer:
    return ask(repo.path, "emit", "WP01", "--to", "claimed", "--actor", "ben", "--feature", NEW, *args, "--json")


def test_a_claim_under_a_name_that_the_feature_had_before_refuses_and_names_holder_and_branch(clone: Clone) -> None:
    renamed_on_main(clone)
    emit(clone.one.path, "WP01", "claimed", actor="ada")

    answer = claim_renamed(clone.main)

    assert (answer.code, answer.error["code"]) == (5, "held-by-other")
    context = answer.error["context"]
    assert (context["holder"], context["branch"], context["worktree"]) == ("ada", "one", str(clone.one.path))
    assert f"(branch one), where the feature is called {SLUG}" in answer.error["message"]
    assert NEW in ask(clone.main.path, "show", NEW, "--worktrees").out
    assert SLUG in ask(clone.main.path, "show", NEW, "--worktrees").out


def test_so_does_one_that_is_committed_on_a_branch_or_waits_in_the_journal(clone: Clone) -> None:
    renamed_on_main(clone)
    emit(clone.one.path, "WP01", "claimed", "--commit", actor="ada")
    emit(clone.two.path, "WP02", "claimed", actor="eve")
    clone.two.git("stash", "-q")
    clone.main.git("worktree", "remove", "--force", str(clone.one.path))

    answer = claim_renamed(clone.main)
    assert (answer.code, answer.error["context"]["branch"], answer.error["context"]["worktree"]) == (5, "one", None)
    answer = ask(clone.main.path, "emit", "WP02", "--to", "claimed", "--actor", "ben", "--feature", NEW, "--json")
    assert (answer.code, answer.error["context"]["holder"]) == (5, "eve")
    assert "the journal, for branch two" in answer.error["message"]


def test_a_new_feature_of_the_former_name_holds_nothing(clone: Clone) -> None:
    renamed_on_main(clone)
    clone.one.git("merge", "-q", "--ff-only", "main")
    clone.one.write(f"{FOLDER}/spec.md", "another feature\n")
    emit(clone.one.path, "WP01", "claimed", actor="ada")
    clone.one.commit("another feature")
    emit(clone.one.path, "WP01", "in_progress", actor="ada")

    assert claim_renamed(clone.main).code == 0
