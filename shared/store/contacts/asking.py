"""Asking something of one contact: to call it back at a time, or what shall become of the callback that it waits for.

One transaction writes the wish, its row in `asks`, and, for a callback, one of the campaign's counters documents, so
that the campaign's completion at the same moment collides with it. A later wish replaces an earlier one.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import NOT_CALLED_BACK, CampaignUse, shown_state
from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.ids import callback_id, is_default_campaign
from shared.domain.known_words import known
from shared.domain.reasons import EndReason
from shared.domain.wishes import KEEPS_WAITING, WishKind, holds
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState
from shared.store.catalog.courses import COURSE_FIELDS, course_of
from shared.store.catalog.do_not_call import stopped_numbers
from shared.store.client import Document, Store
from shared.store.contacts.rows import NOT_DELETED
from shared.store.dialing.wished import asked_contact, wish_of
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of

# What is not written where it is not given.
_OPTIONAL: Final = ("notes", "outcome", "requested_at")
_AT_A_TIME: Final = frozenset({WishKind.CALLBACK, WishKind.AT, WishKind.NOW})


class AskedBefore(Exception):
    """What was asked of the contact before makes the callback that is meant, and is not carried out yet."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of a contact: `at` (UTC) the time that it shall be called at, else that of the request.

    `waiting` is the number of the waiting that is meant; None: whatever the contact waits for. `notes` None: as they
    are.
    """

    kind: WishKind
    at: datetime
    notes: str | None = None
    waiting: int | None = None


async def ask(store: Store, organization_id: str, contact_id: str, asking: Asking, now: datetime) -> Document:
    """The stored contact (complete) with what was asked of it.

    Raises `NotFound` (contact, campaign), `WrongState` (the campaign calls nobody back), `Conflict` (it is being
    called, the callback is over, or the contact may never be called again), `AskedBefore` (ask again in a moment).
    """

    async def work(session: AsyncClientSession) -> Document:
        stored = await store["contacts"].find_one(
            {"_id": contact_id, "organization_id": organization_id, **NOT_DELETED}, session=session
        )
        if stored is None:
            raise NotFound(Kind.CONTACT, contact_id)
        contact = contact_of(stored)
        await _require_campaign(store, session, contact, asking, now)
        _require_waiting(contact, asking)
        if asking.kind in _AT_A_TIME:
            await _require_callable(store, session, contact, asking.at)
        asked = await write_wish(store, session, contact, asking, now)
        wish = wish_of(asked)
        if wish is None or not holds(asked_contact(asked), wish):
            raise Conflict(Clash.CALLBACK_OVER, _meant(contact, asking))
        return asked

    return await store.in_transaction(work)


async def write_wish(
    store: Store, session: AsyncClientSession, contact: Document, asking: Asking, now: datetime
) -> Document:
    """The contact (complete) with the wish, written in a transaction in which the contact was read.

    A callback may be asked for in a call, too: it then holds for this attempt, and the scheduler looks for it when the
    call has ended. Whether the wish makes sense is the caller's to know.
    """
    lock, of_callback = contact["lock"], asking.kind is WishKind.CALLBACK
    wish: Document = {
        "id": str(uuid.uuid4()),
        "kind": asking.kind.value,
        "at": asking.at,
        "of": contact["last_attempt"] if lock is None else lock["attempt"],
        "notes": asking.notes,
        "outcome": await _last_outcome(store, session, contact) if asking.kind is WishKind.SKIP else None,
        "requested_at": now if of_callback else None,
    }
    given = {name: value for name, value in wish.items() if name not in _OPTIONAL or value is not None}
    this = {"_id": contact["_id"], "status": contact["status"]}
    await store["contacts"].update_one(this, {"$set": {"asked": given}}, session=session)
    row = {name: contact[name] for name in ("_id", "shard", "campaign_id")}
    await store["asks"].replace_one({"_id": contact["_id"]}, row, upsert=True, session=session)
    if of_callback:
        await _note_callback(store, session, contact)
    return {**contact, "asked": wish}


async def _require_campaign(
    store: Store, session: AsyncClientSession, contact: Document, asking: Asking, now: datetime
) -> None:
    campaign_id = contact["campaign_id"]
    if is_default_campaign(campaign_id):
        return
    campaign = await store["campaigns"].find_one(
        {"_id": campaign_id, "organization_id": contact["organization_id"]},
        dict.fromkeys(COURSE_FIELDS, 1),
        session=session,
    )
    if campaign is None:
        raise NotFound(Kind.CAMPAIGN, campaign_id)
    course = course_of(complete(CampaignDocument, campaign, COURSE_FIELDS))
    if course.deleted_at is not None:
        raise NotFound(Kind.CAMPAIGN, campaign_id)
    state = shown_state(course, now).state
    if state in NOT_CALLED_BACK:
        raise WrongState(Kind.CAMPAIGN, campaign_id, state, CampaignUse.CALL_BACK)
    if asking.kind in _AT_A_TIME and course.has_ended(asking.at):
        raise Conflict(Clash.ENDS_BEFORE, campaign_id)


def _require_waiting(contact: Document, asking: Asking) -> None:
    """Refuse what is asked of a contact that is being called, or of another waiting than the contact is shown in."""
    waiting, asked = contact["waiting"], contact["asked"]
    is_meant = asking.waiting in (None, waiting)
    if contact["status"] in ACTIVE and is_meant:
        raise Conflict(Clash.CALLBACK_UNDER_WAY, _meant(contact, asking))
    if asking.waiting is None:
        return
    if asked is not None and known(WishKind, asked["kind"]) not in KEEPS_WAITING:
        if asking.waiting == waiting + 1:
            raise AskedBefore
        raise Conflict(Clash.CALLBACK_OVER, _meant(contact, asking))
    if not is_meant or contact["status"] != ContactStatus.PENDING:
        raise Conflict(Clash.CALLBACK_OVER, _meant(contact, asking))


async def _require_callable(store: Store, session: AsyncClientSession, contact: Document, at: datetime) -> None:
    """Refuse a call of a contact that would end at once, or before the time that it is asked for."""
    if asked_contact(contact).told is EndReason.OPTED_OUT:
        raise Conflict(Clash.NEVER_CALLED_AGAIN, contact["_id"])
    numbers = contact["phone_numbers"]
    if contact["stopped"] is not None or not numbers:
        raise Conflict(Clash.NEVER_CALLED_AGAIN, contact["_id"])
    if (await stopped_numbers(store, contact["organization_id"], numbers, session)).issuperset(numbers):
        raise Conflict(Clash.NEVER_CALLED_AGAIN, contact["_id"])
    if contact["expires_at"] is not None and contact["expires_at"] <= at:
        raise Conflict(Clash.EXPIRES_BEFORE, contact["_id"])


async def _last_outcome(store: Store, session: AsyncClientSession, contact: Document) -> str | None:
    stored = await store["attempts"].find_one({"_id": contact["last_attempt"]}, session=session)
    if stored is None:
        return None
    outcome: str = complete(AttemptDocument, stored)["outcome"]
    return outcome


async def _note_callback(store: Store, session: AsyncClientSession, contact: Document) -> None:
    """Note that the campaign has been given work, and a requested callback: no other is searched for them."""
    await store["counters_in"].update_one(
        {"campaign_id": contact["campaign_id"]},
        {"$inc": {"wishes": 1}, "$set": {"prioritized": True}, "$currentDate": {"changed_at": True}},
        session=session,
    )


def _meant(contact: Document, asking: Asking) -> str:
    return contact["_id"] if asking.waiting is None else callback_id(contact["_id"], asking.waiting)
