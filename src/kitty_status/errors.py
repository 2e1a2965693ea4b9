"""Every error that kitty-status raises on purpose, under one root.

An error says what happened, where, and what to do next. Its class says what the
caller can do about it, and that is what the exit code reports.

This module is imported by the processes that git waits for, so it imports nothing.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_REFUSED = 3
EXIT_NOT_FOUND = 4
EXIT_CONFLICT = 5
EXIT_BUSY = 6
EXIT_DAMAGED = 7
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


class KittyStatusError(Exception):
    """The root. `code` is stable and meant for programs, `hint` says what to do next."""

    code: str = "error"
    exit_code: int = EXIT_BUG
    retryable: bool = False

    def __init__(self, message: str, *, hint: str = "", **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context


class UsageError(KittyStatusError):
    """What was asked for cannot be understood: correct the call."""

    code = "usage"
    exit_code = EXIT_USAGE


class InvalidNameError(UsageError):
    """A feature slug, work package id or event id that could not safely stand in a path or a line."""

    code = "invalid-name"


class ConfigurationError(UsageError):
    """A configuration file says something that kitty-status does not understand."""

    code = "configuration"


class OutsideRepositoryError(UsageError):
    """The command needs a git repository and there is none here."""

    code = "outside-repository"


class MoveRefusedError(KittyStatusError):
    """The move is against the rules of the lane profile; nothing was written."""

    code = "move-refused"
    exit_code = EXIT_REFUSED


class NotFoundError(KittyStatusError):
    """The feature, work package, event or file that was named does not exist."""

    code = "not-found"
    exit_code = EXIT_NOT_FOUND


class HeldByOtherError(MoveRefusedError):
    """Somebody else holds the work package; nothing was written."""

    code = "held-by-other"
    exit_code = EXIT_CONFLICT


class MovedOnError(MoveRefusedError):
    """The work package has moved on since what the caller has seen; nothing was written."""

    code = "moved-on"
    exit_code = EXIT_CONFLICT


class ClockAheadError(MoveRefusedError):
    """The newest event of the log lies more than a day ahead of this clock; nothing was written."""

    code = "clock-ahead"


class ConflictingEventError(KittyStatusError):
    """The log already holds this event id with other content; nothing was written."""

    code = "conflicting-event"
    exit_code = EXIT_CONFLICT


class TargetExistsError(KittyStatusError):
    """Something else stands where a feature was to go; nothing was moved."""

    code = "target-exists"
    exit_code = EXIT_CONFLICT


class BusyError(KittyStatusError):
    """Another process holds what is needed: the same call may succeed later."""

    code = "busy"
    exit_code = EXIT_BUSY
    retryable = True


class OutcomeUnknownError(KittyStatusError):
    """The disk did not confirm the write: the event may or may not be kept. Retry with the same event id."""

    code = "outcome-unknown"
    exit_code = EXIT_BUSY
    retryable = True


class StoreError(KittyStatusError):
    """A log is damaged: it is never skipped over, and nothing is written to it until it is mended."""

    code = "damaged"
    exit_code = EXIT_DAMAGED


class UnsafeLogError(StoreError):
    """The log is a symbolic link, a device or another thing that must not be appended to."""

    code = "unsafe-log"


class WorkPackageFileError(KittyStatusError):
    """The file of a work package, or `tasks.md`, cannot be read, or not be changed in its status alone.

    `context` has its path as `file`, and the `line` where that is known; the message begins with both.
    """

    code = "work-package-file"
    exit_code = EXIT_DAMAGED


class GitError(KittyStatusError):
    """git refused or failed; its own words are in the message."""

    code = "git-failed"
    exit_code = EXIT_FINDINGS
