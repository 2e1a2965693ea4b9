"""Lane profiles: which lanes there are and which moves are legal, as data.

Two profiles ship. `seven-lane` is the default; `nine-lane` is the one that spec-kitty 3 keeps its
logs by, and a log that it wrote is recognised. The tables can be read aloud and are tested cell by
cell.

The snapshot driver imports this module, so lanes are plain strings here; `events.Lane` names them
for callers of the library.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PLANNED = "planned"
CLAIMED = "claimed"
IN_PROGRESS = "in_progress"
FOR_REVIEW = "for_review"
IN_REVIEW = "in_review"
APPROVED = "approved"
DONE = "done"
BLOCKED = "blocked"
CANCELED = "canceled"
GENESIS = "genesis"

ALL_LANES = frozenset(
    {PLANNED, CLAIMED, IN_PROGRESS, FOR_REVIEW, IN_REVIEW, APPROVED, DONE, BLOCKED, CANCELED, GENESIS}
)

GUARD_CLAIM = "claim"
GUARD_WORKSPACE = "workspace"
GUARD_SUBTASKS = "subtasks"
GUARD_APPROVAL = "approval"
GUARD_REVIEW_REF = "review-ref"
GUARD_REVIEW_RESULT = "review-result"
GUARD_REASON = "reason"
NO_GUARD = ""
GUARDS = {
    GUARD_CLAIM: "an actor, and no other holder in any work tree of the clone",
    GUARD_WORKSPACE: "a workspace: --execution-mode worktree or direct_repo",
    GUARD_SUBTASKS: "every subtask done",
    GUARD_APPROVAL: "evidence of an approving review",
    GUARD_REVIEW_REF: "the review that sends the work back: --review-ref",
    GUARD_REVIEW_RESULT: "how the review ended: --reviewer, --verdict and --reference",
    GUARD_REASON: "a reason: --reason",
}
"""Every guard that a move may have, and what it asks for."""
_HOLDING = frozenset({GUARD_CLAIM, GUARD_WORKSPACE})


class LaneProfile:
    """One set of rules: lanes in their order on a board, legal moves with the guard of each, and rollbacks.

    * `moves[(from, to)]` is the name of the guard that a legal move must pass, `""` for none
    * `rollbacks` are the moves by which a reviewer sends work back; they count as such with a `review_ref`
    * `counted` are the lanes that a snapshot's summary lists; a pre-seed lane holds no work and is not among them
    * `held` are the lanes in which a work package has a holder, so that a second claim competes with the first:
      those that the guards `claim` and `workspace` lead to
    * `reviewing` are the lanes in which somebody reviews, those that the guard `review-result` lets a move leave:
      every event that leaves one holds how the review ended, as `review_result`
    """

    __slots__ = (
        "aliases",
        "counted",
        "held",
        "initial",
        "lanes",
        "moves",
        "name",
        "reviewing",
        "rollbacks",
        "terminal",
    )

    def __init__(  # noqa: PLR0913  a profile has these parts and no fewer
        self,
        name: str,
        *,
        lanes: tuple[str, ...],
        moves: Mapping[tuple[str, str], str],
        rollbacks: Iterable[tuple[str, str]],
        terminal: Iterable[str],
        initial: str = PLANNED,
        pre_seed: Iterable[str] = (),
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.lanes = lanes
        self.moves = moves
        self.rollbacks = frozenset(rollbacks)
        self.terminal = frozenset(terminal)
        self.initial = initial
        self.counted = tuple(lane for lane in lanes if lane not in frozenset(pre_seed))
        self.aliases = dict(aliases or {})
        self.held = frozenset(target for (_, target), guard in moves.items() if guard in _HOLDING)
        self.reviewing = frozenset(source for (source, _), guard in moves.items() if guard == GUARD_REVIEW_RESULT)

    def resolve(self, spelling: str) -> str | None:
        """Return the lane that a person's spelling means, or None. Aliases end here; they are never stored."""
        lane = spelling.strip().lower().replace("-", "_")
        lane = self.aliases.get(lane, lane)
        return lane if lane in self.lanes else None

    @property
    def pre_seed(self) -> tuple[str, ...]:
        """The lanes that hold no work yet."""
        return tuple(lane for lane in self.lanes if lane not in self.counted)

    def first(self, to_lane: str) -> str:
        """Return the lane that a work package's first move leaves: a pre-seed lane if it puts it where work begins."""
        seeds = (lane for lane in self.pre_seed if (lane, to_lane) in self.moves)
        return next(seeds, self.initial) if to_lane == self.initial else self.initial

    def targets(self, lane: str) -> tuple[str, ...]:
        """Return the lanes that a move may go to from `lane`, in the order of the board."""
        return tuple(target for target in self.lanes if (lane, target) in self.moves)

    def is_rollback(self, from_lane: str, to_lane: str, review_ref: str | None) -> bool:
        """Say whether such a move is a reviewer sending work back."""
        return review_ref is not None and (from_lane, to_lane) in self.rollbacks


