"""What `doctor` may find: each code with its severity, what should be instead, and why it matters.

A code is stable. What was observed, and the commands for it, belong to the finding, see `diagnosis`.
"""

from __future__ import annotations

from typing import NamedTuple

BLOCKING = "blocking"
DEGRADED = "degraded"
ADVISORY = "advisory"
SEVERITIES = (BLOCKING, DEGRADED, ADVISORY)


class Ailment(NamedTuple):
    """One thing that can be wrong. Blocking: lines are at risk, or work stops. Advisory: good to know."""

    severity: str
    expected: str
    explanation: str


AILMENTS = {
    "check-failed": Ailment(
        DEGRADED,
        "every check comes to an end",
        "what this check looks at is not known; the other checks are not affected",
    ),
    # git and the repository
    "git-missing": Ailment(BLOCKING, "git on PATH", "nothing can be merged, checked or committed without it"),
    "git-too-old": Ailment(
        DEGRADED, "git 2.30 or newer", "older versions lack options that kitty-status calls git with"
    ),
    "not-a-repository": Ailment(
        BLOCKING, "a git work tree", "without git, nothing merges the logs, and no history proves them"
    ),
    "bare-repository": Ailment(
        ADVISORY, "a work tree", "a bare repository has no features to look at: call doctor in one of its work trees"
    ),
    "repository-unreadable": Ailment(
        BLOCKING, "a repository that git can open", "a work tree or its repository may have been moved or removed"
    ),
    "operation-in-progress": Ailment(
        ADVISORY, "no operation of git half done", "meanwhile nothing is restored, and single files are not committed"
    ),
    "rebase-left-behind": Ailment(
        DEGRADED,
        "no trace of a rebase that never began",
        "git refuses the next rebase, and what was set aside for this one is hidden in it; it becomes a stash",
    ),
    "head-unreadable": Ailment(
        DEGRADED,
        "a branch or a commit in the HEAD of every work tree",
        "git does not open that work tree; it is passed over, and events of its branch wait. "
        "Write `ref: refs/heads/BRANCH` into the file, with the branch that was checked out there",
    ),
    "shallow-clone": Ailment(
        ADVISORY, "the whole history", "what lies before its edge cannot be proved, and a merge base may be missing"
    ),
    "partial-clone": Ailment(
        ADVISORY,
        "all objects in the clone",
        "nothing is ever fetched: where a merge needs a log that is not here, the snapshot stays as a conflict",
    ),
    "sparse-checkout": Ailment(
        ADVISORY, "logs and .gitattributes checked out", "git does not go by a .gitattributes that is not checked out"
    ),
    "autostash-unset": Ailment(
        ADVISORY,
        "merge.autoStash decided on",
        "git refuses to merge over an uncommitted log unless it may set it aside",
    ),
    "switched-off": Ailment(
        ADVISORY, "KITTY_STATUS not set to 0", "hooks and merge drivers do nothing in this environment"
    ),
    # configuration
    "configuration-unreadable": Ailment(
        BLOCKING, "a configuration that can be understood", "every command refuses to work until it can"
    ),
    "newer-tool-required": Ailment(
        BLOCKING, "a kitty-status as new as status.requires asks", "this one may read here and not write"
    ),
    "invalid-phase": Ailment(
        DEGRADED,
        "a phase that is 0, 1 or 2",
        "what is no phase is passed over: a feature may be in another one than somebody meant, see `phase`",
    ),
    # attributes
    "attributes-not-declared": Ailment(
        DEGRADED,
        "logs are merge=union -text, snapshots merge=binary",
        "in a clone without kitty-status, git writes conflict markers into logs and snapshots",
    ),
    "attributes-not-committed": Ailment(
        DEGRADED, ".gitattributes committed", "other clones and other branches do not have it"
    ),
    "attributes-overridden": Ailment(
        DEGRADED,
        "no later line takes back what kitty-status declares",
        "the last line that matches wins, and git merges or rewrites these files some other way",
    ),
    "local-attributes-missing": Ailment(
        DEGRADED, "the block of kitty-status in info/attributes", "git does not ask the merge drivers in this clone"
    ),
    "local-attributes-overridden": Ailment(
        DEGRADED,
        "no later line of info/attributes takes back what kitty-status declares",
        "the last line that matches wins: git does not ask the merge drivers for these files",
    ),
    # drivers
    "driver-missing": Ailment(
        BLOCKING, "the driver in git's configuration", "git writes conflict markers for a driver that it does not know"
    ),
    "driver-without-command": Ailment(
        BLOCKING, "a driver with a command", "git stops every merge in which both sides changed such a file"
    ),
    "driver-outdated": Ailment(
        DEGRADED, "the command line of this version", "what git runs is not what this version would have it run"
    ),
    "driver-not-runnable": Ailment(
        BLOCKING,
        "a command that git can run",
        "the next merge is not ours: the lines of both sides stay only if the command carries its own way out",
    ),
    "trial-merge-failed": Ailment(
        BLOCKING, "a trial merge keeps every line", "the next merge of a log loses lines, or leaves it unreadable"
    ),
    "trial-merge-degraded": Ailment(
        DEGRADED, "a trial merge ends as kitty-status merges", "no line is lost, and git's own way leaves work to you"
    ),
    # hooks
    "hook-missing": Ailment(
        DEGRADED, "the hook in the folder where git looks", "git runs nothing there: damage is committed unseen"
    ),
    "hook-not-executable": Ailment(DEGRADED, "a hook that may be executed", "git passes over it"),
    "hook-foreign": Ailment(
        DEGRADED, "a hook that calls kitty-status", "somebody else's hook stands there, and ours is not called"
    ),
    "hook-outdated": Ailment(DEGRADED, "the hook of this version", "it was written by an earlier version"),
    "hook-silent": Ailment(
        DEGRADED, "the hook answers when it is fired", "git runs it, and it does not get as far as kitty-status"
    ),
    "hooks-managed-elsewhere": Ailment(
        ADVISORY,
        "the lines of kitty-status in the hooks that core.hooksPath leads to",
        "install does not write into a folder that another tool manages; it prints the lines to add",
    ),
    # features
    "log-unsafe": Ailment(BLOCKING, "a regular file", "nothing is written through links or over other things"),
    "log-unreadable": Ailment(BLOCKING, "a log that may be read", "what it says is not known"),
    "log-damaged": Ailment(
        BLOCKING, "lines that every reader understands alike", "nothing is written to the log until it is mended"
    ),
    "log-conflict-markers": Ailment(
        BLOCKING, "no conflict markers", "a textual merge has left both sides in the log, between its markers"
    ),
    "log-line-endings": Ailment(
        BLOCKING, "lines that end in LF", "git rewrote the line ends, which the attribute -text keeps it from"
    ),
    "log-unmerged": Ailment(BLOCKING, "a log that is merged", "git waits for somebody to resolve it"),
    "snapshot-unmerged": Ailment(DEGRADED, "a snapshot that is merged", "git waits for it to be made anew and added"),
    "log-tail-torn": Ailment(
        DEGRADED, "a last line with its line end", "a crash cut it short; what is cut off goes to the quarantine folder"
    ),
    "log-ahead-of-clock": Ailment(
        BLOCKING, "no event more than a day ahead of this clock", "nothing can be written after such an event"
    ),
    "log-ignored": Ailment(DEGRADED, "a log that git keeps", "no clone, no branch and no history ever has it"),
    "snapshot-missing": Ailment(DEGRADED, "a snapshot beside the log", "readers of status.json see nothing"),
    "snapshot-unreadable": Ailment(DEGRADED, "a snapshot that may be read", "what it says is not known"),
    "snapshot-drift": Ailment(
        DEGRADED, "a snapshot that says what the log says", "readers of status.json are told something else"
    ),
    "snapshot-without-log": Ailment(
        BLOCKING, "the events that the snapshot counts", "the log may have been lost: its history has it"
    ),
    "view-drift": Ailment(
        DEGRADED, "frontmatter and tasks.md that say what the log says", "people who read them are told something else"
    ),
    "view-unreadable": Ailment(
        DEGRADED,
        "files of work packages in which the lane can be told from the rest",
        "nothing in this feature can be moved until the file is put right, or `status.views` is off",
    ),
    "feature-names-collide": Ailment(
        DEGRADED,
        "names that differ in more than case",
        "on a file system that does not tell them apart, one feature stands in the place of the other",
    ),
    # the work itself
    "stale-claim": Ailment(
        DEGRADED,
        "holders who move what they hold",
        "nobody else can claim it meanwhile; ask its holder, who can give it back with `release`",
    ),
    "migrated-claim": Ailment(
        ADVISORY,
        "a person or an agent who holds what is being worked on",
        "the claim was made from a file by `migrate`; whoever works on it takes it over, at any time",
    ),
    "orphan-worktree": Ailment(
        ADVISORY,
        "linked work trees whose feature is not finished, on branches that are there",
        "nobody works in it any more; `cleanup` removes those with which nothing is lost",
    ),
    "orphan-workspace": Ailment(
        ADVISORY,
        "workspaces of spec-kitty with a work tree, whose feature is not finished",
        "nobody works there any more; `cleanup` removes the files of finished features, and no folder unknown to git",
    ),
    "chain-break": Ailment(
        ADVISORY,
        "events that begin in the lane where the one before ended",
        "a line may be missing in between, or two writers moved it without seeing each other",
    ),
    "competing-moves": Ailment(
        DEGRADED,
        "no concurrent moves that disagree",
        "one of them stands by a rule, and nobody has said that it is the right one; the next `emit` decides",
    ),
    # what this machine keeps
    "event-vanished": Ailment(
        DEGRADED,
        "every acknowledged event in its log or in a commit",
        "git took it out of its log before it was committed; it is brought back by the next write, too",
    ),
    "event-waits": Ailment(
        DEGRADED,
        "every acknowledged event in its log or in a commit",
        "it is in the journal alone, and stays there until its branch is checked out again or somebody discards it",
    ),
    "journal-unreadable": Ailment(
        DEGRADED,
        "nothing but entries in the journal",
        "somebody else wrote into it; such lines are kept, and not acted on",
    ),
    "quarantine-not-empty": Ailment(
        ADVISORY,
        "an empty quarantine folder",
        "what was cut off damaged logs is kept there; look at it, then move it away",
    ),
}
