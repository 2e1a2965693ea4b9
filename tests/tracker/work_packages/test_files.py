"""Which files stand for which work packages, and which are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kitty_status.errors import WorkPackageFileError
from kitty_status.tracker.features import Feature
from kitty_status.tracker.work_packages.files import work_package_files, work_package_ids

if TYPE_CHECKING:
    from pathlib import Path


def feature(tmp_path: Path, **files: str) -> Feature:
    folder = tmp_path / "kitty-specs" / "034-login"
    (folder / "tasks").mkdir(parents=True)
    for name, text in files.items():
        (folder / "tasks" / f"{name.replace('_', '-')}.md").write_text(text)
    return Feature(folder, None)


def test_files_are_given_by_id_with_their_parts(tmp_path: Path) -> None:
    block = "---\nwork_package_id: WP01\nlane: planned\n---\n"
    found = work_package_files(feature(tmp_path, WP02="# Two\n", WP01_form=f"{block}# One\n"))
    assert [each.wp_id for each in found] == ["WP01", "WP02"]
    assert [each.body() for each in found] == [b"# One\n", b"# Two\n"]
    blocks = [each.frontmatter() for each in found]
    assert [each and each.lane for each in blocks] == ["planned", None]


def test_a_feature_without_files_has_none(tmp_path: Path) -> None:
    assert work_package_files(Feature(tmp_path / "nowhere", None)) == []
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "tasks").write_text("a file")
    assert work_package_ids(Feature(tmp_path / "x", None)) == []


def test_two_files_of_one_work_package_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkPackageFileError, match=r"WP01-a\.md and .*WP01-b\.md are both files of WP01"):
        work_package_files(feature(tmp_path, WP01_a="", WP01_b=""))


def test_a_file_whose_frontmatter_names_another_work_package_is_refused(tmp_path: Path) -> None:
    found = work_package_files(feature(tmp_path, WP01="---\nwork_package_id: WP02\n---\n"))
    with pytest.raises(WorkPackageFileError, match="the file's name says WP01 and its frontmatter WP02"):
        found[0].frontmatter()


def test_links_folders_and_huge_files_are_refused(tmp_path: Path) -> None:
    chosen = feature(tmp_path)
    tasks = chosen.folder / "tasks"
    (tasks / "WP01.md").symlink_to(tmp_path / "elsewhere.md")
    with pytest.raises(WorkPackageFileError, match="is no regular file"):
        work_package_files(chosen)
    (tasks / "WP01.md").unlink()
    (tasks / "WP01.md").mkdir()
    with pytest.raises(WorkPackageFileError, match="is no regular file"):
        work_package_files(chosen)
    (tasks / "WP01.md").rmdir()
    (tasks / "WP01.md").write_bytes(b"x" * (4 * 1024 * 1024 + 1))
    with pytest.raises(WorkPackageFileError, match="has 4194305 bytes"):
        work_package_files(chosen)
