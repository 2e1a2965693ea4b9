"""A feature whose Markdown files have generated parts, in a real repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features import FEATURE, declare, install, record
from gitrepo import GitRepo
from kitty_status import materialize

if TYPE_CHECKING:
    from pathlib import Path

OVERVIEW = f"{FEATURE}/tasks.md"
WORK_PACKAGES = tuple(f"WP{number:02}" for number in range(4))
LINES = tuple(f"line {number}" for number in range(1, 13))
MARKER = b"<<<<<<<"


def file_of(wp_id: str) -> str:
    """Return where the file of a work package lies."""
    return f"{FEATURE}/tasks/{wp_id}-the-title.md"


def overview(*, newline: str = "\n") -> str:
    """Return an overview as a person writes it, without a section."""
    return newline.join(["# Work packages", "", *LINES, ""])


def text_of(wp_id: str, lane: str = "planned", *, newline: str = "\n") -> str:
    """Return the file of a work package as a person writes it."""
    block = ["---", f"title: about {wp_id}", f"lane: {lane}", "agent: nobody", "---"]
    return newline.join([*block, f"# {wp_id}", "", *LINES, ""])


def write_views(repo: GitRepo, *, newline: str = "\n") -> None:
    """Write all files of the feature as people write them."""
    repo.write(OVERVIEW, overview(newline=newline))
    for wp_id in WORK_PACKAGES:
        repo.write(file_of(wp_id), text_of(wp_id, newline=newline))


def viewed_repo(folder: Path, *numbers: int, newline: str = "\n") -> GitRepo:
    """Return a repository with the tool, and a feature with files and these events, all of it committed."""
    repo = GitRepo.init(folder)
    declare(repo)
    install(repo)
    write_views(repo, newline=newline)
    if numbers:
        record(repo, *numbers)
    else:
        repo.commit("files")
    return repo


def edit(repo: GitRepo, path: str, old: str, new: str) -> None:
    """Change a person's text in a file."""
    data = repo.read(path)
    assert data.count(old.encode()) == 1, data
    repo.write(path, data.replace(old.encode(), new.encode()))


def edit_line(repo: GitRepo, path: str, number: int, name: str) -> None:
    """Write a name behind one of the lines of a file."""
    data = repo.read(path)
    old = f"line {number}\r\n" if b"\r\n" in data else f"line {number}\n"
    edit(repo, path, old, old.replace(f"line {number}", f"line {number} {name}"))


def views_of(repo: GitRepo) -> dict[str, bytes]:
    """Return {path: content} of the files as they lie in the work tree."""
    paths = [OVERVIEW, *sorted(str(path.relative_to(repo.path)) for path in (repo.path / FEATURE / "tasks").glob("*"))]
    return {path: repo.read(path) for path in paths if (repo.path / path).exists()}


def assert_current(repo: GitRepo) -> None:
    """Hold the work tree to the promise: the views are what the log says, and nothing in them is left to decide."""
    before = views_of(repo)
    assert not [path for path, data in before.items() if MARKER in data]
    materialize(repo.path / FEATURE)
    assert views_of(repo) == before


def assert_committed_current(repo: GitRepo) -> None:
    """Hold the newest commit to the promise, too: nothing had to be written behind it."""
    assert repo.git("status", "--porcelain") == ""
    assert_current(repo)


def diverge(repo: GitRepo) -> None:
    """Record 3 and 5 on `theirs`, 4 and 6 on `ours`, with a line of the texts changed by each, and stay on `ours`."""
    for name, number, events in (("theirs", 2, (3, 5)), ("ours", 11, (4, 6))):
        repo.git("checkout", "-q", "-b", name, "main")
        for event in events:
            record(repo, event)
        for path in (OVERVIEW, *map(file_of, WORK_PACKAGES)):
            edit_line(repo, path, number, name)
        repo.commit(f"text of {name}")


def assert_both_texts(repo: GitRepo) -> None:
    """The lines that `diverge` has changed on both sides are all there."""
    for path, data in views_of(repo).items():
        assert b"line 2 theirs" in data, path
        assert b"line 11 ours" in data, path


def conflicted(repo: GitRepo) -> list[str]:
    """Return the paths that git left for a person."""
    return sorted(filter(None, repo.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")))
