"""The table of legal calling hours: data, read by shared/domain/legal_hours.py. Not legal advice.

Every row names the text its hours come from, and the date as of which the row was written; laws change: read the text
before you rely on a row. Hours are those of the called person's wall clock. Where a law has exceptions (consent,
existing customers, other kinds of calls), the row has its narrowest reading; where there is no law but a code of
conduct, the row says so.

How the rows were checked: FR against the text on legifrance.gouv.fr (JORF of 14 October 2022, text 6); IN against the
government's answer in the Lok Sabha that quotes the regulation's hours (November 2019); US-TX against summaries that
link the section; GB against reports of the guide, of which some allow Sundays from 09:00, so that the row has the
narrower. The other rows were written from knowledge of their texts alone.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class LegalRow:
    """The hours in which people in some countries, or in one state of a country, may be called.

    `countries` are ISO 3166 codes. A row with a `state` (ISO 3166-2) holds for numbers that begin with one of its
    `prefixes`, in place of the row of its country. `hours` are (days, start, end), as windows are written; `holidays`
    names the calendar on whose days nobody may be called.
    """

    countries: tuple[str, ...]
    hours: tuple[tuple[str, str, str], ...]
    source: str
    as_of: date
    state: str | None = None
    prefixes: frozenset[str] = frozenset()
    holidays: str | None = None

    @property
    def name(self) -> str:
        """Its state, else its first country; no two rows have the same."""
        return self.state or self.countries[0]


def _prefixes(calling_code: str, area_codes: str) -> frozenset[str]:
    return frozenset(f"+{calling_code}{area_code}" for area_code in area_codes.split())


_AS_OF: Final = date(2026, 11, 28)
LEGAL_ROWS: Final = (
    LegalRow(
        # The states, and the territories to which federal law extends.
        countries=("US", "PR", "VI", "GU", "AS", "MP"),
        hours=(("mon tue wed thu fri sat sun", "08:00", "21:00"),),
        source="47 CFR 64.1200(c)(1) and 16 CFR 310.4(c)",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("US",),
        state="US-FL",
        prefixes=_prefixes(
            "1",
            "239 305 321 324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 863 904 941 954",
        ),
        hours=(("mon tue wed thu fri sat sun", "08:00", "20:00"),),
        source="Florida Statutes, section 501.616(6)",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("US",),
        state="US-TX",
        prefixes=_prefixes(
            "1",
            "210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 726 737 806 817 830 832 903 915 936 940 945 "
            "956 972 979",
        ),
        hours=(("mon tue wed thu fri sat", "09:00", "21:00"), ("sun", "12:00", "21:00")),
        source="Texas Business and Commerce Code, section 301.051 (on Sundays not before noon)",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("CA",),
        hours=(("mon tue wed thu fri", "09:00", "21:30"), ("sat sun", "10:00", "18:00")),
        source="CRTC Unsolicited Telecommunications Rules, part III, section 23",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("GB",),
        hours=(("mon tue wed thu fri", "08:00", "21:00"), ("sat", "09:00", "21:00")),
        holidays="GB",
        source="no statute names hours; the Direct Marketing Association's guide to telemarketing does",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("IN",),
        hours=(("mon tue wed thu fri sat sun", "10:00", "21:00"),),
        # For those who have stated no preference; people may choose other hours, or none.
        source="Telecom Commercial Communications Customer Preference Regulations, 2018 (TRAI)",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("AU",),
        hours=(("mon tue wed thu fri", "09:00", "20:00"), ("sat", "09:00", "17:00")),
        holidays="AU",
        source="Telecommunications (Telemarketing and Research Calls) Industry Standard 2017",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("FR",),
        hours=(("mon tue wed thu fri", "10:00", "13:00"), ("mon tue wed thu fri", "14:00", "20:00")),
        holidays="FR",
        # Since 11 August 2026 only people who have agreed may be called at all (article L223-1, loi 2025-594).
        source="Code de la consommation, article D223-9 (décret 2022-1313 of 13 October 2022)",
        as_of=_AS_OF,
    ),
    LegalRow(
        countries=("BR",),
        hours=(("mon tue wed thu fri", "09:00", "21:00"), ("sat", "10:00", "16:00")),
        holidays="BR",
        source="the carriers' code of conduct for telemarketing that Anatel refers to",
        as_of=_AS_OF,
    ),
)
