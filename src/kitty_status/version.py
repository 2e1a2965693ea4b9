"""The version, in the one place that the build reads and `--version` prints."""

__version__ = "0.1.0"
