import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.eventually import eventually
from tests.integration.campaign_api.client import Api, Customer, lead

CONTACTS = "/campaigns/default/contacts"
MIB = 1024 * 1024


async def test_an_unknown_address_is_404_in_the_one_form_without_a_credential(api: Api) -> None:
    for path in ("//", "/campaign", "/campaign/campaigns/", "/campaign//campaigns", "/nothing", "/admin"):
        answer = await api.call("GET", path)
        assert answer.status == 404
        assert list(answer.body) == ["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/campaign/campaigns", "GET, POST"),
        ("POST", "/campaign/concurrency-settings", "GET, PUT"),
        ("PUT", "/campaign/campaigns/x", "DELETE, GET, PATCH"),
        ("PATCH", "/campaign/campaigns/x/contacts/y", "DELETE, GET"),
        ("HEAD", "/campaign/campaigns", "GET, POST"),
        ("OPTIONS", "/health/live", "GET"),
        ("POST", "/", "GET"),
        ("DELETE", "/docs", "GET"),
    ],
)
async def test_a_method_that_is_not_possible_is_405_and_names_those_that_are(
    api: Api, method: str, path: str, allowed: str
) -> None:
    answer = await api.call(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    assert method == "HEAD" or list(answer.body) == ["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_that_is_not_json_by_its_header_is_415(acme: Customer, headers: dict[str, str]) -> None:
    answer = await acme.call("POST", CONTACTS, raw=json.dumps({"contacts": [lead(1)]}), headers=headers)
    assert answer.status == 415
    assert list(answer.body) == ["detail"]


async def test_a_request_without_a_content_type_is_told_which_to_send(acme: Customer) -> None:
    for headers, what in (
        ({"Content-Type": ""}, "The request has no Content-Type"),
        ({"Content-Type": "text/plain"}, "The Content-Type 'text/plain' is not JSON in UTF-8"),
    ):
        answer = await acme.call("POST", CONTACTS, raw=b"{}", headers=headers)
        assert answer.status == 415
        assert answer.body["detail"] == f"{what}: send JSON in UTF-8 with the header Content-Type: application/json."


@pytest.mark.parametrize(
    ("raw", "msg"),
    [
        (b"", "The body is empty; send a JSON object with contacts"),
        (b" \n\t ", "The body is empty; send a JSON object with contacts"),
        (b"{contacts: []}", "Send valid JSON: key must be a string at line 1 column 2"),
        (b"[]", "Write a JSON object with contacts"),
        (b"null", "Write a JSON object with contacts"),
    ],
)
async def test_a_body_that_is_no_object_is_told_what_to_send(acme: Customer, raw: bytes, msg: str) -> None:
    answer = await acme.call("POST", CONTACTS, raw=raw)
    assert (answer.status, answer.body["detail"]) == (422, f"body: {msg}")


async def test_each_mistake_in_a_contact_is_told_what_to_write(acme: Customer) -> None:
    rows = [
        {"phone": "+14155550123", "first_name": "Ada"},
        {"phone_numbers": "+14155550123"},
        "+14155550123",
        {"phone_numbers": ["+14155550123"], "timezones": ["Europe/Berlin"]},
    ]
    no_field = "There is no such field"
    for path, place in ((CONTACTS, 2), ("/campaigns", 2)):
        body = {"contacts": rows} | ({"name": "S"} if path == "/campaigns" else {})
        answer = await acme.post(path, body)
        assert answer.status == 422
        said = {tuple(error["loc"][place:]): error["msg"] for error in answer.body["errors"]}
        said.pop((), None)
        assert said == {
            (0, "phone_numbers"): "Add this field: it is required",
            (0, "phone"): f"{no_field}; write phone_numbers",
            (0, "first_name"): f"{no_field} of a contact; put what is your own into data",
            (1, "phone_numbers"): 'Write a list, also for one alone: ["+14155550123"]',
            (2,): 'Write each contact as a JSON object: {"phone_numbers": ["+14155550123"]}',
            (3, "timezones"): f"{no_field}; write timezone",
        }


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "APPLICATION/JSON", "application/x+json"])
async def test_every_spelling_of_json_is_accepted(acme: Customer, content_type: str) -> None:
    answer = await acme.call(
        "POST", CONTACTS, raw=json.dumps({"contacts": [lead(1)]}), headers={"Content-Type": content_type}
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b'{"contacts": [}', id="bad JSON"),
        pytest.param(b"\xff\xfe", id="bad UTF-8"),
        pytest.param(
            b'{"contacts": [{"external_id": "\xff", "phone_numbers": ["+14155550123"]}]}', id="bad UTF-8 inside"
        ),
        pytest.param(b'{"contacts": [{"external_id": "\\ud800", "phone_numbers": ["+14155550123"]}]}', id="surrogate"),
        pytest.param(b'{"contacts": [{"external_id": "\\u0000", "phone_numbers": ["+14155550123"]}]}', id="NUL"),
        pytest.param(b'{"contacts": [{"data": {"a": NaN}, "phone_numbers": ["+14155550123"]}]}', id="NaN"),
        pytest.param(b'{"contacts": [{"data": {"a": 1e999}, "phone_numbers": ["+14155550123"]}]}', id="infinite"),
        pytest.param(b'{"contacts": ' + b"[" * 100_000, id="deep"),
        pytest.param(b'{"contacts": [{"data": {"a": ' + b"9" * 5000 + b"}}]}", id="huge integer"),
        pytest.param(b'{"contacts": [{"data": {"a":' + b'{"a":' * 150 + b"1" + b"}" * 150 + b"}}]}", id="nested"),
        pytest.param(b"7", id="a number"),
        pytest.param(b'"' + b"x" * 10 * MIB + b'"', id="10 MB of text"),
        pytest.param(b'{"contacts": ["' + b"x" * 10 * MIB + b'"]}', id="10 MB in a row"),
    ],
)
async def test_an_unreadable_body_is_422_and_never_500(acme: Customer, raw: bytes) -> None:
    for path in (CONTACTS, "/campaigns", "/configurations", "/do-not-call"):
        answer = await acme.call("POST", path, raw=raw)
        assert answer.status == 422, answer.raw
        assert answer.body["errors"][0]["loc"][0] == "body"
        assert len(answer.raw) < 10_000


