"""Validate: everything that is wrong with a feature, in one run, each with its code, its line and its event."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, feature_in, tree
from events import APPROVAL, instant, line, line_of, their_row, ulid
from gitrepo import GitRepo
from kitty_status.checks.validate import Validation, validate
from kitty_status.status import transitions, validation
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.views.materialize import materialize_feature

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "kitty-specs-example" / "001-login-form"
CLAIM = line(event_id=ulid(1), at=instant(1), parents=[])
ERROR, WARNING = validation.ERROR, validation.WARNING


def checked(repo: GitRepo, log: bytes | None, *, materialized: bool = True, config: Config | None = None) -> Validation:
    if not (repo.path / FOLDER).exists():
        feature_in(repo)
    feature = Project(repo.path).feature(SLUG)
    if materialized:
        repo.write(LOG, CLAIM)
        materialize_feature(feature, Config())
    if log is None:
        feature.log.single.unlink(missing_ok=True)
    else:
        repo.write(LOG, log)
    return validate(feature, config or Config())


def of_the_log(found: Validation) -> list[tuple[str, str, int | None, str | None]]:
    """Return what was found in the log; that the moves of these logs do not follow on from each other is not asked."""
    return [
        (finding.code, finding.severity, finding.line, finding.event_id)
        for finding in found.findings
        if finding.path == LOG and finding.code != validation.CHAIN_BREAK
    ]


def move(number: int, from_lane: str, to_lane: str, **more: Any) -> bytes:
    return line(event_id=ulid(number), at=instant(number), from_lane=from_lane, to_lane=to_lane, **more)


def forced(number: int, **more: Any) -> bytes:
    return move(number, "claimed", "done", force=True, **more)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"oops\n", validation.DAMAGED_LINE),
        (b'{"a": 1, "a": 2}\n', validation.DAMAGED_LINE),
        (b"<<<<<<< HEAD\n", validation.DAMAGED_LINE),
        (CLAIM[:-1] + CLAIM, validation.DAMAGED_LINE),
        (CLAIM.replace(b"\n", b"\r\n"), validation.DAMAGED_LINE),
        (b"\0" * 9 + b"\n", validation.DAMAGED_LINE),
        (line_of({"event_id": ulid(2)}), validation.INVALID_EVENT),
        (move(2, "claimed", "nowhere"), validation.INVALID_EVENT),
        (move(2, "claimed", "for_review"), transitions.ILLEGAL),
        (move(2, "for_review", "done"), transitions.MISSING_EVIDENCE),
        (move(2, "for_review", "in_progress"), transitions.MISSING_REVIEW_REF),
        (move(2, "in_progress", "planned"), transitions.MISSING_REASON),
        (forced(2), transitions.FORCE_NEEDS_REASON),
        (forced(2, reason="r", actor=" "), transitions.FORCE_NEEDS_ACTOR),
        (move(2, "claimed", "in_progress", actor=" "), None),
        (move(2, "for_review", "done", actor=" ", evidence=APPROVAL), transitions.MISSING_ACTOR),
        (CLAIM.replace(b'"ada"', b'"bob"'), validation.CONFLICTING_EVENT),
    ],
)
def test_each_kind_of_error_is_found_on_its_line_with_its_event(repo: GitRepo, bad: bytes, code: str | None) -> None:
    found = checked(repo, CLAIM + b"\n" + bad + move(9, "blocked", "in_progress"))
    if code is None:
        assert of_the_log(found) == []
        return
    try:
        event_id = json.loads(bad).get("event_id") if code != validation.DAMAGED_LINE else None
    except ValueError:
        event_id = None
    assert of_the_log(found) == [(code, ERROR, 3, event_id)]
    assert not found.passed
    assert all(finding.hint for finding in found.findings)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (CLAIM + b'{"event_id": "01', (validation.CUT_TAIL, 2, None)),
        (CLAIM[:-1], (validation.NO_LINE_END, 1, None)),
        (CLAIM + b"\n" + CLAIM, (validation.REPEATED_EVENT, 3, ulid(1))),
        (line(event_id="own-id"), (validation.ID_NOT_ULID, 1, "own-id")),
        (line(event_id=ulid(1), feature_slug="other"), (validation.OTHER_FEATURE, 1, ulid(1))),
        (
            CLAIM + move(2, "claimed", "in_progress", parents=[ulid(1), ulid(7)]),
            (validation.IGNORED_PARENT, 2, ulid(2)),
        ),
        (
            CLAIM
            + move(2, "claimed", "in_progress", parents=[ulid(1)])
            + move(3, "claimed", "blocked", parents=[ulid(1)]),
            (validation.COMPETING_MOVES, None, ulid(3)),
        ),
    ],
)
def test_each_kind_of_warning_is_found_and_lets_the_log_pass(
    repo: GitRepo, log: bytes, expected: tuple[str, int | None, str | None]
) -> None:
    code, number, event_id = expected
    found = checked(repo, log, materialized=False)
    assert of_the_log(found) == [(code, WARNING, number, event_id)]
    assert found.passed
    assert [finding.code for finding in found.findings if finding.path == SNAPSHOT] == [validation.SNAPSHOT_MISSING]


BROKEN = CLAIM + move(2, "claimed", "in_progress", parents=[ulid(1)])
PADDING = b'{"kind": "annotation", "note": "' + b"x" * 200_000 + b'"}\n'


@pytest.mark.parametrize("padding", [b"", PADDING * 10])
@pytest.mark.parametrize(
    ("third", "severity"),
    [
        (move(3, "for_review", "blocked", parents=[ulid(2)]), ERROR),
        (move(3, "for_review", "blocked", parents=[ulid(2)], force=True, reason="r"), WARNING),
        (move(3, "for_review", "blocked"), WARNING),
        (move(3, "claimed", "blocked"), WARNING),
        (move(3, "in_progress", "blocked"), None),
        (move(3, "in_progress", "blocked", parents=[ulid(2)]), None),
        (move(3, "planned", "blocked", parents=[]), None),
        (move(3, "for_review", "blocked", parents=[ulid(7)]), None),
        (move(3, "for_review", "blocked", wp_id="WP02"), None),
    ],
)
def test_an_event_that_leaves_another_lane_than_its_work_package_stood_in_breaks_the_chain(
    repo: GitRepo, third: bytes, severity: str | None, padding: bytes
) -> None:
    findings = [each for each in checked(repo, BROKEN + third + padding).findings if each.code == "chain-break"]
    assert [each.severity for each in findings] == ([severity] if severity else [])
    for finding in findings:
        assert (finding.line, finding.event_id) == (3, ulid(3))
        assert "the work package stood in in_progress" in finding.message
        assert finding.hint


@pytest.mark.parametrize("padding", [b"", PADDING * 10])
def test_an_event_behind_one_that_is_dated_later_never_became_current(repo: GitRepo, padding: bytes) -> None:
    log = CLAIM + move(9, "claimed", "in_progress") + move(5, "in_progress", "for_review") + padding
    found = checked(repo, log)
    assert of_the_log(found) == [(validation.NEVER_CURRENT, WARNING, 3, ulid(5))]
    (finding,) = [each for each in found.findings if each.code == validation.NEVER_CURRENT]
    assert ulid(9) in finding.message
    after = log + move(6, "in_progress", "for_review", parents=[ulid(9)])
    assert [code for code, *_ in of_the_log(checked(repo, after))].count(validation.NEVER_CURRENT) == 1


@pytest.mark.parametrize("padding", [b"", PADDING * 10])
def test_an_id_of_a_clock_that_is_ahead_is_found_and_one_that_no_clock_minted_is_not(
    repo: GitRepo, padding: bytes
) -> None:
    now = datetime.now(UTC)
    log, ids = b"", []
    for number, (id_ahead, at_ahead) in enumerate([(0, 0), (23, 23), (25, 25), (9000, 9000), (9100, 0), (900_000, 3)]):
        minted = int((now + timedelta(hours=id_ahead)).timestamp() * 1000)
        ids.append(str(ULID.from_int((minted << 80) + 7)))
        at = (now + timedelta(hours=at_ahead)).isoformat()
        log += line(event_id=ids[-1], at=at, wp_id=f"WP{number:02}", parents=[])
    found = of_the_log(checked(repo, log + padding))
    assert found == [(validation.ID_IN_FUTURE, WARNING, number, ids[number - 1]) for number in (3, 4)]


@pytest.mark.parametrize("padding", [b"", PADDING * 10])
@pytest.mark.parametrize(
    ("odd", "code", "event_id"),
    [
        (line(event_id=ulid(2), wp_id="WP02").replace(b", ", b","), validation.NON_CANONICAL_LINE, ulid(2)),
        (
            line(event_id=ulid(2), wp_id="WP02", actor="zo\u00eb").replace(b"\\u00eb", b"\xc3\xab"),
            "non-canonical-line",
            ulid(2),
        ),
        (line_of({"kind": "note", "to_lane": "done", "event_id": ulid(2)}), validation.LANE_IN_FOREIGN_ROW, ulid(2)),
        (line_of({"type": "note", "from_lane": None}), validation.LANE_IN_FOREIGN_ROW, None),
    ],
)
def test_a_line_that_is_spelled_or_marked_oddly_is_found(
    repo: GitRepo, odd: bytes, code: str, event_id: str | None, padding: bytes
) -> None:
    found = checked(repo, CLAIM + odd + padding)
    assert of_the_log(found) == [(code, WARNING, 2, event_id)]


def test_a_lane_that_the_pinned_profile_does_not_have_is_found(repo: GitRepo) -> None:
    log = line_of(their_row(event_id=ulid(1), from_lane="for_review", to_lane="in_review"))
    assert checked(repo, log, materialized=False).findings[0].code == validation.SNAPSHOT_MISSING
    found = checked(repo, log, materialized=False, config=Config({"lanes": "seven-lane"}))
    assert {entry[0] for entry in of_the_log(found)} == {validation.UNKNOWN_LANE, transitions.ILLEGAL}


def test_a_log_that_turns_to_nine_lanes_half_way_is_held_to_nine_from_its_beginning(repo: GitRepo) -> None:
    theirs = line_of(their_row(event_id=ulid(3), at=instant(3), from_lane="for_review", to_lane="in_review"))
    log = CLAIM + move(2, "in_progress", "approved", evidence=APPROVAL) + theirs + b"oops\n"
    assert of_the_log(checked(repo, log)) == [(validation.DAMAGED_LINE, ERROR, 4, None)]


MANY = [
    CLAIM,
    b"oops\n",
    move(2, "claimed", "done"),
    b'{"event_type": "note"}\n',
    b"\n",
    b"{}\n",
    move(3, "for_review", "done"),
    CLAIM,
    CLAIM.replace(b'"ada"', b'"bob"'),
    b"<<<<<<< HEAD\n",
    move(4, "in_progress", "planned", wp_id="WP02", feature_slug="other"),
]
FOUND_IN_MANY = [
    (validation.DAMAGED_LINE, ERROR, 2, None),
    (transitions.ILLEGAL, ERROR, 3, ulid(2)),
    (validation.INVALID_EVENT, ERROR, 6, None),
    (transitions.MISSING_EVIDENCE, ERROR, 7, ulid(3)),
    (validation.REPEATED_EVENT, WARNING, 8, ulid(1)),
    (validation.CONFLICTING_EVENT, ERROR, 9, ulid(1)),
    (validation.DAMAGED_LINE, ERROR, 10, None),
    (transitions.MISSING_REASON, ERROR, 11, ulid(4)),
    (validation.OTHER_FEATURE, WARNING, 11, ulid(4)),
]


def test_one_run_finds_everything_and_damage_hides_nothing_behind_it(repo: GitRepo) -> None:
    found = checked(repo, b"".join(MANY) + b'{"torn')
    assert {finding.path for finding in found.findings} == {
        LOG
    }  # what a damaged log says of its snapshot is no finding
    assert of_the_log(found) == [*FOUND_IN_MANY, (validation.CUT_TAIL, WARNING, 12, None)]
    assert found.event_count == 4


def test_a_large_log_has_the_findings_of_a_small_one(repo: GitRepo) -> None:
    padding = b'{"kind": "annotation", "note": "' + b"x" * 200_000 + b'"}\n'
    found = checked(repo, b"".join(MANY) + padding * 10)
    assert of_the_log(found) == FOUND_IN_MANY


def test_a_large_log_that_is_in_order_has_the_findings_of_a_small_one(repo: GitRepo) -> None:
    lines = [CLAIM, move(2, "claimed", "done"), b"oops\n", move(3, "done", "done", parents=[ulid(2), "gone"])]
    padding = b'{"kind": "annotation", "note": "' + b"x" * 200_000 + b'"}\n'
    small, large = (of_the_log(checked(repo, b"".join(lines) + tail)) for tail in (b"", padding * 10))
    assert small == large
    assert [entry[2] for entry in small] == [2, 3, 4, 4]


def test_of_two_lines_with_one_id_the_later_is_reported_whichever_counts(repo: GitRepo) -> None:
    other = CLAIM.replace(b'"ada"', b'"aaa"')
    for log in (CLAIM + other, other + CLAIM):
        assert of_the_log(checked(repo, log)) == [(validation.CONFLICTING_EVENT, ERROR, 2, ulid(1))]


def test_a_snapshot_that_differs_from_its_log_is_found(repo: GitRepo) -> None:
    found = checked(repo, CLAIM + move(2, "claimed", "in_progress"))
    assert [(finding.code, finding.path) for finding in found.findings] == [(validation.SNAPSHOT_DRIFT, SNAPSHOT)]
    assert found.findings[0].hint == f"run `kitty-status materialize {SLUG}`"


@pytest.mark.parametrize("log", [None, b"", b"\n \n"])
def test_a_snapshot_whose_log_is_gone_is_found(repo: GitRepo, log: bytes | None) -> None:
    found = checked(repo, log)
    assert [(finding.code, finding.path) for finding in found.findings] == [(validation.SNAPSHOT_WITHOUT_LOG, SNAPSHOT)]
    assert "git's history" in found.findings[0].hint


@pytest.mark.parametrize("log", [None, b""])
def test_a_feature_in_which_nothing_has_happened_is_in_order(repo: GitRepo, log: bytes | None) -> None:
    found = checked(repo, log, materialized=False)
    assert (found.findings, found.passed, found.event_count) == ([], True, 0)


@pytest.mark.parametrize("snapshot", [b"<<<<<<< HEAD\n", b"", b"[]"])
def test_a_snapshot_that_cannot_be_read_has_drifted(repo: GitRepo, snapshot: bytes) -> None:
    for log in (CLAIM, b""):
        checked(repo, log)
        repo.write(SNAPSHOT, snapshot)
        found = validate(Project(repo.path).feature(SLUG), Config())
        assert [finding.code for finding in found.findings] == [validation.SNAPSHOT_DRIFT]


def test_a_log_that_is_a_link_is_a_finding_that_hides_no_other_feature(repo: GitRepo) -> None:
    folder = feature_in(repo)
    (folder / "status.events.jsonl").symlink_to(repo.write("elsewhere", CLAIM))
    found = validate(Project(repo.path).feature(SLUG), Config())
    assert [(finding.code, finding.severity, finding.path) for finding in found.findings] == [
        ("unsafe-log", ERROR, LOG)
    ]


def test_nothing_is_written(repo: GitRepo) -> None:
    checked(repo, b"".join(MANY) + b'{"torn')
    before = tree(repo.path)
    validate(Project(repo.path).feature(SLUG), Config())
    assert tree(repo.path) == before


def test_the_example_is_in_order_in_git_and_its_snapshot_is_that_of_its_log(repo: GitRepo) -> None:
    shutil.copytree(EXAMPLE, repo.path / "kitty-specs" / EXAMPLE.name)
    found = validate(Project(repo.path).feature(EXAMPLE.name), Config())
    assert [finding.to_dict() for finding in found.findings] == []
    assert found.event_count == len((EXAMPLE / "status.events.jsonl").read_bytes().splitlines())
    assert not materialize_feature(Project(repo.path).feature(EXAMPLE.name), Config()).written


def test_outside_git_places_are_whole_paths(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "status.events.jsonl").write_bytes(b"oops\n")
    (finding,) = validate(feature_at(folder), Config()).findings
    assert (finding.path, finding.line) == (str(folder / "status.events.jsonl"), 1)
    assert finding.message.startswith("invalid JSON: oops: ")


def test_a_folder_where_the_snapshot_should_be_is_a_finding_and_the_next_feature_is_looked_at(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo)
    repo.write(LOG, CLAIM)
    (repo.path / SNAPSHOT).mkdir()
    repo.write("kitty-specs/900-other/status.events.jsonl", b"no event\n")
    answer = ask(repo.path, "validate", "--all")
    assert f"{SNAPSHOT}: error: unreadable-file: the operating system refuses it (Is a directory)" in answer.out
    assert "kitty-specs/900-other/status.events.jsonl:1: error: damaged-line" in answer.out
    assert (answer.code, answer.err) == (1, "")
