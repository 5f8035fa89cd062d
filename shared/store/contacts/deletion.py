"""Asking that a contact be deleted; the scheduler removes the document."""

from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ACTIVE
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.catalog.organizations import touch
from shared.store.client import Store, translates
from shared.store.contacts.matching import resolve
from shared.store.contacts.rows import NOT_DELETED
from shared.store.dialing.deletions import note_deletion


@translates
async def request_deletion(
    store: Store, organization_id: str, campaign_id: str, id_or_external_id: str, *, now: datetime
) -> str:
    """Ask that a contact be deleted: from now on it is gone for everybody. Its id.

    The scheduler removes the document. Raises `NotFound`, and `Conflict` while the contact is being
    called (locked or in progress).
    """
    contact_id = await resolve(store, organization_id, campaign_id, id_or_external_id)
    resting = {"_id": contact_id, "status": {"$nin": sorted(ACTIVE)}, **NOT_DELETED}

    async def mark(session: AsyncClientSession) -> bool:
        marked = await store["contacts"].find_one_and_update(
            resting,
            {"$set": {"delete_requested": True, "updated_at": now}},
            {"shard": 1, "campaign_id": 1},
            session=session,
        )
        if marked is not None:
            await note_deletion(store, session, marked)
        return marked is not None

    if await store.in_transaction(mark):
        await touch(store, organization_id)
        return contact_id
    if await store["contacts"].find_one({"_id": contact_id, **NOT_DELETED}, {"_id": 1}) is None:
        raise NotFound(Kind.CONTACT, id_or_external_id)
    raise Conflict(Clash.CONTACT_BEING_CALLED, id_or_external_id)
