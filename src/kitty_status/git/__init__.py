"""The only door to git: processes, attributes, merge drivers and hooks."""
