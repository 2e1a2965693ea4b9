"""What the merge driver makes of two logs: the union in order, nothing lost, and a person called where needed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import instant, line, ulid
from features import event_line, log_of, numbers_in
from kitty_status.git import log_driver
from kitty_status.jsonl.codec import decode
from kitty_status.status.merging import common_part, merge_logs, split_lines

if TYPE_CHECKING:
    from pathlib import Path

PATH = "kitty-specs/034 déjà/status.events.jsonl"
CHUNK = 1 << 16
MARKERS = b"<<<<<<< ours\n" + event_line(1) + b"=======\n" + event_line(2) + b">>>>>>> theirs\n"


@pytest.fixture
def _in_a_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it look like `git merge`, and not like the picking of one commit."""
    monkeypatch.setattr(log_driver, "environ", {b"GITHEAD_0123": b"theirs"})


def merge(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> tuple[int, bytes]:
    """Run the driver on three files; return its code and what it left in ours."""
    files = []
    for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(content)
        files.append(str(folder / name))
    code = log_driver.main([*files, PATH])
    assert (folder / "theirs").read_bytes() == theirs
    assert (folder / "base").read_bytes() == base
    return code, (folder / "ours").read_bytes()


def padded(number: int, length: int) -> bytes:
    """Return an event's line that is `length` bytes long."""
    short = line(event_id=ulid(number), reason="")
    return line(event_id=ulid(number), reason="x" * (length - len(short)))


@pytest.mark.usefixtures("_in_a_merge")
def test_both_directions_give_the_same_bytes(tmp_path: Path) -> None:
    base, ours, theirs = log_of(1, 2), log_of(1, 2, 4, 6), log_of(1, 2, 3, 5, 7)

    assert merge(tmp_path, base, ours, theirs) == (0, log_of(1, 2, 3, 4, 5, 6, 7))
    assert merge(tmp_path, base, theirs, ours) == (0, log_of(1, 2, 3, 4, 5, 6, 7))


def test_new_lines_come_by_instant_and_then_by_event_id(tmp_path: Path) -> None:
    noon = line(event_id=ulid(9), at="2026-01-01T12:00:00+00:00")
    noon_elsewhere = line(event_id=ulid(8), at="2026-01-01T13:00:00+01:00")
    a_fraction_later = line(event_id=ulid(1), at="2026-01-01T12:00:00.000001Z")
    foreign = b'{"kind": "note", "timestamp": "2026-01-01T11:00:00Z"}\n'
    timeless = b'{"kind": "note"}\n{"kind": "note", "at": "noon"}\n'

    code, merged = merge(tmp_path, b"", a_fraction_later + noon, timeless + noon_elsewhere + foreign)

    assert code == 0
    assert merged == b"".join(sorted(timeless.splitlines(True))) + foreign + noon_elsewhere + noon + a_fraction_later


def test_a_line_that_both_sides_added_stands_once(tmp_path: Path) -> None:
    assert merge(tmp_path, log_of(1), log_of(1, 2, 3), log_of(1, 3, 4)) == (0, log_of(1, 2, 3, 4))


def test_what_both_begin_with_is_neither_sorted_nor_looked_into(tmp_path: Path) -> None:
    common = log_of(9, 3) + b"not even JSON\r\n\n" + log_of(5)

    assert merge(tmp_path, common, common + log_of(6), common + log_of(1)) == (0, common + log_of(1, 6))


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        pytest.param(b"", log_of(1), log_of(2), id="added on both sides"),
        pytest.param(log_of(1), log_of(1, 2)[:-1], log_of(1, 3), id="ours has no final line end"),
        pytest.param(log_of(1), log_of(1, 2), log_of(1, 3)[:-1], id="theirs has no final line end"),
        pytest.param(log_of(1)[:-1], log_of(1)[:-1], log_of(1, 2), id="only the line end and more is new"),
        pytest.param(log_of(1), log_of(1, 2), log_of(1), id="only ours is new"),
        pytest.param(log_of(1), b"", log_of(1, 2), id="ours is empty"),
        pytest.param(log_of(1), log_of(1, 2), b"", id="theirs is empty"),
        pytest.param(b"", b"", b"", id="all are empty"),
        pytest.param(MARKERS, log_of(1, 2), log_of(1, 3), id="the base is full of conflict markers"),
        pytest.param(b"\xff\0{", log_of(1, 2), log_of(1, 3), id="the base is no text"),
    ],
)
@pytest.mark.parametrize("whole_branches", [True, False], ids=["merge", "pick"])
def test_every_line_of_ours_and_every_new_one_of_theirs_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: bytes, ours: bytes, theirs: bytes, *, whole_branches: bool
) -> None:
    if whole_branches:
        monkeypatch.setattr(log_driver, "environ", {b"GITHEAD_0123": b"theirs"})
    known = set() if whole_branches else set(split_lines(base))

    code, merged = merge(tmp_path, base, ours, theirs)

    assert code == 0
    wanted = set(split_lines(ours)) | (set(split_lines(theirs)) - known)
    assert sorted(split_lines(merged)) == sorted(wanted)
    assert merged.endswith(b"\n") or not merged


