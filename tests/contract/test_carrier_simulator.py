"""The simulated carrier seen from outside: Twilio's API, its own pages, its process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from services.carrier_simulator.app import running
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from shared.clock import utc_now
from tests.contract.carriers import ACCOUNT, CALLER, TOKEN
from tests.eventually import PATIENCE, eventually

CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"
ORDER = {"To": "+12025550123", "From": CALLER, "Url": "https://agent.example/answer"}


class Client:
    """Asks the simulator over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.port = urlsplit(url).port

    async def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        async with self._session.request(method, path, **options) as response:
            text = await response.text()
            assert response.status == status, text
            return json.loads(text) if response.content_type == "application/json" else text

    async def order(self, **changes: str) -> dict[str, Any]:
        call: dict[str, Any] = await self.ask("POST", f"{CALLS}.json", 201, data={**ORDER, **changes})
        return call

    async def order_status(self, n: int) -> int:
        async with self._session.post(f"{CALLS}.json", data={**ORDER, "To": f"+120255501{n:02}"}) as response:
            return response.status

    async def summary(self) -> dict[str, Any]:
        counts: dict[str, Any] = await self.ask("GET", "/simulator/summary")
        return counts

    async def behave(self, **changes: object) -> None:
        await self.ask("PUT", "/simulator/settings", json=changes)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    settings = {
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "simulator_record_file": str(tmp_path / "record.jsonl"),
    }
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with (
        running(SimulatorSettings.model_validate(settings), Behaviour.model_validate({})) as simulator,
        aiohttp.ClientSession(simulator.url, headers=headers) as session,
    ):
        yield Client(session, simulator.url)


async def test_order_is_answered_like_twilio_does(client: Client) -> None:
    call = await client.order()
    assert call["sid"].startswith("CA")
    assert (call["status"], call["to"], call["from"], call["direction"]) == (
        "queued",
        *list(ORDER.values())[:2],
        "outbound-api",
    )
    assert call["start_time"] is None
    fetched = await client.ask("GET", f"{CALLS}/{call['sid']}.json")
    assert fetched["sid"] == call["sid"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "12025550123"}, 21211),
        ({"To": "+1"}, 21211),
        ({"From": ""}, 21213),
        ({"From": "me"}, 21212),
        ({"Url": "answer"}, 21205),
        ({"Timeout": "soon"}, 21208),
    ],
)
async def test_bad_orders_get_twilios_error(client: Client, changes: dict[str, str], code: int) -> None:
    error = await client.ask("POST", f"{CALLS}.json", 400, data={**ORDER, **changes})
    assert (error["code"], error["status"]) == (code, 400)
    assert set(error) == {"code", "message", "more_info", "status"}


@pytest.mark.parametrize("given", ["", "Basic", "Basic !!", aiohttp.encode_basic_auth(ACCOUNT, "wrong"), "Bearer x"])
async def test_wrong_credentials_are_refused(client: Client, given: str) -> None:
    error = await client.ask("GET", f"{CALLS}.json", 401, headers={"Authorization": given})
    assert error["code"] == 20003


async def test_other_accounts_and_calls_are_not_found(client: Client) -> None:
    await client.ask("GET", "/2010-04-01/Accounts/AC1/Calls.json", 404)
    await client.ask("GET", f"{CALLS}/CA1.json", 404)
    await client.ask("POST", f"{CALLS}/CA1.json", 404, data={"Status": "completed"})


async def test_list_is_filtered_and_paged(client: Client) -> None:
    await client.behave(rules=[{"pattern": ".", "ring_seconds": 0, "talk_seconds": 600}])
    for n in range(5):
        await client.order(To=f"+1202555010{n % 2}")

    async def in_progress() -> bool:
        return len((await client.ask("GET", f"{CALLS}.json", params={"Status": "in-progress"}))["calls"]) == 5

    await eventually(in_progress)
    first = await client.ask("GET", f"{CALLS}.json", params={"To": "+12025550100", "From": CALLER, "PageSize": "2"})
    assert len(first["calls"]) == 2
    second = await client.ask("GET", first["next_page_uri"])
    assert len(second["calls"]) == 1
    assert second["next_page_uri"] is None
    assert len({call["sid"] for call in first["calls"] + second["calls"]}) == 3
    soon = (utc_now() + timedelta(minutes=1)).isoformat()
    assert (await client.ask("GET", f"{CALLS}.json", params={"StartTime>": soon}))["calls"] == []
    assert len((await client.ask("GET", f"{CALLS}.json", params={"StartTime<": soon}))["calls"]) == 5
    await client.ask("GET", f"{CALLS}.json", 400, params={"StartTime>": "soon"})


