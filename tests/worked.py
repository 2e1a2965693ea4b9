"""Repositories in which work was done for work packages, and what `reconcile` makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commandline import ask
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path

    from commandline import Answer

LOGIN = "034-login"
PAY = "035-pay"
_PLANNED = {LOGIN: ("WP01", "WP02", "WP10"), PAY: ("WP01", "WP07")}
REVIEWED = "Reviewed-by: Ben <ben@example.org>"


def planned(path: Path) -> GitRepo:
    """Return a repository with two features that have some work packages of the same names, and nothing else."""
    repo = GitRepo.init(path)
    for slug, wp_ids in _PLANNED.items():
        for wp_id in wp_ids:
            repo.write(f"kitty-specs/{slug}/tasks/{wp_id}-title.md", f"# {wp_id}\n")
    repo.commit("Plan 034-login WP01 WP02 WP10")
    return repo


def work(repo: GitRepo, message: str, path: str = "", *, at: int | None = None) -> str:
    """Commit a change of a file of its own; `at` is the hour of a day, for an order that tests rely on."""
    count = repo.git("rev-list", "--count", "--all", check=False)
    repo.append(path or f"src/file-{count}.py", f"{message}\n")
    repo.git("add", "-A")
    when = {} if at is None else {"GIT_COMMITTER_DATE": f"2026-03-01T{at:02}:00:00Z"}
    repo.git("commit", "-q", "--cleanup=verbatim", "-m", message, environment=when)
    return repo.git("rev-parse", "HEAD")


def work_on(repo: GitRepo, branch: str, *messages: str) -> list[str]:
    """Make a branch where the repository stands, commit this work there, and go back to `main`."""
    repo.branch(branch)
    commits = [work(repo, message) for message in messages]
    repo.switch("main")
    return commits


def merge(repo: GitRepo, branch: str, *paragraphs: str) -> str:
    """Merge a branch with a merge commit, with git's own subject and more paragraphs."""
    message = [f"Merge branch '{branch}'", *paragraphs]
    repo.git("merge", "-q", "--no-ff", *(part for each in message for part in ("-m", each)), branch)
    return repo.git("rev-parse", "HEAD")


def reconcile(repo: GitRepo, *args: str, code: int | None = None) -> Answer:
    """Run the command for everything, with `--json`; any other code than `code` fails the test."""
    scope = () if any(arg in _PLANNED or arg == "--all" for arg in args) else ("--all",)
    answer = ask(repo.path, "reconcile", *scope, *args, "--json")
    assert code is None or answer.code == code, answer
    return answer


def goals(repo: GitRepo, *args: str) -> dict[str, str]:
    """Return {work package of 034-login: the lane it would be in}, of other features as `slug/id`."""
    found = reconcile(repo, *args).data["work_packages"]
    return {name_of(each): each["moves"][-1]["to_lane"] if each["moves"] else each["lane"] for each in found}


def name_of(each: dict[str, Any]) -> str:
    wp_id: str = each["wp_id"]
    return wp_id if each["feature"] == LOGIN else f"{each['feature']}/{wp_id}"


def of(answer: Answer, wp_id: str) -> dict[str, Any]:
    """Return what an answer says of a work package of 034-login."""
    (found,) = (each for each in answer.data["work_packages"] if name_of(each) == wp_id)
    assert isinstance(found, dict)
    return found
