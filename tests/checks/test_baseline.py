"""The baseline: what was accepted passes, what is new fails, what has gone is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, ask, feature_in
from events import instant, line, ulid
from kitty_status.checks.baseline import BASELINE_PATH, load_baseline
from kitty_status.errors import ConfigurationError

if TYPE_CHECKING:
    from gitrepo import GitRepo


def illegal(number: int, **more: object) -> bytes:
    content = {"event_id": ulid(number), "at": instant(number), "wp_id": f"WP{number:02}", **more}
    return line(**{"from_lane": "planned", "to_lane": "for_review", **content})


@pytest.fixture
def old(repo: GitRepo) -> GitRepo:
    """A repository whose log has two illegal moves and a snapshot that says what the log says."""
    feature_in(repo, illegal(1) + illegal(2))
    assert ask(repo.path, "materialize", SLUG).code == 0
    return repo


def test_a_repository_adopts_the_check_with_its_old_findings(old: GitRepo) -> None:
    assert ask(old.path, "validate", "--all").code == 1
    written = ask(old.path, "validate", "--all", "--write-baseline")
    assert (written.code, written.out) == (0, "1 feature, 2 events: 0 errors, 0 warnings, 2 known\n")
    assert [json.loads(each) for each in old.read(BASELINE_PATH).splitlines()] == [
        {"code": "illegal-move", "event_id": ulid(number), "feature": SLUG} for number in (1, 2)
    ]
    assert ask(old.path, "validate", "--all", "--baseline").out == written.out
    assert ask(old.path, "validate", "--all").code == 1

    old.write(LOG, line(event_id=ulid(7), at=instant(7), kind="note") + old.read(LOG) + illegal(3))
    ask(old.path, "materialize", SLUG)
    answer = ask(old.path, "validate", "--all", "--baseline", "--json")
    assert answer.code == 1
    assert answer.data[0]["known"] == 2
    assert [each["event_id"] for each in answer.data[0]["findings"] if each["severity"] == "error"] == [ulid(3)]


def test_an_entry_that_is_not_found_any_more_is_said_and_fails_nothing(old: GitRepo) -> None:
    ask(old.path, "validate", "--all", "--write-baseline")
    old.write(LOG, illegal(1))
    ask(old.path, "materialize", SLUG)
    answer = ask(old.path, "validate", "--all", "--baseline")
    assert answer.code == 0
    assert answer.err == f"warning: {BASELINE_PATH}: illegal-move of {ulid(2)} in {SLUG} is not found any more\n"


def test_writing_it_for_one_feature_keeps_the_entries_of_others(old: GitRepo) -> None:
    old.write("kitty-specs/002-other/status.events.jsonl", illegal(5, feature_slug="002-other"))
    ask(old.path, "validate", "--all", "--write-baseline")
    before = old.read(BASELINE_PATH)
    old.write(LOG, old.read(LOG) + illegal(4))
    answer = ask(old.path, "validate", SLUG, "--write-baseline", "--dry-run", "--json")
    assert answer.data[0]["known"] == 3
    assert old.read(BASELINE_PATH) == before
    ask(old.path, "validate", SLUG, "--write-baseline")
    assert load_baseline(old.path).accepted.total() == 4
    assert ask(old.path, "validate", "002", "--baseline", "--json").envelope["warnings"] == []


def test_several_findings_of_one_code_about_one_event_are_counted(old: GitRepo) -> None:
    old.write(".kittify/config.yaml", "status:\n  lanes: seven-lane\n")
    old.write(LOG, illegal(1, from_lane="in_review", to_lane="approved"))
    ask(old.path, "validate", SLUG, "--write-baseline")
    counts = {json.loads(each)["code"]: json.loads(each).get("count") for each in old.read(BASELINE_PATH).splitlines()}
    assert counts == {"illegal-move": None, "unknown-lane": 2}


def test_damage_and_what_concerns_files_cannot_be_accepted(old: GitRepo) -> None:
    old.write(LOG, illegal(1) + b"oops\n" + line(event_id=ulid(9), to_lane="nowhere"))
    answer = ask(old.path, "validate", "--all", "--write-baseline", "--json")
    assert answer.code == 1
    assert {each["code"] for each in answer.data[0]["findings"]} == {"damaged-line", "invalid-event"}
    old.write(LOG, illegal(1))
    answer = ask(old.path, "validate", "--all", "--baseline", "--json")
    assert [each["code"] for each in answer.data[0]["findings"]] == ["snapshot-drift"]


@pytest.mark.parametrize(
    "bad",
    [
        "oops",
        "[]",
        "{}",
        '{"code": 1, "event_id": "x", "feature": "y"}',
        '{"code": "c", "event_id": null, "feature": "y"}',
        '{"code": "c", "event_id": "x", "feature": "y", "count": 0}',
        '{"code": "c", "event_id": "x", "feature": "y", "count": true}',
    ],
)
def test_a_line_that_is_no_entry_is_named_by_file_and_line(old: GitRepo, bad: str) -> None:
    good = '{"code": "c", "event_id": "x", "feature": "y"}\n\n'
    old.write(BASELINE_PATH, good + bad)
    with pytest.raises(ConfigurationError, match=f"{BASELINE_PATH}:3: "):
        load_baseline(old.path)
    assert ask(old.path, "validate", SLUG, "--baseline").code == 2
    assert ask(old.path, "validate", SLUG, "--write-baseline").code == 2
    assert ask(old.path, "validate", "--all", "--write-baseline").code == 0


def test_without_a_baseline_the_answer_says_how_to_get_one(old: GitRepo) -> None:
    answer = ask(old.path, "validate", SLUG, "--baseline", "--json")
    assert answer.code == 4
    assert "--write-baseline" in answer.error["hint"]
    assert ask(old.path, "validate", SLUG, "--dry-run").code == 2
    assert (old.path / FOLDER).is_dir()