async def chunks(mebibytes: int) -> AsyncIterator[bytes]:
    for _ in range(mebibytes):
        yield b" " * MIB


@pytest.mark.parametrize("path", [CONTACTS, "/campaigns", "/configurations", "/do-not-call"])
async def test_a_body_over_32_mib_is_413_with_and_without_a_declared_length(acme: Customer, path: str) -> None:
    declared = await acme.call("POST", path, raw=b" " * (32 * MIB + 1))
    streamed = await acme.call("POST", path, raw=chunks(33))
    assert (declared.status, streamed.status) == (413, 413)
    assert list(declared.body) == ["detail"]


async def test_a_body_of_exactly_32_mib_is_read(acme: Customer) -> None:
    body = json.dumps({"contacts": [lead(1)]}).encode()
    answer = await acme.call("POST", CONTACTS, raw=body + b" " * (32 * MIB - len(body)))
    assert answer.status == 200


async def test_a_caller_who_goes_away_in_the_middle_of_a_body_is_no_fault_of_ours(acme: Customer) -> None:
    async def count(status: int) -> int:
        answer = await acme.api.call("GET", "/metrics")
        line = f'dialstream_http_requests_total{{method="POST",status="{status}"}} '
        return sum(
            int(float(found.split()[-1])) for found in answer.raw.decode().splitlines() if found.startswith(line)
        )

    ours, theirs = await count(500), await count(400)
    address = urlsplit(acme.api.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST /campaign/campaigns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {acme.key}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{".encode())
    await writer.drain()
    writer.transport.abort()

    async def counted() -> bool:
        return await count(400) > theirs

    await eventually(counted)
    assert await count(500) == ours


async def test_who_may_not_ask_is_told_so_before_the_body_is_read(api: Api) -> None:
    reader = await api.new_customer(["campaigns:read"])
    assert (await reader.call("POST", "/campaigns", raw=b"{")).status == 403
    assert (await api.call("POST", "/campaign/campaigns", raw=b"{")).status == 401


@pytest.mark.parametrize("segment", ["%FF", "%00", "%24gt", "%7B%22%24gt%22%3A%22%22%7D", "a%0Ab", "%ED%A0%80"])
async def test_strange_path_segments_find_nothing(acme: Customer, segment: str) -> None:
    for path in (f"/campaigns/{segment}", f"/configurations/{segment}", f"{CONTACTS}/{segment}"):
        assert (await acme.get(path)).status in {404, 422}


async def test_many_requests_for_one_external_id_at_once_make_one_campaign(acme: Customer) -> None:
    configuration_id = await acme.new_configuration()
    body = {"name": "S", "configuration_id": configuration_id, "external_id": "spring"}
    answers = await asyncio.gather(*(acme.post("/campaigns", body) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9


async def test_of_many_pauses_at_once_one_takes_effect(acme: Customer) -> None:
    path = f"/campaigns/{(await acme.new_campaign())['id']}/pause"
    answers = await asyncio.gather(*(acme.post(path) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7


async def test_a_configuration_is_not_deleted_while_a_campaign_takes_it(acme: Customer) -> None:
    for _ in range(5):
        configuration_id = await acme.new_configuration()
        body = {"name": "S", "configuration_id": configuration_id}
        created, deleted = await asyncio.gather(
            acme.post("/campaigns", body), acme.delete(f"/configurations/{configuration_id}")
        )
        assert (created.status, deleted.status) in {(200, 409), (404, 200)}


async def test_contacts_sent_twice_at_once_are_stored_once(acme: Customer) -> None:
    path = f"/campaigns/{(await acme.new_campaign())['id']}/contacts"
    body = {"contacts": [lead(number) for number in range(100)]}
    answers = await asyncio.gather(*(acme.post(path, body) for _ in range(4)))
    assert sum(answer.body["inserted"] for answer in answers) == 100
    assert len({tuple(answer.body["contact_ids"]) for answer in answers}) == 1
    assert (await acme.get(path)).body["total"] == 100


async def test_the_openapi_documents_every_refusal_and_gives_examples(api: Api) -> None:
    document = (await api.call("GET", "/openapi.json")).body
    routes: list[tuple[str, str, dict[str, Any]]] = [
        (path, method, route) for path, methods in document["paths"].items() for method, route in methods.items()
    ]
    for path, method, route in routes:
        if path.startswith(("/campaign", "/admin")):
            assert {"401", "422", "503"} <= route["responses"].keys(), (path, method)
            assert route["responses"].keys() & {"200", "202"}, (path, method)
            assert route["security"]
        for kind, media in route.get("requestBody", {}).get("content", {}).items():
            if kind != "application/json":
                continue
            schema = media["schema"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].removeprefix("#/components/schemas/")]
            assert schema["examples"], (path, method)
            assert {"413", "415"} <= route["responses"].keys()
    assert (await api.call("GET", "/docs")).status == 200
