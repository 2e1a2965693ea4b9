"""What `emit` has to say about a move that the rules allow: likely slips, and what was not looked at."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from kitty_status.errors import NotFoundError
from kitty_status.git.head import operation_in_progress
from kitty_status.tracker.commit import committed_paths, how_to_stage
from kitty_status.tracker.work_packages.files import work_package_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.moving.request import EmitRequest
    from kitty_status.tracker.views.views import View


def unknown_work_package(
    feature: Feature, request: EmitRequest, state: dict[str, Any] | None, before: Snapshot
) -> list[str]:
    """Return what to say about a work package that has neither a file nor an earlier event.

    Raises:
        NotFoundError: the request is strict about it.
    """
    if state is not None:
        return []
    known = {*before.work_packages, *work_package_ids(feature)}
    if request.wp_id in known:
        return []
    near = get_close_matches(request.wp_id, sorted(known), cutoff=0.5)
    message = f"{request.wp_id} has neither a file nor an earlier event in {feature.slug}"
    hint = f"did you mean {', '.join(near)}?" if near else "it is the first event of this work package"
    if request.strict_wp:
        raise NotFoundError(message, hint=hint, nearest=near)
    return [f"{message}; {hint}"]


def in_the_middle(feature: Feature, views: Iterable[View] = ()) -> list[str]:
    """Return what to do if the merge, rebase or pick that git is in the middle of, while this was written, is aborted.

    `git merge --abort` refuses to touch a log that was written to since ("Entry … not uptodate"). Once the log is
    staged it is put back to what HEAD has, and the journal still holds the event.
    """
    operation = None if feature.repository is None else operation_in_progress(feature.repository.git_dir)
    if operation is None:
        return []
    stage = how_to_stage([*committed_paths(feature), *(view.where for view in views if view.written)])
    words = (
        f"git is in the middle of a {operation}: before you abort it, run `{stage}`, since git may refuse otherwise, "
        "and after it `kitty-status reconcile-journal`, which brings back what was recorded meanwhile"
    )
    return [words]
