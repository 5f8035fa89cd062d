"""CLAIM: locking the next contacts for an attempt, within every limit, in one scheduler transaction.

Candidates come from prefetched ids in the order they shall be called; everything is looked at again
here. The sums are read in the transaction that writes them, so no limit is ever passed (I1, I6).
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Self

from shared.domain.caller_numbers import UNUSED, NumberChoice, NumberUse
from shared.domain.campaign import FIRST_GENERATION
from shared.domain.contact import ContactStatus
from shared.domain.dialing import number_plan, verdict
from shared.domain.dialing_values import Call, CallChoice, CallFields, End, Rules, Wait
from shared.domain.ids import attempt_id_of, organization_budget
from shared.domain.phone import compared, spellings
from shared.domain.reasons import CAPS, EndReason, WaitReason
from shared.domain.refusal import asked_again
from shared.events import DialJob
from shared.store.client import Document
from shared.store.dialing.call_facts import tells_of_calls
from shared.store.dialing.caps import PastAttempts, past_attempts
from shared.store.dialing.context import call_fields, concurrency_limit
from shared.store.dialing.moves import GuardFailed, Move, apply_moves
from shared.store.dialing.number_use import OneNumber
from shared.store.dialing.numbering import number_calls
from shared.store.dialing.openings import open_runs
from shared.store.dialing.run_sums import is_counted, room_of
from shared.store.dialing.shard_transaction import ShardTransaction
from shared.store.in_parts import write_in_parts

MAX_CLAIM: Final = 500
# A window that closes sooner would often be closed by the time the call is placed.
WINDOW_AHEAD: Final = timedelta(seconds=5)
# What is never open as things stand, for a year at least, is looked at again after this.
LOOK_AGAIN: Final = timedelta(days=1)
# Reasons to wait that are one contact's own: it makes room for those behind it.
_ITS_OWN: Final = frozenset(
    {
        WaitReason.NUMBER_BUSY,
        WaitReason.SCHEDULED,
        WaitReason.ACCOUNT_REFUSED,
        WaitReason.COUNTRY_REFUSED,
        WaitReason.CALLER_NUMBER_REFUSED,
        *CAPS,
        WaitReason.CALLER_NUMBER_SPENT,
        WaitReason.NO_CALLER_NUMBER,
    }
)


@dataclass(frozen=True, slots=True)
class ClaimOrder:
    """The contacts to claim, in order, and how many slots each organization may take at most in this transaction.

    `times`: how many calls may be claimed now from each caller number that has a limit of calls a second.
    """

    contact_ids: Sequence[str] = ()
    shares: Mapping[str, int] = field(default_factory=dict)
    lock_seconds: float = 30.0
    times: Mapping[OneNumber, int] = field(default_factory=dict)


@dataclass(slots=True)
class Claimed:
    """The dial jobs of a claim. `left` are candidates that only found no room: they keep their place in the queue.

    `moved`: how many others were put off or ended; `spent`: caller numbers that whole campaigns wait for; `callers`:
    the numbers that the jobs call from, by attempt, where any number has a limit of calls a second.
    """

    jobs: list[DialJob] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    moved: int = 0
    spent: dict[OneNumber, NumberUse] = field(default_factory=dict)
    callers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Rooms:
    """Free slots while the batch is being put together, and the attempts that caps count."""

    shard: int
    organizations: dict[str, int]
    campaigns: dict[str, int]
    live: dict[str, set[str]]
    past: PastAttempts
    # (organization id, campaign id): the context's rules, and those with phones on a call and past attempts.
    rules: dict[tuple[str, str], tuple[Rules, Rules]] = field(default_factory=dict)


@dataclass(slots=True)
class Selection:
    """The contacts that are claimed, with their locks, those that are moved, and those `left` without room."""

    chosen: list[Document] = field(default_factory=list)
    locks: list[Document] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    spent: dict[OneNumber, NumberUse] = field(default_factory=dict)

    def add(self, others: Self) -> None:
        """Add what was selected of the candidates behind these."""
        self.chosen += others.chosen
        self.locks += others.locks
        self.moves += others.moves
        self.left += others.left
        self.spent |= others.spent


# A contact and its lock.
_Claim = tuple[Document, Document]


async def apply_claim(transaction: ShardTransaction, order: ClaimOrder, now: datetime) -> Claimed:
    """Lock as many candidates as rules and limits allow; their dial jobs must be published afterwards."""
    if not order.contact_ids:
        return Claimed()
    ahead, others = transaction.take_ahead(order.contact_ids)
    ready = {contact_id: contact for contact_id, contact in ahead.items() if is_claimable(contact, now)}
    if others:
        query = {"_id": {"$in": others}, "shard": transaction.ledger.shard, **may_be_claimed(now)}
        ready |= await transaction.find_contacts(query, limit=0)
    # Somebody who is edited while the queue is read may stand in it twice.
    candidates = [ready[contact_id] for contact_id in dict.fromkeys(order.contact_ids) if contact_id in ready]
    if not candidates:
        return Claimed()
    rooms = await rooms_for(transaction, order, candidates, now, _room_of_shard(transaction))
    claim_id, selection = str(uuid.uuid4()), Selection()
    jobs: list[DialJob] = []

    def claims_of(some: Sequence[Document]) -> list[_Claim]:
        chosen = select(transaction, rooms, some, claim_id, now, order)
        number_calls(transaction, chosen.locks, now)
        selection.add(chosen)
        return list(zip(chosen.chosen, chosen.locks, strict=True))

    def account() -> None:
        # Not before all are selected: a claim may go by what others of the transaction have left.
        for contact, lock in zip(selection.chosen, selection.locks, strict=True):
            transaction.ledger.claimed(contact, lock)
            jobs.append(_job(contact, lock))

    await write_in_parts(candidates, claims_of, partial(_lock, transaction), meanwhile=account)
    await apply_moves(
        transaction.store, transaction.session, transaction.ledger, transaction.context, selection.moves, now
    )
    await open_runs(transaction, {contact["campaign_id"] for contact in selection.chosen}, now)
    callers = {lock["attempt"]: lock["caller_number"] for lock in selection.locks} if order.times else {}
    return Claimed(jobs, selection.left, len(selection.moves), selection.spent, callers)


def may_be_claimed(now: datetime) -> Document:
    """What of a contact's own fields a claim at `now` asks for; all else is the verdict's."""
    return {
        "status": ContactStatus.PENDING,
        "due_at": {"$lte": now},
        "delete_requested": {"$ne": True},
        "asked": {"$exists": False},
    }


def is_claimable(contact: Document, now: datetime) -> bool:
    """Whether a contact, as it was read, is as `may_be_claimed` asks."""
    waits = contact["status"] == ContactStatus.PENDING and contact["due_at"] <= now
    return waits and not contact["delete_requested"] and contact["asked"] is None


def _room_of_shard(transaction: ShardTransaction) -> int:
    shard = transaction.context.root_document
    return shard["grant"] - shard["held"] - transaction.ledger.shard_held if shard else 0


async def rooms_for(
    transaction: ShardTransaction,
    order: ClaimOrder,
    candidates: Sequence[Document],
    now: datetime,
    room_of_all: int,
) -> Rooms:
    """What is free now, this transaction's own moves included; of the limit on all calls this `room_of_all`."""
    ledger, context = transaction.ledger, transaction.context
    await context.load_numbers(candidates)
    ledger.numbers.applied_to(context.numbers.uses)
    context.numbers.give_times(order.times)
    held = Counter(context.held)
    held.update(ledger.budgets)
    organizations = {}
    for organization_id in {c["organization_id"] for c in candidates}:
        limit = concurrency_limit(context.organizations.get(organization_id))
        room = limit - held[organization_budget(organization_id)]
        organizations[organization_id] = min(room, order.shares.get(organization_id, room))
    campaigns = {
        campaign["_id"]: its_room
        for campaign in context.campaigns.values()
        if (its_room := room_of(campaign, held, ledger.runs.of(campaign["_id"]))) is not None
    }
    return Rooms(
        min(room_of_all, MAX_CLAIM),
        organizations,
        campaigns,
        await _live_phones(transaction, candidates),
        await past_attempts(transaction.store, context, candidates, now, transaction.session),
    )


