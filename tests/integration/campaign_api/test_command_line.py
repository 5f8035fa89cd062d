"""`dialstream` against a running gateway: what a first day needs, and how commands end."""

import asyncio
import json
import signal
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from standardwebhooks import Webhook

from deploy.local.home import free_port
from services.contact_ingest.jobs import Jobs
from shared.clock import utc_now
from shared.store.catalog.file_contents import GridFSFiles
from tests.command_line import Ran, dialstream, running
from tests.eventually import eventually
from tests.integration.campaign_api.client import ADMIN_TOKEN, CALLABLE, Api, Customer
from tests.integration.campaign_api.conftest import Stack


async def run(acme: Customer, home: Path, *arguments: str, **environment: str) -> Ran:
    return await dialstream(*arguments, home=home, **{"URL": acme.api.url, "API_KEY": acme.key} | environment)


async def campaign_of(acme: Customer) -> str:
    return str((await acme.new_campaign(state="draft"))["id"])


async def test_a_login_is_kept_for_its_owner_alone_and_used_by_the_next_command(acme: Customer, tmp_path: Path) -> None:
    made = await dialstream("login", acme.api.url, home=tmp_path, stdin=f"{acme.key}\n")
    assert made.code == 0, made.err
    assert acme.key not in made.out + made.err
    file = tmp_path / "dialstream" / "login.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await dialstream("campaigns", "list", "--json", home=tmp_path)).json == []


async def test_a_wrong_key_is_not_kept(acme: Customer, tmp_path: Path) -> None:
    refused = await dialstream("login", acme.api.url, home=tmp_path, stdin="ak_no.such\n")
    assert refused.code == 1
    assert not (tmp_path / "dialstream").exists()


async def test_how_commands_end(acme: Customer, tmp_path: Path) -> None:
    missing = await run(acme, tmp_path, "campaigns", "why", "no/such ?")
    assert (missing.code, missing.out) == (1, "")
    assert "'no/such ?'" in missing.err
    assert (await run(acme, tmp_path, "campaigns", "list", "--sideways")).code == 2
    assert (await dialstream("campaigns", "list", home=tmp_path)).code == 2
    assert (await run(acme, tmp_path, "campaigns", "list", URL="elsewhere")).code == 2
    away = f"http://127.0.0.1:{free_port()}"
    assert (await run(acme, tmp_path, "campaigns", "list", URL=away)).code == 3


async def test_a_campaign_is_made_started_paused_resumed_and_cancelled(acme: Customer, tmp_path: Path) -> None:
    configuration = await acme.new_configuration(**CALLABLE)
    made = await run(
        acme, tmp_path, "campaigns", "create", "Spring\tsale", "--configuration", configuration,
        "--external-id", "spring/1", "--draft", "--json",
    )  # fmt: skip
    assert (made.code, made.json["state"]) == (0, "draft"), made.err
    for verb, state in (("start", "running"), ("pause", "paused"), ("resume", "running")):
        assert (await run(acme, tmp_path, "campaigns", verb, "spring/1", "--json")).json["state"] == state
    assert (await run(acme, tmp_path, "campaigns", "cancel", "spring/1")).code == 2, "nobody can be asked"
    cancelled = await run(acme, tmp_path, "campaigns", "cancel", "spring/1", "--yes")
    assert f"id\t{made.json['id']}\n" in cancelled.out
    [row] = (await run(acme, tmp_path, "campaigns", "list", "--status", "closed")).rows
    assert (row["external_id"], row["name"]) == ("spring/1", "Spring sale"), "a tab in a name makes no column"
    assert (await run(acme, tmp_path, "campaigns", "start", "spring/1")).code == 1


async def test_lines_of_json_are_loaded_and_bad_ones_set_aside(acme: Customer, tmp_path: Path) -> None:
    campaign, file = await campaign_of(acme), tmp_path / "people.ndjson"
    rows: list[Any] = [{"external_id": f"p-{n}", "phone_numbers": [f"+1415555{n:04d}"]} for n in range(1200)]
    rows[700]["phone_numbers"] = ["nonsense"]
    rows[1100] = ["no object"]
    file.write_text("\n".join(map(json.dumps, rows)))
    loaded = await run(acme, tmp_path, "contacts", "add", campaign, str(file), "--json")
    assert loaded.code == 1
    assert (loaded.json["inserted"], loaded.json["refused"]) == (1198, 2)
    aside = (tmp_path / "people.ndjson.refused.csv").read_text().splitlines()[1:]
    assert sorted(line.split(",")[0] for line in aside) == ["1101", "701"]
    shown = await run(acme, tmp_path, "contacts", "show", campaign, "p-3", "--json")
    assert shown.json["phone_numbers"] == ["+14155550003"]
    again = await run(acme, tmp_path, "contacts", "add", campaign, str(file), "--json")
    assert (again.json["inserted"], again.json["updated"]) == (0, 1198)


