"""Doctor says which work waits: for whom, since when, and how to see it."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commandline import FOLDER, LOG, SLUG, Answer, ask, emit
from events import line, ulid
from gitrepo import GitRepo


def moved(repo: GitRepo, *lanes: str, days: float, folder: str = FOLDER, wp_id: str = "WP01") -> None:
    """Write a log in which ben brought a work package through these lanes, the last one so many days ago."""
    start = datetime.now(UTC) - timedelta(days=days, minutes=len(lanes))
    lines = []
    for number, (before, lane) in enumerate(zip(("planned", *lanes), lanes, strict=False), start=1):
        fields = {"event_id": ulid(number), "from_lane": before, "to_lane": lane, "actor": "ben", "wp_id": wp_id}
        parents = [ulid(number - 1)] if number > 1 else []
        lines.append(line(**fields, at=(start + timedelta(minutes=number)).isoformat(), parents=parents))
    repo.append(f"{folder}/status.events.jsonl", b"".join(lines))


def found(folder: Path, code: str, *args: str) -> list[dict[str, Any]]:
    answer = ask(folder, "doctor", "--check", code, "--json", *args)
    assert answer.code in (0, 1), answer
    findings: list[dict[str, Any]] = answer.data["findings"]
    assert {each["code"] for each in findings} <= {code}
    return findings


@pytest.mark.parametrize(
    ("lanes", "days", "is_stale"),
    [
        (("claimed",), 6.9, False),
        (("claimed",), 7.1, True),
        (("claimed", "in_progress"), 13.9, False),
        (("claimed", "in_progress"), 14.1, True),
        (("claimed", "in_progress", "for_review"), 100, False),
        (("claimed", "blocked"), 100, False),
        (("canceled",), 100, False),
    ],
)
def test_a_claim_is_stale_after_as_many_days_as_its_lane_allows(
    repo: GitRepo, lanes: tuple[str, ...], days: float, is_stale: bool
) -> None:
    moved(repo, *lanes, days=days)
    assert bool(found(repo.path, "stale-claim")) == is_stale


def test_the_holder_is_named_and_the_commands_take_the_claim_over(repo: GitRepo) -> None:
    moved(repo, "claimed", days=8)
    [finding] = found(repo.path, "stale-claim")
    assert finding["where"] == LOG
    assert finding["observed"].startswith("ben holds WP01 (claimed) since 20")
    assert finding["observed"].endswith(", 8.0 days, and has not moved it")
    look, take = finding["commands"]
    assert look == f"kitty-status log {SLUG} --wp WP01"
    assert take == f"kitty-status take-over WP01 --feature {SLUG} --actor NAME"
    assert ask(repo.path, *take.split()[1:]).code == 0
    assert found(repo.path, "stale-claim") == []


def test_the_configuration_says_how_long_and_options_say_otherwise(repo: GitRepo) -> None:
    moved(repo, "claimed", days=3)
    moved(repo, "claimed", "in_progress", days=3, folder="kitty-specs/002-b")
    assert found(repo.path, "stale-claim") == []
    claimed = found(repo.path, "stale-claim", "--stale-claimed-days", "2")
    begun = found(repo.path, "stale-claim", "--stale-in-progress-days", "2")
    assert [each["where"] for each in claimed] == [LOG]
    assert [each["where"] for each in begun] == ["kitty-specs/002-b/status.events.jsonl"]
    # The configuration does not let anybody take it over yet, so that this is not suggested.
    assert claimed[0]["commands"] == [f"kitty-status log {SLUG} --wp WP01"]
    repo.write(".kittify/config.yaml", "status:\n  stale_claimed_days: 2\n  stale_in_progress_days: 2\n")
    assert len(found(repo.path, "stale-claim")) == 2
    assert found(repo.path, "stale-claim", "--stale-claimed-days", "9", "--stale-in-progress-days", "9") == []


@pytest.mark.parametrize("days", ["0", "-1", "36501", "many"])
def test_what_is_no_number_of_days_is_refused(repo: GitRepo, days: str) -> None:
    for option in ("--stale-claimed-days", "--stale-in-progress-days"):
        answer: Answer = ask(repo.path, "doctor", option, days, "--json")
        assert (answer.code, answer.error["code"]) == (2, "usage")


def test_what_moved_in_another_work_tree_is_not_stale_here(repo: GitRepo, tmp_path: Path) -> None:
    moved(repo, "claimed", days=8)
    repo.commit()
    other = repo.worktree(tmp_path / "other", "other")
    assert len(found(repo.path, "stale-claim")) == 1
    emit(other.path, "WP01", "in_progress", actor="ben")
    assert found(repo.path, "stale-claim") == []
    assert found(other.path, "stale-claim") == []


def migrated(repo: GitRepo, *names: str) -> dict[str, Any]:
    block = "".join(f"{name}\n" for name in ("lane: doing", "created_at: 2026-02-01", *names))
    repo.write(f"{FOLDER}/tasks/WP02.md", f"---\n{block}---\n")
    assert ask(repo.path, "migrate", SLUG).code == 0
    assert found(repo.path, "stale-claim") == []
    [finding] = found(repo.path, "migrated-claim")
    return finding


def test_a_claim_that_was_migrated_is_nobodys_and_the_one_whom_the_file_names_takes_it_over(repo: GitRepo) -> None:
    finding = migrated(repo, "assignee: Ada Lovelace", "agent: bot")
    assert (finding["severity"], finding["where"]) == ("advisory", LOG)
    since = "2026-02-01T00:00:00.000000+00:00"
    assert finding["observed"] == f"WP02 (in_progress) is held by migration since {since}; its file names Ada Lovelace"
    look, take = finding["commands"]
    assert take == f"kitty-status take-over WP02 --feature {SLUG} --actor 'Ada Lovelace'"
    assert ask(repo.path, *shlex.split(take)[1:]).code == 0
    assert found(repo.path, "migrated-claim") == []
    assert ask(repo.path, *shlex.split(look)[1:]).code == 0


def test_a_migrated_claim_whose_file_names_nobody_or_cannot_be_read_is_reported_as_well(repo: GitRepo) -> None:
    assert migrated(repo, "assignee: ''")["observed"].endswith("; its file names nobody")
    for text in ("---\nlane: [\n---\n", "no frontmatter"):
        repo.write(f"{FOLDER}/tasks/WP02.md", text)
        [finding] = found(repo.path, "migrated-claim")
        assert finding["commands"][1].endswith(" --actor NAME")
    (repo.path / f"{FOLDER}/tasks/WP02.md").unlink()
    (repo.path / f"{FOLDER}/tasks/WP02.md").symlink_to("nowhere")
    assert len(found(repo.path, "migrated-claim")) == 1


def test_a_fresh_claim_that_was_migrated_may_be_taken_over_and_a_persons_may_not(repo: GitRepo) -> None:
    now = datetime.now(UTC).isoformat()
    repo.write(f"{FOLDER}/tasks/WP02.md", f"---\nlane: claimed\ncreated_at: {now}\n---\n")
    ask(repo.path, "migrate", SLUG)
    held = ask(repo.path, "emit", "WP02", "--to", "claimed", "--actor", "ben", "-f", SLUG)
    assert held.code == 5
    assert "take-over" in held.err
    assert ask(repo.path, "take-over", "WP02", "--actor", "ben", "-f", SLUG).code == 0
    assert ask(repo.path, "take-over", "WP02", "--actor", "eve", "-f", SLUG).code == 5


def test_what_the_baseline_accepts_is_counted_and_not_reported(repo: GitRepo) -> None:
    missing = ask(repo.path, "doctor", "--baseline", "--json")
    assert (missing.code, missing.error["code"]) == (4, "not-found")
    at = datetime.now(UTC).isoformat()
    rows = [line(event_id=ulid(number), at=at, actor=f"actor-{number}", parents=[]) for number in (1, 2)]
    repo.write(LOG, b"".join(rows))
    ask(repo.path, "validate", "--all", "--write-baseline")
    assert len(found(repo.path, "competing-moves")) == 1
    assert found(repo.path, "competing-moves", "--baseline") == []
    answer = ask(repo.path, "doctor", "--check", "competing-moves", "--baseline")
    assert (answer.code, answer.out) == (0, "healthy: 0 blocking, 0 degraded, 0 advisory, 1 known\n")
    rows = [line(event_id=ulid(number), at=at, actor=f"actor-{number}", wp_id="WP02", parents=[]) for number in (3, 4)]
    repo.append(LOG, b"".join(rows))
    [finding] = found(repo.path, "competing-moves", "--baseline")
    assert finding["observed"].startswith("1 finding; the first: WP02")
    repo.write(".kittify/status-baseline.jsonl", "junk\n")
    assert ask(repo.path, "doctor", "--baseline").code == 2


def test_outside_git_claims_are_looked_at_as_well(tmp_path: Path) -> None:
    repo = GitRepo(tmp_path / "plain")
    repo.path.mkdir()
    moved(repo, "claimed", days=8)
    answer = ask(repo.path, "doctor", "--check", "stale-claim", "--json")
    assert {each["code"] for each in answer.data["findings"]} == {"not-a-repository", "stale-claim"}


def test_a_feature_whose_name_is_no_slug_gets_commands_that_can_be_run(repo: GitRepo) -> None:
    moved(repo, "claimed", days=8, folder="kitty-specs/it's bad")
    [finding] = found(repo.path, "stale-claim")
    assert finding["commands"] == ["kitty-status validate --all"]


@pytest.mark.parametrize("code", ["stale-claim", "chain-break", "competing-moves"])
def test_a_damaged_log_is_reported_as_that_and_not_relied_on(repo: GitRepo, code: str) -> None:
    moved(repo, "claimed", days=8)
    repo.append(LOG, "junk\n{}\n")
    assert found(repo.path, code) == []
    assert len(found(repo.path, "log-damaged")) == 1


def test_moves_that_compete_are_counted_once_for_each_feature(repo: GitRepo) -> None:
    at = datetime.now(UTC).isoformat()
    for slug in (SLUG, "002-b"):
        rows = [
            line(event_id=ulid(number), at=at, wp_id=wp_id, actor=f"actor-{number}", parents=[])
            for number, wp_id in enumerate(("WP01", "WP01", "WP02", "WP02"), start=1)
        ]
        repo.write(f"kitty-specs/{slug}/status.events.jsonl", b"".join(rows))
    findings = found(repo.path, "competing-moves")
    assert [each["commands"] for each in findings] == [["kitty-status show 001-feature"], ["kitty-status show 002-b"]]
    assert findings[0]["observed"].startswith("2 findings; the first: WP01: 2 moves compete")
    for wp_id in ("WP01", "WP02"):
        emit(repo.path, wp_id, "blocked", "--reason", "talk first")
    assert len(found(repo.path, "competing-moves")) == 1


def test_broken_chains_are_counted_and_those_that_are_certain_apart(repo: GitRepo) -> None:
    moved(repo, "claimed", days=1)
    now = datetime.now(UTC).isoformat()
    later = {"from_lane": "in_progress", "to_lane": "for_review", "actor": "ben"}
    repo.append(LOG, line(event_id=ulid(7), at=now, parents=[ulid(1)], **later))
    [finding] = found(repo.path, "chain-break")
    assert finding["observed"].startswith("1 finding, 1 of them certain; the first: WP01: the event leaves in_progress")
    assert finding["commands"] == [f"kitty-status validate {SLUG}"]
    assert finding["severity"] == "advisory"


def test_a_work_tree_without_its_branch_is_an_orphan_and_one_that_was_never_committed_on_is_not(
    repo: GitRepo, tmp_path: Path
) -> None:
    repo.commit_empty()
    gone = repo.worktree(tmp_path / "gone", "gone")
    repo.git("update-ref", "-d", "refs/heads/gone")
    young = repo.worktree(tmp_path / "young", "young")
    young.git("checkout", "-q", "--orphan", "unborn")
    (tmp_path / "repo/.git/worktrees/young/logs/HEAD").write_bytes(b"")
    [finding] = found(repo.path, "orphan-worktree")
    assert (finding["where"], finding["observed"]) == (
        str(gone.path.resolve()),
        "its branch gone is gone, or has no commit yet",
    )


def test_without_a_main_branch_nothing_is_called_finished(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo", branch="trunk")
    repo.commit_empty()
    repo.worktree(tmp_path / "linked", SLUG)
    repo.git("checkout", "-q", "--detach")
    assert found(repo.path, "orphan-worktree") == []
