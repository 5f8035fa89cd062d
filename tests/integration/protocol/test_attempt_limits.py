"""Which calls the limits of attempts count: invalid numbers count for none, and in all there is a ceiling."""

from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.store.client import Store
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import AMY, CAT, PHONES, SUMMER, new_world
from tests.integration.protocol.test_refusals import called, claim, ends
from tests.integration.protocol.test_traces import call, contact, status


async def test_first_number_invalid_second_called_at_once_and_counts_nothing(store: Store) -> None:
    world = await new_world(store)
    await call(world, CAT)
    await ends(world, CAT, Outcome.INVALID_NUMBER)
    waits = await contact(world, CAT)
    assert (waits["status"], waits["due_at"], waits["invalid_numbers"]) == ("pending", world.now, [PHONES[2]])
    assert (waits["attempts_made"], waits["uncounted"], waits["outcomes"]) == (1, 1, {})
    for _ in range(2):
        await call(world, CAT)
        await ends(world, CAT, Outcome.NO_ANSWER)
        await world.pass_time(6)
    assert await status(world, CAT) == ContactStatus.EXHAUSTED
    assert [placed.request.phone_number for placed in world.carrier.calls] == [PHONES[2], PHONES[3], PHONES[3]]
    attempts = await store["attempts"].find({"contact_id": CAT}).sort("attempt_number").to_list()
    assert [attempt["outcome"] for attempt in attempts] == ["invalid_number", "no_answer", "no_answer"]
    assert (await contact(world, CAT))["ended_because"] == "no_answer"
    await drain(world)


async def test_all_numbers_invalid_ends_exhausted_invalid_number(store: Store) -> None:
    world = await new_world(store)
    for _ in range(2):
        await call(world, CAT)
        await ends(world, CAT, Outcome.INVALID_NUMBER)
    ended = await contact(world, CAT)
    assert (ended["status"], ended["ended_because"]) == ("exhausted", "invalid_number")
    assert ended["invalid_numbers"] == [PHONES[2], PHONES[3]]
    assert [placed.request.phone_number for placed in world.carrier.calls] == [PHONES[2], PHONES[3]]
    await drain(world)


async def test_limits_of_several_outcomes_add_up_to_no_more_calls_than_the_highest(store: Store) -> None:
    world = await new_world(store)
    three = {"retry": True, "max_attempts": 3, "delay_seconds": 5}
    rules = {"voicemail": three, "failed": three, "busy": {"retry": False}}
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"max_attempts": 3, "retry_rules": rules}})
    world.rules.ceilings[SUMMER] = 3
    for outcome in (Outcome.VOICEMAIL, Outcome.FAILED, Outcome.VOICEMAIL):
        assert await status(world, AMY) == ContactStatus.PENDING
        await call(world, AMY)
        await ends(world, AMY, outcome)
        await world.pass_time(6)
    ended = await contact(world, AMY)
    assert (ended["status"], ended["ended_because"]) == ("exhausted", "voicemail")
    assert await claim(world, AMY) == []
    assert called(world) == [AMY] * 3
    await drain(world)
