"""Features in phase 0, for tests: their lanes stand in the frontmatter of their work packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commandline import FOLDER
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = ".kittify/config.yaml"
META = f"{FOLDER}/meta.json"


def unlogged(path: Path, **lanes: str) -> GitRepo:
    """Return a repository whose one feature is in phase 0, with a committed file for each work package."""
    repo = GitRepo.init(path)
    phase(repo, 0)
    for wp_id, lane in lanes.items():
        file_of(repo, wp_id, f"lane: {lane}\n")
    repo.commit()
    return repo


def phase(repo: GitRepo, number: int) -> None:
    """Put every feature into a phase."""
    repo.write(CONFIG, f"status:\n  phase: {number}\n")


def path_of(wp_id: str) -> str:
    """Return where the file of a work package lies."""
    return f"{FOLDER}/tasks/{wp_id}-title.md"


def file_of(repo: GitRepo, wp_id: str, block: str, body: str = "") -> str:
    """Write the file of a work package with this frontmatter, and return its path."""
    repo.write(path_of(wp_id), f"---\n{block}---\n\n# {wp_id}\n{body}")
    return path_of(wp_id)


def lanes_in(repo: GitRepo) -> dict[str, str]:
    """Return what the files say, by work package, as it is spelled there."""
    found = {}
    for path in sorted((repo.path / FOLDER / "tasks").glob("WP*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found[path.name.split("-")[0]] = next(line for line in lines if line.startswith("lane:"))[5:].strip()
    return found
