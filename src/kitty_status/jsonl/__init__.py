"""Bytes and lines: the strict line codec, the one append, streaming reads and atomic replacement."""
