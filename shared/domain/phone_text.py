"""Texts that hold a phone number: what a person sees in them, and why one does not hold exactly one number.

The digits of a number are the digits that a person sees: marks nobody sees are dropped, and a text whose digits
could be read in two ways is refused rather than guessed.
"""

import functools
import re
import unicodedata
from typing import Final

_EXAMPLE: Final = "for example +14155550123"
# Signs that people write as dashes though Unicode does not class them so: minus, bullet, the Japanese sign for a long
# vowel, ruled line.
_MORE_DASHES: Final = frozenset("\u2212\u2043\u30fc\uff70\u2500")
_RIGHT_TO_LEFT_OVERRIDE: Final = "\u202e"  # shows the digits behind it in reverse
_LINE_BREAKS: Final = frozenset("\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029")
_PUNCTUATION: Final = frozenset("+().[]/")
_APOSTROPHES: Final = ("'", "\u2018", "\u2019")  # spreadsheets put one before a number that is to stay text

_PLAIN: Final = re.compile(r"[ ()\[\]./-]*\+*[0-9 ()\[\]./-]*", re.ASCII)
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+", re.ASCII)
# A lone point where decimals begin: no area code has nine digits, and the last group of a number has more than two
# unless points part all its groups.
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+[.,](?:[0-9]{1,2}|0+)|[0-9]{9,}[.,][0-9]+)", re.ASCII)
_DECIMAL_BEHIND_GROUPS: Final = re.compile(r"[^.,]*[0-9][.,][0-9]{1,2}|.*[0-9][.,][0-9]", re.ASCII | re.DOTALL)
_BESIDE_A_POINT: Final = re.compile(r"[ -]*([.,])[ -]*")
_EXTENSION_IN_BRACKETS: Final = re.compile(r"[0-9][^0-9]*[(\[][0-9 ]{1,4}[)\]][ .]*\Z", re.ASCII)
_SECOND_PLUS: Final = re.compile(r"[^0-9]*[0-9].*\+", re.DOTALL)
_BETWEEN_NUMBERS: Final = re.compile(r"[0-9] *[;,|&] *[0-9]")


def as_seen(raw: str) -> str:
    """The text in ASCII where it can be, with plain blanks, dashes and marks, and digits of any script as 0 to 9.

    Marks that show nothing are dropped, also blanks and line breaks around the text and a spreadsheet's apostrophe
    before it. A line break inside stays one.
    """
    text = raw if raw.isascii() and raw.isprintable() else "".join(map(_plain, raw))
    text = text.strip(" \n")
    return text[1:].lstrip(" ") if text.startswith(_APOSTROPHES) else text


def why_ambiguous(text: str) -> str | None:
    """Why the digits of a text that `as_seen` made plain are not surely those of the number; None when they are."""
    # A blank or a dash beside the point makes decimals no less.
    joined = _BESIDE_A_POINT.sub(r"\1", text)
    if _DECIMAL.fullmatch(joined) or _DECIMAL_BEHIND_GROUPS.fullmatch(joined):
        return (
            "The phone number ends in decimals, as a spreadsheet writes numbers; format the column as text and write "
            f"the number without them, {_EXAMPLE}"
        )
    if text.endswith((")", "]", ".")) and _EXTENSION_IN_BRACKETS.search(text):
        return "The phone number ends in brackets, like an extension, which cannot be dialed; leave them out"
    return None


def is_plain(text: str) -> bool:
    """Whether the text has digits, what people put around and between them, and no more than a plus before them."""
    return _PLAIN.fullmatch(text) is not None


def why_not_plain(text: str) -> str:
    """What to tell about a text that is not plain; the sentence never repeats it."""
    if _SCIENTIFIC.fullmatch(text):
        return (
            "The phone number is in a spreadsheet's scientific notation, which loses digits; format the column as "
            f"text and write the number in full, {_EXAMPLE}"
        )
    if "\n" in text:
        return "The phone number has a line break in it; send each number by itself, on one line"
    if _SECOND_PLUS.match(text):
        return "The text holds more than one phone number; send each number by itself"
    if any(character.isalpha() for character in text):
        return f"The phone number contains letters; write it in digits, {_EXAMPLE}"
    if _BETWEEN_NUMBERS.search(text):
        return f"The phone number has a comma or another mark between numbers; send each number by itself, {_EXAMPLE}"
    return f"This is not a phone number; write it in digits with its country code, {_EXAMPLE}"


@functools.lru_cache(maxsize=1024)
def _plain(character: str) -> str:
    """The ASCII character that a person would type for this one, nothing for one that does not show, or itself."""
    category = unicodedata.category(character)
    if character in _LINE_BREAKS:
        return "\n"
    if category == "Zs" or character == "\t":
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Pd" or character in _MORE_DASHES:
        return "-"
    if character == _RIGHT_TO_LEFT_OVERRIDE:
        return character
    if category == "Cf" or (category == "Mn" and "VARIATION SELECTOR" in unicodedata.name(character, "")):
        return ""
    # The wide and small forms of marks; never of digits, whose forms may be exponents or numbers in a list.
    ascii_form = unicodedata.normalize("NFKC", character)
    return ascii_form if ascii_form in _PUNCTUATION else character