def test_picking_a_commit_does_not_drag_the_earlier_events_of_its_branch_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, ours, theirs = log_of(1, 3, 5), log_of(1, 4), log_of(1, 3, 5, 7)

    assert merge(tmp_path, base, ours, theirs) == (0, log_of(1, 4, 7))

    monkeypatch.setattr(log_driver, "environ", {"GITHEAD_0123": "theirs"})
    assert merge(tmp_path, base, ours, theirs) == (0, log_of(1, 3, 4, 5, 7))


def test_a_line_that_a_picked_commit_repeats_is_taken_as_the_rules_for_two_histories_take_it(tmp_path: Path) -> None:
    base, ours, theirs = log_of(1, 2), log_of(1, 2, 4), log_of(1, 2, 1)

    assert merge(tmp_path, base, ours, theirs) == (0, merge_logs(ours, theirs, decode, base=base)[0])


def test_taking_a_commit_back_takes_no_line_away(tmp_path: Path) -> None:
    assert merge(tmp_path, log_of(1, 2), log_of(1, 2, 3), log_of(1)) == (0, log_of(1, 2, 3))


@pytest.mark.usefixtures("_in_a_merge")
def test_a_line_that_one_side_lost_is_kept_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert merge(tmp_path, log_of(1, 2, 3), log_of(1, 3, 4), log_of(1, 2, 3, 5)) == (0, log_of(1, 2, 3, 4, 5))
    said = capsys.readouterr().err
    assert f"{PATH}: ours lacks 1 lines of the common ancestor" in said
    assert "theirs" not in said

    assert merge(tmp_path, log_of(1, 2, 3), log_of(1, 4), log_of(2, 5)) == (0, log_of(1, 2, 4, 5))
    said = capsys.readouterr().err
    assert "ours lacks 2 lines" in said
    assert "theirs lacks 2 lines" in said


@pytest.mark.usefixtures("_in_a_merge")
@pytest.mark.parametrize("ours_is_damaged", [True, False])
def test_a_damaged_new_line_is_named_by_its_place_and_both_sides_stand_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, ours_is_damaged: bool
) -> None:
    damaged = b'{"event_id": "0"} {"event_id": "1"}\n'
    sound, broken = log_of(1, 2, 3), log_of(1, 2) + damaged + log_of(4)
    ours, theirs = (broken, sound) if ours_is_damaged else (sound, broken)

    code, merged = merge(tmp_path, log_of(1, 2), ours, theirs)

    assert (code, merged) == (1, log_of(1, 2) + damaged + log_of(3, 4))
    said = capsys.readouterr().err
    assert said.startswith(f"{PATH}:3: invalid JSON: more stands after the JSON value")
    assert f"`kitty-status validate {PATH}`" in said


def test_one_id_with_two_contents_keeps_both_and_names_both_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = line(event_id=ulid(7), actor="ada"), line(event_id=ulid(7), actor="bob")

    code, merged = merge(tmp_path, log_of(1), log_of(1, 2) + ours, log_of(1) + theirs)

    assert (code, merged) == (1, log_of(1) + ours + theirs + log_of(2))
    assert f"{PATH}:3: event '{ulid(7)}' has other content than on line 2" in capsys.readouterr().err


def test_one_id_with_one_content_spelled_in_two_ways_is_no_conflict(tmp_path: Path) -> None:
    theirs = event_line(2).replace(b", ", b",")

    code, merged = merge(tmp_path, log_of(1), log_of(1, 2), log_of(1) + theirs)

    assert (code, sorted(split_lines(merged))) == (0, sorted([event_line(1), event_line(2), theirs]))