async def _live_phones(transaction: ShardTransaction, candidates: Sequence[Document]) -> dict[str, set[str]]:
    """Numbers of these contacts, in compared form, that another claim or call uses now (I3), by organization.

    The number frozen in the lock counts, not the editable field: that one may have changed under a call.
    """
    live: dict[str, set[str]] = {}
    for organization_id in {c["organization_id"] for c in candidates}:
        numbers = {n for c in candidates if c["organization_id"] == organization_id for n in c["phone_numbers"]}
        phones = {form for number in numbers for form in spellings(number)}
        query = {"organization_id": organization_id, "lock.phone": {"$in": list(phones)}}
        cursor = transaction.store["contacts"].find(
            query, {"lock.phone": 1}, session=transaction.session, hint="live_phone"
        )
        live[organization_id] = {compared(document["lock"]["phone"]) async for document in cursor}
    return live


def select(
    transaction: ShardTransaction,
    rooms: Rooms,
    candidates: Sequence[Document],
    claim_id: str,
    now: datetime,
    order: ClaimOrder,
) -> Selection:
    """What a claim does with these candidates, in order; nothing is written.

    The transaction's context counts those chosen from now on, and its ledger whose turn it is and what is asked again.
    """
    selection = Selection()
    for contact in candidates:
        context, organization_id = transaction.context, contact["organization_id"]
        rules = _rules(transaction, rooms, contact)
        dialed = rooms.past.contact(context.dialed(contact), contact["_id"])
        match verdict(dialed, rules, now, WINDOW_AHEAD):
            case Call() as call:
                if _take(rooms, contact, call.choice):
                    expires_at = now + timedelta(seconds=order.lock_seconds)
                    lock = _lock_for(transaction, contact, call, claim_id, expires_at)
                    lock |= _number_for(transaction, contact, call.choice, now)
                    selection.chosen.append(contact)
                    selection.locks.append(lock)
                    _ask_again(transaction, organization_id, call, now, order.lock_seconds)
                else:
                    selection.left.append(contact["_id"])
            case End(because=EndReason.NO_AGENT) if not _has_room(rooms, contact):
                # Something else stands in the way of a call.
                selection.left.append(contact["_id"])
            case End(status=status, because=because):
                selection.moves.append(Move(contact, status, because=because))
            case Wait(reason=reason, until=until, whole_campaign=False) if until and reason in _ITS_OWN:
                selection.moves.append(Move(contact, ContactStatus.PENDING, due_at=until, put_off=reason))
            case Wait(reason=reason, until=until, by_number=True):
                # Others of its timezone may be called now. What is never open as things stand is looked at daily.
                due_at = until if until is not None else now + LOOK_AGAIN
                selection.moves.append(Move(contact, ContactStatus.PENDING, due_at=due_at, put_off=reason))
            case Wait(reason=WaitReason.CALLER_NUMBER_LIMIT | WaitReason.CALLS_PER_SECOND):
                selection.left.append(contact["_id"])
            case Wait(reason=WaitReason.CALLER_NUMBER_SPENT):
                selection.spent |= _spent(organization_id, rules, now)
            case Wait():
                # The whole campaign waits, or what the queue was read by has changed: nothing is written.
                continue
    return selection


