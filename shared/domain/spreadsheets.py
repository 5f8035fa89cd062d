"""Texts in files that spreadsheets open."""

from typing import Final

# A cell that begins so is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """The text of a cell, with an apostrophe before one that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
