"""Uploads and downloads by URLs of our own, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from services.campaign_api.http import browsers
from shared.clock import utc_now
from tests.integration.campaign_api.client import Answer, Api, Customer
from tests.integration.campaign_api.conftest import Stack, serving

LIST = b"phone_number\r\n+14155550123\r\n"
ETAG = '"5d41402abc4b2a76b9719d911017c592"'


async def new_url(customer: Customer, **fields: object) -> str:
    """The path and query of a new upload_url."""
    made = await customer.post("/files", {"name": "people.csv", **fields})
    assert made.status == 200, made.raw
    return path_of(made.body["upload_url"])


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def test_a_file_is_uploaded_and_downloaded_without_a_credential(api: Api, acme: Customer) -> None:
    made = (await acme.post("/files", {"name": "My people.csv"})).body
    assert made["upload_url"].startswith(
        f"{api.url}/files/campaigns/{acme.organization_id}/{made['id']}_My_people.csv?"
    )
    assert made["key"] == f"campaigns/{acme.organization_id}/{made['id']}_My_people.csv"
    assert (made["expires_in"], made["max_bytes"]) == (900, 256 * 1024 * 1024)
    before = (await acme.get(f"/files/{made['id']}")).body
    assert (before["name"], before["size"], before["download_url"]) == ("My people.csv", None, None)

    url = path_of(made["upload_url"])
    first = await api.call("PUT", url, raw=b"hello", headers={"X-API-Key": "anything", "Content-Type": "x/y"})
    assert (first.status, first.raw, first.headers["ETag"]) == (200, b"", ETAG)
    again = await api.call("PUT", url, raw=LIST)
    assert again.status == 200
    assert again.headers["ETag"] != ETAG

    seen = (await acme.get(f"/files/{made['id']}?expires_in=60")).body
    assert (seen["size"], seen["etag"], seen["expires_in"]) == (len(LIST), again.headers["ETag"], 60)
    assert seen["campaign_ids"] == []
    got = await api.call("GET", path_of(seen["download_url"]))
    assert (got.status, got.raw) == (200, LIST)
    assert got.headers["Content-Type"].startswith("text/csv")
    assert got.headers["Content-Disposition"] == 'attachment; filename="My_people.csv"'
    assert got.headers["Content-Length"] == str(len(LIST))
    shown = (await acme.get(f"/files/{made['id']}?inline=true")).body
    assert (await api.call("GET", path_of(shown["download_url"]))).headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("expires_in", ["0", "604801", "x"])
async def test_a_download_holds_for_a_week_at_most(acme: Customer, expires_in: str) -> None:
    made = (await acme.post("/files", {"name": "a.csv"})).body
    assert (await acme.get(f"/files/{made['id']}?expires_in={expires_in}")).status == 422


async def test_a_url_that_was_not_signed_so_is_403(api: Api, acme: Customer) -> None:
    url = await new_url(acme)
    path, _, query = url.partition("?")
    refused = {
        "another method": await api.call("GET", url),
        "POST": await api.call("POST", url, raw=b"x"),
        "DELETE": await api.call("DELETE", url),
        "HEAD": await api.call("HEAD", url),
        "another file": await api.call("PUT", f"{path}x?{query}", raw=b"x"),
        "no signature": await api.call("PUT", f"{path}?{query.split('&signature')[0]}", raw=b"x"),
        "no query": await api.call("PUT", path, raw=b"x"),
        "more": await api.call("PUT", f"{url}&more=1", raw=b"x"),
        "twice": await api.call("PUT", f"{url}&{query}", raw=b"x"),
        "a later end": await api.call("PUT", url.replace("expires=1", "expires=2"), raw=b"x"),
        "no key": await api.call("PUT", f"/files/x?{query}", raw=b"x"),
    }
    for name, answer in refused.items():
        assert answer.status == 403, (name, answer.status, answer.raw)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert name == "HEAD" or list(answer.body) == ["detail"]
    assert (await api.call("PUT", url, raw=b"x")).status == 200


async def test_a_url_that_has_expired_is_403(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(stack.settings, stack.store, stack.producer) as api:
        acme = await api.new_customer()
        url = await new_url(acme)
        monkeypatch.setattr("services.campaign_api.public.files.utc_now", lambda: utc_now() + timedelta(seconds=901))
        answer = await api.call("PUT", url, raw=b"x")
        assert (answer.status, "expired" in answer.body["detail"]) == (403, True)
        monkeypatch.undo()
        assert (await api.call("PUT", url, raw=b"x")).status == 200


async def test_a_credential_or_a_coding_beside_the_url_is_refused(api: Api, acme: Customer) -> None:
    url = await new_url(acme)
    assert (await api.call("PUT", url, raw=b"x", key=acme.key)).status == 400
    assert (await api.call("PUT", url, raw=b"x", headers={"Content-Encoding": "gzip"})).status == 415
    assert (await api.call("PUT", url, raw=b"x", headers={"Content-Encoding": "identity"})).status == 200
    made = url.split("_people")[0].split("/")[-1]
    download = (await acme.get(f"/files/{made}")).body["download_url"]
    assert (await api.call("GET", path_of(download), key=acme.key)).status == 400


async def in_parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(0)


async def test_a_file_above_its_limit_is_413_and_not_stored(api: Api, acme: Customer) -> None:
    made = (await acme.post("/files", {"name": "a.csv", "max_bytes": 5})).body
    url = path_of(made["upload_url"])
    declared = await api.call("PUT", url, raw=b"hello!")
    assert (declared.status, "5 bytes" in declared.body["detail"]) == (413, True)
    streamed = await api.call("PUT", url, raw=in_parts(b"hel", b"lo", b"!"))
    assert streamed.status == 413
    assert (await acme.get(f"/files/{made['id']}")).body["size"] is None
    assert (await api.call("PUT", url, raw=in_parts(b"hel", b"lo"))).headers["ETag"] == ETAG
    assert (await api.call("PUT", url, raw=in_parts(b"hel", b"lo", b"!"))).status == 413
    assert (await acme.get(f"/files/{made['id']}")).body["size"] == 5
    assert (await acme.post("/files", {"name": "a.csv", "max_bytes": 0})).status == 422


async def test_browsers_of_every_origin_may_use_the_urls_and_nothing_else(api: Api, acme: Customer) -> None:
    url = await new_url(acme)
    asked = {"Origin": "https://crm.example", "Access-Control-Request-Method": "PUT"}
    preflight: Answer = await api.call("OPTIONS", url, headers=asked)
    assert (preflight.status, preflight.raw) == (204, b"")
    for name, value in browsers.PREFLIGHT.items():
        assert preflight.headers[name] == value
    put = await api.call("PUT", url, raw=b"x", headers={"Origin": "https://crm.example"})
    assert put.headers["Access-Control-Allow-Origin"] == "*"
    elsewhere = await api.call("OPTIONS", "/campaign/campaigns", headers=asked)
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


async def test_urls_have_the_address_that_the_operator_has_set(stack: Stack) -> None:
    set_so = stack.settings.model_copy(update={"public_url": "https://dial.example"})
    async with serving(set_so, stack.store, stack.producer) as api:
        made = (await (await api.new_customer()).post("/files", {"name": "a.csv"})).body
        assert made["upload_url"].startswith("https://dial.example/files/campaigns/")
        assert (await api.call("PUT", path_of(made["upload_url"]), raw=b"x")).status == 200
