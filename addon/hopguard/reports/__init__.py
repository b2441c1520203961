"""Findings, written out."""
