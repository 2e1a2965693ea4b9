"""What the driver knows of the merged log: from the environment of a merge, or from the labels of a picked commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import FEATURE, record
from kitty_status import materialize
from kitty_status.git import run, view_driver
from kitty_status.git.view_facts import UNKNOWN, commits_merged, facts_about
from viewed import MARKER, OVERVIEW, assert_current, conflicted, diverge, edit_line, file_of, viewed_repo

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo


@pytest.fixture
def parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    diverge(repo)
    monkeypatch.chdir(repo.path)
    return repo


@pytest.mark.parametrize(
    ("base", "theirs", "found"),
    [
        ("parent of 5ba4b7d (what was done)", "5ba4b7d (what was done)", ("5ba4b7d^", "5ba4b7d")),
        ("5ba4b7d (undone)", "parent of 5ba4b7d (undone):an/old path", ("5ba4b7d", "5ba4b7d^")),
        ("Stash base", "Stashed changes", UNKNOWN),
        ("5ba4b7d", "main", UNKNOWN),
        ("", "", UNKNOWN),
        ("empty tree", "5ba4b7d (the first)", UNKNOWN),
        ("abc (too short)", "abd (x)", UNKNOWN),
        ("parent of a branch (x)", "a branch (x)", UNKNOWN),
    ],
)
def test_labels_name_the_picked_commit(base: str, theirs: str, found: tuple[str, str]) -> None:
    assert commits_merged(base, theirs) == found


def test_a_merge_of_branches_names_its_head_and_one_of_several_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHEAD_" + "a" * 40, "theirs")
    assert commits_merged("base", "theirs") == ("", "a" * 40)
    monkeypatch.setenv("GITHEAD_" + "b" * 40, "others")
    assert commits_merged("base", "theirs") == UNKNOWN


@pytest.mark.usefixtures("parted")
def test_what_is_no_view_has_no_facts() -> None:
    assert facts_about(f"{FEATURE}/spec.md", UNKNOWN) is None
    assert facts_about(f"{FEATURE}/tasks/WP 1.md", UNKNOWN) is None
    assert facts_about("kitty-specs/a\nb/tasks.md", UNKNOWN) is not None


@pytest.mark.usefixtures("parted")
def test_a_lane_is_generated_if_the_log_speaks_of_the_work_package() -> None:
    for wp_id, expected in (("WP01", True), ("WP09", False)):
        facts = facts_about(file_of(wp_id), UNKNOWN)
        assert facts is not None
        assert (facts.is_generated, facts.lane, facts.section) == (expected, b"", b"")


def test_a_snapshot_that_is_not_committed_says_so_too(parted: GitRepo) -> None:
    parted.git("rm", "-q", "--cached", f"{FEATURE}/status.json")
    parted.git("commit", "-q", "-m", "no snapshot")
    facts = facts_about(file_of("WP01"), UNKNOWN)
    assert facts is not None
    assert facts.is_generated
    parted.write(f"{FEATURE}/status.json", "<<<<<<< no snapshot")
    facts = facts_about(file_of("WP01"), UNKNOWN)
    assert facts is not None
    assert not facts.is_generated


def picked(repo: GitRepo, path: str, commit: str) -> bytes:
    """Merge a file as a git that fills in labels would have the driver do it in a cherry-pick."""
    names = {"base": f"{commit}^", "ours": "HEAD", "theirs": commit}
    for name, revision in names.items():
        repo.write(name, repo.run("show", f"{revision}:{path}").stdout)
    short = repo.git("rev-parse", "--short", commit)
    labels = [f"parent of {short} (a subject)", "HEAD", f"{short} (a subject)"]
    code = view_driver.main(["base", "ours", "theirs", path, "7", *labels])
    assert code == 0
    return repo.read("ours")


def test_a_picked_commit_brings_its_own_event_into_the_section(
    parted: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This git may not know the option that goes with the labels.
    real = run.run_git
    monkeypatch.setattr(
        view_driver,
        "run_git",
        lambda args, **more: real([arg for arg in args if not arg.startswith("--diff-algorithm")], **more),
    )
    commit = parted.git("rev-parse", "theirs~1")
    data = picked(parted, OVERVIEW, commit)
    assert b"| WP01 | canceled | actor 5 |" in data
    # The event 3 is of an earlier commit.
    assert b"WP03" not in data
    assert MARKER not in data
    parted.git("cherry-pick", commit)
    parted.write(OVERVIEW, data)
    assert_current(parted)


def test_of_a_picked_merge_nothing_is_certain(parted: GitRepo) -> None:
    parted.git("merge", "-q", "--no-edit", "theirs")
    commit = parted.git("rev-parse", "--short", "HEAD")
    parted.git("checkout", "-q", "-b", "other", "main")
    facts = facts_about(OVERVIEW, commits_merged(f"parent of {commit} (a merge)", f"{commit} (a merge)"))
    assert facts is not None
    assert facts.section == b""


@pytest.mark.usefixtures("parted")
@pytest.mark.parametrize(("ours", "said"), [(b"ours\n", ""), (b"ou\0rs\n", "Cannot merge binary files")])
def test_what_git_cannot_merge_is_a_conflict(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], ours: bytes, said: str
) -> None:
    files = {"base": b"base\n", "ours": ours, "theirs": b"theirs\n"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    code = view_driver.main([*(str(tmp_path / name) for name in files), OVERVIEW, "", "%S", "%X", "%Y"])

    assert code == 1
    assert said in capfd.readouterr().err
    left = (tmp_path / "ours").read_bytes()
    assert left == (ours if said else b"<<<<<<< ours\nours\n=======\ntheirs\n>>>>>>> theirs\n")


def test_a_call_without_its_files_says_how_it_is_called(capfd: pytest.CaptureFixture[str]) -> None:
    assert view_driver.main(["base", "ours"]) == 3
    assert "usage: kitty-status merge-driver" in capfd.readouterr().err


@pytest.mark.usefixtures("parted")
def test_a_file_that_is_not_there_is_left_to_git(capfd: pytest.CaptureFixture[str]) -> None:
    assert view_driver.main(["no-base", "no-ours", "no-theirs", OVERVIEW]) == 3
    assert "git merges it as any other text" in capfd.readouterr().err


def test_a_merge_whose_log_is_not_certain_goes_by_ours(parted: GitRepo) -> None:
    parted.switch("theirs")
    parted.write(f"{FEATURE}/status.json", "{}")
    parted.git("commit", "-q", "-a", "--no-verify", "-m", "no snapshot any more")
    parted.switch("ours")
    edit_line(parted, OVERVIEW, 6, "ours")
    record(parted, 8)

    parted.run("merge", "--no-edit", "theirs")

    assert conflicted(parted) == [f"{FEATURE}/status.json"]
    assert MARKER not in parted.read(OVERVIEW)
    assert b"line 2 theirs" in parted.read(OVERVIEW)
    assert b"actor 5" not in parted.read(OVERVIEW)
    materialize(parted.path / FEATURE)
    assert b"actor 5" in parted.read(OVERVIEW)
