"""Migrating writes what the frontmatter tells, all of it or nothing, once, and never over what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, tree
from events import line
from kitty_status import read_events, read_events_raw, reduce
from kitty_status.errors import OutcomeUnknownError, StoreError, WorkPackageFileError
from kitty_status.jsonl.append import Place, append_locked
from kitty_status.jsonl.lock import exclusive
from kitty_status.status.rows import is_ulid, milliseconds_of
from kitty_status.status.snapshot import parse
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Feature, feature_at
from kitty_status.tracker.journal import writing
from kitty_status.tracker.journal.entries import read_book
from kitty_status.tracker.migrating import migrate as migrating
from kitty_status.tracker.migrating.migrate import migrate
from kitty_status.tracker.migrating.plan import (
    ALREADY,
    KEPT,
    MIGRATED,
    NOTHING,
    Migration,
    Outcome,
    UnreadableError,
    check_lanes,
)
from migrations import CREATED, HISTORY, finished_and_begun, work_package

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gitrepo import GitRepo

NINE = "status:\n  lanes: nine-lane\n"
DIVIDED = "status:\n  layout: per-writer\n"


def feature_of(repo: GitRepo) -> Feature:
    return feature_at(repo.path / FOLDER)


def migrated(repo: GitRepo, *, dry_run: bool = False) -> Migration:
    feature = feature_of(repo)
    return migrate(feature, load_config(feature.root), dry_run=dry_run)


def outcomes(migration: Migration) -> dict[str, str]:
    return {outcome.wp_id: outcome.what for outcome in migration.outcomes}


def lanes(repo: GitRepo) -> dict[str, str]:
    return {wp_id: state["lane"] for wp_id, state in parse(repo.read(SNAPSHOT))["work_packages"].items()}


def clean(repo: GitRepo) -> bool:
    return ask(repo.path, "validate", SLUG).out.endswith(": 0 errors, 0 warnings\n")


@pytest.mark.parametrize("config", ["", NINE, DIVIDED])
def test_the_events_are_in_the_log_and_the_snapshot_says_what_the_frontmatter_says(repo: GitRepo, config: str) -> None:
    finished_and_begun(repo)
    repo.write(".kittify/config.yaml", config)
    before = tree(repo.path / FOLDER / "tasks")
    migration = migrated(repo)
    assert outcomes(migration) == {"WP01": MIGRATED, "WP02": MIGRATED, "WP03": NOTHING}
    assert lanes(repo) == {"WP01": "done", "WP02": "in_progress"}
    # The alias is the one thing that no view says.
    after = (before.pop("WP02-title.md") or b"").replace(b"lane: doing", b"lane: in_progress")
    assert tree(repo.path / FOLDER / "tasks") == {**before, "WP02-title.md": after}
    assert clean(repo)
    events = read_events(repo.path / FOLDER)
    assert len(events) == (6 if config == NINE else 5)
    assert all(event.actor == "migration" and event.force and event.reason for event in events)
    assert [event.reason for event in events if event.wp_id == "WP01"][:2] == [
        f"migrated from its file ({number} of {len(events) - 1}): its history, by ada" for number in (1, 2)
    ]
    assert (repo.path / FOLDER / "status.events.d").exists() is (config == DIVIDED)


def test_an_id_tells_the_time_of_its_event_and_is_derived_from_its_content(repo: GitRepo, tmp_path: Path) -> None:
    finished_and_begun(repo)
    events = migrated(repo).events
    for event in events:
        assert is_ulid(event.event_id)
        assert milliseconds_of(event.event_id) == int(event.instant.timestamp() * 1000)
    assert len({event.event_id for event in events}) == 5
    outside = tmp_path / "elsewhere" / "kitty-specs" / SLUG
    outside.parent.mkdir(parents=True)
    (repo.path / FOLDER / "tasks").rename(outside.parent / "tasks")
    outside.mkdir()
    (outside.parent / "tasks").rename(outside / "tasks")
    migrate(feature_at(outside), load_config(tmp_path / "elsewhere"))
    assert (outside / "status.events.jsonl").read_bytes() == repo.read(LOG)


def test_a_second_run_writes_nothing_and_a_dry_run_never_does(repo: GitRepo) -> None:
    finished_and_begun(repo)
    before = tree(repo.path)
    planned = migrated(repo, dry_run=True)
    assert tree(repo.path) == before
    done = migrated(repo)
    assert [event.line for event in planned.events] == [event.line for event in done.events]
    assert (planned.written, done.written) == (False, True)
    after = tree(repo.path)
    again = migrated(repo)
    assert outcomes(again) == {"WP01": ALREADY, "WP02": ALREADY, "WP03": NOTHING}
    assert (again.events, again.written, again.warnings) == ([], False, [])
    assert tree(repo.path) == after


def test_a_work_package_with_events_keeps_them_and_a_disagreement_is_said(repo: GitRepo) -> None:
    finished_and_begun(repo)
    emit(repo.path, "WP01", "claimed")
    work_package(repo, "WP01", f"lane: done\n{HISTORY}")
    before = repo.read(LOG)
    migration = migrated(repo)
    assert outcomes(migration) == {"WP01": KEPT, "WP02": MIGRATED, "WP03": NOTHING}
    assert migration.warnings == [
        f"{FOLDER}/tasks/WP01-title.md: its frontmatter says done, and the log claimed: the log counts, and was kept"
    ]
    assert repo.read(LOG).startswith(before)
    assert lanes(repo) == {"WP01": "claimed", "WP02": "in_progress"}
    emit(repo.path, "WP02", "for_review", "--force", "--reason", "ticked")
    moved_on = migrated(repo)
    assert outcomes(moved_on)["WP02"] == KEPT
    assert lanes(repo)["WP02"] == "for_review"


def test_what_the_file_says_after_the_migration_is_not_added_to_the_log(repo: GitRepo) -> None:
    finished_and_begun(repo)
    migrated(repo)
    before = repo.read(LOG)
    later = "- {timestamp: '2026-02-06T10:00:00Z', lane: planned}\n"
    work_package(repo, "WP01", f"lane: planned\n{HISTORY}{later}")
    migration = migrated(repo)
    assert outcomes(migration)["WP01"] == KEPT
    assert "its frontmatter says planned, and the log done" in migration.warnings[0]
    assert repo.read(LOG) == before


@pytest.mark.parametrize("kept", [1, 3, 4])
@pytest.mark.parametrize("torn", [b"", b'{"actor": "migr'])
def test_what_a_crash_has_left_out_is_written_by_the_next_run(repo: GitRepo, kept: int, torn: bytes) -> None:
    finished_and_begun(repo)
    migrated(repo)
    whole, snapshot = repo.read(LOG), repo.read(SNAPSHOT)
    lines = whole.splitlines(keepends=True)
    (repo.path / ".git/kitty-status/journal" / f"{SLUG}.jsonl").unlink()
    repo.write(LOG, b"".join(lines[:kept]) + torn)
    migrated(repo)
    assert repo.read(LOG) == whole
    assert repo.read(SNAPSHOT) == snapshot
    assert clean(repo)


@pytest.mark.parametrize("left", [None, b"{}\n"])
def test_a_snapshot_that_a_crash_has_left_out_is_written_by_the_next_run(repo: GitRepo, left: bytes | None) -> None:
    finished_and_begun(repo)
    migrated(repo)
    log, snapshot = repo.read(LOG), repo.read(SNAPSHOT)
    (repo.path / SNAPSHOT).unlink()
    if left is not None:
        repo.write(SNAPSHOT, left)
    migrated(repo, dry_run=True)
    assert (repo.path / SNAPSHOT).exists() is (left is not None)
    assert outcomes(migrated(repo))["WP01"] == ALREADY
    assert (repo.read(LOG), repo.read(SNAPSHOT)) == (log, snapshot)


def test_a_file_that_changes_before_the_lock_is_held_is_read_again(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_and_begun(repo)

    def somebody_edits(lock: Path) -> AbstractContextManager[None]:
        work_package(repo, "WP02", f"lane: for_review\n{CREATED}")
        return exclusive(lock)

    monkeypatch.setattr(migrating, "exclusive", somebody_edits)
    migrated(repo)
    assert lanes(repo) == {"WP01": "done", "WP02": "for_review"}


def test_what_a_crash_has_left_in_the_journal_alone_comes_back_from_there(repo: GitRepo) -> None:
    finished_and_begun(repo)
    repo.commit()
    migrated(repo)
    whole = repo.read(LOG)
    (repo.path / LOG).unlink()
    (repo.path / SNAPSHOT).unlink()
    migrated(repo)
    assert sorted(repo.read(LOG).splitlines()) == sorted(whole.splitlines())
    assert lanes(repo) == {"WP01": "done", "WP02": "in_progress"}


def test_uncommitted_lines_are_in_the_journal_until_they_are_committed(repo: GitRepo) -> None:
    finished_and_begun(repo)
    migration = migrated(repo)
    feature = feature_of(repo)
    assert feature.repository
    entries = read_book(feature.repository, SLUG).entries
    assert [entry.line + b"\n" for entry in entries] == [event.line for event in migration.events]


BAD = {
    "a key that stands there twice": ("lane: done\nlane: planned\n", "the key lane stands there twice"),
    "an unknown lane": ("lane: shipped\n", "'shipped' is no lane of seven-lane"),
    "no YAML": ("lane: [\n", "the frontmatter is no YAML"),
    "no mapping": ("- lane\n", "the frontmatter is no mapping"),
    "another name": ("work_package_id: WP07\nlane: done\n", "its frontmatter WP07"),
    "too much": (f"lane: done\nnote: {'x' * 65536}\n", "at most 65536 are read"),
    "an anchor": ("lane: &a done\n", "an anchor"),
    "a time to come": ("lane: done\ncreated_at: 2999-01-01\n", "hours ahead of this clock"),
    "half a character": ('lane: done\nhistory:\n- {lane: done, agent: "\\ud800"}\n', "WP04"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_work_package_that_cannot_be_read_leaves_the_feature_as_it_is(repo: GitRepo, what: str) -> None:
    block, why = BAD[what]
    finished_and_begun(repo)
    work_package(repo, "WP04", block)
    work_package(repo, "WP05", "lane: nowhere\n")
    before = tree(repo.path)
    with pytest.raises(UnreadableError, match=why) as caught:
        migrated(repo)
    assert len(caught.value.problems) == 2
    assert f"{FOLDER}/tasks/WP04-title.md" in caught.value.message
    assert "'nowhere' is no lane" in caught.value.message
    assert isinstance(caught.value, WorkPackageFileError)
    assert tree(repo.path) == before


def test_two_files_of_one_work_package_leave_the_feature_as_it_is(repo: GitRepo) -> None:
    finished_and_begun(repo)
    repo.write(f"{FOLDER}/tasks/WP01.md", "---\nlane: planned\n---\n")
    with pytest.raises(UnreadableError, match="are both files of WP01"):
        migrated(repo)
    assert not (repo.path / LOG).exists()


@pytest.mark.parametrize(
    ("file", "lane"),
    [
        (b"---\r\nlane: doing # now\r\ncreated_at: 2026-02-01\r\n---\r\n", "in_progress"),
        (b"\xef\xbb\xbf---\n# what\nlane: 'for_review'\n---\n", "for_review"),
        ("---\nlane: done\nassignee: Žofie 🐈\nhistory:\n- {lane: done, agent: Žofie 🐈}\n---\n".encode(), "done"),
        (b"---\nlane: done\nnote: |\n" + b"  " + b"x" * 60 * 1024 + b"\n---\n", "done"),
    ],
)
def test_comments_line_ends_letters_and_much_text_do_not_matter(repo: GitRepo, file: bytes, lane: str) -> None:
    repo.write(f"{FOLDER}/tasks/WP01.md", file)
    migrated(repo)
    assert lanes(repo) == {"WP01": lane}
    assert repo.read(f"{FOLDER}/tasks/WP01.md") == file.replace(b"doing", b"in_progress")
    assert clean(repo)


def test_the_activity_log_and_the_approval_become_events_that_nothing_is_found_wrong_with(repo: GitRepo) -> None:
    text = """---
