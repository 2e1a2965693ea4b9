"""The words by which events are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.eventstore.days import day_of

if TYPE_CHECKING:
    from kitty_status.eventstore.event import Event


def words_of(event: Event) -> list[str]:
    """Return the words by which an event is found."""
    words = [f"type:{event.type}", f"stream:{event.stream}", f"day:{day_of(event.at)}"]
    for key, values in event.tags.items():
        words += [tag_word(key, values)] if isinstance(values, str) else [tag_word(key, value) for value in values]
    return words


def tag_word(key: str, value: str) -> str:
    """Return the word of a tag. The separator is a character that no tag can hold."""
    return f"tag:{key}\n{value}"
