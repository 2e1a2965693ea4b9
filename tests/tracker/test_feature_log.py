"""A log in one file or in many: readers see one sequence of lines, and every error names the file a person can open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, SLUG, ask, emit, feature_in, tree
from events import instant, line, row, ulid
from kitty_status import StatusEvent, append_event, read_events, read_events_raw
from kitty_status.errors import BusyError, ConflictingEventError, StoreError, UnsafeLogError
from kitty_status.status.layout import PER_WRITER, SINGLE
from kitty_status.tracker import feature_log, log_files
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.features import Project
from kitty_status.tracker.log_files import shards_in

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

SHARDS = f"{FOLDER}/status.events.d"
GARBAGE = b"}{ no line can begin so"


def event(number: int) -> bytes:
    return line(event_id=ulid(number), wp_id=f"WP{number:02}", at=instant(number))


def divided(repo: GitRepo, single: bytes | None = None, **shards: bytes) -> FeatureLog:
    folder = feature_in(repo, single)
    for name, content in shards.items():
        repo.write(f"{SHARDS}/{name}.jsonl", content)
    return FeatureLog(folder)


def ids(folder: Path) -> list[str]:
    return [each.event_id for each in read_events(folder)]


def test_a_log_that_is_not_there_has_no_layout_no_files_and_no_lines(repo: GitRepo) -> None:
    log = divided(repo)
    assert (log.layout, log.files(), log.read(), log.open(), log.size(), log.exists()) == (
        None,
        [],
        None,
        None,
        0,
        False,
    )


def test_the_one_file_is_read_first_and_then_the_writers_by_name(repo: GitRepo) -> None:
    log = divided(repo, event(9), b=event(1), a=event(2), shared=event(3))
    assert [path.name for path in log.files()] == ["status.events.jsonl", "a.jsonl", "b.jsonl", "shared.jsonl"]
    assert ids(repo.path / FOLDER) == [ulid(9), ulid(2), ulid(1), ulid(3)]
    assert log.read() == event(9) + event(2) + event(1) + event(3)
    assert (log.layout, log.path) == (PER_WRITER, log.shards)
    assert log.size() == len(log.read() or b"")


def test_other_files_in_the_folder_of_shards_hold_no_lines(repo: GitRepo) -> None:
    log = divided(repo, event(1))
    for name in (".keep", ".a.jsonl.7.tmp", "notes.md", ".hidden.jsonl"):
        repo.write(f"{SHARDS}/{name}", event(2))
    assert (log.layout, log.path) == (SINGLE, log.single)
    assert ids(repo.path / FOLDER) == [ulid(1)]


@pytest.mark.parametrize("tail", [b'{"event_id": "01', b"\0\0\0", b"{"])
def test_a_line_that_a_writer_is_in_the_middle_of_hides_no_line_of_the_others(repo: GitRepo, tail: bytes) -> None:
    log = divided(repo, None, a=event(1) + tail, b=event(2))
    assert ids(repo.path / FOLDER) == [ulid(1), ulid(2)]
    assert log.read() == event(1) + event(2)


def test_a_last_line_that_is_whole_counts_and_does_not_run_into_the_next_file(repo: GitRepo) -> None:
    divided(repo, None, a=event(1) + event(2).removesuffix(b"\n"), b=event(3))
    assert ids(repo.path / FOLDER) == [ulid(1), ulid(2), ulid(3)]


def test_a_tail_that_can_become_no_line_is_damage_of_its_own_file(repo: GitRepo) -> None:
    log = divided(repo, None, a=event(1) + GARBAGE, b=event(2))
    with pytest.raises(StoreError, match="Line 2: invalid JSON") as caught:
        read_events(repo.path / FOLDER)
    assert caught.value.context["path"] == str(log.shards / "a.jsonl")


@pytest.mark.parametrize("read", [read_events, read_events_raw])
def test_damage_is_named_by_the_file_and_its_own_line_number(repo: GitRepo, read: object) -> None:
    log = divided(repo, event(1) + event(2), a=event(3), b=event(4) + b"\n" + b"<<<<<<< ours\n", c=event(5))
    with pytest.raises(StoreError, match="Line 3: ") as caught:
        read(repo.path / FOLDER)  # type: ignore[operator]
    assert (caught.value.context["path"], caught.value.context["line"]) == (str(log.shards / "b.jsonl"), 3)
    assert str(log.shards / "b.jsonl") in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("number", "name", "own"),
    [
        (1, "status.events.jsonl", 1),
        (2, "status.events.jsonl", 2),
        (3, "b.jsonl", 1),
        (4, "b.jsonl", 2),
        (5, "c.jsonl", 1),
    ],
)
def test_a_line_number_of_the_whole_is_located_in_its_file(repo: GitRepo, number: int, name: str, own: int) -> None:
    log = divided(repo, event(1) + event(2), a=b"", b=event(3) + event(4), c=event(5))
    path, there = log.locate(number)
    assert (path.name, there) == (name, own)


def test_validate_names_the_file_of_everything_that_it_finds(repo: GitRepo) -> None:
    first = line(event_id=ulid(1), at=instant(1), parents=[])
    clash = line(event_id=ulid(1), at=instant(1), parents=[], actor="ben")
    divided(repo, None, a=first, b=b"\xff\n" + clash, c=b'{"no": "event"}\n')
    answer = ask(repo.path, "validate", SLUG, "--json")
    assert answer.code != 0
    found = {(finding["path"], finding["line"], finding["code"]) for finding in answer.data[0]["findings"]}
    assert {path.rpartition("/")[2] for path, _, _ in found if "events.d" in path} >= {"b.jsonl", "c.jsonl"}
    assert (f"{SHARDS}/b.jsonl", 1) in {(path, number) for path, number, _ in found}
    assert (f"{SHARDS}/c.jsonl", 1) in {(path, number) for path, number, _ in found}


def test_an_event_id_that_another_writer_has_used_names_that_writers_line(repo: GitRepo) -> None:
    log = divided(repo, None, a=event(1), b=event(2) + event(3))
    other = StatusEvent.from_dict(row(event_id=ulid(3), wp_id="WP77", at=instant(7)))
    with pytest.raises(ConflictingEventError) as caught:
        append_event(repo.path / FOLDER, other)
    assert (caught.value.context["line"], caught.value.message.startswith(f"{log.shards / 'b.jsonl'}:2 ")) == (2, True)


def test_an_event_of_another_writer_is_not_written_again(repo: GitRepo) -> None:
    log = divided(repo, None, a=event(1), b=event(2))
    before = tree(repo.path / FOLDER)
    append_event(repo.path / FOLDER, StatusEvent.from_dict(row(event_id=ulid(2), wp_id="WP02", at=instant(2))))
    assert tree(repo.path / FOLDER) == before
    assert len(log.files()) == 2


def test_the_next_append_of_the_same_writer_mends_its_tail_and_leaves_that_of_another(repo: GitRepo) -> None:
    divided(repo, None, a=event(1))
    repo.commit_empty()
    emit(repo.path, "WP02", "claimed")
    own = next(path for path in (repo.path / SHARDS).iterdir() if path.name.startswith("main-"))
    torn = b'{"event_id": "01'
    own.write_bytes(own.read_bytes() + torn)
    repo.append(f"{SHARDS}/a.jsonl", torn)
    emit(repo.path, "WP03", "claimed")
    assert torn + b"\n" not in own.read_bytes()
    assert own.read_bytes().count(b"\n") == 2
    assert repo.read(f"{SHARDS}/a.jsonl") == event(1) + torn
    quarantined = list((repo.path / ".git/kitty-status/quarantine").iterdir())
    assert [path.read_bytes().endswith(torn) for path in quarantined] == [True]
    assert len(ids(repo.path / FOLDER)) == 3


def test_nothing_is_written_beside_damage_in_another_writers_file(repo: GitRepo) -> None:
    divided(repo, None, a=event(1) + GARBAGE)
    before = tree(repo.path / FOLDER)
    answer = emit(repo.path, "WP02", "claimed", code=7)
    assert f"{SHARDS}/a.jsonl" in answer.err
    assert tree(repo.path / FOLDER) == before


def test_a_folder_of_shards_that_is_a_symbolic_link_is_neither_read_nor_written_through(
    repo: GitRepo, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.jsonl").write_bytes(event(1))
    log = FeatureLog(feature_in(repo))
    log.shards.symlink_to(outside)
    repo.write(".kittify/config.yaml", "status:\n  layout: per-writer\n")
    for read in (log.read, log.open):
        with pytest.raises(UnsafeLogError, match="symbolic link"):
            read()
    with pytest.raises(UnsafeLogError, match="symbolic link"):
        append_event(repo.path / FOLDER, StatusEvent.from_dict(row()))
    answer = emit(repo.path, "WP02", "claimed", code=7)
    assert "symbolic link" in answer.err
    assert [path.name for path in outside.iterdir()] == ["a.jsonl"]
    assert "unsafe-log" in ask(repo.path, "validate", SLUG).out


@pytest.mark.parametrize("make", ["link", "folder"])
def test_a_shard_that_is_no_regular_file_is_refused(repo: GitRepo, make: str) -> None:
    log = divided(repo, None, a=event(1))
    odd = log.shards / "z.jsonl"
    odd.symlink_to("/etc/hostname") if make == "link" else odd.mkdir()
    with pytest.raises(UnsafeLogError):
        read_events(repo.path / FOLDER)
    assert emit(repo.path, "WP02", "claimed", code=7).err.startswith("error: ")
    assert ask(repo.path, "convert", SLUG, "--to", "single").code == 7


def test_a_file_in_place_of_the_folder_of_shards_is_no_folder_of_shards(repo: GitRepo) -> None:
    log = FeatureLog(feature_in(repo, event(1)))
    log.shards.write_bytes(b"")
    assert (log.layout, ids(repo.path / FOLDER)) == (SINGLE, [ulid(1)])
    assert Project(repo.path).feature(SLUG).log.exists()


@pytest.mark.parametrize("layout", [PER_WRITER, SINGLE])
@pytest.mark.parametrize("way", ["read", "open"])
def test_a_log_that_is_converted_while_it_is_read_is_read_whole(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, layout: str, way: str
) -> None:
    log = divided(repo, event(1)) if layout == PER_WRITER else divided(repo, None, a=event(1), b=event(2))
    whole = log.read()
    calls: list[str] = []

    def convert_first(folder: str) -> list[str]:
        found = shards_in(folder)
        calls.append(folder)
        if len(calls) == 1:
            answer = ask(repo.path, "convert", SLUG, "--to", layout)
            assert answer.code == 0, answer
        return found

    monkeypatch.setattr(feature_log, "shards_in", convert_first)
    monkeypatch.setattr(log_files, "shards_in", convert_first)
    if way == "read":
        assert log.read() == whole
    else:
        opened = log.open()
        assert opened is not None
        with opened:
            assert opened.read() == whole
    assert log.layout == layout


def test_writers_files_that_go_one_by_one_are_found_in_the_one_file(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = divided(repo, None, a=event(1), b=event(2))
    real = log_files.log_files_in

    def remove_one_behind_the_list(folder: str) -> list[str]:
        found = real(folder)
        if not log.single.exists():
            repo.write(f"{FOLDER}/status.events.jsonl", event(1) + event(2))
            (log.shards / "a.jsonl").unlink()
        return found

    monkeypatch.setattr(feature_log, "log_files_in", remove_one_behind_the_list)
    assert set((log.read() or b"").splitlines(keepends=True)) == {event(1), event(2)}


def test_a_log_whose_files_go_whenever_they_are_read_is_busy_and_never_read_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FeatureLog(tmp_path)
    log.shards.mkdir()
    for name in ("ada", "ben"):
        (log.shards / f"{name}.jsonl").write_bytes(b"{}\n")
    monkeypatch.setattr(feature_log, "read_bytes", lambda path: None if path.name == "ben.jsonl" else path.read_bytes())
    with pytest.raises(BusyError, match="change all the time"):
        log.read()
