"""`dialstream` where something is wrong: credentials, files, readers that leave, Ctrl-C. Never a traceback."""

import asyncio
import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.local.home import free_port
from services.contact_ingest.jobs import Jobs
from shared.store.catalog.file_contents import GridFSFiles
from tests.command_line import Ran, dialstream, running
from tests.eventually import PATIENCE, eventually
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api, Customer
from tests.integration.campaign_api.conftest import Stack

ROW = {"external_id": "a", "phone_numbers": ["+14155550101"]}


async def run(acme: Customer, home: Path, *arguments: str, **environment: str) -> Ran:
    ran = await dialstream(*arguments, home=home, **{"URL": acme.api.url, "API_KEY": acme.key} | environment)
    assert "Traceback" not in ran.err, ran.err
    return ran


def names_in(folder: Path) -> dict[str, bool]:
    """What is in a folder: whether it is a link."""
    return {entry.name: entry.is_symlink() for entry in folder.iterdir()}


async def campaign_of(customer: Customer) -> str:
    return str((await customer.new_campaign(state="draft"))["id"])


async def test_a_credential_that_may_not_is_told_what_it_lacks(api: Api, acme: Customer, tmp_path: Path) -> None:
    campaign = await campaign_of(acme)
    reader = await api.customer_of(acme.organization_id, ["campaigns:read"])
    assert (await run(reader, tmp_path, "campaigns", "list")).code == 0
    lacks = await run(reader, tmp_path, "campaigns", "pause", campaign)
    assert (lacks.code, lacks.out) == (1, "")
    assert "campaigns:manage" in lacks.err
    wrong = await run(acme, tmp_path, "campaigns", "list", API_KEY="ak_no.such")
    assert (wrong.code, wrong.out) == (1, "")
    stranger = await api.new_customer()
    for arguments in (("campaigns", "why"), ("campaigns", "start"), ("calls", "export"), ("campaigns", "watch")):
        ran = await run(stranger, tmp_path, *arguments, campaign)
        assert (ran.code, ran.out) == (1, ""), arguments
        assert campaign in ran.err


@pytest.mark.parametrize(
    ("name", "content", "more", "code", "said"),
    [
        pytest.param("a.ndjson", None, (), 2, "does not exist", id="no file"),
        pytest.param("folder.ndjson", None, (), 2, "is a directory", id="a folder"),
        pytest.param("a.ndjson", "Zoë".encode("latin-1"), (), 2, "not in UTF-8", id="another encoding"),
        pytest.param("a.ndjson", b"{}", ("--refused", "none/x.csv"), 2, "cannot be written", id="nowhere to put rows"),
        pytest.param("a.ndjson", b"{}", ("--map", "a=b"), 2, "--map is for CSV", id="a mapping of no columns"),
        pytest.param("a.csv", b"a\n1\n", ("--map", "a"), 2, "COLUMN=FIELD", id="a mapping that is none"),
        pytest.param("a.csv", b"a\n1\n", ("--map", "a=colour"), 1, "query.mapping.a", id="a field that is none"),
    ],
)
async def test_files_that_cannot_be_loaded_are_refused_before_a_row_is_sent(
    acme: Customer, tmp_path: Path, name: str, content: bytes | None, more: Sequence[str], code: int, said: str
) -> None:
    campaign, file = await campaign_of(acme), tmp_path / name
    (tmp_path / "folder.ndjson").mkdir()
    if content is not None:
        # Bad only where a batch was complete already.
        rows = (json.dumps(ROW | {"external_id": str(n)}).encode() + b"\n" for n in range(1500))
        file.write_bytes((b"".join(rows) if name == "a.ndjson" else b"") + content)
    ran = await run(acme, tmp_path, "contacts", "add", campaign, str(file), *more)
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert said in " ".join(ran.err.replace("│", " ").split())
    assert (await acme.get(f"/campaigns/{campaign}/contacts")).body["total"] == 0
    assert (await acme.get(f"/campaigns/{campaign}/imports")).body["imports"] == []