async def test_a_csv_file_becomes_an_import_with_its_columns_as_told(
    acme: Customer, stack: Stack, tmp_path: Path
) -> None:
    campaign, file = await campaign_of(acme), tmp_path / "people.csv"
    file.write_text("Handset;Company;Notes\n+14155550101;Acme;x\n=1+1;Acme;y\n", encoding="utf-8")
    jobs = Jobs(stack.store, stack.producer, GridFSFiles(stack.store), "ingest-1")
    told = ("contacts", "add", campaign, str(file), "--map", "Handset=phone_numbers", "--map", "Notes=ignore", "--json")
    loading = asyncio.create_task(run(acme, tmp_path, *told))

    async def begun() -> Any:
        return (await acme.get(f"/campaigns/{campaign}/imports")).body["imports"]

    try:
        # What contact-ingest does when it is told.
        jobs.begin((await eventually(begun, timeout=20, saying="the import has begun"))[0]["id"])
        loaded = await loading
    finally:
        await jobs.stop()
    assert (loaded.code, loaded.json["inserted"], loaded.json["refused"]) == (1, 1, 1), loaded.err
    [aside] = (tmp_path / "people.csv.refused.csv").read_text().splitlines()[1:]
    assert aside.startswith("3,phone_numbers[0],")
    [contact] = (await acme.get(f"/campaigns/{campaign}/contacts")).body["contacts"]
    assert (contact["phone_numbers"], contact["data"]) == (["+14155550101"], {"Company": "Acme"})


async def test_the_do_not_call_list(acme: Customer, tmp_path: Path) -> None:
    file = tmp_path / "stop.txt"
    file.write_text("+14155550101\n\nnot a number\n+14155550102\n")
    listed = await run(acme, tmp_path, "dnc", "import", str(file), "--reason", "asked", "--json")
    assert (listed.code, listed.json["listed"], listed.json["refused"]) == (1, 2, 1)
    assert (tmp_path / "stop.txt.refused.csv").read_text().splitlines()[1].startswith("3,phone_number,")
    assert (await run(acme, tmp_path, "dnc", "add", "+14155550103")).code == 0
    assert (await run(acme, tmp_path, "dnc", "remove", "+14155550101")).code == 0
    rows = (await run(acme, tmp_path, "dnc", "list")).rows
    assert {row["phone_number"]: row["reason"] for row in rows} == {"+14155550103": "", "+14155550102": "asked"}


async def test_caller_numbers(acme: Customer, tmp_path: Path) -> None:
    made = await run(acme, tmp_path, "numbers", "add", "+14155550110", "--pool", "west", "--max-calls", "2", "--json")
    assert (made.code, made.json["max_calls"]) == (0, 2), made.err
    switched = await run(acme, tmp_path, "numbers", "switch", made.json["id"], "--off", "--json")
    assert switched.json["active"] is False
    assert (await run(acme, tmp_path, "numbers", "list", "--pool", "west")).rows[0]["active"] == "false"
    used = await run(acme, tmp_path, "numbers", "use", "--hours", "168")
    assert (used.rows[0]["number"], used.rows[0]["ended_calls.ended"]) == ("+14155550110", "0"), used.err
    assert (await run(acme, tmp_path, "numbers", "use", "--json")).json["caller_numbers"][0]["active_calls"] == 0
    assert (await run(acme, tmp_path, "numbers", "remove", made.json["id"])).code == 0
    assert (await run(acme, tmp_path, "numbers", "list", "--json")).json == []


