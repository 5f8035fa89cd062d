"""PREVIEW: a claim that is not made. It asks what CLAIM asks, by the same functions, and writes nothing.

The campaign is looked at as if it ran, alone: what other campaigns would take of shared limits meanwhile is left out,
and so are calls a second, which decide when, not whether.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.campaign import DIALED, CampaignMove, moved, shown_state
from shared.domain.dialing import campaign_wait
from shared.domain.dialing_values import Call, End, Wait
from shared.domain.ids import is_default_campaign
from shared.domain.preview import Preview, PreviewedCall, PreviewedContact, PreviewedRest
from shared.domain.queue_order import rank
from shared.domain.reasons import SPARED_BY_OWN_NUMBER, WaitReason
from shared.store.catalog.courses import course_of, stored_course
from shared.store.client import Document, Store, translates
from shared.store.dialing.campaign_reader import CampaignReader
from shared.store.dialing.claim import ClaimOrder, Selection, may_be_claimed, rooms_for, select
from shared.store.dialing.ledger import Ledger
from shared.store.dialing.run_sums import RunSums
from shared.store.dialing.shard_catalog import CampaignEntry, Enrolled, read_campaign, read_enrolled
from shared.store.dialing.shard_transaction import ShardTransaction
from shared.store.documents.completing import complete
from shared.store.documents.contacts import ContactDocument, contact_of
from shared.store.reports.counters import campaign_counts
from shared.store.reports.sampling import LEFT_OUT, sample_waiting
from shared.store.reports.situation import Situation

# Calls that one look finds anyway, and the most that can be asked for.
MAX_CALLS: Final = 100
MOST_CALLS: Final = 1000
MAX_OTHERS: Final = 100


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run as it would be begun now: how many calls it may make; None: no limit."""

    max_calls: int | None


@translates
async def preview(
    store: Store,
    organization_id: str,
    shard: int,
    campaign_id: str,
    limit: int,
    now: datetime,
    new_run: NewRun | None = None,
) -> Preview:
    """The first `limit` (at most `MOST_CALLS`) calls of a campaign (stored form) at `now`, and why not the next 100.

    At the same cost for every size of campaign. One that is over is looked at as it is. With `new_run` it is looked at
    as if that were begun now, also where one is under way.
    """
    entry = await read_campaign(store, organization_id, campaign_id)
    most = max(limit, MAX_CALLS) + MAX_OTHERS
    candidates = await _candidates(store, organization_id, campaign_id, entry, now, most + 1, new_run)
    more = [] if len(candidates) > most else await _not_due(store, campaign_id, entry, candidates)
    situation = await _as_if_it_ran(store, organization_id, campaign_id, [*candidates, *more], now, new_run)
    selection = await _selection(store, shard, situation, candidates, now)
    chosen = {contact["_id"] for contact in selection.chosen}
    others = [contact for contact in (*candidates, *more) if contact["_id"] not in chosen][:MAX_OTHERS]
    calls = zip(selection.chosen[:limit], selection.locks, strict=False)
    return Preview(
        campaign_id=None if is_default_campaign(campaign_id) else campaign_id,
        at=now,
        calls=[_call(contact, lock) for contact, lock in calls],
        others=[PreviewedRest(_told_apart(contact), _instead(situation, contact)) for contact in others],
    )


async def _selection(
    store: Store, shard: int, situation: Situation, candidates: Sequence[Document], now: datetime
) -> Selection:
    """What a claim would do with the candidates, counted in the situation's limits from then on."""
    order = ClaimOrder([contact["_id"] for contact in candidates])
    free = situation.everybody.limit - situation.everybody.held
    async with store.client.start_session() as session:
        transaction = ShardTransaction(
            store, session, Ledger(shard, 0, runs=RunSums(situation.context.runs)), situation.context
        )
        rooms = await rooms_for(transaction, order, candidates, now, free)
        selection = select(transaction, rooms, candidates, str(uuid.uuid4()), now, order)
    for contact, lock in zip(selection.chosen, selection.locks, strict=True):
        # Its caller number counts it already.
        situation.take(contact, lock["number"])
    return selection


