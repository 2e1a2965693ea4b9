"""What stands elsewhere than in this work tree's files: other work trees, other branches, the main branch, the past."""
