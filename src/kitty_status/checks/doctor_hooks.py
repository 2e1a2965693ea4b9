"""What doctor looks at about hooks: whether git gets as far as ours, in every work tree of the clone."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.checks.diagnosis import INSTALL, Diagnosis, Fix
from kitty_status.git import hook_ways
from kitty_status.git.reachability import REACHED, SILENT, reach_of_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.checks.diagnosis import Clone
    from kitty_status.git.reachability import Reach

_CODES = {
    hook_ways.MISSING: "hook-missing",
    hook_ways.NOT_EXECUTABLE: "hook-not-executable",
    hook_ways.FOREIGN: "hook-foreign",
    hook_ways.OUTDATED: "hook-outdated",
    SILENT: "hook-silent",
}
# What installing again mends without a person's say; a foreign hook is moved aside only on request.
_MENDED = frozenset({hook_ways.MISSING, hook_ways.NOT_EXECUTABLE, hook_ways.OUTDATED, SILENT})


def check_hooks(clone: Clone) -> Iterator[Diagnosis]:
    """Fire every hook in every work tree: does it answer?"""
    own = Path(clone.repository.common_dir, "hooks").resolve()
    missed = [reach for reach in reach_of_hooks(clone.repository) if reach.state != REACHED]
    groups: dict[tuple[str, str], list[Reach]] = {}
    for reach in missed:
        # Work trees that share their hooks folder share what is wrong with it.
        groups.setdefault((str(Path(reach.path).parent), reach.state), []).append(reach)
    for group in groups.values():
        yield _diagnosis(group, own)
    elsewhere = {str(Path(reach.path).parent) for reach in missed if Path(reach.path).parent.resolve() != own}
    if elsewhere:
        observed = f"it leads to {', '.join(sorted(elsewhere))}"
        commands = ("git config --show-origin --get core.hooksPath", "kitty-status install --manual")
        yield Diagnosis("hooks-managed-elsewhere", "core.hooksPath", observed, commands)


def _diagnosis(missed: list[Reach], own: Path) -> Diagnosis:
    folder = Path(missed[0].path).parent
    is_own = folder.resolve() == own
    trees = list(dict.fromkeys(reach.worktree for reach in missed))
    more = f" and {len(trees) - 1} more work trees" if len(trees) > 1 else ""
    observed = f"{', '.join(dict.fromkeys(reach.hook for reach in missed))} in {folder}"
    if missed[0].words:
        observed += f": {missed[0].words}"
    commands = ("kitty-status install",) if is_own else (f"git -C {shlex.quote(trees[0])} rev-parse --git-path hooks",)
    state = missed[0].state
    fix = Fix(INSTALL) if is_own and state in _MENDED else None
    return Diagnosis(_CODES[state], trees[0] + more, observed, commands, fix)
