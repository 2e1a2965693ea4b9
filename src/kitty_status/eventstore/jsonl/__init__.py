"""The event store in files of lines: one file, a file for each day, or a file for each day and stream."""