async def test_bad_lines_cost_themselves_alone(acme: Customer, tmp_path: Path) -> None:
    campaign, file = await campaign_of(acme), tmp_path / "people.ndjson"
    good = json.dumps(ROW)
    bad = [
        '{"external_id": "b", "phone_numbers": ["+14155550102"], "data": {"a": NaN}}',
        '{"external_id": "c", "phone_numbers": ["+14155550103"], "data": {"\\ud800": 1}}',
        '{"external_id": "d", "phone_numbers": ["+14155550104"], "data": {"a": 1e400}}',
        '{"external_id": "e", "phone_numbers": ["+14155550105"], "data": ' + "[" * 900 + "]" * 900 + "}",
        '{"external_id": "f", "phone_numbers": ["+14155550106"], "data": {"n": ' + "9" * 400 + "}}",
        '{"external_id": "g", "phone_numbers": ["+14155550107"], "colour": "red"}',
        '{"external_id": "h"}',
        good + "}",
    ]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([good, "", *bad]).encode())
    ran = await run(acme, tmp_path, "contacts", "add", campaign, str(file), "--json")
    assert ran.out, ran.err
    assert (ran.code, ran.json["inserted"], ran.json["refused"]) == (1, 1, len(bad))
    aside = (tmp_path / "people.ndjson.refused.csv").read_text().splitlines()[1:]
    assert sorted(int(line.partition(",")[0]) for line in aside) == [*range(3, 3 + len(bad))]


@pytest.mark.parametrize(
    ("content", "more", "code", "inserted", "said"),
    [
        pytest.param(
            "\ufeffphone,name\r\n\r\n+14155550101,Zoë\r\n".encode(),
            (),
            0,
            1,
            "",
            id="byte order mark, CRLF, empty line",
        ),
        pytest.param("phone,name\n+14155550101,Zoë\n".encode("latin-1"), (), 0, 1, "", id="another encoding"),
        pytest.param(b"phone,name\n+14155550101,Ada\n+14155550102\n", (), 0, 2, "", id="a column too few"),
        pytest.param(b'phone,name\n+14155550101,"Ada\n', (), 1, 0, "quotation mark", id="a quote that nothing closes"),
        pytest.param(b"handset\n+14155550101\n", (), 1, 0, "No column", id="no column of numbers"),
        pytest.param(b"phone\n+14155550101\n", ("--map", "Cell=phone_numbers"), 1, 0, "Cell", id="no such column"),
        pytest.param(b"", (), 1, 0, "empty", id="nothing"),
    ],
)
async def test_csv_files_are_read_or_said_to_be_unreadable(
    acme: Customer,
    stack: Stack,
    tmp_path: Path,
    content: bytes,
    more: Sequence[str],
    code: int,
    inserted: int,
    said: str,
) -> None:
    campaign, file = await campaign_of(acme), tmp_path / "people.csv"
    file.write_bytes(content)
    jobs = Jobs(stack.store, stack.producer, GridFSFiles(stack.store), "ingest-1")
    loading = asyncio.create_task(run(acme, tmp_path, "contacts", "add", campaign, str(file), *more))

    async def begun() -> Any:
        return loading.done() or (await acme.get(f"/campaigns/{campaign}/imports")).body["imports"]

    try:
        # What contact-ingest does when it is told.
        found = await eventually(begun, timeout=20, every=0.1, saying="the import has begun, or was refused")
        if found is not True:
            jobs.begin(found[0]["id"])
        ran = await loading
    finally:
        await jobs.stop()
    assert ran.code == code, ran.err
    assert said in ran.err
    contacts = (await acme.get(f"/campaigns/{campaign}/contacts")).body["contacts"]
    assert len(contacts) == inserted
    if "Zo" in content.decode("latin-1"):
        assert contacts[0]["data"] == {"name": "Zoë"}


