"""The Markdown files of work packages: what they say, and the parts of them that are generated."""
