"""What a wrecked log has to become, as a pure function of its bytes and of what git has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from events import line, ulid
from features import content_of, event_line, log_of
from kitty_status.jsonl.mending import CLEANED, DAMAGED, MARKER, SPLIT
from kitty_status.tracker.mending.mend import ADDED, Conflict, MendedFile, Source, Standing
from kitty_status.tracker.mending.mend import mend as mend_files
from wrecks import DAMAGE, damaged

SINGLE = "status.events.jsonl"
NUMBERS = st.lists(st.integers(1, 30), unique=True, max_size=6)


def version(name: str, data: bytes, path: str = SINGLE, excused: bytes = b"") -> Source:
    return Source(name, path, data, path, frozenset(excused.splitlines(keepends=True)))


def source(*numbers: int, name: str = "MERGE_HEAD", path: str = SINGLE) -> Source:
    return version(name, log_of(*numbers), path)


def mend(log: bytes, sources: list[Source]) -> MendedFile:
    """Mend a log that lies in one file."""
    [file] = mend_files({SINGLE: log}, sources).files
    return file


def conflicts(log: bytes, sources: list[Source]) -> list[Conflict]:
    return mend_files({SINGLE: log}, sources).conflicts


def test_a_log_that_lacks_nothing_stays_as_it_is_byte_for_byte() -> None:
    for log in (b"", log_of(2, 1), log_of(1, 2, 1), log_of(1)[:-1], b"\n" + log_of(3) + b"  \n"):
        mended = mend(log, [version("HEAD", b"\n".join(log.split(b"\n")[:2]))])
        assert (mended.data, mended.changes, mended.is_changed) == (log, [], False)


def test_lines_that_are_missing_come_in_behind_the_common_part_in_order_of_time() -> None:
    mended = mend(log_of(1, 2, 4, 6), [source(1, 2, 3, 5)])
    assert mended.data == log_of(1, 2, 3, 4, 5, 6)
    assert [(change.action, change.source, change.line) for change in mended.changes] == [
        (ADDED, "MERGE_HEAD", event_line(3)),
        (ADDED, "MERGE_HEAD", event_line(5)),
    ]


def test_a_line_comes_in_once_and_counts_for_the_first_source_that_has_it() -> None:
    mended = mend(log_of(1), [source(1, 2), source(2, 3, name="the index")])
    assert mended.data == log_of(1, 2, 3)
    assert [change.source for change in mended.changes] == ["MERGE_HEAD", "the index"]


def test_what_a_picked_commit_only_stands_on_does_not_come_along() -> None:
    picked = version("CHERRY_PICK_HEAD", log_of(1, 3, 5), excused=log_of(1, 3))
    assert mend(log_of(1, 4), [picked]).data == log_of(1, 4, 5)


def test_the_lines_between_markers_stay_and_the_markers_go() -> None:
    log = log_of(1) + b"<<<<<<< HEAD\n" + log_of(4) + b"||||||| base\n=======\n" + log_of(3, 1) + b">>>>>>> theirs\n"
    mended = mend(log + log_of(2), [])
    assert mended.data == log_of(1, 2, 3, 4)
    assert [(change.action, change.number) for change in mended.changes] == [
        (MARKER, 2),
        (MARKER, 4),
        (MARKER, 5),
        (MARKER, 8),
    ]
    assert mended.set_aside == b""


def test_markers_of_nested_conflicts_and_of_several_hunks_go() -> None:
    inner = b"<<<<<<<<< Temporary\n" + log_of(2) + b"=========\n" + log_of(3) + b">>>>>>>>> Temporary\n"
    log = b"<<<<<<< ours\r\n" + log_of(1) + b"||||||| base\n" + inner + b"=======\n" + log_of(4) + b">>>>>>> theirs\n"
    assert mend(log + log_of(5) + log.replace(log_of(4), log_of(6)), []).data == log_of(1, 2, 3, 4, 5, 6)


def test_damage_is_mended_in_its_place_and_what_cannot_be_is_set_aside() -> None:
    log = log_of(5) + damaged(event_line(4), "glued") + b"oops\n" + damaged(event_line(3), "carriage return")
    mended = mend(log + b"oops\n", [])
    assert mended.data == log_of(5, 4, 90, 3)
    assert [change.action for change in mended.changes] == [SPLIT, SPLIT, DAMAGED, CLEANED, DAMAGED]
    assert mended.set_aside == b"oops\n"


def test_a_damaged_line_of_head_that_was_taken_out_does_not_come_back_but_its_whole_rows_do() -> None:
    head = version("HEAD", log_of(1) + b"oops\n" + damaged(event_line(2), "glued"))
    index = version("the index", head.data)
    mended = mend(log_of(1), [head, index])
    assert mended.data == log_of(1, 2, 90)
    assert {change.action for change in mended.changes} == {ADDED}


def test_a_damaged_line_that_is_being_brought_is_set_aside_and_named() -> None:
    mended = mend(log_of(1), [version("MERGE_HEAD", log_of(1, 2) + b"oops\n")])
    assert mended.data == log_of(1, 2)
    assert mended.set_aside == b"oops\n"
    assert [(change.action, change.source) for change in mended.changes][1] == (DAMAGED, "MERGE_HEAD")


def test_an_id_with_two_contents_keeps_both_lines_and_is_reported() -> None:
    other = line(**{**content_of(2), "actor": "somebody else"})
    mended = mend(log_of(1, 2), [version("MERGE_HEAD", log_of(1) + other)])
    assert sorted(mended.data.splitlines(keepends=True)) == sorted([event_line(1), event_line(2), other])
    found = [Conflict(ulid(2), Standing(SINGLE, 2), Standing(SINGLE, 3))]
    assert conflicts(log_of(1, 2), [version("MERGE_HEAD", log_of(1) + other)]) == found
    assert conflicts(mended.data, [version("MERGE_HEAD", log_of(1) + other)]) == found


def test_an_id_with_one_content_in_two_spellings_is_no_conflict() -> None:
    log = log_of(1) + event_line(1).replace(b", ", b",")
    assert (mend(log, []).changes, conflicts(log, [])) == ([], [])


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from([*DAMAGE, "sound", "markers"]))
def test_nothing_that_stands_anywhere_is_lost_and_twice_is_as_good_as_once(
    file: list[int], theirs: list[int], head: list[int], how: str
) -> None:
    log = log_of(*file)
    if how == "markers":
        log = b"<<<<<<< a\n" + log + b"=======\n" + log_of(*theirs[:2]) + b">>>>>>> b\n"
    elif how != "sound":
        log = b"".join(damaged(event_line(number), how) for number in file)
    sources = [source(*head, name="HEAD"), source(*theirs)]
    mended = mend(log, sources)
    events = {event_line(number) for number in {*theirs, *head, *([] if how == "torn" else file)}}
    assert events <= set(mended.data.splitlines(keepends=True)) <= events | {event_line(90)}
    again = mend(mended.data, sources)
    assert (again.data, again.set_aside) == (mended.data, b"")


@given(NUMBERS, NUMBERS)
def test_the_result_of_a_merge_is_the_same_for_both_sides(ours: list[int], theirs: list[int]) -> None:
    one = mend(log_of(*ours), [source(*theirs)]).data
    other = mend(log_of(*theirs), [source(*ours)]).data
    assert set(one.splitlines()) == set(other.splitlines())
    if set(ours) - set(theirs) and set(theirs) - set(ours):
        assert one == other


SHARED, ADA = "status.events.d/shared.jsonl", "status.events.d/ada.jsonl"


def mended(files: dict[str, bytes], *sources: Source) -> dict[str, bytes]:
    return {file.path: file.data for file in mend_files(files, sources).files}


def test_a_line_that_stands_in_any_file_of_the_log_is_not_missing_from_another() -> None:
    files = {SHARED: log_of(1, 2), ADA: log_of(3)}
    assert mended(files, source(3, 1, path=SHARED), source(2, path=ADA), source(1, 2, 3)) == files


def test_a_line_that_two_files_of_git_hold_comes_back_into_the_first_only() -> None:
    files = {SHARED: log_of(1), ADA: log_of(2)}
    found = mended(files, source(2, 3, path=ADA), source(1, 3, path=SHARED))
    assert found == {ADA: log_of(2, 3), SHARED: log_of(1)}


def test_a_file_that_is_not_there_comes_back_in_the_order_it_had_and_the_one_file_is_read_first() -> None:
    found = mended({ADA: log_of(9)}, source(5, 1, 3, path=SHARED), source(4, 2), source(5, 1, 3, 2, 6, path=SHARED))
    assert list(found.items()) == [(SINGLE, log_of(4, 2)), (ADA, log_of(9)), (SHARED, log_of(5, 1, 3, 6))]


def test_lines_from_another_file_come_behind_those_that_stand_and_move_none_of_them() -> None:
    loose = Source("the journal", SHARED, log_of(4, 2))
    moved = Source("HEAD", SHARED, log_of(2, 1, 3, 9), SINGLE)
    assert mended({SHARED: log_of(9, 1, 5)}, loose, moved) == {SHARED: log_of(9, 1, 5, 2, 3, 4)}


def test_damage_that_is_brought_leaves_a_file_as_it_is_and_makes_none() -> None:
    files = {SHARED: b"\n" + log_of(1)}
    brought = mend_files(files, [version("MERGE_HEAD", b"oops\n", SHARED), version("MERGE_HEAD", b"no\n", ADA)])
    assert not brought.changed
    assert {file.path: file.set_aside for file in brought.files} == {SHARED: b"oops\n", ADA: b"no\n"}


def test_an_id_with_two_contents_in_two_files_is_one_conflict() -> None:
    other = line(**{**content_of(2), "actor": "somebody else"})
    found = mend_files({ADA: log_of(1, 2), SHARED: other}, []).conflicts
    assert found == [Conflict(ulid(2), Standing(ADA, 2), Standing(SHARED, 1))]


FILES = st.dictionaries(st.sampled_from([SINGLE, ADA, SHARED]), NUMBERS, max_size=3)


@given(FILES, FILES, FILES, st.sampled_from([*DAMAGE, "sound"]))
def test_of_several_files_nothing_is_lost_and_nothing_doubled(
    files: dict[str, list[int]], head: dict[str, list[int]], theirs: dict[str, list[int]], how: str
) -> None:
    whole = {path: log_of(*numbers) for path, numbers in files.items()}
    logs = {
        path: b"".join(event_line(each) if how == "sound" else damaged(event_line(each), how) for each in numbers)
        for path, numbers in files.items()
    }
    sources = [source(*numbers, name="HEAD", path=path) for path, numbers in head.items()]
    sources += [source(*numbers, path=path) for path, numbers in theirs.items()]

    found = mended(logs, *sources)

    standing = set() if how == "torn" else {each for numbers in files.values() for each in numbers}
    events = standing.union(*head.values(), *theirs.values())
    lines = [each for data in found.values() for each in data.splitlines(keepends=True) if each != event_line(90)]
    assert set(lines) == {event_line(number) for number in events}
    before = b"".join(whole.values())
    assert all(lines.count(each) <= max(1, before.count(each)) for each in lines)
    assert mended(found, *sources) == found
    if how == "sound":
        assert all(set(data.splitlines()) <= set(found[path].splitlines()) for path, data in logs.items())
