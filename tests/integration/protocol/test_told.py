"""Facts in the transactions that make them true, beside all else that happens: named as in the model (S7)."""

from datetime import timedelta

from shared.domain.campaign import CampaignMove
from shared.domain.facts import FactType
from shared.domain.outcome import Outcome
from shared.store.client import Store
from tests.integration.protocol import edits, ends
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, ANN, BOB, SPRING, new_world
from tests.integration.protocol.test_completion import complete, finished_world
from tests.integration.protocol.test_refusals import ends as call_ends
from tests.integration.protocol.test_runs import ROOMY
from tests.integration.protocol.test_traces import ACME_SHARD, call
from tests.integration.protocol.told import OF_CAMPAIGNS, told_to


async def test_completed_before_paused(store: Store) -> None:
    """S7: the completion was told, and later what came before it: that the campaign was paused and started again."""
    world = await finished_world(store)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    # The gateway's clock is behind the scheduler's.
    world.now -= timedelta(seconds=2)
    await edits.move(world, SPRING, CampaignMove.START)
    world.now += timedelta(seconds=2)
    assert await complete(world) == {SPRING}
    told = [fact["type"] for fact in await told_to(store, ACME) if fact["type"] in OF_CAMPAIGNS]
    assert told[1:] == [FactType.CAMPAIGN_PAUSED, FactType.CAMPAIGN_RESUMED, FactType.CAMPAIGN_COMPLETED]
    await drain(world)


async def test_a_call_whose_placement_no_event_has_told_of_is_placed_before_it_ends(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await call(world, ANN)
    # What the executor had to say is lost with it.
    await world.kill_executor(0)
    await call_ends(world, ANN, Outcome.ANSWERED)
    kinds = [fact["type"] for fact in await told_to(store, ACME)]
    assert kinds == [
        FactType.CAMPAIGN_STARTED,
        FactType.CALL_PLACED,
        FactType.CALL_ENDED,
        FactType.CONTACT_COMPLETED,
    ]
    await drain(world)


async def test_a_call_is_told_of_while_it_is_up_and_once(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await call(world, ANN)
    await world.flush(0)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    [_, placed] = await told_to(store, ACME)
    assert placed["type"] == FactType.CALL_PLACED
    assert placed["contact_id"] == ANN
    await call_ends(world, ANN, Outcome.BUSY)
    kinds = [fact["type"] for fact in await told_to(store, ACME)]
    assert kinds.count(FactType.CALL_PLACED) == 1
    assert kinds[-3:] == [FactType.CALL_ENDED, FactType.CONTACT_COMPLETED, FactType.CALLBACK_SCHEDULED]
    await drain(world)


async def test_facts_of_a_transaction_that_is_done_again_are_told_once(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await ends.auto_complete(world, SPRING, on=True)
    for contact_id in (ANN, BOB):
        await call(world, contact_id)
        [up] = world.carrier.live()
        world.carrier.end(up, Outcome.ANSWERED)
        await world.report(up, times=2)
        await world.work(ACME_SHARD, ACME_SHARD, claim=(), reply_lost=True)
        await world.work(ACME_SHARD, ACME_SHARD, claim=())
    ended = [fact for fact in await told_to(store, ACME) if fact["type"] == FactType.CALL_ENDED]
    assert [fact["contact_id"] for fact in ended] == [ANN, BOB]
    await drain(world)
