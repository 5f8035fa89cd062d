"""Giving a contact another external_id, and filing contacts that do not stand under their derived id.

Two requests may want the same external_id at once, one by inserting a contact under the derived id and
one by renaming another contact to it. They must write a common document, or both would win: the derived
id itself, which the renaming side touches.
"""

from collections.abc import Mapping

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.errors import TemporaryError
from shared.store.client import Store
from shared.store.contacts.matching import ContactsOf, Known, look_up

_MAX_TRIES = 20


async def rename_contacts(store: Store, scope: ContactsOf, names: Mapping[str, str | None]) -> list[str]:
    """Give each contact (by id) its external_id; those already carrying it are left alone.

    Returns the ids of contacts whose new external_id belongs to another contact; they stay unchanged.
    """
    wanted = {contact_id: name for contact_id, name in names.items() if name is not None}
    known = await look_up(store, scope, ids=wanted, external_ids=())
    renamed = {
        contact_id: name
        for contact_id, name in wanted.items()
        if (contact := known.by_id(contact_id)) is not None and contact["external_id"] != name
    }
    return [contact_id for contact_id, name in renamed.items() if not await _rename(store, scope, contact_id, name)]


async def _rename(store: Store, scope: ContactsOf, contact_id: str, name: str) -> bool:
    async def work(session: AsyncClientSession) -> bool:
        known = await look_up(store, scope, ids=[contact_id], external_ids=[name], session=session)
        holder = known.by_external_id(name)
        if holder is not None:
            return bool(holder["_id"] == contact_id)
        derived = scope.derived_id(name)
        if derived != contact_id:
            await file_alias(store, known, derived, contact_id, session)
        await store["contacts"].update_one(
            {"_id": contact_id, "delete_requested": {"$ne": True}}, {"$set": {"external_id": name}}, session=session
        )
        return True

    for _ in range(_MAX_TRIES):
        try:
            return await store.in_transaction(work)
        except DuplicateKeyError:
            continue  # the derived id was taken since the transaction began: look again
    raise TemporaryError("Other requests keep taking the same external_id")


async def file_alias(store: Store, known: Known, derived: str, contact_id: str, session: AsyncClientSession) -> None:
    """File the contact under its derived id, in the caller's transaction, against all others that want it."""
    await _touch(store, known, derived, session)
    await store["external_ids"].replace_one(
        {"_id": derived}, {"_id": derived, "contact_id": contact_id}, upsert=True, session=session
    )


async def file_aliases(store: Store, known: Known, aliases: Mapping[str, str], session: AsyncClientSession) -> None:
    """`file_alias` for many contacts (by the ids that derive from their external_ids) in a few writes."""
    if not aliases:
        return
    contacts = store["contacts"]
    if taken := [derived for derived in aliases if derived in known.contacts]:
        await contacts.update_many({"_id": {"$in": taken}}, {"$inc": {"alias_generation": 1}}, session=session)
    if free := [derived for derived in aliases if derived not in known.contacts]:
        await contacts.insert_many([{"_id": derived} for derived in free], session=session)
        await contacts.delete_many({"_id": {"$in": free}}, session=session)
    rows = [
        ReplaceOne({"_id": derived}, {"_id": derived, "contact_id": contact_id}, upsert=True)
        for derived, contact_id in aliases.items()
    ]
    await store["external_ids"].bulk_write(rows, session=session)


async def _touch(store: Store, known: Known, derived: str, session: AsyncClientSession) -> None:
    """Collide with every transaction that inserts, renames or removes the contact under this id at the same time."""
    contacts = store["contacts"]
    if derived in known.contacts:
        await contacts.update_one({"_id": derived}, {"$inc": {"alias_generation": 1}}, session=session)
    else:
        await contacts.insert_one({"_id": derived}, session=session)
        await contacts.delete_one({"_id": derived}, session=session)
