"""Writing `status.json` and the views from the log, and saying whether `status.json` is what the log says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.errors import BusyError, KittyStatusError, StoreError
from kitty_status.git.blobs import blob_oid, file_oid, tree_oid
from kitty_status.git.objects import blob_ids
from kitty_status.git.repository import read_file
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.replace import remove_leftovers, replace_file
from kitty_status.status.mission import IDENTITY, written_by_spec_kitty
from kitty_status.status.snapshot import parse, to_bytes
from kitty_status.tracker.config import SNAPSHOT_OWN, SNAPSHOT_SPEC_KITTY, load_config
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.missions import is_spec_kitty_mission, mission_snapshot
from kitty_status.tracker.views.views import write_views

if TYPE_CHECKING:
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.views.views import StagedViews, View

_ATTEMPTS = 5


class Materialized:
    """A feature's snapshot and whether `status.json` says the same; `written` if it was made to.

    One that is not there has drifted only if it is `wanted`: where it is not committed, it is made when needed.
    `views` are the views of this snapshot as far as they were looked at, `problems` what kept others from being made.
    """

    __slots__ = ("data", "drifted", "existing", "problems", "snapshot", "views", "written")

    def __init__(self, snapshot: Snapshot, data: bytes, existing: bytes | None, *, wanted: bool = True) -> None:
        self.snapshot = snapshot
        self.data = data
        self.existing = existing
        self.drifted = data != existing and (wanted or existing is not None)
        self.written = False
        self.views: list[View] = []
        self.problems: list[KittyStatusError | OSError] = []

    def warnings(self, feature: Feature) -> list[str]:
        """Return what to say of the views that could not be written."""
        again = f"then run `kitty-status materialize {feature.slug}`"
        return [f"a view was not written ({problem}); put that right, {again}" for problem in self.problems]


def materialize_feature(feature: Feature, config: Config, *, dropped: int = 0) -> Materialized:
    """Write the snapshot and the views of a feature's log, each unless its file says the same already.

    A view that cannot be written keeps nothing else from being written; it stands among the `problems`.

    The log's lock is held meanwhile, so that an older snapshot cannot replace a newer one. So many events
    were `dropped` from the log on purpose: a log that is empty for that has not been lost.

    Raises:
        StoreError: the log is damaged; `status.json` is as it was.
        BusyError: another process held the log for too long.
        OSError: the operating system refused.
    """
    config.check_may_write()
    with exclusive(feature.lock):
        snapshot, oid = reduce_with_oid(feature, config)
        refuse_lost_log(feature, snapshot, config, dropped=dropped)
        return write_snapshot(feature, config, snapshot, oid)


def materialize_folder(folder: Path, *, dropped: int = 0) -> Materialized:
    """Materialize the feature in `folder` by the configuration of its project; see `materialize_feature`."""
    feature = feature_at(folder)
    return materialize_feature(feature, load_config(feature.root), dropped=dropped)


def reduce_with_oid(feature: Feature, config: Config) -> tuple[Snapshot, str | None]:
    """Return the snapshot of a log and the git blob id of the very bytes that it was reduced from.

    git takes no lock of ours: it may put another file in the log's place while that is read. The log
    is then read again.

    Raises:
        StoreError, OSError: as `log.read_log`.
        BusyError: the log did not stay the same for as long as reading it takes.
    """
    for _ in range(_ATTEMPTS):
        before = _identity(feature)
        snapshot = reduce_log(feature.log, config.profile, feature.log.strictly())
        oid = log_oid(feature)
        if _identity(feature) == before:
            return snapshot, oid
    raise BusyError(f"{feature.log} changes all the time", hint="call again when git is done")


def _identity(feature: Feature) -> list[tuple[str, int, int, int]]:
    found = []
    for path in feature.log.files():
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found.append((path.name, status.st_ino, status.st_size, status.st_mtime_ns))
    return found


def refuse_lost_log(feature: Feature, snapshot: Snapshot, config: Config, *, dropped: int = 0) -> None:
    """Refuse to write beside a snapshot that counts more events than were `dropped`, while the log has none.

    Such a snapshot may be the last thing that tells of the events: it must not be written over. One
    that git ignores tells nothing: it stays where it is when another branch is checked out.

    Raises:
        StoreError: that is so.
    """
    if snapshot.event_count or not config.commits_snapshots:
        return
    counted = events_counted_by(feature)
    if counted > dropped:
        raise StoreError(
            f"{feature.snapshot} counts {counted} events and the log has none: the log may have been lost",
            hint=f"{_how_to_find(feature)}; if it is meant to be empty, move {feature.snapshot.name} away",
        )


def _how_to_find(feature: Feature) -> str:
    """Return how the lines of a lost log come back, by what git has of it."""
    if feature.repository is None:
        return "put back a copy of the log"
    path = feature.relative(feature.log.path)
    known = blob_ids([f":{path}", f"HEAD:{path}"], cwd=feature.repository.worktree)
    if {*known} - {None, blob_oid(b"", feature.repository.object_format)}:
        return f"`kitty-status resolve {feature.slug}` brings back what git has of it"
    return (
        f"`git log --all --diff-filter=AM -- {shlex.quote(path)}` lists the commits that have it, and "
        f"`kitty-status resolve {feature.slug} --from COMMIT` brings its lines back"
    )


def is_leftover(feature: Feature, config: Config) -> bool:
    """Say whether a folder holds nothing but a snapshot that git ignored when it took the feature away."""
    return not config.commits_snapshots and feature.holds_only_a_snapshot()


def events_counted_by(feature: Feature) -> int:
    """Return how many events `status.json` counts, 0 where it is not there or says nothing that can be read."""
    try:
        counted = parse(_read(feature) or b"{}").get("event_count")
    except (ValueError, OSError):
        return 0
    return counted if isinstance(counted, int) else 0


def write_snapshot(
    feature: Feature, config: Config, snapshot: Snapshot, oid: str | None, staged: StagedViews | None = None
) -> Materialized:
    """Write a snapshot that was just reduced from the log of this blob id, and its views.

    The caller holds the log's lock. Views that are `staged` already are put in place if they are of this snapshot.

    Raises:
        OSError: the operating system refused; `status.json` and the views are as they were.
    """
    remove_leftovers(feature.snapshot)
    result = compare(feature, config, snapshot, oid)
    # Whole in any case; which of the two a crash of the machine leaves, the log decides afterwards.
    result.written = replace_file(feature.snapshot, result.data, lasting=False)
    if staged is not None and staged.snapshot == snapshot:
        result.views, result.problems = staged.views, staged.commit()
    else:
        result.views, result.problems = write_views(feature, config, snapshot)
    return result


def compare(feature: Feature, config: Config, snapshot: Snapshot, oid: str | None) -> Materialized:
    """Return what `status.json` should say beside what it says, and write nothing.

    Raises:
        OSError: the operating system refused.
    """
    existing = _read(feature)
    theirs = _their_keys(feature, config, existing)
    data = to_bytes(snapshot, oid) if theirs is None else mission_snapshot(feature, theirs)
    return Materialized(snapshot, data, existing, wanted=config.commits_snapshots)


def oid_of(feature: Feature, data: bytes) -> str | None:
    """Return the git blob id of bytes that a feature's log holds, None outside git."""
    return None if feature.repository is None else blob_oid(data, feature.repository.object_format)


