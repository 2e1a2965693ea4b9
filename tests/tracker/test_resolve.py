"""Every wreck that git and crashes leave of a log is mended, with the real git: no event is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from commandline import ask, tree
from events import line, ulid
from features import (
    FEATURE,
    LOG,
    SNAPSHOT,
    blob,
    content_of,
    emit,
    event_line,
    install,
    log_of,
    numbers_in,
    record,
    reduction,
)
from gitrepo import GitRepo
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.resolve import plan
from wrecks import DAMAGE, FAILING, HOWS, STYLES, conflict, damaged, merged_how, two_branches

if TYPE_CHECKING:
    from commandline import Answer

# The slug of the feature of these tests is none that may be typed as a name; a path may be.
PATH = f"./{FEATURE}"


@pytest.fixture(autouse=True)
def _safe_slug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitty_status.cli.targets.check_name", lambda _name, _what: None)


def resolve(repo: GitRepo, *args: str, code: int = 0, target: str = PATH) -> Any:
    """Say what would be done, do it, and do it again, which must change nothing; return what was done."""
    before = tree(repo.path / FEATURE)
    announced = ask(repo.path, "resolve", target, *args, "--dry-run", "--json")
    assert tree(repo.path / FEATURE) == before
    answer = ask(repo.path, "resolve", target, *args, "--json")
    assert (announced.code, answer.code) == (code, code), answer
    done, would = answer.data[0], announced.data[0]
    for key in ("changes", "conflicts", "unmerged", "is_needed", "elsewhere"):
        assert done[key] == would[key]
    if done["is_needed"]:
        assert_mended(repo, code)
    after, index = tree(repo.path / FEATURE), repo.git("ls-files", "--stage")
    again = ask(repo.path, "resolve", target, *args, "--json")
    assert again.code == code
    assert again.data[0]["changes"] == []
    assert (tree(repo.path / FEATURE), repo.git("ls-files", "--stage")) == (after, index)
    return done


def assert_mended(repo: GitRepo, code: int = 0) -> None:
    """Hold the work tree to the promise: a log without damage, and its exact snapshot."""
    validated = ask(repo.path, "validate", PATH, "--json")
    codes = {finding["code"] for finding in validated.data[0]["findings"] if finding["severity"] == "error"}
    assert codes & {"damaged-line", "invalid-event", "snapshot-drift"} == set()
    assert ("conflicting-event" in codes) is bool(code)


def numbers(repo: GitRepo) -> list[int]:
    return numbers_in(repo.read(LOG))


def originals(repo: GitRepo) -> list[bytes]:
    folder = Path(repo.git("rev-parse", "--path-format=absolute", "--git-common-dir"), "kitty-status/quarantine")
    return [path.read_bytes() for path in sorted(folder.glob("*.original"))]


def assert_committed(repo: GitRepo, tmp_path: Path, *expected: int) -> None:
    """Commit what is staged, past our own hook, and look at what came of it."""
    install(repo)
    repo.git("-c", "core.editor=true", "commit", "-q", "--no-edit", "-m", "merged")
    assert sorted(numbers_in(blob(repo, LOG))) == list(expected)
    assert blob(repo, SNAPSHOT) == reduction(blob(repo, LOG), tmp_path / "reduced")
    assert repo.git("status", "--porcelain") == ""


def test_nothing_is_done_to_a_sound_log(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    emit(repo, 7)
    before = tree(repo.path)
    answer = ask(repo.path, "resolve", PATH)
    assert answer.code == 0
    assert answer.out.startswith(f"{LOG}: nothing to resolve\n")
    changed = {path for path, data in tree(repo.path).items() if before.get(path) != data}
    assert all(path.startswith(".git/kitty-status") for path in changed)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("shared", [(1, 2), ()], ids=["with a base", "added on both sides"])
def test_a_merge_that_failed_is_mended_staged_and_can_be_committed(
    tmp_path: Path, how: str, shared: tuple[int, ...]
) -> None:
    repo = two_branches(tmp_path / "repo", how, shared=shared)
    conflict(repo, "merge", "theirs")
    wreck = repo.read(LOG)

    done = resolve(repo)

    assert numbers(repo) == sorted([*shared, 3, 4, 5, 6])
    assert done["staged"] == [LOG, SNAPSHOT]
    assert done["unmerged"][0] == LOG
    assert originals(repo) == [wreck]
    assert_committed(repo, tmp_path, *shared, 3, 4, 5, 6)


def test_one_side_that_somebody_has_staged_already_gets_the_other_side_too(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "theirs")
    repo.git("add", "-A")

    done = resolve(repo)

    assert [(each["action"], each["source"]) for each in done["changes"]] == [("added", "MERGE_HEAD")] * 2
    assert done["staged"] == [LOG, SNAPSHOT]
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_a_file_that_is_right_beside_an_index_that_is_not_is_staged(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "theirs")
    repo.git("add", "-A")
    emit(repo, 3, 5)
    done = resolve(repo)
    assert done["changes"] == []
    assert done["staged"] == [LOG, SNAPSHOT]
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("staged", [False, True], ids=["unmerged", "staged"])
@pytest.mark.parametrize("command", [("cherry-pick", "theirs"), ("rebase", "theirs"), ("rebase", "--apply", "theirs")])
def test_a_pick_or_rebase_that_failed_is_mended(
    tmp_path: Path, how: str, command: tuple[str, ...], staged: bool
) -> None:
    repo = two_branches(tmp_path / "repo", how)
    conflict(repo, *command)
    in_file = {number for number in range(1, 7) if event_line(number) in repo.read(LOG)}
    if staged:
        repo.git("add", "-A")

    resolve(repo)

    # Of what was picked only its own line must come; what stands in the file stays.
    own = {1, 2, 4, 6, 5} if command[0] == "cherry-pick" else {1, 2, 3, 5, 4}
    assert set(numbers(repo)) == own | in_file
    assert blob(repo, LOG, "") == repo.read(LOG)


@pytest.mark.parametrize("how", HOWS)
def test_a_stash_that_could_not_be_popped_is_mended(tmp_path: Path, how: str) -> None:
    repo = two_branches(tmp_path / "repo", how)
    repo.switch("theirs")
    emit(repo, 7)
    repo.git("stash", "push", "-q")
    repo.switch("ours")
    conflict(repo, "stash", "pop")
    resolve(repo)
    assert {1, 2, 4, 6, 7} <= set(numbers(repo)) <= set(range(1, 8))


@pytest.mark.parametrize("staged", [False, True], ids=["unmerged", "staged"])
def test_a_squashed_merge_that_failed_is_mended(tmp_path: Path, staged: bool) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "--squash", "theirs")
    if staged:
        repo.git("add", "-A")
    resolve(repo)
    assert numbers(repo) == [1, 2, 3, 4, 5, 6]
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_a_revert_that_conflicts_keeps_every_line(tmp_path: Path) -> None:
    for how in HOWS:
        repo = two_branches(tmp_path / how, how)
        conflict(repo, "revert", "--no-edit", "HEAD~1")
        resolve(repo)
        assert {1, 2, 4, 6} <= set(numbers(repo))


def test_lines_that_a_revert_without_a_commit_took_out_are_put_back(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.git("revert", "--no-commit", "HEAD")
    assert numbers(repo) == [1, 2, 4]
    done = resolve(repo)
    assert numbers(repo) == [1, 2, 4, 6]
    assert done["staged"] == [LOG, SNAPSHOT]
    assert repo.git("diff", "--cached", "--stat") == ""


@pytest.mark.parametrize("style", STYLES)
def test_a_criss_cross_with_markers_in_the_markers_is_mended(tmp_path: Path, style: str) -> None:
    repo = two_branches(tmp_path / "repo", style)
    tips = {name: repo.git("rev-parse", name) for name in ("ours", "theirs")}
    for name, other, number in (("ours", "theirs", 7), ("theirs", "ours", 8)):
        repo.switch(name)
        conflict(repo, "merge", tips[other])
        resolve(repo)
        repo.git("commit", "-q", "-m", "merged")
        record(repo, number)
    conflict(repo, "merge", "ours")
    resolve(repo)
    assert numbers(repo) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_several_hunks_of_markers_are_mended(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, *range(10, 20))
    for name, numbers_of in (("theirs", (1, 21)), ("ours", (2, 22))):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.write(LOG, log_of(numbers_of[0]) + log_of(*range(10, 20)) + log_of(numbers_of[1]))
        repo.commit(name)
    merged_how(repo, "diff3")
    conflict(repo, "merge", "theirs")
    assert repo.read(LOG).count(b"<<<<<<<") == 2
    resolve(repo)
    assert sorted(numbers(repo)) == [1, 2, *range(10, 20), 21, 22]


def test_markers_that_somebody_committed_are_mended_and_the_hook_lets_them_out(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", "diff3")
    conflict(repo, "merge", "theirs")
    repo.commit("with the markers")
    done = resolve(repo)
    assert {each["action"] for each in done["changes"]} == {"marker"}
    assert done["staged"] == []
    repo.git("add", "-A")
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("where", ["file", "HEAD"])
def test_a_damaged_line_is_mended_or_set_aside_and_may_be_committed(tmp_path: Path, how: str, where: str) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    wreck = log_of(1) + damaged(event_line(2), how) + log_of(3)
    repo.write(LOG, wreck)
    if where == "HEAD":
        repo.commit("damaged")

    done = resolve(repo)

    lost = {2} if how == "torn" else set()
    assert numbers(repo) == [each for each in (1, 2, 90, 3) if each not in lost and (each != 90 or how == "glued")]
    assert originals(repo) == [wreck]
    assert all(each["line"] == 2 for each in done["changes"])
    repo.git("add", "-A")
    assert_committed(repo, tmp_path, *sorted(numbers(repo)))


def test_a_row_of_the_wrong_shape_is_set_aside_and_may_be_committed(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    repo.append(LOG, b'{"event_id": "x"}\n' + log_of(2))
    repo.commit("damaged")
    resolve(repo)
    repo.git("add", "-A")
    assert_committed(repo, tmp_path, 1, 2)


def test_an_event_torn_in_the_file_comes_back_whole_from_git(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1, 2, 3)
    repo.write(LOG, log_of(1) + damaged(event_line(2), "torn") + log_of(3))
    done = resolve(repo)
    assert numbers(repo) == [1, 2, 3]
    assert [each["action"] for each in done["changes"]] == ["damaged", "added"]
    kept = [Path(path).read_bytes() for path in done["kept"]]
    assert damaged(event_line(2), "torn") in kept
    assert repo.git("status", "--porcelain") == ""


def test_an_id_with_two_contents_keeps_both_is_reported_and_left_to_a_person(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    other = line(**{**content_of(4), "actor": "somebody else"})
    repo.switch("theirs")
    repo.append(LOG, other)
    repo.commit("the same id")
    repo.switch("ours")
    conflict(repo, "merge", "theirs")

    done = resolve(repo, code=1)

    assert other in repo.read(LOG)
    assert event_line(4) in repo.read(LOG)
    assert [each["event_id"] for each in done["conflicts"]] == [ulid(4)]
    assert done["staged"] == []
    assert repo.git("ls-files", "--unmerged", "--", LOG)
    answer = ask(repo.path, "resolve", PATH)
    assert "has other content than on line" in answer.err
    steps = [step.removeprefix("next: ") for step in answer.err.splitlines() if step.startswith("next: ")]
    assert steps == [f"git add -- ':/{LOG}' ':/{SNAPSHOT}'".replace("it's", "it'\"'\"'s")]
    install(repo)
    repo.git("add", "-A")
    said = repo.run("commit", "-q", "-m", "both").stderr.decode()
    assert "both stand in the history" in said
    assert repo.git("status", "--porcelain") == ""


def test_lost_history_is_found_named_and_brought_back(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "theirs")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "ours only")

    done = resolve(repo)
    assert (done["is_needed"], done["elsewhere"][0]["revision"], done["elsewhere"][0]["lines"]) == (False, "HEAD^2", 2)
    assert len(done["elsewhere"]) == 1
    step = ask(repo.path, "resolve", PATH, "--json").envelope["next"][0]
    assert step.endswith("--from 'HEAD^2'")

    resolve(repo, "--from", "HEAD^2")
    assert numbers(repo) == [1, 2, 3, 4, 5, 6]
    assert resolve(repo)["elsewhere"] == []


def test_lines_that_a_revert_or_an_older_commit_took_out_are_named(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    for number in (1, 2, 3):
        record(repo, number)
    repo.git("revert", "--no-edit", "HEAD")
    assert [each["revision"] for each in resolve(repo)["elsewhere"]] == ["HEAD^1"]
    record(repo, 4)
    repo.git("reflog", "expire", "--expire=now", "--all")
    [held] = resolve(repo)["elsewhere"]
    assert held["commit"] == repo.git("rev-parse", "HEAD~2")
    resolve(repo, "--from", held["revision"])
    assert numbers(repo) == [1, 2, 3, 4]


def test_what_a_branch_was_reset_over_and_what_is_stashed_is_named(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    for number in (1, 2, 3):
        record(repo, number)
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert [each["revision"] for each in resolve(repo)["elsewhere"]] == ["ORIG_HEAD"]
    repo.append(LOG, log_of(7))
    repo.git("stash", "push", "-q")
    held = {each["revision"]: each["lines"] for each in resolve(repo)["elsewhere"]}
    assert held == {"main@{1}": 1, "stash@{0}": 1}
    resolve(repo, "--from", "stash@{0}", "--from", "main@{1}")
    assert numbers(repo) == [1, 2, 3, 7]


def test_work_on_another_branch_is_not_taken_for_lost(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.switch("theirs")
    repo.git("reset", "-q", "--hard", "HEAD")
    repo.switch("ours")
    assert resolve(repo)["elsewhere"] == []


def test_a_log_that_has_moved_since_is_found_where_it_was(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1, 2)
    old = repo.git("rev-parse", "HEAD")
    moved = "kitty-specs/archive/034 over"
    (repo.path / "kitty-specs/archive").mkdir()
    repo.git("mv", FEATURE, moved)
    repo.commit("moved")
    log = f"{moved}/status.events.jsonl"
    repo.write("kitty-specs/other/status.events.jsonl", log_of(9))
    for rest in (log_of(1), b""):
        repo.write(log, rest)
        (repo.path / moved / "status.json").unlink(missing_ok=True)
        repo.commit("lost")
        assert ask(repo.path, "resolve", f"./{moved}", "--from", old).code == 0
        assert numbers_in(repo.read(log)) == [1, 2]


def test_a_merge_in_which_the_other_side_has_moved_the_feature_gets_its_lines(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING, shared=tuple(range(10, 30)))
    repo.switch("theirs")
    (repo.path / "kitty-specs/archive").mkdir()
    repo.git("mv", FEATURE, "kitty-specs/archive/034 over")
    repo.commit("moved")
    assert repo.run("merge", "ours").returncode
    repo.git("add", "-A")
    target = "./kitty-specs/archive/034 over"
    done = ask(repo.path, "resolve", target, "--json").data[0]
    assert {each["source"] for each in done["changes"]} == {"MERGE_HEAD"}
    assert sorted(numbers_in(repo.read(f"{target}/status.events.jsonl"))) == [3, 4, 5, 6, *range(10, 30)]


def test_a_log_that_was_deleted_comes_back(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1, 2)
    (repo.path / LOG).unlink()
    resolve(repo)
    assert numbers(repo) == [1, 2]
    repo.git("rm", "-rq", "--cached", FEATURE)
    for path in (LOG, SNAPSHOT):
        (repo.path / path).unlink()
    (repo.path / FEATURE).rmdir()
    repo.git("commit", "-q", "-m", "gone")
    answer = ask(repo.path, "resolve", PATH, "--from", "HEAD^")
    assert answer.code == 0
    assert numbers(repo) == [1, 2]


def test_a_log_deleted_on_one_side_of_a_merge_comes_back_with_the_other_sides_lines(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.git("rm", "-q", LOG)
    repo.git("commit", "-q", "-m", "deleted")
    conflict(repo, "merge", "theirs")
    (repo.path / LOG).unlink()
    resolve(repo)
    assert numbers(repo) == [1, 2, 3, 5]


def test_a_snapshot_that_alone_could_not_be_merged_is_made_anew(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.write(".git/info/attributes", "status.events.jsonl merge=union\nstatus.json merge\n")
    assert repo.run("merge", "theirs").returncode
    assert b"<<<<<<<" in repo.read(SNAPSHOT)
    done = resolve(repo)
    assert (done["unmerged"], done["changes"]) == ([SNAPSHOT], [])
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_a_snapshot_with_markers_that_was_staged_is_made_anew(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.write(SNAPSHOT, b"<<<<<<< HEAD\n{}\n")
    repo.commit("markers")
    resolve(repo)
    assert repo.read(SNAPSHOT) == reduction(repo.read(LOG), tmp_path / "reduced")


def test_what_was_acknowledged_and_has_vanished_comes_back_from_the_journal(repo: GitRepo) -> None:
    slug, log = "001-feature", "kitty-specs/001-feature/status.events.jsonl"
    (repo.path / "kitty-specs" / slug).mkdir(parents=True)
    repo.commit_empty()
    for wp in ("WP01", "WP02"):
        assert ask(repo.path, "emit", wp, "--to", "claimed", "--actor", "ada", "-f", slug).code == 0
    whole = repo.read(log)
    repo.write(log, whole[: whole.index(b"\n") + 1] + b"<<<<<<< HEAD\n")
    done = ask(repo.path, "resolve", slug, "--json").data[0]
    assert [each["source"] for each in done["changes"]] == [None, "the journal"]
    assert repo.read(log) == whole


def test_in_a_linked_work_tree_its_own_merge_counts(tmp_path: Path) -> None:
    main = two_branches(tmp_path / "repo", FAILING)
    main.switch("main")
    linked = GitRepo(tmp_path / "linked")
    main.git("worktree", "add", "-q", str(linked.path), "ours")
    conflict(linked, "merge", "theirs")
    assert resolve(main)["is_needed"] is False
    resolve(linked)
    assert numbers(linked) == [1, 2, 3, 4, 5, 6]
    assert numbers(main) == [1, 2]
    assert len(originals(main)) == 1
    linked.git("commit", "-q", "-m", "merged")
    assert linked.git("status", "--porcelain") == ""


def test_without_names_it_is_what_git_could_not_merge_and_then_all_that_is_being_merged(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", "merge")
    assert ask(repo.path, "resolve").code == 2
    conflict(repo, "merge", "theirs")
    answer = ask(repo.path, "resolve")
    assert answer.out.startswith(f"{LOG}: resolved\n  marker removed, line 3: <<<<<<< HEAD\n")
    assert f"  staged: {LOG}, {SNAPSHOT}\n" in answer.out
    again = ask(repo.path, "resolve")
    assert (again.code, again.out) == (0, f"{LOG}: nothing to resolve\n")


def test_a_plan_is_only_done_while_the_log_is_what_it_was_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    repo.append(LOG, b"oops\n")

    def interfere(*_args: object) -> str:
        repo.write(LOG, log_of(2))
        return ""

    monkeypatch.setattr("kitty_status.tracker.resolve.keep_aside", interfere)
    answer = ask(repo.path, "resolve", PATH, "--json")
    assert (answer.code, answer.error["code"]) == (6, "busy")
    assert repo.read(LOG) == log_of(2)


def test_outside_git_markers_and_damage_are_mended_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.parent.mkdir(parents=True)
    log.write_bytes(log_of(1) + b"<<<<<<< HEAD\n" + log_of(2))
    assert ask(tmp_path, "resolve", PATH, "--dry-run").code == 0
    assert ask(tmp_path, "resolve", PATH).code == 0
    assert log.read_bytes() == log_of(1, 2)
    assert len(list(log.parent.glob(".kitty-status/quarantine/*.original"))) == 1
    refused = ask(tmp_path, "resolve", PATH, "--from", "HEAD", "--json")
    assert (refused.code, refused.error["code"]) == (2, "outside-repository")


def refusal(repo: GitRepo, *args: str) -> Answer:
    before = tree(repo.path / "kitty-specs")
    answers = [ask(repo.path, "resolve", *args, *dry, "--json") for dry in ((), ("--dry-run",))]
    assert answers[0].code == answers[1].code
    assert answers[0].error["hint"]
    assert tree(repo.path / "kitty-specs") == before
    return answers[0]


@pytest.mark.parametrize(
    ("args", "code", "name"),
    [
        ((PATH, "--from", "nowhere"), 4, "not-found"),
        ((PATH, "--from", "--all"), 4, "not-found"),
        ((PATH, "--from", ""), 4, "not-found"),
        ((PATH, "--from", "HEAD:README"), 4, "not-found"),
        (("kitty-specs/nothing-here",), 4, "not-found"),
        (("/nowhere/at/all",), 4, "not-found"),
        (("nothing-here",), 4, "not-found"),
        (("..",), 2, "invalid-name"),
        ((PATH, "--all"), 2, "usage"),
    ],
)
def test_what_cannot_be_resolved_is_refused_in_words(
    tmp_path: Path, args: tuple[str, ...], code: int, name: str
) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    answer = refusal(repo, *args)
    assert (answer.code, answer.error["code"]) == (code, name)


def test_an_abbreviated_id_is_taken_and_one_that_means_two_commits_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    commit = record(repo, 1)
    assert ask(repo.path, "resolve", PATH, "--from", commit[:20]).code == 0
    stream = "".join(
        f"commit refs/heads/many\ncommitter Ada <ada@example.org> {number} +0000\ndata 0\n\n" for number in range(1500)
    )
    assert repo.run("fast-import", "--quiet", stdin=stream.encode()).returncode == 0
    short = [each[:4] for each in repo.git("rev-list", "many").split()]
    twice = next(each for each in short if short.count(each) > 1)
    answer = refusal(repo, PATH, "--from", twice)
    assert (answer.code, answer.error["code"]) == (2, "usage")


def test_a_thing_that_is_no_file_in_place_of_a_log_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    (repo.path / LOG).unlink()
    (repo.path / LOG).mkdir()
    assert refusal(repo, PATH).error["code"] == "unsafe-log"
    (repo.path / LOG).rmdir()
    (repo.path / LOG).symlink_to(repo.write("elsewhere", log_of(1)))
    assert refusal(repo, PATH).error["code"] == "unsafe-log"


def test_a_snapshot_that_counts_events_which_no_version_of_the_log_has_is_not_written_over(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    emit(repo, 1)
    repo.write(LOG, b"<<<<<<< HEAD\n")
    answer = refusal(repo, PATH)
    assert (answer.code, answer.error["code"]) == (7, "damaged")


def test_a_disk_that_refuses_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = two_branches(tmp_path / "repo", "merge")
    conflict(repo, "merge", "theirs")
    wreck = repo.read(LOG)

    def refuse(*_args: object) -> bool:
        raise PermissionError(13, "Permission denied", LOG)

    monkeypatch.setattr("kitty_status.tracker.resolve.replace_file", refuse)
    answer = ask(repo.path, "resolve", PATH, "--json")
    assert (answer.code, answer.error["code"]) == (2, "operating-system")
    assert repo.read(LOG) == wreck
    assert originals(repo) == [wreck]


def test_an_index_that_somebody_else_holds_is_said_and_the_files_are_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitty_status.tracker.commit._PATIENCE", 0.0)
    repo = two_branches(tmp_path / "repo", "merge")
    conflict(repo, "merge", "theirs")
    repo.write(".git/index.lock", b"")
    answer = ask(repo.path, "resolve", PATH, "--json")
    assert (answer.code, answer.error["code"]) == (6, "busy")
    assert "git add -- " in answer.error["hint"]
    assert numbers(repo) == [1, 2, 3, 4, 5, 6]
    (repo.path / ".git/index.lock").unlink()
    assert ask(repo.path, "resolve", PATH, "--json").data[0]["staged"] == [LOG, SNAPSHOT]
    (repo.path / ".git/index").chmod(0o644)


def test_every_feature_can_be_resolved_in_one_call(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1)
    for name in ("001-a", "002-b"):
        repo.write(f"kitty-specs/{name}/status.events.jsonl", log_of(2) + b"oops\n")
    (repo.path / "kitty-specs/003-empty").mkdir()
    answer = ask(repo.path, "resolve", "--all", "--json")
    assert [(each["feature"], each["is_needed"]) for each in answer.data] == [
        ("001-a", True),
        ("002-b", True),
        (Path(FEATURE).name, False),
    ]


COMMANDS = (
    ("merge", "--no-edit", "theirs"),
    ("merge", "--squash", "theirs"),
    ("cherry-pick", "theirs"),
    ("rebase", "theirs"),
    ("revert", "--no-edit", "HEAD~1"),
)


def known_to_git(repo: GitRepo, command: tuple[str, ...]) -> set[int]:
    """Return the events that must be there, by what each command is for."""
    own = {1, 2, 4, 6}
    if command[0] == "merge":
        return own | {3, 5}
    if command[0] == "rebase":
        head = set(numbers_in(blob(repo, LOG)))
        return head | {4, 6} & {int(repo.git("log", "-1", "--format=%s", "REBASE_HEAD")[len("events (") : -2])}
    return own | ({5} if command[0] == "cherry-pick" else set())


# Without shrinking: a case is small enough to be read, and each takes a second of git.
@settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.sampled_from(HOWS),
    st.sampled_from(COMMANDS),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(sorted(DAMAGE))), max_size=3),
    st.data(),
)
def test_no_event_that_git_knows_or_the_file_holds_is_lost_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory,
    how: str,
    command: tuple[str, ...],
    is_staged: bool,
    accidents: list[tuple[int, str]],
    data: st.DataObject,
) -> None:
    repo = two_branches(tmp_path_factory.mktemp("any") / "repo", how)
    conflict(repo, *command)
    must = known_to_git(repo, command)
    if is_staged:
        repo.git("add", "-A")
    lines = repo.read(LOG).splitlines(keepends=True)
    torn: set[bytes] = set()
    for place, accident in accidents:
        at = place % len(lines)
        if lines[at].startswith(b"{") and lines[at].endswith(b"}\n") and lines[at].count(b"event_id") == 1:
            torn |= {lines[at]} if accident == "torn" else set()
            lines[at] = damaged(lines[at], accident)
    lines += [event_line(50)] if data.draw(st.booleans()) else []
    standing = {number for number in (*range(1, 7), 50, 90) if event_line(number)[:-1] in b"".join(lines)}
    repo.write(LOG, b"".join(lines))

    resolve(repo)

    assert must | standing <= set(numbers(repo)) <= set(range(1, 7)) | {50, 90}
    assert len(numbers(repo)) == len(set(numbers(repo)))
    assert b"".join(lines) in originals(repo) or repo.read(LOG) == b"".join(lines)
    if 50 not in standing:
        assert blob(repo, LOG, "") == repo.read(LOG)
        assert repo.read(SNAPSHOT) == reduction(repo.read(LOG), repo.path.parent / "reduced")


def test_a_plan_writes_nothing_at_all(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", "merge")
    conflict(repo, "merge", "theirs")
    before = tree(repo.path)
    assert plan(feature_at(repo.path / FEATURE)).is_needed
    assert tree(repo.path) == before
