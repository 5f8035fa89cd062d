"""Phone numbers in cells of spreadsheets: what a spreadsheet has done to one is undone where that is certain.

What is not certain stays as it is, and the reading of numbers refuses it: a wrong digit is a stranger's phone.
"""

import re
from typing import Final

# The fewest digits of a number that a spreadsheet may have taken for an amount.
_FEWEST_DIGITS: Final = 8
_FORMULA: Final = re.compile(r'="(.*)"', re.DOTALL)
_WHOLE: Final = re.compile(r"('?\+?[0-9]+)[.,]0+", re.ASCII)
_EXPONENT: Final = re.compile(r"'?(\+?)([1-9])[.,]([0-9]+)[eE]\+?([0-9]{1,2})", re.ASCII)
# Google's contacts have several values in one cell so.
_BETWEEN: Final = ":::"


def numbers_in(cell: str) -> list[str]:
    """The numbers in a cell, as text that `prepare_contacts` reads; none in an empty one."""
    texts = cell.split(_BETWEEN) if _BETWEEN in cell else (cell,)
    return [number for number in map(_undone, texts) if number]


def _undone(text: str) -> str:
    """`+491701234500.0` and `4.91701234500E+11` have all their digits; `1.41556E+10` has lost some."""
    text = text.strip()
    formula = _FORMULA.fullmatch(text)
    if formula is not None:
        text = formula[1].strip()
    whole = _WHOLE.fullmatch(text)
    if whole is not None and len(whole[1].lstrip("'+")) >= _FEWEST_DIGITS:
        return whole[1]
    exponent = _EXPONENT.fullmatch(text)
    if exponent is not None:
        plus, first, decimals, power = exponent.groups()
        if len(decimals) == int(power) and 1 + len(decimals) >= _FEWEST_DIGITS:
            return f"{plus}{first}{decimals}"
    return text
