"""The event store: an append-only, queryable record with one protocol and several backends."""
