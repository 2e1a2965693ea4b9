"""Whether a move may be made, and why not: the guards, as pure functions of what is known.

Nothing is looked up here. Who asks gathers the facts first, and the answer is the same for the same
facts, so every rule can be tested by a table.
"""

from __future__ import annotations

from kitty_status.status import lanes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias, TypeGuard

    from kitty_status.status.lanes import LaneProfile

APPROVED_VERDICT = "approved"
OUTCOME = ("reviewer", "verdict", "reference")
"""What is said of how a review ended."""
_CONTENT_GUARDS = (lanes.GUARD_APPROVAL, lanes.GUARD_REVIEW_REF, lanes.GUARD_REVIEW_RESULT, lanes.GUARD_REASON)
_MOST_NAMED = 5


class Move:
    """A request to change the lane of one work package, with everything that guards look at.

    `holder` is the actor who holds the work package now, None where nobody does; `open_subtasks` are the
    texts of its subtasks that are not done; `review_result` says how a review ended: reviewer, verdict, reference.
    `is_recorded` says that the move was made already, and by whom is not known: what nobody asked for then is not
    asked for now.
    """

    __slots__ = (
        "actor",
        "evidence",
        "execution_mode",
        "force",
        "from_lane",
        "holder",
        "is_recorded",
        "open_subtasks",
        "reason",
        "review_ref",
        "review_result",
        "to_lane",
    )

    def __init__(  # noqa: PLR0913  a move has these parts
        self,
        from_lane: str,
        to_lane: str,
        *,
        actor: str,
        force: bool = False,
        reason: str | None = None,
        review_ref: str | None = None,
        evidence: dict[str, Any] | None = None,
        review_result: Mapping[str, Any] | None = None,
        execution_mode: str | None = None,
        holder: str | None = None,
        open_subtasks: Sequence[str] = (),
        is_recorded: bool = False,
    ) -> None:
        self.from_lane = from_lane
        self.to_lane = to_lane
        self.actor = actor
        self.force = force
        self.reason = reason
        self.review_ref = review_ref
        self.evidence = evidence
        self.execution_mode = execution_mode
        self.holder = holder
        self.open_subtasks = open_subtasks
        self.review_result = review_result
        self.is_recorded = is_recorded


class Refusal:
    """One reason against a move: a stable code, what is wrong, and what would make it right."""

    __slots__ = ("code", "hint", "message")

    def __init__(self, code: str, message: str, hint: str) -> None:
        self.code = code
        self.message = message
        self.hint = hint


ILLEGAL = "illegal-move"
HELD_BY_OTHER = "held-by-other"
_ASK_HOLDER = "ask the holder to give it back; `kitty-status take-over` takes a claim that is stale or migrated"
FORCE_NEEDS_ACTOR = "force-without-actor"
FORCE_NEEDS_REASON = "force-without-reason"
MISSING_ACTOR = "missing-actor"
MISSING_WORKSPACE = "missing-workspace"
MISSING_EVIDENCE = "missing-evidence"
OPEN_SUBTASKS = "open-subtasks"
MISSING_REVIEW_REF = "missing-review-ref"
MISSING_REVIEW_RESULT = "missing-review-result"
MISSING_REASON = "missing-reason"


def refusals(move: Move, profile: LaneProfile) -> list[Refusal]:
    """Return every reason against `move`, none if it may be made.

    `force` sets legality and guards aside, but asks for an actor and a reason.
    """
    if move.force:
        return [
            *([] if _said(move.actor) else [Refusal(FORCE_NEEDS_ACTOR, "force needs an actor", "name one: --actor")]),
            *([] if _said(move.reason) else [Refusal(FORCE_NEEDS_REASON, "force needs a reason", "say why: --reason")]),
        ]
    guard = profile.moves.get((move.from_lane, move.to_lane))
    found = (
        []
        if _said(move.actor)
        else [Refusal(MISSING_ACTOR, "a move needs an actor", "name one: --actor, or KITTY_STATUS_ACTOR")]
    )
    refusal = _illegal(move, profile) if guard is None else _GUARDS[guard](move)
    return [*found, refusal] if refusal is not None else found


def needs_look(profile: LaneProfile) -> frozenset[tuple[str, str]]:
    """Return the legal moves whose event alone shows nothing to check: those without a guard on its content."""
    return frozenset(move for move, guard in profile.moves.items() if guard not in _CONTENT_GUARDS)


