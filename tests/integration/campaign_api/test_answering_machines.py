"""The carrier says at our endpoint that a machine has taken a call; a carrier on HTTP hears what is done with it."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.clock import utc_now
from shared.store.client import Document
from shared.telephony.twilio_callback import MACHINE_PATH
from shared.telephony.twilio_signature import sign
from tests.factories import add_campaign, add_contacts, add_organization
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import AUTH_TOKEN, PUBLIC_URL, Stack, serving

LEAVE = {"detect": True, "action": "leave_message", "message": "Call us & ask.", "language": None}
HANG_UP = {"detect": True, "action": "hang_up", "message": None, "language": None}
SPOKEN = {"Twiml": "<Response><Say>Call us &amp; ask.</Say><Hangup/></Response>"}


@dataclass
class Carrier:
    """Answers every request as it is told, and remembers them."""

    status: int = 200
    code: int | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path.rpartition("/")[2], dict(await request.post())))
        return web.json_response({"code": self.code}, status=self.status)


@pytest.fixture
async def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
async def gateway(stack: Stack, carrier: Carrier) -> AsyncIterator[Api]:
    app = web.Application()
    app.router.add_post("/{path:.*}", carrier.answer)
    async with TestServer(app) as server:
        account = {"twilio_account_sid": f"AC{'0a' * 16}", "twilio_base_url": str(server.make_url("/"))}
        settings = stack.settings.model_copy(update=account)
        async with serving(settings, stack.store, stack.producer) as api:
            yield api


async def on_call(stack: Stack, voicemail: Document | None) -> Document:
    """A contact that is on a call with this handling of machines."""
    organization = await add_organization(stack.store)
    [contact] = await add_contacts(stack.store, organization, await add_campaign(stack.store, organization), 1)
    lock: Document = {"attempt": str(uuid.uuid4()), "claim": "c", "phone": "+14155550123"}
    lock |= {"voicemail": voicemail} if voicemail else {}
    start = {"nonce": "n", "executor": "e", "mode": "callback", "at": utc_now(), "hold_until": utc_now()}
    await stack.store["contacts"].update_one(
        {"_id": contact["_id"]}, {"$set": {"status": "in_progress", "lock": lock, "start": start}}
    )
    found = await stack.store["contacts"].find_one({"_id": contact["_id"]})
    assert found is not None
    return found


async def say(api: Api, contact: Document, answered_by: str = "machine_end_beep", **ids: str) -> int:
    known = {
        "attempt_id": contact["lock"]["attempt"],
        "organization_id": contact["organization_id"],
        "contact_id": contact["_id"],
        "shard": str(contact["shard"]),
    }
    path = f"{MACHINE_PATH}?{urlencode({**known, **ids})}"
    body = urlencode({"CallSid": "CA1", "AnsweredBy": answered_by})
    headers = {
        "X-Twilio-Signature": sign(AUTH_TOKEN, PUBLIC_URL + path, parse_qsl(body)),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return (await api.call("POST", path, raw=body.encode(), headers=headers)).status


async def noted(stack: Stack, contact: Document) -> tuple[str, bool] | None:
    found = await stack.store["answering_machines"].find_one({"_id": contact["lock"]["attempt"]})
    return (found["outcome"], found["message"]) if found else None


async def test_a_message_is_left_once_however_often_the_carrier_says_so(
    gateway: Api, stack: Stack, carrier: Carrier
) -> None:
    contact = await on_call(stack, LEAVE)
    assert [await say(gateway, contact) for _ in range(3)] == [200] * 3
    assert carrier.asked == [("CA1.json", SPOKEN)]
    assert await noted(stack, contact) == ("voicemail", True)


async def test_no_message_is_left_while_the_greeting_goes_on(gateway: Api, stack: Stack, carrier: Carrier) -> None:
    contact = await on_call(stack, LEAVE)
    assert await say(gateway, contact, "machine_start") == 200
    assert (carrier.asked, await noted(stack, contact)) == ([], None)


@pytest.mark.parametrize(
    ("voicemail", "answered_by", "outcome"),
    [(HANG_UP, "machine_start", "voicemail"), (HANG_UP, "fax", "failed"), (LEAVE, "fax", "failed")],
)
async def test_a_machine_is_hung_up_on(
    gateway: Api, stack: Stack, carrier: Carrier, voicemail: Document, answered_by: str, outcome: str
) -> None:
    contact = await on_call(stack, voicemail)
    assert await say(gateway, contact, answered_by) == 200
    assert carrier.asked == [("CA1.json", {"Status": "completed"})]
    assert await noted(stack, contact) == (outcome, False)


@pytest.mark.parametrize("answered_by", ["human", "unknown"])
async def test_a_person_is_left_to_the_agent(gateway: Api, stack: Stack, carrier: Carrier, answered_by: str) -> None:
    contact = await on_call(stack, LEAVE)
    assert await say(gateway, contact, answered_by) == 200
    assert (carrier.asked, await noted(stack, contact)) == ([], None)


async def test_a_call_without_handling_or_of_another_attempt_is_left_alone(
    gateway: Api, stack: Stack, carrier: Carrier
) -> None:
    assert await say(gateway, await on_call(stack, None)) == 200
    contact = await on_call(stack, LEAVE)
    assert await say(gateway, contact, attempt_id=str(uuid.uuid4())) == 200
    assert await say(gateway, contact, organization_id="others") == 200
    assert (carrier.asked, await noted(stack, contact)) == ([], None)


async def test_while_the_carrier_takes_nothing_it_is_asked_to_say_so_again(
    gateway: Api, stack: Stack, carrier: Carrier
) -> None:
    leave, hang_up = await on_call(stack, LEAVE), await on_call(stack, HANG_UP)
    carrier.status = 429
    assert [await say(gateway, contact) for contact in (leave, hang_up)] == [503, 503]
    assert await noted(stack, leave) is None
    carrier.status = 200
    assert [await say(gateway, contact) for contact in (leave, hang_up)] == [200, 200]
    assert await noted(stack, leave) == ("voicemail", True)
    assert carrier.asked[2:] == [("CA1.json", SPOKEN), ("CA1.json", {"Status": "completed"})]


async def test_a_message_whose_answer_was_lost_is_not_left_again(gateway: Api, stack: Stack, carrier: Carrier) -> None:
    contact = await on_call(stack, LEAVE)
    carrier.status = 500
    assert [await say(gateway, contact) for _ in range(2)] == [200, 200]
    assert len(carrier.asked) == 1
    assert await noted(stack, contact) == ("voicemail", True)


async def test_a_call_that_is_over_has_no_message(gateway: Api, stack: Stack, carrier: Carrier) -> None:
    contact = await on_call(stack, LEAVE)
    carrier.status, carrier.code = 400, 21220
    assert await say(gateway, contact) == 200
    assert await noted(stack, contact) == ("voicemail", False)


async def test_handling_that_breaks_our_rules_leaves_the_call_alone(
    gateway: Api, stack: Stack, carrier: Carrier
) -> None:
    contact = await on_call(stack, {"action": "sing"})
    assert await say(gateway, contact) == 200
    assert carrier.asked == []


async def test_without_an_account_a_machine_cannot_be_acted_on(api: Api, stack: Stack) -> None:
    contact = await on_call(stack, LEAVE)
    assert await say(api, contact) == 400
    assert await say(api, contact, "human") == 200


async def test_a_forged_word_is_403(gateway: Api, stack: Stack, carrier: Carrier) -> None:
    contact = await on_call(stack, LEAVE)
    path = f"{MACHINE_PATH}?attempt_id={contact['lock']['attempt']}"
    forged = {"X-Twilio-Signature": "guessed", "Content-Type": "application/x-www-form-urlencoded"}
    assert (await gateway.call("POST", path, raw=b"CallSid=CA1&AnsweredBy=fax", headers=forged)).status == 403
    assert carrier.asked == []
