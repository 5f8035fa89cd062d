"""How calls from caller numbers have ended, over HTTP."""

from datetime import datetime, timedelta
from typing import Any

from shared.clock import utc_now
from tests.factories import new_id
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.test_caller_numbers import A, B, registered


async def test_the_share_of_answered_calls_is_told_of_each_number_when_it_is_asked_for(
    acme: Customer, stack: Stack
) -> None:
    await registered(acme, A)
    await registered(acme, B)
    now = utc_now().replace(microsecond=0)
    calls = [(A, "answered", 0), (A, "voicemail", 1), (A, "no_answer", 2), (A, "busy", 30)]
    await stack.store["attempts"].insert_many(
        [
            {
                "_id": new_id(),
                "organization_id": acme.organization_id,
                "caller_number": number,
                "outcome": outcome,
                "created_at": now - timedelta(hours=hours),
                "call_number": hours,
            }
            for number, outcome, hours in calls
        ]
    )
    plain = (await acme.get("/caller-number-use")).body
    assert (plain["ended_calls_since"], [one["ended_calls"] for one in plain["caller_numbers"]]) == (None, [None, None])
    told = (await acme.get("/caller-number-use?hours=24")).body
    outcomes = {"answered": 1, "voicemail": 1, "no_answer": 1}
    none: dict[str, Any] = {"ended": 0, "answered": 0, "answer_rate": None, "outcomes": {}}
    assert {one["number"]: one["ended_calls"] for one in told["caller_numbers"]} == {
        A: {"ended": 3, "answered": 1, "answer_rate": 0.3333, "outcomes": outcomes},
        B: none,
    }
    at, since = (datetime.fromisoformat(told[name]) for name in ("at", "ended_calls_since"))
    assert at - since == timedelta(hours=24)
    week = (await acme.get("/caller-number-use?hours=168")).body["caller_numbers"][0]["ended_calls"]
    assert (week["ended"], week["answer_rate"]) == (4, 0.25)
    for wrong in ("0", "169", "many"):
        assert (await acme.get(f"/caller-number-use?hours={wrong}")).status == 422
