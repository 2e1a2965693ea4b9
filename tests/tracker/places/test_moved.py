"""What moved between two states of a repository, feature by feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.tracker.features import Project
from kitty_status.tracker.places.moved import FeatureMoves, logs_of_past, logs_of_worktree, moves_between
from kitty_status.tracker.places.past import past_at

if TYPE_CHECKING:
    from pathlib import Path

LOG = "kitty-specs/001-feature/status.events.jsonl"


def event(number: int, to_lane: str, from_lane: str = "planned", **changes: Any) -> bytes:
    changes = {"event_id": ulid(number), "at": instant(number), **changes}
    return line(from_lane=from_lane, to_lane=to_lane, **changes)


CLAIM = event(1, "claimed", parents=[])
START = event(2, "in_progress", "claimed", actor="ben", parents=[ulid(1)])


def moved(repo: GitRepo, start: str, end: str | None = None) -> list[FeatureMoves]:
    project = Project(repo.path)
    new = logs_of_past(past_at(project, end)) if end else logs_of_worktree(project)
    return moves_between(logs_of_past(past_at(project, start)), new, None)


def test_a_work_package_in_another_lane_has_moved_and_by_whom(repo: GitRepo) -> None:
    repo.write(LOG, CLAIM)
    repo.write("kitty-specs/002-still/status.events.jsonl", CLAIM)
    repo.commit()
    repo.append(LOG, START + event(3, "blocked", wp_id="WP02"))
    repo.commit()

    (feature,) = moved(repo, "HEAD~1", "HEAD")

    assert feature.to_dict() == {
        "feature": "001-feature",
        "renamed_from": None,
        "moved": [
            {
                "wp_id": "WP01",
                "from_lane": "claimed",
                "to_lane": "in_progress",
                "actor": "ben",
                "at": instant(2),
                "event_id": ulid(2),
            },
            {
                "wp_id": "WP02",
                "from_lane": None,
                "to_lane": "blocked",
                "actor": "ada",
                "at": instant(3),
                "event_id": ulid(3),
            },
        ],
        "conflicts": [],
        "events": 2,
        "damaged": None,
    }


def test_the_other_way_round_it_is_not_there_any_more(repo: GitRepo) -> None:
    repo.commit_empty()
    repo.write(LOG, CLAIM)
    repo.commit()

    (feature,) = moved(repo, "HEAD", "HEAD~1")

    assert (feature.slug, feature.events) == ("001-feature", -1)
    assert [(move["from_lane"], move["to_lane"], move["actor"]) for move in feature.moved] == [("claimed", None, None)]


def test_the_work_tree_counts_with_what_is_not_committed(repo: GitRepo) -> None:
    repo.write(LOG, CLAIM)
    repo.commit()
    assert moved(repo, "HEAD") == []
    repo.append(LOG, START)

    assert [move["to_lane"] for move in moved(repo, "HEAD")[0].moved] == ["in_progress"]
    (repo.path / LOG).unlink()
    assert [move["to_lane"] for move in moved(repo, "HEAD")[0].moved] == [None]


def test_new_conflicts_are_told_once(repo: GitRepo) -> None:
    repo.write(LOG, CLAIM)
    repo.commit()
    repo.append(LOG, START + event(3, "canceled", "claimed", actor="cleo", parents=[ulid(1)]))
    repo.commit()
    repo.append(LOG, event(4, "claimed", wp_id="WP02", parents=[]))
    repo.commit()

    ((conflict,),) = (each.conflicts for each in moved(repo, "HEAD~2", "HEAD~1"))
    assert (conflict["wp_id"], conflict["rule"], conflict["head_count"]) == ("WP01", "newest", 2)
    assert {head["lane"] for head in conflict["heads"]} == {"in_progress", "canceled"}
    assert [each.conflicts for each in moved(repo, "HEAD~1", "HEAD")] == [[]]


def test_a_feature_that_was_renamed_is_one_feature(repo: GitRepo) -> None:
    repo.write(LOG, CLAIM)
    repo.write("kitty-specs/000-other/status.events.jsonl", event(7, "claimed"))
    repo.commit()
    repo.git("mv", "kitty-specs/001-feature", "kitty-specs/009-new-name")
    repo.git("rm", "-rq", "kitty-specs/000-other")
    repo.write("kitty-specs/005-unrelated/status.events.jsonl", event(9, "claimed"))
    repo.append("kitty-specs/009-new-name/status.events.jsonl", START)
    repo.commit()

    found = {each.slug: each for each in moved(repo, "HEAD~1", "HEAD")}

    assert sorted(found) == ["000-other", "005-unrelated", "009-new-name"]
    renamed = found["009-new-name"]
    assert (renamed.renamed_from, [move["from_lane"] for move in renamed.moved]) == ("001-feature", ["claimed"])


def test_damage_on_one_side_says_why_nothing_can_be_said(repo: GitRepo) -> None:
    repo.write(LOG, CLAIM)
    repo.write("kitty-specs/002-sound/status.events.jsonl", CLAIM)
    repo.commit()
    repo.append(LOG, b"oops\n")
    repo.append("kitty-specs/002-sound/status.events.jsonl", START)

    damaged, sound = moved(repo, "HEAD")

    assert damaged.damaged is not None
    assert damaged.damaged.startswith("Line 2: invalid JSON: oops")
    assert len(sound.moved) == 1


def test_outside_git_the_work_tree_can_be_read_as_well(tmp_path: Path) -> None:
    repo = GitRepo(tmp_path)
    repo.write(LOG, CLAIM)
    assert [log.data for log in logs_of_worktree(Project(tmp_path)).values()] == [CLAIM]


def test_a_feature_that_was_archived_has_not_moved(repo: GitRepo) -> None:
    repo.write(LOG, CLAIM)
    repo.commit()
    (repo.path / "kitty-specs/.archive").mkdir()
    repo.git("mv", "kitty-specs/001-feature", "kitty-specs/.archive/001-feature")
    assert moved(repo, "HEAD") == []
    repo.commit()

    assert moved(repo, "HEAD~1", "HEAD") == []
    past = past_at(Project(repo.path), "HEAD")
    assert past.features() == []
    assert past.feature("001-feature").path == "kitty-specs/.archive/001-feature/status.events.jsonl"
