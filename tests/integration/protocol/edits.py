"""What customers and operators do while calls are being made, each by the function that the API uses.

Three have no function of their own yet and are the plain write that one would do: a campaign's limit, the
windows of a configuration, and a deletion that does not ask whether the contact is being called.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.call_results import ReportedResult
from shared.domain.campaign import DIALED, CampaignMove, Intent, drafted
from shared.domain.contact import ContactStatus
from shared.domain.contact_input import ContactRow
from shared.domain.reasons import EndReason
from shared.domain.wishes import MAY_BE_RESET, WishKind
from shared.errors import BadSetting, Conflict, Kind, NotFound, WrongState
from shared.store.catalog import caller_numbers, do_not_call, organizations
from shared.store.catalog.campaigns import ScheduleChange, edit_campaign, move_campaign
from shared.store.catalog.courses import stored_course
from shared.store.client import Document
from shared.store.contacts import asking as asking_of
from shared.store.contacts import wishes
from shared.store.contacts.asking import AskedBefore, Asking
from shared.store.contacts.deletion import request_deletion
from shared.store.contacts.reported_calls import ReportedCall, record_result
from shared.store.contacts.upsert import upsert_contacts
from shared.store.dialing import shards
from shared.store.dialing.deletions import note_deletion
from shared.telephony.provider import PlaceCall
from tests.factories import ALWAYS_OPEN
from tests.integration.protocol.ends import note_accepted
from tests.integration.protocol.rules_in_force import NO_CAPS, History
from tests.integration.protocol.world import World, step

# What a campaign is told, the more often the more follows from it.
MOVES: Final = (CampaignMove.PAUSE, CampaignMove.START, CampaignMove.START, CampaignMove.CANCEL, CampaignMove.DELETE)


@step
async def move(world: World, /, campaign_id: str, to: CampaignMove, **changes: Any) -> None:
    """Start, pause, cancel or delete a campaign, and what is set with that; a refusal changes nothing."""
    campaign = await world.store["campaigns"].find_one({"_id": campaign_id})
    assert campaign is not None
    try:
        moved = await move_campaign(world.store, campaign["organization_id"], campaign_id, to, world.now, changes)
    except (WrongState, NotFound):
        return
    world.rules.active[campaign_id].set(world.steps, moved.shown(world.now).state in DIALED)
    world.rules.max_calls[campaign_id].set(world.steps, moved.max_calls)
    world.rules.starts[campaign_id] = None


@step
async def schedule(world: World, campaign_id: str, seconds: float | None) -> bool:
    """Set when a campaign starts by itself, or (None) clear that; whether its state allows it."""
    campaign = await world.store["campaigns"].find_one({"_id": campaign_id})
    assert campaign is not None
    change = ScheduleChange(None if seconds is None else world.now + timedelta(seconds=seconds))
    try:
        after = await edit_campaign(world.store, campaign["organization_id"], campaign_id, {}, world.now, change)
    except (WrongState, BadSetting, NotFound):
        return False
    world.rules.active[campaign_id].set(world.steps, after.shown(world.now).state in DIALED)
    world.rules.starts[campaign_id] = after.course.start_at if after.course.intent is Intent.SCHEDULED else None
    return True


@step
async def make_draft(world: World, campaign_id: str) -> None:
    """Have a campaign that nobody was called in yet as if it had been made a draft."""
    never_started: Document = {**stored_course(drafted()), "started_at": None}
    await world.store["campaigns"].update_one({"_id": campaign_id}, {"$set": never_started})
    world.rules.active[campaign_id].set(world.steps, False)


@step
async def set_windows(world: World, campaign_id: str, *, is_open: bool) -> None:
    """Open the calling windows around the clock, or close them."""
    campaign = await world.store["campaigns"].find_one({"_id": campaign_id})
    assert campaign is not None
    await world.store["configurations"].update_one(
        {"_id": campaign["configuration_id"]}, {"$set": {"default_windows": ALWAYS_OPEN if is_open else []}}
    )
    world.rules.windows_open[campaign_id].set(world.steps, is_open)


@step
async def list_number(world: World, organization_id: str, number: str) -> None:
    """Put a number on the do-not-call list, or take it off if it is there."""
    if world.rules.is_listed(organization_id, number):
        await do_not_call.remove_number(world.store, organization_id, number)
        world.rules.list_number(world.steps, organization_id, number, False)
    else:
        await do_not_call.add_numbers(world.store, organization_id, [number], None, world.now)
        world.rules.list_number(world.steps, organization_id, number, True)


@step
async def delete(world: World, contact_id: str) -> bool:
    """Ask for a contact's deletion; whether that was taken."""
    contact = await world.store["contacts"].find_one({"_id": contact_id})
    if contact is None:
        return False
    try:
        await request_deletion(
            world.store, contact["organization_id"], contact["campaign_id"], contact_id, now=world.now
        )
    except (Conflict, NotFound):
        return False
    world.rules.delete(world.steps, contact_id)
    return True


