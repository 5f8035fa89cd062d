"""Phone numbers: read them into E.164, and mask them for logs.

Numbers never stand in messages: a refusal says which rule was broken, its place in the request says where.
"""

import functools
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import (
    CountryCodeSource,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from shared.domain.phone_plans import is_in_use_as_written
from shared.domain.phone_text import as_seen, is_plain, why_ambiguous, why_not_plain

MAX_RAW_LENGTH: Final = 64

_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
_BRACKETED_ZERO: Final = re.compile(r"[(\[] *0 *[)\]]")
_MEXICAN_MOBILE: Final = re.compile(r"\+521([2-9][0-9]{9})", re.ASCII)
_MEXICO: Final = 52
_NOT_DIGITS: Final = re.compile(r"[^0-9]+")
_LONGEST_AREA_CODE: Final = 5
_SHORTEST_SUBSCRIBER: Final = 5
_MOST_SLASHES: Final = 6
_WITH_EXTENSION: Final = "The phone number has an extension, which cannot be dialed; leave it out"
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

_EXAMPLE: Final = "for example +14155550123"
_IN_FULL: Final = f"write it in full, {_EXAMPLE}"
_WHY_NOT_POSSIBLE: Final = {
    ValidationResult.INVALID_COUNTRY_CODE: f"The country calling code does not exist; correct it, {_EXAMPLE}",
    ValidationResult.TOO_SHORT: f"The phone number is too short; {_IN_FULL}",
    ValidationResult.TOO_LONG: (
        f"The phone number is too long; write one number with its plus and country code and no extension, {_EXAMPLE}"
    ),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: f"The phone number lacks its area code; {_IN_FULL}",
    ValidationResult.INVALID_LENGTH: (
        f"The phone number has a length that its country does not use; check its digits and {_IN_FULL}"
    ),
}


class NumberType(StrEnum):
    """Types of numbers that cost much more than a call to a person; an organization may refuse them."""

    PREMIUM_RATE = "premium_rate"
    SHARED_COST = "shared_cost"
    SATELLITE = "satellite"

    @property
    def words(self) -> str:
        """The type as people write it: `premium-rate`."""
        return self.replace("_", "-")


_COSTLY: Final = {
    PhoneNumberType.PREMIUM_RATE: NumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST: NumberType.SHARED_COST,
}
# Codes of no country: Inmarsat, the satellite mobile systems, and the two that satellite and other networks share.
_SATELLITE_CODES: Final = frozenset({870, 881, 882, 883})


class InvalidPhoneNumber(ValueError):
    """The text is not a phone number that could be dialed; refuse the row and show the message."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can be dialed; `valid` is False when its country has not assigned such numbers: warn, but call.

    `costly` is the type of a number that costs much more than others. `other` is the number in E.164 that the same
    text means when its first digits are a country code without the plus: warn, naming both.
    """

    e164: str
    valid: bool
    costly: NumberType | None = None
    other: str | None = None


def normalize(raw: str, default_country_code: str | None) -> PhoneNumber:
    """Read a phone number as people write it.

    A number without a country code is read as a national one of `default_country_code` ("+44"), with that
    country's trunk and international prefixes. None accepts E.164 only: "+" and digits, nothing else. Mexico's
    mobile 1 ("+52 1 55…"), which is not dialed any more, is left out in both.

    Unless E.164 only is accepted, blanks, dashes, brackets, dots and slashes may stand between the digits, and
    marks that do not show are dropped. Raises InvalidPhoneNumber, also for letters and extensions, which a voice
    call cannot dial, and for a text whose digits may not be one number. Raises ValueError if
    `default_country_code` does not exist.
    """
    if len(raw) > MAX_RAW_LENGTH:
        raise InvalidPhoneNumber(f"A phone number has at most {MAX_RAW_LENGTH} characters; write one number only")
    return _strict(raw) if default_country_code is None else _national(as_seen(raw), default_country_code)


def compared(e164: str) -> str:
    """The one form under which all `spellings` of a phone are equal: the key of whatever is kept for a phone."""
    return spellings(e164)[0]


def spellings(e164: str) -> tuple[str, ...]:
    """Every number in E.164 that rings the same phone, this one among them; the first is the `compared` form.

    A spelling may be out of use in its country; callers' lists and carriers' reports still have it.
    """
    if not e164.startswith(_SPELLED_DIFFERENTLY):
        return (e164,)
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


@dataclass(frozen=True, slots=True)
class _Read:
    """A number with what the library knows of it."""

    number: PhoneNumber
    national: str


def _strict(raw: str) -> PhoneNumber:
    if not _E164.fullmatch(raw):
        raise InvalidPhoneNumber(
            f'The phone number must be in E.164: "+", the country code and the number, digits only, {_EXAMPLE}'
        )
    if is_in_use_as_written(raw):
        return PhoneNumber(raw, valid=True)
    text = _MEXICAN_MOBILE.sub(r"+52\1", raw)
    number = _read(text, None).number
    if len(number.e164) > len(text):
        raise InvalidPhoneNumber(
            "The phone number is not in E.164: it lacks digits that belong between the country code and the rest; "
            "write it with its area code"
        )
    if number.e164 != text:
        raise InvalidPhoneNumber(
            "The phone number is not in E.164: after the country code it has digits that are only dialed "
            "inside the country (usually a 0); leave them out"
        )
    return number


def _national(text: str, default_country_code: str) -> PhoneNumber:
    if not default_country_code.startswith("+") or not default_country_code[1:].isdecimal():
        raise ValueError('default_country_code must be "+" and digits')
    code = int(default_country_code[1:])
    region = phonenumbers.region_code_for_country_code(code)
    if region == "ZZ":
        raise ValueError("default_country_code must be a country calling code that exists")
    if is_in_use_as_written(text):
        return PhoneNumber(text, valid=True)
    if not text:
        raise InvalidPhoneNumber(f"The phone number is empty; leave it out or {_IN_FULL}")
    ambiguous = why_ambiguous(text)
    if ambiguous is not None:
        raise InvalidPhoneNumber(ambiguous)
    if not is_plain(text):
        raise InvalidPhoneNumber(_WITH_EXTENSION if _has_extension(text, region) else why_not_plain(text))
    if "/" in text:
        _require_one_number(text, region)
    has_plus = "+" in text
    of_no_country = region in _NOT_IN_REAL_REGION and not has_plus
    read = _read_either_way(f"+{code} {text}" if of_no_country else text, region)
    other = None if has_plus else _other_reading(text, code, region, read)
    return read.number if other is None else replace(read.number, other=other)


def _read_either_way(text: str, region: str) -> _Read:
    """The number with its 0 in brackets where that is valid (Italy), else without it: nobody abroad dials a trunk 0."""
    bare = _BRACKETED_ZERO.sub("", text)
    if bare == text:
        return _read(text, region)
    try:
        read = _read(text, region)
    except InvalidPhoneNumber:
        return _read(bare, region)
    return read if read.number.valid else _read(bare, region)


def _other_reading(text: str, code: int, region: str, read: _Read) -> str | None:
    """The number that a text without a plus means if it begins with a country code; None when it cannot mean that."""
    digits = _NOT_DIGITS.sub("", text)
    international = digits.removeprefix("00")
    if international.startswith("0") or f"+{international}" == read.number.e164:
        return None
    begins_with_default = international.startswith(str(code))
    if read.number.valid and not begins_with_default and _is_national_form(digits, region, read):
        return None
    try:
        other = _read(f"+{international}", None).number
    except InvalidPhoneNumber:
        return None
    means_it = other.valid or (begins_with_default and not read.number.valid)
    return other.e164 if means_it and other.e164 != read.number.e164 else None


def _is_national_form(digits: str, region: str, read: _Read) -> bool:
    """Whether the country itself writes the number with just these digits, its trunk prefix included."""
    if digits == read.national and not _writes_trunk_prefix(region):
        return True
    number = phonenumbers.parse(read.number.e164)
    return _NOT_DIGITS.sub("", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)) == digits


