"""People made in bulk, and found by their phone or made: one person for each phone, whoever sends it at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.person import Person
from shared.domain.phone import compared
from shared.store.catalog import people as catalog
from shared.store.catalog.people import NewPerson, find_by_phones, take_phones
from shared.store.client import Store
from shared.store.contacts.following import Changed, edit_person


@dataclass(frozen=True, slots=True)
class UpsertedPerson:
    """A person that was made (`changed` None), or found by its phone and changed."""

    person: Person
    changed: Changed | None

    @property
    def is_new(self) -> bool:
        """Whether the person was made."""
        return self.changed is None


async def create_people(store: Store, organization_id: str, new: Sequence[NewPerson], now: datetime) -> list[Person]:
    """New people, at most 1,000, all or none. Raises as `create_people` of shared/store/catalog/people.py."""

    async def work(session: AsyncClientSession) -> list[Person]:
        return await catalog.create_people(store, organization_id, new, now, session)

    return await store.in_transaction(work)


async def upsert_by_phone(
    store: Store, organization_id: str, rows: Sequence[Mapping[str, Any]], *, source: str, now: datetime
) -> list[UpsertedPerson]:
    """Each row's person in the given order, found by its `phone` or made. Safe to repeat, but for rows without phone.

    A phone that stands twice is one person, with what the later row gives. Raises `BadSetting` (no such company).
    """
    folded: dict[str, dict[str, Any]] = {}
    for place, row in enumerate(rows):
        key = _key(place, row)
        folded[key] = {**folded.get(key, {}), **row}
    phones = [key for key in folded if key.startswith("+")]

    async def work(session: AsyncClientSession) -> tuple[dict[str, Person], dict[str, Person]]:
        known = await find_by_phones(store, organization_id, phones, session)
        missing = [key for key in folded if key not in known]
        if any(key in phones for key in missing):
            await take_phones(store, organization_id, session)
        made = await catalog.create_people(
            store, organization_id, [NewPerson(folded[key]) for key in missing], now, session
        )
        return known, dict(zip(missing, made, strict=True))

    known, made = await store.in_transaction(work)
    done = {key: UpsertedPerson(person, None) for key, person in made.items()}
    for key, person in known.items():
        values = {name: value for name, value in folded[key].items() if name != "phone"}
        changed = Changed(person)
        if any(_differs(person, name, value) for name, value in values.items()):
            changed = await edit_person(store, organization_id, person.id, values, source=source, now=now)
        done[key] = UpsertedPerson(changed.person, changed)
    return [done[_key(place, row)] for place, row in enumerate(rows)]


def _key(place: int, row: Mapping[str, Any]) -> str:
    """By what rows are one person: the phone in its compared form, or the row's own place."""
    phone = row.get("phone")
    return compared(phone) if phone is not None else str(place)


def _differs(person: Person, name: str, value: Any) -> bool:
    is_now = getattr(person, name)
    return bool(is_now != (tuple(value) if name == "tags" and value is not None else value))
