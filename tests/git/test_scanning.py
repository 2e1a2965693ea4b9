"""What is read of a repository through GitPython: every kind of clone, and nothing run, fetched or trusted."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

import pytest

from gitrepo import GitRepo
from kitty_status.errors import GitError
from kitty_status.git.gitpython import open_repository
from kitty_status.git.scanning import Scan, scan


def scanned(path: Path, *, base: str | None = None, limit: int = 1000, since: str | None = None) -> Scan:
    return scan(open_repository(str(path)), base=base, limit=limit, since=since)


def commit(repo: GitRepo, message: str, hour: int = 0) -> str:
    repo.append("file", f"{message}\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", message, environment={"GIT_COMMITTER_DATE": f"2026-03-01T{hour:02}:00:00Z"})
    return repo.git("rev-parse", "HEAD")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_commits_come_newest_first_with_what_they_say(tmp_path: Path, object_format: str) -> None:
    repo = GitRepo.init(tmp_path / "app", object_format=object_format)
    first, second = commit(repo, "one\n\nbody", 1), commit(repo, "two", 2)
    found = scanned(repo.path)
    assert list(found.commits) == [second, first]
    assert found.commits[second].parents == (first,)
    assert found.commits[first].message.strip() == "one\n\nbody"
    assert found.commits[first].at == 1772326800
    assert found.commits[first].email == "ada@example.org"
    assert found.on_main == {first, second}
    assert found.line == [second, first]
    assert (found.base, found.mains, found.remarks) == ("main", [second], [])
    assert found.files([first, second]) == {first: ["file"], second: ["file"]}
    assert found.files([]) == {}


@pytest.mark.parametrize("where", ["folder", "linked", "git", "bare"])
def test_a_repository_is_found_from_wherever_it_is_named(tmp_path: Path, where: str) -> None:
    repo = GitRepo.init(tmp_path / "app")
    repo.write("folder/file", "x")
    oid = repo.commit()
    places = {"folder": repo.path / "folder", "git": repo.path / ".git", "linked": tmp_path / "linked"}
    places["bare"] = tmp_path / "app.git"
    repo.git("worktree", "add", "-q", "-b", "other", str(places["linked"]))
    repo.git("clone", "-q", "--bare", ".", str(places["bare"]))
    found = scanned(places[where])
    assert found.repository.name == "app"
    assert list(found.commits) == [oid]
    assert {ref.name for ref in found.refs} == {"main", "other"}


def test_a_work_tree_gives_its_branch_the_name_of_its_folder(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    commit(repo, "one")
    repo.git("worktree", "add", "-q", "-b", "some", str(tmp_path / "034-login-WP01"))
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "034-login-WP02"))
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "broken"))
    (repo.path / ".git" / "worktrees" / "broken" / "HEAD").unlink()
    (repo.path / ".git" / "worktrees" / "broken" / "HEAD").mkdir()
    found = scanned(repo.path)
    assert {ref.name: ref.names for ref in found.refs} == {
        "main": ("main",),
        "some": ("some", "034-login-WP01"),
        "034-login-WP02": ("034-login-WP02",),
    }


def test_branches_without_a_commit_show_nothing(tmp_path: Path) -> None:
    GitRepo.init(tmp_path / "app")
    found = scanned(tmp_path / "app")
    assert (found.commits, found.remarks) == ({}, ["no branch has a commit yet"])


def test_the_base_branch_is_the_one_that_the_remote_names_here_and_there(tmp_path: Path) -> None:
    origin = GitRepo.init(tmp_path / "origin", branch="trunk")
    first = commit(origin, "one", 1)
    origin.git("clone", "-q", ".", str(tmp_path / "app"))
    app = GitRepo(tmp_path / "app")
    second = commit(origin, "two", 2)
    app.git("fetch", "-q")
    found = scanned(app.path)
    assert (found.base, found.mains) == ("trunk", [first, second])
    assert found.on_main == {first, second}
    app.git("checkout", "-q", "--detach")
    app.git("branch", "-D", "trunk")
    assert scanned(app.path).mains == [second]
    app.git("branch", "develop", first)
    assert (scanned(app.path, base="develop").base, scanned(app.path, base="develop").mains) == ("develop", [first])
    with pytest.raises(GitError, match="has no branch nowhere"):
        scanned(app.path, base="nowhere")
    with pytest.raises(GitError, match="has no branch --all"):
        scanned(app.path, base="--all")


def test_without_a_base_branch_nothing_is_merged_and_that_is_said(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app", branch="somewhere")
    oid = commit(repo, "one")
    found = scanned(repo.path)
    assert (found.base, found.on_main, found.line) == (None, set(), [])
    assert found.remarks == ["nothing says which branch work is merged into: --base names it"]
    assert found.brought_by(oid) is None
    assert found.equivalent(oid) == set()


def test_a_shallow_clone_shows_what_it_holds_and_says_so(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    for hour in range(5):
        repo.write(f"file-{hour}", "x")
        commit(repo, f"number {hour}", hour)
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    found = scanned(tmp_path / "shallow")
    edge, newest = repo.git("rev-parse", "HEAD~1"), repo.git("rev-parse", "HEAD")
    assert list(found.commits) == [newest, edge]
    assert found.remarks == ["the clone is shallow: what lies before its edge was not seen"]
    # All files of the edge look new.
    assert found.files([newest, edge]) == {newest: ["file", "file-4"]}


def test_only_the_newest_commits_are_read_and_none_from_before_a_date(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    oids = [commit(repo, f"number {hour}", hour) for hour in range(5)]
    found = scanned(repo.path, limit=2)
    assert list(found.commits) == [oids[4], oids[3]]
    assert found.remarks == ["only the newest 2 commits were looked at; --limit looks at more"]
    assert scanned(repo.path, limit=5).remarks == []
    assert list(scanned(repo.path, since="2026-03-01T03:00:00+00:00").commits) == [oids[4], oids[3]]


def test_a_merge_is_found_by_what_it_brought(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    base = commit(repo, "base", 1)
    repo.branch("work")
    repo.write("other", "x")
    tip = repo.commit("work")
    repo.switch("main")
    after = commit(repo, "after", 3)
    repo.git("merge", "-q", "--no-edit", "work")
    merge = repo.git("rev-parse", "HEAD")
    commit(repo, "later", 4)
    found = scanned(repo.path)
    brought = found.brought_by(tip)
    assert brought is not None
    assert brought.oid == merge
    assert found.brought_by(base) is None
    assert found.beyond(tip, [after]) == [tip]
    assert found.files([merge]) == {}


@pytest.mark.parametrize("seed", range(6))
def test_what_one_commit_has_beyond_others_and_what_brought_it_is_right_whatever_the_clocks(
    tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311  nothing secret
    repo = GitRepo.init(tmp_path / "app")
    lines = []
    for number in range(1, 60):
        parents = chance.sample(range(max(1, number - 9), number), min(number - 1, chance.choice([1, 1, 1, 2])))
        when = 1_700_000_000 + chance.randrange(100_000)
        lines += [f"commit refs/heads/b{number}", f"mark :{number}", f"committer A <a@x> {when} +0000", "data 1", "x"]
        lines += [f"{'merge' if place else 'from'} :{parent}" for place, parent in enumerate(parents)]
    assert repo.run("fast-import", "--quiet", stdin="\n".join([*lines, ""]).encode()).returncode == 0
    repo.git("branch", "main", "b59")
    found = scanned(repo.path)
    assert len(found.commits) == 59
    oids = list(found.commits)
    # One commit at a time: asked for a difference, git believes clocks and may list too much.
    held = {oid: set(repo.git("rev-list", oid).split()) for oid in oids}
    for _ in range(40):
        tip, *others = chance.sample(oids, 3)
        assert sorted(found.beyond(tip, others)) == sorted(held[tip] - held[others[0]] - held[others[1]])
    assert found.beyond("0" * 40, oids[:1]) == []
    for oid in oids:
        merge = found.brought_by(oid)
        holders = [each for each in found.line if oid in held[each]]
        assert (merge.oid if merge else oid) == (holders[-1] if holders else oid)


@pytest.mark.parametrize("place", ["missing", "plain", "broken"])
def test_what_is_no_repository_is_refused_with_gits_words(tmp_path: Path, place: str) -> None:
    (tmp_path / "plain").mkdir()
    broken = GitRepo.init(tmp_path / "broken")
    (broken.path / ".git" / "config").write_text("[core\n")
    with pytest.raises(GitError, match="failed in"):
        open_repository(str(tmp_path / place))


def test_a_repository_whose_objects_are_broken_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    oid = commit(repo, "one")
    path = repo.path / ".git" / "objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(b"nothing")
    with pytest.raises(GitError, match="git rev-list failed"):
        scanned(repo.path)


def test_a_repository_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = GitRepo.init(tmp_path / "app")
    commit(repo, "one")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match="dubious ownership"):
        open_repository(str(repo.path))


def test_variables_of_another_repository_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo, other = GitRepo.init(tmp_path / "app"), GitRepo.init(tmp_path / "other")
    oid = commit(repo, "one")
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    commit(other, "other")
    for name, value in {
        "GIT_DIR": other.path / ".git",
        "GIT_COMMON_DIR": other.path / ".git",
        "GIT_WORK_TREE": other.path,
        "GIT_OBJECT_DIRECTORY": other.path / ".git" / "objects",
        "GIT_INDEX_FILE": other.path / ".git" / "index",
    }.items():
        monkeypatch.setenv(name, str(value))
    for path in (repo.path, tmp_path / "bare.git"):
        found = scanned(path)
        assert list(found.commits) == [oid]
        assert found.files([oid]) == {oid: ["file"]}


@pytest.mark.skipif(sys.platform == "win32", reason="the tripwire is a shell script")
def test_nothing_that_a_repository_is_configured_to_run_is_run(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    commit(repo, "one", 1)
    repo.branch("work")
    tip = commit(repo, "two", 2)
    wire = repo.write("../wire", f"#!/bin/sh\necho \"$@\" >> '{tmp_path}/tripped'\nexit 1\n")
    wire.chmod(0o700)
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "credential.helper",
        "diff.external", "diff.x.command", "diff.x.textconv", "gpg.program", "filter.x.clean", "pager.rev-list",
    ):  # fmt: skip
        repo.git("config", key, str(wire))
    repo.git("config", "log.showSignature", "true")
    repo.write(".git/info/attributes", "* diff=x filter=x\n")
    hooks = repo.path / ".git" / "hooks"
    for name in ("post-checkout", "pre-auto-gc", "reference-transaction", "post-index-change"):
        hooks.mkdir(exist_ok=True)
        (hooks / name).symlink_to(wire)
    found = scanned(repo.path)
    assert found.files([tip]) == {tip: ["file"]}
    assert found.equivalent(tip) == set()
    assert not (tmp_path / "tripped").exists(), (tmp_path / "tripped").read_text()


def test_a_partial_clone_is_not_filled(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    commit(repo, "one", 1)
    repo.branch("work")
    tip = commit(repo, "two", 2)
    repo.switch("main")
    commit(repo, "three", 3)
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{repo.path}", str(tmp_path / "part"))
    part = GitRepo(tmp_path / "part")
    before = part.git("count-objects", "-v")
    found = scanned(part.path)
    assert len(found.commits) == 3
    assert found.files([tip]) == {tip: ["file"]}
    assert found.equivalent(tip) == set()
    assert part.git("count-objects", "-v") == before


def test_a_process_that_would_go_on_is_not_started(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    commit(repo, "one")
    opened = open_repository(str(repo.path))
    with pytest.raises(GitError, match="leaves no process running"):
        list(opened._repo.iter_commits("main"))
    with pytest.raises(GitError, match=r"git rev-list failed in .*: fatal: bad revision 'nowhere'"):
        opened.ask("rev_list", "nowhere", "--")


def test_a_folder_whose_name_looks_like_a_variable_is_taken_as_it_is(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "$HOME" / "~app")
    oid = commit(repo, "one")
    assert list(scanned(repo.path).commits) == [oid]


def test_names_of_files_and_branches_that_are_no_utf8_are_kept(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "app")
    name = os.fsdecode(b"d\xe9j\xe0 vu\n")
    repo.write(name, "x")
    oid = repo.commit()
    repo.git("branch", os.fsdecode(b"d\xe9j\xe0"))
    found = scanned(repo.path)
    assert found.files([oid]) == {oid: [name]}
    assert {ref.name for ref in found.refs} == {"main", os.fsdecode(b"d\xe9j\xe0")}
