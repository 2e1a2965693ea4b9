"""What is proposed and recorded: legal chains with evidence that exists, nobody's work package taken, nothing twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from commandline import ask, kitty, tree
from events import APPROVAL, line
from gitrepo import GitRepo
from kitty_status.git import gitpython
from worked import LOGIN, REVIEWED, goals, merge, of, planned, reconcile, work, work_on

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG = f"kitty-specs/{LOGIN}/status.events.jsonl"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return planned(tmp_path / "app")


def move(repo: GitRepo, wp_id: str, *lanes: str, actor: str = "ada", options: tuple[str, ...] = ()) -> None:
    for lane in lanes:
        answer = ask(repo.path, "emit", wp_id, "--to", lane, "--actor", actor, "-f", LOGIN, *options)
        assert answer.code == 0, answer


def lanes(repo: GitRepo) -> dict[str, str]:
    states = ask(repo.path, "show", LOGIN, "--json").data["work_packages"]
    return {wp_id: state["lane"] for wp_id, state in states.items()}


def events(repo: GitRepo) -> list[dict[str, object]]:
    found: list[dict[str, object]] = ask(repo.path, "log", LOGIN, "--json").data["events"]
    return found


def test_a_dry_run_is_the_default_and_writes_nothing(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    before = tree(repo.path / "kitty-specs")
    default, said = reconcile(repo, code=1), reconcile(repo, "--dry-run", code=1)
    assert default.data == said.data
    assert default.data["dry_run"] is default.data["drift"] is True
    assert tree(repo.path / "kitty-specs") == before


def test_what_is_applied_is_legal_has_evidence_and_is_not_applied_again(repo: GitRepo) -> None:
    (commit,) = work_on(repo, "034-login-WP01", "begin")
    merge(repo, "034-login-WP01", REVIEWED)
    reference = repo.git("rev-parse", "HEAD")
    answer = reconcile(repo, LOGIN, "--apply", code=0)
    assert lanes(repo) == {"WP01": "done"}
    recorded = events(repo)
    assert [event["to_lane"] for event in recorded] == ["claimed", "in_progress", "for_review", "done"]
    assert {(event["actor"], event["force"]) for event in recorded} == {("reconcile", False)}
    repos = [{"repo": "app", "branch": "034-login-WP01", "commit": commit, "files_touched": ["src/file-1.py"]}]
    review = {"reviewer": "Ben", "verdict": "approved", "reference": reference}
    assert [event["evidence"] for event in recorded] == [{"repos": repos}] * 3 + [{"review": review, "repos": repos}]
    assert [event["event_id"] for event in of(answer, "WP01")["events"]] == [event["event_id"] for event in recorded]
    assert all(commit[:12] in str(event["reason"]) for event in recorded)
    assert ask(repo.path, "validate", LOGIN).code == 0
    assert len(answer.envelope["next"]) == 2
    before = repo.read(LOG)
    again = reconcile(repo, LOGIN, "--apply", code=0)
    assert again.data["drift"] is False
    assert again.envelope["next"] == []
    assert repo.read(LOG) == before


def test_an_actor_may_be_named(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    reconcile(repo, "--apply", "--actor", " ada ", code=0)
    assert {event["actor"] for event in events(repo)} == {"ada"}


def test_without_a_reviewer_it_stops_for_review_and_says_why(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    merge(repo, "034-login-WP01")
    reconcile(repo, "--apply", code=0)
    found = of(reconcile(repo, code=0), "WP01")
    assert (found["lane"], found["moves"], found["drift"]) == ("for_review", [], False)
    assert found["stop"].startswith("no Reviewed-by trailer by another than the author covers commit ")


def test_authors_do_not_review_themselves_and_every_commit_needs_a_review(repo: GitRepo) -> None:
    work(repo, "one\n\nWork-Package: 034-login/WP01\nReviewed-by: Ada <ADA@example.org>\n")
    assert goals(repo) == {"WP01": "for_review"}
    work(repo, f"one\n\nWork-Package: 034-login/WP02\n{REVIEWED}\n")
    assert goals(repo)["WP02"] == "done"
    work(repo, "two\n\nWork-Package: 034-login/WP02\n")
    assert goals(repo)["WP02"] == "for_review"


@pytest.mark.parametrize(
    ("path", "goal"),
    [
        ((), "done"),
        (("claimed",), "done"),
        (("claimed", "in_progress"), "done"),
        (("claimed", "in_progress", "for_review"), "done"),
        (("blocked",), "blocked"),
        (("canceled",), "canceled"),
    ],
    ids=" ".join,
)
def test_from_every_lane_the_chain_goes_on_or_leaves_it_to_a_person(
    repo: GitRepo, path: tuple[str, ...], goal: str
) -> None:
    work(repo, f"one\n\nWork-Package: 034-login/WP01\n{REVIEWED}\n")
    move(repo, "WP01", *path, actor="reconcile")
    assert goals(repo) == {"WP01": goal}
    reconcile(repo, "--apply", code=0)
    assert lanes(repo) == {"WP01": goal}


def test_nine_lanes_are_walked_through_review_and_approval(repo: GitRepo) -> None:
    repo.write(".kittify/config.yaml", "status:\n  lanes: nine-lane\n")
    repo.commit("settings")
    work(repo, f"one\n\nWork-Package: 034-login/WP01\n{REVIEWED}\n")
    work(repo, "two\n\nWork-Package: 034-login/WP02\n")
    reconcile(repo, "--apply", code=0)
    assert lanes(repo) == {"WP01": "done", "WP02": "for_review"}
    recorded = [event for event in events(repo) if event["wp_id"] == "WP01"]
    assert [event["to_lane"] for event in recorded][2:] == ["for_review", "in_review", "approved", "done"]
    # What spec-kitty 3 could not read is not written: evidence without a review.
    assert [bool(event["evidence"]) for event in recorded] == [False] * 4 + [True] * 2


def test_an_approval_that_the_log_holds_is_enough_to_be_done(repo: GitRepo) -> None:
    repo.write(".kittify/config.yaml", "status:\n  lanes: nine-lane\n")
    repo.commit("settings")
    work(repo, "one\n\nWork-Package: 034-login/WP01\n")
    review = repo.write("../review.json", str(APPROVAL).replace("'", '"'))
    move(repo, "WP01", "claimed", "in_progress", "for_review", "in_review")
    move(repo, "WP01", "approved", options=("--evidence-json", str(review)))
    reconcile(repo, "--apply", code=0)
    assert lanes(repo) == {"WP01": "done"}
    evidence = events(repo)[-1]["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["review"] == APPROVAL["review"]


def test_what_somebody_holds_is_reported_and_not_taken(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    move(repo, "WP01", "claimed")
    for args in ((), ("--apply",)):
        found = of(reconcile(repo, *args, code=1), "WP01")
        assert (found["moves"], found["drift"]) == ([], True)
        assert "ada holds it" in found["stop"]
    assert lanes(repo) == {"WP01": "claimed"}
    reconcile(repo, "--apply", "--actor", "ada", code=0)
    assert lanes(repo) == {"WP01": "in_progress"}


def test_a_claim_that_was_migrated_is_nobodys(repo: GitRepo) -> None:
    repo.write(f"kitty-specs/{LOGIN}/tasks/WP01-title.md", "---\nlane: claimed\ncreated_at: 2026-02-01\n---\n")
    repo.commit()
    assert ask(repo.path, "migrate", LOGIN, "--commit").code == 0
    work_on(repo, "034-login-WP01", "begin")
    assert goals(repo) == {"WP01": "in_progress"}
    reconcile(repo, "--apply", code=0)
    assert lanes(repo) == {"WP01": "in_progress"}


def test_what_somebody_holds_elsewhere_is_not_claimed_here(repo: GitRepo, tmp_path: Path) -> None:
    other = repo.worktree(tmp_path / "other", "034-login-WP01")
    move(other, "WP01", "claimed")
    work(other, "begin")
    found = of(reconcile(repo, "--apply", code=1), "WP01")
    assert found["moves"] == []
    assert found["stop"].startswith("ada has moved it to claimed in ")
    assert not (repo.path / LOG).exists()


def test_what_a_reviewer_sent_back_is_not_handed_in_again_without_a_new_commit(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    merge(repo, "034-login-WP01")
    move(repo, "WP01", "claimed", "in_progress", "for_review")
    move(repo, "WP01", "in_progress", actor="ben", options=("--review-ref", "PR 7"))
    assert goals(repo) == {"WP01": "in_progress"}
    assert of(reconcile(repo, code=0), "WP01")["commits"] == []
    later = {"GIT_COMMITTER_DATE": "2099-01-01T00:00:00Z"}
    repo.git("commit", "--allow-empty", "-m", "mended\n\nWork-Package: 034-login/WP01", environment=later)
    assert goals(repo) == {"WP01": "for_review"}


def test_moves_that_compete_are_left_to_a_person(repo: GitRepo) -> None:
    repo.write(".gitattributes", "*.jsonl merge=union\n")
    repo.commit("attributes")
    for name, actor in (("one", "ada"), ("two", "grace")):
        repo.git("checkout", "-q", "-b", name, "main")
        move(repo, "WP01", "claimed", actor=actor, options=("--force", "--reason", "offline"))
        (repo.path / f"kitty-specs/{LOGIN}/status.json").unlink()
        repo.commit(name)
    repo.git("merge", "-q", "--no-edit", "one")
    work(repo, "034-login WP01: begin")
    found = of(reconcile(repo, code=1), "WP01")
    assert found["stop"].startswith("moves of it compete")
    assert found["moves"] == []


def test_a_move_that_is_refused_is_reported_with_why(repo: GitRepo) -> None:
    repo.write(LOG, line(feature_slug=LOGIN, wp_id="WP02", at="2099-01-01T00:00:00+00:00"))
    repo.commit("a clock that is ahead")
    work(repo, "one\n\nWork-Package: 034-login/WP01\n")
    for args in ((), ("--apply",)):
        found = of(reconcile(repo, *args, code=1), "WP01")
        assert found["moves"][-1]["to_lane"] == "for_review"
        assert "ahead of this clock" in found["refused"]
        assert found["events"] == []
    assert lanes(repo) == {"WP02": "claimed"}
    assert "ahead of this clock" in ask(repo.path, "reconcile", LOGIN).out


def test_a_log_that_cannot_be_read_stops_everything(repo: GitRepo) -> None:
    work(repo, "one\n\nWork-Package: 034-login/WP01\n")
    repo.write(LOG, b"oops\n")
    answer = ask(repo.path, "reconcile", LOGIN, "--apply", "--json")
    assert (answer.code, answer.error["code"]) == (7, "damaged")
    # It is no obstacle to another feature.
    assert ask(repo.path, "reconcile", "035-pay", "--json").code == 0


def test_several_repositories_are_one_work_package(repo: GitRepo, tmp_path: Path) -> None:
    api, web = (GitRepo.init(tmp_path / name) for name in ("api", "web"))
    for target in (api, web):
        work(target, "first commit")
        work_on(target, "034-login-WP01", "begin")
    targets = ("--target-repo", str(api.path), "--target-repo", str(web.path))
    assert goals(repo) == {}
    assert goals(repo, *targets) == {"WP01": "in_progress"}
    merge(api, "034-login-WP01")
    assert goals(repo, *targets) == {"WP01": "in_progress"}
    assert goals(repo, *targets[:2]) == {"WP01": "for_review"}
    merge(web, "034-login-WP01")
    found = of(reconcile(repo, *targets), "WP01")
    assert [each["repo"] for each in found["commits"]] == ["api", "web"]
    assert found["moves"][-1]["to_lane"] == "for_review"


def test_the_same_repository_named_twice_is_looked_at_once(repo: GitRepo, tmp_path: Path) -> None:
    tree = repo.worktree(tmp_path / "tree", "034-login-WP01")
    work(tree, "begin")
    answer = reconcile(repo, "--target-repo", ".", "--target-repo", str(tree.path), "--target-repo", "kitty-specs/..")
    assert len(answer.data["repositories"]) == 1


def test_a_repository_that_cannot_be_read_is_reported_after_the_others_and_nothing_is_applied(
    repo: GitRepo, tmp_path: Path
) -> None:
    work_on(repo, "034-login-WP01", "begin")
    (tmp_path / "plain").mkdir()
    targets = ("--target-repo", str(tmp_path / "missing"), "--target-repo", str(tmp_path / "plain"))
    answer = reconcile(repo, *targets, "--target-repo", ".", "--apply", code=2)
    assert [bool(each["problem"]) for each in answer.data["repositories"]] == [True, True, False]
    assert of(answer, "WP01")["moves"][-1]["to_lane"] == "in_progress"
    assert answer.data["dry_run"] is True
    assert answer.envelope["warnings"][-1].startswith("nothing was applied")
    assert not (repo.path / LOG).exists()
    plain = ask(repo.path, "reconcile", LOGIN, *targets)
    assert plain.code == 2
    assert f"warning: {tmp_path / 'missing'} could not be read" in plain.err


def test_outside_git_a_repository_has_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "plain" / "kitty-specs" / LOGIN / "tasks").mkdir(parents=True)
    (tmp_path / "plain" / "kitty-specs" / LOGIN / "tasks" / "WP01.md").write_text("x")
    target = GitRepo.init(tmp_path / "app")
    work(target, "034-login WP01: begin")
    answer = ask(tmp_path / "plain", "reconcile", LOGIN, "--json")
    assert (answer.code, answer.error["code"]) == (2, "usage")
    done = ask(tmp_path / "plain", "reconcile", LOGIN, "--target-repo", str(target.path), "--apply", "--json")
    assert (done.code, done.envelope["next"]) == (0, [])


def test_what_is_printed_says_what_would_move_what_stays_and_why(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    work(repo, "two\n\nWork-Package: 034-login/WP02\n")
    move(repo, "WP02", "blocked")
    assert ask(repo.path, "reconcile", "--all").out.splitlines()[:2] == [
        "034-login WP01  would move planned to claimed to in_progress",
        f"    app  034-login-WP01  {repo.git('rev-parse', '034-login-WP01')[:12]}  1 file",
    ]
    done = ask(repo.path, "reconcile", LOGIN, "--apply")
    assert done.out.splitlines()[0] == "034-login WP01  moved planned to claimed to in_progress"
    assert "034-login WP02  stays in blocked" in done.out
    assert done.out.splitlines()[-1] == "3 commits of app: 2 work packages, 0 behind; 2 moves recorded"
    assert "next: git add -- " in done.err
    assert (done.code, ask(repo.path, "reconcile", LOGIN).code) == (0, 0)


def test_where_nothing_says_what_work_is_merged_into_it_is_open(tmp_path: Path) -> None:
    repo = planned(tmp_path / "app")
    repo.git("branch", "-m", "main", "somewhere")
    work(repo, "one\n\nWork-Package: 034-login/WP01\n")
    found = of(reconcile(repo, code=1), "WP01")
    assert found["moves"][-1]["to_lane"] == "in_progress"
    assert found["stop"].startswith("app has no base branch that says whether commit ")
    assert goals(repo, "--base", "somewhere") == {"WP01": "for_review"}
    assert "has no branch main" in reconcile(repo, "--base", "main", code=2).data["repositories"][0]["problem"]


def test_branches_from_before_what_was_looked_at_are_named(repo: GitRepo) -> None:
    repo.branch("034-login-WP01")
    work(repo, "begin", at=1)
    repo.switch("main")
    for hour in (2, 3, 4):
        work(repo, "something else", at=hour)
    answer = reconcile(repo, "--limit", "2", code=0)
    assert "app: 034-login-WP01 was last changed before what was looked at" in answer.envelope["warnings"]
    assert reconcile(repo, "--since", "2026-03-01T02:00:00+00:00", code=0).data["work_packages"] == []
    assert goals(repo, "--since", "2026-01-01") == {"WP01": "in_progress"}


def test_at_most_a_hundred_files_are_named(repo: GitRepo) -> None:
    for number in range(150):
        repo.write(f"src/{number:03}.py", "x")
    work(repo, "034-login WP01: many")
    (entry,) = of(reconcile(repo), "WP01")["commits"]
    assert entry["files_touched"] == [f"src/{number:03}.py" for number in range(100)]


@pytest.mark.parametrize(
    "args",
    [
        ("nowhere",),
        (LOGIN, "--all"),
        (LOGIN, "--apply", "--dry-run"),
        (LOGIN, "--actor", " "),
        (LOGIN, "--since", "yesterday"),
        (LOGIN, "--limit", "0"),
        (),
    ],
    ids=" ".join,
)
def test_a_call_that_cannot_be_understood_says_what_to_do(repo: GitRepo, args: tuple[str, ...]) -> None:
    answer = ask(repo.path, "reconcile", *args, "--json")
    assert answer.code in (2, 4)
    assert answer.error["hint"]


def test_a_gitpython_that_cannot_be_loaded_is_said_and_no_traceback(repo: GitRepo) -> None:
    answer = kitty(repo.path, "reconcile", LOGIN, "--json", GIT_PYTHON_GIT_EXECUTABLE="/no/such/git")
    assert answer.code == 2
    assert "GitPython could not be loaded" in answer.data["repositories"][0]["problem"]


def test_no_other_command_loads_gitpython() -> None:
    code = "import sys; from kitty_status.cli import application; application.build(); print('git' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_large_history_is_read_in_a_few_processes(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        work_on(repo, f"034-login-WP{number:02}", "begin")
        merge(repo, f"034-login-WP{number:02}")
    calls: list[str] = []
    execute = gitpython._Door.execute

    def counted(door: gitpython._Door, command: Sequence[str], *args: Any, **options: Any) -> bytes:
        calls.append(command[1])
        return execute(door, command, *args, **options)

    monkeypatch.setattr(gitpython._Door, "execute", counted)
    assert goals(repo) == {"WP01": "for_review", "WP02": "for_review", "WP10": "for_review"}
    assert sorted(calls) == ["diff-tree", "for-each-ref", "for-each-ref", "rev-list"]


def test_the_feature_around_is_meant(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    answer = ask(repo.path / "kitty-specs" / LOGIN, "reconcile", "--json")
    assert [each["wp_id"] for each in answer.data["work_packages"]] == ["WP01"]
