"""After a merge `status.json` is what materializing the merged log gives, in every kind of repository."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from features import (
    FEATURE,
    LOG,
    SNAPSHOT,
    assert_merged,
    blob,
    declare,
    diverge,
    feature_repo,
    install,
    numbers_in,
    record,
    reduction,
)
from gitrepo import GitRepo
from kitty_status import materialize
from kitty_status.git.attributes import LOCAL, add_block
from kitty_status.git.drivers import driver_sections

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIX = list(range(1, 7))


def ordinary(folder: Path) -> GitRepo:
    repo = feature_repo(folder / "repo", 1, 2)
    diverge(repo)
    return repo


def sha256(folder: Path) -> GitRepo:
    repo = feature_repo(folder / "repo", 1, 2, object_format="sha256")
    diverge(repo)
    assert len(repo.git("rev-parse", "HEAD")) == 64
    return repo


def crlf(folder: Path) -> GitRepo:
    repo = GitRepo.init(folder / "repo")
    repo.git("config", "core.autocrlf", "true")
    declare(repo)
    install(repo)
    record(repo, 1, 2)
    diverge(repo)
    repo.switch("theirs")
    repo.switch("ours")
    assert b"\r" not in repo.read(SNAPSHOT) + repo.read(LOG)
    return repo


def linked(folder: Path) -> GitRepo:
    repo = ordinary(folder)
    repo.switch("main")
    repo.git("worktree", "add", "-q", str(folder / "a linked one"), "ours")
    return GitRepo(folder / "a linked one")


def submodule(folder: Path) -> GitRepo:
    ordinary(folder)
    outer = GitRepo.init(folder / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(folder / "repo"), "inner one")
    inner = GitRepo(outer.path / "inner one")
    assert (inner.path / ".git").is_file()
    inner.git("checkout", "-q", "-b", "theirs", "origin/theirs")
    inner.switch("ours")
    install(inner)
    return inner


def shallow(folder: Path) -> GitRepo:
    origin = feature_repo(folder / "origin", 1)
    record(origin, 2)
    diverge(origin)
    repo = clone(origin, folder / "repo", "--depth", "3")
    assert repo.git("rev-parse", "--is-shallow-repository") == "true"
    return repo


def partial(folder: Path) -> GitRepo:
    origin = ordinary(folder)
    origin.git("config", "uploadpack.allowFilter", "true")
    repo = clone(origin, folder / "clone", "--filter=blob:none")
    assert is_missing(repo, repo.git("rev-parse", f"theirs:{LOG}"))
    return repo


def clone(origin: GitRepo, folder: Path, *options: str) -> GitRepo:
    url = f"file://{origin.path}"
    origin.git("clone", "-q", "--no-single-branch", *options, "-b", "ours", url, str(folder))
    repo = GitRepo(folder)
    repo.git("branch", "-q", "theirs", "origin/theirs")
    install(repo)
    return repo


def is_missing(repo: GitRepo, oid: str) -> bool:
    """Whether an object is not in this clone, asked so that git cannot fetch it."""
    return repo.run("cat-file", "-e", oid, environment={"GIT_ALLOW_PROTOCOL": "none"}).returncode != 0


@pytest.mark.parametrize("command", ["merge --no-edit theirs", "rebase theirs", "cherry-pick ours..theirs"])
@pytest.mark.parametrize("make", [sha256, crlf, linked, submodule, shallow, partial])
def test_in_every_kind_of_repository_the_snapshot_is_that_of_the_merged_log(
    tmp_path: Path, make: Callable[[Path], GitRepo], command: str
) -> None:
    repo = make(tmp_path)

    repo.git(*command.split())

    assert assert_merged(repo, tmp_path / "reduced") == SIX
    assert repo.git("status", "--porcelain", "--", "kitty-specs") == ""
    # Materializing again finds nothing to do.
    materialize(repo.path / FEATURE)
    assert repo.git("diff", "--stat") == ""


def test_both_directions_of_a_merge_give_the_same_two_files(tmp_path: Path) -> None:
    repo = ordinary(tmp_path)

    for name, one, other in (("there", "ours", "theirs"), ("back", "theirs", "ours")):
        repo.git("checkout", "-q", "-b", name, one)
        assert repo.merge(other) == 0

    assert blob(repo, LOG, "there") == blob(repo, LOG, "back")
    assert blob(repo, SNAPSHOT, "there") == blob(repo, SNAPSHOT, "back")


def test_a_merge_that_nobody_checks_out_has_the_snapshot_too(tmp_path: Path) -> None:
    repo = ordinary(tmp_path)

    tree = repo.git("merge-tree", "--write-tree", "ours", "theirs")

    assert assert_merged(repo, tmp_path / "reduced", tree) == SIX


def bare(folder: Path) -> GitRepo:
    ordinary(folder).git("clone", "-q", "--bare", str(folder / "repo"), str(folder / "bare"))
    repo = GitRepo(folder / "bare")
    for section, values in driver_sections().items():
        for key, value in values.items():
            repo.git("config", f"{section}.{key}", value)
    return repo


def test_a_bare_repository_with_the_drivers_merges_exactly(tmp_path: Path) -> None:
    repo = bare(tmp_path)
    (repo.path / "info").mkdir(exist_ok=True)
    repo.write("info/attributes", add_block(None, LOCAL))

    tree = repo.git("merge-tree", "--write-tree", "ours", "theirs")

    assert assert_merged(repo, tmp_path / "reduced", tree) == SIX


def test_a_bare_repository_without_attributes_of_its_own_says_that_it_cannot_merge(tmp_path: Path) -> None:
    # git does not read a tree's .gitattributes there: union and drivers are both off.
    repo = bare(tmp_path)

    done = repo.run("merge-tree", "--write-tree", "ours", "theirs")

    assert done.returncode == 1
    assert b"CONFLICT" in done.stdout


def test_nothing_is_fetched_for_a_log_that_only_the_origin_has(tmp_path: Path) -> None:
    repo = partial(tmp_path)
    oid = repo.git("rev-parse", f"theirs~1:{LOG}")
    theirs = reduction(blob(GitRepo(tmp_path / "repo"), LOG, "theirs~1"), tmp_path / "reduced")
    assert oid.encode() in theirs
    # A branch whose snapshot names a log that this clone has never needed.
    repo.git("checkout", "-q", "-b", "odd", "origin/main")
    repo.write(SNAPSHOT, theirs)
    repo.git("commit", "-q", "--no-verify", "-am", "a snapshot of another log")
    repo.switch("ours")

    done = repo.run("merge", "--no-edit", "odd")

    assert done.returncode == 1
    assert f"({oid}) is not in this repository; ours stays" in done.stderr.decode()
    assert repo.read(SNAPSHOT) == blob(repo, SNAPSHOT, "ours")
    assert is_missing(repo, oid)


def test_without_its_origin_a_partial_clone_that_has_the_logs_still_merges(tmp_path: Path) -> None:
    repo = partial(tmp_path)
    for revision in ("origin/main", "theirs"):
        for path in (LOG, SNAPSHOT):
            blob(repo, path, revision)
    shutil.rmtree(tmp_path / "repo")

    assert repo.merge("theirs") == 0

    assert assert_merged(repo, tmp_path / "reduced") == SIX


def test_a_snapshot_without_the_name_of_its_log_conflicts_and_materialize_is_the_way_out(tmp_path: Path) -> None:
    repo = ordinary(tmp_path)
    repo.switch("theirs")
    content = b"".join(line for line in repo.read(SNAPSHOT).splitlines(keepends=True) if b"log_oid" not in line)
    repo.write(SNAPSHOT, content)
    repo.commit("written by somebody else's tool")
    repo.switch("ours")
    ours = repo.read(SNAPSHOT)

    done = repo.run("merge", "--no-edit", "theirs")

    assert done.returncode == 1
    assert "theirs does not name the log that it was made from; ours stays" in done.stderr.decode()
    assert "`kitty-status materialize" in done.stderr.decode()
    assert repo.git("diff", "--name-only", "--diff-filter=U", "-z") == f"{SNAPSHOT}\0"
    assert repo.read(SNAPSHOT) == ours
    assert sorted(numbers_in(repo.read(LOG))) == SIX

    materialize(repo.path / FEATURE)
    repo.commit("merged")
    assert assert_merged(repo, tmp_path / "reduced") == SIX
