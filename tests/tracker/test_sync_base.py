"""sync-base: the base branch merged in with the drivers, verified, and nothing done where something is not in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, Answer, ask, emit, feature_in, tree
from events import instant, line, ulid
from features import declare, install, install_and_lose, uninstall
from gitrepo import GitRepo
from kitty_status.git import base_branch
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.git.repository import find_repository

OTHER = "code.txt"


def ready(repo: GitRepo, *, installed: bool = True) -> GitRepo:
    """Return a repository in which main and the branch `work`, checked out, have both moved a work package."""
    declare(repo)
    if installed:
        install(repo)
    feature_in(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.branch("work")
    emit(repo.path, "WP01", "in_progress", "--commit")
    repo.switch("main")
    emit(repo.path, "WP02", "claimed", "--commit", actor="grace")
    repo.switch("work")
    return repo


def with_conflict(repo: GitRepo) -> GitRepo:
    """Let both branches write another file as well."""
    ready(repo)
    for branch in ("main", "work"):
        repo.switch(branch)
        repo.write(OTHER, f"{branch}\n")
        repo.commit()
    return repo


def clone_of(repo: GitRepo, path: Path) -> GitRepo:
    """Return a clone with the branch `work` checked out and the tool installed."""
    repo.switch("main")
    repo.git("clone", "-q", str(repo.path), str(path))
    clone = GitRepo(path)
    clone.switch("work")
    install(clone)
    return clone


def without_hooks(repo: GitRepo) -> None:
    repo.git("config", "core.hooksPath", str(repo.path / "no hooks"))


def sync(repo: GitRepo, *args: str) -> Answer:
    return ask(repo.path, "sync-base", *args, "--json")


def test_the_base_is_merged_with_the_drivers_and_the_snapshot_is_right(repo: GitRepo) -> None:
    answer = sync(ready(repo))
    assert answer.code == 0
    assert answer.envelope["kind"] == "sync-base"
    assert answer.data["result"] == "merged"
    assert answer.data["base"] == "main"
    assert answer.data["logs"] == [{"path": LOG, "gained": 1}]
    assert answer.data["commit"] == repo.git("rev-parse", "HEAD")
    assert answer.data["missing"] == {}
    assert answer.envelope["next"] == ["git push"]
    assert repo.git("rev-list", "--parents", "-1", "HEAD").count(" ") == 2
    assert repo.git("status", "--porcelain") == ""
    assert ask(repo.path, "materialize", SLUG, "--check").code == 0


def test_afterwards_even_a_plain_git_merges_the_branch_without_a_conflict(repo: GitRepo) -> None:
    assert sync(ready(repo)).code == 0
    uninstall(repo)
    repo.write(".git/info/attributes", "*.jsonl !merge\n*.json !merge\n")
    repo.switch("main")
    assert repo.merge("work") == 0
    assert repo.read(LOG).count(b"\n") == 3


def test_a_base_that_is_merged_already_is_left_alone(repo: GitRepo) -> None:
    assert sync(ready(repo)).code == 0
    before = repo.git("rev-parse", "HEAD")
    answer = sync(repo)
    assert (answer.code, answer.data["result"]) == (0, "up-to-date")
    assert repo.git("rev-parse", "HEAD") == before


def test_what_conflicts_besides_stays_as_git_left_it_and_the_logs_are_merged(repo: GitRepo) -> None:
    answer = sync(with_conflict(repo))
    assert answer.code == 5
    assert answer.data["result"] == "conflicts"
    assert answer.data["conflicts"] == [OTHER]
    assert answer.data["logs"] == [{"path": LOG, "gained": 1}]
    assert (repo.path / ".git/MERGE_HEAD").exists()
    assert b"<<<<<<<" in repo.read(OTHER)
    assert answer.envelope["next"] == [f"git add -- :/{OTHER}", "git commit --no-edit"]
    repo.write(OTHER, "both\n")
    for step in answer.envelope["next"]:
        repo.git(*step.split(" ")[1:])
    assert repo.git("status", "--porcelain") == ""
    assert ask(repo.path, "validate", "--all").code == 0


def test_a_snapshot_that_could_not_be_merged_is_named_with_the_command_that_makes_it(repo: GitRepo) -> None:
    ready(repo)
    repo.write(SNAPSHOT, b"{}\n")
    repo.git("commit", "-q", "--no-verify", "-a", "-m", "a snapshot without a log")
    answer = sync(repo)
    assert answer.code == 5
    assert answer.data["conflicts"] == [SNAPSHOT]
    assert answer.envelope["next"][0] == f"kitty-status materialize {SLUG}"
    assert ask(repo.path, *answer.envelope["next"][0].split(" ")[1:]).code == 0
    for step in answer.envelope["next"][1:]:
        repo.git(*step.split(" ")[1:])
    assert ask(repo.path, "validate", "--all").code == 0


def test_a_snapshot_that_only_one_side_changed_is_made_anew(repo: GitRepo) -> None:
    ready(repo)
    repo.switch("main")
    repo.git("checkout", "-q", "-b", "lazy", "work~1")
    repo.append(LOG, line(event_id=ulid(7), at=instant(7), wp_id="WP07"))
    repo.commit("a log without its snapshot", check=False)
    repo.git("commit", "-q", "--no-verify", "-a", "-m", "a log without its snapshot", check=False)
    answer = sync(repo, "main")
    assert answer.code == 0
    assert answer.data["materialized"] == [SNAPSHOT]
    assert answer.envelope["next"][0] == f"git add -- :/{SNAPSHOT}"
    assert ask(repo.path, "materialize", SLUG, "--check").code == 0
    for step in answer.envelope["next"][:1]:
        repo.git(*step.split(" ")[1:])
    assert repo.git("diff", "--cached", "--name-only") == SNAPSHOT


def test_a_dry_run_says_what_would_merge_and_what_would_conflict_and_writes_nothing(repo: GitRepo) -> None:
    with_conflict(repo)
    before = tree(repo.path)
    answer = sync(repo, "--dry-run")
    assert tree(repo.path) == before
    assert answer.code == 0
    assert answer.data["result"] == "would-merge"
    assert answer.data["logs"] == [{"path": LOG, "gained": 0}]
    assert answer.data["conflicts"] == [OTHER]


def test_a_dry_run_with_a_git_that_cannot_tell_says_so(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(repo)
    monkeypatch.setattr(base_branch, "would_conflict", lambda *_: None)
    answer = sync(repo, "--dry-run")
    assert answer.code == 0
    assert "git 2.38" in answer.envelope["warnings"][0]
    monkeypatch.undo()
    found = find_repository(str(repo.path))
    assert found
    assert base_branch.would_conflict(found, base_branch.Base("x", "0" * 40), str(repo.path)) is None


def test_without_the_drivers_nothing_is_merged_and_install_is_named(repo: GitRepo) -> None:
    before = ready(repo, installed=False).git("rev-parse", "HEAD")
    answer = sync(repo)
    assert (answer.code, answer.error["code"]) == (2, "configuration")
    assert "kitty-status install" in answer.error["hint"]
    install_and_lose(repo)
    assert sync(repo).code == 2
    assert repo.git("rev-parse", "HEAD") == before


def test_uncommitted_changes_are_named_unless_git_sets_them_aside(repo: GitRepo) -> None:
    ready(repo)
    emit(repo.path, "WP03", "claimed")
    answer = sync(repo)
    assert (answer.code, answer.error["code"]) == (1, "git-failed")
    assert LOG in answer.error["message"]
    assert "--autostash" in answer.error["hint"]
    assert ask(repo.path, "install", "--autostash").code == 0
    assert sync(repo).code == 0
    assert sorted(ask(repo.path, "show", SLUG, "--json").data["work_packages"]) == ["WP01", "WP02", "WP03"]


def test_many_uncommitted_files_are_counted_and_untracked_ones_do_not_matter(repo: GitRepo) -> None:
    ready(repo)
    for number in range(5):
        repo.write(f"file{number}", "x\n")
    assert sync(repo, "--dry-run").code == 0
    repo.git("add", "-A")
    assert sync(repo).error["message"].endswith("file2 and 2 more")


def test_a_hook_that_refuses_the_merge_is_quoted_and_the_merge_stays_prepared(repo: GitRepo) -> None:
    ready(repo)
    hook = repo.write(".git/hooks/pre-merge-commit", "#!/bin/sh\necho 'not on a friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    answer = sync(repo)
    assert (answer.code, answer.error["code"]) == (1, "git-failed")
    assert "not on a friday" in answer.error["message"]
    assert "prepared" in answer.error["hint"]
    assert (repo.path / ".git/MERGE_HEAD").exists()


def test_what_git_had_set_aside_and_could_not_put_back_is_said(repo: GitRepo) -> None:
    ready(repo)
    repo.switch("main")
    repo.write(OTHER, "base\n")
    repo.commit()
    repo.switch("work")
    repo.git("merge", "-q", "--no-edit", "main~1")
    repo.git("config", "merge.autoStash", "true")
    repo.write(OTHER, "mine\n")
    repo.git("add", OTHER)
    answer = sync(repo)
    assert answer.code == 0
    assert any("git stash list" in warning for warning in answer.envelope["warnings"])
    assert repo.git("stash", "list")


def test_in_the_middle_of_a_merge_nothing_is_begun(repo: GitRepo) -> None:
    with_conflict(repo)
    assert repo.merge("main") == 1
    assert "in the middle of a merge" in sync(repo).error["message"]


def test_what_git_refuses_is_said_in_its_words_and_nothing_is_merged(repo: GitRepo) -> None:
    ready(repo)
    repo.switch("main")
    repo.write(OTHER, "base\n")
    repo.commit()
    repo.switch("work")
    repo.write(OTHER, "untracked\n")
    before = repo.git("rev-parse", "HEAD")
    answer = sync(repo)
    assert (answer.code, answer.error["code"]) == (1, "git-failed")
    assert "untracked working tree files would be overwritten" in answer.error["message"]
    assert repo.git("rev-parse", "HEAD") == before
    assert repo.read(OTHER) == b"untracked\n"


@pytest.mark.parametrize(
    ("base", "code", "error"),
    [
        ("nowhere", 4, "not-found"),
        ("", 4, "not-found"),
        ("a b\n", 4, "not-found"),
        ("HEAD:kitty-specs", 4, "not-found"),
    ],
)
def test_a_base_that_is_no_branch_is_not_found(repo: GitRepo, base: str, code: int, error: str) -> None:
    answer = sync(ready(repo), base)
    assert (answer.code, answer.error["code"]) == (code, error)


def test_a_base_that_git_would_take_for_an_option_is_refused(repo: GitRepo) -> None:
    answer = ask(ready(repo).path, "sync-base", "--json", "--", "--abort")
    assert (answer.code, answer.error["code"]) == (2, "usage")


def test_where_nothing_says_what_the_base_is_it_has_to_be_named(repo: GitRepo) -> None:
    ready(repo).switch("main")
    answer = sync(repo)
    assert (answer.code, answer.error["code"]) == (2, "usage")
    assert "sync-base develop" in answer.error["hint"]


def test_without_a_branch_there_is_nothing_to_merge_into(repo: GitRepo) -> None:
    assert sync(repo).error["code"] == "usage"
    ready(repo).git("checkout", "-q", "--detach")
    assert "git switch" in sync(repo).error["hint"]


def test_outside_git_there_is_nothing_to_merge(tmp_path: Path) -> None:
    assert ask(tmp_path, "sync-base", "--json").error["code"] == "outside-repository"


def test_the_default_branch_of_the_remote_is_the_base(repo: GitRepo, tmp_path: Path) -> None:
    ready(repo)
    repo.git("branch", "-m", "main", "trunk")
    repo.switch("trunk")
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    clone = GitRepo(tmp_path / "clone")
    clone.switch("work")
    install(clone)
    answer = sync(clone)
    assert answer.data["base"] == "origin/trunk"
    assert answer.data["result"] == "merged"


def test_nothing_is_fetched_unless_asked_for(repo: GitRepo, tmp_path: Path) -> None:
    clone = clone_of(ready(repo), tmp_path / "clone")
    assert sync(clone).data["result"] == "merged"
    emit(repo.path, "WP05", "claimed", "--commit")
    assert sync(clone).data["result"] == "up-to-date"
    answer = sync(clone, "--fetch")
    assert answer.data["result"] == "merged"
    assert answer.data["logs"] == [{"path": LOG, "gained": 1}]


def test_a_remote_of_another_name_is_found_and_main_is_guessed(repo: GitRepo, tmp_path: Path) -> None:
    clone = clone_of(ready(repo), tmp_path / "clone")
    clone.git("remote", "rename", "origin", "upstream")
    clone.git("remote", "set-head", "upstream", "--delete")
    assert sync(clone).data["base"] == "upstream/main"


def test_a_fetch_without_a_remote_or_in_a_dry_run_is_refused(repo: GitRepo, tmp_path: Path) -> None:
    assert "no remote" in sync(ready(repo), "--fetch").error["message"]
    clone = clone_of(repo, tmp_path / "clone")
    assert "dry run" in sync(clone, "--fetch", "--dry-run").error["message"]
    clone.git("remote", "set-url", "origin", str(tmp_path / "gone"))
    assert sync(clone, "--fetch").error["code"] == "git-failed"


def test_two_remotes_of_which_none_is_the_usual_one_are_not_guessed(repo: GitRepo) -> None:
    ready(repo)
    for name in ("one", "two"):
        repo.git("remote", "add", name, str(repo.path))
    assert sync(repo).data["base"] == "main"


def test_a_line_that_the_merge_lost_is_reported(repo: GitRepo) -> None:
    """A driver that somebody else put in place keeps ours only."""
    ready(repo)
    without_hooks(repo)
    repo.git("config", "merge.ours.driver", "true")
    repo.append(".git/info/attributes", f"{LOG} merge=ours\n{SNAPSHOT} merge=ours\n")
    answer = sync(repo)
    assert answer.code == 1
    assert answer.data["missing"] == {LOG: 1}
    assert ask(repo.path, "sync-base").code == 0


def test_a_feature_that_was_deleted_on_one_side_is_mentioned(repo: GitRepo) -> None:
    ready(repo)
    repo.switch("main")
    repo.write("kitty-specs/009-other/status.events.jsonl", line(event_id=ulid(9), at=instant(9), feature_slug="009"))
    repo.commit()
    repo.switch("work")
    repo.git("merge", "-q", "--no-edit", "main")
    repo.switch("main")
    repo.git("rm", "-r", "-q", "kitty-specs/009-other")
    repo.commit()
    repo.switch("work")
    answer = sync(repo)
    assert answer.code == 0
    assert answer.envelope["warnings"] == [
        "kitty-specs/009-other/status.events.jsonl was deleted on one side, and 1 lines with it"
    ]


def test_a_feature_that_was_renamed_in_the_base_is_followed(repo: GitRepo) -> None:
    ready(repo)
    repo.switch("main")
    repo.write(f"{FOLDER}/spec.md", "about\n" * 30)
    repo.commit()
    repo.switch("work")
    repo.git("merge", "-q", "--no-edit", "main")
    repo.switch("main")
    assert ask(repo.path, "rename", SLUG, "002-new", "--commit").code == 0
    repo.switch("work")
    emit(repo.path, "WP03", "claimed", "--commit")
    answer = sync(repo)
    assert answer.code == 0, answer
    assert answer.data["missing"] == {}
    assert answer.envelope["warnings"] == []
    assert ask(repo.path, "show", "002-new", "--json").data["event_count"] == 4


def test_where_snapshots_are_ignored_nothing_is_left_to_commit(repo: GitRepo) -> None:
    repo.write(CONFIG_PATH, "status:\n  snapshot: ignored\n")
    assert ask(repo.path, "init").code == 0
    ready(repo)
    answer = sync(repo)
    assert answer.data["result"] == "merged"
    assert answer.data["materialized"] == [SNAPSHOT]
    assert answer.envelope["next"] == ["git push"]
    assert repo.git("status", "--porcelain") == ""


def test_a_log_that_came_in_damaged_is_stopped_by_the_hook_and_said_where_there_is_none(repo: GitRepo) -> None:
    ready(repo)
    repo.switch("main")
    repo.write("kitty-specs/009-other/status.events.jsonl", "oops\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-verify", "-m", "damage")
    repo.switch("work")
    refused = sync(repo)
    assert refused.code == 1
    assert "oops" in refused.error["message"]
    repo.git("merge", "--abort")
    without_hooks(repo)
    answer = sync(repo)
    assert answer.code == 0
    assert "kitty-specs/009-other/status.json was not checked" in answer.envelope["warnings"][0]


def test_histories_that_have_nothing_in_common_are_gits_to_refuse(repo: GitRepo) -> None:
    ready(repo)
    repo.git("checkout", "-q", "--orphan", "island")
    repo.commit("island")
    assert sync(repo, "main", "--dry-run").code == 0
    assert "unrelated histories" in sync(repo, "main").error["message"]


def test_a_setting_that_would_leave_the_merge_uncommitted_does_not_count(repo: GitRepo) -> None:
    ready(repo)
    repo.git("config", "branch.work.mergeOptions", "--no-commit --squash")
    assert sync(repo).data["result"] == "merged"
    assert repo.git("rev-list", "--parents", "-1", "HEAD").count(" ") == 2


def test_what_is_printed_says_what_was_merged_and_what_is_left(repo: GitRepo) -> None:
    with_conflict(repo)
    foreseen = ask(repo.path, "sync-base", "--dry-run")
    assert foreseen.out.splitlines() == [
        f"would merge main ({repo.git('rev-parse', 'main')[:12]})",
        f"  merged    {LOG}  changed on both sides",
        f"  conflict  {OTHER}",
    ]
    answer = ask(repo.path, "sync-base")
    assert answer.out.splitlines() == [
        "main is not merged yet: 1 conflicts are left",
        f"  merged    {LOG}  1 line gained",
        f"  conflict  {OTHER}",
    ]
    assert answer.err.splitlines()[0] == f"next: git add -- :/{OTHER}"


def test_a_log_that_a_plain_union_merged_in_any_order_and_twice_is_accepted_as_it_is(repo: GitRepo) -> None:
    ready(repo)
    lines = repo.read(LOG).splitlines(keepends=True)
    theirs = repo.git("show", f"main:{LOG}").encode() + b"\n"
    uninstall(repo)
    repo.switch("main")
    assert repo.merge("work") == 1
    union = repo.read(LOG).splitlines(keepends=True)
    assert {*union} == {*lines, *theirs.splitlines(keepends=True)}
    repo.write(LOG, b"".join([*reversed(union), union[0]]))
    assert ask(repo.path, "materialize", SLUG).code == 0
    repo.commit("merged on the host")
    assert ask(repo.path, "validate", "--all").out.endswith("3 events: 0 errors, 1 warning\n")
    install(repo)
    repo.switch("work")
    emit(repo.path, "WP01", "for_review", "--commit")
    answer = sync(repo)
    assert answer.code == 0
    assert answer.data["missing"] == {}
    assert ask(repo.path, "show", SLUG, "--json").data["event_count"] == 4


def test_a_bare_repository_heeds_neither_drivers_nor_the_committed_union(repo: GitRepo, tmp_path: Path) -> None:
    """What a host that merges with git's own code in a bare clone would see, and what it sees after sync-base."""
    ready(repo)
    bare = GitRepo(tmp_path / "bare.git")
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare.path))
    assert bare.run("merge-tree", "--write-tree", "main", "work").returncode == 1
    assert sync(repo).code == 0
    repo.git("push", "-q", str(bare.path), "work")
    assert bare.run("merge-tree", "--write-tree", "main", "work").returncode == 0
