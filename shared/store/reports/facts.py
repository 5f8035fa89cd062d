"""Facts that campaign-api and contact-ingest write: into `facts_in`, in the transaction that makes them true.

The scheduler that owns the organization's shard numbers them (shared/store/dialing/facts.py).
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.facts import Fact, is_wanted
from shared.store.client import Document, Store
from shared.store.documents.catalog import OrganizationDocument
from shared.store.documents.completing import complete

# Fields of a fact that are left out where it has none.
SUBJECTS = ("campaign_id", "contact_id", "attempt_id", "person_id", "callback_id")


async def tell(
    store: Store,
    session: AsyncClientSession,
    organization_id: str,
    facts: Sequence[Fact],
    *,
    fact_seq: int | None = None,
) -> None:
    """Write these facts of an organization in this transaction, but for those of types that it does not want.

    `fact_seq`, for what tells of a campaign's own course, is the campaign's `fact_seq` after the write that it tells
    of: these are numbered in its order, all others by their time.
    """
    if not facts:
        return
    fields = {"shard": 1, "fact_types": 1}
    found = await store["organizations"].find_one({"_id": organization_id}, fields, session=session)
    if found is None:
        return
    organization = complete(OrganizationDocument, found, fields)
    wanted = organization["fact_types"]
    documents = [
        _waiting(organization_id, organization["shard"], fact, fact_seq)
        for fact in facts
        if is_wanted(fact.type, wanted)
    ]
    if documents:
        await store["facts_in"].insert_many(documents, session=session)


def stored_fact(organization_id: str, fact: Fact) -> Document:
    """A fact as it is stored, without its number."""
    subjects = {name: value for name in SUBJECTS if (value := getattr(fact, name)) is not None}
    said: Mapping[str, Any] = {"facts": dict(fact.facts)} if fact.facts else {}
    return {"organization_id": organization_id, "type": fact.type, "at": fact.at, **subjects, **said}


def _waiting(organization_id: str, shard: int, fact: Fact, fact_seq: int | None) -> Document:
    document = {"_id": str(uuid.uuid4()), "shard": shard, **stored_fact(organization_id, fact)}
    return {"facts": {}, **document} if fact_seq is None else {"facts": {}, **document, "fact_seq": fact_seq}
