"""What cannot be resolved is refused in words, and whatever fails half way leaves a log whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import ask
from features import FEATURE, LOG, SNAPSHOT, emit, log_of, record
from gitrepo import GitRepo
from wrecks import PATH, conflict, numbers, originals, refusal, two_branches

pytestmark = pytest.mark.usefixtures("any_slug")


def test_a_plan_is_only_done_while_the_log_is_what_it_was_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    repo.append(LOG, b"oops\n")

    def interfere(*_args: object) -> str:
        repo.write(LOG, log_of(2))
        return ""

    monkeypatch.setattr("kitty_status.tracker.mending.resolve.keep_aside", interfere)
    answer = ask(repo.path, "resolve", PATH, "--json")
    assert (answer.code, answer.error["code"]) == (6, "busy")
    assert repo.read(LOG) == log_of(2)


def test_outside_git_markers_and_damage_are_mended_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.parent.mkdir(parents=True)
    log.write_bytes(log_of(1) + b"<<<<<<< HEAD\n" + log_of(2))
    assert ask(tmp_path, "resolve", PATH, "--dry-run").code == 0
    assert ask(tmp_path, "resolve", PATH).code == 0
    assert log.read_bytes() == log_of(1, 2)
    assert len(list(log.parent.glob(".kitty-status/quarantine/*.original"))) == 1
    refused = ask(tmp_path, "resolve", PATH, "--from", "HEAD", "--json")
    assert (refused.code, refused.error["code"]) == (2, "outside-repository")


@pytest.mark.parametrize(
    ("args", "code", "name"),
    [
        ((PATH, "--from", "nowhere"), 4, "not-found"),
        ((PATH, "--from", "--all"), 4, "not-found"),
        ((PATH, "--from", ""), 4, "not-found"),
        ((PATH, "--from", "HEAD:README"), 4, "not-found"),
        (("kitty-specs/nothing-here",), 4, "not-found"),
        (("/nowhere/at/all",), 4, "not-found"),
        (("nothing-here",), 4, "not-found"),
        (("..",), 2, "invalid-name"),
        ((PATH, "--all"), 2, "usage"),
    ],
)
def test_what_cannot_be_resolved_is_refused_in_words(
    tmp_path: Path, args: tuple[str, ...], code: int, name: str
) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    answer = refusal(repo, *args)
    assert (answer.code, answer.error["code"]) == (code, name)


def test_an_abbreviated_id_is_taken_and_one_that_means_two_commits_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    commit = record(repo, 1)
    assert ask(repo.path, "resolve", PATH, "--from", commit[:20]).code == 0
    stream = "".join(
        f"commit refs/heads/many\ncommitter Ada <ada@example.org> {number} +0000\ndata 0\n\n" for number in range(1500)
    )
    assert repo.run("fast-import", "--quiet", stdin=stream.encode()).returncode == 0
    short = [each[:4] for each in repo.git("rev-list", "many").split()]
    twice = next(each for each in short if short.count(each) > 1)
    answer = refusal(repo, PATH, "--from", twice)
    assert (answer.code, answer.error["code"]) == (2, "usage")


def test_a_thing_that_is_no_file_in_place_of_a_log_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    (repo.path / LOG).unlink()
    (repo.path / LOG).mkdir()
    assert refusal(repo, PATH).error["code"] == "unsafe-log"
    (repo.path / LOG).rmdir()
    (repo.path / LOG).symlink_to(repo.write("elsewhere", log_of(1)))
    assert refusal(repo, PATH).error["code"] == "unsafe-log"


def test_a_snapshot_that_counts_events_which_no_version_of_the_log_has_is_not_written_over(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    emit(repo, 1)
    repo.write(LOG, b"<<<<<<< HEAD\n")
    answer = refusal(repo, PATH)
    assert (answer.code, answer.error["code"]) == (7, "damaged")


def test_a_disk_that_refuses_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = two_branches(tmp_path / "repo", "merge")
    conflict(repo, "merge", "theirs")
    wreck = repo.read(LOG)

    def refuse(*_args: object) -> bool:
        raise PermissionError(13, "Permission denied", LOG)

    monkeypatch.setattr("kitty_status.tracker.mending.resolve.replace_file", refuse)
    answer = ask(repo.path, "resolve", PATH, "--json")
    assert (answer.code, answer.error["code"]) == (2, "operating-system")
    assert repo.read(LOG) == wreck
    assert originals(repo) == [wreck]


def test_an_index_that_somebody_else_holds_is_said_and_the_files_are_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitty_status.tracker.commit._PATIENCE", 0.0)
    repo = two_branches(tmp_path / "repo", "merge")
    conflict(repo, "merge", "theirs")
    repo.write(".git/index.lock", b"")
    answer = ask(repo.path, "resolve", PATH, "--json")
    assert (answer.code, answer.error["code"]) == (6, "busy")
    assert "git add -- " in answer.error["hint"]
    assert numbers(repo) == [1, 2, 3, 4, 5, 6]
    (repo.path / ".git/index.lock").unlink()
    assert ask(repo.path, "resolve", PATH, "--json").data[0]["staged"] == [LOG, SNAPSHOT]
    (repo.path / ".git/index").chmod(0o644)


def test_a_folder_whose_name_breaks_a_line_is_mended_like_any_other(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    log = "a\nb/kitty-specs/001-x/status.events.jsonl"
    repo.write(log, log_of(1, 2))
    repo.commit("two events")
    repo.write(log, log_of(1) + b"oops\n")
    assert ask(repo.path, "resolve", "./a\nb/kitty-specs/001-x").code == 0
    assert repo.read(log) == log_of(1, 2)


def test_every_feature_can_be_resolved_in_one_call(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    for name in ("001-a", "002-b"):
        repo.write(f"kitty-specs/{name}/status.events.jsonl", log_of(2) + b"oops\n")
    (repo.path / "kitty-specs/003-empty").mkdir()
    answer = ask(repo.path, "resolve", "--all", "--json")
    assert [(each["feature"], each["is_needed"]) for each in answer.data] == [
        ("001-a", True),
        ("002-b", True),
        (Path(FEATURE).name, False),
    ]
