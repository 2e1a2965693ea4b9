"""`convert` as a command: what it says, commits and refuses, and every other command afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in, tree
from events import instant, line, ulid
from kitty_status.tracker import convert as converting

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

SHARDS = f"{FOLDER}/status.events.d"
SHARED = f"{SHARDS}/shared.jsonl"
OTHER = "kitty-specs/002-other"


def ready(repo: GitRepo) -> GitRepo:
    """Return the repository with two features of two and one committed events."""
    feature_in(repo)
    repo.write(f"{OTHER}/status.events.jsonl", line(feature_slug="002-other"))
    repo.commit()
    emit(repo.path, "WP01", "claimed", "--commit")
    emit(repo.path, "WP02", "claimed", "--commit")
    return repo


def converted(repo: GitRepo, *args: str) -> None:
    answer = ask(repo.path, "convert", *args)
    assert answer.code == 0, answer


def told(repo: GitRepo) -> list[object]:
    """Return what is said of the work, but for where the log lies."""
    show = ask(repo.path, "show", SLUG, "--json").data
    return [{**show, "path": None}, ask(repo.path, "log", SLUG, "--json").data]


def test_it_says_what_it_did_and_how_to_commit_that(repo: GitRepo) -> None:
    ready(repo)
    answer = ask(repo.path, "convert", SLUG, "--to", "per-writer")
    assert answer.out == f"{SLUG}: converted to per-writer, 2 lines from {LOG} to {SHARED}\n"
    step = answer.err.strip().removeprefix("next: ")
    assert step == f"git commit -m 'Give the log of {SLUG} the layout per-writer' -- :/{FOLDER}"
    repo.git("commit", "-q", "-m", "converted", "--", f":/{FOLDER}")
    assert repo.git("status", "--porcelain") == ""
    again = ask(repo.path, "convert", SLUG, "--to", "per-writer")
    assert (again.code, again.out, again.err) == (0, f"{SLUG}: has the layout per-writer already\n", "")


def test_a_dry_run_says_the_same_and_writes_nothing(repo: GitRepo) -> None:
    ready(repo)
    before = tree(repo.path)
    answer = ask(repo.path, "convert", SLUG, "--to", "per-writer", "--dry-run", "--commit")
    assert answer.out == f"{SLUG}: would be converted to per-writer, 2 lines from {LOG} to {SHARED}\n"
    assert tree(repo.path) == before


def test_json_holds_each_feature(repo: GitRepo) -> None:
    ready(repo)
    answer = ask(repo.path, "convert", "--all", "--to", "per-writer", "--commit", "--json")
    assert answer.envelope["kind"] == "convert"
    assert answer.data[0] == {
        "feature": SLUG,
        "layout": "per-writer",
        "is_needed": True,
        "lines": 2,
        "written": SHARED,
        "removed": [LOG],
        "dry_run": False,
        "commit": repo.git("rev-parse", "HEAD~1"),
    }
    assert [each["feature"] for each in answer.data] == [SLUG, "002-other"]
    assert answer.envelope["next"] == []
    assert "new logs still get the layout single" in answer.envelope["warnings"][0]
    again = ask(repo.path, "convert", SLUG, "--to", "per-writer", "--json").data[0]
    assert (again["is_needed"], again["written"], again["removed"], again["commit"]) == (False, None, [], None)


@pytest.mark.parametrize("staged", [True, False])
def test_commit_takes_exactly_the_conversion(repo: GitRepo, staged: bool) -> None:
    ready(repo)
    repo.write("code.py", "staged\n")
    if staged:
        repo.git("add", "code.py")
    converted(repo, SLUG, "--to", "per-writer", "--commit")
    assert repo.git("status", "--porcelain") == ("A  code.py" if staged else "?? code.py")
    changed = repo.git("show", "--format=%s", "--name-status", "-M", "HEAD").splitlines()
    assert changed == [
        f"Give the log of {SLUG} the layout per-writer",
        "",
        f"R100\t{LOG}\t{SHARED}",
        f"M\t{SNAPSHOT}",
    ]


def test_commit_refuses_to_take_other_changes_along(repo: GitRepo) -> None:
    ready(repo)
    repo.write(f"{FOLDER}/spec.md", "about\n")
    repo.commit()
    repo.write(f"{FOLDER}/spec.md", "changed\n")
    before = tree(repo.path / "kitty-specs")
    answer = ask(repo.path, "convert", SLUG, "--to", "per-writer", "--commit")
    assert (answer.code, "other uncommitted changes" in answer.err) == (2, True)
    assert tree(repo.path / "kitty-specs") == before


@pytest.mark.parametrize("layout", ["per-writer", "single"])
def test_commit_finishes_what_a_killed_call_left_behind(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    ready(repo)
    if layout == "single":
        ask(repo.path, "convert", SLUG, "--to", "per-writer", "--commit")
    with monkeypatch.context() as patch:
        patch.setattr(converting, "_write_index", lambda *_: None)
        assert ask(repo.path, "convert", SLUG, "--to", layout).code == 0
    answer = ask(repo.path, "convert", SLUG, "--to", layout, "--commit")
    assert (answer.code, "committed as" in answer.out) == (0, True), answer
    assert repo.git("status", "--porcelain") == ""


def test_all_takes_archived_features_and_passes_over_folders_without_a_log(repo: GitRepo) -> None:
    ready(repo)
    (repo.path / "kitty-specs/003-empty").mkdir()
    assert ask(repo.path, "archive", "002-other", "--commit").code == 0
    converted(repo, "--all", "--to", "per-writer")
    assert (repo.path / "kitty-specs/.archive/002-other/status.events.d/shared.jsonl").exists()
    assert (repo.path / SHARED).exists()
    assert ask(repo.path, "validate", "--all").code == 0


@pytest.mark.parametrize("named", [SLUG, "001", FOLDER, f"{FOLDER}/", LOG, SNAPSHOT, f"./{FOLDER}/status.events.jsonl"])
def test_a_feature_may_be_named_in_any_way(repo: GitRepo, named: str) -> None:
    ready(repo)
    converted(repo, named, "--to", "per-writer")
    assert (repo.path / SHARED).exists()


@pytest.mark.parametrize("named", [SHARDS, SHARED, f"{SHARDS}/"])
def test_a_divided_log_may_be_named_by_its_folder_or_a_file(repo: GitRepo, named: str) -> None:
    ready(repo)
    converted(repo, SLUG, "--to", "per-writer")
    converted(repo, named, "--to", "single")
    assert (repo.path / LOG).exists()


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ((SLUG,), 2, "--to"),
        ((SLUG, "--to", "both"), 2, "per-writer"),
        (("--all", SLUG, "--to", "single"), 2, "exclude each other"),
        (("009-none", "--to", "single"), 4, "009-none"),
        (("003-empty", "--to", "single"), 4, "no log yet"),
    ],
)
def test_what_cannot_be_understood_is_refused(repo: GitRepo, args: tuple[str, ...], code: int, says: str) -> None:
    ready(repo)
    (repo.path / "kitty-specs/003-empty").mkdir()
    answer = ask(repo.path, "convert", *args)
    assert (answer.code, says in answer.err) == (code, True), answer


def test_a_damaged_log_stops_it_and_the_error_names_the_line(repo: GitRepo) -> None:
    ready(repo)
    repo.append(LOG, b"<<<<<<< ours\n")
    answer = ask(repo.path, "convert", SLUG, "--to", "per-writer", "--json")
    assert (answer.code, answer.error["code"], answer.error["context"]["line"]) == (7, "damaged", 3)
    assert (repo.path / LOG).exists()


def test_a_damaged_log_among_several_stops_all_before_anything_is_written(repo: GitRepo) -> None:
    ready(repo)
    repo.append(f"{OTHER}/status.events.jsonl", b"<<<<<<< ours\n")
    before = tree(repo.path / "kitty-specs")
    answer = ask(repo.path, "convert", "--all", "--to", "per-writer", "--commit")
    assert (answer.code, "002-other" in answer.err) == (7, True)
    assert tree(repo.path / "kitty-specs") == before
    assert repo.git("status", "--porcelain") == f" M {OTHER}/status.events.jsonl"


def test_outside_git_it_converts_and_has_nothing_to_commit(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.parent.mkdir(parents=True)
    log.write_bytes(line())
    answer = ask(tmp_path, "convert", SLUG, "--to", "per-writer")
    assert (answer.code, answer.err) == (0, "")
    assert (tmp_path / SHARED).read_bytes() == line()
    assert ask(tmp_path, "convert", SLUG, "--to", "single", "--commit").code == 2
    assert ask(tmp_path, "convert", SLUG, "--to", "single").code == 0
    assert log.read_bytes() == line()


@pytest.mark.parametrize("back", [False, True], ids=["divided", "and back"])
def test_every_command_goes_on_afterwards(repo: GitRepo, back: bool) -> None:
    ready(repo)
    before = told(repo)
    converted(repo, SLUG, "--to", "per-writer", "--commit")
    if back:
        converted(repo, SLUG, "--to", "single", "--commit")
    assert told(repo) == before
    emit(repo.path, "WP03", "claimed", "--commit")
    assert (repo.path / LOG).exists() == back
    for args in (
        ("validate", "--all"),
        ("audit",),
        ("materialize", SLUG, "--check"),
        ("show", SLUG),
        ("show", SLUG, "--at", "HEAD"),
        ("show", SLUG, "--worktrees"),
        ("worktrees",),
        ("log", SLUG, "--blame"),
        ("diff", "HEAD~2"),
        ("reconcile-journal",),
    ):
        answer = ask(repo.path, *args)
        assert answer.code == 0, (args, answer)
    assert repo.git("status", "--porcelain") == ""


def test_blame_names_the_commits_of_before_a_conversion(repo: GitRepo) -> None:
    ready(repo)
    commits = repo.git("rev-list", "--reverse", "HEAD").splitlines()[1:]
    converted(repo, SLUG, "--to", "per-writer", "--commit")
    emit(repo.path, "WP03", "claimed", "--commit")
    told = ask(repo.path, "log", SLUG, "--blame").out.splitlines()
    assert [each[:7] for each in told] == [commit[:7] for commit in [*commits, repo.git("rev-parse", "HEAD")]]


def test_the_configuration_decides_for_new_logs_alone(repo: GitRepo) -> None:
    ready(repo)
    repo.write(".kittify/config.yaml", "status:\n  layout: per-writer\n")
    assert ask(repo.path, "convert", "--all", "--to", "per-writer", "--json").envelope["warnings"] == []
    (repo.path / "kitty-specs/003-new").mkdir()
    answer = ask(repo.path, "emit", "WP01", "--to", "claimed", "--actor", "ada", "--feature", "003-new", "--json")
    assert answer.code == 0
    assert [path.parent.name for path in (repo.path / "kitty-specs/003-new").rglob("*.jsonl")] == ["status.events.d"]


def test_an_event_that_was_converted_uncommitted_can_still_be_dropped(repo: GitRepo) -> None:
    ready(repo)
    event_id = emit(repo.path, "WP07", "claimed", "--json").data["event"]["event_id"]
    converted(repo, SLUG, "--to", "per-writer")
    answer = ask(repo.path, "discard", event_id, "--reason", "a mistake", "--json")
    assert answer.data["logs"] == [str(repo.path / SHARED)]
    assert answer.envelope["next"] == [f"git -C {repo.path / SHARDS} add -- shared.jsonl"]
    assert b"WP07" not in repo.read(SHARED) + repo.read(SNAPSHOT)
    assert ask(repo.path, "reconcile-journal", "--json").data["restored"] == []


def test_a_dropped_event_of_a_divided_log_leaves_the_exact_snapshot(repo: GitRepo) -> None:
    ready(repo)
    converted(repo, SLUG, "--to", "per-writer", "--commit")
    event_id = emit(repo.path, "WP07", "claimed", "--json").data["event"]["event_id"]
    assert ask(repo.path, "discard", event_id, "--reason", "a mistake").code == 0
    assert ask(repo.path, "materialize", SLUG, "--check").code == 0
    assert json.loads(repo.read(SNAPSHOT))["event_count"] == 2
    assert sorted(path.suffix for path in (repo.path / SHARDS).iterdir()) == [".jsonl", ".jsonl"]


def test_events_of_the_same_moment_keep_their_order_in_both_layouts(repo: GitRepo) -> None:
    lines = [line(event_id=ulid(number), wp_id=f"WP{number:02}", at=instant(1)) for number in (3, 1, 2)]
    feature_in(repo, b"".join(lines))
    before = ask(repo.path, "log", SLUG).out
    converted(repo, SLUG, "--to", "per-writer")
    assert ask(repo.path, "log", SLUG).out == before


def test_a_missing_layout_is_said_in_one_line_with_the_choices(repo: GitRepo) -> None:
    answer = ask(repo.path, "convert")
    assert (answer.code, answer.err.splitlines()[0]) == (
        2,
        "error: Missing option '--to'. Choose from: single, per-writer",
    )
