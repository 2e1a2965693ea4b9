"""The id of a folder of regular files is the one that git gives to it, whatever their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitrepo import GitRepo
from kitty_status.git.blobs import blob_oid, tree_oid
from kitty_status.git.trees import files_in_tree, tree_content

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("sha1", "sha256")
# git sorts by bytes: `é` behind `z`, `.` and `-` before digits, a folder's name otherwise than a file's.
NAMES = [
    "shared.jsonl",
    "a.jsonl",
    "a-1.jsonl",
    "a",
    "a b é 'quoted' \"twice\".jsonl",
    "é.jsonl",
    "e\u0301.jsonl",
    "z.jsonl",
    "Z.jsonl",
    "new\nline.jsonl",
    "not utf-8 \udcff.jsonl",
    "日本.jsonl",
    "0.jsonl",
]


@pytest.mark.parametrize("object_format", FORMATS)
def test_the_id_of_a_folder_is_the_one_that_git_gives_to_its_tree(tmp_path: Path, object_format: str) -> None:
    repo = GitRepo.init(tmp_path / "repo", object_format=object_format)
    files = {}
    for number, name in enumerate(NAMES):
        content = b"line %d\n" % number
        repo.write(f"logs/{name}", content)
        files[name] = blob_oid(content, object_format)
    repo.git("add", "-A")

    written = repo.git("write-tree", "--prefix=logs/")
    listed = repo.run("ls-tree", "-z", written).stdout
    made = repo.run("mktree", "-z", stdin=listed).stdout.decode().strip()

    assert tree_oid(files, object_format) == written == made
    assert tree_oid(dict(reversed(files.items())), object_format) == written
    assert files_in_tree(repo.run("cat-file", "tree", written).stdout, object_format) == files


@pytest.mark.parametrize("object_format", FORMATS)
def test_an_empty_folder_has_the_id_of_the_empty_tree(tmp_path: Path, object_format: str) -> None:
    repo = GitRepo.init(tmp_path / "repo", object_format=object_format)

    assert tree_oid({}, object_format) == repo.git("hash-object", "-t", "tree", "--stdin")
    assert files_in_tree(b"", object_format) == {}


@pytest.mark.parametrize("name", ["", "a/b", "a\0b"])
def test_what_is_no_name_of_a_file_has_no_tree(name: str) -> None:
    with pytest.raises(ValueError, match="not a name of a file"):
        tree_content({name: "0" * 40})


def test_an_object_format_that_git_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown object format: 'md5'"):
        tree_oid({}, "md5")


def test_a_tree_that_holds_more_than_regular_files_is_told_from_one_of_logs(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    repo.write("logs/below/a.jsonl", "")
    repo.commit()

    tree = repo.run("cat-file", "tree", "HEAD:logs").stdout

    with pytest.raises(ValueError, match="below is no regular file"):
        files_in_tree(tree, "sha1")


@pytest.mark.parametrize("cut", [1, 6, 9, 20, 34])
def test_bytes_that_are_no_tree_are_refused(cut: int) -> None:
    tree = tree_content({"a.jsonl": "ab" * 20})

    with pytest.raises(ValueError, match="this is no tree"):
        files_in_tree(tree[:cut], "sha1")
