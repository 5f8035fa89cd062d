"""Results of calls as voice agents report them: kept, merged, and what follows from them, in one transaction.

A call is an attempt that has ended, or the one that a contact is on; a report may come before or after the carrier's.
The same report again writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.call_results import CallResult, ResultRemark, following, is_too_large, merged, told_of_result
from shared.domain.callbacks import MAX_AHEAD, PAST_ALLOWED
from shared.domain.campaign import OVER, shown_state
from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.dialing import dialed_number
from shared.domain.facts import Fact, FactType
from shared.domain.ids import conversation_id_of, is_default_campaign
from shared.domain.json_rules import MAX_JSON_BYTES
from shared.domain.reasons import EndReason
from shared.domain.wishes import WishKind
from shared.errors import BadSetting, Flaw, Kind, NotFound
from shared.store.catalog.courses import COURSE_FIELDS, course_of
from shared.store.catalog.do_not_call import list_from_call, stopped_numbers
from shared.store.catalog.facts import tell
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.contacts.asking import Asking, write_wish
from shared.store.dialing.call_facts import OF_CALL, said_of_lock
from shared.store.dialing.context import is_opt_out_untold
from shared.store.dialing.persons_contacts import flag_opted_out
from shared.store.dialing.wished import asked_contact
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of
from shared.store.reports.agent_results import result_from

# Fields of a stored result that no report has.
_OURS: Final = ("_id", "organization_id", "contact_id", "created_at", "updated_at", "remarks")


@dataclass(frozen=True, slots=True)
class ReportedCall:
    """A call: its attempt, and the contact that it was made to."""

    attempt_id: str
    contact_id: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A call's result after a report of it, and the contact's campaign as it is stored.

    None: the contact is gone. `asks`: the scheduler has something to carry out for the contact; `listed`: numbers have
    come onto the do-not-call list; `shard` is the organization's, where one of these is so.
    """

    call: ReportedCall
    result: CallResult
    campaign_id: str | None = None
    shard: int | None = None
    asks: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """A call as a transaction sees it; `contact` is None when it is deleted, `number` when it was never known.

    `facts` is what is told of the call in every fact of it.
    """

    contact: Document | None
    number: str | None
    campaign_id: str | None
    facts: Document


@translates
async def find_call(store: Store, organization_id: str, reference: str) -> ReportedCall:
    """The call of an attempt, or of a conversation, by its id. Raises `NotFound`."""
    # Once more at the end: it may have ended between the two looks.
    for look in (_ended_call, _live_call, _ended_call):
        call = await look(store, organization_id, reference)
        if call is not None:
            return call
    raise NotFound(Kind.ATTEMPT, reference)


async def _ended_call(store: Store, organization_id: str, reference: str) -> ReportedCall | None:
    for key in ("_id", "conversation_id"):
        query = {key: reference, "organization_id": organization_id}
        attempt = await store["attempts"].find_one(query, {"contact_id": 1})
        if attempt is not None:
            return ReportedCall(attempt["_id"], attempt["contact_id"])
    return None


async def _live_call(store: Store, organization_id: str, reference: str) -> ReportedCall | None:
    """Among the organization's live calls, of which there are as many as its limit at most."""
    query: Document = {"organization_id": organization_id, "lock.phone": {"$exists": True}}
    query["status"] = ContactStatus.IN_PROGRESS
    async for contact in store["contacts"].find(query, {"lock.attempt": 1}, hint="live_phone"):
        attempt_id = contact["lock"]["attempt"]
        if reference in (attempt_id, conversation_id_of(attempt_id)):
            return ReportedCall(attempt_id, contact["_id"])
    return None