async def test_the_operator_makes_and_revokes_keys(api: Api, acme: Customer, tmp_path: Path) -> None:
    assert (await run(acme, tmp_path, "keys", "list")).code == 2, "an organization's key is not the operator's"
    arguments = ("keys", "create", acme.organization_id, "laptop", "--scope", "campaigns:read", "--json")
    made = await run(acme, tmp_path, *arguments, ADMIN_TOKEN=ADMIN_TOKEN)
    assert made.json["scopes"] == ["campaigns:read"], made.err
    other = {"API_KEY": made.json["key"]}
    assert (await run(acme, tmp_path, "campaigns", "list", **other)).code == 0
    assert (await run(acme, tmp_path, "keys", "revoke", made.json["id"], ADMIN_TOKEN=ADMIN_TOKEN)).code == 0
    assert (await run(acme, tmp_path, "campaigns", "list", **other)).code == 1


async def test_watching_ends_when_nobody_is_left(acme: Customer, tmp_path: Path) -> None:
    watched = await run(acme, tmp_path, "campaigns", "watch", await campaign_of(acme), "--until-done")
    assert watched.code == 0, watched.err
    assert watched.rows[-1]["contacts.total"] == "0"


@pytest.mark.parametrize(("form", "begins"), [("csv", b"id,"), ("jsonl", b"")])
async def test_calls_are_exported(acme: Customer, tmp_path: Path, form: str, begins: bytes) -> None:
    target = tmp_path / "calls"
    arguments = ("calls", "export", await campaign_of(acme), "--format", form)
    ran = await run(acme, tmp_path, *arguments, "--output", str(target))
    assert ran.code == 0, ran.err
    assert target.read_bytes().startswith(begins)
    assert (await run(acme, tmp_path, *arguments)).out.encode() == target.read_bytes()
    assert (await run(acme, tmp_path, "calls", "list", "--json")).json == []


async def test_the_doctor_names_what_is_wrong(acme: Customer, tmp_path: Path) -> None:
    ran = await run(acme, tmp_path, "doctor")
    assert ran.code == 1, "no executor runs here"
    states = {row["part"]: row["state"] for row in ran.rows}
    assert states == {
        **{"API": "good", "Kafka": "good", "MongoDB": "good", "Key": "good", "Executors": "wrong", "Carrier": "good"}
    }
    stranger = await run(acme, tmp_path, "doctor", API_KEY="ak_no.such")
    assert {row["part"]: row["state"] for row in stranger.rows}["Key"] == "wrong"
    away = await run(acme, tmp_path, "doctor", URL=f"http://127.0.0.1:{free_port()}")
    assert (away.code, [row["state"] for row in away.rows]) == (3, ["wrong"])


async def test_webhooks_are_printed_and_their_signatures_checked(acme: Customer, tmp_path: Path) -> None:
    secret, port, body = "whsec_" + "c2VjcmV0" * 4, free_port(), '{"type": "call.ended", "data": {"outcome": "busy"}}'
    listening = asyncio.create_task(
        run(acme, tmp_path, "webhooks", "listen", "--port", str(port), "--count", "2", "--json", WEBHOOK_SECRET=secret)
    )
    now = utc_now()
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp()))}

    async def send(signature: str) -> int:
        try:
            url = f"http://127.0.0.1:{port}/hooks"
            signed = headers | {"webhook-signature": signature}
            async with acme.api.session.post(url, data=body, headers=signed) as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return 0

    right = Webhook(secret).sign("evt_1", now, body)
    assert await eventually(lambda: send(right), timeout=20, every=0.1) == 204
    assert await send("v1,d3Jvbmc=") == 401
    ran = await listening
    assert ran.code == 1, "one signature was wrong"
    assert [json.loads(line)["signature_is_right"] for line in ran.out.splitlines()] == [True, False]


async def test_a_subscription_is_there_while_it_is_listened_to(acme: Customer, tmp_path: Path) -> None:
    receiver = "https://203.0.114.5/hooks"
    arguments = ("webhooks", "listen", "--port", str(free_port()), "--subscribe", receiver)
    environment = {"URL": acme.api.url, "API_KEY": acme.key}
    async with running(*arguments, home=tmp_path, **environment) as process:

        async def tested() -> Any:
            webhooks = (await acme.get("/webhooks")).body["webhooks"]
            return webhooks and (await acme.get(f"/webhooks/{webhooks[0]['id']}/deliveries")).body["deliveries"]

        [delivery] = await eventually(tested, timeout=20, saying="a test event is on its way")
        assert delivery["event"] == "webhook.test"
        process.send_signal(signal.SIGINT)
        await process.wait()
    assert (await acme.get("/webhooks")).body["webhooks"] == []