@step
async def delete_at_once(world: World, contact_id: str) -> None:
    """Ask for a contact's deletion although it may be locked or in a call."""

    async def mark(session: AsyncClientSession) -> bool:
        marked = await world.store["contacts"].find_one_and_update(
            {"_id": contact_id}, {"$set": {"delete_requested": True}}, session=session
        )
        if marked is not None:
            await note_deletion(world.store, session, marked)
        return marked is not None

    if await world.store.in_transaction(mark):
        world.rules.delete(world.steps, contact_id)


@step
async def reset(world: World, *contact_ids: str) -> int:
    """Ask that ended contacts be called again, as an upload that names them does; how many were asked for."""
    named = await world.store["contacts"].find({"_id": {"$in": list(contact_ids)}}).to_list()
    for contact in named:
        _may_be_called_again(world, contact)
    asked = await wishes.ask_again(world.store, named, world.now)
    await note_accepted(world, *contact_ids)
    return asked


@step
async def reset_campaign(
    world: World, campaign_id: str, status: ContactStatus, because: EndReason | None = None
) -> int:
    """Ask that all contacts of a campaign that ended so be called again; how many were asked for."""
    named = await world.store["contacts"].find({"campaign_id": campaign_id, "status": status}).to_list()
    for contact in named:
        if because in (None, contact.get("ended_because")):
            _may_be_called_again(world, contact)
    campaign = await world.store["campaigns"].find_one({"_id": campaign_id})
    assert campaign is not None
    page = await wishes.reset_contacts(
        world.store,
        campaign["organization_id"],
        campaign_id,
        status=status,
        because=because,
        cursor=None,
        now=world.now,
    )
    return page.asked


@step
async def ask_or_raise(
    world: World,
    contact_id: str,
    kind: WishKind,
    seconds: float = 0.0,
    *,
    waiting: int | None = None,
    notes: str | None = None,
) -> None:
    """Ask something of a contact, or of its `waiting`-th callback; another time is so many seconds from now."""
    contact = await world.store["contacts"].find_one({"_id": contact_id})
    if contact is None:
        raise NotFound(Kind.CONTACT, contact_id)
    asking = Asking(kind, world.now + timedelta(seconds=seconds), notes, waiting)
    await asking_of.ask(world.store, contact["organization_id"], contact_id, asking, world.now)
    world.rules.ask(world.steps, contact_id, kind, asking.at)
    if kind is WishKind.CALLBACK:
        await note_accepted(world, contact_id)


@step
async def ask(
    world: World,
    contact_id: str,
    kind: WishKind,
    seconds: float = 0.0,
    *,
    waiting: int | None = None,
    notes: str | None = None,
) -> bool:
    """Ask something of a contact; whether that was taken."""
    try:
        await ask_or_raise(world, contact_id, kind, seconds, waiting=waiting, notes=notes)
    except (Conflict, NotFound, WrongState, AskedBefore):
        return False
    return True


async def ask_in_call(world: World, call: PlaceCall, seconds: float) -> bool:
    """Ask to be called back in a call's result; whether that was taken."""
    return await report_result(world, call, callback_at=world.now + timedelta(seconds=seconds))


@step
async def report_result(world: World, /, call: PlaceCall, **fields: Any) -> bool:
    """Report a call's result, as its agent does; whether there is something for the scheduler to carry out."""
    of_call = ReportedCall(call.attempt_id, call.contact_id)
    named = await world.store["contacts"].find_one({"_id": call.contact_id})
    given = ReportedResult.model_validate(fields, strict=False).given
    try:
        reported = await record_result(world.store, call.organization_id, of_call, given, world.now)
    except NotFound:
        return False
    if fields.get("opt_out"):
        world.rules.opt_out(world.steps, call.contact_id)
        numbers = [] if named is None or reported.campaign_id is None else named["phone_numbers"]
        for number in {*numbers, call.phone_number} if reported.listed else ():
            world.rules.list_number(world.steps, call.organization_id, number, True)
    elif "callback_at" in fields and reported.asks:
        world.rules.ask(world.steps, call.contact_id, WishKind.CALLBACK, fields["callback_at"])
        await note_accepted(world, call.contact_id)
    return reported.asks


