"""A person of the contact book: bounds of the fields, what is searched, and what a campaign's contact has of it.

A contact that is a person follows the person: its numbers, timezone and data are those of `contact_of`, whatever has
enrolled it. A call under way keeps the number that was frozen when it was claimed.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.domain.json_rules import ShortText, check_text
from shared.domain.phone import compared
from shared.domain.reasons import EndReason

MAX_TAGS: Final = 100
MAX_TAG: Final = 100
# RFC 3696, erratum 1690: 254 characters can be delivered to; addresses that nobody has tried may be longer.
MAX_EMAIL: Final = 320
MAX_SEARCH: Final = 255
# Between the texts of one person that are searched: no text has it, so nothing is found across two of them.
BETWEEN: Final = "\x00"


class PersonStatus(StrEnum):
    """Whether a person can be enrolled: not while `inactive`, and in vain while `dnc`, on no account to be called."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DNC = "dnc"


def _has_one_at(address: str) -> str:
    name, _, host = address.partition("@")
    if not name or not host or "@" in host or any(character.isspace() for character in address):
        raise PydanticCustomError("email", "Write one e-mail address, such as ada@example.com")
    return address


Email = Annotated[str, Field(max_length=MAX_EMAIL), AfterValidator(check_text), AfterValidator(_has_one_at)]
"""An e-mail address; whether mail arrives there is not judged."""

Tags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=MAX_TAG), AfterValidator(check_text)]],
    Field(max_length=MAX_TAGS),
    AfterValidator(lambda tags: list(dict.fromkeys(tags))),
]
"""Up to 100 tags; one that is named twice counts once."""

PersonText = ShortText
"""A name, a title, a word of a person's: 1 to 255 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person of an organization's contact book; times in UTC, numbers in E.164.

    `company` is the name that was given; that of a company of the registry is the company's own. `campaigns` are those
    the person was enrolled in. `listed`: one of the numbers is on the do-not-call list.
    """

    id: str
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    phone_secondary: str | None = None
    email: str | None = None
    company_id: str | None = None
    company: str | None = None
    job_title: str | None = None
    timezone: str | None = None
    lead_status: str | None = None
    source: str | None = None
    preferred_contact_method: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] = ()
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    do_not_call: bool = False
    inactive: bool = False
    campaigns: tuple[str, ...] = ()
    listed: bool = False

    @property
    def status(self) -> PersonStatus:
        """What the person is now; do-not-call comes before all else."""
        if self.do_not_call or self.listed:
            return PersonStatus.DNC
        return PersonStatus.INACTIVE if self.inactive else PersonStatus.ACTIVE

    @property
    def name(self) -> str | None:
        """First and last name; None: neither is known."""
        return full_name(self.first_name, self.last_name) or None


# What a customer sets of a person, and where one that is cleared stands then.
EDITABLE: Final[Mapping[str, Any]] = {
    **dict.fromkeys(
        (
            "first_name",
            "last_name",
            "phone",
            "phone_secondary",
            "email",
            "company_id",
            "company",
            "job_title",
            "timezone",
            "lead_status",
            "source",
            "preferred_contact_method",
            "notes",
        )
    ),
    "tags": (),
    "custom_fields": {},
    "do_not_call": False,
    "inactive": False,
}
# Fields that a person's contacts have, and follow.
FOLLOWED: Final = ("phone", "phone_secondary", "timezone", "do_not_call")
# Named fields of a contact's data, and where they come from; B calls a job title `title`, D `job_title`.
_IN_DATA: Final = {
    "first_name": "first_name",
    "last_name": "last_name",
    "email": "email",
    "title": "job_title",
    "job_title": "job_title",
    "lead_status": "lead_status",
}


@dataclass(frozen=True, slots=True)
class PersonsContact:
    """What a campaign's contact has of its person. `stopped`: why it is not called, whatever its campaign does."""

    phone_numbers: tuple[str, ...]
    timezone: str | None
    data: Mapping[str, Any]
    stopped: EndReason | None


def contact_of(person: Person, company_name: str | None) -> PersonsContact:
    """The contact that the person is in a campaign; `company_name` is that of the person's company, if it has one.

    Called is the phone, or without one the second. Named fields win over custom fields of the same name.
    """
    number = person.phone or person.phone_secondary
    named = {name: getattr(person, origin) for name, origin in _IN_DATA.items()}
    named |= {"company": company_name or person.company, "tags": list(person.tags) or None}
    return PersonsContact(
        phone_numbers=() if number is None else (number,),
        timezone=person.timezone,
        data={**person.custom_fields, **{name: value for name, value in named.items() if value is not None}},
        stopped=EndReason.DO_NOT_CALL if person.do_not_call else None,
    )


def full_name(first_name: str | None, last_name: str | None) -> str:
    """Both names as they are said; empty without any."""
    return " ".join(name for name in (first_name, last_name) if name)


def folded(text: str) -> str:
    """The form in which texts are compared that differ in case alone."""
    return unicodedata.normalize("NFC", text.casefold())


def searched(person: Mapping[str, Any]) -> str:
    """The one text in which a person is searched: names, e-mail and numbers, folded."""
    texts = (full_name(person["first_name"], person["last_name"]), person["email"], *numbers_of(person))
    return BETWEEN.join(folded(text) for text in texts if text)


def keys(person: Mapping[str, Any]) -> list[str]:
    """By what a person is found at once: each whole number in its compared form, and the e-mail address, folded."""
    email = person["email"]
    return [*dict.fromkeys(map(compared, numbers_of(person))), *([folded(email)] if email else [])]


def numbers_of(person: Mapping[str, Any]) -> list[str]:
    """The person's numbers, the one that is called first."""
    return [number for number in (person["phone"], person["phone_secondary"]) if number]


def matches(person: Mapping[str, Any], text: str) -> bool:
    """Whether a search for the text finds the person: it is part of the name, the e-mail or a number, in any case."""
    return folded(text) in searched(person)


def oldest_by_phone(people: Iterable[Person]) -> dict[str, Person]:
    """The oldest of the people with each phone (not the second number), by its compared form; ties by id."""
    oldest: dict[str, Person] = {}
    for person in sorted(people, key=lambda each: (each.created_at, each.id), reverse=True):
        if person.phone is not None:
            oldest[compared(person.phone)] = person
    return oldest
