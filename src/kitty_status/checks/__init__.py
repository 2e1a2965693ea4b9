"""Findings about logs and snapshots, and how they are gathered."""
