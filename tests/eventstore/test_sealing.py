"""What events say about a subject can be erased although no event is ever changed."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.sealing import ERASED, SEALED, Sealing, SubjectKeys
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.base import MOMENT, event, refused

ANN = {"name": "Ann", "address": {"street": "Long Lane"}, "amount": 7}
KEPT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
PRIVATE = ["name", "address", "phone"]


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    return Sealing(SubjectKeys(tmp_path / "keys"))


def test_a_sealed_field_is_read_with_the_key_and_by_nobody_else(sealing: Sealing, tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        stored = store.append(event(data=sealing.seal(ANN, "ann", PRIVATE)))
        assert sealing.open(stored.data) == ANN
        assert stored.data["amount"] == 7
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("events.db*"))
    assert b"Long Lane" not in raw
    stranger = Sealing(SubjectKeys(tmp_path / "other"))
    assert stranger.open(stored.data) == {"name": ERASED, "address": ERASED, "amount": 7}


def test_erasing_a_subject_leaves_the_log_and_every_other_subject_as_they_are(sealing: Sealing, tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        ann = store.append(event(data=sealing.seal(ANN, "ann", PRIVATE)))
        bob = store.append(event(data=sealing.seal({"name": "Bob"}, "bob", PRIVATE)))
        assert sealing.erase("ann")
        assert not sealing.erase("ann")
        assert store.get_events() == [ann, bob]
        assert sealing.open(ann.data)["name"] == ERASED
        assert sealing.open(bob.data) == {"name": "Bob"}
        again = sealing.seal(ANN, "ann", PRIVATE)
        assert sealing.open(again) == ANN
        assert sealing.open(ann.data)["name"] == ERASED


def test_a_repeated_append_of_sealed_data_is_the_same_event(sealing: Sealing, tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        first = store.append(event(id="one", data=sealing.seal(ANN, "ann", PRIVATE)))
        assert store.append(event(id="one", data=sealing.seal(dict(reversed(ANN.items())), "ann", PRIVATE))) == first


@pytest.mark.parametrize("change", ["value", "field", "garbage"])
def test_a_sealed_value_that_was_changed_or_moved_is_damage(sealing: Sealing, change: str) -> None:
    data: dict[str, Any] = sealing.seal({"name": "Ann", "note": "x"}, "ann", ["name", "note"])
    if change == "value":
        data["name"][SEALED]["value"] = data["note"][SEALED]["value"]
    elif change == "field":
        data = {"other": data["name"]}
    else:
        data["name"][SEALED]["value"] = "no base64!"
    with refused(StoreCode.CORRUPT, "ann"):
        sealing.open(data)


def test_keys_are_for_their_owner_alone_and_whole(tmp_path: Path) -> None:
    keys = SubjectKeys(tmp_path / "keys")
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: keys.make("ann"), range(16)))) == 1
    [file] = (tmp_path / "keys").glob("*.key")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.write_bytes(b"short")
    with refused(StoreCode.CORRUPT, "bytes"):
        keys.get("ann")


def test_keys_that_cannot_be_stored_are_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refused(StoreCode.STORAGE_ERROR, "file"):
        SubjectKeys(tmp_path / "file" / "keys").make("ann")


@given(value=st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | KEPT, st.lists))
def test_every_value_opens_as_it_was_sealed(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    sealing = Sealing(SubjectKeys(tmp_path_factory.getbasetemp() / "keys"))
    assert sealing.open(sealing.seal({"a": value}, "ann", ["a"])) == {"a": value}


@pytest.mark.parametrize("value", [float("nan"), MOMENT, {1}, object(), "\ud800", 2**70])
def test_what_would_not_be_read_as_it_was_given_is_not_sealed(sealing: Sealing, value: Any) -> None:
    with refused(StoreCode.VALIDATION_FAILED, "name"):
        sealing.seal({"name": value}, "ann", ["name"])


def test_a_subject_that_is_no_name_is_refused(sealing: Sealing) -> None:
    for call in (sealing.erase, lambda subject: sealing.seal({}, subject, [])):
        with refused(StoreCode.VALIDATION_FAILED, "subject"):
            call("\ud800")


def test_a_lock_that_cannot_be_had_is_the_stores_own_error(sealing: Sealing, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / ".lock").symlink_to(tmp_path / "elsewhere")
    with refused(StoreCode.STORAGE_ERROR, "symbolic link"):
        sealing.seal(ANN, "ann", PRIVATE)


def test_the_name_of_one_field_is_one_field(sealing: Sealing) -> None:
    sealed = sealing.seal({"street": "Long Lane", "s": 1}, "ann", "street")
    assert sealed["s"] == 1
    assert "Long Lane" not in str(sealed)
    assert sealing.open(sealed) == {"street": "Long Lane", "s": 1}


@pytest.mark.parametrize(
    ("data", "fields"),
    [(None, ["a"]), ([1], ["a"]), ("text", "a"), ({"a": 1}, None), ({"a": 1}, [None]), ({"a": 1}, 7)],
)
def test_what_cannot_be_sealed_is_refused_before_a_key_is_made(
    sealing: Sealing, tmp_path: Path, data: Any, fields: Any
) -> None:
    with refused(StoreCode.VALIDATION_FAILED):
        sealing.seal(data, "ann", fields)
    assert not (tmp_path / "keys").exists()


def test_a_program_that_changes_its_folder_finds_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    relative = Sealing(SubjectKeys(Path("keys")))
    sealed = relative.seal({"a": 1}, "ann", ["a"])
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert relative.open(sealed) == {"a": 1}
    assert not list((tmp_path / "other").iterdir())