async def record_result(
    store: Store, organization_id: str, call: ReportedCall, given: Mapping[str, Any], now: datetime
) -> Reported:
    """The call's result with these fields (stored form) merged into it, and what follows from them.

    Raises `NotFound` for a call that there is none of (any more), and `BadSetting` for a callback that is past or more
    than a year ahead, or for more extracted data than is kept; nothing is written then.
    """

    async def work(session: AsyncClientSession) -> Reported:
        found = await _call(store, session, organization_id, call)
        stored = await store["call_results"].find_one({"_id": call.attempt_id}, session=session)
        before = {name: value for name, value in (stored or {}).items() if name not in _OURS}
        after = merged(before, given)
        campaign_id = None if found.contact is None else found.contact["campaign_id"]
        if stored is not None and after == before:
            return Reported(call, result_from(stored), campaign_id)
        _require_sound(before, after, now)
        follows = following(before, after)
        remarks: list[str] = list((stored or {}).get("remarks", ()))
        asks = False
        if follows.call_back_at is not None:
            remark = await _call_back(store, session, found, call, follows.call_back_at, after, now)
            asks, remarks = remark is None, [] if remark is None else [remark.value]
        if follows.opts_out:
            asks = await _opt_out(store, session, organization_id, found, now)
            remarks = [ResultRemark.OPTED_OUT.value] if after.get("callback_at") is not None else []
        document = {**after, "_id": call.attempt_id, "organization_id": organization_id, "contact_id": call.contact_id}
        document |= {"created_at": (stored or {}).get("created_at", now), "updated_at": now}
        document |= {"remarks": remarks} if remarks else {}
        await store["call_results"].replace_one({"_id": call.attempt_id}, document, upsert=True, session=session)
        await tell(store, session, organization_id, [_fact(found, call, after, now)])
        shard = found.contact["shard"] if found.contact is not None else None
        if follows.opts_out:
            shard = await touch(store, organization_id, session)
        return Reported(call, result_from(document), campaign_id, shard, asks, listed=follows.opts_out)

    return await store.in_transaction(work)


@translates
async def read_result(store: Store, organization_id: str, call: ReportedCall) -> CallResult:
    """What was reported of a call, its transcript included. Raises `NotFound` where nothing was."""
    stored = await store["call_results"].find_one({"_id": call.attempt_id, "organization_id": organization_id})
    if stored is None:
        raise NotFound(Kind.CALL_RESULT, call.attempt_id)
    return result_from(stored)


async def _call(store: Store, session: AsyncClientSession, organization_id: str, call: ReportedCall) -> _Call:
    of_organization = {"organization_id": organization_id}
    attempt = await store["attempts"].find_one({"_id": call.attempt_id, **of_organization}, session=session)
    found = await store["contacts"].find_one({"_id": call.contact_id, **of_organization}, session=session)
    contact = None if found is None else contact_of(found)
    stays = contact if contact is not None and not contact["delete_requested"] else None
    if attempt is not None:
        ended = complete(AttemptDocument, attempt)
        # One that was deleted and added again has the same id, and nothing to do with its former life's calls.
        is_same = stays is not None and ended["contact_created_at"] in (None, stays["created_at"])
        said = {name: ended[name] for name in OF_CALL if ended[name] is not None}
        return _Call(stays if is_same else None, ended["phone_number"], ended["campaign_id"], said)
    lock = None if contact is None else contact["lock"]
    if contact is None or lock is None or lock["attempt"] != call.attempt_id or contact["start"] is None:
        raise NotFound(Kind.ATTEMPT, call.attempt_id)
    return _Call(stays, dialed_number(lock), contact["campaign_id"], said_of_lock(lock))


def _fact(found: _Call, call: ReportedCall, after: Mapping[str, Any], now: datetime) -> Fact:
    contact = found.contact
    external_id = None if contact is None else contact["external_id"]
    named = {} if external_id is None else {"external_id": external_id}
    said = {"conversation_id": conversation_id_of(call.attempt_id), **named, **found.facts, **told_of_result(after)}
    return Fact(
        type=FactType.CALL_RESULT,
        at=now,
        campaign_id=found.campaign_id,
        contact_id=call.contact_id,
        attempt_id=call.attempt_id,
        person_id=None if contact is None else contact["person_id"],
        facts=said,
    )


def _require_sound(before: Mapping[str, Any], after: Mapping[str, Any], now: datetime) -> None:
    if after.get("extracted") != before.get("extracted") and is_too_large(after):
        raise BadSetting(Flaw.TOO_MUCH_EXTRACTED, ("extracted",), str(MAX_JSON_BYTES))
    at = after.get("callback_at")
    if at is None or at == before.get("callback_at"):
        return
    if at < now - PAST_ALLOWED:
        raise BadSetting(Flaw.TIME_PAST, ("callback_at",), at.isoformat())
    if at > now + MAX_AHEAD:
        raise BadSetting(Flaw.TIME_FAR_AHEAD, ("callback_at",), at.isoformat())


