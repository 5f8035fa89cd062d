"""A stored configuration that the rules of this version do not allow: its campaigns wait, all others go on."""

from services.scheduler.shards.memory import ShardMemory
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.store.client import Store
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import take_over
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization, new_id, open_limits


async def test_only_its_own_campaigns_wait(store: Store) -> None:
    organization = await add_organization(store)
    shard = organization["shard"]
    await open_limits(store, shard, 10)
    unusable = await add_configuration(store, organization, max_attempts="many")
    [waits] = await add_contacts(store, organization, await add_campaign(store, organization, unusable), 1)
    [called] = await add_contacts(store, organization, await add_campaign(store, organization), 1, seq=7)

    now = utc_now()
    memory = ShardMemory(store, shard)
    await memory.load(now)
    demands = await memory.demands(now, 10, {})
    assert [w.contact_id for demand in demands for queue in demand.queues for w in queue.waiting] == [called["_id"]]

    owner = Ownership(shard, await take_over(store, shard))
    await store["contacts"].update_one({"_id": called["_id"]}, {"$set": {"phone_numbers": ["+14152009999"]}})
    done = await do_shard_work(store, owner, ShardWork(claim=ClaimOrder([waits["_id"], called["_id"]])), now)
    assert [job.contact_id for job in done.jobs] == [called["_id"]]
    ended = CallFinished(
        organization_id=organization["_id"],
        shard=shard,
        attempt_id=new_id(),
        contact_id=waits["_id"],
        outcome=Outcome.BUSY,
        ended_at=now,
    )
    assert (await do_shard_work(store, owner, ShardWork(ended=[ended]), now)).recorded.new == [ended.attempt_id]