def _may_be_called_again(world: World, contact: Document) -> None:
    """The carrier's judge counts anew from here; also for a wish that is void before it is carried out."""
    for_good = contact.get("ended_because") in (EndReason.ANSWERED, EndReason.OPTED_OUT)
    if contact["status"] in MAY_BE_RESET and not for_good and "asked" not in contact:
        world.rules.ask(world.steps, contact["_id"], WishKind.AGAIN, world.now)


@step
async def edit_numbers(world: World, contact_id: str, *numbers: str) -> None:
    """Give a contact other numbers."""
    contact = await world.store["contacts"].find_one({"_id": contact_id})
    if contact is None or world.rules.is_deleted(contact_id):
        return
    await _upsert(world, contact["organization_id"], contact["campaign_id"], _row(contact_id, numbers))
    edited = await world.store["contacts"].find_one({"_id": contact_id}, {"phone_numbers": 1})
    if edited is not None and edited["phone_numbers"] == list(numbers):
        world.rules.numbers[contact_id].set(world.steps, numbers)


@step
async def add_contact(
    world: World, organization_id: str, campaign_id: str, number: str, source: str = "api-0"
) -> list[str]:
    """One more contact, as contact-ingest or the API would add it; none where the campaign takes none."""
    added = await _upsert(world, organization_id, campaign_id, _row(None, (number,)), source)
    ids = [contact_id for contact_id in added if contact_id is not None]
    for contact_id in ids:
        world.contacts.append(contact_id)
        world.rules.numbers[contact_id] = History((number,))
    await note_accepted(world, *ids)
    return ids


async def _upsert(
    world: World, organization_id: str, campaign_id: str, row: ContactRow, source: str = "api-0"
) -> tuple[str | None, ...]:
    try:
        result = await upsert_contacts(
            world.store,
            organization_id=organization_id,
            shard=world.shard_of[organization_id],
            campaign_id=campaign_id,
            rows=[row],
            source=source,
            now=world.now,
        )
    except (WrongState, NotFound):
        return ()
    return result.contact_ids


def _row(contact_id: str | None, numbers: tuple[str, ...]) -> ContactRow:
    return ContactRow((0,), contact_id, None, False, numbers, {})


@step
async def limit_organization(world: World, organization_id: str, limit: int) -> None:
    """Change how many calls an organization may have up."""
    await organizations.set_concurrency_limit(world.store, organization_id, limit)
    world.rules.organization_limits[organization_id].set(world.steps, limit)


@step
async def limit_campaign(world: World, campaign_id: str, limit: int | None) -> None:
    """Change how many calls a campaign may have up."""
    await world.store["campaigns"].update_one({"_id": campaign_id}, {"$set": {"concurrency_limit": limit}})
    world.rules.campaign_limits[campaign_id].set(world.steps, limit)


@step
async def edit_number(world: World, organization_id: str, number: str, changes: Mapping[str, Any]) -> None:
    """Change the limits of a registered caller number, or switch it off or on (`active`)."""
    number_id, rules = world.numbers[organization_id, number], world.rules.registered[organization_id, number]
    await caller_numbers.edit_number(world.store, organization_id, number_id, changes, world.now)
    for name, value in changes.items():
        getattr(rules, name).set(world.steps, value)


@step
async def limit_all(world: World, limit: int) -> None:
    """Change the global limit."""
    if await shards.set_global_limit(world.store, limit):
        world.rules.global_limit.set(world.steps, limit)


@step
async def lift_caps(world: World, organization_id: str) -> None:
    """Take away what caps the organization's phones and its campaigns' contacts; contacts put off by them stay so."""
    await organizations.edit_limits(world.store, organization_id, dict.fromkeys(organizations.LIMITS))
    await world.store["configurations"].update_many(
        {"organization_id": organization_id}, {"$set": {"max_attempts_per_day": None}}
    )
    world.rules.caps[organization_id] = NO_CAPS
