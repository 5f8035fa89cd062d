"""A deleted campaign calls nobody, and its contacts are moved as those of a cancelled one are."""

from shared.domain.campaign import CampaignMove
from shared.domain.contact import ContactStatus
from shared.store.client import Store
from tests.integration.protocol import edits
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ANN, BOB, SPRING, new_world
from tests.integration.protocol.test_traces import ACME_SHARD, A, contact, job_for, status, task_of


async def test_who_waits_in_a_deleted_campaign_is_skipped_and_who_was_claimed_is_not_called(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    await edits.move(world, SPRING, CampaignMove.CANCEL)
    await edits.move(world, SPRING, CampaignMove.DELETE)
    await edits.move(world, SPRING, CampaignMove.START)
    assert (await world.store["campaigns"].find_one({"_id": SPRING}) or {})["deleted_at"] is not None, "found no more"
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await status(world, BOB) == ContactStatus.SKIPPED
    await world.dial(A, task_of(world, A, ANN))
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, ANN) == ContactStatus.SKIPPED
    assert world.carrier.calls == []
    await drain(world)


async def test_who_was_given_to_a_draft_that_is_deleted_is_skipped(store: Store) -> None:
    world = await new_world(store)
    await edits.make_draft(world, SPRING)
    await edits.move(world, SPRING, CampaignMove.DELETE)
    await world.work(ACME_SHARD, ACME_SHARD)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    ann = await contact(world, ANN)
    assert (ann["status"], ann["ended_because"]) == (ContactStatus.SKIPPED, "cancelled")
    await drain(world)
