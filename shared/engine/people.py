"""The contact book: people, what is known of them, and what they have come to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.campaign import CampaignState
from shared.domain.page import NumberedPage, Page
from shared.domain.person import Person, folded
from shared.engine.engine import Engine
from shared.events import ContactsAdded
from shared.store.catalog import people as stored
from shared.store.catalog.people import EVERYBODY, NewPerson, PeopleFilter
from shared.store.contacts import following, persons_calls, upsert_people
from shared.store.contacts.following import Changed
from shared.store.contacts.persons_calls import NO_CALLS, Participation, PersonsCall, PersonsCalls
from shared.store.contacts.upsert_people import UpsertedPerson

__all__ = [
    "EVERYBODY",
    "MAX_CALLS",
    "NewPerson",
    "Participation",
    "PeopleFilter",
    "PersonWithCalls",
    "PersonWithHistory",
    "PersonsCall",
    "PersonsCalls",
    "UpsertedPerson",
    "count_people",
    "create_people",
    "create_person",
    "delete_person",
    "edit_person",
    "external_ids_of",
    "find_by_email",
    "find_by_phones",
    "get_person",
    "list_people",
    "numbered_people",
    "people_ids",
    "people_of",
    "person_with_history",
    "upsert_by_phone",
    "with_calls",
]

# Calls of one person that are shown.
MAX_CALLS = 50


@dataclass(frozen=True, slots=True)
class PersonWithCalls:
    """A person, and the calls to it as one sum."""

    person: Person
    calls: PersonsCalls


@dataclass(frozen=True, slots=True)
class PersonWithHistory:
    """A person, the calls to it as one sum, its newest calls, and the campaigns that it is or was in, newest first."""

    person: Person
    calls: PersonsCalls
    newest_calls: Sequence[PersonsCall]
    history: Sequence[Participation]


async def create_person(engine: Engine, organization_id: str, new: NewPerson, now: datetime) -> Person:
    """A new person. Raises `BadSetting` (no such company) and `Conflict` (external_id taken)."""
    [person] = await create_people(engine, organization_id, [new], now)
    return person


async def create_people(engine: Engine, organization_id: str, new: Sequence[NewPerson], now: datetime) -> list[Person]:
    """New people, at most 1,000, all or none, in the given order; one phone may be several people's.

    Raises `BadSetting` (no such company) and `Conflict` (external_id taken).
    """
    return await upsert_people.create_people(engine.store, organization_id, new, now)


async def upsert_by_phone(
    engine: Engine, organization_id: str, new: Sequence[Mapping[str, Any]], now: datetime
) -> list[UpsertedPerson]:
    """The people of these fields (at most 1,000), each found by its phone or made, in the given order.

    Of several with one phone it is the oldest; the given fields are set, the others stay, and its contacts follow. A
    row without a phone is a new person. Raises `BadSetting` (no such company).
    """
    done = await upsert_people.upsert_by_phone(engine.store, organization_id, new, source=engine.source, now=now)
    for each in done:
        _tell(engine, organization_id, each.changed)
    return done


async def get_person(engine: Engine, organization_id: str, reference: str) -> Person:
    """The organization's person of this id, else this external_id. Raises `NotFound`."""
    return await stored.get_person(engine.store, organization_id, reference)


async def people_of(engine: Engine, organization_id: str, references: Collection[str]) -> dict[str, Person]:
    """The people by those of the ids and external_ids that mean one; one question for any number of them."""
    return await stored.people_of(engine.store, organization_id, references)


async def find_by_phones(engine: Engine, organization_id: str, phones: Collection[str]) -> dict[str, Person]:
    """The oldest person with each of these phones (E.164), by compared form (`compared` of shared/domain/phone.py)."""
    return await stored.find_by_phones(engine.store, organization_id, phones)


