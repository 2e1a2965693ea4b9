"""Instants: read from any ISO 8601 spelling with a zone, written in one.

Logs hold several spellings (`Z`, offsets, with and without a fraction). Compared as strings,
`19:05:48.3+00:00` would come before `19:05:48Z`; compared as instants it comes after it.

The merge driver imports this module. Importing `datetime` costs it a quarter of an interpreter
start on Python 3.11, the extension module that `datetime` is built on half of that.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, timedelta, timezone
else:
    try:
        from _datetime import datetime, timedelta, timezone
    except ImportError:  # pragma: no cover (interpreters without the extension module)
        from datetime import datetime, timedelta, timezone

_MICROSECOND_DIGITS = 6
BEGINNING_OF_TIME = datetime.min.replace(tzinfo=timezone.utc)  # noqa: UP017  `_datetime` has no UTC


def parse_instant(text: str) -> datetime:
    """Return the instant that `text` names, rounded half up to a microsecond.

    Raises:
        ValueError: `text` is no ISO 8601 instant, names no zone, or lies beyond the calendar.
    """
    try:
        if text[26:] == "+00:00" and text[10] == "T" and text[19] == "." and text[11:13] != "24":
            # As kitty-status writes it: nothing to round, and upper case already.
            return datetime.fromisoformat(text)
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        # Python names what is out of range, and where the text is no date at all its own function.
        why = "" if "isoformat" in str(error) else f": {error}"
        raise ValueError(f"{text!a} is no ISO 8601 instant{why}") from None
    if "24" in (text[11:13], text[9:11]) and moment.hour == 0:
        # Newer interpreters take hour 24, older ones do not: all clones must read a log alike.
        raise ValueError(f"{text!a} names the hour 24")  # pragma: no cover (older interpreters refuse it themselves)
    if moment.tzinfo is None:
        raise ValueError(f"{text!a} names no time zone")
    if _rounds_up(text):
        try:
            moment += timedelta(microseconds=1)
        except OverflowError:
            raise ValueError(f"{text!a} lies beyond the calendar") from None
    return moment


def format_instant(moment: datetime) -> str:
    """Return `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`, the spelling that kitty-status writes.

    Raises:
        ValueError: the instant has no such spelling, since its year in UTC is not within 1 to 9999.
    """
    try:
        return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")  # noqa: UP017  `_datetime` has no UTC
    except OverflowError:
        raise ValueError(f"{moment} lies beyond the calendar") from None


def microsecond_after(moment: datetime) -> datetime:
    """Return the next instant.

    Raises:
        ValueError: there is none, the calendar ends here.
    """
    try:
        return moment + timedelta(microseconds=1)
    except OverflowError:
        raise ValueError(f"{moment} is the last instant of the calendar") from None


def hours_between(earlier: datetime, later: datetime) -> float:
    """Return how many hours lie between two instants, negative where the first is the later one."""
    return (later - earlier) / timedelta(hours=1)


def _rounds_up(text: str) -> bool:
    _, dot, fraction = text.replace(",", ".").partition(".")
    seventh = fraction[_MICROSECOND_DIGITS : _MICROSECOND_DIGITS + 1]
    return bool(dot) and fraction[:_MICROSECOND_DIGITS].isdigit() and "5" <= seventh <= "9"
