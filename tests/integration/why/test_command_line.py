"""`dialstream` where a scheduler runs: why nobody is called, in the first row, and callbacks."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.campaign_api.native.sentences import WHAT_TO_DO
from shared.clock import utc_now
from shared.domain.reasons import WaitReason
from shared.domain.refusal import Refusal, RefusalSubject
from shared.telephony.scripts import Placement, ScriptedCall
from tests.command_line import Ran, dialstream
from tests.eventually import eventually
from tests.integration.why.conftest import ANSWERED, CALLER_NUMBER, Caller, Office

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG = ScriptedCall(talk_seconds=600.0)
REFUSED = ScriptedCall(
    placement=Placement.DENIED, refusal=Refusal(subject=RefusalSubject.ACCOUNT, code=20003, message="Authenticate")
)


async def paused(acme: Caller) -> str:
    campaign_id = str((await acme.campaign()).body["id"])
    await acme.its.post(f"/campaigns/{campaign_id}/pause")
    await acme.upload(campaign_id, range(2))
    return campaign_id


async def outside_hours(acme: Caller) -> str:
    day = (utc_now() + timedelta(days=2)).weekday()
    campaign = await acme.campaign(windows=[{"days": [DAYS[day]], "start": "00:00", "end": "24:00"}])
    await acme.upload(campaign.body["id"], range(2))
    return str(campaign.body["id"])


async def no_agent(acme: Caller) -> str:
    campaign_id = str((await acme.campaign(agent_id=None)).body["id"])
    await acme.upload(campaign_id, range(2))
    await acme.stand(campaign_id, "error", "error")
    return campaign_id


async def plain(acme: Caller) -> str:
    campaign_id = str((await acme.campaign()).body["id"])
    await acme.upload(campaign_id, range(2))
    return campaign_id


async def account_refused(acme: Caller) -> str:
    acme.plans(REFUSED)
    return await plain(acme)


async def limit_full(acme: Caller) -> str:
    acme.plans(LONG)
    await acme.its.put("/concurrency-settings", {"concurrency_limit": 1})
    return await plain(acme)


async def run(acme: Caller, home: Path, *arguments: str) -> Ran:
    ran = await dialstream(*arguments, home=home, URL=acme.office.api.url, API_KEY=acme.its.key)
    assert ran.code == 0, ran.err
    return ran


@pytest.mark.parametrize(
    ("stuck", "number", "kind", "cause"),
    [
        (paused, CALLER_NUMBER, "waits", "campaign_paused"),
        (outside_hours, CALLER_NUMBER, "waits", "outside_hours"),
        (no_agent, CALLER_NUMBER, "lacks", "no_agent"),
        (plain, None, "waits", "no_caller_number"),
        (account_refused, CALLER_NUMBER, "waits", "account_refused"),
        (limit_full, CALLER_NUMBER, "waits", "organization_limit"),
    ],
)
async def test_the_first_row_names_the_cause(
    office: Office, tmp_path: Path, stuck: Callable[[Caller], Awaitable[str]], number: str | None, kind: str, cause: str
) -> None:
    acme = await office.customer(default_agent_number=number)
    campaign_id = await stuck(acme)

    async def look() -> dict[str, Any]:
        [row, *_] = (await run(acme, tmp_path, "campaigns", "why", campaign_id)).rows or [{}]
        return row if (row.get("kind"), row.get("cause")) == (kind, cause) else {}

    row = await eventually(look, timeout=30, every=0.2, saying=f"{kind} {cause}")
    if kind == "waits":
        assert row["what_to_do"] == WHAT_TO_DO[WaitReason(cause)]
    else:
        assert "agent" in row["what_to_do"]
    acme.plans(ANSWERED)
    await office.hang_up(acme.id)


async def test_a_callback_is_asked_for_moved_and_given_up(office: Office, tmp_path: Path) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = await outside_hours(acme)
    first, then = ((utc_now() + timedelta(days=days)).isoformat(timespec="seconds") for days in (100, 200))
    await run(acme, tmp_path, "callbacks", "request", campaign_id, "lead-0", first, "--notes", "lease")

    async def listed(at: str) -> dict[str, str]:
        rows = (await run(acme, tmp_path, "callbacks", "list", "--campaign", campaign_id)).rows
        return next((row for row in rows if row["at"] == at.replace("+00:00", "Z")), {})

    waiting = await eventually(lambda: listed(first), timeout=20, every=0.2, saying="the callback")
    assert (waiting["external_id"], waiting["type"], waiting["notes"]) == ("lead-0", "requested", "lease")
    await run(acme, tmp_path, "callbacks", "reschedule", waiting["id"], then)
    moved = await eventually(lambda: listed(then), timeout=20, every=0.2, saying="the other time")
    await run(acme, tmp_path, "callbacks", "cancel", moved["id"])

    async def ended() -> bool:
        shown = await run(acme, tmp_path, "contacts", "show", campaign_id, "lead-0", "--json")
        return bool(shown.json["ended_because"] == "given_up")

    await eventually(ended, timeout=20, every=0.2, saying="the contact has ended")
