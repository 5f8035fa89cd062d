"""Writes `contacts.csv`, the demo list: `python -m deploy.demo.generate`. The same seed, the same file.

1,000 contacts as a CRM exports them, and a few rows as CRMs have them too: bad ones.
"""

import csv
import random
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat

from deploy.demo.fictional_numbers import EXAMPLES_OF, FICTIONAL, UNASSIGNED, NumberRange, example_numbers

SEED: Final = 2026
CONTACTS: Final = 1000
TARGET: Final = Path(__file__).with_name("contacts.csv")
COLUMNS: Final = (
    *("Contact ID", "First Name", "Last Name", "Company", "Title", "Phone", "Mobile", "Country", "Time Zone"),
    *("Email", "Owner", "Lead Source", "Last Contacted", "Do Not Email", "Notes"),
)
COUNTRIES: Final = {
    **{"US": "United States", "CA": "Canada", "GB": "United Kingdom", "DE": "Germany", "FR": "France"},
    **{"AU": "Australia", "SE": "Sweden", "IE": "Ireland", "NL": "Netherlands", "ES": "Spain", "IT": "Italy"},
    **{"CH": "Switzerland", "JP": "Japan", "IN": "India", "BR": "Brazil", "ZA": "South Africa"},
    **{"NZ": "New Zealand", "SG": "Singapore"},
}
SHARES: Final = {"US": 40, "CA": 12, "GB": 14, "DE": 12, "FR": 10, "AU": 9, "SE": 3}
# The ranges of these are for fixed lines, so the second number is another one of the same city.
SECOND_NUMBER_SHARE: Final = 0.55
WITHOUT_ZONE_SHARE: Final = 0.03
NAMES: Final = {
    "DE": (("Jürgen", "Anja", "Matthias", "Sabine", "Björn"), ("Müller", "Schäfer", "Groß", "Köhler", "Weiß")),
    "FR": (("Élodie", "Benoît", "Chloé", "François", "Zoë"), ("Lefèvre", "Garçon", "Dubois", "Moreau", "Béranger")),
    "SE": (("Åsa", "Göran", "Linnéa", "Måns", "Elin"), ("Sjöberg", "Åkesson", "Lindström", "Öberg", "Nyström")),
    "": (
        ("Ada", "Grace", "Alan", "Katherine", "Linus", "Margaret", "Omar", "Priya", "Sean", "Yuki", "Zanele", "Luis"),
        ("Okafor", "Smith", "O'Neill", "Nguyen", "García", "Patel", "Tanaka", "Brown", "van Dijk", "Rossi", "Silva"),
    ),
}
COMPANIES: Final = ("Acme", "Initech", "Globex", "Umbrella", "Hooli", "Vandelay", "Soylent", "Stark", "Wayne")
FORMS: Final = ("Ltd.", "Inc.", "GmbH", "& Sons", "Group", "Logistics", "Dental, LLC", "Partners")
TITLES: Final = ("", "Office Manager", "CEO", "Head of Sales", "Receptionist", "Buyer", "VP, Operations")
OWNERS: Final = ("dana.whitfield", "m.oyelaran", "tomas.k")
SOURCES: Final = ("Web", "Trade show", "Referral", "Webinar", "Import 2019")
NOTES: Final = (
    *("", "", "", "prefers mornings", "asked for a brochure, send again", 'said "call back after the holidays"'),
    *("renewal due", "moved; new address follows\nsee ticket", "speaks to assistant first"),
)
# Where the bad rows go: into the first screenful, so that short lists have them too.
BAD_ROWS: Final = (7, 15, 23, 31, 38, 44)


def rows(seed: int = SEED) -> list[dict[str, str]]:
    """The whole list: `CONTACTS` good rows, and bad ones between them."""
    dice = random.Random(seed)
    made = [_contact(dice, n, *place) for n, place in enumerate(_places(dice), start=1)]
    for position, bad in zip(BAD_ROWS, _bad_rows(made), strict=True):
        made.insert(position, bad)
    return made


def _places(dice: random.Random) -> list[tuple[str, str, list[str]]]:
    """Region, timezone and numbers of every contact; no number comes twice."""
    rare = [(region, zone, [number]) for region, zone in EXAMPLES_OF.items() for number in example_numbers(region)]
    rare += [(some.region, some.timezone, [next(numbers)]) for some, numbers in _open(dice, UNASSIGNED) for _ in "123"]
    ranges = _open(dice, FICTIONAL)
    places = rare
    while len(places) < CONTACTS:
        region = dice.choices(list(SHARES), list(SHARES.values()))[0]
        some, numbers = dice.choice([opened for opened in ranges if opened[0].region == region])
        wanted = 2 if dice.random() < SECOND_NUMBER_SHARE else 1
        found = [number for _, number in zip(range(wanted), numbers, strict=False)]
        if found:
            places.append((region, some.timezone, found))
    dice.shuffle(places)
    return places


def _open(dice: random.Random, ranges: Sequence[NumberRange]) -> list[tuple[NumberRange, Iterator[str]]]:
    """Every range with its numbers in a random order."""
    return [(some, iter(dice.sample(list(some), k=len(list(some))))) for some in ranges]


def _contact(dice: random.Random, n: int, region: str, zone: str, numbers: Sequence[str]) -> dict[str, str]:
    firsts, lasts = NAMES.get(region, NAMES[""])
    first, last = dice.choice(firsts), dice.choice(lasts)
    company = f"{dice.choice(COMPANIES)} {dice.choice(FORMS)}"
    written = [_as_people_write(dice, number, region) for number in numbers]
    phone, mobile = (written[0], written[1]) if len(written) == 2 else dice.choice(((written[0], ""), ("", written[0])))
    values = (
        *(f"C-{10000 + n}", first, last, company, dice.choice(TITLES), phone, mobile, COUNTRIES[region]),
        "" if dice.random() < WITHOUT_ZONE_SHARE else zone,
        *(f"contact{n}@example.com", dice.choice(OWNERS), dice.choice(SOURCES)),
        (date(2026, 6, 30) - timedelta(days=dice.randrange(700))).isoformat(),
        *(dice.choice(("No", "Yes")), dice.choice(NOTES)),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _as_people_write(dice: random.Random, e164: str, region: str) -> str:
    number = phonenumbers.parse(e164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    from_abroad = f"00{e164[1:]}" if region in {"GB", "DE", "FR", "SE"} else international
    forms = (national, national, international, e164, international.replace(" ", "-"), national.replace(" ", ""))
    dotted = re.sub(r"[^\d+]+", ".", national).strip(".")
    return dice.choice((*forms, dotted, from_abroad, f" {national} "))


def _bad_rows(good: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """One of each kind that every list has."""

    def like(row: dict[str, str], n: int, **changes: str) -> dict[str, str]:
        return {
            **row,
            "Contact ID": f"C-{90000 + n}",
            **{name.replace("_", " "): text for name, text in changes.items()},
        }

    return [
        like(good[100], 1, Phone="ask reception", Mobile="", Country="United States", Notes="number unknown"),
        like(good[101], 2, Phone="", Mobile=""),
        like(good[102], 3, Phone="(212) 555-0199", Mobile="", Country="United States", Time_Zone="Eastern Time"),
        dict(good[3]),  # exported twice
        like(good[103], 4, Phone="555-01", Mobile="", Country="Canada", Time_Zone="America/Toronto"),
        like(good[104], 5, Phone="+44 20 7946 0999 ext. 12", Mobile="", Country="United Kingdom", Time_Zone=""),
    ]


def main() -> None:
    """Write the file."""
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows())


if __name__ == "__main__":
    main()
