"""Work packages as they were kept before there was a log, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commandline import FOLDER

if TYPE_CHECKING:
    from gitrepo import GitRepo

HISTORY = """\
history:
- {timestamp: '2026-02-01T10:00:00Z', lane: planned, agent: system}
- {timestamp: '2026-02-02T10:00:00Z', lane: claimed, agent: ada}
- {timestamp: '2026-02-03T10:00:00Z', lane: doing, agent: ada}
- {timestamp: '2026-02-04T10:00:00Z', lane: for_review, agent: ada}
- {timestamp: '2026-02-05T10:00:00Z', lane: done, agent: ben}
"""
CREATED = "created_at: '2026-02-01T09:00:00Z'\n"


def work_package(repo: GitRepo, wp_id: str, block: str, *, folder: str = FOLDER) -> None:
    """Write the file of a work package with this frontmatter."""
    repo.write(f"{folder}/tasks/{wp_id}-title.md", f"---\n{block}---\n\n# {wp_id}\n")


def finished_and_begun(repo: GitRepo, *, folder: str = FOLDER) -> None:
    """Write three work packages: one with a history of four moves, one with a lane alone, one that never moved."""
    work_package(repo, "WP01", f"work_package_id: WP01\nlane: done\n{HISTORY}", folder=folder)
    work_package(repo, "WP02", f"lane: doing\n{CREATED}", folder=folder)
    work_package(repo, "WP03", f"lane: planned\n{CREATED}", folder=folder)
