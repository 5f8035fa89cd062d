"""Contacts that are stored as skipped, because they may not be called: told of in the transaction that stores them."""

from collections.abc import Sequence
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ContactStatus
from shared.domain.facts import Fact, FactType
from shared.store.catalog.facts import tell
from shared.store.client import Document, Store


async def tell_of_skipped(
    store: Store, session: AsyncClientSession, organization_id: str, documents: Sequence[Document], now: datetime
) -> None:
    """Tell of those of these new contacts that have ended as they were stored; without any, nothing is read."""
    skipped = [document for document in documents if document["status"] == ContactStatus.SKIPPED]
    await tell(store, session, organization_id, [_fact(document, now) for document in skipped])


def _fact(contact: Document, now: datetime) -> Fact:
    said = {
        "external_id": contact["external_id"],
        "status": contact["status"],
        "attempts_made": 0,
        "called_again": False,
        "reason": contact["ended_because"],
    }
    return Fact(
        type=FactType.CONTACT_SKIPPED,
        at=now,
        campaign_id=contact["campaign_id"],
        contact_id=contact["_id"],
        person_id=contact.get("person_id"),
        facts={name: value for name, value in said.items() if value is not None},
    )
