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
from shared.store.contacts.following import Changed, edit_in, edit_person, ready_to_edit


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
    folded = _by_phone(rows)
    await ready_to_upsert(store, organization_id, rows, source)

    async def work(session: AsyncClientSession) -> tuple[dict[str, Person], dict[str, Person]]:
        return await _found_or_made(store, session, organization_id, folded, now)

    known, made = await store.in_transaction(work)
    done = {key: UpsertedPerson(person, None) for key, person in made.items()}
    for key, person in known.items():
        changed, values = Changed(person), _changes(person, folded[key])
        if values:
            changed = await edit_person(store, organization_id, person.id, values, source=source, now=now)
        done[key] = UpsertedPerson(changed.person, changed)
    return [done[_key(place, row)] for place, row in enumerate(rows)]


async def ready_to_upsert(store: Store, organization_id: str, rows: Sequence[Mapping[str, Any]], source: str) -> None:
    """Before the transaction of `upsert_in`: register this process with campaigns whose contacts get a timezone."""
    zoned = [row["phone"] for row in rows if "timezone" in row and row.get("phone") is not None]
    if zoned:
        known = await find_by_phones(store, organization_id, zoned)
        await ready_to_edit(store, organization_id, list(known.values()), {"timezone"}, source)


async def upsert_in(
    store: Store,
    session: AsyncClientSession,
    organization_id: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    source: str,
    now: datetime,
) -> list[UpsertedPerson]:
    """`upsert_by_phone` in the caller's transaction, for which `ready_to_upsert` has made ready: all or nothing."""
    folded = _by_phone(rows)
    known, made = await _found_or_made(store, session, organization_id, folded, now)
    done = {key: UpsertedPerson(person, None) for key, person in made.items()}
    for key, person in known.items():
        changed, values = Changed(person), _changes(person, folded[key])
        if values:
            changed = await edit_in(store, session, organization_id, person.id, values, source=source, now=now)
        done[key] = UpsertedPerson(changed.person, changed)
    return [done[_key(place, row)] for place, row in enumerate(rows)]


def _by_phone(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows, those of one phone as one, with what the later gives."""
    folded: dict[str, dict[str, Any]] = {}
    for place, row in enumerate(rows):
        key = _key(place, row)
        folded[key] = {**folded.get(key, {}), **row}
    return folded


async def _found_or_made(
    store: Store,
    session: AsyncClientSession,
    organization_id: str,
    rows: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> tuple[dict[str, Person], dict[str, Person]]:
    phones = [key for key in rows if key.startswith("+")]
    known = await find_by_phones(store, organization_id, phones, session)
    missing = [key for key in rows if key not in known]
    if any(key in phones for key in missing):
        await take_phones(store, organization_id, session)
    new = [NewPerson(rows[key]) for key in missing]
    made = await catalog.create_people(store, organization_id, new, now, session)
    return known, dict(zip(missing, made, strict=True))


def _changes(person: Person, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "phone" and _differs(person, name, value)}


def _key(place: int, row: Mapping[str, Any]) -> str:
    """By what rows are one person: the phone in its compared form, or the row's own place."""
    phone = row.get("phone")
    return compared(phone) if phone is not None else str(place)


def _differs(person: Person, name: str, value: Any) -> bool:
    is_now = getattr(person, name)
    return bool(is_now != (tuple(value) if name == "tags" and value is not None else value))