lane: "done"
review_status: "approved"
reviewed_by: "Stijn Dejongh"
history:
- {timestamp: '2026-02-15T19:43:21Z', lane: planned, agent: system}
---

# WP01

## Activity Log

- 2026-02-15T19:43:21Z \u2013 system \u2013 lane=planned \u2013 Prompt created.
- 2026-02-15T20:04:52Z \u2013 claude-opus \u2013 shell_pid=497135 \u2013 lane=doing \u2013 Assigned agent via workflow
- 2026-02-15T20:12:21Z \u2013 claude-opus \u2013 shell_pid=497135 \u2013 lane=for_review \u2013 Ready for review
- 2026-02-15T20:17:37Z \u2013 copilot \u2013 shell_pid=501650 \u2013 lane=doing \u2013 Started review via workflow
- 2026-02-15T20:21:30Z \u2013 copilot \u2013 shell_pid=501650 \u2013 lane=done \u2013 Review passed
"""
    repo.write(f"{FOLDER}/tasks/WP01-title.md", text)
    planned = migrated(repo, dry_run=True)
    assert planned.outcomes[0].origin == "activity-log"
    migrated(repo)
    events = read_events(repo.path / FOLDER)
    assert [event.to_lane for event in events] == [
        "claimed",
        "in_progress",
        "for_review",
        "in_progress",
        "for_review",
        "done",
    ]
    assert [event.at[:19] for event in events if event.reason and "Activity Log" in event.reason] == [
        "2026-02-15T20:04:52",
        "2026-02-15T20:12:21",
        "2026-02-15T20:17:37",
        "2026-02-15T20:21:30",
    ]
    review = {"reviewer": "Stijn Dejongh", "verdict": "approved", "reference": "tasks/WP01-title.md"}
    assert events[-1].to_dict()["evidence"] == {"review": review}
    assert all(event.evidence is None for event in events[:-1])
    assert lanes(repo) == {"WP01": "done"}
    assert clean(repo)
    assert outcomes(migrated(repo)) == {"WP01": ALREADY}


def test_lanes_of_the_activity_log_choose_the_profile_too(repo: GitRepo) -> None:
    repo.write(
        f"{FOLDER}/tasks/WP01.md", "---\nlane: done\n---\n## Activity Log\n- 2026-02-15 - ada - lane=in_review - x\n"
    )
    assert migrated(repo).profile == "nine-lane"
    assert lanes(repo) == {"WP01": "done"}


def test_a_file_without_frontmatter_and_a_feature_without_files_have_nothing_to_migrate(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/tasks/WP01.md", "# lane: done\n")
    assert outcomes(migrated(repo)) == {"WP01": NOTHING}
    (repo.path / FOLDER / "tasks/WP01.md").unlink()
    assert outcomes(migrated(repo)) == {}
    assert not (repo.path / LOG).exists()


def test_lanes_that_only_nine_have_choose_the_nine_lanes_unless_a_profile_is_pinned(repo: GitRepo) -> None:
    work_package(repo, "WP01", f"lane: approved\n{CREATED}")
    work_package(repo, "WP02", f"lane: doing\n{CREATED}")
    assert migrated(repo, dry_run=True).profile == "nine-lane"
    repo.write(".kittify/config.yaml", "status:\n  lanes: seven-lane\n")
    with pytest.raises(UnreadableError, match="'approved' is no lane of seven-lane"):
        migrated(repo)
    (repo.path / ".kittify/config.yaml").unlink()
    migrated(repo)
    assert lanes(repo) == {"WP01": "approved", "WP02": "in_progress"}
    assert outcomes(migrated(repo)) == {"WP01": ALREADY, "WP02": ALREADY}


def test_the_time_of_the_feature_counts_where_the_file_has_none(repo: GitRepo) -> None:
    work_package(repo, "WP01", "lane: done\n")
    repo.write(f"{FOLDER}/meta.json", '{"created_at": "2026-01-31T08:00:00+00:00"}')
    assert [event.at for event in migrated(repo, dry_run=True).events] == ["2026-01-31T08:00:00.000000+00:00"]
    repo.write(f"{FOLDER}/meta.json", "{")
    assert migrated(repo, dry_run=True).events[0].at.startswith("1970-01-01T00:00:00")


def test_a_damaged_or_lost_log_is_not_migrated_into(repo: GitRepo) -> None:
    finished_and_begun(repo)
    repo.write(LOG, b"oops\n")
    with pytest.raises(StoreError):
        migrated(repo)
    assert repo.read(LOG) == b"oops\n"
    (repo.path / LOG).unlink()
    repo.write(SNAPSHOT, '{"event_count": 7}')
    with pytest.raises(StoreError, match="may have been lost"):
        migrated(repo)
    assert not (repo.path / LOG).exists()


def test_two_runs_at_once_write_the_lines_once(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    finished_and_begun(repo)
    others: list[Migration] = []

    def another_is_faster(lock: Path) -> AbstractContextManager[None]:
        monkeypatch.undo()
        others.append(migrated(repo))
        return exclusive(lock)

    monkeypatch.setattr(migrating, "exclusive", another_is_faster)
    assert outcomes(migrated(repo)) == {"WP01": ALREADY, "WP02": ALREADY, "WP03": NOTHING}
    assert others[0].written
    assert len(read_events_raw(repo.path / FOLDER)) == 5


def test_git_that_puts_another_log_in_place_meanwhile_is_noticed(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_and_begun(repo)
    repo.write("kitty-specs/009-other/spec.md", "")
    other = feature_at(repo.path / "kitty-specs/009-other")
    monkeypatch.setattr(migrating, "place_to_write", lambda *_: other.place)
    with pytest.raises(OutcomeUnknownError, match="another file in place"):
        migrated(repo)


def test_lines_that_the_disk_refuses_are_neither_in_the_log_nor_in_the_journal(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_and_begun(repo)
    feature = feature_of(repo)

    def refuse(place: Place, *lines: bytes) -> None:
        if str(place.log).endswith("status.events.jsonl"):
            raise OSError(28, "full")
        append_locked(place, *lines)

    monkeypatch.setattr(writing, "append_locked", refuse)
    with pytest.raises(OSError, match="full"):
        migrated(repo)
    assert feature.repository
    assert read_book(feature.repository, SLUG).entries == []
    assert not (repo.path / LOG).exists()
    monkeypatch.undo()
    assert migrated(repo).written


def test_a_snapshot_that_cannot_be_written_leaves_the_events_recorded_and_is_said(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_and_begun(repo)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(migrating, "write_snapshot", refuse)
    migration = migrated(repo)
    assert len(read_events_raw(repo.path / FOLDER)) == 5
    assert f"run `kitty-status materialize {SLUG}`" in migration.warnings[-1]


def test_a_log_that_gives_another_lane_than_the_frontmatter_is_an_error_that_says_what_to_do(repo: GitRepo) -> None:
    repo.write(LOG, line())
    migration = Migration(feature_of(repo), [Outcome("WP01", ALREADY, "done", "claimed")], "seven-lane")
    snapshot = reduce(read_events(repo.path / FOLDER))
    with pytest.raises(StoreError, match="WP01 stands in claimed by the migrated events, and in done") as caught:
        check_lanes(migration, snapshot)
    assert f"kitty-status log {SLUG} --wp WP01" in caught.value.hint
    assert "kitty-status emit WP01 --to done" in caught.value.hint
