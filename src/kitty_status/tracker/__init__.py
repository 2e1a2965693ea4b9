"""What the program does with a repository: read, decide, append, materialize."""
