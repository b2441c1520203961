"""Hop-by-hop fields that Connection does not list."""
