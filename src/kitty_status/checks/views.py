"""What is wrong with a feature's views: those that say something else than its log, and those that cannot be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.status.validation import ERROR, VIEW_DRIFT, VIEW_UNREADABLE, WARNING, Finding
from kitty_status.status.view_text import lane_span
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.views.materialize import reduce_with_oid
from kitty_status.tracker.views.views import look_at_views

if TYPE_CHECKING:
    from kitty_status.errors import WorkPackageFileError
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.views.views import View


def view_findings(feature: Feature, config: Config, snapshot: Snapshot) -> list[Finding]:
    """Return what is wrong with the views, where `snapshot` was just reduced from the log beside them.

    Raises:
        StoreError, BusyError, OSError: as `materialize.reduce_with_oid`.
    """
    views, problems = look_at_views(feature, config, snapshot)
    if any(view.drifted for view in views):
        # The log may have changed since it was read: what differs from it now has drifted.
        views, problems = look_at_views(feature, config, reduce_with_oid(feature, config)[0])
    drifted = [view for view in views if view.drifted]
    severity = ERROR if drifted and phase_of(feature, config).drift_is_error else WARNING
    mend = f"run `kitty-status materialize {feature.slug}`"
    found = [Finding(VIEW_DRIFT, _said(view), hint=mend, severity=severity, path=view.where) for view in drifted]
    return found + [about_file(VIEW_UNREADABLE, problem) for problem in problems]


def _said(view: View) -> str:
    here, wanted = lane_span(view.existing), lane_span(view.wanted)
    if here is None or wanted is None:
        return "the status in this file is not what the log says"
    lanes = [data[slice(*span)].decode("ascii") for data, span in ((view.existing, here), (view.wanted, wanted))]
    return f"the lane is {lanes[0]} in this file and {lanes[1]} in the log"


def about_file(code: str, problem: WorkPackageFileError) -> Finding:
    """Return the finding that a file cannot be understood, with its path and, where it is known, the line."""
    path, line = str(problem.context.get("file", "")), problem.context.get("line")
    place = f"{path}:{line}: " if line else f"{path}: "
    return Finding(
        code,
        problem.message.removeprefix(place),
        hint=problem.hint,
        path=path,
        line=line if isinstance(line, int) else None,
    )
