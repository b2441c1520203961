"""The value of Connection: its syntax."""