def _rules(transaction: ShardTransaction, rooms: Rooms, contact: Document) -> Rules:
    """The rules for a candidate, with the phones on a call and the attempts that caps count; made once a campaign."""
    organization_id, made = contact["organization_id"], transaction.context.rules_of(contact)
    key = organization_id, contact["campaign_id"]
    if key not in rooms.rules or rooms.rules[key][0] is not made:
        full = rooms.past.rules(replace(made, live=rooms.live[organization_id]), organization_id)
        rooms.rules[key] = made, full
    return rooms.rules[key][1]


def _ask_again(
    transaction: ShardTransaction, organization_id: str, call: Call, now: datetime, answer_seconds: float
) -> None:
    """Note that this call asks the carrier about what rested; all others wait for its answer."""
    rests = transaction.context.rests.get(organization_budget(organization_id), {})
    for key in call.probing:
        rests[key] = asked_again(rests[key], now, answer_seconds)
        transaction.ledger.rest(organization_id, key, rests[key])
        transaction.context.forget_rules(organization_id)


def _lock_for(
    transaction: ShardTransaction, contact: Document, call: Call, claim_id: str, expires_at: datetime
) -> Document:
    """The claim on one contact: which number, from which number, by which agent."""
    choice = call.choice
    campaign = transaction.context.campaigns.get(contact["campaign_id"])
    lock = {
        "claim": claim_id,
        "attempt": attempt_id_of(contact["_id"], claim_id),
        "attempt_number": contact["attempts_made"] + 1,
        "generation": campaign["generation"] if campaign else FIRST_GENERATION,
        "number": choice.number,
        "phone": compared(choice.number),
        "caller_number": choice.caller_number,
        "agent_id": choice.agent_id,
        "agent_version": choice.agent_version,
        "expires_at": expires_at,
    }
    if choice.ring_seconds is not None:
        lock["ring_seconds"] = choice.ring_seconds
    if choice.max_call_seconds is not None:
        lock["max_call_seconds"] = choice.max_call_seconds
    if campaign and is_counted(campaign, transaction.ledger.runs.of(campaign["_id"])):
        lock["counted"] = True
    lock |= transaction.context.rules_of(contact).accounts.claim_fields(choice.account_id)
    if tells_of_calls(transaction.context, contact["organization_id"]):
        lock["tells"] = True
    if choice.voicemail is not None:
        lock["voicemail"] = choice.voicemail.model_dump(mode="json")
    return {**lock, "probing": list(call.probing)} if call.probing else lock


