"""Who writes where: one file for each branch of each clone, and no two branches ever append to the same one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, SLUG, emit
from events import line, row, ulid
from gitrepo import GitRepo
from kitty_status import StatusEvent, append_event, read_events
from kitty_status.errors import ConfigurationError
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.writer import place_to_write

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "status:\n  layout: per-writer\n"
APPEND = """
import sys
from pathlib import Path
from kitty_status import StatusEvent, append_event
print("ready", flush=True)
sys.stdin.readline()
for row in __import__("json").loads(sys.argv[2]):
    append_event(Path(sys.argv[1]), StatusEvent.from_dict(row))
"""


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository in which new logs are divided by writer."""
    repo = GitRepo.init(tmp_path / "repo")
    repo.write(".kittify/config.yaml", CONFIG)
    repo.write(f"{FOLDER}/spec.md", "about\n")
    repo.commit()
    return repo


def writer(repo: GitRepo, slug: str = SLUG) -> str:
    """Return the name of the file that the next line goes to."""
    return place_to_write(feature_at(repo.path / "kitty-specs" / slug), "per-writer").log.name


def begin_again(repo: GitRepo, branch: str) -> None:
    """Delete a branch and make it again, at another second: git notes no finer time."""
    repo.git("branch", "-q", "-D", branch)
    repo.git("branch", branch, environment={"GIT_COMMITTER_DATE": "2031-01-01T00:00:00Z"})
    repo.switch(branch)


def test_the_name_says_the_branch_and_stays_the_same_through_commits_and_features(repo: GitRepo) -> None:
    name = writer(repo)
    assert name.startswith("main-")
    assert len(name) == len("main-12345678.jsonl")
    repo.commit_empty()
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.git("gc", "-q")
    assert (writer(repo), writer(repo, "002-other")) == (name, name)
    assert [path.name for path in (repo.path / FOLDER / "status.events.d").iterdir()] == [name]


def test_the_name_from_before_the_first_commit_stays(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "new")
    name = writer(repo)
    repo.commit_empty()
    repo.commit_empty()
    assert writer(repo) == name


def test_another_branch_of_that_name_from_before_the_first_commit_is_another_writer(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "new")
    name = writer(repo)
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit_empty()
    repo.branch("main")
    assert writer(repo) != name


def test_each_branch_has_a_name_and_has_it_again_when_it_is_checked_out_again(repo: GitRepo) -> None:
    main = writer(repo)
    repo.branch("side")
    side = writer(repo)
    repo.switch("main")
    assert (writer(repo), side.startswith("side-")) == (main, True)
    repo.switch("side")
    assert writer(repo) == side


def test_a_branch_that_was_deleted_and_made_again_is_another_writer(repo: GitRepo) -> None:
    repo.branch("side")
    first = writer(repo)
    repo.switch("main")
    begin_again(repo, "side")
    assert writer(repo) != first


def test_a_branch_that_was_renamed_leaves_its_name_to_nobody(repo: GitRepo) -> None:
    main = writer(repo)
    repo.git("branch", "-m", "main", "old")
    old = writer(repo)
    repo.branch("main")
    assert len({main, old, writer(repo)}) == 3


def test_the_name_outlives_the_reflog_but_not_the_branch(repo: GitRepo) -> None:
    repo.branch("side")
    name = writer(repo)
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.commit_empty()
    assert writer(repo) == name
    repo.switch("main")
    begin_again(repo, "side")
    assert writer(repo) != name


def test_in_a_rebase_the_branch_that_is_rebased_writes(repo: GitRepo) -> None:
    repo.branch("side")
    name = writer(repo)
    repo.write("notes", "side\n")
    repo.commit()
    repo.switch("main")
    repo.write("notes", "main\n")
    repo.commit()
    repo.switch("side")
    assert repo.run("rebase", "-q", "main").returncode != 0
    assert writer(repo) == name
    repo.git("rebase", "--abort")
    assert writer(repo) == name


def test_a_detached_head_is_another_writer_after_each_checkout(repo: GitRepo) -> None:
    main = writer(repo)
    repo.git("checkout", "-q", "--detach")
    first = writer(repo)
    repo.commit_empty()
    assert writer(repo) == first
    assert first.startswith("detached-")
    repo.git("checkout", "-q", "--detach", "main")
    assert writer(repo) not in (first, main)


def test_each_work_tree_has_a_branch_or_a_detached_head_of_its_own(repo: GitRepo, tmp_path: Path) -> None:
    tree = repo.worktree(tmp_path / "tree", "side")
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "other"))
    detached = GitRepo(tmp_path / "other")
    repo.git("checkout", "-q", "--detach")
    names = {writer(each) for each in (repo, tree, detached)}
    assert sorted(name.rpartition("-")[0] for name in names) == ["detached", "detached", "side"]
    assert len(names) == 3


