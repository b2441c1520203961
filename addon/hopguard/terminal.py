"""The terminal that text is written for."""

import shutil

NARROWEST, WIDEST = 40, 100
"""Columns between which text is filled to the width of the terminal."""


def text_width() -> int:
    """Return the columns to which text is filled."""
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