async def test_answered_call_cannot_be_canceled_but_completed(client: Client) -> None:
    await client.behave(rules=[{"pattern": ".", "ring_seconds": 0, "talk_seconds": 600}])
    path = f"{CALLS}/{(await client.order())['sid']}.json"

    async def answered() -> bool:
        return bool((await client.ask("GET", path))["status"] == "in-progress")

    await eventually(answered)
    assert (await client.ask("POST", path, 400, data={"Status": "canceled"}))["code"] == 21220
    assert (await client.ask("POST", path, data={"Status": "completed"}))["status"] == "completed"
    assert (await client.ask("POST", path, 400, data={"Status": "completed"}))["code"] == 21220


async def test_summary_and_record_count_what_happened(client: Client, tmp_path: Path) -> None:
    await client.behave(rules=[{"pattern": ".", "ending": "busy", "ring_seconds": 0.05}])
    callback = "http://127.0.0.1:9/callbacks/twilio?attempt_id=a{}&organization_id=o&contact_id=c"
    for n in range(3):
        await client.order(To=f"+1202555010{n}", StatusCallback=callback.format(n), StatusCallbackEvent="answered")

    async def all_ended() -> bool:
        return bool((await client.summary())["by_status"].get("busy") == 3)

    await eventually(all_ended)
    summary = await client.summary()
    assert (summary["placed"], summary["live"], summary["by_outcome"]) == (3, 0, {"busy": 3})
    assert 1 <= summary["peak_live"] <= 3
    assert summary["peak_live_by_organization"] == {"o": summary["peak_live"]}
    assert (summary["attempts_placed_twice"], summary["phones_called_at_once"], summary["record"]) == (0, 0, 6)
    lines = (await client.ask("GET", "/simulator/record")).splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3, 4, 5, 6]
    ended = [json.loads(line) for line in lines if json.loads(line)["event"] == "ended"]
    assert {entry["attempt_id"] for entry in ended} == {"a0", "a1", "a2"}
    assert all(entry["status"] == "busy" and entry["ended_at"] >= entry["placed_at"] for entry in ended)
    assert (await client.ask("GET", "/simulator/record?after=4")).splitlines() == lines[4:]
    assert (await client.ask("GET", "/simulator/record?after=1&limit=2")).splitlines() == lines[1:3]
    assert (tmp_path / "record.jsonl").read_text().splitlines() == lines


async def test_record_says_how_a_call_really_ended_not_how_it_was_planned(client: Client) -> None:
    await client.behave(rules=[{"pattern": ".", "ending": "answered", "ring_seconds": 600}])
    await client.order(Timeout="0")
    await client.ask("POST", f"{CALLS}/{(await client.order())['sid']}.json", data={"Status": "canceled"})

    async def ended() -> dict[str, str]:
        entries = [json.loads(line) for line in (await client.ask("GET", "/simulator/record")).splitlines()]
        return {entry["status"]: entry["outcome"] for entry in entries if entry["event"] == "ended"}

    async def both() -> bool:
        return await ended() == {"no-answer": "no_answer", "canceled": "interrupted"}

    await eventually(both)


async def test_judge_sees_what_must_never_happen(client: Client) -> None:
    callback = "http://127.0.0.1:9/?attempt_id=same&organization_id=o&contact_id=c"
    for _ in range(2):
        await client.order(StatusCallback=callback, StatusCallbackEvent="answered")
    summary = await client.summary()
    assert (summary["attempts_placed_twice"], summary["phones_called_at_once"], summary["peak_live"]) == (1, 1, 2)


async def test_calls_one_after_the_other_are_no_breach(client: Client) -> None:
    await client.behave(rules=[{"pattern": ".", "ending": "busy", "ring_seconds": 0}])
    callback = "http://127.0.0.1:9/?attempt_id={}&organization_id=o&contact_id=c"
    for n in range(3):
        await client.order(StatusCallback=callback.format(n), StatusCallbackEvent="answered")

        async def over() -> bool:
            return bool((await client.summary())["live"] == 0)

        await eventually(over)
    summary = await client.summary()
    assert (summary["attempts_placed_twice"], summary["phones_called_at_once"]) == (0, 0)
    assert (summary["peak_live"], summary["peak_live_by_organization"]) == (1, {"o": 1})


async def test_settings_change_while_it_runs(client: Client) -> None:
    await client.behave(
        answer_rate=0.1, busy_rate=0.9, voicemail_rate=0, declined_rate=0, invalid_rate=0, failed_rate=0
    )
    shown = await client.ask("GET", "/simulator/settings")
    assert (shown["answer_rate"], shown["busy_rate"]) == (0.1, 0.9)
    refused: list[object] = [{"answer_rate": 2}, {"answer_rate": 0.2}, {"speed": 1}, [], {"rules": [{"pattern": "("}]}]
    for bad in refused:
        await client.ask("PUT", "/simulator/settings", 422, json=bad)
    await client.ask("PUT", "/simulator/settings", 422, data="{")
    assert await client.ask("GET", "/simulator/settings") == shown


