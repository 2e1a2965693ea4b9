"""Names of streams as names of files, and back: whatever a stream is called, and whatever file system it is.

Letters, digits and `-_.` stand for themselves, everything else as `%` and two hexadecimal digits for each byte. So does
the beginning of what Windows keeps for itself, and of what would be hidden. A name that becomes too long is cut, and
ends in `%%` and the digest of the whole. So does one that differs from another stream's in capitals only, which some
file systems do not tell apart.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_LONGEST = 200
_DIGEST = 40
_RESERVED = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789"})


def file_name(stream: str, *, with_digest: bool = False) -> str:
    """Return the name of the file of a stream, without its extension; no two streams have the same one."""
    data = stream.encode("utf-8")
    text = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in data)
    if text.startswith(".") or text.partition(".")[0].lower() in _RESERVED:
        text = f"%{data[0]:02x}" + text[1:]
    if text.endswith("."):
        text = text[:-1] + "%2e"
    if len(text) <= _LONGEST and not with_digest:
        return text
    return f"{text[: _LONGEST - _DIGEST]}%%{sha256(data).hexdigest()[:_DIGEST]}"


def name_among(taken: dict[str, str], stream: str, extension: str = "") -> str:
    """Return the name of a stream's file in a folder whose names are `taken`, by their small letters; it is then, too.

    Who came first keeps the plain name.
    """
    name = file_name(stream) + extension
    if taken.setdefault(name.lower(), name) != name:
        name = file_name(stream, with_digest=True) + extension
    return name


def taken_in(names: Iterable[str]) -> dict[str, str]:
    """Return names by their small letters."""
    return {name.lower(): name for name in names}


def stream_name(name: str) -> str | None:
    """Return the stream whose file has this name, None where the name ends in a digest: only its lines name it then."""
    if "%%" in name:
        return None
    head, *parts = name.split("%")
    data = head.encode("utf-8") + b"".join(bytes([int(part[:2], 16)]) + part[2:].encode("utf-8") for part in parts)
    return data.decode("utf-8")
