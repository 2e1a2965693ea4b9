"""Promises about snapshots of states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import StoreCode
from kitty_status.testing.event_store.base import MOMENT, StoreCase, event, refused

if TYPE_CHECKING:
    from pathlib import Path


class KeepingPromises(StoreCase):
    """What is promised about `create_snapshot` and `get_snapshot`."""

    def test_the_newest_snapshot_up_to_a_version_is_found(self, tmp_path: Path) -> None:
        """With the place of the event that it was computed from."""
        with self.opened(tmp_path) as store:
            store.append_batch([event(stream=stream) for stream in "abaaba"])
            assert store.get_snapshot("a") is None
            before = datetime.now(UTC)
            made = store.create_snapshot("a", 2, {"sum": 3})
            store.create_snapshot("a", 4, [1, 2])
            store.create_snapshot("b", 1, None)
            assert (made.version, made.position, made.state) == (2, 3, {"sum": 3})
            assert before <= made.at <= datetime.now(UTC)
            newest = store.get_snapshot("a")
            assert newest is not None
            assert (newest.version, newest.position, newest.state) == (4, 6, [1, 2])
            assert store.get_snapshot("a", 3) == made
            assert store.get_snapshot("a", 1) is None
            assert store.get_snapshot("c") is None

    def test_a_snapshot_replaces_the_one_of_its_version(self, tmp_path: Path) -> None:
        """And outlives the store that made it."""
        with self.opened(tmp_path) as store:
            store.append(event(stream="a"))
            store.create_snapshot("a", 1, "one")
            store.create_snapshot("a", 1, "two")
            again = store.get_snapshot("a")
            assert again is not None
            assert again.state == "two"
        if self.persists:
            with self.opened(tmp_path) as store:
                assert store.get_snapshot("a") == again

    def test_a_snapshot_of_a_version_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        """As is a state that is no JSON."""
        with self.opened(tmp_path) as store:
            store.append(event(stream="a"))
            for stream, version in (("a", 2), ("a", 0), ("b", 1)):
                with refused(StoreCode.VALIDATION_FAILED, stream, str(version)):
                    store.create_snapshot(stream, version, {})
            with refused(StoreCode.VALIDATION_FAILED, "state"):
                store.create_snapshot("a", 1, {"when": MOMENT})
            for stream, version in (("a\ud800", 1), ("a", 2**70)):
                with refused(StoreCode.QUERY_ERROR):
                    store.create_snapshot(stream, version, {})
                with refused(StoreCode.QUERY_ERROR):
                    store.get_snapshot(stream, version)
            assert store.get_snapshot("a") is None
