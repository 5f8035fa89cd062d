"""Contacts beside their calls: all of a campaign, oldest first, at a cost in memory that stays the same; or some."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.contact_input import OPTIONAL_FIELDS
from shared.domain.ids import is_default_campaign
from shared.store.client import Document, Store, translated, translates
from shared.store.contacts.rows import NOT_DELETED
from shared.store.documents.contacts import contact_of

# Each may have some hundred kilobytes of data.
AT_ONCE: Final = 100
_OLDEST_FIRST: Final = [("created_at", 1), ("seq", 1)]
FIELDS: Final = (
    "external_id",
    "phone_numbers",
    *OPTIONAL_FIELDS,
    "status",
    "ended_because",
    "attempts_made",
    "created_at",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class CalledContact:
    """A contact as calls show it. `person_id` None: it is nobody of the contact book."""

    id: str
    external_id: str | None
    data: Mapping[str, Any] | None
    initial_context: str | Mapping[str, Any] | None
    created_at: datetime
    person_id: str | None


@translates
async def called_contacts(store: Store, organization_id: str, ids: Collection[str]) -> dict[str, CalledContact]:
    """These contacts of an organization, by id; deleted ones are absent."""
    fields = ("external_id", "data", "initial_context", "created_at", "person_id")
    query = {"_id": {"$in": list(ids)}, "organization_id": organization_id}
    found = store["contacts"].find(query, dict.fromkeys(fields, 1))
    rows = [contact_of(stored, frozenset(fields)) async for stored in found]
    return {row["_id"]: CalledContact(row["_id"], **{name: row[name] for name in fields}) for row in rows}


async def contacts(store: Store, organization_id: str, campaign_id: str) -> AsyncIterator[list[Mapping[str, Any]]]:
    """Some contacts at a time, each with `id`, `campaign_id` (None: of no campaign) and these FIELDS.

    Contacts that are added meanwhile may be left out.
    """
    mine: Document = {"campaign_id": campaign_id, "organization_id": organization_id, **NOT_DELETED}
    place: tuple[datetime, int] | None = None
    seen: set[str] = set()
    while True:
        where = dict(mine)
        if place is not None:
            later: list[Document] = [{"created_at": {"$gt": place[0]}}]
            where["created_at"] = {"$gte": place[0]}
            where["$or"] = [*later, {"created_at": place[0], "seq": {"$gte": place[1]}}]
        async with translated():
            found = store["contacts"].find(where, hint="listing").sort(_OLDEST_FIRST).limit(AT_ONCE + len(seen))
            some = [contact_of(stored) async for stored in found]
        fresh = [contact for contact in some if contact["_id"] not in seen]
        if fresh:
            yield [_row(contact) for contact in fresh]
        if not fresh:
            return
        last = fresh[-1]["created_at"], fresh[-1]["seq"]
        # Of one place several contacts may be: those that were given out already are passed over.
        here = {contact["_id"] for contact in some if (contact["created_at"], contact["seq"]) == last}
        seen = here | (seen if last == place else set())
        place = last


def _row(contact: Document) -> Document:
    campaign_id = None if is_default_campaign(contact["campaign_id"]) else contact["campaign_id"]
    return {"id": contact["_id"], "campaign_id": campaign_id, **{name: contact[name] for name in FIELDS}}
