"""Changing a log's layout: every line is kept byte for byte, wherever the change is cut short."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, emit, feature_in, tree
from events import instant, line, ulid
from kitty_status.errors import BusyError, ConfigurationError, GitError, NotFoundError, StoreError, UnsafeLogError
from kitty_status.jsonl.disk import DISK
from kitty_status.status.layout import PER_WRITER, SINGLE
from kitty_status.status.merging import split_lines
from kitty_status.tracker import convert as converting
from kitty_status.tracker.config import Config
from kitty_status.tracker.convert import Conversion, convert
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.views.materialize import materialize_feature

if TYPE_CHECKING:
    from gitrepo import GitRepo
    from kitty_status.tracker.features import Feature

SHARDS = f"{FOLDER}/status.events.d"
SHARED = f"{SHARDS}/shared.jsonl"
KEEP = f"{SHARDS}/.keep"


def event(number: int) -> bytes:
    return line(event_id=ulid(number), wp_id=f"WP{number % 5:02}", at=instant(number))


LINES = st.one_of(
    st.integers(1, 40).map(event),
    st.sampled_from([b"\n", b" \t\n", b'{"kind": "annotation", "note": 1}\n', b'{"type":"x", "b":1,  "a":2}\n']),
)
LOGS = st.lists(LINES, min_size=1, max_size=12).map(b"".join)


def write(folder: Path, single: bytes | None, shards: dict[str, bytes]) -> Feature:
    folder.mkdir(parents=True)
    if single is not None:
        (folder / "status.events.jsonl").write_bytes(single)
    if shards:
        (folder / "status.events.d").mkdir()
    for name, content in shards.items():
        (folder / "status.events.d" / f"{name}.jsonl").write_bytes(content)
    return feature_at(folder)


def lines_of(feature: Feature) -> set[bytes]:
    return {each for each in split_lines(feature.log.read() or b"") if each.strip()}


def snapshot_of(feature: Feature) -> object:
    return reduce_log(feature.log, None, feature.log.strictly()).work_packages


def project_in(repo: GitRepo, log: bytes = event(1) + event(2)) -> Feature:
    feature_in(repo, log)
    feature = Project(repo.path).feature(SLUG)
    materialize_feature(feature, Config())
    repo.commit()
    return feature


def divided_in(repo: GitRepo) -> Feature:
    feature = project_in(repo)
    convert(feature, Config(), PER_WRITER)
    repo.write(f"{SHARDS}/other.jsonl", event(3))
    materialize_feature(feature, Config())
    repo.commit()
    return feature


@given(LOGS)
@settings(max_examples=60)
def test_there_and_back_gives_the_same_bytes(log: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        feature = write(Path(folder, "kitty-specs", SLUG), log, {})
        there = convert(feature, Config(), PER_WRITER)
        assert (feature.log.layout, feature.log.read()) == (PER_WRITER, log)
        assert there.written.read_bytes() == log
        convert(feature, Config(), SINGLE)
        assert (feature.log.layout, feature.log.single.read_bytes()) == (SINGLE, log)
        assert not feature.log.shards.exists()


@given(
    single=st.none() | LOGS,
    shards=st.dictionaries(st.sampled_from(["a", "b", "shared", "z"]), LOGS, min_size=1),
    layout=st.sampled_from([SINGLE, PER_WRITER]),
)
@settings(max_examples=100)
def test_no_line_is_lost_and_no_state_changes_whatever_the_log_lies_in(
    single: bytes | None, shards: dict[str, bytes], layout: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        feature = write(Path(folder, "kitty-specs", SLUG), single, shards)
        lines, snapshot = lines_of(feature), snapshot_of(feature)
        planned = convert(feature, Config(), layout, dry_run=True)
        done = convert(feature, Config(), layout)
        assert (lines_of(feature), snapshot_of(feature), feature.log.layout) == (lines, snapshot, layout)
        assert (planned.removed, planned.lines) == (done.removed, done.lines)
        assert not convert(feature, Config(), layout).is_needed


@given(
    single=st.none() | LOGS,
    shards=st.dictionaries(st.sampled_from(["a", "b", "shared", "z"]), LOGS, min_size=1),
    layout=st.sampled_from([SINGLE, PER_WRITER]),
    survivors=st.integers(0, 4),
)
@settings(max_examples=60)
def test_a_conversion_that_is_cut_short_is_finished_by_the_same_call(
    single: bytes | None, shards: dict[str, bytes], layout: str, survivors: int
) -> None:
    """The files that were to be removed are there again, from the first of them that the crash left on."""
    with tempfile.TemporaryDirectory() as folder:
        feature = write(Path(folder, "kitty-specs", SLUG), single, shards)
        lines, snapshot = lines_of(feature), snapshot_of(feature)
        before = {path: path.read_bytes() for path in feature.log.files()}
        removed = convert(feature, Config(), layout).removed
        feature.log.shards.mkdir(exist_ok=True)
        for path in removed[survivors:]:
            path.write_bytes(before[path])
        assert (lines_of(feature), snapshot_of(feature)) == (lines, snapshot)
        convert(feature, Config(), layout)
        assert (lines_of(feature), snapshot_of(feature), feature.log.layout) == (lines, snapshot, layout)


@pytest.mark.parametrize("layout", [SINGLE, PER_WRITER])
def test_nothing_is_removed_before_what_takes_its_lines_is_on_stable_storage(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    feature = project_in(repo) if layout == PER_WRITER else divided_in(repo)
    calls: list[str] = []
    confirm, remove = DISK.fsync_directory, Path.unlink

    def note_and_confirm(path: Path) -> None:
        calls.append(f"fsync {path}")
        confirm(path)

    def note_and_remove(path: Path, *, missing_ok: bool = False) -> None:
        calls.append(f"unlink {path}")
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(DISK, "fsync_directory", note_and_confirm)
    monkeypatch.setattr(Path, "unlink", note_and_remove)
    conversion = convert(feature, Config(), layout)
    first = min(calls.index(f"unlink {path}") for path in conversion.removed)
    assert f"fsync {conversion.written.parent}" in calls[:first]
    if layout == PER_WRITER:
        # The folder is new, and its name has to last too.
        assert f"fsync {feature.folder}" in calls[:first]


def test_a_failing_removal_loses_nothing_and_the_same_call_goes_on(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature = divided_in(repo)
    lines = lines_of(feature)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda _path, **_more: (_ for _ in ()).throw(OSError(5, "no")))
        with pytest.raises(OSError, match="no"):
            convert(feature, Config(), SINGLE)
    assert lines_of(feature) == lines
    convert(feature, Config(), SINGLE)
    assert (lines_of(feature), feature.log.layout) == (lines, SINGLE)
    repo.commit()
    assert repo.git("ls-files", FOLDER).splitlines() == [KEEP, LOG, SNAPSHOT]


def test_a_program_that_writes_without_the_lock_stops_the_removal(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature = project_in(repo)

    def write_and_replace(path: Path, data: bytes) -> bool:
        repo.append(LOG, event(7))
        path.write_bytes(data)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(converting, "replace_file", write_and_replace)
        with pytest.raises(BusyError, match="written to meanwhile"):
            convert(feature, Config(), PER_WRITER)
    assert event(7) in lines_of(feature)
    convert(feature, Config(), PER_WRITER)
    assert event(7) in lines_of(feature)


def test_git_sees_a_pure_rename_and_the_index_follows(repo: GitRepo) -> None:
    feature = project_in(repo)
    convert(feature, Config(), PER_WRITER)
    told = repo.git("status", "--porcelain", "--renames").splitlines()
    assert told == [f"R  {LOG} -> {SHARED}", f"M  {SNAPSHOT}"]


def test_the_snapshot_names_what_git_has_after_the_commit(repo: GitRepo) -> None:
    feature = project_in(repo)
    convert(feature, Config(), PER_WRITER)
    repo.commit()
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] == repo.git("rev-parse", f"HEAD:{SHARDS}")
    repo.write(f"{SHARDS}/other.jsonl", event(3))
    materialize_feature(feature, Config())
    repo.commit()
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] == repo.git("rev-parse", f"HEAD:{SHARDS}")
    convert(feature, Config(), SINGLE)
    repo.commit()
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] == repo.git("rev-parse", f"HEAD:{LOG}")
    convert(feature, Config(), PER_WRITER)
    repo.commit()
    assert repo.git("ls-files", FOLDER).splitlines() == [SHARED, SNAPSHOT]
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] == repo.git("rev-parse", f"HEAD:{SHARDS}")


def test_a_log_in_both_layouts_is_named_by_nothing(repo: GitRepo) -> None:
    feature = divided_in(repo)
    repo.write(LOG, event(9))
    materialize_feature(feature, Config())
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] is None


def test_untracked_and_ignored_logs_are_converted_and_stay_untracked(repo: GitRepo) -> None:
    repo.write(".gitignore", "*.jsonl\n")
    repo.commit()
    feature_in(repo, event(1))
    feature = Project(repo.path).feature(SLUG)
    for layout in (PER_WRITER, SINGLE):
        convert(feature, Config(), layout)
        assert (feature.log.layout, feature.log.read()) == (layout, event(1))
        assert repo.git("ls-files", FOLDER) == ""
    assert not feature.log.shards.exists()
    assert not feature.snapshot.exists()


def test_a_torn_tail_goes_to_the_quarantine_as_with_the_next_append(repo: GitRepo) -> None:
    feature = project_in(repo)
    torn = b'{"event_id": "01'
    repo.append(LOG, torn)
    convert(feature, Config(), PER_WRITER)
    assert repo.read(SHARED) == event(1) + event(2)
    assert any(torn in path.read_bytes() for path in feature.quarantine.iterdir())


def test_a_damaged_log_is_refused_and_nothing_changes(repo: GitRepo) -> None:
    feature = project_in(repo)
    repo.append(LOG, b"<<<<<<< ours\n")
    before = tree(repo.path / "kitty-specs")
    for dry_run in (True, False):
        with pytest.raises(StoreError, match="Line 3"):
            convert(feature, Config(), PER_WRITER, dry_run=dry_run)
    assert tree(repo.path / "kitty-specs") == before


def test_in_the_middle_of_a_merge_nothing_is_converted(repo: GitRepo) -> None:
    feature = project_in(repo)
    repo.branch("side")
    repo.write("notes", "side\n")
    repo.commit()
    repo.switch("main")
    repo.write("notes", "main\n")
    repo.commit()
    assert repo.merge("side") == 1
    before = tree(repo.path / "kitty-specs")
    with pytest.raises(GitError, match="in the middle of a merge"):
        convert(feature, Config(), PER_WRITER)
    assert tree(repo.path / "kitty-specs") == before


def test_without_a_log_there_is_nothing_to_convert(repo: GitRepo) -> None:
    feature_in(repo)
    with pytest.raises(NotFoundError, match="no log yet"):
        convert(Project(repo.path).feature(SLUG), Config(), PER_WRITER)


def test_a_version_that_must_not_write_converts_nothing(repo: GitRepo) -> None:
    feature = project_in(repo)
    with pytest.raises(ConfigurationError):
        convert(feature, Config({"requires": ">=99.0.0"}), PER_WRITER)
    assert feature.log.layout == SINGLE


def test_a_dry_run_writes_nothing(repo: GitRepo) -> None:
    feature = project_in(repo)
    before = tree(repo.path)
    plan = convert(feature, Config(), PER_WRITER, dry_run=True)
    assert (plan.is_needed, plan.lines, plan.removed) == (True, 2, [feature.log.single])
    assert tree(repo.path) == before


def test_an_empty_log_is_converted_too(repo: GitRepo) -> None:
    feature_in(repo, b"")
    feature = Project(repo.path).feature(SLUG)
    assert convert(feature, Config(), PER_WRITER).lines == 0
    assert convert(feature, Config(), SINGLE).is_needed
    assert feature.log.single.read_bytes() == b""


def test_an_event_that_git_took_away_is_converted_with_the_rest(repo: GitRepo) -> None:
    feature = project_in(repo)
    emit(repo.path, "WP07", "claimed")
    repo.git("reset", "-q", "--hard")
    conversion: Conversion = convert(feature, Config(), PER_WRITER)
    assert b"WP07" in repo.read(SHARED)
    assert conversion.lines == 3
    assert b"WP07" in repo.read(SNAPSHOT)


@pytest.mark.parametrize("layout", [PER_WRITER, SINGLE])
@pytest.mark.parametrize("step", ["_materialize", "_write_index"])
def test_a_call_that_was_killed_behind_the_removal_is_finished_by_the_same_call(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, layout: str, step: str
) -> None:
    feature = project_in(repo) if layout == PER_WRITER else divided_in(repo)

    def be_killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(converting, step, be_killed)
        with pytest.raises(KeyboardInterrupt):
            convert(feature, Config(), layout)
    assert convert(feature, Config(), layout).is_needed
    assert repo.git("diff", "--name-only") == ""
    repo.commit()
    named = repo.git("rev-parse", f"HEAD:{SHARDS if layout == PER_WRITER else LOG}")
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] == named
    assert not convert(feature, Config(), layout).is_needed


def test_a_file_that_went_with_lines_of_its_own_is_not_taken_out_of_the_index(repo: GitRepo) -> None:
    feature = divided_in(repo)
    repo.write(f"{SHARDS}/other.jsonl", event(9))
    repo.commit()
    convert(feature, Config(), SINGLE)
    repo.git("reset", "-q", "--hard")
    (repo.path / SHARDS / "other.jsonl").unlink()
    convert(feature, Config(), SINGLE)
    assert repo.git("ls-files", SHARDS).splitlines() == [KEEP, f"{SHARDS}/other.jsonl"]


def test_a_tracked_log_is_not_taken_to_where_git_ignores_it(repo: GitRepo) -> None:
    feature = project_in(repo)
    repo.write(".gitignore", "*.d/\n")
    repo.commit()
    before = tree(repo.path / "kitty-specs")
    for dry_run in (True, False):
        with pytest.raises(GitError, match=r"ignores .*shared\.jsonl") as refused:
            convert(feature, Config(), PER_WRITER, dry_run=dry_run)
        assert "git check-ignore -v" in refused.value.hint
    assert tree(repo.path / "kitty-specs") == before
    assert repo.git("status", "--porcelain") == ""


def test_what_a_killed_call_left_half_written_goes_with_the_next_one(repo: GitRepo) -> None:
    feature = project_in(repo)
    for name in (".shared.jsonl.4711.abcdef.tmp", "..keep.4711.abcdef.tmp"):
        repo.write(f"{SHARDS}/{name}", "half")
    convert(feature, Config(), PER_WRITER)
    repo.commit()
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] == repo.git("rev-parse", f"HEAD:{SHARDS}")


def test_a_folder_of_writers_files_that_is_a_link_is_refused_by_its_name(repo: GitRepo, tmp_path: Path) -> None:
    feature = divided_in(repo)
    feature.log.shards.rename(tmp_path / "elsewhere")
    feature.log.shards.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeLogError, match="symbolic link"):
        convert(feature, Config(), SINGLE)
    assert (tmp_path / "elsewhere" / "shared.jsonl").exists()
