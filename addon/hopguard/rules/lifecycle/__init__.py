"""The life of a connection: what was promised and what happened."""
