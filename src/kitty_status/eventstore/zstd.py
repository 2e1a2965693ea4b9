"""The one door to zstd: a part of Python since 3.14 (PEP 784), a package before (extra `archive`)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kitty_status.eventstore.errors import EventStoreError, StoreCode

_LEVEL = 9
_MODULES = ("compression.zstd", "backports.zstd")


def zstd() -> Any:
    """Return the module.

    Raises:
        EventStoreError: STORAGE_ERROR: it is not installed.
    """
    for name in _MODULES:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise EventStoreError(
        StoreCode.STORAGE_ERROR, "archives need zstd", hint='install it: pip install "kitty-status[archive]"'
    )


def compressor() -> Any:
    """Return a compressor of one stream of bytes, which also has a checksum of its own."""
    module = zstd()
    parameter = module.CompressionParameter
    return module.ZstdCompressor(options={parameter.compression_level: _LEVEL, parameter.checksum_flag: 1})


def compressed(data: bytes) -> bytes:
    """Return bytes compressed."""
    packing = compressor()
    return bytes(packing.compress(data) + packing.flush())


def decompressed(data: bytes, size: int) -> bytes:
    """Return what was compressed, which has so many bytes: no more than that is ever unpacked.

    Raises:
        ValueError: it was not compressed like this, or has another size.
    """
    module = zstd()
    unpacking = module.ZstdDecompressor()
    try:
        found = bytes(unpacking.decompress(data, size + 1))
    except module.ZstdError as error:
        raise ValueError(str(error)) from error
    if len(found) != size or not unpacking.eof or unpacking.unused_data:
        raise ValueError(f"it does not unpack to {size} bytes")
    return found
