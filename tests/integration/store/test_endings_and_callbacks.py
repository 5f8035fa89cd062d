"""Calls that end for contacts that were, are or may be called back: an opt-out holds, an answer ends the callback."""

import uuid
from datetime import timedelta

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.outcome import Outcome
from shared.domain.queue_order import queue_of
from shared.domain.wishes import WishKind
from shared.errors import Conflict
from shared.events import CallFinished
from shared.store.client import Document, Store
from shared.store.contacts.asking import Asking, ask, write_wish
from shared.store.contacts.wishes import carry_out
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import take_over
from shared.store.documents.contacts import contact_of
from tests.factories import add_campaign, add_contacts, add_organization, open_limits

NOW = utc_now()
FIRST, SECOND = str(uuid.uuid4()), str(uuid.uuid4())
PHONE, CALLER = "+14155550100", "+12025550111"
IN_AN_HOUR = Asking(WishKind.CALLBACK, NOW + timedelta(hours=1))
ON_THE_SECOND_CALL: Document = {
    "status": "in_progress",
    "phone_numbers": [PHONE],
    "attempts_made": 1,
    "last_attempt": FIRST,
    "tier": queue_of(0, Tier.REQUESTED),
    "lock": {
        "claim": str(uuid.uuid4()),
        "attempt": SECOND,
        "attempt_number": 2,
        "generation": 1,
        "phone": PHONE,
        "number": PHONE,
        "caller_number": CALLER,
        "expires_at": NOW + timedelta(seconds=30),
    },
    "start": {"nonce": "n", "executor": "e", "mode": "callbacks", "at": NOW, "hold_until": NOW},
}


class Scene:
    """One contact, and the owner of its shard."""

    def __init__(self, store: Store, organization: Document, contact: Document, owner: Ownership) -> None:
        self.store, self.organization, self.contact, self.owner = store, organization, contact, owner

    async def ended_before(self, attempt_id: str, outcome: Outcome) -> None:
        """An attempt of the contact stands in the records."""
        await self.store["attempts"].insert_one(
            {
                "_id": attempt_id,
                "organization_id": self.organization["_id"],
                "campaign_id": self.contact["campaign_id"],
                "contact_id": self.contact["_id"],
                "outcome": outcome,
                "ended_at": NOW - timedelta(minutes=10),
                "attempt_number": 1,
                "phone_number": PHONE,
                "caller_number": CALLER,
            }
        )

    async def end(self, *endings: tuple[str, Outcome]) -> Document:
        """These endings come in one batch; the contact afterwards."""
        events = [
            CallFinished(
                organization_id=self.organization["_id"],
                shard=self.owner.shard,
                attempt_id=attempt_id,
                contact_id=self.contact["_id"],
                outcome=outcome,
                ended_at=NOW,
            )
            for attempt_id, outcome in endings
        ]
        await do_shard_work(self.store, self.owner, ShardWork(ended=events), NOW)
        return await self.now()

    async def now(self) -> Document:
        """The contact as it stands."""
        found = await self.store["contacts"].find_one({"_id": self.contact["_id"]})
        assert found is not None
        return found

    async def is_called_back(self) -> bool:
        """Whether a callback may be asked for."""
        try:
            await ask(self.store, self.organization["_id"], self.contact["_id"], IN_AN_HOUR, NOW)
        except Conflict:
            return False
        return True


async def scene(store: Store, fields: Document) -> Scene:
    organization = await add_organization(store, default_agent_number=CALLER)
    campaign = await add_campaign(store, organization, agent_id="agent")
    await open_limits(store, organization["shard"], 50)
    owner = Ownership(organization["shard"], await take_over(store, organization["shard"]))
    [contact] = await add_contacts(store, organization, campaign, 1, **fields)
    return Scene(store, organization, contact, owner)


async def test_an_opt_out_in_a_callback_to_a_contact_that_had_answered_holds_for_good(store: Store) -> None:
    answered = {"for_good": "answered", "uncounted": 1, "outcomes": {}}
    at = await scene(store, {**ON_THE_SECOND_CALL, **answered, "callback": {"attempts_before": 1, "requested_at": NOW}})
    await at.ended_before(FIRST, Outcome.ANSWERED)
    contact = await at.end((SECOND, Outcome.DO_NOT_CALL))
    assert (contact["status"], contact["ended_because"], contact["for_good"]) == ("exhausted", "opted_out", "opted_out")
    assert not await at.is_called_back()


async def test_a_late_opt_out_forbids_callbacks_to_a_contact_that_has_ended_answered(store: Store) -> None:
    ended = {"status": "completed", "ended_because": "answered", "attempts_made": 2, "last_attempt": SECOND}
    at = await scene(store, {**ended, "outcomes": {"interrupted": 1, "answered": 1}})
    await at.ended_before(FIRST, Outcome.INTERRUPTED)
    await at.ended_before(SECOND, Outcome.ANSWERED)
    contact = await at.end((FIRST, Outcome.DO_NOT_CALL))
    assert (contact["status"], contact["ended_because"], contact["for_good"]) == ("completed", "answered", "opted_out")
    assert not await at.is_called_back()


@pytest.mark.parametrize("answer_first", [True, False])
async def test_an_answer_to_an_earlier_try_ends_the_callback_whichever_ending_comes_first(
    store: Store, answer_first: bool
) -> None:
    callback = {"outcomes": {"interrupted": 1}, "callback": {"attempts_before": 0, "requested_at": NOW}}
    at = await scene(store, {**ON_THE_SECOND_CALL, **callback})
    await at.ended_before(FIRST, Outcome.INTERRUPTED)
    endings = [(FIRST, Outcome.ANSWERED), (SECOND, Outcome.BUSY)]
    contact = await at.end(*(endings if answer_first else endings[::-1]))
    assert (contact["status"], contact["ended_because"]) == ("completed", "answered")


async def test_a_callback_asked_for_in_a_call_is_kept_until_the_call_has_ended(store: Store) -> None:
    at = await scene(store, {**ON_THE_SECOND_CALL, "tier": queue_of(0, Tier.RETRY), "outcomes": {"busy": 1}})

    async def work(session: AsyncClientSession) -> None:
        await write_wish(store, session, contact_of(await at.now()), IN_AN_HOUR, NOW)

    await store.in_transaction(work)
    await carry_out(store, at.owner, NOW)
    assert (await at.now())["asked"]["kind"] == WishKind.CALLBACK
    contact = await at.end((SECOND, Outcome.NO_ANSWER))
    assert (contact["status"], contact["tier"]) == ("pending", queue_of(0, Tier.REQUESTED))
    assert await store["asks"].count_documents({}) == 0


async def test_campaigns_with_the_largest_labels_there_are_stop_no_shard(store: Store) -> None:
    organization = await add_organization(store)
    await open_limits(store, organization["shard"], 10)
    owner = Ownership(organization["shard"], await take_over(store, organization["shard"]))
    large: Document = {"labels": {"note": "a" * 65_000}, "description": "ä" * 10_000, "objective": "ä" * 10_000}
    # As many as are read for one batch have more than the 16 MB of one answer.
    for _ in range(200):
        campaign = await add_campaign(store, organization, **large)
        [contact] = await add_contacts(store, organization, campaign, 1)
        await ask(store, organization["_id"], contact["_id"], IN_AN_HOUR, NOW)
    await carry_out(store, owner, NOW)
    assert await store["asks"].count_documents({}) == 0
