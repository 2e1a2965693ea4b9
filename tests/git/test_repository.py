"""A repository is found on the disk, without git, wherever it keeps its parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gitrepo import GitRepo
from kitty_status.errors import GitError
from kitty_status.git.repository import Repository, config_value, find_repository

if TYPE_CHECKING:
    from pathlib import Path


def found(start: Path) -> Repository:
    repository = find_repository(str(start))
    assert repository is not None
    return repository


def agrees_with_git(repository: Repository, repo: GitRepo) -> bool:
    asked = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"]
    says = [os.path.realpath(line) for line in repo.git(*asked).split("\n")]
    return says == [repository.worktree, repository.git_dir, repository.common_dir]


def test_it_is_found_from_a_folder_deep_inside(repo: GitRepo) -> None:
    repo.write("a b/é/file", "")

    repository = found(repo.path / "a b" / "é")

    assert agrees_with_git(repository, repo)
    assert repository.state_dir == str(repo.path / ".git" / "kitty-status")
    assert str(repo.path) in repr(repository)


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    assert find_repository(str(tmp_path)) is None


def test_the_root_of_the_disk_ends_the_search() -> None:
    assert find_repository("/") is None


def test_a_folder_that_does_not_exist_yet_lies_in_the_repository_around_it(repo: GitRepo) -> None:
    assert found(repo.path / "kitty-specs" / "new").worktree == str(repo.path)


def test_a_linked_work_tree_shares_what_is_common(repo: GitRepo, tmp_path: Path) -> None:
    repo.commit_empty()
    linked = repo.worktree(tmp_path / "linked é", "side/branch")

    here, there = found(repo.path), found(linked.path)

    assert agrees_with_git(there, linked)
    assert here.common_dir == there.common_dir
    assert here.state_dir == there.state_dir
    assert (here.branch(), there.branch()) == ("main", "side/branch")


def test_two_clones_share_nothing(repo: GitRepo, tmp_path: Path) -> None:
    assert found(repo.path).common_dir != found(GitRepo.init(tmp_path / "other").path).common_dir


def test_a_submodule_is_a_repository_of_its_own(repo: GitRepo, tmp_path: Path) -> None:
    inner = GitRepo.init(tmp_path / "inner")
    inner.commit_empty()
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "parts/inner")
    sub = GitRepo(repo.path / "parts" / "inner")

    repository = found(sub.path)

    assert agrees_with_git(repository, sub)
    assert repository.common_dir == str(repo.path / ".git" / "modules" / "parts" / "inner")
    assert repository.common_dir != found(repo.path).common_dir


def test_a_git_file_may_hold_a_relative_path(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    (repo.path / ".git").rename(tmp_path / "hidden é")
    repo.write(".git", "gitdir: ../hidden é\n")

    assert agrees_with_git(found(repo.path), repo)


def test_links_on_the_way_are_resolved(repo: GitRepo, tmp_path: Path) -> None:
    repo.write("deep/file", "")
    (tmp_path / "link").symlink_to(repo.path / "deep")

    assert found(tmp_path / "link").worktree == str(repo.path)


def test_in_a_bare_repository_there_is_no_work_tree_to_find(tmp_path: Path) -> None:
    bare = GitRepo.init(tmp_path / "bare.git", bare=True)

    assert find_repository(str(bare.path)) is None


@pytest.mark.parametrize("file", ["config", "config.worktree"])
def test_the_work_trees_of_a_bare_repository_are_found_and_its_folder_is_not(tmp_path: Path, file: str) -> None:
    source = GitRepo.init(tmp_path / "source")
    source.commit_empty()
    source.git("clone", "-q", "--bare", str(source.path), str(tmp_path / "home" / ".bare"))
    home = GitRepo(tmp_path / "home")
    home.write(".git", "gitdir: ./.bare\n")
    linked = home.worktree(home.path / "wt", "wt")
    if file == "config.worktree":
        home.git("config", "extensions.worktreeConfig", "true")
        home.git("config", "--unset", "core.bare")
        home.git("config", "--file", ".bare/config.worktree", "core.bare", "true")

    assert find_repository(str(home.path)) is None
    assert agrees_with_git(found(linked.path), linked)


def test_a_git_folder_that_is_no_repository_is_passed_over(repo: GitRepo) -> None:
    repo.write("sub/.git/nothing", "")

    assert found(repo.path / "sub").worktree == str(repo.path)


@pytest.mark.parametrize("content", ["gitdir: /no/such/place\n", "something else\n", ""])
def test_a_git_file_that_leads_nowhere_is_an_error_that_says_so(repo: GitRepo, content: str) -> None:
    repo.write("sub/.git", content)

    with pytest.raises(GitError, match="does not lead to a repository") as caught:
        find_repository(str(repo.path / "sub"))

    assert "git worktree repair" in caught.value.hint


def test_a_configuration_that_says_nothing_about_bare_is_that_of_a_work_tree(repo: GitRepo) -> None:
    repo.git("config", "--unset", "core.bare")

    assert agrees_with_git(found(repo.path), repo)


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_the_object_format_is_known(tmp_path: Path, form: str) -> None:
    repo = GitRepo.init(tmp_path / form, object_format=form)

    assert found(repo.path).object_format == form


def test_a_linked_work_tree_has_the_object_format_of_the_repository(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo", object_format="sha256")
    repo.commit_empty()

    assert found(repo.worktree(tmp_path / "linked", "side").path).object_format == "sha256"


def test_the_branch_is_known_before_its_first_commit(repo: GitRepo) -> None:
    assert found(repo.path).branch() == "main"


def test_a_detached_head_is_on_no_branch(repo: GitRepo) -> None:
    repo.commit_empty()
    repo.git("checkout", "-q", "--detach")

    assert found(repo.path).branch() is None


def test_where_references_are_in_tables_the_branch_is_not_known(repo: GitRepo) -> None:
    # This is what HEAD holds in such a repository, for programs that look for a file.
    repo.write(".git/HEAD", "ref: refs/heads/.invalid\n")

    assert found(repo.path).branch() is None


def test_an_unreadable_head_is_an_error_that_names_it(repo: GitRepo) -> None:
    repository = found(repo.path)
    (repo.path / ".git" / "HEAD").unlink()

    with pytest.raises(GitError, match=r"cannot read .*HEAD"):
        repository.branch()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("[core]\n\tbare = false\n", "false"),
        ("[Core] BARE=true ; why\n", "true"),
        ('[core]\r\n  bare = "true" # why\r\n', "true"),
        ("[core]\n\tbare\n", "true"),
        ('[core "x"]\n\tbare = true\n', None),
        ("[user]\n\tbare = true\n", None),
        ("[core]\n\t# bare = true\n", None),
        ("[core]\n\tbare = true\n[core]\n\tbare = false\n", "false"),
    ],
)
def test_a_value_of_a_configuration_file_is_read_as_git_reads_it(tmp_path: Path, text: str, value: str | None) -> None:
    (tmp_path / "config").write_bytes(text.encode())

    assert config_value(str(tmp_path / "config"), "core", "bare") == value


def test_a_configuration_file_that_is_not_there_has_no_values(tmp_path: Path) -> None:
    assert config_value(str(tmp_path / "config"), "core", "bare") is None
