"""Persistence, judged on one exchange."""
