"""Logs that never were, written as kitty-status writes them and shaped like those that are.

Work packages go from planned over claimed, in_progress and for_review to done, each at its own pace.
Every second review sends the work back, which makes 15 of 100 moves rollbacks; what is done comes
back by force, so that another 15 are forced. Most reasons are short, and one in a hundred is an essay.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from kitty_status.status.lanes import CLAIMED, DONE, FOR_REVIEW, IN_PROGRESS, PLANNED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Ids = Literal["increasing", "hashes"]

_BEGINNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_STEP = timedelta(milliseconds=1250, microseconds=7)
_EVENTS_PER_WORK_PACKAGE = 500
_NEXT = {PLANNED: CLAIMED, CLAIMED: IN_PROGRESS, IN_PROGRESS: FOR_REVIEW, DONE: PLANNED}
_ACTORS = ("ada", "ben", "claude", "codex-implementer", "dora.reviewer@example.org")
# How long reasons are in the logs of real projects: (share of the events below, characters at most).
_REASONS = ((0.45, 0), (0.75, 70), (0.9, 320), (0.98, 900), (1.0, 1700))
_WORDS = "the review asks for a narrower lock and one more test of the empty log before it is moved on "
_ESSAY = _WORDS * 20
_encode = json.JSONEncoder(sort_keys=True).encode


class History:
    """Makes the lines of one log, one after the other, the same ones for the same seed.

    `ids` says whether event ids increase as ULIDs of one writer do, or come in no order; `same_instant`
    gives all events one timestamp.
    """

    def __init__(
        self, slug: str, work_packages: int, *, ids: Ids = "increasing", same_instant: bool = False, seed: int = 0
    ) -> None:
        self._slug = slug
        self._increasing = ids == "increasing"
        self._step = timedelta(0) if same_instant else _STEP
        self._random = random.Random(seed)  # noqa: S311  nothing is secret here
        self._names = [f"WP{number:02d}" for number in range(1, work_packages + 1)]
        self._lanes = dict.fromkeys(self._names, PLANNED)
        self._heads: dict[str, str] = {}
        self._count = 0

    def lines(self, count: int, *, seed: int | None = None) -> Iterator[bytes]:
        """Yield the next `count` lines; a `seed` makes two continuations of one history differ."""
        if seed is not None:
            self._random.seed(seed)
        for _ in range(count):
            yield _encode(self._row()).encode("ascii") + b"\n"

    def _row(self) -> dict[str, Any]:
        chance = self._random.random
        wp_id = self._names[int(chance() * len(self._names))]
        from_lane = self._lanes[wp_id]
        to_lane = _NEXT[from_lane] if from_lane != FOR_REVIEW else (IN_PROGRESS if chance() < 0.5 else DONE)  # noqa: PLR2004
        head = self._heads.get(wp_id)
        event_id = self._event_id()
        is_rollback = from_lane == FOR_REVIEW and to_lane == IN_PROGRESS
        self._count += 1
        self._lanes[wp_id] = to_lane
        self._heads[wp_id] = event_id
        return {
            "event_id": event_id,
            "feature_slug": self._slug,
            "wp_id": wp_id,
            "from_lane": from_lane,
            "to_lane": to_lane,
            "at": (_BEGINNING + self._count * self._step).isoformat(timespec="microseconds"),
            "actor": _ACTORS[int(chance() * len(_ACTORS))],
            "force": from_lane == DONE,
            "execution_mode": "worktree" if chance() < 0.5 else "direct_repo",  # noqa: PLR2004
            "reason": "reopened: a regression was found" if from_lane == DONE else self._reason(),
            "review_ref": f"https://example.org/pull/{self._count % 997}" if is_rollback else None,
            "evidence": self._evidence() if to_lane == DONE else None,
            "parents": [head] if head else [],
        }

    def _event_id(self) -> str:
        # Hexadecimal digits are letters of a ULID's alphabet, too.
        if self._increasing:
            return f"01{0x9F000000 + self._count:08X}{self._random.getrandbits(64):016X}"
        return f"0{self._random.getrandbits(100):025X}"

    def _reason(self) -> str | None:
        share = self._random.random()
        most = next(length for below, length in _REASONS if share <= below)
        if not most:
            return None
        return _ESSAY[: 10 + int(self._random.random() * (most - 10))].rstrip()

    def _evidence(self) -> dict[str, Any]:
        return {
            "review": {
                "reviewer": self._random.choice(_ACTORS),
                "verdict": "approved",
                "reference": f"https://example.org/pull/{self._count}#review",
            },
            "repos": [
                {
                    "repo": "example/project",
                    "branch": f"{self._slug}-wp",
                    "commit": f"{self._random.getrandbits(160):040x}",
                    "files_touched": ["src/login.py", "tests/test_login.py"],
                }
            ],
        }


def history(
    count: int, slug: str = "001-benchmark", *, ids: Ids = "increasing", same_instant: bool = False, seed: int = 0
) -> History:
    """Return a history with as many work packages as a log of `count` events has."""
    work_packages = max(10, count // _EVENTS_PER_WORK_PACKAGE)
    return History(slug, work_packages, ids=ids, same_instant=same_instant, seed=seed)


def write_log(folder: Path, count: int, *, ids: Ids = "increasing", same_instant: bool = False) -> Path:
    """Return a log of `count` lines below `folder`, written line by line where it is not there yet."""
    slug = f"{count}-{ids}{'-same-instant' if same_instant else ''}"
    log = folder / slug / "status.events.jsonl"
    if not log.exists():
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            file.writelines(history(count, slug, ids=ids, same_instant=same_instant).lines(count))
    return log
