"""Which feature is meant: by folder, branch or name, and by no name that could leave its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitrepo import GitRepo
from kitty_status.errors import EXIT_USAGE, InvalidNameError, NotFoundError, UsageError
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.work_packages.files import work_package_ids

UNSAFE = ["..", "../001-a", "a/b", "/etc", "a\nb", "-rf", ".hidden", "a..b", "a" * 300, "", "é", "a b", "a\0b", "a."]


def with_features(root: Path, *slugs: str) -> Path:
    for slug in slugs:
        (root / "kitty-specs" / slug / "tasks").mkdir(parents=True)
    return root


def slug_from(start: Path, name: str | None = None) -> str:
    return Project(start).feature(name).slug


def test_the_folder_says_which_feature_is_meant_from_any_depth(repo: GitRepo) -> None:
    root = with_features(repo.path, "001-a", "002-b")
    for below in ("", "tasks"):
        assert slug_from(root / "kitty-specs" / "002-b" / below) == "002-b"


def test_the_folder_beats_the_branch_and_a_name_beats_both(repo: GitRepo) -> None:
    root = with_features(repo.path, "001-a", "002-b", "003-c")
    repo.commit_empty()
    repo.branch("001-a")
    inside = root / "kitty-specs" / "002-b"
    assert slug_from(root) == "001-a"
    assert slug_from(inside) == "002-b"
    assert slug_from(inside, "003-c") == "003-c"


@pytest.mark.parametrize(
    ("branch", "slug"),
    [
        ("001-a", "001-a"),
        ("feature/001-a-WP02", "001-a"),
        ("001-a-long", "001-a-long"),
        ("x001-a/001-a", "001-a"),
        ("1001-a", None),
        ("001-ab", None),
        ("001-a+002-b", None),
        ("elsewhere", None),
    ],
)
def test_a_branch_names_a_feature_as_a_whole_word_and_the_longest_counts(
    repo: GitRepo, branch: str, slug: str | None
) -> None:
    root = with_features(repo.path, "001-a", "001-a-long", "002-b")
    repo.commit_empty()
    repo.branch(branch)
    if slug is not None:
        assert slug_from(root) == slug
    else:
        with pytest.raises(UsageError, match="neither the folder nor the branch"):
            slug_from(root)


def test_on_no_branch_the_features_are_named(repo: GitRepo) -> None:
    root = with_features(repo.path, *(f"00{number}-x" for number in range(7)))
    repo.commit_empty()
    repo.git("checkout", "-q", "--detach")
    with pytest.raises(UsageError) as caught:
        slug_from(root)
    assert caught.value.hint == "name it: 000-x, 001-x, 002-x, 003-x, 004-x and 2 more"


def test_without_any_feature_the_hint_says_what_one_is(repo: GitRepo) -> None:
    for name in (None, "001-a"):
        with pytest.raises((UsageError, NotFoundError)) as caught:
            slug_from(repo.path, name)
        assert "features are folders in kitty-specs/" in caught.value.hint


def test_a_unique_beginning_is_enough_and_an_exact_name_is_never_ambiguous(repo: GitRepo) -> None:
    root = with_features(repo.path, "001-a", "001-a-more", "002-b")
    assert slug_from(root, "002") == "002-b"
    assert slug_from(root, "001-a") == "001-a"
    assert slug_from(root, "001-a-") == "001-a-more"
    with pytest.raises(UsageError, match="001 may mean 001-a, 001-a-more"):
        slug_from(root, "001")
    with pytest.raises(NotFoundError) as caught:
        slug_from(root, "003")
    assert caught.value.hint == "there is 001-a, 001-a-more, 002-b"


@pytest.mark.parametrize("name", UNSAFE, ids=lambda name: repr(name[:10]))
def test_a_name_that_is_not_safe_in_a_path_is_refused_by_name(repo: GitRepo, name: str) -> None:
    root = with_features(repo.path, "001-a")
    with pytest.raises(InvalidNameError) as caught:
        slug_from(root, name)
    assert caught.value.exit_code == EXIT_USAGE
    assert ascii(name[:40])[1:-1] in caught.value.message
    assert len(caught.value.message) < 300
    assert caught.value.message.isprintable()


def test_a_folder_with_an_unsafe_name_is_no_feature(repo: GitRepo) -> None:
    root = with_features(repo.path, "001-a", "white space", ".hidden")
    (root / "kitty-specs" / "README.md").write_text("not a folder")
    assert [feature.slug for feature in Project(root).features()] == ["001-a"]
    with pytest.raises(InvalidNameError):
        slug_from(root / "kitty-specs" / "white space")


def test_a_repository_may_hold_several_projects(repo: GitRepo) -> None:
    with_features(repo.path, "001-top")
    inner = with_features(repo.path / "services" / "shop", "001-inner")
    assert [feature.slug for feature in Project(inner).features()] == ["001-inner"]
    assert slug_from(inner / "kitty-specs" / "001-inner" / "tasks") == "001-inner"
    assert [feature.slug for feature in Project(repo.path / "services").features()] == ["001-top"]
    found = Project(inner).feature("001")
    assert found.relative(found.log.path) == "services/shop/kitty-specs/001-inner/status.events.jsonl"


def test_a_linked_work_tree_has_its_own_log_and_shares_the_lock(repo: GitRepo, tmp_path: Path) -> None:
    with_features(repo.path, "001-a")
    repo.write("kitty-specs/001-a/spec.md", "a")
    repo.commit()
    linked = repo.worktree(tmp_path / "linked", "ada")
    here, there = Project(repo.path).feature("001-a"), Project(linked.path).feature("001-a")
    assert here.log.path != there.log.path
    assert here.place.lock == there.place.lock
    assert here.place.lock.is_relative_to(repo.path / ".git" / "kitty-status")


@pytest.mark.parametrize("start", [".", "src", "kitty-specs", "kitty-specs/001-a/tasks"])
def test_outside_git_the_folder_of_features_is_found_upwards(tmp_path: Path, start: str) -> None:
    root = with_features(tmp_path / "project", "001-a")
    (root / "src").mkdir()
    project = Project(root / start)
    assert (project.repository, project.root) == (None, root)
    feature = project.feature("001-a")
    assert feature.place.lock == root / "kitty-specs" / "001-a" / ".kitty-status" / "locks" / "001-a.lock"
    assert feature.relative(feature.log.path) == str(feature.log)


def test_outside_git_without_features_the_folder_itself_is_the_project(tmp_path: Path) -> None:
    assert Project(tmp_path).root == tmp_path
    with pytest.raises(UsageError, match="neither the folder"):
        slug_from(tmp_path)


def test_a_folder_reached_through_a_link_is_the_same_feature(repo: GitRepo, tmp_path: Path) -> None:
    root = with_features(repo.path, "001-a")
    (tmp_path / "link").symlink_to(root)
    assert slug_from(tmp_path / "link" / "kitty-specs" / "001-a") == "001-a"
    linked = feature_at(tmp_path / "link" / "kitty-specs" / "001-a")
    assert linked.log.single == Project(root).feature("001-a").log.single


def test_a_feature_of_the_library_may_have_any_name_and_still_gets_a_lock_of_its_own(repo: GitRepo) -> None:
    names = ["white space", "white_space", "é", "%e9", "001-a"]
    locks = {feature_at(repo.path / "not yet" / "there" / name).place.lock for name in names}
    assert len(locks) == len(names)
    assert {lock.parent for lock in locks} == {repo.path / ".git" / "kitty-status" / "locks"}


def test_work_packages_with_a_file_are_known_by_the_beginning_of_its_name(repo: GitRepo) -> None:
    root = with_features(repo.path, "001-a")
    for name in ("WP01-form.md", "WP02.md", "wp03-x.md", "README.md", "WP04-notes.txt"):
        (root / "kitty-specs" / "001-a" / "tasks" / name).write_text("")
    assert work_package_ids(Project(root).feature("001-a")) == ["WP01", "WP02", "wp03"]
