"""Public holidays by calendar: a country's (`US`), or those of a part of it (`DE-BY`), as plain dates.

The dates come from the `holidays` library and are worked out once a calendar and year; a change of law reaches
Dialstream with an update of that package. It knows the years up to 2100; later ones have no holidays.
"""

from datetime import date
from functools import lru_cache
from typing import Annotated, Final

import holidays
from pydantic import AfterValidator, Field, StrictStr
from pydantic_core import PydanticCustomError

from shared.domain.repeating import quoted

# Somewhat more than an organization that calls several countries needs; each costs a look-up for every closed day.
MAX_CALENDARS: Final = 20


def is_known_calendar(name: str) -> bool:
    """Whether `name` is exactly a country (ISO 3166 alpha-2) or one of its parts as `DE-BY`; case matters."""
    country, dash, part = name.partition("-")
    parts = holidays.list_supported_countries(include_aliases=False).get(country)
    return parts is not None and (part in parts if dash else True)


@lru_cache(maxsize=4096)
def holiday_dates(calendar: str, year: int) -> frozenset[date]:
    """The public holidays of a known calendar in one year, days off in lieu of one on a weekend included."""
    country, _, part = calendar.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


def _known(name: str) -> str:
    if not is_known_calendar(name):
        raise PydanticCustomError(
            "unknown_calendar",
            "{name} is not a holiday calendar; write a country such as US, or a part of one such as DE-BY",
            {"name": quoted(name)},
        )
    return name


CalendarName = Annotated[StrictStr, AfterValidator(_known), Field(examples=["US"])]
"""The name of a holiday calendar that is known."""