@functools.cache
def _writes_trunk_prefix(region: str) -> bool:
    """Whether the region writes its trunk prefix in any of its numbers; in North America and Spain none has one."""
    metadata = PhoneMetadata.metadata_for_region(region)
    prefix = None if metadata is None else metadata.national_prefix
    if metadata is None or prefix is None:
        return False
    return any(prefix in (form.national_prefix_formatting_rule or "") for form in metadata.number_format)


def _require_one_number(text: str, region: str) -> None:
    """Refuses `030 123456/57` and `030 1234 / 030 5678`; lets a slash pass that parts an area code from the rest."""
    places = [place for place, character in enumerate(text) if character == "/"]
    if len(places) > _MOST_SLASHES or any(_parts_two_numbers(text, place, region) for place in places):
        raise InvalidPhoneNumber(
            "The text may hold more than one phone number, parted by a slash; send each number by itself"
        )


def _parts_two_numbers(text: str, place: int, region: str) -> bool:
    try:
        head = _read(text[:place], region)
    except InvalidPhoneNumber:
        return False
    tail = _NOT_DIGITS.sub("", text[place:])
    return len(head.national) > _LONGEST_AREA_CODE or len(tail) < _SHORTEST_SUBSCRIBER or tail.startswith("0")


def _has_extension(text: str, region: str) -> bool:
    try:
        return phonenumbers.parse(text, region).extension is not None
    except NumberParseException:
        return False


def _read(text: str, region: str | None) -> _Read:
    try:
        number = phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException as error:
        raise InvalidPhoneNumber(_why_not_parsed(error)) from error
    national = phonenumbers.national_significant_number(number)
    if number.country_code == _MEXICO and number.country_code_source != CountryCodeSource.FROM_DEFAULT_COUNTRY:
        found = _MEXICAN_MOBILE.fullmatch(f"+52{national}")
        if found is not None:
            national = found.group(1)
            number = phonenumbers.PhoneNumber(_MEXICO, int(national))
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise InvalidPhoneNumber(_WHY_NOT_POSSIBLE.get(reason, f"This is not a possible phone number; {_IN_FULL}"))
    e164 = f"+{number.country_code}{national}"
    if not _E164.fullmatch(e164):
        raise InvalidPhoneNumber(
            f"The phone number has more than the 15 digits a number can have; write one number only, {_EXAMPLE}"
        )
    kind = phonenumbers.number_type(number)
    costly = NumberType.SATELLITE if number.country_code in _SATELLITE_CODES else _COSTLY.get(kind)
    return _Read(PhoneNumber(e164, kind != PhoneNumberType.UNKNOWN, costly), national)


def _why_not_parsed(error: NumberParseException) -> str:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return _WHY_NOT_POSSIBLE[ValidationResult.INVALID_COUNTRY_CODE]
    if error.error_type in {NumberParseException.TOO_SHORT_NSN, NumberParseException.TOO_SHORT_AFTER_IDD}:
        return _WHY_NOT_POSSIBLE[ValidationResult.TOO_SHORT]
    if error.error_type == NumberParseException.TOO_LONG:
        return _WHY_NOT_POSSIBLE[ValidationResult.TOO_LONG]
    return f"This is not a phone number; write it in digits with its country code, {_EXAMPLE}"
