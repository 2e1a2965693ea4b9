"""An audit says whose commit did what to which event, and what it could not see."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from events import ulid
from features import LOG, log_of
from gitrepo import GitRepo
from kitty_status.checks.audit import Audit, audit, range_of
from kitty_status.errors import NotFoundError, OutsideRepositoryError, UsageError
from kitty_status.git.repository import find_repository

if TYPE_CHECKING:
    from pathlib import Path

OLD = "kitty-specs/001-login/status.events.jsonl"
NEW = "kitty-specs/archive/001-signin/status.events.jsonl"
MALLORY = {
    "GIT_AUTHOR_NAME": "Mallory",
    "GIT_AUTHOR_EMAIL": "m@example.org",
    "GIT_AUTHOR_DATE": "2026-02-03T04:05:06+01:00",
}


def audited(repo: GitRepo, *names: str, base: str | None = None, since: str | None = None) -> Audit:
    revisions = range_of("HEAD", base, since, cwd=str(repo.path))
    return audit(find_repository(str(repo.path)), names, revisions)


def codes(result: Audit) -> list[str]:
    return [finding.code for finding in result.findings]


def commit(repo: GitRepo, path: str, *numbers: int) -> str:
    repo.write(path, log_of(*numbers))
    return repo.commit()


@pytest.fixture
def tampered(repo: GitRepo) -> GitRepo:
    """A history in which somebody edited the event 2."""
    commit(repo, LOG, 1, 2)
    repo.write(LOG, log_of(1, 2).replace(b"actor 2", b"mallory"))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "tidy up", environment=MALLORY)
    return repo


def test_a_finding_names_commit_author_date_path_and_event(tampered: GitRepo) -> None:
    result = audited(tampered)

    assert (result.passed, result.commits, result.logs) == (False, 2, 1)
    (finding,) = result.findings
    assert finding.to_dict() == {
        "code": "line-edited",
        "severity": "error",
        "path": LOG,
        "line": None,
        "event_id": ulid(2),
        "message": finding.message,
        "hint": finding.hint,
        "commit": tampered.git("rev-parse", "HEAD"),
        "author": "Mallory",
        "email": "m@example.org",
        "date": "2026-02-03T04:05:06+01:00",
        "parent": tampered.git("rev-parse", "HEAD~1"),
    }
    assert finding.message.startswith('the line was edited; it was: {"actor": "actor 2"')
    assert f"`git show {tampered.git('rev-parse', '--short', 'HEAD~1')}:{LOG}`" in finding.hint


def test_base_leaves_out_what_it_has_and_since_looks_at_it_too(tampered: GitRepo) -> None:
    commit(tampered, "kitty-specs/2/status.events.jsonl", 5)

    assert audited(tampered, base="HEAD~1").commits == 1
    assert codes(audited(tampered, base="HEAD~1")) == []
    assert audited(tampered, since="HEAD~1").commits == 2
    assert codes(audited(tampered, since="HEAD~1")) == ["line-edited"]
    assert codes(audited(tampered, base="HEAD~2")) == ["line-edited"]
    assert audited(tampered, since="HEAD~2").commits == 3


def test_a_base_that_has_gone_on_is_no_loss(tampered: GitRepo) -> None:
    tampered.branch("work")
    commit(tampered, "kitty-specs/2/status.events.jsonl", 5)
    tampered.switch("main")
    commit(tampered, "kitty-specs/3/status.events.jsonl", 6)
    tampered.switch("work")

    assert audited(tampered, base="main").commits == 1
    assert audited(tampered, base="main").findings == []


def test_a_revision_that_is_not_there_is_not_found(tampered: GitRepo) -> None:
    for wrong in ("nowhere", "-q", "", "HEAD~77"):
        with pytest.raises(NotFoundError, match="no commit"):
            audited(tampered, base=wrong)


def test_a_feature_is_followed_through_its_renames(repo: GitRepo) -> None:
    commit(repo, OLD, 1, 2)
    commit(repo, LOG, 3, 4)
    commit(repo, OLD, 2)
    commit(repo, LOG, 4)
    (repo.path / NEW).parent.mkdir(parents=True)
    repo.git("mv", OLD, NEW)
    repo.commit()

    assert {finding.path for finding in audited(repo).findings} == {OLD, LOG}
    for name in ("001-signin", "001-s"):
        assert [finding.path for finding in audited(repo, name).findings] == [OLD]
    assert [finding.path for finding in audited(repo, "001-login").findings] == [OLD]
    with pytest.raises(UsageError, match="may mean 001-login, 001-signin"):
        audited(repo, "001")


def test_a_feature_that_no_commit_touched_is_not_found_and_one_that_head_has_is_clean(tampered: GitRepo) -> None:
    with pytest.raises(NotFoundError, match="no commit that was looked at holds a log of 002"):
        audited(tampered, "002-other")
    commit(tampered, OLD, 7)
    tampered.commit_empty()
    assert audited(tampered, "001-login", base="HEAD~1").findings == []


def test_before_the_first_commit_there_is_nothing_to_prove(repo: GitRepo) -> None:
    result = audited(repo)
    assert (result.passed, result.commits, result.findings) == (True, 0, [])


def test_outside_a_repository_it_says_so() -> None:
    with pytest.raises(OutsideRepositoryError, match="no git repository"):
        audit(None, [], None)


def test_a_shallow_clone_says_that_history_is_cut_and_accuses_nobody(tampered: GitRepo, tmp_path: Path) -> None:
    commit(tampered, "kitty-specs/2/status.events.jsonl", 5)
    url = f"file://{tampered.path}"
    subprocess.run(["git", "clone", "-q", "--depth=2", url, str(tmp_path / "shallow")], check=True)
    shallow = GitRepo(tmp_path / "shallow")

    result = audited(shallow)

    assert (result.passed, codes(result)) == (True, ["history-cut"])
    assert "shallow" in result.findings[0].message
    assert audited(shallow, base="HEAD~1").findings == []
    shallow.git("fetch", "-q", "--unshallow")
    assert codes(audited(shallow)) == ["line-edited"]


def test_a_partial_clone_says_what_it_could_not_compare(tampered: GitRepo, tmp_path: Path) -> None:
    tampered.git("config", "uploadpack.allowFilter", "true")
    url = f"file://{tampered.path}"
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", url, str(tmp_path / "part")], check=True)

    result = audited(GitRepo(tmp_path / "part"))

    assert (result.passed, codes(result)) == (True, ["history-unreadable"])
    assert result.findings[0].path == LOG


def test_what_was_put_back_is_a_warning_that_says_so(tampered: GitRepo) -> None:
    tampered.git("revert", "--no-edit", "HEAD")

    result = audited(tampered)

    assert result.passed
    assert {finding.severity for finding in result.findings} == {"warning"}
    assert all("edited and put back later" in finding.message for finding in result.findings)


def test_an_audit_writes_nothing(tampered: GitRepo) -> None:
    def everything() -> dict[str, tuple[bytes, int]]:
        files = (path for path in tampered.path.rglob("*") if path.is_file())
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = everything()
    audited(tampered)
    assert everything() == before
