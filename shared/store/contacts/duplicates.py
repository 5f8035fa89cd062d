"""Contacts of a campaign that have an upload's phones already. One query for a request, two if a phone is crowded.

The index leads to the organization's contacts with these numbers, of all its campaigns, and at most `LOOKED_AT` of
them are read. So with more of them some are not found. Nor are those that another request is storing at this moment.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.phone import compared, spellings
from shared.domain.reasons import EndReason
from shared.domain.shared_phones import COUNTED, PhoneHolder
from shared.store.client import Document, Store
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.rows import NOT_DELETED

# Five for each row of a full request: 20 ms at the most (docs/benchmarks.md).
LOOKED_AT: Final = 5_000
NOTHING_MORE: Final[Mapping[str, Any]] = MappingProxyType({})


async def contacts_with_phones(store: Store, scope: ContactsOf, phones: Iterable[str]) -> list[PhoneHolder]:
    """Living contacts of the campaign with one of these phones in any spelling; of a crowded phone only some.

    A phone with more contacts than are counted could hide all others, so the others are looked at once more.
    """
    numbers = {number for phone in phones for number in spellings(phone)}
    found = await _look(store, scope, numbers)
    times = Counter(number for contact in found for number in contact["phone_numbers"])
    crowded = {number for number in numbers if times[number] > COUNTED}
    if crowded and len(crowded) < len(numbers):
        found += await _look(store, scope, numbers - crowded)
    holders = (PhoneHolder.of(c["_id"], c["external_id"], c["phone_numbers"]) for c in found)
    return list({holder.contact_id: holder for holder in holders}.values())


async def held_phones(
    store: Store, scope: ContactsOf, phones: Iterable[str], session: AsyncClientSession
) -> dict[str, str]:
    """The campaign's contact of each of these phones that it has already, by the phone's compared form.

    One whose person was deleted from the contact book holds its phone no more.
    """
    numbers = {number for phone in phones for number in spellings(phone)}
    found = await _look(store, scope, numbers, session, {"stopped": {"$ne": EndReason.PERSON_DELETED.value}})
    return {compared(number): contact["_id"] for contact in found for number in contact["phone_numbers"]}


async def _look(
    store: Store,
    scope: ContactsOf,
    numbers: set[str],
    session: AsyncClientSession | None = None,
    more: Mapping[str, Any] = NOTHING_MORE,
) -> list[Document]:
    if not numbers:
        return []
    # The limit stands before the campaign, so that it bounds what is read and not what is answered.
    pipeline: list[Document] = [
        {"$match": {"organization_id": scope.organization_id, "phone_numbers": {"$in": sorted(numbers)}}},
        {"$limit": LOOKED_AT},
        {"$match": {"campaign_id": scope.campaign_id, **NOT_DELETED, **more}},
        {"$project": {"external_id": 1, "phone_numbers": 1}},
    ]
    cursor = await store["contacts"].aggregate(pipeline, session=session, hint="phones", batchSize=LOOKED_AT)
    return await cursor.to_list()