def test_two_clones_on_the_same_branch_are_two_writers(repo: GitRepo, tmp_path: Path) -> None:
    clone = GitRepo(tmp_path / "clone")
    repo.git("clone", "-q", str(repo.path), str(clone.path))
    assert writer(repo) != writer(clone)


def test_a_clone_that_was_copied_or_moved_is_another_writer(repo: GitRepo, tmp_path: Path) -> None:
    name = writer(repo)
    copy = repo.path.rename(tmp_path / "moved")
    assert writer(GitRepo(copy)) != name


def test_outside_git_there_is_one_writer(tmp_path: Path) -> None:
    folder = tmp_path / "kitty-specs" / SLUG
    name = place_to_write(feature_at(folder), "per-writer").log.name
    assert name.startswith("local-")
    assert place_to_write(feature_at(folder), "per-writer").log.name == name


@pytest.mark.parametrize(
    ("branch", "begins"),
    [
        ("feature/001/login", "feature-001-login-"),
        ("Zoë", "zo-"),
        ("日本", "branch-"),
        ("x" * 120, "x" * 40 + "-"),
        ("_a.b", "a-b-"),
        ("é" * 90, "branch-"),
    ],
)
def test_any_branch_has_a_short_name_of_plain_letters(repo: GitRepo, branch: str, begins: str) -> None:
    repo.branch(branch)
    name = writer(repo)
    assert name.removesuffix(".jsonl")[:-8] == begins
    assert writer(repo) == name


def test_two_long_branches_that_begin_alike_are_two_writers(repo: GitRepo) -> None:
    repo.branch("é" * 90 + "1")
    first = writer(repo)
    repo.branch("é" * 90 + "2")
    assert writer(repo) != first


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"writer": "../x", "for": "", "begun": ""}', b"\xff"])
def test_what_is_kept_and_cannot_be_read_is_made_anew(repo: GitRepo, content: bytes) -> None:
    writer(repo)
    (kept,) = (repo.path / ".git/kitty-status/writers").iterdir()
    kept.write_bytes(content)
    name = writer(repo)
    assert name.startswith("main-")
    assert writer(repo) == name


def test_a_kept_name_that_leads_elsewhere_is_not_followed(repo: GitRepo) -> None:
    writer(repo)
    (kept,) = (repo.path / ".git/kitty-status/writers").iterdir()
    for odd in ("../../outside", ".hidden", "a/b", "a\0b", ""):
        kept.write_text(json.dumps({**json.loads(kept.read_bytes()), "writer": odd}))
        assert writer(repo).startswith("main-")


def test_two_processes_that_begin_at_once_on_a_new_branch_are_one_writer(repo: GitRepo) -> None:
    repo.branch("new")
    rows = [[row(event_id=ulid(10 * at + each), wp_id=f"WP{at}{each}") for each in range(3)] for at in range(3)]
    folders = [repo.path / FOLDER, repo.path / FOLDER, repo.path / "kitty-specs/002-other"]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND, str(folder), json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for folder, given in zip(folders, rows, strict=True)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    for process in running:
        process.communicate()
    assert len(read_events(folders[0])) == 6
    assert len({path.name for path in (repo.path / "kitty-specs").glob("*/status.events.d/*")}) == 1


def test_a_new_log_gets_the_layout_of_the_configuration_and_an_old_one_keeps_its_own(repo: GitRepo) -> None:
    repo.write("kitty-specs/002-old/status.events.jsonl", line())
    for slug in (SLUG, "002-old"):
        append_event(repo.path / "kitty-specs" / slug, StatusEvent.from_dict(row(event_id=ulid(5), wp_id="WP09")))
    assert [path.parent.name for path in feature_at(repo.path / FOLDER).log.files()] == ["status.events.d"]
    assert [path.name for path in feature_at(repo.path / "kitty-specs/002-old").log.files()] == ["status.events.jsonl"]
    repo.write(".kittify/config.yaml", "status:\n  layout: single\n")
    append_event(repo.path / FOLDER, StatusEvent.from_dict(row(event_id=ulid(6), wp_id="WP08")))
    assert [path.parent.name for path in feature_at(repo.path / FOLDER).log.files()] == ["status.events.d"]


@pytest.mark.parametrize("value", ["per-branch", '"per writer"', "[single]", "1"])
def test_a_layout_that_there_is_none_of_is_refused_with_its_line(repo: GitRepo, value: str) -> None:
    repo.write(".kittify/config.yaml", f"status:\n  layout: {value}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_config(repo.path)
    assert "config.yaml:2: status.layout is" in caught.value.message
    assert caught.value.hint == "it may be single, per-writer"
    emit(repo.path, "WP01", "claimed", code=caught.value.exit_code)
    assert not (repo.path / FOLDER / "status.events.d").exists()
