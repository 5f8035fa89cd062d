"""The stored contact that a row means: by `id`, else by `external_id` in its campaign, else none yet.

A contact's `_id` is derived from campaign and external_id, so that no second unique index is needed.
The few contacts for which that cannot hold (renamed, or the derived id is taken by one that was renamed
away or is being deleted) stand in `external_ids`, filed under the derived id. Either entry counts only
if the contact it leads to still carries that external_id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact_input import ContactRow, is_uuid
from shared.domain.ids import contact_id_of
from shared.errors import Kind, NotFound
from shared.store.client import Document, Store
from shared.store.documents.contacts import contact_of

_FIELDS: Final = {"organization_id": 1, "campaign_id": 1, "external_id": 1, "timezone": 1, "delete_requested": 1}


@dataclass(frozen=True, slots=True)
class ContactsOf:
    """Where contacts belong: `campaign_id` in its stored form (see shared/domain/ids.py)."""

    organization_id: str
    shard: int
    campaign_id: str

    def derived_id(self, external_id: str) -> str:
        """The id that a contact with this external_id is first tried under."""
        return contact_id_of(self.organization_id, self.campaign_id, external_id)

    def holds(self, contact: Document | None) -> bool:
        """Whether the document is one of these contacts and not asked to be deleted."""
        return (
            contact is not None
            and contact["campaign_id"] == self.campaign_id
            and contact["organization_id"] == self.organization_id
            and not contact["delete_requested"]
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What MongoDB holds about some ids and external ids at one moment."""

    scope: ContactsOf
    contacts: dict[str, Document]
    aliases: dict[str, str]

    def by_id(self, contact_id: str | None) -> Document | None:
        """The living contact of this campaign with that id."""
        contact = self.contacts.get(contact_id) if contact_id is not None else None
        return contact if self.scope.holds(contact) else None

    def by_external_id(self, external_id: str | None) -> Document | None:
        """The living contact of this campaign with that external_id."""
        if external_id is None:
            return None
        derived = self.scope.derived_id(external_id)
        for contact_id in (derived, self.aliases.get(derived)):
            contact = self.by_id(contact_id)
            if contact is not None and contact["external_id"] == external_id:
                return contact
        return None

    def is_free(self, derived: str) -> bool:
        """Whether a new contact may be stored under its derived id."""
        return derived not in self.contacts and derived not in self.aliases


async def look_up(
    store: Store,
    scope: ContactsOf,
    *,
    ids: Iterable[str],
    external_ids: Iterable[str],
    session: AsyncClientSession | None = None,
) -> Known:
    """Read everything that the ids and external ids may mean; two or three queries whatever their number."""
    derived = [scope.derived_id(external_id) for external_id in external_ids]
    contacts = await _contacts(store, [*ids, *derived], session)
    aliases = await _aliases(store, derived, session)
    elsewhere = [contact_id for contact_id in aliases.values() if contact_id not in contacts]
    contacts |= await _contacts(store, elsewhere, session)
    return Known(scope, contacts, aliases)


async def look_up_rows(
    store: Store,
    scope: ContactsOf,
    rows: Sequence[ContactRow],
    session: AsyncClientSession | None = None,
    *,
    also: Sequence[str] = (),
) -> Known:
    """`look_up` for the rows of a request, and `also` these ids."""
    return await look_up(
        store,
        scope,
        ids=[*(row.id for row in rows if row.id is not None), *also],
        external_ids=[row.external_id for row in rows if row.external_id is not None],
        session=session,
    )


async def look_up_new(
    store: Store, scope: ContactsOf, rows: Sequence[ContactRow], before: Known, session: AsyncClientSession
) -> Known:
    """`look_up_rows` in the transaction that inserts rows which `before`, read earlier, has not found.

    Where all of their derived ids were free, contacts need not be read again: a contact that was stored since makes the
    insert fail. Only an alias does not, for which its writer leaves nothing behind under the derived id.
    """
    derived = [scope.derived_id(row.external_id) for row in rows if row.external_id is not None]
    if all(map(before.is_free, derived)) and not await _aliases(store, derived, session):
        return Known(scope, {}, {})
    return await look_up_rows(store, scope, rows, session)


async def resolve(store: Store, organization_id: str, campaign_id: str, id_or_external_id: str) -> str:
    """The id of the campaign's (stored form) contact with this id, else this external_id. Raises `NotFound`."""
    # Only the campaign matters for finding; the shard is for those who insert.
    scope = ContactsOf(organization_id, 0, campaign_id)
    try:
        id_or_external_id.encode()
    except UnicodeEncodeError as error:
        raise NotFound(Kind.CONTACT, id_or_external_id) from error
    ids = [id_or_external_id.lower()] if is_uuid(id_or_external_id) else []
    known = await look_up(store, scope, ids=ids, external_ids=[id_or_external_id])
    contact = known.by_id(ids[0] if ids else None) or known.by_external_id(id_or_external_id)
    if contact is None:
        raise NotFound(Kind.CONTACT, id_or_external_id)
    contact_id: str = contact["_id"]
    return contact_id


async def _aliases(store: Store, derived: list[str], session: AsyncClientSession | None) -> dict[str, str]:
    if not derived:
        return {}
    found = store["external_ids"].find({"_id": {"$in": derived}}, session=session)
    return {alias["_id"]: alias["contact_id"] async for alias in found}


async def _contacts(store: Store, ids: list[str], session: AsyncClientSession | None) -> dict[str, Document]:
    if not ids:
        return {}
    found = store["contacts"].find({"_id": {"$in": ids}}, _FIELDS, session=session)
    return {contact["_id"]: contact_of(contact, frozenset(_FIELDS)) async for contact in found}
