"""Phone numbers: read them into E.164, and mask them for logs.

Numbers never stand in messages: a refusal says which rule was broken, its place in the request says where.
"""

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

MAX_RAW_LENGTH: Final = 64

_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
# Digits of any script, and what people and spreadsheets put around and between them: plus signs, blanks, marks of
# writing direction, brackets, dots, slashes, dashes; the wide forms of East Asian keyboards too.
_WRITTEN: Final = re.compile(
    r"[\d+\uff0b \u00a0\u2000-\u200f\u202a-\u202f\u2060\u3000\ufeff()\uff08\uff09\[\]"
    r".\uff0e/\uff0f~\uff5e\-\uff0d\u2010-\u2015\u2212]*"
)
# Where one phone has several numbers: what they share, then each spelling, the one to compare by first.
_SPELLINGS: Final = tuple(
    (re.compile(pattern, re.ASCII), templates)
    for pattern, templates in (
        # Mexico's mobile 1, out of use since 2019.
        (r"\+521?([2-9]\d{9})", ("+52{}", "+521{}")),
        # Argentina's mobile 9, dialed from abroad only.
        (r"\+549?((?:11|[23]\d)\d{8})", ("+54{}", "+549{}")),
        # Brazil's ninth digit, put before mobile numbers from 2012 to 2016; those with 7 stayed as they were.
        (r"\+55([1-9]{2})9?([689]\d{7})", ("+55{}9{}", "+55{}{}")),
        # San Marino, reached through Italy too.
        (r"\+(?:3780549|390549)([89]\d{5})", ("+3780549{}", "+390549{}")),
        # Gabon's plan of 2019, where the new first digit follows from the old operator's one.
        (r"\+241[01]1(\d{6})", ("+24111{}", "+24101{}")),
        (r"\+241[06]?([256]\d{6})", ("+2416{}", "+2410{}", "+241{}")),
        (r"\+241[07]?([47]\d{6})", ("+2417{}", "+2410{}", "+241{}")),
    )
)
_SPELLED_DIFFERENTLY: Final = ("+52", "+54", "+55", "+3780", "+3905", "+241")  # all others are told at a glance

_NOT_IN_REAL_REGION: Final = frozenset({"001", "ZZ"})  # phonenumbers' names for "no country" and "no such code"
_REGEX_CACHE_SIZE: Final = 100_000

_WHY_NOT_POSSIBLE: Final = {
    ValidationResult.INVALID_COUNTRY_CODE: "The country calling code does not exist",
    ValidationResult.TOO_SHORT: "The phone number is too short",
    ValidationResult.TOO_LONG: "The phone number is too long",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "The phone number lacks its area code",
    ValidationResult.INVALID_LENGTH: "The phone number has a length that its country does not use",
}


class InvalidPhoneNumber(ValueError):
    """The text is not a phone number that could be dialed; refuse the row and show the message."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can be dialed; `valid` is False when its country has not assigned such numbers: warn, but call."""

    e164: str
    valid: bool


def normalize(raw: str, default_country_code: str | None) -> PhoneNumber:
    """Read a phone number as people write it.

    A number without a country code is read as a national one of `default_country_code` ("+44"), with that
    country's trunk and international prefixes. None accepts E.164 only: "+" and digits, nothing else.
    Blanks around the number are dropped, except with None. Raises InvalidPhoneNumber, also for letters and
    extensions: a voice call cannot dial them. Raises ValueError if `default_country_code` does not exist.
    """
    if len(raw) > MAX_RAW_LENGTH:
        raise InvalidPhoneNumber(f"A phone number has at most {MAX_RAW_LENGTH} characters")
    return _strict(raw) if default_country_code is None else _national(raw.strip(" \t\r\n\u00a0"), default_country_code)


def compared(e164: str) -> str:
    """The one form under which all `spellings` of a phone are equal: the key of whatever is kept for a phone."""
    return spellings(e164)[0] if e164.startswith(_SPELLED_DIFFERENTLY) else e164


def spellings(e164: str) -> tuple[str, ...]:
    """Every number in E.164 that rings the same phone, this one among them; the first is the `compared` form.

    A spelling may be out of use in its country; callers' lists and carriers' reports still have it.
    """
    for pattern, templates in _SPELLINGS:
        found = pattern.fullmatch(e164)
        if found is not None:
            return tuple(template.format(*found.groups()) for template in templates)
    return (e164,)


def mask_phone(e164: str) -> str:
    """The number with its middle hidden, for example +1415•••23; at least five digits never show."""
    digits = re.sub(r"\D", "", e164)
    head = max(0, min(4, len(digits) - 7))
    tail = 2 if len(digits) >= 7 else 0
    plus = "+" if e164.startswith("+") else ""
    return f"{plus}{digits[:head]}•••{digits[len(digits) - tail :]}"


def raise_regex_cache() -> None:
    """Let `re` keep every pattern that phonenumbers uses; call it once as a process starts.

    phonenumbers compiles thousands of patterns through `re`'s own cache of 512 and thrashes as soon as
    numbers of many countries are mixed: measured 233 µs a number, 22 µs with the cache raised. The name is
    private to `re`, so nothing happens where it is missing.
    """
    if isinstance(vars(re).get("_MAXCACHE"), int):
        vars(re)["_MAXCACHE"] = max(_REGEX_CACHE_SIZE, vars(re)["_MAXCACHE"])


def _strict(raw: str) -> PhoneNumber:
    if not _E164.fullmatch(raw):
        raise InvalidPhoneNumber(
            'The phone number must be in E.164: "+", the country code and the number, digits only, '
            "for example +14155550123"
        )
    number = _checked(raw, None)
    if number.e164 != raw:
        raise InvalidPhoneNumber(
            "The phone number is not in E.164: after the country code it has a digit that is only dialed "
            "inside the country (usually a 0); leave it out"
        )
    return number


def _national(raw: str, default_country_code: str) -> PhoneNumber:
    if not default_country_code.startswith("+") or not default_country_code[1:].isdecimal():
        raise ValueError('default_country_code must be "+" and digits')
    code = int(default_country_code[1:])
    region = phonenumbers.region_code_for_country_code(code)
    if region == "ZZ":
        raise ValueError("default_country_code must be a country calling code that exists")
    if region in _NOT_IN_REAL_REGION and not raw.startswith(("+", "\uff0b")):
        return _checked(f"+{code} {raw}", None)
    return _checked(raw, region)


def _checked(text: str, region: str | None) -> PhoneNumber:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise InvalidPhoneNumber(_why_not_read(text)) from error
    if number.extension is not None:
        raise InvalidPhoneNumber("The phone number has an extension, which cannot be dialed; leave it out")
    if not _WRITTEN.fullmatch(text):
        raise InvalidPhoneNumber(_why_not_read(text))
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        why = _WHY_NOT_POSSIBLE.get(reason, "This is not a possible phone number")
        raise InvalidPhoneNumber(f"{why}; write it in full, for example +14155550123")
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not _E164.fullmatch(e164):
        raise InvalidPhoneNumber("The phone number has more than the 15 digits a number can have")
    return PhoneNumber(e164, phonenumbers.is_valid_number(number))


def _why_not_read(text: str) -> str:
    if not text:
        return "The phone number is empty; leave it out or write it in full, for example +14155550123"
    if any(character.isalpha() for character in text):
        return "The phone number contains letters; write it in digits, for example +14155550123"
    return "This is not a phone number; write it in digits with its country code, for example +14155550123"