def has_approval(evidence: dict[str, Any] | None) -> bool:
    """Say whether evidence holds a review with the verdict `approved`, by a named reviewer, with a reference."""
    review = (evidence or {}).get("review")
    return has_outcome(review) and review["verdict"] == APPROVED_VERDICT


def has_outcome(review: Any) -> TypeGuard[Mapping[str, Any]]:
    """Say whether a review names who reviewed, how it ended, and where that can be read."""
    return isinstance(review, dict) and all(_said(review.get(part)) for part in OUTCOME)


def outcome_of(evidence: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how the review in evidence ended, as an event's `review_result` holds it; None where there is none."""
    review = (evidence or {}).get("review")
    return {part: review[part] for part in OUTCOME} if has_outcome(review) else None


def holder_of(lane: str, actor: str, profile: LaneProfile) -> str | None:
    """Return who holds a work package that `actor` brought to `lane`."""
    return actor if lane in profile.held else None


def _said(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _illegal(move: Move, profile: LaneProfile) -> Refusal:
    targets = profile.targets(move.from_lane)
    if not targets:
        may = f"{move.from_lane} is final; only --force with a --reason leaves it"
    else:
        may = f"from {move.from_lane} it may go to {', '.join(targets)}"
    if move.from_lane == move.to_lane:
        may = f"it is there already; {may}"
    holder = f", and {move.holder} holds it" if move.holder not in (None, move.actor) else ""
    is_claim = any(to == move.to_lane and guard == lanes.GUARD_CLAIM for (_, to), guard in profile.moves.items())
    is_held = bool(is_claim and holder)
    hint = f"{_ASK_HOLDER}; {may}" if is_held else may
    words = f"{move.from_lane} to {move.to_lane} is not a legal move{holder}"
    return Refusal(HELD_BY_OTHER if is_held else ILLEGAL, words, hint)


def _no_guard(_move: Move) -> Refusal | None:
    return None


def _claim(move: Move) -> Refusal | None:
    if move.holder in (None, move.actor):
        return None
    return Refusal(HELD_BY_OTHER, f"{move.holder} holds the work package", _ASK_HOLDER)


def _workspace(move: Move) -> Refusal | None:
    if move.execution_mode is None:
        return Refusal(
            MISSING_WORKSPACE,
            "work starts in a workspace, and there is no work tree for it",
            "`git worktree add` makes one, named after the work package; or say --execution-mode direct_repo",
        )
    return None


def _subtasks(move: Move) -> Refusal | None:
    if not move.open_subtasks:
        return None
    count = len(move.open_subtasks)
    more = f", and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
    named = "; ".join(move.open_subtasks[:_MOST_NAMED])
    message = f"{count} {'subtask is' if count == 1 else 'subtasks are'} not done: {named}{more}"
    return Refusal(OPEN_SUBTASKS, message, "tick what is done, or say with --force and a --reason why it goes on")


def _approval(move: Move) -> Refusal | None:
    if has_approval(move.evidence) or has_approval({"review": move.review_result}):
        return None
    return Refusal(
        MISSING_EVIDENCE,
        f"{move.to_lane} needs evidence of an approving review",
        "say who approved and where: --reviewer, --verdict approved and --reference, or --evidence-json",
    )


def _review_ref(move: Move) -> Refusal | None:
    if _said(move.review_ref):
        return None
    return Refusal(MISSING_REVIEW_REF, "sending work back needs the review", "name where it can be read: --review-ref")


def _review_result(move: Move) -> Refusal | None:
    if has_outcome(move.review_result) or (move.is_recorded and _said(move.review_ref)):
        return None
    return Refusal(
        MISSING_REVIEW_RESULT,
        f"{move.from_lane} is left only with how the review ended",
        "say who reviewed, how it ended and where to read it: --reviewer, --verdict and --reference",
    )


def _reason(move: Move) -> Refusal | None:
    if _said(move.reason):
        return None
    return Refusal(MISSING_REASON, f"{move.from_lane} to {move.to_lane} needs a reason", "say why: --reason")


if TYPE_CHECKING:
    _Guard: TypeAlias = Callable[[Move], Refusal | None]

_GUARDS: dict[str, _Guard] = {
    lanes.NO_GUARD: _no_guard,
    lanes.GUARD_CLAIM: _claim,
    lanes.GUARD_WORKSPACE: _workspace,
    lanes.GUARD_SUBTASKS: _subtasks,
    lanes.GUARD_APPROVAL: _approval,
    lanes.GUARD_REVIEW_REF: _review_ref,
    lanes.GUARD_REVIEW_RESULT: _review_result,
    lanes.GUARD_REASON: _reason,
}
