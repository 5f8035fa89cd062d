"""Where a phone number may be: its country, and the zones in which its phone may ring.

By the number alone. A mobile phone or a toll-free number may be in several zones, and whoever took a number along is
somewhere else altogether: a contact's own timezone says more.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import timezone as number_timezones

from shared.domain.timezones import is_known_timezone

# Claim, gate and views of one number ask within seconds of each other; a look-up takes some 50 µs.
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class NumberPlace:
    """The country of a number (ISO 3166 code, else its calling code as `+code`, or `?`), and its zones, sorted.

    There may be no zone.
    """

    country: str
    zones: tuple[str, ...]


_NOWHERE: Final = NumberPlace("?", ())


@lru_cache(maxsize=_REMEMBERED)
def place_of(number: str) -> NumberPlace:
    """Where a number in E.164 may be; `?` and no zone for what is none."""
    parsed = _parsed(number)
    return _NOWHERE if parsed is None else NumberPlace(_country(parsed), _zones(parsed))


def country_of(number: str) -> str:
    """The country (ISO 3166 code) of a number in E.164, else its calling code as `+code`; `?` for no number at all."""
    parsed = _parsed(number)
    return _NOWHERE.country if parsed is None else _country(parsed)


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        # Numbers are checked as they are stored, by the rules of that day; none must stop a shard.
        return None


def _country(parsed: phonenumbers.PhoneNumber) -> str:
    region = phonenumbers.region_code_for_number(parsed)
    return region if region and region not in {"001", "ZZ"} else f"+{parsed.country_code}"


def _zones(parsed: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    """What the library says; of a number that it calls not valid, what its first digits say."""
    named = _known(number_timezones.time_zones_for_number(parsed))
    return named or _known(number_timezones.time_zones_for_geographical_number(parsed))


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if is_known_timezone(name)))
