"""Erasure of what events say about a person, in a record that never changes.

The fields that speak of a subject are sealed with a key of that subject before the event is appended. To erase the
subject is to destroy the key: the log, its copies, its archives and its backups stay as they are, and none of them can
be read any more where it speaks of the subject.

Sealing is deterministic (AES-SIV, RFC 5297): the same value, subject and key give the same bytes, so that a repeated
append is still the same event. Who sees the log can tell that two fields of one subject are equal, and no more.

It needs the extra: `pip install "kitty-status[erasure]"`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kitty_status.errors import BusyError, KittyStatusError, UnsafeLogError
from kitty_status.eventstore.errors import EventStoreError, StoreCode, invalid
from kitty_status.eventstore.values import canonical, copied, problem_of_text
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.replace import replace_file

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV
except ImportError as error:
    raise ImportError('sealing needs cryptography: pip install "kitty-status[erasure]"') from error

import msgspec

SEALED = "$sealed"
ERASED = {"$erased": True}
"""What stands in the place of a sealed value whose key was destroyed."""

_NOTHING_SEALED = "correct it; nothing was sealed"
_KEY_BITS = 512
_KEY_BYTES = _KEY_BITS // 8
_ID_BYTES = 8


class SubjectKeys:
    """The keys of subjects, one file each in a folder that nobody else may read.

    Keep the folder out of the record's backups, or erasure ends where they begin.
    """

    def __init__(self, folder: Path) -> None:
        # A program may change its folder: a key that is looked for elsewhere would be taken for a destroyed one.
        self._folder = Path(folder).absolute()

    def get(self, subject: str) -> bytes | None:
        """Return the key of a subject, None where it has none (any more).

        Raises:
            EventStoreError: STORAGE_ERROR or CORRUPT: it cannot be read.
        """
        path = self._path(subject)
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _cannot("read", path, error) from error
        if len(key) != _KEY_BYTES:
            raise EventStoreError(
                StoreCode.CORRUPT, f"{path} has {len(key)} bytes, and a key has {_KEY_BYTES}", hint="restore the file"
            )
        return key

    def make(self, subject: str) -> bytes:
        """Return the key of a subject, a new one where it has none; it is on stable storage then.

        Raises:
            EventStoreError: STORAGE_ERROR or CORRUPT: it cannot be read or written.
        """
        path = self._path(subject)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with exclusive(self._folder / ".lock"):
                key = self.get(subject)
                if key is None:
                    key = AESSIV.generate_key(_KEY_BITS)
                    replace_file(path, key, mode=0o600)
        except (OSError, UnsafeLogError, BusyError) as error:
            raise _cannot("write", path, error) from error
        return key

    def erase(self, subject: str) -> bool:
        """Destroy the key of a subject for good, and say whether there was one.

        Raises:
            EventStoreError: STORAGE_ERROR: it cannot be removed.
        """
        path = self._path(subject)
        try:
            if not path.exists():
                return False
            with exclusive(self._folder / ".lock"):
                if not path.exists():
                    return False
                # What a copy-on-write disk keeps is beyond us; on others the key is gone even where its blocks stay.
                with path.open("r+b", buffering=0) as file:
                    file.write(os.urandom(_KEY_BYTES))
                    os.fsync(file.fileno())
                path.unlink()
        except (OSError, UnsafeLogError, BusyError) as error:
            raise _cannot("remove", path, error) from error
        return True

    def _path(self, subject: str) -> Path:
        problem = problem_of_text(subject)
        if problem:
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED, f"the subject is no name: {problem}", hint="name a subject"
            )
        return self._folder / f"{hashlib.sha256(subject.encode()).hexdigest()}.key"


class Sealing:
    """Seals fields of data before an append, and opens them after reading."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    def seal(self, data: Mapping[str, Any], subject: str, fields: str | Iterable[str]) -> dict[str, Any]:
        """Return data whose `fields` (or field), those that it has, are sealed with the key of a subject.

        Raises:
            EventStoreError: STORAGE_ERROR: the subject's key cannot be made. VALIDATION_FAILED: a field holds something
                that would not be read as it was given, or `data` or `fields` are none.
        """
        if not isinstance(data, Mapping):
            raise invalid(f"the data is a {type(data).__name__}, and an object is expected", _NOTHING_SEALED)
        plain = {field: _plain(data[field], field) for field in _names(fields) if field in data}
        key = self._keys.make(subject)
        sealed = dict(data)
        for field, text in plain.items():
            ciphertext = AESSIV(key).encrypt(text, [subject.encode(), field.encode()])
            sealed[field] = {
                SEALED: {"subject": subject, "key": _key_id(key), "value": base64.b64encode(ciphertext).decode()}
            }
        return sealed

    def open(self, data: Any) -> Any:
        """Return data with every sealed field opened; `ERASED` stands for one whose key was destroyed.

        Raises:
            EventStoreError: CORRUPT: a sealed value was tampered with, or moved to another field.
        """
        if not isinstance(data, dict):
            return data
        return {field: self._opened(field, value) if _is_sealed(value) else value for field, value in data.items()}

    def erase(self, subject: str) -> bool:
        """Destroy the key of a subject for good, and say whether there was one; see `SubjectKeys.erase`."""
        return self._keys.erase(subject)

    def _opened(self, field: str, value: dict[str, Any]) -> Any:
        envelope = value[SEALED]
        subject = str(envelope.get("subject"))
        key = self._keys.get(subject)
        if key is None or _key_id(key) != envelope.get("key"):
            return dict(ERASED)
        try:
            ciphertext = base64.b64decode(str(envelope.get("value")), validate=True)
            return msgspec.json.decode(AESSIV(key).decrypt(ciphertext, [subject.encode(), field.encode()]))
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise EventStoreError(
                StoreCode.CORRUPT,
                f"the sealed field {field} of subject {subject} is not what was sealed",
                hint="compare the event with a copy of the record",
                field=field,
                subject=subject,
            ) from error


def _names(fields: object) -> list[str]:
    names: list[Any] = [fields]
    if isinstance(fields, Iterable) and not isinstance(fields, str):
        names = list(fields)
    for name in names:
        problem = problem_of_text(name)
        if problem:
            raise invalid(f"no field has such a name: {problem}", _NOTHING_SEALED)
    return names


def _plain(value: Any, field: str) -> bytes:
    try:
        return canonical(copied(value, field))
    except ValueError as error:
        raise EventStoreError(StoreCode.VALIDATION_FAILED, str(error), hint=_NOTHING_SEALED, field=field) from error


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {SEALED} and isinstance(value[SEALED], dict)


def _key_id(key: bytes) -> str:
    """Return what names a key and tells nothing of it; a subject that comes back after erasure has another one."""
    return hashlib.sha256(b"key id" + key).digest()[:_ID_BYTES].hex()


def _cannot(verb: str, path: Path, error: OSError | KittyStatusError) -> EventStoreError:
    return EventStoreError(
        StoreCode.STORAGE_ERROR,
        f"cannot {verb} {path}: {error.strerror if isinstance(error, OSError) else error.message}",
        hint="see whether the folder of keys can be used",
        retryable=isinstance(error, BusyError),
        path=str(path),
    )
