"""Features as they stood: which commit a revision or a date means, and what was in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.errors import NotFoundError, OutsideRepositoryError, StoreError, UsageError
from kitty_status.git.revisions import merge_base, resolve
from kitty_status.tracker.features import Project
from kitty_status.tracker.places.past import Past, brought_by, past_at

LOG = "kitty-specs/001-feature/status.events.jsonl"
CLAIM = line(event_id=ulid(1), at=instant(1))
START = line(event_id=ulid(2), at=instant(2), from_lane="claimed", to_lane="in_progress")


def commit(repo: GitRepo, message: str, day: str, log: bytes, *, path: str = LOG) -> str:
    repo.append(path, log)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", message, environment={"GIT_COMMITTER_DATE": day, "GIT_AUTHOR_DATE": day})
    return repo.git("rev-parse", "HEAD")


@pytest.fixture
def two_days(repo: GitRepo) -> tuple[str, str]:
    first = commit(repo, "first", "2026-01-10T12:00:00+00:00", CLAIM)
    second = commit(repo, "second", "2026-01-11T23:30:00-01:00", START)
    return first, second


def at(repo: GitRepo, when: str) -> Past:
    return past_at(Project(repo.path), when)


def lane(past: Past, name: str = "001") -> str:
    ((feature, data),) = past.contents([past.feature(name)])
    return str(past.reduce(feature, data, None).work_packages["WP01"]["lane"])


def test_a_revision_is_what_git_takes_for_one(repo: GitRepo, two_days: tuple[str, str]) -> None:
    repo.git("tag", "-a", "-m", "a tag", "2026-01-31", "HEAD~1")
    for when, expected in (("HEAD", 1), ("main~1", 0), (two_days[0][:8], 0), ("2026-01-31", 0)):
        assert at(repo, when).commit.oid == two_days[expected]
    assert lane(at(repo, "main")) == "in_progress"
    assert lane(at(repo, "main~1")) == "claimed"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-01-10", 0),
        ("2026-01-10T12:00:00Z", 0),
        ("2026-01-10T13:00:00+01:00", 0),
        ("2026-01-11", 0),
        ("2026-01-12", 1),
        ("2026-01-12T00:30:00Z", 1),
        ("2026-01-12T00:29:59.9Z", 0),
    ],
)
def test_a_date_is_the_newest_commit_by_then(
    repo: GitRepo, two_days: tuple[str, str], when: str, expected: int
) -> None:
    assert at(repo, when).commit.oid == two_days[expected]


def test_a_date_follows_the_line_of_first_parents(repo: GitRepo, two_days: tuple[str, str]) -> None:
    repo.git("checkout", "-q", "-b", "work", "HEAD~1")
    commit(repo, "work", "2026-01-13T00:00:00Z", b"{}\n", path="kitty-specs/2/status.events.jsonl")
    repo.switch("main")
    repo.git("merge", "-q", "--no-edit", "work", environment={"GIT_COMMITTER_DATE": "2026-01-14T00:00:00Z"})

    assert at(repo, "2026-01-13").commit.oid == two_days[1]
    assert at(repo, "2026-01-14").commit.oid == repo.git("rev-parse", "HEAD")


@pytest.mark.usefixtures("two_days")
def test_what_is_neither_revision_nor_date_and_what_lies_before_everything_is_said(repo: GitRepo) -> None:
    for when in ("nowhere", "-x", "2026-02-30", "2026-01-10T12:00:00", "yesterday", "", "20260110"):
        with pytest.raises(UsageError, match="no revision that git knows, and no date"):
            at(repo, when)
    for when in ("2026-01-09", "1969-12-31T00:00:00Z"):
        with pytest.raises(NotFoundError, match="as old as"):
            at(repo, when)


def test_before_the_first_commit_and_outside_a_repository_there_is_no_past(repo: GitRepo, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="as old as 2026-01-09"):
        at(repo, "2026-01-09")
    with pytest.raises(OutsideRepositoryError, match="no git repository"):
        past_at(Project(tmp_path), "HEAD")


@pytest.mark.usefixtures("two_days")
def test_features_are_the_folders_of_that_commit(repo: GitRepo) -> None:
    repo.write("kitty-specs/002-no-log/spec.md", "x")
    repo.write("kitty-specs/readme.md", "x")
    repo.commit()
    repo.git("rm", "-rq", "kitty-specs/001-feature")
    repo.commit()

    assert [(each.slug, not each.files) for each in at(repo, "HEAD~1").features()] == [
        ("001-feature", False),
        ("002-no-log", True),
    ]
    assert [data for _, data in at(repo, "HEAD~1").contents(at(repo, "HEAD~1").features())] == [b"", CLAIM + START]
    with pytest.raises(NotFoundError, match="there is no feature 001 in kitty-specs of "):
        at(repo, "HEAD").feature("001")


@pytest.mark.usefixtures("two_days")
def test_in_a_project_below_the_top_its_own_features_are_meant(repo: GitRepo) -> None:
    commit(repo, "web", "2026-01-20T00:00:00Z", CLAIM, path=f"web/{LOG}")

    past = past_at(Project(repo.path / "web"), "HEAD")

    assert [feature.path for feature in past.features()] == [f"web/{LOG}"]


@pytest.mark.usefixtures("two_days")
def test_damage_of_the_past_is_named_with_its_commit(repo: GitRepo) -> None:
    commit(repo, "damage", "2026-01-20T00:00:00Z", b"oops\n")
    commit(repo, "in flight", "2026-01-20T00:00:00Z", b'{"event_id')

    past = at(repo, "HEAD~1")
    with pytest.raises(StoreError, match="Line 3: invalid JSON: oops") as caught:
        lane(past)
    assert f"`git show {past.commit.short}:{LOG}`" in caught.value.hint


@pytest.mark.usefixtures("two_days")
def test_in_a_partial_clone_what_is_not_here_is_said(repo: GitRepo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    url = f"file://{repo.path}"
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", url, str(tmp_path / "part")], check=True)

    with pytest.raises(NotFoundError, match="is not in this clone"):
        lane(at(GitRepo(tmp_path / "part"), "HEAD~1"))
    assert lane(at(GitRepo(tmp_path / "part"), "HEAD")) == "in_progress"


def test_a_shallow_clone_warns_that_a_line_may_be_older(
    repo: GitRepo, two_days: tuple[str, str], tmp_path: Path
) -> None:
    url = f"file://{repo.path}"
    subprocess.run(["git", "clone", "-q", "--depth=1", url, str(tmp_path / "shallow")], check=True)
    project = Project(tmp_path / "shallow")
    past = past_at(project, "HEAD")
    ((feature, data),) = past.contents([past.feature("001")])
    assert past.reduce(feature, data, None).event_count == 2

    class Event:
        line = CLAIM.rstrip(b"\n")

    brought = brought_by(project, project.feature("001"), [Event()])  # type: ignore[list-item]

    commit_of = brought.commit_of(Event())  # type: ignore[arg-type]
    assert commit_of is not None
    assert commit_of.oid == two_days[1]
    assert brought.warnings == [
        f"this clone is shallow: {commit_of.short} is its edge, and what it seems to have brought may be older"
    ]


def test_commits_without_common_history_have_no_merge_base(repo: GitRepo, two_days: tuple[str, str]) -> None:
    repo.git("checkout", "-q", "--orphan", "alone")
    alone = repo.commit_empty()
    with pytest.raises(NotFoundError, match="no common history"):
        merge_base(alone, two_days[0], cwd=str(repo.path))
    assert merge_base(two_days[1], two_days[0], cwd=str(repo.path)) == two_days[0]
    with pytest.raises(NotFoundError, match="there is no commit nowhere in this clone"):
        resolve("nowhere", cwd=str(repo.path))
