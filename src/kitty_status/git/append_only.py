"""A log is only ever appended to: what in a history breaks that.

For every commit and each of its parents, every line that the parent's logs hold must stand in the
child's, byte for byte. A log may move: lines that stand in another log of the child are there, and
each line may move between the files of one log that is divided by writer. Lines may come in another
order, as every merge is free to put them. What has been removed is only looked
into where the child's log does not begin with the parent's, so that a sound history costs a
comparison of bytes and no line of it is ever parsed.

What was lost and put back is a warning: a history cannot be mended in any other way.
"""

from __future__ import annotations

from kitty_status.git.log_paths import feature_of
from kitty_status.jsonl.codec import decode
from kitty_status.status.merging import common_part, split_lines
from kitty_status.status.record import is_readable
from kitty_status.status.validation import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.history import History, Pair, Step, Tree
    from kitty_status.git.staged import Change

LINE_REMOVED = "line-removed"
LINE_EDITED = "line-edited"
LOG_DELETED = "log-deleted"
FEATURE_DELETED = "feature-deleted"
DAMAGE_REMOVED = "damage-removed"
LINES_REORDERED = "lines-reordered"

_SEVERITIES = {FEATURE_DELETED: WARNING, DAMAGE_REMOVED: WARNING, LINES_REORDERED: INFO}


class Loss:
    """Something that a commit did to a log beyond appending to it.

    `line` is the line as the parent has it, nothing where all of the log is meant; `lines` is how many
    are concerned. `is_restored` says that a later commit has put the lines back.
    """

    __slots__ = ("change", "code", "commit", "event_id", "is_restored", "line", "lines")

    def __init__(self, code: str, commit: str, change: Change, *, line: bytes = b"", lines: int = 1) -> None:
        self.code = code
        self.commit = commit
        self.change = change
        self.line = line
        self.lines = lines
        self.event_id = _event_id(line) if line else None
        self.is_restored = False

    @property
    def path(self) -> str:
        """Where the parent has the log."""
        return self.change.path

    @property
    def severity(self) -> str:
        """How much it matters: what nobody can lose an event by is no error."""
        return WARNING if self.is_restored else _SEVERITIES.get(self.code, ERROR)


class Proof:
    """What came of looking at a part of history.

    * `losses`: what was found, in the order of the steps
    * `moves`: (path in the parent, path in the child) of each log that moved
    * `unread`: the logs that could not be compared because a blob of theirs is not in this clone
    """

    def __init__(self) -> None:
        self.losses: list[Loss] = []
        self.moves: set[tuple[str, str]] = set()
        self.unread: set[str] = set()


def prove(history: History, steps: Sequence[Step]) -> Proof:
    """Return whether every step only appended to the logs, and what it did instead where it did not.

    Raises:
        GitError: git failed.
    """
    return _Prover(history).prove(steps)


def mark_restored(history: History, losses: Sequence[Loss], tip: str) -> None:
    """Mark those of the losses, the newest first, whose lines stand in the logs of the commit `tip` again.

    Of an event that was edited several times, the content that it had at first is what has to stand
    there; what it had in between may go again.

    Raises:
        GitError: git failed.
    """
    errors = [loss for loss in losses if loss.severity == ERROR]
    if not errors:
        return
    there: set[bytes] = set()
    for _, data in history.blobs(history.tree(tip).logs.values()):
        there.update(split_lines(data or b""))
    deleted = dict(history.blobs(loss.change.old for loss in errors if not loss.line))
    original: dict[str | None, bytes] = {loss.event_id: loss.line for loss in errors if loss.event_id}
    for loss in errors:
        if loss.line:
            loss.is_restored = original.get(loss.event_id, loss.line) in there
        else:
            loss.is_restored = there.issuperset(split_lines(deleted[loss.change.old] or b""))


