"""The command line: one verb per file, which parses, calls once and prints."""
