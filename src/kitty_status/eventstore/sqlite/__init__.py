"""The event store in one SQLite file: the embedded default."""
