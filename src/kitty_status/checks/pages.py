"""What each code of a finding about a log means: the page that `explain` prints and docs/findings.md repeats.

Those of the doctor are in `ailments`, those about single moves in `pages_of_moves`.
"""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """A code explained: how bad it is, what was found, why that matters, how to mend it, and an example."""

    severity: str
    what: str
    why: str
    mend: str
    example: str


PAGES_OF_LOGS = {
    "damaged-line": Page(
        "error",
        "the line is no JSON object that every reader understands alike",
        "two readers could see two different histories in it, so nobody reads on behind it",
        "`kitty-status resolve`",
        '`{"event_id": "01…", "event_id": "02…"}`: one key, two values',
    ),
    "invalid-event": Page(
        "error",
        "the row is neither a status event nor a foreign row",
        "a move that cannot be understood would be lost without a word",
        "`kitty-status resolve`",
        '`"to_lane": "finished"` where no profile has such a lane',
    ),
    "unsafe-log": Page(
        "error",
        "the log is a symbolic link or no regular file",
        "an append could go to a place that git does not keep",
        "put the file itself there",
        "`status.events.jsonl -> /tmp/log`",
    ),
    "cut-tail": Page(
        "warning",
        "the last line is being written, or a crash cut it short",
        "it does not count, and nobody was told that it was recorded",
        "nothing: the next append moves it aside",
        'the file ends in `{"actor": "ada", "at": "2026-`',
    ),
    "odd-log-folder": Page(
        "warning",
        "something in `status.events.d` is no writer's file, or may be executed",
        "git then has no tree of the name that a snapshot gives the log, and merges of the snapshot keep one side",
        "move it out of the folder, or `chmod -x` it",
        "a `README.md` beside the files of the writers",
    ),
    "no-line-end": Page(
        "warning",
        "the last line is whole but for its LF",
        "it counts; a writer that does not look would glue the next event to it",
        "nothing: the next append adds it",
        "an editor that saved the file without its last line end",
    ),
    "conflicting-event": Page(
        "error",
        "one event id, two contents",
        "every clone takes the bytewise smaller line, which need not be the genuine one",
        "find the genuine one in git's history, and say with a further event where the work package stands",
        "a line that was edited on one branch and kept on the other",
    ),
    "repeated-event": Page(
        "warning",
        "an event stands twice",
        "it counts once; somebody merged without the merge driver, or copied lines",
        "nothing: it counts once",
        "the same line in both halves of a textual merge",
    ),
    "id-not-ulid": Page(
        "warning",
        "an event id is no ULID",
        "such ids do not sort by time, and large logs take longer to read",
        "have its writer mint ULIDs",
        '`"event_id": "event-7"`',
    ),
    "id-in-future": Page(
        "warning",
        "an event id was minted by a clock more than a day ahead of this one",
        "among events of one instant, ids decide; one bad clock would win",
        "set the clock that was ahead",
        "an id and an `at` of next March; an id that was derived from content, and tells another time, is not meant",
    ),
    "non-canonical-line": Page(
        "warning",
        "a line is spelled otherwise than `json.dumps(row, sort_keys=True)` spells it",
        "it counts; but two spellings of one event are two lines to git",
        "nothing; have its writer sort keys and escape what is not ASCII",
        '`{"wp_id":"WP01","actor":"zoë"}`',
    ),
    "lane-in-foreign-row": Page(
        "warning",
        "a row names a lane and is marked as another kind of record",
        "it moves nothing, though somebody may have meant a move",
        "emit the move, if one was meant",
        '`{"kind": "annotation", "to_lane": "done", …}`',
    ),
    "other-feature": Page(
        "warning",
        "the event names another feature than its folder, also before it was renamed",
        "an event may have strayed into the log of another feature",
        "nothing, if the folder was renamed by hand",
        '`"feature_slug": "033-login"` below `kitty-specs/034-login`',
    ),
    "unreadable-file": Page(
        "error",
        "the log, `status.json` or a view cannot be read: the operating system refuses it, or it is no file",
        "nothing can be said about this feature; the others are looked at all the same",
        "see that it is a file that may be read",
        "a folder stands where `status.json` should",
    ),
    "split-log": Page(
        "error",
        "another folder holds events of the same feature, since a branch went on in the old one",
        "neither of the two folders tells where the work stands",
        "the `kitty-status rename` or `archive` that it names unites them",
        "`kitty-specs/034-login` was renamed to `034-sign-in` while a branch emitted in the old one",
    ),
    "ignored-parent": Page(
        "warning",
        "a parent that is absent, foreign, or part of a circle",
        "what an event came after is not known any more, so it may compete where it should not",
        "look for a lost line in git's history",
        '`"parents": ["01…7"]` and no line with that id',
    ),
    "chain-break": Page(
        "warning (error where both events name their parents and neither is forced)",
        "an event leaves another lane than its work package stood in",
        "a line may be missing between the two, or two writers moved it without seeing each other",
        "look for a lost line on other branches; if there is none, say with a further event where it stands",
        "WP01 was in claimed, and the next event goes from planned to claimed again",
    ),
    "never-current": Page(
        "warning",
        "an event never decided where its work package stood, for an earlier line is dated later",
        "who emitted it saw the work package stand somewhere else than they had just said",
        "say with a further event where it stands, and set the clock that was ahead",
        "line 7 is of 12:00 by a clock two hours ahead, line 8 of 10:05: line 8 changed nothing",
    ),
    "competing-moves": Page(
        "warning",
        "concurrent moves disagree, or two people claimed",
        "one of them stands by a rule, and nobody has said that it is the right one",
        "decide with the next `emit`",
        "ada moved WP01 to blocked on one branch, ben to for_review on another",
    ),
    "snapshot-drift": Page(
        "error (warning where snapshots are ignored)",
        "`status.json` is not what the log says",
        "whoever reads the snapshot is told something that is not so",
        "`kitty-status materialize`",
        "a snapshot of before the last pull",
    ),
    "snapshot-missing": Page(
        "warning",
        "there are events and no `status.json`",
        "tools that read snapshots see no such feature",
        "`kitty-status materialize`",
        "a log that was appended to by the library alone",
    ),
    "snapshot-without-log": Page(
        "error",
        "`status.json` counts events and the log has none",
        "a log was lost, and the next event would begin a new history",
        "`kitty-status resolve`; it names the commits that have lines",
        'an empty log beside `"event_count": 12`',
    ),
    "view-drift": Page(
        "warning (error in phase 2)",
        "the `lane` of a work package's file, or the status section of `tasks.md`, is not what the log says",
        "these parts are generated: whoever reads them there is told something that is not so",
        "`kitty-status materialize`; to move a work package, `kitty-status emit`",
        "`lane: done` written by hand into `tasks/WP01-form.md`",
    ),
    "view-unreadable": Page(
        "error",
        "a work package's file or `tasks.md` cannot be read, or its status not be told from the rest",
        "its status cannot be written, so `emit` refuses to move anything in this feature",
        "what the finding says; `status.views: off` leaves these files alone",
        "an anchor (`&`) in the frontmatter, two files of WP01, or a begin marker without its end marker",
    ),
    "unknown-lane": Page(
        "error",
        "a lane that the profile does not have",
        "no rule says what may follow",
        "pin the profile: `status.lanes`",
        "in_review in a repository that pins seven-lane",
    ),
    "invalid-phase": Page(
        "warning",
        "what `meta.json` or the configuration gives as the phase is no phase, or `meta.json` cannot be read",
        "it is passed over, so that the feature may be in another phase than somebody meant",
        "write 0, 1 or 2; `kitty-status phase` says which one is in force",
        '`"status_phase": 3`',
    ),
    "log-not-read": Page(
        "warning",
        "the feature is in phase 0, where the frontmatter counts, and has a log with events",
        "whoever reads the log is told what may not be so any more, and moves are not recorded",
        "nothing while that is meant; `status_phase` 1 makes the log count, see docs/phases.md",
        "a feature that went back to phase 0, or one that was migrated before its phase was raised",
    ),
    "unreadable-work-package": Page(
        "error",
        "in phase 0, the frontmatter of a work package cannot be understood, or names a lane that the profile has not",
        "there it is the only place that says where the work package stands",
        "correct the line that the finding names",
        "`lane: finished`",
    ),
}
