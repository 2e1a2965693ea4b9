"""What the newest events have in common with a condition: nearly always nothing, which is known without reading them.

For each word (see `words_of`) it is kept where an event last had it. Conditions are checked from a position on
that their caller has just read up to, so the newest events are all that is asked for; of older ones nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.words import tag_word, words_of

if TYPE_CHECKING:
    from kitty_status.eventstore.criteria import Criterion
    from kitty_status.eventstore.jsonl.log import Log
    from kitty_status.eventstore.jsonl.visible import Visible
    from kitty_status.eventstore.query import EventQuery

_MOST_WORDS = 50_000


class Recent:
    """Where the words of the events behind the position `since` occurred last; whoever asks holds the lock."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._since = self._reached = 0
        self._last: dict[str, int] = {}

    def rules_out(self, query: EventQuery, span: tuple[int, int], visible: Visible) -> bool:
        """Say whether no event behind a position can be asked for; False where that is not known.

        `span` is that position, and how many events may be read to find out.
        """
        after, most = span
        if not query.criteria or visible.head - after > most:
            return False
        if after < self._since or visible.head - self._reached > most or len(self._last) > _MOST_WORDS:
            self._since = self._reached = after
            self._last.clear()
        self._catch_up(visible)
        return all(self._is_ruled_out(criterion, after) for criterion in query.criteria)

    def _is_ruled_out(self, criterion: Criterion, after: int) -> bool:
        return any(all(self._last.get(word, 0) <= after for word in group) for group in groups_of(criterion))

    def _catch_up(self, visible: Visible) -> None:
        if self._reached >= visible.head:
            return
        for events in self._log.forwards(self._reached, visible.head, visible):
            for event in events:
                for word in (f"id:{event.id}", *words_of(event)):
                    self._last[word] = event.position
        self._reached = visible.head


def groups_of(criterion: Criterion) -> list[list[str]]:
    """Return groups of words: each event that meets the criterion has a word of each group."""
    groups = [
        [f"id:{word}" for word in criterion.ids],
        [f"type:{word}" for word in criterion.types],
        [f"stream:{word}" for word in criterion.streams],
        *([tag_word(key, value) for value in values] for key, values in criterion.tags),
    ]
    return [group for group in groups if group]
