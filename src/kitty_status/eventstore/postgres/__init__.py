"""The event store in PostgreSQL: many processes, replicas, and a server that other programs may ask."""
