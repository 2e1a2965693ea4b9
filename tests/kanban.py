"""A lane profile that a repository defines itself, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.git.configuration import own_profiles, placed_section

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile

KANBAN = """\
status:
  lanes: kanban
  profiles:
    kanban:
      lanes: [idea, backlog, ready, working, review, shipped, dropped]
      initial: backlog
      pre_seed: [idea]
      terminal: [shipped, dropped]
      aliases: {doing: working}
      rollbacks: [[review, working]]
      moves:
        - {from: idea, to: backlog}
        - {from: backlog, to: ready}
        - {from: ready, to: working, guard: claim}
        - {from: working, to: review, guard: subtasks}
        - {from: working, to: ready, guard: reason}
        - {from: review, to: shipped, guard: approval}
        - {from: review, to: working, guard: review-ref}
        - {from: [backlog, ready, working, review], to: dropped}
"""
LANES = ("idea", "backlog", "ready", "working", "review", "shipped", "dropped")


def own_profile() -> LaneProfile:
    """Return that profile."""
    return own_profiles(placed_section(KANBAN, "config.yaml").value, "config.yaml")[0]["kanban"]
