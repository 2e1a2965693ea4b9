"""Views that git could not merge: what is generated is made anew, what people wrote is left to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import ask
from features import FEATURE, LOG, SNAPSHOT, event_line, numbers_in, record, uninstall
from kitty_status import materialize
from viewed import (
    MARKER,
    OVERVIEW,
    assert_both_texts,
    assert_current,
    conflicted,
    diverge,
    edit,
    file_of,
    viewed_repo,
    views_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo


pytestmark = pytest.mark.usefixtures("any_slug")


@pytest.fixture
def parted(tmp_path: Path) -> GitRepo:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    diverge(repo)
    uninstall(repo)
    return repo


def resolved(repo: GitRepo, *options: str) -> dict[str, object]:
    answer = ask(repo.path, "resolve", *options, "--json")
    assert answer.code == 0, answer.err
    [data] = answer.data
    return {**data, "warnings": answer.envelope["warnings"]}


@pytest.mark.parametrize("command", ["merge --no-edit theirs", "merge --squash theirs", "cherry-pick theirs~2"])
def test_what_is_generated_is_made_from_the_mended_log_and_staged(parted: GitRepo, command: str) -> None:
    parted.run(*command.split())
    assert OVERVIEW in conflicted(parted)

    planned = resolved(parted, "--dry-run")
    assert MARKER in parted.read(OVERVIEW)
    done = resolved(parted)

    assert conflicted(parted) == []
    assert (OVERVIEW in planned["staged"], OVERVIEW in done["staged"]) == (True, True)  # type: ignore[operator]
    assert set(planned["staged"]) <= set(done["staged"])  # type: ignore[call-overload]
    assert done["warnings"] == []
    assert parted.git("diff", "--name-only") == ""
    assert_current(parted)
    if command.startswith("merge"):
        assert_both_texts(parted)
    assert resolved(parted, f"./{FEATURE}")["is_needed"] is False


def test_a_view_alone_is_found_without_naming_its_feature(parted: GitRepo) -> None:
    parted.merge("theirs")
    parted.write(LOG, b"".join(event_line(number) for number in (1, 2, 4, 6, 3, 5)))
    parted.git("checkout", "-q", "--ours", "--", SNAPSHOT)
    materialize(parted.path / FEATURE)
    parted.git("add", "--", LOG, SNAPSHOT)
    assert conflicted(parted) == [OVERVIEW]
    # What was generated has no markers any more.
    assert MARKER not in parted.read(OVERVIEW)

    assert OVERVIEW in resolved(parted)["staged"]  # type: ignore[operator]
    assert conflicted(parted) == []
    assert set(numbers_in(parted.read(LOG))) == {1, 2, 3, 4, 5, 6}


def test_what_people_wrote_on_both_sides_is_left_to_them_and_said(parted: GitRepo) -> None:
    edit(parted, OVERVIEW, "line 2\n", "line 2 ours\n")
    parted.git("commit", "-q", "-a", "-m", "ours")
    parted.merge("theirs")

    done = resolved(parted)

    assert conflicted(parted) == [OVERVIEW]
    assert f"{OVERVIEW} is not merged: people's text conflicts" in str(done["warnings"])
    assert b"<<<<<<< HEAD\nline 2 ours\n" in parted.read(OVERVIEW)


def test_what_somebody_has_begun_to_edit_is_left_to_them(parted: GitRepo) -> None:
    parted.merge("theirs")
    edit(parted, OVERVIEW, "line 6\n", "line 6, being merged by hand\n")

    done = resolved(parted)

    assert conflicted(parted) == [OVERVIEW]
    assert "it has been edited" in str(done["warnings"])
    assert b"being merged by hand" in parted.read(OVERVIEW)


def test_what_somebody_has_settled_otherwise_is_left_to_them(parted: GitRepo) -> None:
    parted.merge("theirs")
    parted.write(OVERVIEW, "# All new\n")

    done = resolved(parted)

    assert conflicted(parted) == [OVERVIEW]
    assert "its markers are gone" in str(done["warnings"])


def test_the_spoilt_file_is_kept(parted: GitRepo) -> None:
    parted.merge("theirs")
    wreck = parted.read(OVERVIEW)

    kept = resolved(parted)["kept"]

    assert isinstance(kept, list)
    assert wreck in [(parted.path / path).read_bytes() for path in kept]


def test_a_lane_that_both_sides_moved_is_the_one_of_the_merged_log(tmp_path: Path) -> None:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    for name, event in (("theirs", 5), ("ours", 9)):
        repo.git("checkout", "-q", "-b", name, "main")
        record(repo, event)
    uninstall(repo)
    repo.merge("theirs")
    assert file_of("WP01") in conflicted(repo)

    resolved(repo)

    assert conflicted(repo) == []
    assert_current(repo)


def test_a_file_that_one_side_took_away_is_for_a_person(parted: GitRepo) -> None:
    parted.git("rm", "-q", file_of("WP03"))
    parted.git("commit", "-q", "-m", "gone")
    parted.merge("theirs")

    done = resolved(parted)

    assert conflicted(parted) == [file_of("WP03")]
    assert "one side has taken the file away" in str(done["warnings"])


@pytest.mark.parametrize("setting", ["status:\n  views: off\n", "status:\n  nonsense: 1\n"])
def test_where_there_are_no_views_the_files_are_people_s(parted: GitRepo, setting: str) -> None:
    parted.merge("theirs")
    before = views_of(parted)
    parted.write(".kittify/config.yaml", setting)

    ask(parted.path, "resolve", "--dry-run")

    assert views_of(parted) == before
