"""`audit`, `diff`, `show --at` and `log --blame` as they are called and as they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, ask, feature_in, kitty
from events import instant, line, ulid

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

CLAIM = line(event_id=ulid(1), at=instant(1))
START = line(event_id=ulid(2), at=instant(2), from_lane="claimed", to_lane="in_progress", actor="ben \x1b[1m")
ESCAPE = {"GIT_AUTHOR_NAME": "Eve \x1b[31m", "GIT_AUTHOR_DATE": "2026-02-03T04:05:06+01:00"}


@pytest.fixture
def grown(repo: GitRepo) -> GitRepo:
    """One commit that claims, and one that starts, by somebody with an escape sequence in the name."""
    feature_in(repo, CLAIM)
    repo.commit()
    repo.append(LOG, START)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "start", environment=ESCAPE)
    return repo


def short(repo: GitRepo, revision: str = "HEAD") -> str:
    return repo.git("rev-parse", "--short", revision)


def test_a_clean_audit_says_how_much_it_looked_at(grown: GitRepo) -> None:
    assert ask(grown.path, "audit").out == "2 commits, 1 log: 0 errors, 0 warnings\n"
    assert ask(grown.path, "audit", "--all", "--base", "HEAD~1").out == "1 commit, 1 log: 0 errors, 0 warnings\n"
    assert ask(grown.path, "audit", "001", "--since", "HEAD~1", "--json").data == {
        "passed": True,
        "commits": 2,
        "logs": 1,
        "findings": [],
    }


def test_an_audit_that_finds_something_is_1_and_names_who_and_where(grown: GitRepo) -> None:
    grown.write(LOG, START)
    grown.git("commit", "-qa", "-m", "tamper", environment=ESCAPE)

    answer = kitty(grown.path, "audit", SLUG)

    assert answer.code == 1
    where, who, hint, total = answer.out.splitlines()
    assert where.startswith(f"{LOG}: error: line-removed: the line was removed: {{")
    assert where.endswith(f"[{ulid(1)}]")
    assert who == f"    in {short(grown)} of Eve \\x1b[31m <ada@example.org>, 2026-02-03T04:05:06+01:00"
    assert hint.startswith(f"    hint: `git show {short(grown, 'HEAD~1')}:{LOG}` has what was there")
    assert total == "3 commits, 1 log: 1 error, 0 warnings"
    assert ask(grown.path, "audit", "--json").data["findings"][0]["author"] == "Eve \x1b[31m"
    assert ask(grown.path, "audit", "--head", "HEAD~1").code == 0


def test_many_lines_of_one_commit_are_cut_short_in_print_only(repo: GitRepo) -> None:
    feature_in(repo, b"".join(line(event_id=ulid(number)) for number in range(1, 31)))
    repo.commit()
    repo.write(LOG, b"")
    repo.commit()

    answer = ask(repo.path, "audit")

    assert answer.out.count("line-removed") == 10
    assert f"{LOG}: and 20 more in {repo.git('rev-parse', 'HEAD')[:12]}; --json lists all\n" in answer.out
    assert answer.out.endswith("30 errors, 0 warnings\n")
    assert len(ask(repo.path, "audit", "--json").data["findings"]) == 30


def test_another_order_is_counted_and_never_fails(grown: GitRepo) -> None:
    grown.write(LOG, START + CLAIM)
    grown.commit()

    answer = ask(grown.path, "audit")

    assert answer.code == 0
    assert answer.out == (
        "3 commits, 1 log: 0 errors, 0 warnings; 1 times lines came into another order, which is harmless\n"
    )
    (finding,) = ask(grown.path, "audit", "--json").data["findings"]
    assert (finding["code"], finding["severity"]) == ("lines-reordered", "info")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("audit", "--all", SLUG), 2),
        (("audit", "--base", "HEAD", "--since", "HEAD"), 2),
        (("audit", ".."), 2),
        (("audit", "--base", "nowhere"), 4),
        (("audit", "--head", "nowhere"), 4),
        (("audit", "099-nothing"), 4),
        (("diff", "nowhere"), 4),
        (("diff", "nowhere..HEAD"), 4),
        (("diff", "HEAD", "nowhere"), 4),
        (("diff", "HEAD~1..HEAD", ".."), 2),
        (("show", "--at", "nowhere"), 2),
        (("show", "nowhere", "--at", "HEAD"), 4),
        (("show", "--at", "1999-01-01"), 4),
        (("show", SLUG, "--at", "1999-01-01"), 4),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_said_in_words(grown: GitRepo, args: tuple[str, ...], code: int) -> None:
    answer = ask(grown.path, *args)
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith("error: ")
    assert "\nhint: " in answer.err
    assert ask(grown.path, *args, "--json").error["exit_code"] == code


def test_outside_a_repository_there_is_no_history(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / LOG).write_bytes(CLAIM)
    for args in (("audit",), ("diff",), ("show", "--at", "HEAD"), ("log", SLUG, "--blame")):
        answer = ask(tmp_path, *args, "--json")
        assert (answer.code, answer.error["code"]) == (2, "outside-repository")


def test_before_the_first_commit_nothing_breaks(repo: GitRepo) -> None:
    feature_in(repo, CLAIM)
    assert ask(repo.path, "audit").out == "0 commits, 0 logs: 0 errors, 0 warnings\n"
    assert ask(repo.path, "log", SLUG, "--blame").out.startswith("uncommitted  ")
    assert ask(repo.path, "diff").code == 4
    assert ask(repo.path, "show", "--at", "HEAD").code == 2


def test_show_at_a_commit_shows_what_stood_then(grown: GitRepo) -> None:
    when = grown.git("log", "-1", "--format=%cI", "HEAD~1")
    head = f"in {short(grown, 'HEAD~1')} of {when}:\n"

    assert ask(grown.path, "show", SLUG, "--at", "HEAD~1").out.startswith(f"{head}{SLUG}: 1 claimed\n  WP01  claimed")
    assert ask(grown.path, "show", "--at", "HEAD~1").out == f"{head}{SLUG}  1 claimed\n"
    assert ask(grown.path / FOLDER, "show", "--at", "HEAD").out.splitlines()[1] == f"{SLUG}: 1 in_progress"
    data = ask(grown.path, "show", SLUG, "--at", "HEAD~1", "--json").data
    assert (data["commit"], data["committed_at"]) == (grown.git("rev-parse", "HEAD~1"), when)
    assert data["work_packages"]["WP01"]["lane"] == "claimed"
    (row,) = ask(grown.path, "show", "--at", "HEAD~1", "--json").data
    assert (row["feature"], row["commit"], row["summary"]["claimed"]) == (SLUG, data["commit"], 1)


def test_show_at_reads_a_feature_that_is_no_longer_there(grown: GitRepo) -> None:
    grown.git("rm", "-rq", FOLDER)
    grown.commit()

    assert ask(grown.path, "show", SLUG).code == 4
    assert f"{SLUG}: 1 in_progress" in ask(grown.path, "show", "001", "--at", "HEAD~1").out
    assert ask(grown.path, "show", "--at", "HEAD").code == 4


def test_show_at_a_damaged_log_is_7_and_shows_the_others(grown: GitRepo) -> None:
    grown.write("kitty-specs/002-other/status.events.jsonl", b"oops\n")
    grown.commit()

    answer = ask(grown.path, "show", "--at", "HEAD")

    assert answer.code == 7
    assert answer.out.splitlines()[1:] == [f"{SLUG}  1 in_progress", "002-other    damaged"]
    assert answer.err.startswith("warning: 002-other: Line 1: invalid JSON: oops")
    assert ask(grown.path, "show", "002", "--at", "HEAD", "--json").error["code"] == "damaged"


def test_blame_names_the_commit_of_each_event_and_says_uncommitted(grown: GitRepo) -> None:
    grown.append(LOG, line(event_id=ulid(3), at=instant(3), wp_id="WP02")[:-1])

    answer = ask(grown.path, "log", SLUG, "--blame")

    first, second, third = answer.out.splitlines()
    assert first.startswith(f"{short(grown, 'HEAD~1')}  Ada  ")
    assert second.startswith(
        f"{short(grown)}  Eve \\x1b[31m  2026-02-03T04:05:06+01:00  {instant(2)}  WP01  claimed to"
    )
    assert third.startswith(f"uncommitted  {instant(3)}  WP02")
    rows = ask(grown.path, "log", SLUG, "--blame", "--json").data["events"]
    assert [row["brought_by"] and row["brought_by"]["commit"] for row in rows] == [
        grown.git("rev-parse", "HEAD~1"),
        grown.git("rev-parse", "HEAD"),
        None,
    ]
    assert "brought_by" not in ask(grown.path, "log", SLUG, "--json").data["events"][0]


def test_diff_shows_what_moved_between_two_commits(grown: GitRepo) -> None:
    answer = ask(grown.path, "diff", "HEAD~1..HEAD")

    assert answer.out == (
        f"from {short(grown, 'HEAD~1')} to {short(grown)}:\n"
        f"{SLUG}: 1 moved, +1 event\n"
        f"  WP01  claimed to in_progress  {instant(2)}  ben \\x1b[1m\n"
    )
    backwards = ask(grown.path, "diff", "HEAD..HEAD~1").out
    assert f"{SLUG}: 1 moved, -1 event\n  WP01  in_progress to claimed  " in backwards
    data = ask(grown.path, "diff", "HEAD~1..", SLUG, "--json").data
    assert (data["from"]["commit"], data["to"]["commit"]) == tuple(grown.git("rev-parse", "HEAD~1", "HEAD").split())
    assert [move["wp_id"] for move in data["features"][0]["moved"]] == ["WP01"]


def test_diff_with_one_commit_or_none_ends_at_the_work_tree(grown: GitRepo) -> None:
    assert ask(grown.path, "diff").out == f"from {short(grown)} to the work tree:\nnothing moved\n"
    assert ask(grown.path, "diff", "HEAD~1", "--json").data["to"] is None
    grown.append(LOG, line(event_id=ulid(3), at=instant(3), wp_id="WP02"))
    grown.write("kitty-specs/002-other/status.events.jsonl", CLAIM)
    assert "WP02  not there to claimed" in ask(grown.path, "diff").out
    for args in ((SLUG,), ("001",), ("HEAD", SLUG)):
        answer = ask(grown.path, "diff", *args)
        assert f"{SLUG}: 1 moved" in answer.out
        assert "002-other" not in answer.out
    (grown.path / LOG).unlink()
    assert "WP01  in_progress to not there\n" in ask(grown.path, "diff", SLUG).out


def test_diff_with_three_dots_begins_where_the_two_parted(grown: GitRepo) -> None:
    grown.git("checkout", "-q", "-b", "work", "HEAD~1")
    grown.append(LOG, line(event_id=ulid(5), at=instant(5), from_lane="claimed", to_lane="blocked"))
    grown.commit()

    assert "claimed to blocked" in ask(grown.path, "diff", "main...work").out
    assert "in_progress to blocked" in ask(grown.path, "diff", "main..work").out
    assert "claimed to in_progress" in ask(grown.path, "diff", "work...main").out


def test_diff_tells_conflicts_renames_and_damage(grown: GitRepo) -> None:
    rival = line(event_id=ulid(6), at=instant(6), from_lane="claimed", to_lane="blocked", actor="cleo")
    grown.append(LOG, rival.replace(b'"parents": null', b'"parents": []'))
    grown.git("mv", FOLDER, "kitty-specs/009-new")
    grown.write("kitty-specs/002-other/status.events.jsonl", b"oops\n")
    grown.commit()

    answer = ask(grown.path, "diff", "HEAD~1..HEAD")

    assert answer.code == 7
    lines = answer.out.splitlines()
    assert lines[1] == "002-other: damaged"
    assert lines[2] == f"009-new (was {SLUG}): 1 moved, +1 event"
    assert "  WP01  ! 2 moves compete now: " in answer.out
    assert answer.err.startswith("warning: 002-other: Line 1: ")
