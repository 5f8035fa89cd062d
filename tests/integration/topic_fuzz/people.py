"""Organizations in the middle of their work: contacts that are claimed, called, doubtful, done and waiting.

Made by the real functions of the store, as a scheduler and an executor that have just gone would leave them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.clock import utc_now
from shared.domain.call_limits import CallLimits
from shared.domain.ids import campaign_budget, organization_budget
from shared.domain.outcome import Outcome
from shared.events import CallFinished, DialJob
from shared.store.client import Document, Store
from shared.store.dialing import shards, starts
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.telephony.provider import CallMode
from tests.factories import add_campaign, add_contacts, add_organization, new_id

# Longer than any test, so that nothing happens to them by itself.
LONG_SECONDS = 3600.0
SLOTS = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One contact, its last attempt and, once it was started, the nonce of that."""

    contact_id: str
    attempt_id: str
    claim_id: str = ""
    nonce: str | None = None


@dataclass(slots=True)
class People:
    """One organization and its contacts by what is the matter with them."""

    store: Store
    organization: Document
    campaign: Document
    owner: Ownership
    locked: list[Case] = field(default_factory=list)
    running: list[Case] = field(default_factory=list)
    doubtful: list[Case] = field(default_factory=list)
    done: list[Case] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The organization's id."""
        return str(self.organization["_id"])

    @property
    def shard(self) -> int:
        """Its shard."""
        return int(self.organization["shard"])

    def job(self, case: Case) -> DialJob:
        """The order to make the attempt of a locked contact."""
        return DialJob(
            attempt_id=case.attempt_id,
            claim_id=case.claim_id,
            organization_id=self.id,
            shard=self.shard,
            campaign_id=self.campaign["_id"],
            contact_id=case.contact_id,
            not_after=utc_now().replace(year=9000),
        )

    def ending(self, case: Case, outcome: Outcome = Outcome.ANSWERED) -> CallFinished:
        """How a call has ended."""
        return CallFinished(
            organization_id=self.id,
            shard=self.shard,
            attempt_id=case.attempt_id,
            contact_id=case.contact_id,
            outcome=outcome,
            ended_at=utc_now(),
        )

    async def claim(self, contact_ids: Sequence[str]) -> list[Case]:
        """These waiting contacts, claimed for one attempt each."""
        work = ShardWork(claim=ClaimOrder(contact_ids, {}, LONG_SECONDS))
        jobs = (await do_shard_work(self.store, self.owner, work, utc_now())).jobs
        assert len(jobs) == len(contact_ids)
        return [Case(job.contact_id, job.attempt_id, job.claim_id) for job in jobs]

    async def start(self, cases: Sequence[Case]) -> list[Case]:
        """Claimed contacts, started by an executor whose carrier reports over HTTP."""
        nonce = new_id()
        jobs = [self.job(case) for case in cases]
        order = starts.StartOrder(jobs, nonce, "gone", CallMode.CALLBACK, CallLimits(30, LONG_SECONDS, 0))
        await starts.start(self.store, order)
        return [Case(case.contact_id, case.attempt_id, case.claim_id, nonce) for case in cases]

    async def end(self, cases: Sequence[Case], outcome: Outcome) -> list[Case]:
        """Started contacts whose calls have ended."""
        endings = [self.ending(case, outcome) for case in cases]
        await do_shard_work(self.store, self.owner, ShardWork(ended=endings), utc_now())
        return [*cases]

    async def wait(self, count: int) -> list[str]:
        """Contacts that wait in a paused campaign."""
        paused = await add_campaign(self.store, self.organization, intent="paused")
        contacts = await add_contacts(self.store, self.organization, paused, count)
        return [contact["_id"] for contact in contacts]

    async def documents(self) -> dict[str, list[Document]]:
        """Everything there is of this organization in the store."""
        store, mine = self.store, {"organization_id": self.id}
        campaigns = [c["_id"] for c in await store["campaigns"].find(mine).to_list()]
        budgets = {
            "_id": {"$in": [organization_budget(self.id), *(campaign_budget(campaign) for campaign in campaigns)]}
        }
        queries: dict[str, Document] = {
            name: mine for name in ("contacts", "attempts", "campaigns", "counters", "counters_in", "results")
        }
        queries |= {"organizations": {"_id": self.id}, "budgets": budgets}
        return {name: await store[name].find(query).sort("_id").to_list() for name, query in queries.items()}

    async def is_as(self, before: dict[str, list[Document]]) -> None:
        """Nothing of this organization has changed."""
        for name, documents in (await self.documents()).items():
            for was, now in zip(before[name], documents, strict=True):
                changed = {
                    field: now.get(field) for field in was.keys() | now.keys() if was.get(field) != now.get(field)
                }
                assert not changed, f"{name}: a document of another organization has changed: {changed}"


async def owner_of(store: Store, shard: int) -> Ownership:
    """The shard, with slots enough, owned by nobody who runs."""
    await shards.ensure_shards(store)
    await shards.set_global_limit(store, 4 * SLOTS)
    owner = Ownership(shard, await shards.take_over(store, shard))
    assert await shards.move_grants(store, [shards.GrantMove(owner, SLOTS)])
    return owner


async def people(store: Store, owner: Ownership, *, locked: int, running: int, others: int) -> People:
    """An organization with so many claimed and running contacts, and so many of every other kind."""
    organization = await add_organization(store, shard=owner.shard, concurrency_limit=SLOTS)
    made = People(store, organization, await add_campaign(store, organization), owner)
    contacts = await add_contacts(store, organization, made.campaign, locked + running + 2 * others)
    claimed = await made.claim([contact["_id"] for contact in contacts])
    made.locked = claimed[:locked]
    started = await made.start(claimed[locked:])
    made.running, ended = started[:running], started[running:]
    made.doubtful = await made.end(ended[:others], Outcome.UNKNOWN)
    made.done = await made.end(ended[others:], Outcome.ANSWERED)
    made.waiting = await made.wait(others)
    return made
