"""What the columns of a CSV file hold: read from the names in its header, or as its sender says."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.domain.contact_input import OPTIONAL_FIELDS
from shared.domain.csv_text import SEPARATORS, BadCsv, CsvFlaw

PHONE: Final = "phone_numbers"
EXTERNAL_ID: Final = "external_id"
DATA: Final = "data"
IGNORED: Final = "ignore"
FIELDS: Final = (
    PHONE,
    EXTERNAL_ID,
    # An agent's configuration is an object, which no cell holds.
    *(name for name in OPTIONAL_FIELDS if name not in {DATA, "agent_config"}),
    DATA,
    IGNORED,
)
"""What a column may hold; `data`: it goes into the contact's data under its own name; `ignore`: it is left out."""

# Of numbers.
PHONE_NAMES: Final = (
    *("phone", "phonenumber", "phonenumbers", "phoneno", "phonenr", "telephone", "telephonenumber", "tel", "telno"),
    *("mobile", "mobilephone", "mobilenumber", "mobilephonenumber", "mobileno", "cell", "cellphone", "cellnumber"),
    *(
        "number",
        "msisdn",
        "contactnumber",
        "contactphone",
        "primaryphone",
        "mainphone",
        "businessphone",
        "landline",
    ),
    *("landline", "workphone", "homephone", "otherphone", "companyphone", "phone1", "phone2", "phone3"),
    *("phone1value", "phone2value", "phone3value", "phonework", "phonehome", "phonemobile", "mobilephone1"),
    *("telefon", "telefonnummer", "telefonnr", "rufnummer", "handy", "handynummer", "mobil", "mobilnummer"),
    *("mobiltelefon", "festnetz", "telephonemobile", "numerodetelephone", "portable", "telefono", "celular"),
    *("movil", "numerodetelefono", "cellulare", "telefone", "telemovel"),
)
# Names of columns as Excel lists, Google Contacts, HubSpot, Salesforce, Pipedrive and Outlook have them, folded.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    PHONE: PHONE_NAMES,
    EXTERNAL_ID: (
        *("externalid", "id", "recordid", "contactid", "leadid", "customerid", "crmid", "hsobjectid", "personid"),
        *("kundennummer", "kundennr"),
    ),
    "timezone": ("timezone", "tz", "zeitzone", "contacttimezone"),
    "scheduled_at": ("scheduledat", "callat", "callafter"),
    "expires_at": ("expiresat", "callbefore", "validuntil"),
    "priority": ("priority", "callpriority"),
    "agent_id": ("agentid",),
    "agent_version": ("agentversion",),
    "agent_number": ("agentnumber", "callernumber"),
    "initial_context": ("initialcontext",),
}
_FIELD_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: field for field, names in _NAMES.items() for name in names}
)
_NO_MAPPING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Columns:
    """A header that was understood: the names of the columns, in their order, and what each holds (one of `FIELDS`).

    `names` are unique; an unnamed column is ignored.
    """

    names: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def phones(self) -> tuple[int, ...]:
        """The places of the columns with numbers, from 0, in the order in which they are dialed."""
        return tuple(place for place, field in enumerate(self.fields) if field == PHONE)


def folded_name(name: str) -> str:
    """The name of a column without case, accents, blanks and marks: `First Name` and `first_name` are one."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in plain if character.isalnum())


def understood(
    header: Sequence[str], mapping: Mapping[str, str] = _NO_MAPPING, field_of: Mapping[str, str] = _FIELD_OF
) -> Columns:
    """The columns of a header. `mapping` says of columns, by name, what they hold; the others are read by their names.

    `field_of` is what each known name, folded, holds; a column of any other name is data.

    Raises `BadCsv`: no column has a number, or `mapping` names one that is not there.
    """
    told = {folded_name(name): field for name, field in mapping.items()}
    names, fields = _unique([cell.strip() for cell in header]), list[str]()
    known = {folded_name(name) for name in names}
    for name in mapping:
        if folded_name(name) not in known:
            raise BadCsv(CsvFlaw.UNKNOWN_COLUMN, 1, name)
    taken = set(told.values()) - {PHONE, DATA, IGNORED}
    for name in names:
        folded = folded_name(name)
        field = told.get(folded)
        if field is None:
            field = field_of.get(folded, DATA) if name else IGNORED
            # Told numbers are all of them, and of what a contact has once the first column counts.
            if (field == PHONE and PHONE in told.values()) or field in taken:
                field = DATA
            elif field not in (PHONE, DATA, IGNORED):
                taken.add(field)
        fields.append(field)
    if PHONE not in fields:
        raise BadCsv(CsvFlaw.NO_PHONE_COLUMN, 1)
    return Columns(tuple(names), tuple(fields))


def separator_of(headers: Mapping[str, Sequence[str]], mapping: Mapping[str, str] = _NO_MAPPING) -> str:
    """The separator of a file, from its header as each of `SEPARATORS` parts it: the first with a column of numbers.

    Without one, that which parts it most.
    """
    wanted = {folded_name(name) for name, field in mapping.items() if field == PHONE}
    for separator in SEPARATORS:
        folded = {folded_name(cell) for cell in headers[separator]}
        if folded & wanted if wanted else any(_FIELD_OF.get(name) == PHONE for name in folded):
            return separator
    return max(SEPARATORS, key=lambda separator: len(headers[separator]))


def _unique(names: Sequence[str]) -> list[str]:
    """The names, a repeated one with its number behind it: `Email`, `Email 2`."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        times = seen[name] = seen.get(name, 0) + 1
        unique.append(name if times == 1 or not name else f"{name} {times}")
    return unique