@pytest.mark.parametrize(
    ("refusal", "status", "message"),
    [
        ({"code": 20003, "status": 401}, 401, "Authenticate"),
        ({"code": 10001, "status": 403}, 403, "Account is not active"),
        ({"code": 21210, "caller": CALLER}, 400, "'From' phone number not verified"),
        ({"code": 21215, "country": "US"}, 400, "Account not authorized to call this number"),
        ({"code": 31999, "to_prefix": "+1202"}, 400, "The request was refused"),
    ],
)
async def test_orders_are_refused_with_any_code_while_it_runs_and_counted(
    client: Client, refusal: dict[str, object], status: int, message: str
) -> None:
    await client.order()
    await client.behave(refusals=[refusal])
    for _ in range(2):
        error = await client.ask("POST", f"{CALLS}.json", status, data=ORDER)
        assert (error["code"], error["status"], error["message"]) == (refusal["code"], status, message)
    await client.behave(refusals=[])
    await client.order()
    summary = await client.summary()
    assert (summary["placed"], summary["refused"]) == (2, 2)
    assert summary["refused_by_code"] == {str(refusal["code"]): 2}


async def test_others_are_called_while_one_caller_number_is_refused(client: Client) -> None:
    await client.behave(refusals=[{"code": 21210, "caller": CALLER}])
    await client.ask("POST", f"{CALLS}.json", 400, data=ORDER)
    await client.order(From="+12025550199")
    assert (await client.summary())["refused_by_code"] == {"21210": 1}


async def test_call_that_was_taken_may_fail_with_a_code(client: Client) -> None:
    await client.behave(refusals=[{"code": 13227, "placed": True}])
    call = await client.order()

    async def failed() -> bool:
        return bool((await client.ask("GET", f"{CALLS}/{call['sid']}.json"))["status"] == "failed")

    await eventually(failed)
    summary = await client.summary()
    assert (summary["refused_by_code"], summary["failed_by_code"]) == ({}, {"13227": 1})


async def test_calls_a_second_are_limited(client: Client) -> None:
    await client.behave(calls_per_second=5)
    answers = await asyncio.gather(*(client.order_status(n) for n in range(40)))
    assert answers.count(201) <= 10  # the second may turn once in between
    assert answers.count(429) >= 30


async def test_health(client: Client) -> None:
    assert await client.ask("GET", "/health/live") == {"status": "live"}
    assert await client.ask("GET", "/health/ready") == {"status": "ready"}


async def test_process_starts_serves_and_stops_on_sigterm() -> None:
    process = await a_process(DIALSTREAM_TWILIO_ACCOUNT_SID=ACCOUNT, DIALSTREAM_TWILIO_AUTH_TOKEN=TOKEN)
    assert process.stderr is not None
    listening = json.loads(await process.stderr.readline())
    async with aiohttp.ClientSession() as session, session.get(f"{listening['url']}/health/ready") as response:
        assert response.status == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), PATIENCE * 10) == 0


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "DIALSTREAM_TWILIO_ACCOUNT_SID"),
        ({"DIALSTREAM_SIMULATOR_ANSWER_RATE": "0.95"}, "must not add up to more than 1"),
        ({"DIALSTREAM_SIMULATOR_RULES": '[{"pattern": "("}]'}, "not a regular expression"),
    ],
)
async def test_process_refuses_contradicting_settings(variables: dict[str, str], said: str) -> None:
    account = {"DIALSTREAM_TWILIO_ACCOUNT_SID": ACCOUNT, "DIALSTREAM_TWILIO_AUTH_TOKEN": TOKEN} if variables else {}
    process = await a_process(**account, **variables)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE * 20)
    assert process.returncode == 2
    assert said in errors.decode()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DIALSTREAM_HTTP_PORT": "{taken}"}, "set DIALSTREAM_HTTP_PORT ({taken}) to a free port"),
        ({"DIALSTREAM_SIMULATOR_RECORD_FILE": "/no/such/folder/record"}, "DIALSTREAM_SIMULATOR_RECORD_FILE"),
    ],
)
async def test_process_says_what_it_cannot_have(client: Client, variables: dict[str, str], said: str) -> None:
    named = {name: value.format(taken=client.port) for name, value in variables.items()}
    process = await a_process(DIALSTREAM_TWILIO_ACCOUNT_SID=ACCOUNT, DIALSTREAM_TWILIO_AUTH_TOKEN=TOKEN, **named)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE * 20)
    assert process.returncode == 2
    assert said.format(taken=client.port) in errors.decode()
    assert "Traceback" not in errors.decode()


async def a_process(**variables: str) -> asyncio.subprocess.Process:
    others = {name: value for name, value in os.environ.items() if not name.startswith("DIALSTREAM_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.carrier_simulator", env={**others, **variables}, stderr=asyncio.subprocess.PIPE
    )
