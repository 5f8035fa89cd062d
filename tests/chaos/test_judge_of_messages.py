"""The judge of messages on answering machines is judged."""

from dataclasses import replace

from shared.store.client import Store
from tests.chaos.test_judge import call, convicted, found_in, three_contacts

MESSAGE = "Call us."


def test_a_call_after_a_message_and_a_second_message_are_convicted() -> None:
    left = replace(call(0, 30, 32, "voicemail"), messages=(MESSAGE,))
    assert convicted([left, call(1, 33, 35)]) == set()
    assert convicted([left, call(0, 33, 35)]) == {"Message"}
    assert convicted([replace(left, messages=(MESSAGE,) * 2)]) == {"Message"}


async def test_a_machine_that_was_taken_for_a_person_is_convicted_where_a_message_was_left(store: Store) -> None:
    [contact, *_] = await three_contacts(store)
    attempt = {"_id": "attempt-0-0", "contact_id": "somebody who was deleted", "campaign_id": contact["campaign_id"]}
    attempt |= {"organization_id": contact["organization_id"], "call_number": 1}
    await store["attempts"].insert_one({**attempt, "outcome": "answered"})
    machine = call(0, 0, 2, "voicemail")
    assert "I10" not in await found_in(store, [machine])
    assert "I10" in await found_in(store, [replace(machine, messages=(MESSAGE,))])
