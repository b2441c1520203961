"""Upgrade, 101, 426, h2c and WebSocket."""
