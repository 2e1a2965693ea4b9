"""Rename, archive, unarchive: everything in the folder moves, no event changes, what would lose one is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SLUG, ask, feature_in, tree
from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.errors import (
    BusyError,
    GitError,
    InvalidNameError,
    MoveRefusedError,
    NotFoundError,
    StoreError,
    TargetExistsError,
    UsageError,
)
from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.disk import DISK
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker import relocate
from kitty_status.tracker.config import Config
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.features import Feature, Project
from kitty_status.tracker.former import former_slugs
from kitty_status.tracker.relocate import Relocation
from kitty_status.tracker.views.materialize import materialize_feature

NEW = "002-sign-in"
MOVED = f"kitty-specs/{NEW}"
ARCHIVED = f"kitty-specs/.archive/{SLUG}"
CLAIM = line(event_id=ulid(1), at=instant(1), parents=[])
START = line(
    event_id=ulid(2), at=instant(2), from_lane="claimed", to_lane="in_progress", execution_mode="worktree", parents=[]
)


def ready(repo: GitRepo, log: bytes = CLAIM) -> GitRepo:
    """Return a repository with a committed feature, in whose folder there are files that git does not know, too."""
    feature_in(repo, log)
    repo.write(f"{FOLDER}/tasks/WP01-é it's.md", "the task\n")
    repo.write(".gitignore", "build/\n")
    materialize_feature(Project(repo.path).feature(SLUG), Config())
    repo.commit()
    repo.write(f"{FOLDER}/notes.md", "untracked\n")
    repo.write(f"{FOLDER}/build/out", "ignored\n")
    return repo


def rename(repo: GitRepo, new: str = NEW, slug: str = SLUG) -> Relocation:
    project = Project(repo.path)
    return relocate.rename(project, Config(), project.feature(slug), new)


def archive(repo: GitRepo, slug: str = SLUG) -> Relocation:
    project = Project(repo.path)
    return relocate.archive(project, Config(), project.feature(slug))


def below(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in tree(folder).items() if data is not None}


def test_everything_in_the_folder_moves_and_no_event_changes(repo: GitRepo) -> None:
    before = below(ready(repo).path / FOLDER)
    rename(repo)
    after = below(repo.path / MOVED)
    assert not (repo.path / FOLDER).exists()
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} == {"status.events.jsonl", "status.json"}
    log = after["status.events.jsonl"]
    assert log.startswith(CLAIM)
    row = decode(log[len(CLAIM) : -1])
    assert {key: row[key] for key in ("event_type", "former_slug", "feature_slug")} == {
        "event_type": "renamed",
        "former_slug": SLUG,
        "feature_slug": NEW,
    }


def test_a_row_that_is_named_by_its_kind_renames_as_well(repo: GitRepo) -> None:
    feature_in(repo, CLAIM + b'{"kind": "renamed", "former_slug": "000-former", "event_id": "x"}\n')
    assert former_slugs(FeatureLog(repo.path / FOLDER)) == ("000-former",)


def test_a_rename_is_staged_as_one_and_what_git_did_not_know_stays_unknown(repo: GitRepo) -> None:
    rename(ready(repo))
    staged = repo.git("diff", "--cached", "--name-status", "-M").splitlines()
    assert sorted(each.split("\t")[0][0] for each in staged) == ["R", "R", "R"]
    assert repo.git("diff", "--name-only") == ""
    assert repo.git("status", "--porcelain", "--", f"{MOVED}/notes.md") == f"?? {MOVED}/notes.md"


def test_the_snapshot_is_the_reduction_of_the_log_with_its_new_row(repo: GitRepo) -> None:
    rename(ready(repo))
    snapshot = json.loads(repo.read(f"{MOVED}/status.json"))
    assert snapshot["feature_slug"] == SLUG
    assert snapshot["event_count"] == 1
    assert snapshot["log_oid"] == repo.git("hash-object", f"{MOVED}/status.events.jsonl")
    assert ask(repo.path, "materialize", NEW, "--check").code == 0


def test_a_renamed_feature_is_found_by_every_name_it_had(repo: GitRepo) -> None:
    rename(ready(repo))
    rename(repo, "003-third", NEW)
    project = Project(repo.path)
    assert former_slugs(FeatureLog(repo.path / "kitty-specs/003-third")) == (SLUG, NEW)
    for name in (SLUG, NEW):
        found = project.feature(name)
        assert (found.slug, found.found_by) == ("003-third", name)
        assert found.remarks() == [f"{name} was renamed: it is 003-third now"]
    assert project.feature("003-third").remarks() == []


def test_a_feature_that_gets_an_earlier_name_back_is_found_by_it_without_a_remark(repo: GitRepo) -> None:
    rename(ready(repo))
    rename(repo, SLUG, NEW)
    assert Project(repo.path).feature(SLUG).remarks() == []
    assert Project(repo.path).feature(NEW).slug == SLUG


def test_a_name_that_two_features_gave_up_is_not_guessed(repo: GitRepo) -> None:
    rename(ready(repo))
    feature_in(repo, CLAIM)
    rename(repo, "003-third")
    with pytest.raises(UsageError, match=f"{SLUG} may mean {NEW}, 003-third"):
        Project(repo.path).feature(SLUG)


def test_a_former_name_that_begins_another_features_name_is_not_guessed(repo: GitRepo) -> None:
    rename(ready(repo))
    repo.write(f"{FOLDER}-more/spec.md", "x\n")
    with pytest.raises(UsageError, match="may mean"):
        Project(repo.path).feature(SLUG)


def test_a_branch_named_after_the_former_slug_still_means_the_feature(repo: GitRepo) -> None:
    rename(ready(repo))
    repo.git("checkout", "-q", "-b", f"feature/{SLUG}-WP01")
    assert Project(repo.path).feature(None).slug == NEW


def test_the_events_of_a_renamed_feature_are_not_taken_for_strays(repo: GitRepo) -> None:
    rename(ready(repo))
    assert ask(repo.path, "validate", NEW).out.splitlines() == ["1 feature, 1 event: 0 errors, 0 warnings"]
    repo.append(f"{MOVED}/status.events.jsonl", line(event_id=ulid(3), at=instant(3), wp_id="WP03", feature_slug="x"))
    assert "other-feature: the event names the feature x" in ask(repo.path, "validate", NEW).out


def test_a_row_that_only_looks_like_a_new_name_is_none(repo: GitRepo) -> None:
    odd = [
        b'{"kind": "note", "text": "renamed", "former_slug": "a"}\n',
        b'{"kind": "renamed", "former_slug": 7}\n',
        b'{"kind": "renamed"}\n',
        b'{"kind": "renamed", "kind": "renamed", "former_slug": "b"}\n',
    ]
    feature_in(repo, b"".join(odd))
    assert former_slugs(FeatureLog((repo.path / LOG).parent)) == ()


def test_a_log_that_cannot_be_read_had_no_other_names(tmp_path: Path) -> None:
    (tmp_path / "status.events.jsonl").symlink_to(tmp_path / "elsewhere")
    assert former_slugs(FeatureLog(tmp_path)) == former_slugs(FeatureLog(tmp_path / "nowhere")) == ()


def test_emit_follows_a_former_name_and_says_so(repo: GitRepo) -> None:
    rename(ready(repo))
    answer = ask(repo.path, "emit", "WP01", "--to", "in_progress", "--actor", "ada", "-f", SLUG, "--json")
    assert answer.data["event"]["feature_slug"] == NEW
    assert f"{SLUG} was renamed: it is {NEW} now" in answer.envelope["warnings"]


def test_archiving_moves_the_folder_and_leaves_every_byte(repo: GitRepo) -> None:
    before = below(ready(repo).path / FOLDER)
    archive(repo)
    assert below(repo.path / ARCHIVED) == before
    assert not (repo.path / FOLDER).exists()
    project = Project(repo.path)
    assert project.features() == []
    assert [feature.slug for feature in project.features(archived=True)] == [SLUG]
    assert project.feature(SLUG).is_archived


def test_an_archived_feature_can_be_taken_up_again(repo: GitRepo) -> None:
    before = below(ready(repo).path / FOLDER)
    archive(repo)
    project = Project(repo.path)
    relocate.unarchive(project, Config(), project.feature(SLUG))
    assert below(repo.path / FOLDER) == before
    assert repo.git("status", "--porcelain", "--untracked-files=no") == ""


def test_an_archived_feature_can_be_renamed_and_stays_archived(repo: GitRepo) -> None:
    archive(ready(repo))
    rename(repo)
    found = Project(repo.path).feature(SLUG)
    assert found.folder == repo.path / "kitty-specs/.archive" / NEW
    assert found.remarks() == [f"{SLUG} was renamed: it is {NEW} now", f"{NEW} is archived"]


def test_nothing_is_emitted_to_an_archived_feature(repo: GitRepo) -> None:
    archive(ready(repo))
    answer = ask(repo.path, "emit", "WP01", "--to", "in_progress", "--actor", "ada", "-f", SLUG, "--json")
    assert (answer.code, answer.error["code"]) == (3, "move-refused")
    assert f"unarchive {SLUG}" in answer.error["hint"]
    assert repo.read(f"{ARCHIVED}/status.events.jsonl") == CLAIM


def test_a_writer_that_waited_while_the_folder_moved_is_told_to_call_again(repo: GitRepo) -> None:
    feature = Project(ready(repo).path).feature(SLUG)
    rename(repo)
    with pytest.raises(BusyError, match="not there any more"):
        feature.check_can_move()
    with pytest.raises(MoveRefusedError):
        Feature(repo.path / ARCHIVED, None).check_can_move()


def test_from_a_folder_in_the_archive_the_feature_is_known(repo: GitRepo) -> None:
    archive(ready(repo))
    assert Project(repo.path / ARCHIVED / "tasks").feature(None).is_archived
    with pytest.raises(UsageError, match="neither the folder nor the branch"):
        Project(repo.path / "kitty-specs/.archive").feature(None)


def test_events_that_are_not_committed_yet_move_along(repo: GitRepo) -> None:
    repo = ready(repo)
    repo.append(LOG, START)
    rename(repo)
    assert repo.read(f"{MOVED}/status.events.jsonl").startswith(CLAIM + START)
    assert repo.git("diff", "--name-only") == ""


def test_a_feature_that_git_does_not_track_moves_in_the_work_tree_only(repo: GitRepo) -> None:
    feature_in(repo, CLAIM)
    rename(repo)
    assert repo.git("diff", "--cached", "--name-only") == ""
    assert not (repo.path / MOVED / "status.json").exists()


def test_outside_git_a_feature_moves_as_well(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.parent.mkdir(parents=True)
    log.write_bytes(CLAIM)
    project = Project(tmp_path)
    relocate.rename(project, Config(), project.feature(SLUG), NEW)
    assert Project(tmp_path).feature(SLUG).slug == NEW


def test_a_feature_without_a_log_gets_one_with_its_new_name_and_no_snapshot(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/spec.md", "x\n")
    repo.commit()
    rename(repo)
    assert former_slugs(FeatureLog(repo.path / MOVED)) == (SLUG,)
    assert not (repo.path / MOVED / "status.json").exists()
    assert repo.git("status", "--porcelain", "--untracked-files=all").count("??") == 0


def test_a_log_that_git_ignores_is_not_staged(repo: GitRepo) -> None:
    repo.write(".gitignore", "*.jsonl\n")
    repo.write(f"{FOLDER}/spec.md", "x\n")
    repo.commit()
    rename(repo)
    assert repo.git("diff", "--cached", "--name-only", "--no-renames").splitlines() == [
        f"{FOLDER}/spec.md",
        f"{MOVED}/spec.md",
    ]


def test_a_dry_run_says_it_all_and_writes_nothing(repo: GitRepo) -> None:
    before = tree(ready(repo).path)
    project = Project(repo.path)
    planned = relocate.rename(project, Config(), project.feature(SLUG), NEW, dry_run=True)
    assert planned.target.folder == repo.path / MOVED
    assert planned.row is not None
    assert tree(repo.path) == before


@pytest.mark.parametrize("name", ["", "..", "a/b", ".archive", "-x", "a b", "é", "CON", "x" * 201])
def test_an_unsafe_name_is_refused(repo: GitRepo, name: str) -> None:
    before = tree(ready(repo).path / "kitty-specs")
    with pytest.raises(InvalidNameError):
        rename(repo, name)
    assert tree(repo.path / "kitty-specs") == before


def test_the_name_it_has_is_refused(repo: GitRepo) -> None:
    with pytest.raises(UsageError, match="called so already"):
        rename(ready(repo), SLUG)


def test_the_name_of_another_feature_is_refused(repo: GitRepo) -> None:
    repo.write(f"{MOVED}/status.events.jsonl", line(event_id=ulid(9), at=instant(9), feature_slug=NEW))
    before = tree(ready(repo).path / "kitty-specs")
    with pytest.raises(TargetExistsError, match="another feature"):
        rename(repo)
    assert tree(repo.path / "kitty-specs") == before


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_whatever_stands_at_the_new_place_is_left_alone(repo: GitRepo, what: str) -> None:
    ready(repo)
    target = repo.path / MOVED
    if what == "file":
        target.write_text("x")
    elif what == "folder":
        target.mkdir()
    else:
        target.symlink_to(repo.path / "nowhere")
    with pytest.raises(TargetExistsError):
        rename(repo)
    assert (repo.path / LOG).exists()


def test_archiving_twice_and_unarchiving_what_is_not_archived_are_refused(repo: GitRepo) -> None:
    project = Project(ready(repo).path)
    with pytest.raises(UsageError, match="not archived"):
        relocate.unarchive(project, Config(), project.feature(SLUG))
    archive(repo)
    with pytest.raises(UsageError, match="archived already"):
        archive(repo)


@pytest.mark.parametrize("log", [CLAIM + b"oops\n", CLAIM + b"<<<<<<< ours\n", b'{"a": 1}\n'])
def test_a_damaged_log_is_not_moved(repo: GitRepo, log: bytes) -> None:
    ready(repo)
    repo.write(LOG, log)
    for move in (rename, archive):
        with pytest.raises(StoreError):
            move(repo)
    assert repo.read(LOG) == log


def test_a_folder_that_is_a_link_is_not_moved(repo: GitRepo) -> None:
    ready(repo)
    elsewhere = repo.path / "elsewhere"
    (repo.path / FOLDER).rename(elsewhere)
    (repo.path / FOLDER).symlink_to(elsewhere)
    with pytest.raises(UsageError, match="no folder of its own"):
        rename(repo)


def test_in_the_middle_of_a_merge_nothing_is_moved(repo: GitRepo) -> None:
    ready(repo)
    repo.branch("theirs")
    repo.write("code", "theirs\n")
    repo.commit()
    repo.switch("main")
    repo.write("code", "ours\n")
    repo.commit()
    assert repo.merge("theirs") == 1
    with pytest.raises(GitError, match="in the middle of a merge"):
        rename(repo)


def test_while_another_git_holds_the_index_nothing_is_moved(repo: GitRepo) -> None:
    ready(repo)
    repo.write(".git/index.lock", "")
    with pytest.raises(BusyError, match="another git"):
        rename(repo)
    assert (repo.path / LOG).exists()


def test_what_git_refuses_is_said_in_its_words(repo: GitRepo) -> None:
    ready(repo)
    oid = repo.git("rev-parse", f"HEAD:{LOG}")
    unmerged = "".join(f"100644 {oid} {stage}\t{FOLDER}/spec.md\n" for stage in (1, 2, 3))
    assert repo.run("update-index", "--index-info", stdin=unmerged.encode()).returncode == 0
    repo.write(f"{FOLDER}/spec.md", "x\n")
    with pytest.raises(GitError, match=r"git mv failed: .*conflicted"):
        rename(repo)
    assert (repo.path / LOG).exists()


def test_both_names_are_locked_meanwhile(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(ready(repo).path)
    feature = project.feature(SLUG)
    taken: list[str] = []

    def recorded(path: str) -> object:
        taken.append(Path(path).name)
        return exclusive(path)

    monkeypatch.setattr(relocate, "exclusive", recorded)
    relocate.rename(project, Config(), feature, NEW)
    assert taken == sorted([f"{SLUG}.lock", f"{NEW}.lock"])


def test_a_name_that_cannot_be_recorded_is_not_taken(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    before = below(ready(repo).path / FOLDER)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DISK, "write", full)
    with pytest.raises(OSError, match="No space"):
        rename(repo)
    monkeypatch.undo()
    assert below(repo.path / FOLDER) == before
    assert not (repo.path / MOVED).exists()
    assert repo.git("status", "--porcelain", "--untracked-files=no") == ""


def test_a_snapshot_that_cannot_be_written_does_not_undo_the_move(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(repo)

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(relocate, "write_snapshot", refused)
    done = rename(repo)
    assert "materialize" in done.warnings[0]
    assert former_slugs(done.target.log) == (SLUG,)


def test_a_folder_whose_name_is_not_safe_can_be_given_one_that_is(repo: GitRepo) -> None:
    folder = "kitty-specs/001 it's déjà vu"
    repo.write(f"{folder}/status.events.jsonl", CLAIM)
    repo.commit()
    answer = ask(repo.path, "rename", "001 it's déjà vu", SLUG, "--commit", "--json")
    assert answer.code == 0
    assert repo.git("status", "--porcelain") == ""
    assert os.listdir(repo.path / "kitty-specs") == [SLUG]  # noqa: PTH208


def test_an_older_version_than_the_repository_asks_for_moves_nothing(repo: GitRepo) -> None:
    project = Project(ready(repo).path)
    with pytest.raises(UsageError, match="asks for"):
        relocate.archive(project, Config({"requires": ">=99"}), project.feature(SLUG))


def test_a_feature_that_is_nowhere_is_not_found(repo: GitRepo) -> None:
    ready(repo)
    with pytest.raises(NotFoundError):
        rename(repo, NEW, "nowhere")
