"""The status of work, kept in git beside the work."""
