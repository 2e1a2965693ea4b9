"""The commit hook, run by a real `git commit`: damage, repeated ids and snapshots of other logs do not get in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from events import line, ulid
from features import FEATURE, LOG, SNAPSHOT, emit, event_line, feature_repo, install, log_of, passes, stopped
from gitrepo import GitRepo
from kitty_status.git import pre_commit
from kitty_status.status import repeats

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def feature(tmp_path: Path) -> GitRepo:
    """A repository with the hook installed, whose log holds the events 1 and 2."""
    return feature_repo(tmp_path / "repo", 1, 2)


DAMAGE = {
    b'{"a": 1, "a": 2}': "the key 'a' stands twice in one object",
    b'{"a": NaN}': "NaN is not a JSON value",
    b'{"a": -Infinity}': "-Infinity is not a JSON value",
    b'{"a": 1e999}': "the number 1e999 is too large",
    b'{"a": "\\ud83d"}': "half of a surrogate pair",
    b"\xef\xbb\xbf" + event_line(9)[:-1]: "byte order mark",
    b'{"a": "\xff"}': "is not UTF-8",
    event_line(9)[:-1] + b"\r": "git changed the line endings of this file",
    b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}": "nested deeper than 32",
    b"<<<<<<< ours": "a conflict marker that a merge left behind",
    b"=======": "a conflict marker that a merge left behind",
    event_line(8)[:-1] + event_line(9)[:-1]: "two lines may have been glued together",
    b'["a"]': "it holds a JSON array, not an object",
    event_line(9)[:40]: "invalid JSON: ",
    b"\0\0\0": "nothing but NUL bytes",
    b'{"a": "' + b"x" * (8 << 20) + b'"}': "longer than 8 MiB",
    b"{}": "invalid event structure: event_id is missing",
    event_line(9)[:-1].replace(b'"planned"', b'"nowhere"'): "invalid event structure: from_lane must be one of",
    event_line(9)[:-1].replace(b"+00:00", b""): "invalid event structure: at: ",
}


def test_every_kind_of_damage_is_stopped_with_its_place_and_how_to_mend_it(feature: GitRepo) -> None:
    for number, damaged in enumerate(DAMAGE):
        feature.append(LOG, damaged + b"\n" + event_line(number + 20))

    said = stopped(feature)

    for number, why in enumerate(DAMAGE.values()):
        (found,) = [each for each in said.split("error: ") if each.startswith(f"{LOG}:{3 + 2 * number}: ")]
        assert why in found
        assert f"hint: correct or move the line, then `git add {LOG}`" in found
    assert said.count("error: ") == len(DAMAGE) + 1
    assert f"error: {SNAPSHOT}: the snapshot was not made from" in said


@pytest.mark.parametrize("damaged", DAMAGE, ids=range(len(DAMAGE)))
def test_each_kind_of_damage_alone_is_enough(feature: GitRepo, damaged: bytes) -> None:
    feature.append(LOG, damaged + b"\n")
    feature.git("add", LOG)

    assert len(pre_commit.check_index(str(feature.path)).problems) == 2
    (feature.path / SNAPSHOT).unlink()
    feature.git("rm", "-q", "--cached", SNAPSHOT)
    assert len(pre_commit.check_index(str(feature.path)).problems) == 1


def test_it_reads_what_is_staged_and_not_the_work_tree(feature: GitRepo) -> None:
    emit(feature, 3)
    sound = feature.read(LOG)
    feature.git("add", "-A")
    feature.append(LOG, b"damaged\n")
    assert feature.run("commit", "-q", "-m", "staged soundly").returncode == 0

    feature.git("add", LOG)
    feature.write(LOG, sound)
    done = feature.run("commit", "-q", "-m", "staged with damage")
    assert done.returncode == 1
    assert f"{LOG}:4: invalid JSON: damaged".encode() in done.stderr


def test_a_staged_log_without_a_final_line_end_is_stopped(feature: GitRepo) -> None:
    feature.append(LOG, event_line(3)[:-1])

    assert f"{LOG}:3: the last line has no line end\n  hint: add one, then" in stopped(feature)


def test_no_more_than_twenty_problems_are_listed(feature: GitRepo) -> None:
    feature.append(LOG, b"damaged\n" * 30)

    said = stopped(feature)

    assert said.count("invalid JSON: ") == 20
    assert "error: and 11 more problems" in said


def test_one_id_with_another_content_is_stopped_and_both_lines_are_named(feature: GitRepo) -> None:
    again = event_line(2).replace(b"actor 2", b"somebody")
    both = line(event_id=ulid(9), actor="ada") + line(event_id=ulid(9), actor="bob")
    feature.append(LOG, log_of(3) + again + both)

    said = stopped(feature)

    assert f"{LOG}:4: event {ulid(2)} has other content than on line 2\n  hint: give the new event an id of" in said
    assert f"{LOG}:6: event {ulid(9)} has other content than on line 5" in said


def test_many_new_ids_are_looked_for_in_one_pass_with_the_same_answer(
    feature: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "_SEARCH_BUDGET", 0)
    mentioning = line(event_id=ulid(40), reason=f'it replaces "{ulid(41)}"', parents=[ulid(42)])
    emit(feature, 3)
    feature.append(LOG, mentioning + b'damaged, "' + ulid(43).encode() + b'"\n')
    feature.git("commit", "-qam", "damaged long ago", "--no-verify")
    fresh = [line(event_id=ulid(number), actor="another") for number in (2, 40, 41, 42, 43)]
    feature.append(LOG, b"".join(fresh))
    feature.git("add", LOG)

    for budget in (0, 1 << 28):
        monkeypatch.setattr(repeats, "_SEARCH_BUDGET", budget)
        found = [each for each in pre_commit.check_index(str(feature.path)).problems if "other content" in each]
        assert [each.split(":")[1] for each in found] == ["6", "7"]


def test_one_id_with_the_same_content_twice_passes(feature: GitRepo) -> None:
    feature.append(LOG, event_line(2) + event_line(2).replace(b", ", b",") + b"\n")
    emit(feature)

    passes(feature)


def test_foreign_rows_and_blank_lines_pass(feature: GitRepo) -> None:
    feature.append(LOG, b'\n{"kind": "note", "event_id": 7}\n  \n')
    emit(feature, 3)

    passes(feature)


def test_a_snapshot_of_another_log_is_stopped_and_materialize_mends_it(feature: GitRepo) -> None:
    stale = feature.read(SNAPSHOT)
    emit(feature, 3)
    feature.write(SNAPSHOT, stale)

    said = stopped(feature)

    assert f"{SNAPSHOT}: the snapshot was not made from the staged status.events.jsonl\n  hint: `kitty-status m" in said
    emit(feature)
    passes(feature)


@pytest.mark.parametrize("content", [b"<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n", b'{"a": 1,\n', b"[]", b""])
def test_a_snapshot_that_is_no_json_object_is_stopped(feature: GitRepo, content: bytes) -> None:
    feature.write(SNAPSHOT, content)

    assert f"{SNAPSHOT}: the snapshot is damaged: " in stopped(feature)


@pytest.mark.parametrize("named", [{}, {"log_oid": None}])
def test_a_snapshot_that_names_no_log_passes(feature: GitRepo, named: dict[str, None]) -> None:
    content = json.loads(feature.read(SNAPSHOT))
    del content["log_oid"]
    feature.append(LOG, event_line(3))
    feature.write(SNAPSHOT, json.dumps(content | named, indent=2))

    passes(feature)


def test_a_log_that_leads_elsewhere_is_stopped(feature: GitRepo) -> None:
    (feature.path / LOG).unlink()
    (feature.path / LOG).symlink_to("another")

    said = stopped(feature)

    assert f"{LOG}: it is no regular file" in said
    assert "2 lines of HEAD are changed or missing" in said


def test_a_folder_that_git_cannot_be_asked_about_is_stopped_in_one_line(feature: GitRepo) -> None:
    feature.write("kitty-specs/a\nb/status.events.jsonl", log_of(1))
    feature.git("add", "-A")

    done = feature.run("commit", "-q", "-m", "odd")

    assert done.returncode
    assert b"Traceback" not in done.stderr
    assert b"a\\nb/status.json" in done.stderr
    assert b"hint: give the folder a name without line breaks" in done.stderr


def test_outside_a_repository_the_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert pre_commit.main([]) == 1
    assert "not a git repository" in capsys.readouterr().err.lower()


def test_what_it_finds_is_printed_before_it_ends_with_1(
    feature: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(feature.path)
    assert pre_commit.main([]) == 0
    assert capsys.readouterr().err == ""

    feature.append(LOG, b"damaged\n" * 30)
    feature.git("rm", "-q", "--cached", SNAPSHOT)
    feature.git("add", LOG)
    # So does git name the repository where it runs a hook of a linked work tree.
    monkeypatch.setenv("GIT_DIR", ".git")
    assert pre_commit.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {LOG}:3: invalid JSON: damaged: ")
    assert said.endswith("error: and 10 more problems\nkitty-status: the commit was stopped; nothing was changed\n")


def test_a_folder_deleted_with_its_log_is_printed_as_a_warning(
    feature: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feature.git("rm", "-rq", FEATURE)
    monkeypatch.chdir(feature.path)

    assert pre_commit.main([]) == 0
    assert capsys.readouterr().err == f"warning: {FEATURE} is deleted with its log of 2 lines\n"


def test_a_work_tree_that_does_not_show_its_repository_is_asked_of_git(
    feature: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit(feature, 3)
    feature.git("add", "-A")
    # The hook of a bare repository with a work tree elsewhere: no `.git` leads to it.
    (feature.path / ".git").rename(tmp_path / "hidden.git")
    monkeypatch.chdir(tmp_path / "hidden.git")

    assert pre_commit.check_index(".").problems == []


def test_the_first_commit_of_a_repository_is_checked(repo: GitRepo) -> None:
    install(repo)
    emit(repo, 1)
    sound = repo.read(LOG)
    repo.append(LOG, b"damaged\n")
    assert f"{LOG}:2: invalid JSON: damaged" in stopped(repo)

    repo.write(LOG, sound)
    passes(repo)
