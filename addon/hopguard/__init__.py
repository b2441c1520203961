"""Sees, explains and records violations of HTTP's connection rules."""
