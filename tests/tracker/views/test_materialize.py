"""The snapshot: exactly what the log says, written only if that is something else than what stands there."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, feature_in, tree
from events import instant, line, their_row, ulid
from gitrepo import GitRepo
from kitty_status.errors import ConfigurationError, StoreError
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.views.materialize import Materialized, compare, log_oid, materialize_feature

OWN = line(event_id=ulid(1), at=instant(1)) + line(event_id=ulid(2), at=instant(2), wp_id="WP02", actor="Zoë")
THEIRS = json.dumps(their_row(event_id=ulid(1), at=instant(1))).encode() + b"\n"


def materialize(root: Path, config: Config | None = None) -> Materialized:
    return materialize_feature(Project(root).feature(SLUG), config or Config())


def content(repo: GitRepo) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(repo.read(SNAPSHOT))
    return parsed


def test_an_unchanged_log_writes_nothing(repo: GitRepo) -> None:
    feature_in(repo, OWN)
    assert materialize(repo.path).written
    before = (repo.path / SNAPSHOT).stat()
    again = materialize(repo.path)
    after = (repo.path / SNAPSHOT).stat()
    assert (again.written, again.drifted) == (False, False)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_equal_logs_give_equal_bytes_wherever_they_lie(repo: GitRepo, tmp_path: Path) -> None:
    other = GitRepo.init(tmp_path / "other")
    for each in (repo, other):
        feature_in(each, OWN)
        materialize(each.path)
    assert repo.read(SNAPSHOT) == other.read(SNAPSHOT)
    assert content(repo)["materialized_at"] == instant(2)
    assert "Zoë".encode() in repo.read(SNAPSHOT)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("log", [OWN, b"", b"x" * 600_000])
def test_the_log_is_named_as_git_names_it(tmp_path: Path, object_format: str, log: bytes) -> None:
    repo = GitRepo.init(tmp_path / "repo", object_format=object_format)
    feature_in(repo, log)
    assert log_oid(Project(repo.path).feature(SLUG)) == repo.git("hash-object", "--no-filters", LOG)


def test_a_log_that_is_not_there_is_named_like_an_empty_one(repo: GitRepo) -> None:
    feature_in(repo)
    assert log_oid(Project(repo.path).feature(SLUG)) == repo.git("hash-object", "-t", "blob", "--stdin")


def test_outside_git_the_log_has_no_name(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "status.events.jsonl").write_bytes(OWN)
    materialize_feature(feature_at(folder), Config())
    assert json.loads((folder / "status.json").read_bytes())["log_oid"] is None


def test_the_keys_of_spec_kitty_are_kept_and_ours_are_not_added(repo: GitRepo) -> None:
    feature_in(repo, THEIRS)
    work_package = {"lane": "planned", "later": "kept", "agent": "nobody", "actor": "x"}
    theirs = {"mission_slug": SLUG, "mission_id": ulid(9), "extra": [1], "work_packages": {"WP01": work_package}}
    repo.write(SNAPSHOT, json.dumps(theirs))
    materialize(repo.path)
    written = content(repo)
    assert (written["mission_slug"], written["mission_id"], written["extra"]) == (SLUG, ulid(9), [1])
    assert written["work_packages"]["WP01"]["later"] == "kept"
    assert "agent" not in written["work_packages"]["WP01"]
    assert written["work_packages"]["WP01"]["lane"] == "claimed"
    assert "log_oid" not in written
    assert not materialize(repo.path).written


def test_whose_snapshot_it_is_can_be_decided(repo: GitRepo) -> None:
    feature_in(repo, OWN)
    materialize(repo.path, Config({"snapshot": "spec-kitty"}))
    assert content(repo)["mission_slug"] == SLUG
    assert "log_oid" not in content(repo)
    materialize(repo.path, Config({"snapshot": "spec-kitty"}))
    assert content(repo)["mission_slug"] == SLUG
    materialize(repo.path, Config({"snapshot": "own"}))
    assert content(repo)["log_oid"] == repo.git("hash-object", LOG)
    assert "mission_slug" not in content(repo)


@pytest.mark.parametrize(
    "broken",
    [b"", b"{", b"[]", b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", b"[" * 100_000, b"\xff", b'{"work_packages": 1}'],
    ids=lambda broken: repr(broken[:8]),
)
def test_a_broken_snapshot_is_rebuilt(repo: GitRepo, broken: bytes) -> None:
    feature_in(repo, OWN)
    repo.write(SNAPSHOT, broken)
    result = materialize(repo.path)
    assert (result.written, result.drifted, result.existing) == (True, True, broken)
    assert content(repo)["event_count"] == 2


def test_comparing_writes_nothing(repo: GitRepo) -> None:
    feature_in(repo, OWN)
    feature = Project(repo.path).feature(SLUG)
    before = tree(repo.path)
    snapshot = reduce_log(feature.log, None, lambda *_: None)
    result = compare(feature, Config(), snapshot, log_oid(feature))
    assert (result.drifted, result.written, result.existing) == (True, False, None)
    assert tree(repo.path) == before


def test_a_damaged_log_leaves_the_snapshot(repo: GitRepo) -> None:
    feature_in(repo, OWN + b"oops\n")
    repo.write(SNAPSHOT, "before")
    with pytest.raises(StoreError, match=r"^Line 3: invalid JSON: oops"):
        materialize(repo.path)
    assert repo.read(SNAPSHOT) == b"before"


def test_an_older_version_does_not_write_a_snapshot(repo: GitRepo) -> None:
    feature_in(repo, OWN)
    with pytest.raises(ConfigurationError, match="asks for"):
        materialize(repo.path, Config({"requires": ">=99"}))
    assert not (repo.path / SNAPSHOT).exists()


@pytest.mark.parametrize("log", [b"", b'{"kind": "note"}\n'])
def test_a_snapshot_that_may_be_all_that_is_left_is_not_written_over(repo: GitRepo, log: bytes) -> None:
    feature_in(repo, OWN)
    materialize(repo.path)
    before = repo.read(SNAPSHOT)
    repo.write(LOG, log)
    with pytest.raises(StoreError, match="counts 2 events and the log has none") as refused:
        materialize(repo.path)
    assert LOG in refused.value.hint
    assert repo.read(SNAPSHOT) == before


def lost(root: Path) -> str:
    """Return what is said to do about a log that is lost while its snapshot counts its events."""
    with pytest.raises(StoreError, match="the log may have been lost") as refused:
        materialize(root)
    return str(refused.value.hint)


@pytest.mark.parametrize("how", ["deleted", "emptied", "deleted in the index"])
def test_a_lost_log_that_git_still_has_is_brought_back_by_the_command_that_is_named(repo: GitRepo, how: str) -> None:
    feature_in(repo, OWN)
    materialize(repo.path)
    repo.commit("the feature")
    (repo.path / LOG).unlink()
    if how == "emptied":
        repo.write(LOG, b"")
    elif how != "deleted":
        repo.git("rm", "-q", "--cached", LOG)

    command = lost(repo.path).split("`")[1]

    assert command == f"kitty-status resolve {SLUG}"
    assert ask(repo.path, *command.split()[1:]).code == 0
    assert repo.read(LOG) == OWN


def test_a_log_that_a_commit_took_away_is_found_in_history_and_brought_back_from_there(repo: GitRepo) -> None:
    feature_in(repo, OWN)
    materialize(repo.path)
    repo.commit("the feature")
    repo.git("rm", "-q", LOG)
    repo.git("commit", "-q", "-m", "gone")

    find, bring_back = lost(repo.path).split("`")[1::2]

    newest = repo.git(*shlex.split(find)[1:]).split()[1]
    assert newest == repo.git("rev-parse", "HEAD^")
    assert ask(repo.path, *bring_back.replace("COMMIT", newest).split()[1:]).code == 0
    assert repo.read(LOG) == OWN


def test_outside_git_nothing_is_said_about_it(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "status.events.jsonl").write_bytes(OWN)
    materialize(tmp_path)
    (folder / "status.events.jsonl").unlink()

    assert lost(tmp_path) == "put back a copy of the log; if it is meant to be empty, move status.json away"