@pytest.mark.parametrize("place", [-300, -2, -1, 0, 1, 300])
@pytest.mark.parametrize("chunks", [1, 3])
def test_the_common_part_is_cut_at_a_line_end_wherever_the_first_difference_lies(
    tmp_path: Path, chunks: int, place: int
) -> None:
    # The first difference lies `place` bytes from a border between two chunks.
    difference = chunks * CHUNK + place
    start = log_of(1, 2, 3)
    rest = difference - len(start)
    common = start + padded(10, rest // 2) + padded(11, rest - rest // 2)
    ours, theirs = common + b'{"kind": "a"}\n', common + b"\t" + b'{"kind": "b"}\n'
    assert ours[:difference] == theirs[:difference]
    assert ours[difference] != theirs[difference]

    for one, other in ((ours, theirs), (theirs, ours)):
        (tmp_path / "one").write_bytes(one)
        (tmp_path / "other").write_bytes(other)
        with (tmp_path / "one").open("rb", 0) as first, (tmp_path / "other").open("rb", 0) as second:
            assert log_driver.shared_lines(first, second) == len(common) == common_part(one, other)


@pytest.mark.parametrize("length", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_a_log_of_one_endless_line_has_nothing_in_common_with_another(tmp_path: Path, length: int) -> None:
    ours, theirs = padded(1, length), padded(1, length)[:-3] + b'y"}\n'

    (tmp_path / "one").write_bytes(ours)
    (tmp_path / "other").write_bytes(theirs)

    with (tmp_path / "one").open("rb", 0) as first, (tmp_path / "other").open("rb", 0) as second:
        assert log_driver.shared_lines(first, second) == 0


LINES = [
    *(line(event_id=ulid(number), at=instant(number // 2)) for number in range(8)),
    line(event_id=ulid(3), actor="another"),
    b'{"kind": "note", "timestamp": "2026-01-01T00:02:00Z"}\n',
    b'{"kind": "note"}\n',
    b"damaged\n",
    b" \n",
]
logs = st.builds(
    lambda lines, cut: b"".join(lines)[: -1 if cut else None],
    st.lists(st.sampled_from(LINES), max_size=9),
    st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(common=logs, base=logs, ours=logs, theirs=logs, whole_branches=st.booleans())
def test_the_files_are_merged_as_the_rules_for_two_histories_say(
    tmp_path: Path, common: bytes, base: bytes, ours: bytes, theirs: bytes, *, whole_branches: bool
) -> None:
    base, ours, theirs = common + base, common + ours, common + theirs
    wanted, result = merge_logs(ours, theirs, decode, base=None if whole_branches else base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_driver, "environ", {"GITHEAD_1": "x"} if whole_branches else {})

        code, merged = merge(tmp_path, base, ours, theirs)

    assert (code, merged) == (0 if result.is_clean else 1, wanted)


@pytest.mark.parametrize("seed", range(6))
def test_large_logs_are_merged_as_the_rules_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311  nothing secret
    numbers = choose.sample(range(1, 1440), 1400)
    common, rest = log_of(*numbers[:800]), numbers[800:]
    ours = common + log_of(*choose.sample(rest, 300))
    theirs = common + log_of(*choose.sample(rest, 300))
    base = common[: choose.choice([len(common), len(common) // 2])]
    assert len(common) > 200_000
    if seed % 2:
        monkeypatch.setattr(log_driver, "environ", {b"GITHEAD_1": b"x"})
    wanted, _ = merge_logs(ours, theirs, decode, base=None if seed % 2 else base)

    assert merge(tmp_path, base, ours, theirs) == (0, wanted)
    assert len(numbers_in(wanted)) == len(set(numbers_in(wanted)))


@pytest.mark.parametrize("arguments", [[], ["only", "three", "words"]])
def test_a_call_that_git_does_not_make_is_answered_with_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert log_driver.main(arguments) == 3
    assert "%O %A %B %P" in capsys.readouterr().err


def test_files_that_cannot_be_read_leave_the_merge_to_git(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing")

    assert log_driver.main([missing, missing, missing, PATH]) == 3
    assert f"{PATH}: " in capsys.readouterr().err
