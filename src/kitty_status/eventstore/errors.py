"""The one error of every event store; its code says what went wrong, and what the caller can do about it."""

from __future__ import annotations

import copyreg
from enum import StrEnum

from kitty_status.errors import EXIT_BUSY, EXIT_CONFLICT, EXIT_DAMAGED, EXIT_USAGE, KittyStatusError


class StoreCode(StrEnum):
    """What can go wrong in an event store."""

    DUPLICATE_EVENT = "DUPLICATE_EVENT"
    """The store holds this id with other content. Give the new event an id of its own."""
    VALIDATION_FAILED = "VALIDATION_FAILED"
    """The event cannot be stored as it is. Correct it."""
    CONFLICT = "CONFLICT"
    """An expected version or an append condition does not hold any more. Read again, decide again."""
    STORAGE_ERROR = "STORAGE_ERROR"
    """The disk or the server failed; `retryable` says whether the same call, with the same ids, may succeed."""
    QUERY_ERROR = "QUERY_ERROR"
    """The query makes no sense, or took longer than it may."""
    CORRUPT = "CORRUPT"
    """What is stored is damaged. Nothing is appended to it until it is mended."""


_EXIT_CODES = {
    StoreCode.DUPLICATE_EVENT: EXIT_CONFLICT,
    StoreCode.VALIDATION_FAILED: EXIT_USAGE,
    StoreCode.CONFLICT: EXIT_CONFLICT,
    StoreCode.STORAGE_ERROR: EXIT_USAGE,
    StoreCode.QUERY_ERROR: EXIT_USAGE,
    StoreCode.CORRUPT: EXIT_DAMAGED,
}


class EventStoreError(KittyStatusError):
    """An operation of an event store failed. Nothing was appended, unless `outcome_unknown`.

    * `code` is one of `StoreCode`, `context` holds what the message speaks of, for programs
    * `retryable`: the same call may succeed later; made with the same event ids, it appends nothing twice
    * `outcome_unknown`: the events may or may not have been kept (the disk did not confirm, the connection
      broke): make the same call again with the same ids to find out
    """

    def __init__(
        self,
        code: StoreCode,
        message: str,
        *,
        hint: str = "",
        retryable: bool = False,
        outcome_unknown: bool = False,
        **context: object,
    ) -> None:
        super().__init__(message, hint=hint, **context)
        self.code = code
        self.retryable = retryable or outcome_unknown
        self.outcome_unknown = outcome_unknown
        self.exit_code = EXIT_BUSY if self.retryable else _EXIT_CODES[code]

    def __reduce__(self) -> tuple[object, ...]:
        """Cross from one process to another, as what a pool of processes raises does."""
        return copyreg.__newobj__, (type(self), self.message), self.__dict__  # type: ignore[attr-defined]


def closed() -> EventStoreError:
    """Return the error for an operation of a store that was closed."""
    return EventStoreError(StoreCode.STORAGE_ERROR, "the store is closed", hint="open it again")


def invalid(message: str, hint: str) -> EventStoreError:
    """Return the error for what cannot be appended, or cannot be a store, as it was given."""
    return EventStoreError(StoreCode.VALIDATION_FAILED, message, hint=hint)
