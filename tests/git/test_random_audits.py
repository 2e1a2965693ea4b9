"""Random histories are clean to the audit, whatever git did to them; with one line tampered they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import LOG, blob, emit
from histories import BRANCHES, STEPS, grown
from kitty_status.checks.audit import Audit, audit, range_of
from kitty_status.git.repository import find_repository

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo
    from histories import History

REPOSITORIES = 60


def audited(repo: GitRepo, branch: str) -> Audit:
    revisions = range_of(branch, None, None, cwd=str(repo.path))
    return audit(find_repository(str(repo.path)), [], revisions)


def errors(repo: GitRepo) -> list[str]:
    findings = (finding for branch in BRANCHES for finding in audited(repo, branch).findings)
    return [finding.code for finding in findings if finding.severity != "info"]


def tamper(history: History) -> tuple[str, str, bool]:
    """Edit or remove one committed line; return the commit that does it, the event's id and whether it was edited."""
    repo, choose = history.repo, history.choose
    repo.switch(choose.choice(BRANCHES))
    lines = blob(repo, LOG).splitlines(keepends=True)
    victim = choose.randrange(len(lines))
    event_id = lines[victim].partition(b'"event_id": "')[2][:26].decode()
    edited = choose.random() < 0.5
    lines[victim] = lines[victim].replace(b'"force": false', b'"force": true') if edited else b""
    repo.write(LOG, b"".join(lines))
    emit(repo)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-verify", "-m", "tamper")
    return repo.git("rev-parse", "HEAD"), event_id, edited


@pytest.mark.parametrize("seed", range(REPOSITORIES))
def test_a_history_is_clean_and_one_tampered_line_in_it_is_found(tmp_path: Path, seed: int) -> None:
    history = grown(tmp_path / "repo", 1000 + seed)
    for _ in range(STEPS):
        history.step(history.choose.choice(BRANCHES))
    assert errors(history.repo) == []

    commit, event_id, edited = tamper(history)

    for grow in (False, True):
        if grow:
            # What comes afterwards does not cover it up.
            history.append(history.repo.git("branch", "--show-current"), "")
        result = audited(history.repo, "HEAD")
        assert not result.passed
        (finding,) = (each for each in result.findings if each.severity != "info")
        assert finding.commit is not None
        assert (finding.commit.oid, finding.event_id, finding.path) == (commit, event_id, LOG)
        assert finding.code == ("line-edited" if edited else "line-removed")
