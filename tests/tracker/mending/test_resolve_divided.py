"""A log in one file for each writer, or in both layouts, is mended file by file: nothing is lost, nothing doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import ask, tree
from events import line, ulid
from features import FEATURE, LOG, SNAPSHOT, content_of, event_line, log_of, numbers_in
from gitrepo import GitRepo
from kitty_status import materialize
from kitty_status.status.layout import SHARDS_FOLDER, SHARDS_PLACEHOLDER
from wrecks import (
    ADA,
    BOB,
    BY_WRITER,
    DAMAGE,
    DIVIDED_BY_THEM,
    DIVIDED_BY_US,
    FAILING,
    HOWS,
    PATH,
    PUT_TOGETHER_BY_THEM,
    SHARDS,
    SHARED,
    assert_committed,
    conflict,
    damaged,
    log_files,
    numbers,
    originals,
    record_in,
    refusal,
    resolve,
    two_branches,
)

pytestmark = pytest.mark.usefixtures("any_slug")

# The newer strategy of some versions of git follows renames whatever it is told.
NO_RENAMES = ("--strategy=recursive", "-Xno-renames")
SOUND = {SHARED: (1, 3), ADA: (2, 6), BOB: (5,)}


def divided(folder: Path, files: dict[str, tuple[int, ...]] = SOUND) -> GitRepo:
    """Return a repository whose one commit has these events in these files."""
    repo = GitRepo.init(folder)
    for path, events in files.items():
        repo.write(path, log_of(*events))
    materialize(repo.path / FEATURE)
    repo.commit("divided")
    return repo


def contents(repo: GitRepo) -> dict[str, tuple[int, ...]]:
    return {path: tuple(numbers_in(data)) for path, data in log_files(repo).items()}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("staged", [False, True], ids=["unmerged", "staged"])
def test_a_file_that_both_sides_wrote_to_is_mended_and_those_of_others_stay(
    tmp_path: Path, how: str, staged: bool
) -> None:
    repo = two_branches(tmp_path / "repo", how, layout=BY_WRITER)
    conflict(repo, "merge", "theirs")
    wreck = repo.read(SHARED)
    if staged:
        repo.git("add", "-A")

    done = resolve(repo)

    assert contents(repo) == {ADA: (2, 6), BOB: (5,), SHARED: (1, 3, 4)}
    assert originals(repo) == [wreck]
    assert done["path"] == SHARDS
    assert {each["path"] for each in done["changes"]} == {SHARED}
    assert done["staged"] == [ADA, BOB, SHARED, SNAPSHOT]
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_without_names_the_feature_of_an_unmerged_file_is_meant_and_each_change_names_its_file(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", "merge", layout=BY_WRITER)
    conflict(repo, "merge", "theirs")
    answer = ask(repo.path, "resolve")
    said = answer.out.splitlines()
    assert said[:2] == [
        f"{SHARDS}: resolved",
        "  status.events.d/shared.jsonl: marker removed, line 2: <<<<<<< HEAD",
    ]
    assert f"  staged: {ADA}, {BOB}, {SHARED}, {SNAPSHOT}" in said


@pytest.mark.parametrize("missing", [(ADA,), (ADA, BOB), (SHARED, ADA, BOB)])
@pytest.mark.parametrize("where", ["HEAD", "the index", "main"])
def test_a_file_that_is_missing_comes_back_from_what_git_has_of_it(
    tmp_path: Path, missing: tuple[str, ...], where: str
) -> None:
    # The order within a file is not that of time: it comes back as it was.
    repo = divided(tmp_path / "repo", SOUND | {ADA: (6, 2)})
    whole = log_files(repo)
    if where == "the index":
        repo.git("update-ref", "-d", "HEAD")
    elif where == "main":
        repo.branch("without")
        repo.git("rm", "-q", "--cached", *missing)
        repo.git("commit", "-q", "-m", "without")
        repo.git("reflog", "expire", "--expire=now", "--all")
    for path in missing:
        (repo.path / path).unlink()

    done = resolve(repo, *(["--from", "main"] if where == "main" else []))

    assert log_files(repo) == whole
    assert {(each["path"], each["source"]) for each in done["changes"]} == {(path, where) for path in missing}
    assert done["kept"] == []


def test_a_file_of_the_branch_that_is_merged_comes_back_from_its_stage_and_from_merge_head(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING, layout=BY_WRITER)
    conflict(repo, "merge", "theirs")
    repo.git("rm", "-q", "-f", BOB)
    assert {each["source"] for each in resolve(repo)["changes"] if each["path"] == BOB} == {"MERGE_HEAD"}
    assert contents(repo)[BOB] == (5,)

    repo = two_branches(tmp_path / "other", FAILING, layout=BY_WRITER | {1: LOG, 4: ADA, 3: ADA})
    conflict(repo, "merge", "theirs")
    (repo.path / ADA).unlink()
    resolve(repo)
    assert sorted(contents(repo)[ADA]) == [2, 3, 4, 6]


def test_an_acknowledged_event_comes_back_from_the_journal_into_the_file_it_was_written_to(repo: GitRepo) -> None:
    repo.write(".kittify/config.yaml", "status:\n  layout: per-writer\n")
    (repo.path / "kitty-specs/001-feature").mkdir(parents=True)
    repo.commit_empty()
    for wp in ("WP01", "WP02"):
        assert ask(repo.path, "emit", wp, "--to", "claimed", "--actor", "ada", "-f", "001-feature").code == 0
    [file] = repo.path.glob("kitty-specs/001-feature/status.events.d/*.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.index(b"\n") + 1])
    done = ask(repo.path, "resolve", "001-feature", "--json").data[0]
    assert [(each["source"], each["path"]) for each in done["changes"]] == [
        ("the journal", file.relative_to(repo.path).as_posix())
    ]
    assert file.read_bytes() == whole


@pytest.mark.parametrize("layout", ["single", "per-writer"])
def test_a_conversion_that_is_not_committed_takes_no_line_away(tmp_path: Path, layout: str) -> None:
    repo = divided(tmp_path / "repo", {LOG: (2, 1, 3)} if layout == "per-writer" else SOUND)
    assert ask(repo.path, "convert", PATH, "--to", layout).code == 0
    before = tree(repo.path / FEATURE)
    assert resolve(repo)["is_needed"] is False
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "converted")
    done = resolve(repo, "--from", "HEAD^")
    assert (done["is_needed"], done["elsewhere"]) == (False, [])
    assert tree(repo.path / FEATURE) == before


@pytest.mark.parametrize(("layout", "file"), [("per-writer", SHARED), ("single", LOG)])
def test_lines_that_were_lost_since_a_conversion_come_back_into_the_layout_of_today(
    tmp_path: Path, layout: str, file: str
) -> None:
    repo = divided(tmp_path / "repo", {LOG: (2, 1, 3)} if layout == "per-writer" else {ADA: (2, 3), SHARED: (1,)})
    assert ask(repo.path, "convert", PATH, "--to", layout).code == 0
    repo.write(file, log_of(2, 9))
    assert {each["source"] for each in resolve(repo)["changes"]} <= {"HEAD", "the index"}
    assert list(contents(repo)) == [file]
    assert contents(repo)[file] in {(2, 9, 1, 3), (2, 1, 3, 9)}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("options", [(), NO_RENAMES], ids=["renames", "no renames"])
@pytest.mark.parametrize("layout", [DIVIDED_BY_THEM, DIVIDED_BY_US, PUT_TOGETHER_BY_THEM])
def test_a_merge_of_two_layouts_holds_each_event_of_both(
    tmp_path: Path, how: str, options: tuple[str, ...], layout: dict[int, str]
) -> None:
    repo = two_branches(tmp_path / "repo", how, layout=layout)
    conflict(repo, "merge", *options, "theirs")
    # git may have kept the file that one side has given up, beside the lines that moved.
    wreck = b"".join(log_files(repo).values())

    done = resolve(repo)

    found = numbers(repo)
    assert set(found) == {1, 2, 3, 4, 5, 6}
    assert all(found.count(number) <= max(1, wreck.count(event_line(number))) for number in found)
    assert done["staged"][-1] == SNAPSHOT
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_a_picked_conversion_brings_nothing_but_its_own_lines(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING, layout=DIVIDED_BY_THEM)
    conflict(repo, "cherry-pick", *NO_RENAMES, "theirs~2")
    resolve(repo)
    assert set(numbers(repo)) == {1, 2, 4, 6}


def test_a_file_that_git_has_put_beside_the_log_goes_once_its_lines_stand_in_the_log(tmp_path: Path) -> None:
    files = {SHARED: tuple(range(10, 30))}
    repo = divided(tmp_path / "repo", files)
    repo.branch("theirs")
    assert ask(repo.path, "convert", PATH, "--to", "single").code == 0
    # Whoever puts a log together by hand leaves nothing in the folder, and git takes it for renamed.
    repo.git("rm", "--quiet", "--force", f"{FEATURE}/{SHARDS_FOLDER}/{SHARDS_PLACEHOLDER}")
    repo.commit("put together")
    repo.switch("main")
    record_in(repo, {2: ADA}, 2)
    assert repo.run("merge", "theirs").returncode
    astray = f"{FEATURE}/ada.jsonl"
    assert repo.read(astray) == log_of(2)
    repo.append(astray, event_line(3))
    said = ask(repo.path, "resolve", PATH, "--dry-run").out.splitlines()
    assert f"  {astray} would go: its lines belong into {LOG} and stand there" in said

    done = resolve(repo)

    assert done["misplaced"] == [astray]
    assert set(contents(repo)[LOG]) == {2, 3, *range(10, 30)}
    assert not (repo.path / astray).exists()
    assert log_of(2, 3) in originals(repo)
    assert_committed(repo, tmp_path, 2, 3, *range(10, 30))


def test_a_file_beside_the_log_that_somebody_has_committed_there_is_left_alone(tmp_path: Path) -> None:
    repo = divided(tmp_path / "repo", SOUND | {f"{FEATURE}/ada.jsonl": (9,)})
    (repo.path / ADA).unlink()
    done = resolve(repo)
    assert done["misplaced"] == []
    assert repo.read(f"{FEATURE}/ada.jsonl") == log_of(9)
    assert contents(repo) == {ADA: (2, 6), BOB: (5,), SHARED: (1, 3)}


def test_another_file_of_a_writers_name_that_is_only_staged_is_left_alone(tmp_path: Path) -> None:
    repo = divided(tmp_path / "repo")
    repo.write(f"{FEATURE}/shared.jsonl", b'{"something": "else"}\n')
    repo.git("add", "-A")
    (repo.path / ADA).unlink()
    assert resolve(repo)["misplaced"] == []
    assert repo.read(f"{FEATURE}/shared.jsonl") == b'{"something": "else"}\n'


def test_both_layouts_beside_each_other_are_one_log(tmp_path: Path) -> None:
    repo = divided(tmp_path / "repo", {LOG: (1, 2), SHARED: (1, 2, 3), ADA: (4,)})
    before = tree(repo.path / FEATURE)
    assert resolve(repo)["is_needed"] is False
    assert tree(repo.path / FEATURE) == before
    repo.write(LOG, log_of(1) + b"oops\n")
    (repo.path / ADA).unlink()
    done = resolve(repo)
    # The second event stands among the shared ones.
    assert contents(repo) == {LOG: (1,), ADA: (4,), SHARED: (1, 2, 3)}
    assert [(each["path"], each["action"]) for each in done["changes"]] == [(LOG, "damaged"), (ADA, "added")]
    assert "  status.events.jsonl: set aside" in ask(_damaged_again(repo), "resolve", PATH, "--dry-run").out


def _damaged_again(repo: GitRepo) -> Path:
    repo.append(LOG, b"oops\n")
    return repo.path


@pytest.mark.parametrize("how", DAMAGE)
def test_each_damaged_file_is_kept_under_a_name_of_its_own(tmp_path: Path, how: str) -> None:
    repo = divided(tmp_path / "repo")
    for path in (ADA, SHARED):
        lines = repo.read(path).splitlines(keepends=True)
        repo.write(path, damaged(lines[0], how) + lines[1])
    wrecks = {path: repo.read(path) for path in (ADA, SHARED)}
    bob = (repo.path / BOB).stat().st_ino

    done = resolve(repo)

    assert {number for number in numbers(repo) if number != 90} == {1, 2, 3, 5, 6}
    kept = {Path(path).name: Path(path).read_bytes() for path in done["kept"] if path.endswith(".original")}
    assert sorted(kept.values()) == sorted(wrecks.values())
    assert [name.rsplit("-", 1)[0] for name in sorted(kept)] == [
        f"{Path(FEATURE).name}-ada",
        f"{Path(FEATURE).name}-shared",
    ]
    assert (repo.path / BOB).stat().st_ino == bob


def test_an_id_with_two_contents_in_two_files_is_named_with_both_places(tmp_path: Path) -> None:
    repo = divided(tmp_path / "repo")
    repo.append(BOB, line(**{**content_of(6), "actor": "somebody else"}))
    [found] = resolve(repo, code=1)["conflicts"]
    assert found == {"event_id": ulid(6), "paths": [ADA, BOB], "lines": [2, 2]}
    said = ask(repo.path, "resolve", PATH).err
    assert f"{BOB}:2: event {ulid(6)} has other content than on line {ADA}:2; both lines are kept" in said


def test_lines_that_history_has_lost_from_any_file_are_named_and_come_back_into_it(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING, layout=BY_WRITER)
    conflict(repo, "merge", "theirs")
    repo.git("rm", "-q", "-f", BOB)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "ours only")
    [held] = resolve(repo)["elsewhere"]
    assert (held["revision"], held["lines"]) == ("HEAD^2", 2)
    resolve(repo, "--from", "HEAD^2")
    assert contents(repo) == {ADA: (2, 6), BOB: (5,), SHARED: (1, 3, 4)}
    assert resolve(repo)["elsewhere"] == []


def test_what_a_branch_was_reset_over_and_what_is_stashed_in_a_writers_file_is_named(tmp_path: Path) -> None:
    repo = divided(tmp_path / "repo")
    record_in(repo, {7: BOB}, 7)
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert [each["revision"] for each in resolve(repo)["elsewhere"]] == ["ORIG_HEAD"]
    repo.append(ADA, event_line(8))
    repo.git("stash", "push", "-q")
    held = {each["revision"]: each["lines"] for each in resolve(repo)["elsewhere"]}
    assert held == {"main@{1}": 1, "stash@{0}": 1}
    resolve(repo, "--from", "stash@{0}", "--from", "main@{1}")
    assert contents(repo) == {ADA: (2, 6, 8), BOB: (5, 7), SHARED: (1, 3)}


@pytest.mark.parametrize("lost", [False, True], ids=["known by a line", "known by its history"])
def test_a_divided_log_that_has_moved_since_is_found_where_it_was(tmp_path: Path, lost: bool) -> None:
    repo = divided(tmp_path / "repo")
    whole = log_files(repo)
    old = repo.git("rev-parse", "HEAD")
    moved = "kitty-specs/archive/034 over"
    (repo.path / "kitty-specs/archive").mkdir()
    repo.git("mv", FEATURE, moved)
    repo.commit("moved")
    repo.write("kitty-specs/other/status.events.d/ada.jsonl", log_of(70))
    (repo.path / moved / "status.json").unlink()
    (repo.path / f"{moved}/status.events.d/bob.jsonl").unlink()
    repo.write(f"{moved}/status.events.d/ada.jsonl", b"")
    repo.write(f"{moved}/status.events.d/shared.jsonl", b"" if lost else log_of(3))
    repo.commit("lost")
    assert ask(repo.path, "resolve", f"./{moved}", "--from", old).code == 0
    for path, data in whole.items():
        found = repo.read(path.replace(FEATURE, moved))
        assert sorted(numbers_in(found)) == sorted(numbers_in(data))


def test_a_plan_is_only_done_while_every_file_is_what_it_was_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = divided(tmp_path / "repo")
    for path in (ADA, SHARED):
        repo.append(path, b"oops\n")
    ada = repo.read(ADA)

    def interfere(*_args: object) -> str:
        repo.write(SHARED, log_of(2))
        return ""

    monkeypatch.setattr("kitty_status.tracker.mending.resolve.keep_aside", interfere)
    answer = ask(repo.path, "resolve", PATH, "--json")
    assert (answer.code, answer.error["code"]) == (6, "busy")
    assert (repo.read(ADA), repo.read(SHARED)) == (ada, log_of(2))


def test_what_a_full_disk_has_stopped_half_way_the_next_call_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = divided(tmp_path / "repo")
    wrecks = {path: repo.read(path) + b"oops\n" for path in (ADA, SHARED)}
    for path, data in wrecks.items():
        repo.write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("kitty_status.tracker.mending.resolve.replace_file", _replaces_one_file_only())
        assert ask(repo.path, "resolve", PATH, "--json").error["code"] == "operating-system"
    assert (repo.read(ADA), repo.read(SHARED)) == (log_of(2, 6), wrecks[SHARED])
    assert sorted(originals(repo)) == sorted(wrecks.values())
    resolve(repo)
    assert contents(repo) == {ADA: (2, 6), BOB: (5,), SHARED: (1, 3)}


def _replaces_one_file_only() -> object:
    written: list[Path] = []

    def replace(path: Path, data: bytes) -> bool:
        if written:
            raise OSError(28, "No space left on device", str(path))
        written.append(path)
        path.write_bytes(data)
        return True

    return replace


def test_a_link_in_place_of_a_writers_file_is_refused(tmp_path: Path) -> None:
    repo = divided(tmp_path / "repo")
    (repo.path / ADA).unlink()
    (repo.path / ADA).symlink_to(repo.path / BOB)
    assert refusal(repo, PATH).error["code"] == "unsafe-log"


def test_a_link_that_git_has_in_place_of_a_writers_file_is_no_log(tmp_path: Path) -> None:
    repo = divided(tmp_path / "repo")
    (repo.path / SHARDS / "eve.jsonl").symlink_to("ada.jsonl")
    repo.commit("a link")
    (repo.path / SHARDS / "eve.jsonl").unlink()
    assert resolve(repo)["is_needed"] is False


def test_outside_git_each_writers_file_is_mended_where_it_lies(tmp_path: Path) -> None:
    files = {ADA: log_of(1) + b"<<<<<<< HEAD\n" + log_of(2), BOB: log_of(3)}
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    answer = ask(tmp_path, "resolve", PATH, "--json")
    assert (answer.code, answer.data[0]["path"]) == (0, str(tmp_path / SHARDS))
    assert (tmp_path / ADA).read_bytes() == log_of(1, 2)
    assert (tmp_path / BOB).read_bytes() == files[BOB]


def test_a_snapshot_that_git_ignores_is_not_staged(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING, layout=BY_WRITER)
    for branch in ("theirs", "ours"):
        repo.switch(branch)
        repo.write(".gitignore", "status.json\n")
        repo.git("rm", "-q", "--cached", SNAPSHOT)
        repo.commit("no snapshots")
        (repo.path / SNAPSHOT).unlink(missing_ok=True)
    conflict(repo, "merge", "theirs")
    assert resolve(repo)["staged"] == [ADA, BOB, SHARED]
    assert SNAPSHOT not in repo.git("ls-files", "-z").split("\0")
