"""Phone numbers that reach nobody: ranges that national authorities keep free for films, books and tests.

Where a country has no such range, the example numbers that the library `phonenumbers` shows in its metadata.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

NANP_CITIES: Final = {
    "US": {
        "America/New_York": ("212", "617", "404", "305"),
        "America/Chicago": ("312", "512"),
        "America/Denver": ("303",),
        "America/Phoenix": ("602",),
        "America/Los_Angeles": ("415", "206", "213", "702"),
        "America/Anchorage": ("907",),
        "Pacific/Honolulu": ("808",),
    },
    "CA": {
        "America/Toronto": ("416", "514"),
        "America/Vancouver": ("604",),
        "America/Edmonton": ("403",),
        "America/Halifax": ("902",),
    },
}


@dataclass(frozen=True, slots=True)
class NumberRange:
    """All numbers that begin with `prefix` (E.164) and have `digits` more digits."""

    region: str
    timezone: str
    prefix: str
    digits: int

    def __iter__(self) -> Iterator[str]:
        return (f"{self.prefix}{n:0{self.digits}}" for n in range(10**self.digits))


FICTIONAL: Final = (
    # North America: 555-0100 to 555-0199 of every area code.
    *(
        NumberRange(region, timezone, f"+1{area}55501", 2)
        for region, cities in NANP_CITIES.items()
        for timezone, areas in cities.items()
        for area in areas
    ),
    # Ofcom, "telephone numbers for use in TV and radio drama".
    NumberRange("GB", "Europe/London", "+44207946", 4),
    NumberRange("GB", "Europe/London", "+44113496", 4),
    NumberRange("GB", "Europe/London", "+44161496", 4),
    NumberRange("GB", "Europe/London", "+44131496", 4),
    # Bundesnetzagentur, "Rufnummern für Medienproduktionen".
    NumberRange("DE", "Europe/Berlin", "+493023125", 3),
    NumberRange("DE", "Europe/Berlin", "+494066969", 3),
    NumberRange("DE", "Europe/Berlin", "+498999998", 3),
    NumberRange("DE", "Europe/Berlin", "+4917139200", 2),
    # Arcep, numbers for audiovisual works.
    NumberRange("FR", "Europe/Paris", "+3319900", 4),
    NumberRange("FR", "Europe/Paris", "+3326191", 4),
    NumberRange("FR", "Europe/Paris", "+3346571", 4),
    # ACMA, numbers for use in radio, books, film and TV.
    NumberRange("AU", "Australia/Sydney", "+6125550", 4),
    NumberRange("AU", "Australia/Melbourne", "+6137010", 4),
    NumberRange("AU", "Australia/Brisbane", "+6175550", 4),
    NumberRange("AU", "Australia/Perth", "+6185550", 4),
    # Post- och telestyrelsen, "telefonnummer för användning i böcker och filmer".
    NumberRange("SE", "Europe/Stockholm", "+468465004", 2),
    NumberRange("SE", "Europe/Stockholm", "+463139006", 2),
)

# The library knows these to be possible and not to be assigned: the API takes them with a warning.
UNASSIGNED: Final = (
    NumberRange("GB", "Europe/London", "+447700900", 3),
    NumberRange("IE", "Europe/Dublin", "+3532091", 5),
)

EXAMPLES_OF: Final = {
    "NL": "Europe/Amsterdam",
    "ES": "Europe/Madrid",
    "IT": "Europe/Rome",
    "CH": "Europe/Zurich",
    "JP": "Asia/Tokyo",
    "IN": "Asia/Kolkata",
    "BR": "America/Sao_Paulo",
    "ZA": "Africa/Johannesburg",
    "NZ": "Pacific/Auckland",
    "SG": "Asia/Singapore",
}


def example_numbers(region: str) -> list[str]:
    """The library's examples of a landline and a mobile number, in E.164."""
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    return [phonenumbers.format_number(number, PhoneNumberFormat.E164) for number in examples if number is not None]