def log_oid(feature: Feature) -> str | None:
    """Return the id of the git object that holds a feature's log: a blob, or the tree of the writers' files.

    None outside git, and where a log lies in both layouts: there is no one object that holds both.
    """
    if feature.repository is None:
        return None
    object_format = feature.repository.object_format
    log = feature.log
    try:
        if not log.is_divided:
            return file_oid(log.single, object_format)
        if log.single.exists():
            return None
        return tree_oid({path.name: file_oid(path, object_format) for path in log.files()}, object_format)
    except FileNotFoundError:
        return blob_oid(b"", object_format)


def _read(feature: Feature) -> bytes | None:
    try:
        return read_file(feature.snapshot)
    except FileNotFoundError:
        return None


def _their_keys(feature: Feature, config: Config, existing: bytes | None) -> dict[str, Any] | None:
    """Return the content of a snapshot that spec-kitty 3 keeps, None where the snapshot is ours alone."""
    if config.snapshot == SNAPSHOT_OWN:
        return None
    names_no_mission = existing is None or (IDENTITY.encode() not in existing and b"\\" not in existing)
    if config.snapshot != SNAPSHOT_SPEC_KITTY and names_no_mission and not is_spec_kitty_mission(feature):
        # It is ours, whatever else it says: nobody needs to parse it.
        return None
    try:
        content = parse(existing) if existing else None
    except ValueError:
        # A snapshot is derived: what cannot be read is written anew.
        content = None
    is_theirs = config.snapshot == SNAPSHOT_SPEC_KITTY or (content is None and is_spec_kitty_mission(feature))
    if is_theirs and not written_by_spec_kitty(content):
        return {IDENTITY: feature.slug}
    return content
