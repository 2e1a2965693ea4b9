"""The options of emit: the actor's variable, evidence from everywhere, force, and names that are refused."""

from __future__ import annotations

import json

import pytest

from commandline import LOG, SLUG, Answer, ask, emit, feature_in, kitty
from events import APPROVAL, instant, line, ulid
from gitrepo import GitRepo

IN_REVIEW = line(event_id=ulid(1), at=instant(1), from_lane="in_progress", to_lane="for_review")


def approve(repo: GitRepo, evidence: bytes, *, stdin: bool = False) -> Answer:
    """Ask for the move that needs evidence; a refusal must leave the log as it was."""
    feature_in(repo, IN_REVIEW)
    source = "-" if stdin else str(repo.write("evidence.json", evidence))
    call = ("emit", "WP01", "--to", "done", "--actor", "ada", "-f", SLUG, "--evidence-json", source, "--json")
    answer = ask(repo.path, *call, stdin=evidence if stdin else b"")
    assert (repo.read(LOG) == IN_REVIEW) is (answer.code != 0)
    return answer


@pytest.mark.parametrize("stdin", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_evidence_comes_from_a_file_or_from_stdin(repo: GitRepo, *, stdin: bool, indent: int | None) -> None:
    full = {
        **APPROVAL,
        "repos": [{"repo": "r", "branch": "b", "commit": "c", "files_touched": ["é"]}],
        "verification": [{"command": "make", "result": "pass", "summary": "ok"}],
        "own": {"key": [1]},
    }
    answer = approve(repo, (json.dumps(full, indent=indent, ensure_ascii=False) + "\n").encode(), stdin=stdin)
    assert answer.data["event"]["evidence"] == full


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (b"", "not valid JSON: it does not begin with a JSON value"),
        (b"oops", "not valid JSON: it does not begin with a JSON value"),
        (b"[]", "not valid JSON: it holds a JSON array, not an object"),
        (b'{"review": 1', "not valid JSON: "),
        (b"\xef\xbb\xbf" + json.dumps(APPROVAL).encode(), "byte order mark"),
        (b'{"review": null, "review": {}}', "the key 'review' stands twice"),
        (b'{"review": NaN}', "NaN is not a JSON value"),
        (b'{"review": "\xff"}', "is not UTF-8"),
        (b'{"review": "\\ud800"}', "half of a surrogate pair"),
        (b"{}", "review: Field required"),
        (b'{"review": {"reviewer": "a", "verdict": "fine", "reference": "r"}}', "review.verdict: Input should be"),
        (b'{"review": {"reviewer": 1, "verdict": "approved", "reference": "r"}}', "review.reviewer: "),
        (json.dumps({**APPROVAL, "verification": [{"result": "maybe"}]}).encode(), "verification.0.command: "),
    ],
)
def test_evidence_that_cannot_be_used_is_refused_with_its_place(repo: GitRepo, evidence: bytes, said: str) -> None:
    answer = approve(repo, evidence)
    assert (answer.code, answer.error["code"]) == (2, "usage")
    assert "evidence.json" in answer.error["message"]
    assert said in answer.error["message"]


def test_evidence_nested_too_deeply_for_a_line_is_refused(repo: GitRepo) -> None:
    answer = approve(repo, json.dumps({**APPROVAL, "deep": json.loads("[" * 31 + "]" * 31)}).encode())
    assert (answer.code, answer.error["code"]) == (2, "usage")
    assert "nested deeper than 32" in answer.error["message"]


def test_a_review_that_asks_for_changes_approves_nothing(repo: GitRepo) -> None:
    review = {**APPROVAL["review"], "verdict": "changes_requested"}
    answer = approve(repo, json.dumps({"review": review}).encode())
    assert (answer.code, answer.error["context"]["refusals"]) == (3, ["missing-evidence"])


@pytest.mark.parametrize("source", ["missing.json", ".", "a" * 5000])
def test_evidence_that_is_not_there_is_refused(repo: GitRepo, source: str) -> None:
    feature_in(repo, IN_REVIEW)
    answer = emit(repo.path, "WP01", "done", "--evidence-json", source, "--json", code=2)
    assert answer.error["hint"] == "name a readable file, or - for stdin"