async def _candidates(
    store: Store,
    organization_id: str,
    campaign_id: str,
    entry: CampaignEntry | None,
    now: datetime,
    most: int,
    new_run: NewRun | None,
) -> list[Document]:
    """The contacts that are due in open hours, in order, as a scheduler would fetch them."""
    situation = await _as_if_it_ran(store, organization_id, campaign_id, [], now, new_run)
    whole = campaign_wait(situation.context.rules_of(_anybody(organization_id, campaign_id)), now)
    if entry is None or (whole is not None and whole.reason not in SPARED_BY_OWN_NUMBER):
        return []
    reader = CampaignReader(store, entry, now, own_numbers_only=whole is not None)
    head = await reader.read(most, crowded=False)
    ids = [contact.contact_id for contact in head.waiting]
    found = store["contacts"].find({"_id": {"$in": ids}, **may_be_claimed(now)}, LEFT_OUT)
    contacts = {document["_id"]: contact_of(document) async for document in found}
    return [contacts[contact_id] for contact_id in ids if contact_id in contacts]


async def _not_due(
    store: Store, campaign_id: str, entry: CampaignEntry | None, candidates: Collection[Document]
) -> list[Document]:
    """Other contacts that wait: the first of each queue and some timezones."""
    known = {contact["_id"] for contact in candidates}
    counts = await campaign_counts(store, campaign_id)
    enrolled = (await read_enrolled(store, [campaign_id])).get(campaign_id, Enrolled())
    sample = await sample_waiting(store, campaign_id, enrolled, counts.pending, MAX_OTHERS + len(known))
    others = [contact for contact in sample if contact["_id"] not in known and not contact["delete_requested"]]
    if entry is None:
        return sorted(others, key=lambda contact: (contact["due_at"], contact["seq"]))
    return sorted(others, key=lambda contact: (rank(contact["tier"], entry.order), contact["due_at"], contact["seq"]))


async def _as_if_it_ran(
    store: Store,
    organization_id: str,
    campaign_id: str,
    contacts: Sequence[Document],
    now: datetime,
    new_run: NewRun | None,
) -> Situation:
    """The situation of these contacts, their campaign running unless it is over."""
    situation = await Situation.read(store, organization_id, [*contacts, _anybody(organization_id, campaign_id)], now)
    campaign = situation.context.campaigns.get(campaign_id)
    if campaign is None or (new_run is None and shown_state(course_of(campaign), now).state in DIALED):
        return situation
    course = moved(course_of(campaign), CampaignMove.START, now)
    if course is not None:
        limit = {} if new_run is None else {"max_calls": new_run.max_calls}
        situation.context.campaigns[campaign_id] = {**campaign, **stored_course(course), **limit}
        situation.context.forget_rules(organization_id)
    return situation


def _anybody(organization_id: str, campaign_id: str) -> Document:
    """A contact of which nothing is known, so that the campaign's own documents are read."""
    fields = {"organization_id": organization_id, "campaign_id": campaign_id, "phone_numbers": [], "status": ""}
    return complete(ContactDocument, fields)


def _instead(situation: Situation, contact: Document) -> Wait | End:
    match situation.answer(contact):
        case Call():
            # Due, allowed and with room, and not among those that one claim takes.
            return Wait(WaitReason.IN_LINE)
        case answer:
            return answer


def _call(contact: Document, lock: Document) -> PreviewedCall:
    return PreviewedCall(
        _told_apart(contact),
        lock["attempt_number"],
        lock["number"],
        lock["caller_number"],
        lock["agent_id"],
        lock["agent_version"],
    )


def _told_apart(contact: Document) -> PreviewedContact:
    return PreviewedContact(contact["_id"], contact["external_id"], contact["timezone"], contact["priority"] or 0)