def _number_for(transaction: ShardTransaction, contact: Document, choice: CallChoice, now: datetime) -> Document:
    """The fields of a claim that say what it counts for in the use of its caller number, which it does from now on."""
    context, organization_id, campaign_id = transaction.context, contact["organization_id"], contact["campaign_id"]
    rules, number = context.rules_of(contact), choice.caller_number
    fields: Document = {"exclusive": number in rules.numbers.exclusive}
    day = context.numbers.day_of_call(organization_id, number, now)
    if day is not None:
        fields["day"] = day
    context.numbers.take(organization_id, {"caller_number": number, **fields})
    plan = number_plan(call_fields(contact), rules)
    if number is not None and plan is not None and plan.choice is NumberChoice.ROTATE:
        context.numbers.turns[campaign_id] = transaction.ledger.turns[campaign_id] = number
    return fields


def _spent(organization_id: str, rules: Rules, now: datetime) -> dict[OneNumber, NumberUse]:
    """The spent ones of the numbers that a contact's campaign may call from."""
    plan = number_plan(CallFields(), rules)
    numbers = [offer.number for offer in plan.offers] if plan is not None else []
    return {
        (organization_id, number): rules.numbers.uses.get(number, UNUSED)
        for number in numbers
        if rules.numbers.spent_until(number, now) is not None
    }


def _has_room(rooms: Rooms, contact: Document) -> bool:
    """Whether every budget above the contact's call has a slot free, that of its caller number apart."""
    free = rooms.shard > 0 and rooms.organizations[contact["organization_id"]] > 0
    return free and rooms.campaigns.get(contact["campaign_id"], 1) > 0


def _take(rooms: Rooms, contact: Document, choice: CallChoice) -> bool:
    """Take one slot of every budget above the contact; False, and nothing taken, if one is full."""
    organization_id, campaign_id = contact["organization_id"], contact["campaign_id"]
    if not _has_room(rooms, contact):
        return False
    rooms.shard -= 1
    rooms.organizations[organization_id] -= 1
    if campaign_id in rooms.campaigns:
        rooms.campaigns[campaign_id] -= 1
    rooms.live[organization_id].add(compared(choice.number))
    return True


async def _lock(transaction: ShardTransaction, claims: Sequence[_Claim]) -> None:
    """Write the locks: all of them, or the transaction is given up."""
    ids, locks = [contact["_id"] for contact, _ in claims], [lock for _, lock in claims]
    lock = {"$arrayElemAt": [{"$literal": locks}, {"$indexOfArray": [{"$literal": ids}, "$_id"]}]}
    result = await transaction.store["contacts"].update_many(
        {"_id": {"$in": ids}, "status": ContactStatus.PENDING, "delete_requested": {"$ne": True}},
        [{"$set": {"status": ContactStatus.LOCKED, "lock": lock}}],
        session=transaction.session,
    )
    if result.matched_count != len(ids):
        raise GuardFailed(f"{result.matched_count} of {len(ids)} candidates were still waiting")


def _job(contact: Document, lock: Document) -> DialJob:
    return DialJob(
        attempt_id=lock["attempt"],
        claim_id=lock["claim"],
        organization_id=contact["organization_id"],
        shard=contact["shard"],
        campaign_id=contact["campaign_id"],
        contact_id=contact["_id"],
        not_after=lock["expires_at"],
    )
