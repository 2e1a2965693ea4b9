"""Migrating: what the frontmatter of work packages tells of their past becomes events."""
