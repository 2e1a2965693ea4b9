"""Which files of a feature's folder are views: `tasks.md`, and `tasks/WP01-some-title.md` or `tasks/WP01.md`."""

from __future__ import annotations

from kitty_status.status.layout import OVERVIEW_FILENAME, WORK_PACKAGE_SUFFIX, folder_of_view
from kitty_status.status.rows import is_safe_name

_PREFIX = "WP"
_BREAKS = frozenset("\r\n")


def work_package_in(name: str) -> str | None:
    """Return the id of the work package whose file has this name, None where it is none."""
    wp_id = name.split("-", maxsplit=1)[0].removesuffix(WORK_PACKAGE_SUFFIX)
    is_one = name.endswith(WORK_PACKAGE_SUFFIX) and wp_id.upper().startswith(_PREFIX) and is_safe_name(wp_id)
    # Of a name with a line break git could not be asked.
    return wp_id if is_one and _BREAKS.isdisjoint(name) else None


def view_at(path: str) -> tuple[str, str | None] | None:
    """Return the feature's folder of a view, "" for the top, and the id of its work package; None where it is no view.

    The overview has no work package.
    """
    folder, name = folder_of_view(path), path.rpartition("/")[2]
    if folder is None or name == OVERVIEW_FILENAME:
        return None if folder is None else (folder, None)
    wp_id = work_package_in(name)
    return None if wp_id is None else (folder, wp_id)