async def list_people(
    engine: Engine, organization_id: str, which: PeopleFilter, *, cursor: str | None, limit: int
) -> Page[PersonWithCalls]:
    """The people that the filter leaves, newest first, with their calls. Raises `InvalidCursor`, `TemporaryError`."""
    page = await stored.list_people(engine.store, organization_id, which, cursor=cursor, limit=limit)
    return Page(await with_calls(engine, page.rows), page.next_cursor)


async def numbered_people(
    engine: Engine, organization_id: str, which: PeopleFilter, *, offset: int, limit: int
) -> NumberedPage[PersonWithCalls]:
    """The people as `list_people` has them, from the `offset`-th on, and how many there are."""
    page = await stored.numbered_people(engine.store, organization_id, which, offset=offset, limit=limit)
    return NumberedPage(await with_calls(engine, page.rows), page.total)


async def external_ids_of(engine: Engine, organization_id: str, ids: Collection[str]) -> dict[str, str | None]:
    """The external_ids (None: none) of the people among these ids; one question for any number of them."""
    return await stored.external_ids_of(engine.store, organization_id, ids)


async def people_ids(engine: Engine, organization_id: str, which: PeopleFilter, most: int) -> list[str]:
    """The ids of the people that the filter leaves, oldest first; one more than `most` where there are more."""
    return await stored.people_ids(engine.store, organization_id, which, most)


async def count_people(engine: Engine, organization_id: str, which: PeopleFilter) -> int:
    """The number of people that the filter leaves, at a cost that grows with it."""
    return await stored.count_people(engine.store, organization_id, which)


async def find_by_email(engine: Engine, organization_id: str, addresses: Collection[str]) -> set[str]:
    """Those of these e-mail addresses, folded, that people have."""
    found = await stored.find_by_keys(engine.store, organization_id, list(addresses))
    return {folded(person.email) for person in found if person.email is not None}


async def with_calls(engine: Engine, people: Sequence[Person]) -> list[PersonWithCalls]:
    """These people with their calls, in this order."""
    calls = await persons_calls.calls_of(engine.store, people)
    return [PersonWithCalls(person, calls.get(person.id, NO_CALLS)) for person in people]


async def person_with_history(
    engine: Engine, organization_id: str, reference: str, now: datetime, *, most_calls: int = MAX_CALLS
) -> PersonWithHistory:
    """A person with its newest calls and its campaigns. Raises `NotFound`."""
    [each] = await with_calls(engine, [await get_person(engine, organization_id, reference)])
    history = await persons_calls.history_of(engine.store, organization_id, each.person, now)
    return PersonWithHistory(each.person, each.calls, persons_calls.newest_calls(history, most_calls), history)


async def edit_person(
    engine: Engine,
    organization_id: str,
    reference: str,
    values: Mapping[str, Any],
    now: datetime,
    *,
    phone_is_unique: bool = False,
) -> Person:
    """The person with these fields changed; None clears one. Its contacts follow, a call under way does not.

    Raises `NotFound`, `BadSetting` (no such company), with `phone_is_unique` also `Conflict` (another person's phone).
    """
    changed = await following.edit_person(
        engine.store,
        organization_id,
        reference,
        values,
        source=engine.source,
        now=now,
        phone_is_unique=phone_is_unique,
    )
    _tell(engine, organization_id, changed)
    return await stored.get_person(engine.store, organization_id, changed.person.id)


async def delete_person(
    engine: Engine, organization_id: str, reference: str, now: datetime, *, unless_in: Collection[CampaignState] = ()
) -> Person:
    """Take a person out of the contact book; as it was. Contacts that wait end as skipped, calls and attempts stay.

    Raises `NotFound`, and `Conflict` where the person is in a campaign in one of the states `unless_in`.
    """
    changed = await following.delete_person(engine.store, organization_id, reference, now=now, unless_in=unless_in)
    _tell(engine, organization_id, changed)
    return changed.person


def _tell(engine: Engine, organization_id: str, changed: Changed | None) -> None:
    for campaign_id, shard in changed.campaigns if changed is not None else ():
        engine.hints.give(
            ContactsAdded(organization_id=organization_id, shard=shard, campaign_id=campaign_id, asked=True)
        )
