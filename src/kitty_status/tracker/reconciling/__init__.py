"""Reconciling logs with what git shows of the work: which commits belong to which work package, and what follows."""