async def _call_back(
    store: Store,
    session: AsyncClientSession,
    found: _Call,
    call: ReportedCall,
    at: datetime,
    after: Mapping[str, Any],
    now: datetime,
) -> ResultRemark | None:
    """Ask for the callback, or say why it does not come."""
    remark = await _against_callback(store, session, found, call, at, after, now)
    if remark is None and found.contact is not None:
        await write_wish(store, session, found.contact, Asking(WishKind.CALLBACK, at, after.get("notes")), now)
    return remark


async def _against_callback(
    store: Store,
    session: AsyncClientSession,
    found: _Call,
    call: ReportedCall,
    at: datetime,
    after: Mapping[str, Any],
    now: datetime,
) -> ResultRemark | None:
    contact = found.contact
    if contact is None:
        return ResultRemark.CONTACT_DELETED
    if after.get("opt_out") or asked_contact(contact).told is EndReason.OPTED_OUT:
        return ResultRemark.OPTED_OUT
    lock = contact["lock"] if contact["status"] in ACTIVE else None
    if (contact["last_attempt"] if lock is None else lock["attempt"]) != call.attempt_id:
        return ResultRemark.CALLED_SINCE
    numbers = contact["phone_numbers"]
    if (await stopped_numbers(store, contact["organization_id"], numbers, session)).issuperset(numbers):
        return ResultRemark.DO_NOT_CALL
    if contact["expires_at"] is not None and contact["expires_at"] <= at:
        return ResultRemark.EXPIRES_BEFORE
    return await _against_campaign(store, session, contact, at, now)


async def _against_campaign(
    store: Store, session: AsyncClientSession, contact: Document, at: datetime, now: datetime
) -> ResultRemark | None:
    """Nothing where the run is completed: the scheduler that carries the callback out opens it again."""
    if is_default_campaign(contact["campaign_id"]):
        return None
    query = {"_id": contact["campaign_id"], "organization_id": contact["organization_id"]}
    stored = await store["campaigns"].find_one(query, dict.fromkeys(COURSE_FIELDS, 1), session=session)
    if stored is None:
        return ResultRemark.CAMPAIGN_OVER
    course = course_of(complete(CampaignDocument, stored, COURSE_FIELDS))
    if course.is_over or shown_state(course, now).state in OVER:
        return ResultRemark.CAMPAIGN_OVER
    return ResultRemark.CAMPAIGN_ENDS_BEFORE if course.has_ended(at) else None


async def _opt_out(
    store: Store, session: AsyncClientSession, organization_id: str, found: _Call, now: datetime
) -> bool:
    """Have the person never called again: all numbers onto the list; whether the scheduler has to end the contact.

    The flag holds from now on, that of a person of the contact book for all its contacts. What else was asked of the
    contact is over; its row in `asks` lets the scheduler find it, which counts the opt-out.
    """
    contact = found.contact
    numbers = dict.fromkeys(() if contact is None else contact["phone_numbers"])
    numbers |= dict.fromkeys(() if found.number is None else (found.number,))
    await list_from_call(store, session, organization_id, list(numbers), now)
    if contact is None:
        return False
    if contact["person_id"] is not None:
        person = await flag_opted_out(store, session, organization_id, contact["person_id"], now)
        await tell(store, session, organization_id, person.facts)
    flagged = {"$set": {"opted_out": True}, "$unset": {"asked": ""}}
    await store["contacts"].update_one({"_id": contact["_id"]}, flagged, session=session)
    if not is_opt_out_untold({**contact, "opted_out": True}):
        await store["asks"].delete_one({"_id": contact["_id"]}, session=session)
        return False
    row = {name: contact[name] for name in ("_id", "shard", "campaign_id")}
    await store["asks"].replace_one({"_id": contact["_id"]}, row, upsert=True, session=session)
    return True
