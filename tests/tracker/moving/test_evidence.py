"""Evidence that is said piece by piece becomes the same evidence as JSON, or is refused whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER, SLUG, Answer, ask, emit

if TYPE_CHECKING:
    from gitrepo import GitRepo

REVIEW = ("--reviewer", "ben", "--verdict", "approved", "--reference", "PR 7")


@pytest.fixture
def reviewed(repo: GitRepo) -> GitRepo:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    repo.commit()
    for lane in ("claimed", "in_progress", "for_review"):
        emit(repo.path, "WP01", lane, actor="ada")
    return repo


def done(repo: GitRepo, *args: str) -> Answer:
    return ask(repo.path, "emit", "WP01", "--to", "done", "--actor", "ben", "--feature", SLUG, "--json", *args)


def evidence(answer: Answer) -> Any:
    assert answer.code == 0, answer
    return answer.data["event"]["evidence"]


def test_review_verification_and_commits_are_put_together(reviewed: GitRepo) -> None:
    head = reviewed.git("rev-parse", "HEAD").strip()
    verified = ("--verified", "make test CI=1=pass: 214 passed", "--verified", "lint=skip: no linter")
    assert evidence(done(reviewed, *REVIEW, *verified, "--evidence-commit", "HEAD")) == {
        "review": {"reviewer": "ben", "verdict": "approved", "reference": "PR 7"},
        "verification": [
            {"command": "make test CI=1", "result": "pass", "summary": "214 passed"},
            {"command": "lint", "result": "skip", "summary": "no linter"},
        ],
        "repos": [
            {"repo": reviewed.path.name, "branch": "main", "commit": head, "files_touched": [f"{FOLDER}/spec.md"]}
        ],
    }


def test_pieces_are_added_to_evidence_given_as_json(reviewed: GitRepo) -> None:
    reviewed.write("review.json", '{"review": {"reviewer": "ben", "verdict": "approved", "reference": "PR 7"}}')
    found = evidence(done(reviewed, "--evidence-json", "review.json", "--verified", "make=pass: ok", "--dry-run"))
    assert found["verification"] == [{"command": "make", "result": "pass", "summary": "ok"}]
    assert evidence(done(reviewed, "--evidence-json", "review.json", "--dry-run")).keys() == {"review"}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--reviewer", "ben"), 2, "a review needs --verdict, --reference, too"),
        (("--verified", "make=pass: ok"), 2, "evidence needs a review"),
        ((*REVIEW, "--verified", "make: ok"), 2, "--verified 'make: ok' cannot be understood"),
        ((*REVIEW, "--verified", "make=maybe: ok"), 2, "cannot be understood"),
        ((*REVIEW, "--verified", "make=pass:ok"), 2, "cannot be understood"),
        ((*REVIEW, "--verified", "=pass: ok"), 2, "cannot be understood"),
        ((*REVIEW, "--evidence-commit", "nowhere"), 4, "there is no commit nowhere in this clone"),
        (("--reviewer", "ben", "--verdict", "fine", "--reference", "x"), 2, "review.verdict"),
        (("--reviewer", " ", "--verdict", "approved", "--reference", "x"), 3, "done needs evidence"),
        (("--reviewer", "ben", "--verdict", "changes_requested", "--reference", "x"), 3, "done needs evidence"),
    ],
)
def test_what_is_no_evidence_is_refused_and_nothing_is_written(
    reviewed: GitRepo, args: tuple[str, ...], code: int, words: str
) -> None:
    log = reviewed.path / FOLDER / "status.events.jsonl"
    before = log.read_bytes()
    answer = done(reviewed, *args)
    assert (answer.code, log.read_bytes()) == (code, before)
    assert words in answer.error["message"]
    assert answer.error["hint"]


def test_a_review_that_is_given_twice_is_refused(reviewed: GitRepo) -> None:
    reviewed.write("review.json", '{"review": {"reviewer": "ben", "verdict": "approved", "reference": "PR 7"}}')
    answer = done(reviewed, "--evidence-json", "review.json", *REVIEW)
    assert (answer.code, answer.error["message"]) == (2, "the review is given twice")
