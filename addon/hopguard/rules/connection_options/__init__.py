"""The value of Connection: what it names."""