def _moves(*rules: tuple[Iterable[str], Iterable[str], str]) -> dict[tuple[str, str], str]:
    return {(source, target): guard for sources, targets, guard in rules for source in sources for target in targets}


SEVEN_LANE = LaneProfile(
    "seven-lane",
    lanes=(PLANNED, CLAIMED, IN_PROGRESS, FOR_REVIEW, DONE, BLOCKED, CANCELED),
    moves=_moves(
        ([PLANNED], [CLAIMED], GUARD_CLAIM),
        ([CLAIMED], [IN_PROGRESS], GUARD_WORKSPACE),
        ([IN_PROGRESS], [FOR_REVIEW], GUARD_SUBTASKS),
        ([IN_PROGRESS], [PLANNED], GUARD_REASON),
        ([FOR_REVIEW], [DONE], GUARD_APPROVAL),
        ([FOR_REVIEW], [IN_PROGRESS], GUARD_REVIEW_REF),
        ([PLANNED, CLAIMED, IN_PROGRESS, FOR_REVIEW], [BLOCKED], NO_GUARD),
        ([BLOCKED], [IN_PROGRESS], NO_GUARD),
        ([PLANNED, CLAIMED, IN_PROGRESS, FOR_REVIEW, BLOCKED], [CANCELED], NO_GUARD),
    ),
    rollbacks=[(FOR_REVIEW, IN_PROGRESS)],
    terminal=[DONE, CANCELED],
    aliases={"doing": IN_PROGRESS},
)

NINE_LANE = LaneProfile(
    "nine-lane",
    lanes=(GENESIS, PLANNED, CLAIMED, IN_PROGRESS, FOR_REVIEW, IN_REVIEW, APPROVED, DONE, BLOCKED, CANCELED),
    moves=_moves(
        ([GENESIS], [PLANNED, CANCELED], NO_GUARD),
        ([PLANNED], [CLAIMED], GUARD_CLAIM),
        ([PLANNED], [BLOCKED, CANCELED], NO_GUARD),
        ([CLAIMED], [IN_PROGRESS], GUARD_WORKSPACE),
        ([CLAIMED], [BLOCKED, CANCELED], NO_GUARD),
        ([IN_PROGRESS], [FOR_REVIEW], GUARD_SUBTASKS),
        ([IN_PROGRESS], [APPROVED], GUARD_APPROVAL),
        ([IN_PROGRESS], [PLANNED], GUARD_REASON),
        ([IN_PROGRESS], [BLOCKED, CANCELED], NO_GUARD),
        ([FOR_REVIEW], [IN_REVIEW, BLOCKED, CANCELED], NO_GUARD),
        ([IN_REVIEW], [APPROVED, DONE], GUARD_APPROVAL),
        ([IN_REVIEW], [IN_PROGRESS, PLANNED, BLOCKED, CANCELED], GUARD_REVIEW_RESULT),
        ([APPROVED], [DONE], GUARD_APPROVAL),
        ([APPROVED], [IN_PROGRESS, PLANNED], GUARD_REVIEW_REF),
        ([APPROVED], [BLOCKED, CANCELED], NO_GUARD),
        ([BLOCKED], [IN_PROGRESS, CANCELED], NO_GUARD),
    ),
    rollbacks=[(source, target) for source in (FOR_REVIEW, IN_REVIEW) for target in (IN_PROGRESS, PLANNED)],
    terminal=[DONE, CANCELED],
    pre_seed=[GENESIS],
    aliases={"doing": IN_PROGRESS},
)

PROFILES = {profile.name: profile for profile in (SEVEN_LANE, NINE_LANE)}
_BEYOND_SEVEN = frozenset(NINE_LANE.lanes) - frozenset(SEVEN_LANE.lanes)


def needs_nine_lanes(from_lane: str, to_lane: str) -> bool:
    """Say whether a move names a lane that only the nine-lane profile has."""
    return from_lane in _BEYOND_SEVEN or to_lane in _BEYOND_SEVEN


def profile_that_has(lanes: Iterable[str]) -> LaneProfile:
    """Return the profile that ships and has all of these lanes, spelled as people spell them; seven-lane in doubt."""
    needs_nine = any(SEVEN_LANE.resolve(lane) is None and NINE_LANE.resolve(lane) for lane in lanes)
    return NINE_LANE if needs_nine else SEVEN_LANE
