"""The sums one scheduler transaction changes: held slots of every budget, and a campaign's counts.

Moves write down what they change; at the end everything is written once, the hottest document (the
shard, which is also the fence) last. Because the sums are written in the transaction that moves the
contacts, they cannot drift (I6).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import HaltReason
from shared.domain.contact import ContactStatus
from shared.domain.facts import Fact
from shared.domain.ids import campaign_budget, organization_budget, organization_of_budget
from shared.domain.refusal import Refusal, Rest
from shared.errors import OwnershipLost
from shared.store.catalog.campaign_log import write_log
from shared.store.catalog.facts import stored_fact
from shared.store.client import Document, Store
from shared.store.dialing.counted_runs import CountedRuns
from shared.store.dialing.facts import keep_facts, waiting_of_campaigns
from shared.store.dialing.number_use import NumberSums
from shared.store.dialing.rests import note_refusal, write_rest
from shared.store.dialing.run_sums import RunSums
from shared.store.documents.tallies import counted_as, of_attempt

BUCKET: Final[dict[ContactStatus, str]] = {
    ContactStatus.PENDING: "pending",
    ContactStatus.LOCKED: "active",
    ContactStatus.IN_PROGRESS: "active",
    ContactStatus.COMPLETED: "completed",
    ContactStatus.EXHAUSTED: "exhausted",
    ContactStatus.ERROR: "error",
    ContactStatus.SKIPPED: "skipped",
}


@dataclass(frozen=True, slots=True)
class CallChange:
    """How many calls more were claimed (fewer, where some were given back), and how many more have ended."""

    claimed: int
    ended: int


@dataclass(slots=True)
class Ledger:
    """Changes of one transaction; made anew for every run of it. `given_back` slots leave the shard's grant.

    `turns`: the caller number that a campaign's last call was made from, of campaigns that rotate them. `endings`:
    calls that have ended or were refused, by whether that was a failure, in campaigns with a circuit breaker, and
    `evidence` what these breakers go by from now on; `halted` runs; all by campaign id. `last_call`: the number of the
    last call that was claimed; 0: none was. `changed`: organizations whose
    campaigns run again, or who have numbers on the do-not-call list that were not there.
    """

    shard: int
    epoch: int
    shard_held: int = 0
    given_back: int = 0
    budgets: Counter[str] = field(default_factory=Counter)
    counters: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    organization_of: dict[str, str] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    rests: dict[tuple[str, str], Rest | None] = field(default_factory=dict)
    refusals: list[UpdateOne] = field(default_factory=list)
    numbers: NumberSums = field(default_factory=NumberSums)
    turns: dict[str, str] = field(default_factory=dict)
    counted_runs: CountedRuns = field(default_factory=CountedRuns)
    runs: RunSums = field(default_factory=RunSums)
    endings: defaultdict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    evidence: dict[str, Document] = field(default_factory=dict)
    last_call: int = 0
    halted: dict[str, HaltReason] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    # What is told; before it what was `adopted` from others.
    facts: list[Document] = field(default_factory=list)
    adopted: list[Document] = field(default_factory=list)
    facts_written: int = 0
    # Entries of campaigns' logs.
    logged: list[Document] = field(default_factory=list)

    def tell(self, organization_id: str, fact: Fact) -> None:
        """Note a fact of an organization that wants its type; it is written with the sums."""
        self.facts.append(stored_fact(organization_id, fact))

    def moved(self, contact: Document, new_values: Document | None, attempts_made: int | None = None) -> None:
        """Note that a contact, as it was read, gets these new values, or (None) is removed.

        `attempts_made` are those it has made by then, where they are more than were read; None: no call has ended.
        """
        campaign_id, organization_id = contact["campaign_id"], contact["organization_id"]
        before = BUCKET[contact["status"]]
        after = BUCKET[new_values["status"]] if new_values is not None else None
        counters = self._counters_of(contact)
        if before != after:
            counters[before] -= 1
            if after is not None:
                counters[after] += 1
        because = new_values["ended_because"] if new_values is not None else None
        if contact["ended_because"] is not None:
            counters[f"ended.{contact['ended_because']}"] -= 1
        if because is not None:
            counters[f"ended.{because}"] += 1
        self._counts_as(contact, {**contact, **new_values} if new_values is not None else None)
        if new_values is None:
            # What is left of the removed contact in the sum of attempts: no contact's any more.
            counters["attempts_removed"] += contact["attempts_made"] if attempts_made is None else attempts_made
        if before == "active" and before != after:
            self._hold(contact, -1)
            self.numbers.give_back(organization_id, contact["lock"], called=attempts_made is not None)
            self.runs.give_back(campaign_id, contact["lock"], called=attempts_made is not None)
            if attempts_made is None:
                self.counted_runs.given_back(campaign_id, contact["lock"])

    def told(self, contact: Document, changes: Document) -> None:
        """Note that a contact, as it was read, is marked by these changes, wherever it stands."""
        self._counts_as(contact, {**contact, **changes})

    def _counts_as(self, before: Document, after: Document | None) -> None:
        """Count what a contact counted for before and does no more, and what it counts for from now on."""
        counters = self._counters_of(before)
        for name in counted_as(before):
            counters[name] -= 1
        if after is not None:
            for name in counted_as(after):
                counters[name] += 1

    def _counters_of(self, contact: Document) -> Counter[str]:
        self.organization_of[contact["campaign_id"]] = contact["organization_id"]
        return self.counters[contact["campaign_id"]]

    def rest(self, organization_id: str, key: str, rest: Rest | None) -> None:
        """Note that a part of the organization's means rests from now on, or (None) may be used again."""
        self.rests[organization_id, key] = rest

    def refused(self, organization_id: str, key: str, refusal: Refusal, now: datetime) -> None:
        """Note that the carrier has refused a call for a reason that speaks of us."""
        self.refusals.append(note_refusal(organization_budget(organization_id), key, refusal, now))

    def claimed(self, contact: Document, lock: Document) -> None:
        """Note that a pending contact is locked for an attempt."""
        counters = self._counters_of(contact)
        counters["pending"] -= 1
        counters["active"] += 1
        self._counts_as(contact, {**contact, "status": ContactStatus.LOCKED})
        self.counted_runs.claimed(contact["campaign_id"], lock)
        self._hold(contact, 1)
        self.numbers.claim(contact["organization_id"], lock)
        self.runs.claim(contact["campaign_id"], lock)

    def waits(self, campaign_id: str, due_at: datetime) -> None:
        """Note that a contact of this campaign waits again until `due_at`.

        `due` keeps the earliest of each campaign.
        """
        self.due[campaign_id] = min(due_at, self.due.get(campaign_id, due_at))

    def attempted(self, contact: Document, attempt: Document) -> None:
        """Note that this attempt was recorded for a contact."""
        counters = self._counters_of(contact)
        counters["attempts"] += 1
        counters.update(of_attempt(attempt))

    def upgraded(self, attempt: Document, known: Document) -> None:
        """Note that an attempt, as it was stored, has got another ending; one of no known contact counts nowhere."""
        campaign_id = attempt["campaign_id"]
        if campaign_id is None:
            return
        self.organization_of[campaign_id] = attempt["organization_id"]
        self.counters[campaign_id].subtract(of_attempt(attempt))
        self.counters[campaign_id].update(of_attempt({**attempt, **known}))

    def _hold(self, contact: Document, slots: int) -> None:
        self.shard_held += slots
        self.budgets[organization_budget(contact["organization_id"])] += slots
        self.budgets[campaign_budget(contact["campaign_id"])] += slots

    def held_changes(self) -> dict[str, int]:
        """How this transaction changes what organizations hold, by organization id."""
        changed = ((organization_of_budget(key), n) for key, n in self.budgets.items() if n)
        return {organization_id: n for organization_id, n in changed if organization_id is not None}

    def remaining_changes(self) -> dict[str, int]:
        """How this transaction changes the contacts that wait or are being called, by campaign id."""
        changed = {campaign_id: n["pending"] + n["active"] for campaign_id, n in self.counters.items()}
        return {campaign_id: n for campaign_id, n in changed.items() if n}

    def calls(self) -> dict[str, CallChange]:
        """The calls that campaigns have made and ended more by this transaction, by campaign id."""
        return {
            campaign_id: CallChange(changes["active"] + changes["attempts"], changes["attempts"])
            for campaign_id, changes in self.counters.items()
            if changes["active"] or changes["attempts"]
        }

    async def write(self, store: Store, session: AsyncClientSession) -> None:
        """Write every sum; raise `OwnershipLost` (which aborts the transaction) if the epoch has moved on."""
        budgets = [
            UpdateOne({"_id": key}, {"$inc": {"held": slots}}, upsert=True)
            for key, slots in self.budgets.items()
            if slots
        ]
        budgets += [
            write_rest(organization_budget(organization_id), key, rest)
            for (organization_id, key), rest in self.rests.items()
        ]
        budgets += self.refusals
        budgets += self.numbers.writes()
        budgets += self.runs.writes()
        budgets += [
            UpdateOne({"_id": campaign_budget(campaign_id)}, {"$set": {"turn": number}}, upsert=True)
            for campaign_id, number in self.turns.items()
        ]
        if budgets:
            await store["budgets"].bulk_write(budgets, session=session)
        counters = [
            UpdateOne(
                {"_id": campaign_id},
                {
                    "$inc": {bucket: n for bucket, n in changes.items() if n},
                    "$setOnInsert": {"organization_id": self.organization_of[campaign_id], "shard": self.shard},
                },
                upsert=True,
            )
            for campaign_id, changes in self.counters.items()
            if any(changes.values())
        ]
        counters += self.counted_runs.writes()
        counters += [
            UpdateOne({"_id": campaign_id}, {"$set": {"breaker": evidence}})
            for campaign_id, evidence in self.evidence.items()
        ]
        if counters:
            await store["counters"].bulk_write(counters, session=session)
        await write_log(store, session, self.logged)
        if self.facts:
            self.adopted += await waiting_of_campaigns(store, session, self.shard, self.facts)
        await self._fence(store, session, [*self.adopted, *self.facts])

    async def _fence(self, store: Store, session: AsyncClientSession, facts: Sequence[Document]) -> None:
        counted = {"held": self.shard_held, "grant": -self.given_back, **({"facts": len(facts)} if facts else {})}
        changes: Document = {"$inc": counted, "$currentDate": {"at": True}}
        if self.last_call:
            changes["$set"] = {"last_call": self.last_call}
        shard = await store["shards"].find_one_and_update(
            {"_id": self.shard, "epoch": self.epoch},
            changes,
            projection={"facts": 1},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if shard is None:
            raise OwnershipLost(f"shard {self.shard}: epoch {self.epoch} is no longer the newest")
        if facts:
            await keep_facts(store, session, self.shard, shard["facts"], facts)
            self.facts_written = len(facts)
