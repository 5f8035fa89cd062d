"""Things that are referred to by our id, else by the customer's external_id."""

from collections.abc import Collection
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.contact_input import is_uuid
from shared.errors import Kind, NotFound
from shared.store.client import Document, Store

_COLLECTIONS: Final = {Kind.COMPANY: "companies", Kind.PERSON: "people"}


async def referred_to(
    store: Store, organization_id: str, kind: Kind, reference: str, session: AsyncClientSession | None = None
) -> Document:
    """The stored thing of this id, else this external_id, as it is stored. Raises `NotFound`."""
    found = await all_referred_to(store, organization_id, kind, [reference], session)
    if reference not in found:
        raise NotFound(kind, reference)
    return found[reference]


async def all_referred_to(
    store: Store,
    organization_id: str,
    kind: Kind,
    references: Collection[str],
    session: AsyncClientSession | None = None,
) -> dict[str, Document]:
    """The stored things by the references among these that mean one; one question for any number of them."""
    ids = {reference: reference.lower() for reference in references if is_uuid(reference)}
    named: list[Document] = [{"_id": {"$in": list(ids.values())}}, {"external_id": {"$in": list(references)}}]
    query = {"organization_id": organization_id, "$or": named}
    stored = await store[_COLLECTIONS[kind]].find(query, session=session).to_list()
    by_id = {document["_id"]: document for document in stored}
    by_external_id = {document["external_id"]: document for document in stored if "external_id" in document}
    means = {reference: by_id.get(ids.get(reference, "")) or by_external_id.get(reference) for reference in references}
    return {reference: document for reference, document in means.items() if document is not None}


def is_external_id(error: DuplicateKeyError) -> bool:
    """Whether a key that is taken is an external_id."""
    details: Any = error.details or {}
    return "external_id" in details.get("keyPattern", {})