def test_the_actor_may_come_from_the_environment_and_the_option_beats_it(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature_in(repo)
    monkeypatch.setenv("KITTY_STATUS_ACTOR", " claude ")
    answer = ask(repo.path, "emit", "WP01", "--to", "claimed", "-f", SLUG, "--json")
    assert answer.data["event"]["actor"] == "claude"
    assert emit(repo.path, "WP02", "claimed", "--json", actor="ada").data["event"]["actor"] == "ada"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--reason", "r", "--actor", ""), "force needs an actor"),
        (("--reason", "r", "--actor", " "), "force needs an actor"),
        (("--actor", "ada"), "force needs a reason"),
        (("--actor", "ada", "--reason", " "), "force needs a reason"),
        (("--actor", ""), "force needs an actor; force needs a reason"),
    ],
)
def test_force_without_an_actor_or_a_reason_is_refused(repo: GitRepo, args: tuple[str, ...], said: str) -> None:
    feature_in(repo, IN_REVIEW)
    answer = ask(repo.path, "emit", "WP01", "--to", "done", "-f", SLUG, "--force", *args)
    assert answer.code == 3
    assert said in answer.err
    assert repo.read(LOG) == IN_REVIEW


def test_an_unknown_lane_is_answered_with_the_lanes(repo: GitRepo) -> None:
    feature_in(repo)
    answer = emit(repo.path, "WP01", "nowhere", code=2)
    assert answer.err.splitlines() == [
        "error: 'nowhere' is no lane of seven-lane",
        "hint: lanes: planned, claimed, in_progress, for_review, done, blocked, canceled",
    ]


@pytest.mark.parametrize("name", ["..", "a/b", "/", "a\nb", "-WP01", "W" * 300])
def test_names_that_are_not_safe_are_refused_by_name(repo: GitRepo, name: str) -> None:
    feature_in(repo)
    calls = [
        ("emit", "--to", "claimed", "--actor", "ada", "-f", SLUG, "--", name),
        ("emit", "WP01", "--to", "claimed", "--actor", "ada", f"--feature={name}"),
        ("emit", "WP01", "--to", "claimed", "--actor", "ada", "-f", SLUG, f"--event-id={name}"),
        ("log", SLUG, f"--wp={name}"),
        ("show", "--", name),
        ("materialize", "--", name),
    ]
    for call in calls:
        answer = ask(repo.path, *call)
        assert answer.code == 2, call
        assert ascii(name)[1:20].rstrip("'") in answer.err
        assert "at most 200" in answer.err
    assert not (repo.path / LOG).exists()


def test_bytes_that_are_no_text_are_refused(repo: GitRepo) -> None:
    feature_in(repo)
    answer = kitty(repo.path, "emit", "WP01", "--to", "claimed", "--actor", "\udcff", "-f", SLUG, "--json")
    assert (answer.code, answer.error["code"]) == (2, "usage")
    assert "surrogate" in answer.error["message"]


def test_a_work_package_nobody_has_heard_of_is_a_warning_or_strictly_an_error(repo: GitRepo) -> None:
    feature_in(repo, IN_REVIEW)
    answer = emit(repo.path, "WP02", "claimed")
    assert answer.err.splitlines()[0].startswith("warning: WP02 has neither a file nor an earlier event")
    assert "did you mean WP01?" in answer.err
    strict = emit(repo.path, "WP03", "claimed", "--strict-wp", "--json", code=4)
    assert strict.error["context"]["nearest"] == ["WP02", "WP01"]


def test_the_reply_tells_what_happened(repo: GitRepo) -> None:
    feature_in(repo, IN_REVIEW)
    call = ("blocked", "--event-id", ulid(7))
    assert (
        emit(repo.path, "WP01", *call, "--dry-run").out
        == f"would move WP01: for_review to blocked in {SLUG} ({ulid(7)})\n"
    )
    answer = emit(repo.path, "WP01", *call)
    assert answer.out == f"moved WP01: for_review to blocked in {SLUG} ({ulid(7)})\n"
    assert answer.err.startswith(f"next: git add -- :/{LOG} ")
    again = emit(repo.path, "WP01", *call)
    assert again.out == f"had moved already WP01: for_review to blocked in {SLUG} ({ulid(7)})\n"
