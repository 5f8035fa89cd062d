"""One step of a shard's loop as one transaction: endings, releases, expiries, then new claims.

Claiming in the transaction that frees the slots costs one commit instead of two, and the budgets net
out: a freed slot that is taken again at once is not written at all. One that a call's end has freed and the
shard does not need goes back to all shards in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.caller_numbers import NumberUse
from shared.domain.campaign import HaltReason
from shared.domain.contact import ContactStatus
from shared.domain.refusal import Rest
from shared.domain.sharing import slots_to_give_back
from shared.events import CallFinished, DialJob, JobReleased, ProbePlaced
from shared.store.client import Document, Store
from shared.store.dialing.breakers import apply_breakers
from shared.store.dialing.claim import Claimed, ClaimOrder, apply_claim
from shared.store.dialing.finish import Recorded, apply_endings
from shared.store.dialing.halts import halt_full_runs
from shared.store.dialing.ledger import CallChange, Ledger
from shared.store.dialing.moves import Move, apply_moves, cannot_wait
from shared.store.dialing.number_use import OneNumber
from shared.store.dialing.releases import apply_probes, apply_releases
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction

BATCH = 500


@dataclass(frozen=True, slots=True)
class ShardWork:
    """The work of one transaction; at most 500 endings and releases together.

    `needed`: slots the shard could use after it, those it holds included; what is freed beyond them leaves its grant.
    None: it keeps them.
    """

    ended: Sequence[CallFinished] = ()
    released: Sequence[JobReleased] = ()
    claim: ClaimOrder = field(default_factory=ClaimOrder)
    needed: int | None = None
    probes: Sequence[ProbePlaced] = ()

    @property
    def told_of(self) -> set[str]:
        """The contacts that the events are about, by id."""
        ended, released, probes = self.ended, self.released, self.probes
        return {*(e.contact_id for e in ended), *(e.contact_id for e in released), *(e.contact_id for e in probes)}


@dataclass(frozen=True, slots=True)
class WorkDone:
    """The results of one transaction.

    `held`: changes of organizations' held slots, by organization id. `due`: the earliest time at which contacts that
    wait again are due, by campaign id. `given_back`: slots that left the shard's grant. `rests`: what rests from now
    on, or (None) may be used again, by organization id and key. `moved`: candidates for a claim that were put off or
    ended instead. `numbers`: caller numbers that have made all their calls of a day, or (None) may make one more.
    `remaining`: changes of the contacts that wait or are being called, by campaign id.
    `calls`: what campaigns have claimed and ended, by campaign id.
    `halted`: campaigns, by id, whose runs were halted. `callers`: the numbers that jobs call from, by attempt, where
    any has a limit of calls a second. `changed`: organizations to be read again. `told`: facts that were written.
    """

    jobs: list[DialJob]
    left: list[str]
    recorded: Recorded
    released: int
    held: dict[str, int]
    due: dict[str, datetime]
    given_back: int
    rests: dict[tuple[str, str], Rest | None] = field(default_factory=dict)
    moved: int = 0
    numbers: dict[OneNumber, NumberUse | None] = field(default_factory=dict)
    remaining: dict[str, int] = field(default_factory=dict)
    calls: Mapping[str, CallChange] = field(default_factory=dict)
    halted: dict[str, HaltReason] = field(default_factory=dict)
    callers: dict[str, str] = field(default_factory=dict)
    told: int = 0
    changed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Swept:
    """How many contacts (at most 500) one sweep moved, and what it changed, named as in `WorkDone`."""

    moved: int = 0
    held: dict[str, int] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    numbers: dict[OneNumber, NumberUse | None] = field(default_factory=dict)
    remaining: dict[str, int] = field(default_factory=dict)
    calls: Mapping[str, CallChange] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()

    @classmethod
    def by(cls, ledger: Ledger, moved: int) -> "Swept":
        """What a sweep that moved so many contacts has changed."""
        numbers: dict[OneNumber, NumberUse | None] = dict.fromkeys(ledger.numbers.given_back)
        return cls(
            moved,
            ledger.held_changes(),
            ledger.due,
            numbers,
            ledger.remaining_changes(),
            ledger.calls(),
            frozenset(ledger.changed),
        )


async def do_shard_work(
    store: Store, owner: Ownership, work: ShardWork, now: datetime, jitter_seconds: float = 0.0
) -> WorkDone:
    """Do all the work or none. Raises `OwnershipLost` (stop owning the shard) or `Unavailable` (try again).

    Safe to repeat after any error: what was done already is not done again.
    """

    async def run(session: AsyncClientSession) -> WorkDone:
        transaction = ShardTransaction.begin(store, session, owner)
        if work.claim.contact_ids and work.told_of:
            await transaction.read_ahead(work.told_of.union(work.claim.contact_ids))
        recorded = await apply_endings(transaction, work.ended, now)
        await apply_probes(transaction, work.probes, now)
        released = await apply_releases(transaction, work.released, now, jitter_seconds)
        await apply_breakers(transaction, now)
        claimed: Claimed = await apply_claim(transaction, work.claim, now)
        await halt_full_runs(transaction, now)
        ledger = transaction.ledger
        ledger.given_back = _to_give_back(transaction, work.needed)
        await ledger.write(store, session)
        return WorkDone(
            claimed.jobs,
            claimed.left,
            recorded,
            released,
            ledger.held_changes(),
            ledger.due,
            ledger.given_back,
            ledger.rests,
            claimed.moved,
            {**dict.fromkeys(ledger.numbers.given_back), **claimed.spent},
            ledger.remaining_changes(),
            ledger.calls(),
            ledger.halted,
            claimed.callers,
            told=ledger.facts_written,
            changed=frozenset(ledger.changed),
        )

    return await store.in_transaction(run)


def _to_give_back(transaction: ShardTransaction, needed: int | None) -> int:
    shard, change = transaction.context.root_document, transaction.ledger.shard_held
    if shard is None or needed is None:
        return 0
    return slots_to_give_back(-change, grant=shard["grant"], held=shard["held"] + change, needed=needed)


async def expire_claims(store: Store, owner: Ownership, now: datetime) -> Swept:
    """EXPIRE: contacts whose claim no executor started in time wait again, their slots given back."""
    query = {"shard": owner.shard, "status": ContactStatus.LOCKED, "lock.expires_at": {"$lt": now}}
    return await _move_matching(store, owner, query, ContactStatus.PENDING, now, keep_wishes=True)


async def skip_closed(store: Store, owner: Ownership, campaign_id: str, now: datetime) -> Swept:
    """Skip contacts that still wait in a closed campaign; moves none while the campaign is open."""
    query = {"campaign_id": campaign_id, "status": ContactStatus.PENDING, "shard": owner.shard}
    return await _move_matching(store, owner, query, ContactStatus.PENDING, now, only_to_end=True)


async def skip_listed(store: Store, owner: Ownership, contact_ids: Sequence[str], now: datetime) -> Swept:
    """Skip the waiting contacts among these (at most 500) whose numbers are all on the do-not-call list."""
    query = {"_id": {"$in": list(contact_ids)}, "status": ContactStatus.PENDING, "shard": owner.shard}
    return await _move_matching(store, owner, query, ContactStatus.PENDING, now, only_to_end=True)


async def _move_matching(
    store: Store,
    owner: Ownership,
    query: Document,
    to: ContactStatus,
    now: datetime,
    *,
    only_to_end: bool = False,
    keep_wishes: bool = False,
) -> Swept:
    """Move the contacts that match, in one transaction.

    With `only_to_end`, those alone that cannot wait any more.
    """
    if await store["contacts"].find_one(query, {"_id": 1}) is None:
        return Swept()

    async def run(session: AsyncClientSession) -> Swept:
        transaction = ShardTransaction.begin(store, session, owner)
        contacts = await transaction.find_contacts(query, limit=BATCH)
        moves = [
            Move(contact, to)
            for contact in contacts.values()
            if not only_to_end or cannot_wait(transaction.context, contact, now)
        ]
        if not moves:
            return Swept()
        ledger = transaction.ledger
        await apply_moves(store, session, ledger, transaction.context, moves, now, keep_wishes=keep_wishes)
        await ledger.write(store, session)
        return Swept.by(ledger, len(moves))

    return await store.in_transaction(run)
