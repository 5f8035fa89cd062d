"""A running scheduler: wishes that no hint tells of are carried out, and contacts that rest hold up nobody behind."""

from datetime import timedelta

from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.ids import organization_budget
from shared.domain.queue_order import queue_of
from shared.domain.refusal import Refusal, RefusalSubject, Rest
from shared.domain.wishes import WishKind
from shared.store.client import Store
from shared.store.contacts.asking import Asking, ask
from shared.store.contacts.wishes import ask_again
from shared.store.dialing.rests import write_rest
from shared.telephony.scripts import ScriptedCall, always
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.factories import a_moment_ago, add_campaign, add_contacts, add_organization

AN_HOUR = timedelta(hours=1)


async def completed(store: Store, engine: Engine, count: int) -> bool:
    assert not engine.failures()
    return await store["contacts"].count_documents({"status": "completed"}) == count


async def test_a_wish_is_carried_out_though_nothing_was_touched(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    # No stamp of a change is new, and no hint is given: whoever asked ended right after having written the wish.
    organization = await add_organization(store, changed_at=utc_now() - AN_HOUR)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 1)
    fields = {"status": "error", "ended_because": "no_agent"}
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor()
        await engine.start_scheduler()
        await eventually(lambda: completed(store, engine, 1), timeout=30, saying="the shard is taken over")
        ended = await add_contacts(store, organization, campaign, 3, **fields)
        assert await ask_again(store, ended, utc_now()) == 3
        await eventually(lambda: completed(store, engine, 4), timeout=10, saying="the wish is carried out")
    assert await store["asks"].count_documents({}) == 0


async def test_who_asked_to_be_called_back_is_called_at_that_time_before_all_others(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, concurrency_limit=1)
    campaign = await add_campaign(store, organization)
    answered = {"status": "completed", "ended_because": "answered", "attempts_made": 1, "outcomes": {"answered": 1}}
    [ended] = await add_contacts(store, organization, campaign, 1, last_attempt="a", **answered)
    others = await add_contacts(store, organization, campaign, 40, priority=9, tier=queue_of(9, Tier.FRESH))
    await store["counters_in"].update_one({"campaign_id": campaign["_id"]}, {"$set": {"prioritized": True}})
    # The others take longer than it takes until the callback is due, one after the other.
    calls = always(ScriptedCall(talk_seconds=0.1))
    async with running_engine(store, kafka_address, topic_prefix, script=calls) as engine:
        await engine.start_executor()
        await engine.start_scheduler()
        placed = engine.carriers[0].placements
        await eventually(lambda: len(placed) > 2, timeout=30, saying="the shard is taken over")
        at = utc_now() + timedelta(seconds=1)
        await ask(store, organization["_id"], ended["_id"], Asking(WishKind.CALLBACK, at), utc_now())

        def is_called_back() -> bool:
            assert not engine.failures()
            return any(call.contact_id == ended["_id"] for call in placed)

        await eventually(is_called_back, timeout=15)
        assert utc_now() >= at
        assert len(placed) < len(others), "not after all others"
        await eventually(lambda: completed(store, engine, 41), timeout=30)


async def test_contacts_of_a_country_that_rests_hold_up_nobody_behind_them(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    now = utc_now()
    organization = await add_organization(store, concurrency_limit=1)
    campaign = await add_campaign(store, organization)
    refusal = Refusal(subject=RefusalSubject.COUNTRY, code=21215)
    rest = write_rest(
        organization_budget(organization["_id"]), "country:MX", Rest(now + AN_HOUR, 6, now - AN_HOUR, refusal)
    )
    await store["budgets"].bulk_write([rest])
    first_in_line = a_moment_ago(minutes=10)
    for number in range(80):
        phone = f"+52551234{number:04d}"
        await add_contacts(store, organization, campaign, 1, phone_numbers=[phone], due_at=first_in_line)
    await add_contacts(store, organization, campaign, 5, due_at=a_moment_ago(minutes=1))
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor()
        await engine.start_scheduler()

        async def the_first_is_put_off() -> bool:
            assert not engine.failures()
            return await store["contacts"].count_documents({"put_off.reason": "country_refused"}) > 0

        await eventually(the_first_is_put_off, timeout=30)
        await eventually(lambda: completed(store, engine, 5), timeout=15, saying="the others are called")
        assert {call.phone_number[:2] for call in engine.carriers[0].placements} == {"+1"}
    assert await store["contacts"].count_documents({"put_off.reason": "country_refused"}) == 80
