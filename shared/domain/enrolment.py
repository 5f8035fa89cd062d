"""Enrolling people in a campaign: what becomes of each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.domain.person import PersonsContact
from shared.domain.reasons import EndReason


class Enrolment(StrEnum):
    """What became of a person that was to be enrolled; the last three are no contacts of the campaign."""

    ADDED = "added"  # a new contact of the campaign
    AGAIN = "again"  # one that was skipped without a call, and is called now
    DUPLICATE = "duplicate"  # in the campaign already, or named earlier in the request; by its phone where terms say so
    SKIPPED = "skipped"  # a new contact that is not called
    UNKNOWN = "unknown"  # nobody of the contact book
    INACTIVE = "inactive"  # not enrolled any more
    NO_PHONE = "no_phone"  # without a number, where that is refused


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which people are enrolled.

    `without_phone`: a person without a number is stored as skipped, else refused. `call_again`: one that was skipped
    without a call is called, where it can be now. `one_per_phone`: a person whose phone another contact of the campaign
    has is a duplicate of that one.
    """

    without_phone: bool = True
    call_again: bool = True
    one_per_phone: bool = False


USUAL: Final = Terms()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A person, by the id that was given, and what became of it; `because` says why a contact is skipped.

    `contact_id` None: the person is no contact of the campaign. That of a duplicate by its phone is another's contact.
    """

    person_id: str
    contact_id: str | None
    enrolment: Enrolment
    because: EndReason | None = None


def why_skipped(contact: PersonsContact, *, listed: bool) -> EndReason | None:
    """Why a contact is stored as skipped; None: it waits. `listed`: its number is on the do-not-call list."""
    if contact.stopped is not None:
        return contact.stopped
    if not contact.phone_numbers:
        return EndReason.NO_PHONE
    return EndReason.DO_NOT_CALL if listed else None


@dataclass(frozen=True, slots=True)
class EnrolmentCounts:
    """How many of a request's distinct people were added, skipped, in the campaign already, and refused."""

    added: int
    skipped: int
    duplicates: int
    refused: int


def counts_of(enrolled: Sequence[Enrolled]) -> EnrolmentCounts:
    """The counts of one request; a person that it names twice counts once, by what came first."""
    first: dict[str, Enrolment] = {}
    for each in enrolled:
        first.setdefault(each.person_id, each.enrolment)
    values = list(first.values())
    added, skipped, duplicates = (
        sum(value in those for value in values)
        for those in ((Enrolment.ADDED, Enrolment.AGAIN), (Enrolment.SKIPPED,), (Enrolment.DUPLICATE,))
    )
    return EnrolmentCounts(added, skipped, duplicates, len(values) - added - skipped - duplicates)
