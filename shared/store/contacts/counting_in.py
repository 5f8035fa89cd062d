"""Counting contacts in: each process adds to a document of its own, so that processes do not collide.

The completion of a campaign writes all these documents (shared/store/dialing/completion.py). Whoever gives a campaign
work writes one of them in the same transaction, so of a completion and new work at once one sees the other. A new
document would be unknown to a completion under way: it is made in a transaction that writes the campaign, as the
completion does.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ContactStatus
from shared.domain.ids import counter_id, is_default_campaign
from shared.domain.reasons import EndReason
from shared.errors import TemporaryError
from shared.store.client import Document, Store
from shared.store.contacts.matching import ContactsOf

# What is noted of a campaign once one of its contacts has a value of this field.
_MARKS: Final = MappingProxyType({"prioritized": "priority", "own_numbers": "agent_number"})


def needs_noting(changed: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the scheduler has to hear (`count_in`) of any of these fields before contacts have them."""
    return any("timezone" in fields or any(fields.get(name) for name in _MARKS.values()) for fields in changed)


async def register_source(store: Store, scope: ContactsOf, source: str) -> None:
    """Make the document in which a source counts a campaign's contacts, if it is not there. Safe to repeat.

    Contacts of no campaign need none: nothing completes what they are filed under.
    """
    key = counter_id(scope.campaign_id, source)
    if is_default_campaign(scope.campaign_id) or await store["counters_in"].find_one({"_id": key}, {"_id": 1}):
        return

    async def work(session: AsyncClientSession) -> None:
        # First, because whoever registers the same source, or completes the campaign, collides here.
        await store["campaigns"].update_one({"_id": scope.campaign_id}, {"$inc": {"sources": 1}}, session=session)
        empty = {"added": 0, "added_skipped": 0, "zones": []}
        await store["counters_in"].update_one(
            {"_id": key},
            {"$setOnInsert": {**_belonging(scope), **empty}, "$currentDate": {"changed_at": True}},
            upsert=True,
            session=session,
        )

    await store.in_transaction(work)


def turn_of(scope: ContactsOf, source: str) -> str:
    """The turn (`Store.in_transaction`) of transactions that count new contacts of one campaign in."""
    return f"counted in {counter_id(scope.campaign_id, source)}"


async def count_in(
    store: Store,
    scope: ContactsOf,
    source: str,
    *,
    documents: Sequence[Document] = (),
    changed: Sequence[Mapping[str, Any]] = (),
    session: AsyncClientSession | None = None,
) -> None:
    """Count new contacts, and note timezones, priorities and own caller numbers, which the scheduler has to hear of.

    `changed`: fields that others are given. The source must be registered: `TemporaryError` otherwise.
    """
    pending = sum(document["status"] == ContactStatus.PENDING for document in documents)
    given = [*documents, *changed]
    all_zones = {fields["timezone"] for fields in given if "timezone" in fields}
    update: Document = {
        "$inc": {"added": pending, "added_skipped": len(documents) - pending},
        "$addToSet": {"zones": {"$each": list(all_zones)}},
        "$currentDate": {"changed_at": True},
        "$setOnInsert": _belonging(scope),
    }
    without_number = sum(document["ended_because"] == EndReason.NO_PHONE for document in documents)
    if without_number:
        update["$inc"]["added_no_phone"] = without_number
    noted = {mark: True for mark, name in _MARKS.items() if any(fields.get(name) for fields in given)}
    if noted:
        update["$set"] = noted
    of_no_campaign = is_default_campaign(scope.campaign_id)
    counted = await store["counters_in"].update_one(
        {"_id": counter_id(scope.campaign_id, source)}, update, upsert=of_no_campaign, session=session
    )
    if not counted.matched_count and not of_no_campaign:
        raise TemporaryError(f"source {source} of campaign {scope.campaign_id} is not registered")


async def count_wishes(store: Store, campaign_ids: Iterable[str], session: AsyncClientSession) -> None:
    """Note in the transaction of wishes that these campaigns have been given work."""
    for campaign_id in sorted(set(campaign_ids)):
        if not is_default_campaign(campaign_id):
            await store["counters_in"].update_one(
                {"campaign_id": campaign_id}, {"$inc": {"wishes": 1}}, session=session
            )


def _belonging(scope: ContactsOf) -> Document:
    return {"campaign_id": scope.campaign_id, "organization_id": scope.organization_id, "shard": scope.shard}
