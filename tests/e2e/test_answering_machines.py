"""Contacts whose line is a machine, through all services and the simulated carrier: hung up on, or left a message."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from deploy.demo.dial import CONFIGURATION
from deploy.local.servers import Addresses
from tests.e2e.system import System, SystemCustomer, system_on
from tests.e2e.test_one_contact import EVERYBODY_ANSWERS
from tests.eventually import eventually

MESSAGE: Final = "This is Smith & Sons. Please call us back."
LEAVE: Final = {"action": "leave_message", "message": MESSAGE, "language": "en-GB"}
SETTINGS: Final = {
    **EVERYBODY_ANSWERS,
    "DIALSTREAM_SIMULATOR_ANSWER_RATE": "0",
    "DIALSTREAM_SIMULATOR_VOICEMAIL_RATE": "1",
    # The machine would go on for longer than the test waits.
    "DIALSTREAM_SIMULATOR_TALK_MIN_SECONDS": "600",
    "DIALSTREAM_SIMULATOR_TALK_MAX_SECONDS": "600",
    "DIALSTREAM_SIMULATOR_TIME_SCALE": "0.1",
    # Every word of the carrier comes twice.
    "DIALSTREAM_SIMULATOR_CALLBACK_DOUBLED_RATE": "1",
}


@pytest.fixture(scope="module")
async def system(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with system_on(servers, tmp_path_factory.mktemp("logs"), settings=SETTINGS) as system:
        await system.start()
        yield system


async def called(customer: SystemCustomer, voicemail: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    """A contact whose line is a machine, once it has ended; the rule of voicemail calls again after a second."""
    rules = {"voicemail": {"delay_seconds": 1, "max_attempts": 2, **rule}}
    wanted = {**CONFIGURATION, "retry_rules": rules, "voicemail": voicemail}
    configuration = await customer.api.post("/campaign/configurations", wanted)
    named = {"name": "Machines", "configuration_id": configuration["id"]}
    campaign = (await customer.api.post("/campaign/campaigns", named))["id"]
    rows = [{"external_id": "lead-1", "phone_numbers": ["+14155550123"]}]
    await customer.api.post(f"/campaign/campaigns/{campaign}/contacts", {"contacts": rows})

    async def ended() -> dict[str, Any] | None:
        found = await customer.contact(campaign, "lead-1")
        return found if found["ended_because"] is not None else None

    found: dict[str, Any] | None = await eventually(ended, timeout=40, saying="the contact ended")
    assert found is not None
    return found


async def messages(system: System, contact: dict[str, Any]) -> list[list[str]]:
    """What was spoken in each of the contact's calls, by the carrier's record."""
    record = await system.carrier_record()
    mine = [entry for entry in record if entry["contact_id"] == contact["id"] and entry["event"] == "ended"]
    return [entry["messages"] for entry in mine]


async def test_a_message_is_left_once_and_nobody_called_again(system: System) -> None:
    contact = await called(await system.new_customer(), LEAVE, {})
    assert (contact["status"], contact["ended_because"]) == ("exhausted", "voicemail")
    [attempt] = contact["attempts"]
    assert (attempt["outcome"], attempt["message_left"]) == ("voicemail", True)
    assert await messages(system, contact) == [[MESSAGE]]
    assert (await system.carrier_summary())["calls_with_two_messages"] == 0
    system.check()


async def test_with_after_message_the_contact_is_called_again(system: System) -> None:
    contact = await called(await system.new_customer(), LEAVE, {"after_message": True})
    assert [attempt["message_left"] for attempt in contact["attempts"]] == [True, True]
    assert await messages(system, contact) == [[MESSAGE], [MESSAGE]]
    assert (await system.carrier_summary())["calls_with_two_messages"] == 0


async def test_a_machine_is_hung_up_on_and_called_again_by_its_rule(system: System) -> None:
    contact = await called(await system.new_customer(), {"action": "hang_up"}, {})
    assert (contact["status"], contact["ended_because"]) == ("exhausted", "voicemail")
    assert [(a["outcome"], a["message_left"]) for a in contact["attempts"]] == [("voicemail", False)] * 2
    assert all(attempt["duration_seconds"] < 10 for attempt in contact["attempts"])
    assert await messages(system, contact) == [[], []]