async def test_what_writes_answers_in_json_too(acme: Customer, tmp_path: Path) -> None:
    campaign = await campaign_of(acme)
    number = (await acme.post("/caller-numbers", {"number": "+14155550110"})).body["id"]
    operator = {"ADMIN_TOKEN": ADMIN_TOKEN}
    key = (await run(acme, tmp_path, "keys", "create", acme.organization_id, "x", "--json", **operator)).json["id"]
    commands: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
        (("dnc", "add", "+14155550103"), {}),
        (("dnc", "remove", "+14155550103"), {"deleted": True}),
        (("numbers", "remove", number), {"id": number, "deleted": True}),
        (("keys", "revoke", key), {"id": key, "deleted": True}),
        (("campaigns", "cancel", campaign, "--yes"), {"id": campaign, "state": "cancelled"}),
    )
    for command, wanted in commands:
        answer = (await run(acme, tmp_path, *command, "--json", **operator)).json
        assert isinstance(answer, list) or {name: answer[name] for name in wanted} == wanted, command


async def test_calls_are_exported_whole_or_not_at_all(acme: Customer, tmp_path: Path) -> None:
    campaign, target = await campaign_of(acme), tmp_path / "calls.csv"
    export = ("calls", "export", campaign)
    assert (await run(acme, tmp_path, *export, "--json")).out == "", "no call, no line"
    assert (await run(acme, tmp_path, *export, "--json", "--format", "csv")).code == 2
    made = await run(acme, tmp_path, *export, "--format", "csv", "--output", str(target), "--json")
    assert made.json == {"file": str(target), "format": "csv", "bytes": target.stat().st_size}
    (tmp_path / "device").symlink_to("/dev/null")
    assert (await run(acme, tmp_path, *export, "--output", str(tmp_path / "device"))).code == 0
    for nowhere in (str(tmp_path), str(tmp_path / "none" / "calls.csv")):
        assert (await run(acme, tmp_path, *export, "--output", nowhere)).code == 2
    before = target.read_bytes()
    stranger = await acme.api.new_customer()
    assert (await run(stranger, tmp_path, *export, "--output", str(target))).code == 1
    assert target.read_bytes() == before
    assert names_in(tmp_path) == {"calls.csv": False, "device": True}, "nothing in part, and the device is one still"


@pytest.mark.parametrize("command", ["watch", "tail"])
async def test_ctrl_c_ends_what_follows(acme: Customer, tmp_path: Path, command: str) -> None:
    follow = ("campaigns", "watch", await campaign_of(acme)) if command == "watch" else ("calls", "tail")
    async with running(*follow, home=tmp_path, URL=acme.api.url, API_KEY=acme.key) as process:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), PATIENCE * 30)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE * 10)
    assert (process.returncode, err) == (130, b"")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_a_listener_that_is_ended_leaves_no_subscription(
    acme: Customer, tmp_path: Path, sent: signal.Signals
) -> None:
    arguments = ("webhooks", "listen", "--port", str(free_port()), "--subscribe", "https://203.0.114.5/hooks")
    async with running(*arguments, home=tmp_path, URL=acme.api.url, API_KEY=acme.key) as process:

        async def subscribed() -> Any:
            return (await acme.get("/webhooks")).body["webhooks"]

        await eventually(subscribed, timeout=20, every=0.1, saying="a subscription")
        process.send_signal(sent)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE * 10)
    assert (process.returncode, b"Traceback" in err) == (130, False)
    assert (await acme.get("/webhooks")).body["webhooks"] == []


async def test_a_listener_whose_reader_has_gone_ends(acme: Customer, tmp_path: Path) -> None:
    port = free_port()
    arguments = ("webhooks", "listen", "--port", str(port))
    environment = {"URL": acme.api.url, "API_KEY": acme.key, "WEBHOOK_SECRET": "whsec_c2VjcmV0"}
    async with running(*arguments, home=tmp_path, **environment) as process:

        async def send() -> int:
            try:
                async with acme.api.session.post(f"http://127.0.0.1:{port}/", data=b"{}") as answer:
                    return answer.status
            except OSError:
                return 0

        assert process.stdout is not None
        assert await eventually(send, timeout=20, every=0.1, saying="an answer") == 401
        assert b"SIGNATURE WRONG" in await process.stdout.readline()
        process.stdout._transport.close()  # type: ignore[attr-defined]
        await send()
        async with asyncio.timeout(PATIENCE * 10):
            await process.wait()
    assert process.returncode == 0
