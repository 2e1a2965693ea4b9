"""Claims across work trees in phase 0: what the same file says in the other work trees of the clone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import HeldByOtherError, WorkPackageFileError
from kitty_status.git.head import worktrees
from kitty_status.status.lanes import GUARD_CLAIM
from kitty_status.status.transitions import HELD_BY_OTHER
from kitty_status.tracker.features import Feature
from kitty_status.tracker.unlogged.standings import standing_in
from kitty_status.tracker.work_packages.files import work_package_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.transitions import Move
    from kitty_status.tracker.unlogged.standings import Standing


def refuse_if_held_in_another_tree(feature: Feature, move: Move, wp_id: str, profile: LaneProfile) -> list[str]:
    """Return what a claimant should know of other work trees; nothing for any other move.

    Branches that are checked out nowhere are not looked at. `force` sets other holders aside.

    Raises:
        HeldByOtherError: the work package's file in another work tree names another holder.
        GitError: git's list of work trees cannot be read.
    """
    is_claim = profile.moves.get((move.from_lane, move.to_lane)) == GUARD_CLAIM
    if feature.repository is None or move.force or not is_claim:
        return []
    warnings = []
    for tree, standing in _elsewhere(feature, feature.repository, wp_id, profile):
        if move.actor in standing.names or standing.lane == move.from_lane:
            continue
        if standing.lane in profile.held:
            raise _held(wp_id, move, standing, tree, profile.targets(move.from_lane))
        warnings.append(f"{wp_id} is in {standing.lane} in {tree.worktree}; that is not merged here")
    return warnings


def _held(wp_id: str, move: Move, standing: Standing, tree: Repository, legal: Sequence[str]) -> HeldByOtherError:
    name = next(iter(standing.names), None)
    who = name or "somebody, whom the file does not name,"
    return HeldByOtherError(
        f"{wp_id} is in {move.from_lane} here, but {who} holds it ({standing.lane}) in {tree.worktree}",
        hint="ask for it to be given back; if that claim is forgotten, --force with a --reason sets it aside",
        wp_id=wp_id,
        from_lane=move.from_lane,
        to_lane=move.to_lane,
        legal_lanes=list(legal),
        refusals=[HELD_BY_OTHER],
        commands=[],
        holder=name,
    )


def _elsewhere(
    feature: Feature, repository: Repository, wp_id: str, profile: LaneProfile
) -> Iterator[tuple[Repository, Standing]]:
    for tree in worktrees(repository):
        if tree.worktree == repository.worktree:
            continue
        other = Feature(Path(tree.worktree, feature.path), tree)
        try:
            file = next((each for each in work_package_files(other) if each.wp_id == wp_id), None)
            if file is not None:
                yield tree, standing_in(file, profile)
        except (WorkPackageFileError, OSError):
            # What stands there is for that work tree to mend; here nothing is known of it.
            continue
