"""A feature is moved on one branch while another branch goes on in the old folder: no line is ever lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import ask
from features import declare, event_line, install, numbers_in
from gitrepo import GitRepo

OLD, NEW = "001-feature", "002-sign-in"
OLD_FOLDER = f"kitty-specs/{OLD}"
PLACES = {"rename": f"kitty-specs/{NEW}", "archive": f"kitty-specs/.archive/{OLD}"}
SPEC = "what it is about\n" * 20


def append(repo: GitRepo, folder: str, *numbers: int) -> None:
    """Append events to a log, materialize, and commit."""
    for number in numbers:
        repo.append(f"{folder}/status.events.jsonl", event_line(number))
    assert ask(repo.path / folder, "materialize").code == 0
    repo.commit(f"events {numbers}")


def move(repo: GitRepo, how: str) -> str:
    """Rename or archive the feature, in a commit of its own, and return where it lies now."""
    args = (OLD, NEW) if how == "rename" else (OLD,)
    answer = ask(repo.path, how, *args, "--commit")
    assert answer.code == 0, answer
    assert repo.git("status", "--porcelain") == ""
    return PLACES[how]


def diverged(repo: GitRepo, how: str, base: list[int], ours: list[int], theirs: list[int]) -> str:
    """Move the feature on main, with `ours` events behind, and record `theirs` in the old folder on a branch."""
    declare(repo)
    install(repo)
    repo.write(f"{OLD_FOLDER}/spec.md", SPEC)
    repo.commit("spec")
    if base:
        append(repo, OLD_FOLDER, *base)
    repo.branch("theirs")
    append(repo, OLD_FOLDER, *theirs)
    repo.switch("main")
    folder = move(repo, how)
    if ours:
        append(repo, folder, *ours)
    return folder


def events_in(repo: GitRepo, folder: str) -> list[int]:
    """Return which events a log holds, in order of their numbers; the row that records a name is none."""
    lines = repo.read(f"{folder}/status.events.jsonl").splitlines(keepends=True)
    return sorted(numbers_in(b"".join(each for each in lines if b'"renamed"' not in each)))


def findings(repo: GitRepo) -> set[str]:
    """Return the codes of all findings but those about single moves: all events of these tests leave one lane."""
    found = ask(repo.path, "validate", "--all", "--json").data
    of_moves = {"competing-moves", "chain-break", "never-current"}
    return {finding["code"] for each in found for finding in each["findings"]} - of_moves


def merge(repo: GitRepo, into: str) -> int:
    repo.switch(into)
    return repo.merge("theirs" if into == "main" else "main")


@pytest.mark.parametrize("into", ["main", "theirs"])
@pytest.mark.parametrize("how", PLACES)
def test_a_log_that_moved_on_one_side_takes_the_lines_of_the_other(repo: GitRepo, how: str, into: str) -> None:
    folder = diverged(repo, how, [*range(10, 20)], [1], [2, 3])
    assert merge(repo, into) == 0
    assert events_in(repo, folder) == [1, 2, 3, *range(10, 20)]
    assert not (repo.path / OLD_FOLDER).exists()
    assert findings(repo) == set()
    assert ask(repo.path, "show", OLD).code == 0


@pytest.mark.parametrize("into", ["main", "theirs"])
@pytest.mark.parametrize("how", PLACES)
def test_a_new_feature_elsewhere_is_not_drawn_into_the_archive(repo: GitRepo, how: str, into: str) -> None:
    folder = diverged(repo, how, [10], [], [11])
    repo.switch("theirs")
    append(repo, "kitty-specs/009-new", 50)
    assert merge(repo, into) == 0
    assert events_in(repo, "kitty-specs/009-new") == [50]
    assert events_in(repo, folder) == [10, 11]


@pytest.mark.parametrize("into", ["main", "theirs"])
@pytest.mark.parametrize("how", PLACES)
def test_a_short_log_that_grew_after_it_moved_is_united_in_the_middle_of_the_merge(
    repo: GitRepo, how: str, into: str
) -> None:
    folder = diverged(repo, how, [10], [*range(20, 40)], [1, 2])
    assert merge(repo, into) == 1
    old_log = f"{OLD_FOLDER}/status.events.jsonl"
    assert old_log in repo.git("diff", "--name-only", "--diff-filter=U").splitlines()
    assert sorted({*events_in(repo, OLD_FOLDER), *events_in(repo, folder)}) == [1, 2, 10, *range(20, 40)]
    found = ask(repo.path, "validate", "--all", "--json").data
    hints = {finding["hint"] for each in found for finding in each["findings"] if finding["code"] == "split-log"}
    assert len(hints) == 1
    command = hints.pop().split("`")[1].split(" ")[1:]
    answer = ask(repo.path, *command)
    assert answer.code == 0, answer
    assert events_in(repo, folder) == [1, 2, 10, *range(20, 40)]
    assert not (repo.path / OLD_FOLDER).exists()
    assert repo.git("diff", "--name-only", "--diff-filter=U") == ""
    repo.git("commit", "-q", "--no-edit")
    assert repo.git("status", "--porcelain") == ""
    assert findings(repo) == set()


@pytest.mark.parametrize("how", PLACES)
def test_a_log_that_was_left_in_two_places_is_reported_and_united_later(repo: GitRepo, how: str) -> None:
    folder = diverged(repo, how, [10], [*range(20, 40)], [1, 2])
    assert merge(repo, "main") == 1
    repo.commit("both kept")
    for name in (OLD, folder.rpartition("/")[2]):
        answer = ask(repo.path, "validate", name)
        assert answer.code == 1
        assert "split-log" in answer.out
        assert "holds events of the same feature" in ask(repo.path, "show", name).err
    command = ("rename", OLD, NEW) if how == "rename" else ("archive", OLD)
    planned = ask(repo.path, *command, "--dry-run", "--json")
    assert planned.data["united"]["lines_gained"] == 2
    assert repo.git("status", "--porcelain") == ""
    done = ask(repo.path, *command, "--commit", "--json")
    assert done.data["united"] == planned.data["united"]
    assert done.data["commit"] == repo.git("rev-parse", "HEAD")
    assert repo.git("status", "--porcelain") == ""
    assert events_in(repo, folder) == [1, 2, 10, *range(20, 40)]
    assert ask(repo.path, "validate", "--all").code == 0
    rows = [each for each in repo.read(f"{folder}/status.events.jsonl").split(b"\n") if b'"renamed"' in each]
    assert len(rows) == (1 if how == "rename" else 0)


@pytest.mark.parametrize("into", ["main", "theirs"])
def test_a_log_that_begins_on_the_other_branch_is_put_where_the_folder_went(repo: GitRepo, into: str) -> None:
    folder = diverged(repo, "rename", [], [], [1, 2])
    assert merge(repo, into) == 1
    assert not (repo.path / OLD_FOLDER).exists()
    assert events_in(repo, folder) == [1, 2]
    assert ask(repo.path, "materialize", NEW).code == 0
    repo.commit("merge")
    assert findings(repo) == set()


def test_a_log_that_began_in_the_old_folder_before_the_rename_belongs_to_the_renamed_one(repo: GitRepo) -> None:
    repo.write(f"{OLD_FOLDER}/spec.md", SPEC)
    repo.commit()
    move(repo, "rename")
    append(repo, OLD_FOLDER, 1)
    assert "split-log" in ask(repo.path, "validate", NEW).out
    assert ask(repo.path, "rename", OLD, NEW).code == 0
    assert events_in(repo, PLACES["rename"]) == [1]


def test_a_new_feature_under_a_name_that_was_given_up_is_another_one(repo: GitRepo) -> None:
    append(repo, OLD_FOLDER, 10)
    move(repo, "rename")
    (repo.path / OLD_FOLDER).mkdir()
    assert ask(repo.path, "emit", "WP01", "--to", "claimed", "--actor", "ada", "-f", OLD).code == 0
    assert "split-log" not in ask(repo.path, "validate", "--all").out
    assert ask(repo.path, "show", OLD).err == ""


def split(repo: GitRepo) -> Path:
    """Leave one feature in two folders, both committed, and return the old one."""
    append(repo, OLD_FOLDER, 10, 11)
    before = repo.read(f"{OLD_FOLDER}/status.events.jsonl")
    move(repo, "rename")
    repo.write(f"{OLD_FOLDER}/status.events.jsonl", before + event_line(12))
    repo.write(f"{OLD_FOLDER}/tasks/WP01.md", "old\n")
    repo.commit("both")
    return repo.path / OLD_FOLDER


def test_uniting_brings_along_what_the_other_folder_lacks_and_leaves_what_differs(repo: GitRepo) -> None:
    old = split(repo)
    repo.write(f"{PLACES['rename']}/spec.md", "new\n")
    repo.write(f"{PLACES['rename']}/same.md", "same\n")
    repo.write(f"{OLD_FOLDER}/spec.md", "old\n")
    repo.write(f"{OLD_FOLDER}/same.md", "same\n")
    answer = ask(repo.path, "rename", OLD, NEW, "--json")
    assert answer.code == 0
    assert answer.data["united"]["left"] == [f"{OLD_FOLDER}/spec.md"]
    assert f"{OLD_FOLDER}/spec.md stays" in answer.envelope["warnings"][0]
    assert [str(path.relative_to(old)) for path in old.rglob("*")] == ["spec.md"]
    assert repo.read(f"{PLACES['rename']}/tasks/WP01.md") == b"old\n"
    assert events_in(repo, PLACES["rename"]) == [10, 11, 12]
    assert "split-log" not in ask(repo.path, "validate", "--all").out


def test_a_folder_and_a_file_in_each_others_way_are_left(repo: GitRepo) -> None:
    old = split(repo)
    repo.write(f"{PLACES['rename']}/tasks", "a file\n")
    (old / "link").symlink_to("nowhere")
    (repo.path / PLACES["rename"] / "link").symlink_to("elsewhere")
    answer = ask(repo.path, "rename", OLD, NEW, "--json")
    assert answer.data["united"]["left"] == [f"{OLD_FOLDER}/link", f"{OLD_FOLDER}/tasks/WP01.md"]


def test_one_event_with_two_contents_is_kept_twice_and_reported(repo: GitRepo) -> None:
    split(repo)
    other = event_line(12).replace(b"actor 12", b"somebody")
    repo.append(f"{PLACES['rename']}/status.events.jsonl", other)
    answer = ask(repo.path, "rename", OLD, NEW, "--json")
    assert answer.code == 1
    assert len(answer.data["united"]["conflicts"]) == 1
    log = repo.read(f"{PLACES['rename']}/status.events.jsonl")
    assert event_line(12) in log
    assert other in log


@pytest.mark.parametrize(("tail", "code"), [(event_line(13)[:-1], 0), (event_line(13)[:50], 7)])
def test_a_last_line_without_its_end_is_completed_or_stops_the_union(repo: GitRepo, tail: bytes, code: int) -> None:
    split(repo)
    repo.append(f"{OLD_FOLDER}/status.events.jsonl", tail)
    before = repo.read(f"{OLD_FOLDER}/status.events.jsonl")
    answer = ask(repo.path, "rename", OLD, NEW, "--json")
    assert answer.code == code
    if code:
        assert answer.error["code"] == "damaged"
        assert repo.read(f"{OLD_FOLDER}/status.events.jsonl") == before
    else:
        assert events_in(repo, PLACES["rename"]) == [10, 11, 12, 13]


def test_two_features_without_a_common_line_are_not_united(repo: GitRepo) -> None:
    append(repo, OLD_FOLDER, 1)
    append(repo, PLACES["rename"], 2)
    answer = ask(repo.path, "rename", OLD, NEW, "--json")
    assert (answer.code, answer.error["code"]) == (5, "target-exists")
    assert repo.git("status", "--porcelain") == ""


def test_a_snapshot_that_only_the_old_folder_had_is_made_anew(repo: GitRepo) -> None:
    split(repo)
    repo.git("rm", "-q", f"{PLACES['rename']}/status.json")
    ask(repo.path, "materialize", OLD)
    repo.commit()
    assert ask(repo.path, "rename", OLD, NEW, "--commit").code == 0
    assert ask(repo.path, "materialize", NEW, "--check").code == 0
    assert repo.git("status", "--porcelain") == ""


def test_uniting_outside_git_works_as_well(tmp_path: Path) -> None:
    folder = GitRepo(tmp_path)
    folder.write(f"{OLD_FOLDER}/status.events.jsonl", event_line(1))
    assert ask(tmp_path, "rename", OLD, NEW).code == 0
    folder.write(f"{OLD_FOLDER}/status.events.jsonl", event_line(1) + event_line(2))
    assert ask(tmp_path, "rename", OLD, NEW).code == 0
    assert events_in(folder, PLACES["rename"]) == [1, 2]


def test_the_new_name_survives_merges_byte_for_byte(repo: GitRepo) -> None:
    folder = diverged(repo, "rename", [*range(10, 20)], [], [1])
    row = [each for each in repo.read(f"{folder}/status.events.jsonl").split(b"\n") if b'"renamed"' in each]
    assert merge(repo, "theirs") == 0
    append(repo, folder, 2)
    assert merge(repo, "main") == 0
    assert row == [each for each in repo.read(f"{folder}/status.events.jsonl").split(b"\n") if b'"renamed"' in each]
    assert ask(repo.path, "show", OLD, "--json").data["former_slugs"] == [OLD]


@pytest.mark.parametrize("how", PLACES)
def test_sync_base_names_the_command_that_unites_what_git_left_in_two_folders(repo: GitRepo, how: str) -> None:
    folder = diverged(repo, how, [10], [*range(20, 40)], [1, 2])
    repo.switch("theirs")
    answer = ask(repo.path, "sync-base", "main", "--json")
    assert answer.code == 5
    command = f"kitty-status rename {OLD} {NEW}" if how == "rename" else f"kitty-status archive {OLD}"
    assert answer.envelope["next"] == [command, "git commit --no-edit"]
    assert answer.data["missing"] == {}
    assert ask(repo.path, *command.split(" ")[1:]).code == 0
    repo.git("commit", "-q", "--no-edit")
    assert events_in(repo, folder) == [1, 2, 10, *range(20, 40)]
    assert findings(repo) == set()


@pytest.mark.parametrize("how", PLACES)
def test_in_a_rebase_the_same_command_ends_each_conflict(repo: GitRepo, how: str) -> None:
    folder = diverged(repo, how, [10], [*range(20, 40)], [1])
    repo.switch("theirs")
    append(repo, OLD_FOLDER, 2)
    code = repo.run("rebase", "main").returncode
    args = ("rename", OLD, NEW) if how == "rename" else ("archive", OLD)
    for _ in range(2):
        assert code == 1
        assert ask(repo.path, *args).code == 0
        code = repo.run("-c", "core.editor=true", "rebase", "--continue").returncode
    assert code == 0
    assert events_in(repo, folder) == [1, 2, 10, *range(20, 40)]
    assert findings(repo) == set()
    assert repo.git("status", "--porcelain") == ""
