"""Phase 0: the frontmatter of work packages says where they stand, and no log is written."""
