"""A log in a folder of its own, with its lock and its quarantine, for tests that append to one."""

from __future__ import annotations

from pathlib import Path

from kitty_status.jsonl.append import Place
from kitty_status.jsonl.codec import LineDamagedError, decode

OLD = b'{"id": "old-1"}\n{"id": "old-2", "reason": "Zo\xc3\xab \\ud83d\\udc08"}\n{"id": "old-3", "n": [1.5, true]}\n'
NEW = b'{"id": "new"}\n'
NEXT = b'{"id": "next"}\n'


def place_in(folder: Path, log: bytes | None = None) -> Place:
    place = Place(folder / "feature" / "log", folder / "lock", folder / "quarantine")
    if log is not None:
        place.log.parent.mkdir(parents=True)
        place.log.write_bytes(log)
    return place


def quarantined(place: Place) -> list[bytes]:
    return [file.read_bytes() for file in sorted(place.quarantine.glob("*"))]


def ids_in(log: Path) -> list[str]:
    data = log.read_bytes()
    assert data.endswith(b"\n")
    return [decode(line)["id"] for line in data[:-1].split(b"\n")]


def has_row(log: Path, line: bytes) -> bool:
    rows = []
    for candidate in (log.read_bytes() if log.exists() else b"").split(b"\n"):
        try:
            rows.append(decode(candidate))
        except LineDamagedError:
            continue
    return decode(line[:-1]) in rows


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))
