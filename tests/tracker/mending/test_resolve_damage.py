"""Damaged lines, ids with two contents and wrecked snapshots are mended, and nothing is left out unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import ask
from events import line, ulid
from features import LOG, SNAPSHOT, content_of, event_line, install, log_of, record, reduction
from gitrepo import GitRepo
from wrecks import DAMAGE, FAILING, PATH, assert_committed, conflict, damaged, numbers, originals, resolve, two_branches

pytestmark = pytest.mark.usefixtures("any_slug")


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("where", ["file", "HEAD"])
def test_a_damaged_line_is_mended_or_set_aside_and_may_be_committed(tmp_path: Path, how: str, where: str) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    wreck = log_of(1) + damaged(event_line(2), how) + log_of(3)
    repo.write(LOG, wreck)
    if where == "HEAD":
        repo.commit("damaged")

    done = resolve(repo)

    lost = {2} if how == "torn" else set()
    assert numbers(repo) == [each for each in (1, 2, 90, 3) if each not in lost and (each != 90 or how == "glued")]
    assert originals(repo) == [wreck]
    assert all(each["line"] == 2 for each in done["changes"])
    repo.git("add", "-A")
    assert_committed(repo, tmp_path, *sorted(numbers(repo)))


def test_a_row_of_the_wrong_shape_is_set_aside_and_may_be_committed(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    repo.append(LOG, b'{"event_id": "x"}\n' + log_of(2))
    repo.commit("damaged")
    resolve(repo)
    repo.git("add", "-A")
    assert_committed(repo, tmp_path, 1, 2)


def test_an_event_torn_in_the_file_comes_back_whole_from_git(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1, 2, 3)
    repo.write(LOG, log_of(1) + damaged(event_line(2), "torn") + log_of(3))
    done = resolve(repo)
    assert numbers(repo) == [1, 2, 3]
    assert [each["action"] for each in done["changes"]] == ["damaged", "added"]
    kept = [Path(path).read_bytes() for path in done["kept"]]
    assert damaged(event_line(2), "torn") in kept
    assert repo.git("status", "--porcelain") == ""


def test_what_to_do_next_is_to_commit_unless_head_has_it_all(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    for rest, steps in ((b"oops\n", 0), (log_of(2) + b"oops\n", 2)):
        repo.append(LOG, rest)
        assert len(ask(repo.path, "resolve", PATH, "--json").envelope["next"]) == steps


def test_an_id_with_two_contents_keeps_both_is_reported_and_left_to_a_person(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    other = line(**{**content_of(4), "actor": "somebody else"})
    repo.switch("theirs")
    repo.append(LOG, other)
    repo.commit("the same id")
    repo.switch("ours")
    conflict(repo, "merge", "theirs")

    done = resolve(repo, code=1)

    assert other in repo.read(LOG)
    assert event_line(4) in repo.read(LOG)
    assert [each["event_id"] for each in done["conflicts"]] == [ulid(4)]
    assert done["staged"] == []
    assert repo.git("ls-files", "--unmerged", "--", LOG)
    answer = ask(repo.path, "resolve", PATH)
    assert "has other content than on line" in answer.err
    steps = [step.removeprefix("next: ") for step in answer.err.splitlines() if step.startswith("next: ")]
    assert steps == [f"git add -- ':/{LOG}' ':/{SNAPSHOT}'".replace("it's", "it'\"'\"'s")]
    install(repo)
    repo.git("add", "-A")
    said = repo.run("commit", "-q", "-m", "both").stderr.decode()
    assert "both stand in the history" in said
    assert repo.git("status", "--porcelain") == ""


def test_a_snapshot_that_alone_could_not_be_merged_is_made_anew(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.write(".git/info/attributes", "status.events.jsonl merge=union\nstatus.json merge\n")
    assert repo.run("merge", "theirs").returncode
    assert b"<<<<<<<" in repo.read(SNAPSHOT)
    done = resolve(repo)
    assert (done["unmerged"], done["changes"]) == ([SNAPSHOT], [])
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_a_snapshot_with_markers_that_was_staged_is_made_anew(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.write(SNAPSHOT, b"<<<<<<< HEAD\n{}\n")
    repo.commit("markers")
    resolve(repo)
    assert repo.read(SNAPSHOT) == reduction(repo.read(LOG), tmp_path / "reduced")


def test_what_was_acknowledged_and_has_vanished_comes_back_from_the_journal(repo: GitRepo) -> None:
    slug, log = "001-feature", "kitty-specs/001-feature/status.events.jsonl"
    (repo.path / "kitty-specs" / slug).mkdir(parents=True)
    repo.commit_empty()
    for wp in ("WP01", "WP02"):
        assert ask(repo.path, "emit", wp, "--to", "claimed", "--actor", "ada", "-f", slug).code == 0
    whole = repo.read(log)
    repo.write(log, whole[: whole.index(b"\n") + 1] + b"<<<<<<< HEAD\n")
    done = ask(repo.path, "resolve", slug, "--json").data[0]
    assert [each["source"] for each in done["changes"]] == [None, "the journal"]
    assert repo.read(log) == whole
