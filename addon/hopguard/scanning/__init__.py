"""Captures scanned: which files, by whom, and what comes of it."""
