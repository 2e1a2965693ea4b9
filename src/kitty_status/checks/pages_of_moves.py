"""The pages of codes about single moves, which `validate` finds and `emit` refuses, and about git's history."""

from __future__ import annotations

from kitty_status.checks.pages import Page

_FURTHER = "a further event, forced, with the reason"
_PUT_BACK = "put back what `git show PARENT:PATH` has, with a further commit"
_EVERYONE = "an event that nobody allowed is believed by all who read the log"

PAGES_OF_MOVES = {
    "illegal-move": Page(
        "error",
        "an unforced move that the profile does not have",
        _EVERYONE,
        _FURTHER,
        "planned to done, without force",
    ),
    "missing-actor": Page(
        "error", "an event without an actor", "nobody can be asked about it", _FURTHER, '`"actor": " "`'
    ),
    "missing-evidence": Page(
        "error",
        "done (or approved) without an approving review",
        "done means that somebody else looked at it",
        _FURTHER,
        'for_review to done with `"evidence": null`',
    ),
    "missing-review-ref": Page(
        "error",
        "a rollback without its review",
        "who gets the work back cannot read what to change",
        _FURTHER,
        'for_review to in_progress with `"review_ref": null`',
    ),
    "missing-review-result": Page(
        "error",
        "a move that leaves a review and does not say how it ended",
        "who takes it up next, spec-kitty too, cannot tell whether it was approved",
        _FURTHER,
        "in_review to planned with neither `review_result` nor `review_ref`",
    ),
    "missing-reason": Page(
        "error",
        "a move that needs a reason and has none",
        "the next one to take it up does not know why it was given up",
        _FURTHER,
        'in_progress to planned with `"reason": null`',
    ),
    "missing-workspace": Page(
        "error",
        "work started without a workspace (callers of the library only; `emit` takes the one you are in)",
        "nobody knows where the work is done",
        "name it",
        "claimed to in_progress without `execution_mode`",
    ),
    "open-subtasks": Page(
        "error",
        "a checkbox of the work package is not ticked (`emit` only)",
        "a review of work that is not finished has to be made twice",
        "tick what is done, or `--force` with a `--reason`",
        "in_progress to for_review while `tasks.md` has `- [ ] T002 Test it` below WP01",
    ),
    "force-without-reason": Page(
        "error",
        "a forced move without a reason",
        "force sets every rule aside, so it must say why",
        _FURTHER,
        '`"force": true, "reason": null`',
    ),
    "force-without-actor": Page(
        "error",
        "a forced move without an actor",
        "somebody has to answer for it",
        _FURTHER,
        '`"force": true`, no actor',
    ),
    "held-by-other": Page(
        "error",
        "somebody else holds the work package, here or in another work tree or branch (`emit` only)",
        "two would do the same work",
        "ask the holder",
        "ada has claimed WP01 in another work tree, and ben claims it here",
    ),
}

PAGES_OF_HISTORY = {
    "line-removed": Page(
        "error",
        "a line of the parent is not there any more",
        "a log is only ever appended to; what was acknowledged is gone",
        _PUT_BACK,
        "a textual merge that took one side",
    ),
    "line-edited": Page(
        "error",
        "the event stands there with another content",
        "history was rewritten: what everybody saw is not what is there now",
        _PUT_BACK,
        '`"actor": "ada"` became `"actor": "ben"`',
    ),
    "log-deleted": Page(
        "error",
        "the log was deleted while its folder stayed",
        "the feature goes on and its whole history is gone",
        _PUT_BACK,
        "a commit without `status.events.jsonl` in a folder that is still there",
    ),
    "feature-deleted": Page(
        "warning",
        "the log was deleted with its whole folder",
        "a feature that is put aside is better archived",
        "nothing, if that was meant",
        "a commit without `kitty-specs/034-login`",
    ),
    "damage-removed": Page(
        "warning",
        "a damaged line was taken out",
        "it could not be read; what it was to say may be lost",
        "nothing: damage may be mended",
        "a conflict marker that was committed and removed again",
    ),
    "lines-reordered": Page(
        "info",
        "lines of the parent stand in another order",
        "the order of lines decides nothing",
        "nothing: order does not matter",
        "a merge that put theirs before ours",
    ),
    "history-cut": Page(
        "warning",
        "the clone is shallow: what its oldest commits did cannot be seen",
        "the proof covers less than it seems to",
        "`git fetch --unshallow`",
        "a checkout of depth 1 in CI",
    ),
    "history-unreadable": Page(
        "warning",
        "a partial clone lacks versions of the log",
        "what is not here cannot be held against what is",
        "audit in a clone without a filter",
        "`git clone --filter=blob:none`",
    ),
}
