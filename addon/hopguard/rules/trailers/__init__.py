"""Trailer sections and their announcement."""
