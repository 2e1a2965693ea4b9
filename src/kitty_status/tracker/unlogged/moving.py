"""Moving a work package of a feature in phase 0: by the same rules as everywhere, and into its frontmatter alone.

The lane is the one thing that is written. Who moved it, when, why, and on what evidence, is recorded nowhere.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, KittyStatusError, NotFoundError, UsageError
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.replace import remove_leftovers, replace_file
from kitty_status.tracker.commit import check_unchanged
from kitty_status.tracker.moving.deciding import check_request
from kitty_status.tracker.moving.judging import lane_asked_for, move_asked_for, refuse_if_against_the_rules
from kitty_status.tracker.unlogged.elsewhere import refuse_if_held_in_another_tree
from kitty_status.tracker.unlogged.standings import log_unread, profile_of, snapshot_of, standing_in
from kitty_status.tracker.work_packages.files import read_text_file, work_package_files

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.moving.request import EmitRequest
    from kitty_status.tracker.unlogged.standings import Standing


@dataclass(slots=True)
class MovedInFile:
    """A lane that was written into a work package's file (under `dry_run`: that would be)."""

    feature: Feature
    wp_id: str
    from_lane: str
    to_lane: str
    path: Path
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)


def move_in_file(
    feature: Feature, config: Config, request: EmitRequest, *, to_be_committed: bool = False
) -> MovedInFile:
    """Move a work package of a feature in phase 0, if its profile's rules allow it, by writing its frontmatter.

    With `to_be_committed` its file must have no other change, so that a commit of it holds the move alone.

    Raises:
        MoveRefusedError: the move is against the rules (HeldByOtherError: somebody else holds it).
        NotFoundError: it has no file, and so no place for a lane.
        WorkPackageFileError: the file cannot be understood, or not be changed in its lane alone; it names the line.
        UsageError: the lane is unknown, or an event id was given: no event comes of this.
        BusyError: another process held the feature for too long, or wrote the file meanwhile.
        GitError: git could not be asked. OSError: the operating system refused; the file is as it was.
    """
    config.check_may_write()
    check_request(request)
    if request.event_id is not None:
        raise UsageError(
            f"{feature.slug} is in phase 0, where a move is no event, so that it cannot have the id {request.event_id}",
            hint="leave out --event-id",
        )
    with nullcontext() if request.dry_run else exclusive(feature.lock):
        feature.check_can_move()
        moved, before, after = _decide(feature, config, request)
        if to_be_committed:
            check_unchanged(feature, moved.path)
        if not request.dry_run:
            _write(feature, moved.path, before, after)
    return moved


def _decide(feature: Feature, config: Config, request: EmitRequest) -> tuple[MovedInFile, bytes, bytes]:
    """Return the move, and what the file holds before and after it."""
    files = {file.wp_id: file for file in work_package_files(feature)}
    if request.wp_id not in files:
        near = get_close_matches(request.wp_id, sorted(files), cutoff=0.5)
        raise NotFoundError(
            f"{request.wp_id} has no file in {feature.relative(feature.folder)}/tasks, and in phase 0 that holds its "
            "lane",
            hint=f"did you mean {', '.join(near)}?" if near else "write one whose frontmatter has a `lane`",
            nearest=near,
        )
    profile = profile_of(files.values(), config)
    to_lane = lane_asked_for(request, profile)
    standing = standing_in(files[request.wp_id], profile)
    snapshot = snapshot_of(feature, profile, {request.wp_id: standing})
    if request.actor in standing.names:
        snapshot.work_packages[request.wp_id]["actor"] = request.actor
    move, warnings = move_asked_for(feature, request, to_lane, snapshot)
    refuse_if_against_the_rules(feature, request, move, snapshot)
    warnings = [
        *feature.remarks(),
        *refuse_if_held_in_another_tree(feature, move, request.wp_id, profile),
        *warnings,
        *_names_another(standing, to_lane, request, profile),
        *log_unread(feature),
    ]
    moved = MovedInFile(feature, request.wp_id, move.from_lane, to_lane, standing.file.path, request.dry_run, warnings)
    return moved, standing.file.data, standing.block.with_lane(to_lane)


def _names_another(standing: Standing, to_lane: str, request: EmitRequest, profile: LaneProfile) -> list[str]:
    """Return what to say where a work package is held from now on, and its file does not name the one who holds it."""
    if to_lane not in profile.held or request.actor in standing.names:
        return []
    named = " and ".join(standing.names) or "nobody"
    words = (
        f"{standing.file.where} names {named} and not {request.actor}, and phase 0 writes the lane alone: "
        f"write `agent: {request.actor}` by hand, so that others see who holds {request.wp_id}"
    )
    return [words]


def _write(feature: Feature, path: Path, before: bytes, after: bytes) -> None:
    remove_leftovers(path)
    where = feature.relative(path)
    try:
        is_as_read = read_text_file(path, where) == before
    except (KittyStatusError, FileNotFoundError):
        is_as_read = False
    if not is_as_read:
        raise BusyError(f"{where} was changed meanwhile", hint="call again; nothing was written")
    replace_file(path, after)