class _Prover:
    def __init__(self, history: History) -> None:
        self._history = history
        self._proof = Proof()
        self._lines: dict[str, frozenset[bytes] | None] = {}
        self._tree_of: tuple[str, Tree] | None = None

    def prove(self, steps: Sequence[Step]) -> Proof:
        suspect, reordered = self._suspects(steps)
        for step in steps:
            for change in step.changes:
                pair = (change.old, change.new)
                if pair in reordered:
                    self._proof.losses.append(Loss(LINES_REORDERED, step.commit, change, lines=reordered[pair]))
                elif pair in suspect or (change.is_deleted and not change.is_added and not self._moved(step, change)):
                    self._look_into(step, change)
        return self._proof

    def _suspects(self, steps: Sequence[Step]) -> tuple[set[Pair], dict[Pair, int]]:
        """Return the pairs of blobs of which the second lacks lines of the first, and those in another order."""
        paths: dict[Pair, str] = {}
        for step in steps:
            for change in step.changes:
                if not change.is_added and not change.is_deleted:
                    paths.setdefault((change.old, change.new), change.path)
        suspect: set[Pair] = set()
        reordered: dict[Pair, int] = {}
        # The versions of one log together: most of them are wanted twice.
        for pair, old, new in self._history.pairs(sorted(paths, key=paths.__getitem__)):
            if old is None or new is None:
                self._proof.unread.add(paths[pair])
            elif not _continues(old, new):
                kept_in_order = _kept_in_order(old, new)
                if kept_in_order is None:
                    suspect.add(pair)
                elif kept_in_order:
                    reordered[pair] = kept_in_order
        return suspect, reordered

    def _moved(self, step: Step, change: Change) -> bool:
        """Say whether a deleted log stands elsewhere unchanged, as after a rename."""
        places = [other.path for other in step.changes if other.new == change.old and other is not change]
        self._proof.moves.update((change.path, place) for place in places)
        return bool(places)

    def _look_into(self, step: Step, change: Change) -> None:
        tree = self._tree(step.commit)
        changed = {other.path for other in step.changes}
        others = {path: oid for path, oid in tree.logs.items() if path != change.path}
        near = {path: oid for path, oid in others.items() if path in changed}
        self._load([change.old, change.new, *near.values()])
        required = self._lines[change.old]
        if required is None:
            self._proof.unread.add(change.path)
            return
        here = self._lines.get(change.new) or frozenset()
        missing = set(required - here)
        beside = {path: oid for path, oid in others.items() if feature_of(path) == feature_of(change.path)}
        if missing and beside:
            # Between the files of one log lines may move one by one.
            self._load(beside.values())
            self._find(missing, beside, change)
            here = here.union(*(self._lines[oid] or () for oid in beside.values()))
        if not missing:
            return
        # Where another log stands now, this one moved only if all of it is elsewhere.
        away = set(missing if change.is_deleted else required)
        self._find(away, near, change)
        if away:
            self._load(others.values())
            self._find(away, others, change)
            if away and any(self._lines[oid] is None for oid in others.values()):
                # They may stand where this clone cannot look.
                self._proof.unread.add(change.path)
                return
        if not away:
            return
        if change.is_deleted:
            self._deleted(step, change, tree, (away, required))
        else:
            self._report(step, change, frozenset(missing), here - required)

    def _find(self, away: set[bytes], logs: dict[str, str], change: Change) -> None:
        """Take the lines that these logs hold out of `away`."""
        for path, oid in logs.items():
            found = away & (self._lines[oid] or frozenset())
            if found:
                away -= found
                self._proof.moves.add((change.path, path))

    def _deleted(self, step: Step, change: Change, tree: Tree, lines: tuple[set[bytes], frozenset[bytes]]) -> None:
        away, required = lines
        if len(away) < len(required):
            fresh = {line for other in step.changes for line in self._lines.get(other.new) or ()}
            self._report(step, change, frozenset(away), fresh - required)
            return
        code = LOG_DELETED if tree.has_folder(feature_of(change.path)) else FEATURE_DELETED
        self._proof.losses.append(Loss(code, step.commit, change, lines=len(away)))

    def _report(self, step: Step, change: Change, missing: frozenset[bytes], fresh: Iterable[bytes]) -> None:
        ids = {_event_id(line) for line in fresh} - {None}
        for line in sorted(missing):
            loss = Loss(LINE_REMOVED, step.commit, change, line=line)
            if not is_readable(line, decode):
                loss.code = DAMAGE_REMOVED
            elif loss.event_id in ids:
                loss.code = LINE_EDITED
            self._proof.losses.append(loss)

    def _tree(self, commit: str) -> Tree:
        if self._tree_of is None or self._tree_of[0] != commit:
            self._tree_of = commit, self._history.tree(commit)
        return self._tree_of[1]

    def _load(self, oids: Iterable[str]) -> None:
        """Have the lines of these blobs at hand; None for one that is not in this clone."""
        unknown = [oid for oid in oids if oid not in self._lines and oid.strip("0")]
        for oid, data in self._history.blobs(unknown):
            self._lines[oid] = None if data is None else frozenset(split_lines(data))


def _continues(old: bytes, new: bytes) -> bool:
    """Say whether a log begins with all of another one's lines: the usual case, and the cheap one."""
    return new.startswith(old) and (old[-1:] in (b"\n", b"") or new[len(old) : len(old) + 1] in (b"\n", b""))


def _kept_in_order(old: bytes, new: bytes) -> int | None:
    """Return how many of the old lines stand in another order, None where one of them is missing."""
    shared = common_part(old, new)
    kept = dict.fromkeys(split_lines(old[shared:]))
    now = dict.fromkeys(line for line in split_lines(new[shared:]) if line in kept)
    if len(now) == len(kept):
        return sum(before != after for before, after in zip(kept, now, strict=True))
    before = set(split_lines(new[:shared]))
    return 0 if all(line in now or line in before for line in kept) else None


def _event_id(line: bytes) -> str | None:
    try:
        event_id = decode(line[:-1]).get("event_id")
    except ValueError:
        return None
    return event_id if isinstance(event_id, str) else None
