"""Bringing a log, its snapshot and its views back from any wreck, and together what was divided."""
