"""Whose turn a freed slot is (I12), call by call: calls here end when the test says so, and not before."""

from dataclasses import dataclass

from services.scheduler.planner import CampaignQueue, OrganizationDemand
from services.scheduler.sharing.global_limit import GlobalLimit
from services.scheduler.sharing.grants import Grants
from shared.clock import utc_now
from shared.domain.contact import WaitingContact
from shared.domain.ids import SHARDS
from shared.store.client import Document, Store
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import ensure_shards, set_global_limit
from shared.telephony.provider import PlaceCall
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization

GLOBAL_LIMIT = 40
SMALL = 20
# The huge one's shard, in which there are some of the small ones too.
SHARD = 3


@dataclass(slots=True)
class HeldLine:
    """A script whose calls last until they are hung up; `lasting` off, new ones end at once."""

    lasting: bool = True

    def __call__(self, call: PlaceCall) -> ScriptedCall:
        return ScriptedCall(talk_seconds=1000 if self.lasting else 0)


async def end_call(carrier: ScriptedProvider, place: int) -> None:
    """End the call that was placed as this one, from 0."""
    await carrier.hang_up(f"scripted-{place + 1}")


async def add_small_ones(store: Store) -> list[str]:
    """Small organizations with contacts, of every shard; as whoever adds contacts does, so that schedulers look."""
    small = [await add_organization(store, concurrency_limit=10, shard=(SHARD + n) % SHARDS) for n in range(SMALL)]
    for organization in small:
        await add_contacts(store, organization, await add_campaign(store, organization), 3)
        await store["organizations"].update_one({"_id": organization["_id"]}, {"$currentDate": {"changed_at": True}})
    return [organization["_id"] for organization in small]


async def those_who_want(store: Store) -> set[str]:
    """Organizations of which some scheduler has said that they could use slots."""
    return {organization async for shard in store["shards"].find({}) for organization in shard["want"]}


async def test_the_next_calls_to_end_make_room_for_each_of_twenty_small_ones_beside_a_huge_one(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    huge = await add_organization(store, concurrency_limit=10_000, shard=SHARD)
    await add_contacts(store, huge, await add_campaign(store, huge), 10 * GLOBAL_LIMIT)
    line = HeldLine()
    async with running_engine(store, kafka_address, topic_prefix, script=line) as engine:
        await engine.start_executor(calls_per_second=1000)
        for n in range(2):
            await engine.start_scheduler(f"scheduler-{n}", global_concurrency_limit=GLOBAL_LIMIT)
        carrier = engine.carriers[0]
        await eventually(lambda: carrier.live == GLOBAL_LIMIT, timeout=60)
        small = await add_small_ones(store)

        async def all_want() -> bool:
            assert not engine.failures()
            return set(small) <= await those_who_want(store)

        await eventually(all_want, timeout=60)
        for ended in range(SMALL):
            await end_call(carrier, ended)
            await eventually(lambda: carrier.live == GLOBAL_LIMIT, timeout=60)
        first = [call.organization_id for call in carrier.placements[GLOBAL_LIMIT : GLOBAL_LIMIT + SMALL]]
        line.lasting = False
        for place in range(carrier.placed):
            await end_call(carrier, place)
        assert sorted(first) == sorted(small)
        assert carrier.peak_live <= GLOBAL_LIMIT


def demand_of(organization: Document, held: int) -> OrganizationDemand:
    waiting = [WaitingContact(0, utc_now(), n, f"contact-{n}") for n in range(100)]
    return OrganizationDemand(organization["_id"], 10, held, 0.0, [CampaignQueue("campaign", 1, waiting)])


async def new_grants(store: Store, organization: Document) -> Grants:
    await ensure_shards(store)
    await set_global_limit(store, GLOBAL_LIMIT)
    return Grants(Ownership(organization["shard"], 0), GlobalLimit(store))


async def test_an_organization_at_its_limit_keeps_its_part_for_the_next_call(store: Store) -> None:
    organization = await add_organization(store, concurrency_limit=10)
    grants = await new_grants(store, organization)
    await grants.adjust([demand_of(organization, held=0)], 0, 0)
    assert (grants.grant, grants.entitled[organization["_id"]]) == (10, 10)
    await store["shards"].update_one({"_id": organization["shard"]}, {"$set": {"held": 10}})
    grants = await new_grants(store, organization)
    await grants.adjust([demand_of(organization, held=10)], 10, 10)
    assert (grants.grant, grants.entitled[organization["_id"]]) == (10, 10)


async def test_a_newcomer_is_granted_slots_beside_the_last_calls_of_others_in_its_shard(store: Store) -> None:
    organization = await add_organization(store, concurrency_limit=10)
    await ensure_shards(store)
    await store["shards"].update_one({"_id": organization["shard"]}, {"$set": {"held": 25, "grant": 25}})
    await store["global_budget"].update_one({}, {"$set": {"limit": GLOBAL_LIMIT}})
    grants = await new_grants(store, organization)
    await grants.adjust([demand_of(organization, held=0)], 25, 25)
    assert (grants.grant, grants.entitled[organization["_id"]]) == (35, 10)
