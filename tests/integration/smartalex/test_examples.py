"""The document of this dialect: its own, with its page, and with examples that work as they stand."""

from typing import Any

from tests.integration.dialects.described import example_of
from tests.integration.smartalex.client import PREFIX, Alex


async def test_examples_of_the_document_work_as_they_stand(alex: Alex) -> None:
    document = (await alex.native.api.call("GET", "/smartalex/openapi.json")).body

    def example(method: str, path: str) -> Any:
        return example_of(document, document["paths"][f"/v1{path}"][method])

    agent = await alex.post("/agents", example("post", "/agents"), 201)
    campaign = await alex.post("/campaigns", example("post", "/campaigns"), 201)
    assert campaign["data"]["agent_id"] == agent["data"]["id"]
    path = f"/campaigns/{campaign['data']['id']}"
    added = await alex.post(f"{path}/contacts", example("post", "/campaigns/{campaign}/contacts"))
    [contact] = added["data"]["contact_ids"]
    await alex.post("/contacts", example("post", "/contacts"))
    await alex.patch(f"/contacts/{contact}", example("patch", "/contacts/{contact}"))
    asked = {**example("post", "/campaigns/{campaign}/callbacks"), "contact_id": contact}
    await alex.post(f"{path}/callbacks", asked, 201)
    await alex.patch(path, example("patch", "/campaigns/{campaign}"))
    await alex.patch(f"/agents/{agent['data']['id']}", example("patch", "/agents/{agent}"))
    kinds = document["paths"]["/v1/contacts/import"]["post"]["requestBody"]["content"]
    [rows], [form] = (kinds[kind]["schema"]["examples"] for kind in ("text/csv", "multipart/form-data"))
    part = f'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n{form["file"]}\r\n--x--\r\n'
    for kind, text in (("text/csv", rows), ("multipart/form-data; boundary=x", part)):
        headers = [("Content-Type", kind)]
        imported = await alex.call("POST", "/contacts/import", raw=text.encode(), headers=headers)
        assert imported.status == 201, imported.raw
    hook = await alex.post("/webhooks", example("post", "/webhooks"), 201)
    answers = [campaign, added, hook]
    assert not any("warnings" in answer for answer in answers)


async def test_the_document_is_its_own_and_has_a_page(alex: Alex) -> None:
    api = alex.native.api
    document = (await api.call("GET", "/smartalex/openapi.json")).body
    assert document["servers"] == [{"url": "/smartalex"}]
    assert all(path.startswith(PREFIX.removeprefix("/smartalex")) for path in document["paths"])
    for path, methods in document["paths"].items():
        if "patch" in methods:
            names = ("parameters", "requestBody", "responses")
            assert [methods["put"].get(name) for name in names] == [methods["patch"].get(name) for name in names], path
    page = await api.call("GET", "/smartalex/docs")
    assert (page.status, b"swagger-ui" in page.raw) == (200, True)
    for asset in ("docs.js", "swagger-ui.css"):
        assert (await api.call("GET", f"/smartalex/docs/{asset}")).status == 200
    native = (await api.call("GET", "/openapi.json")).body
    assert not any(path.startswith("/smartalex") for path in native["paths"])
