"""The document of this API: its own, with its page, and with examples that work as they stand."""

from typing import Any

from tests.integration.dialects.described import example_of
from tests.integration.talkturo.team import Team


async def test_examples_of_the_document_work_as_they_stand(team: Team) -> None:
    api = team.customer.api
    document = (await api.call("GET", "/talkturo/openapi.json")).body

    def example(method: str, path: str) -> Any:
        return example_of(document, document["paths"][f"/api{path}"][method])

    await api.admin("PATCH", f"/organizations/{team.customer.organization_id}", {"external_id": "acme"})
    answers = [
        await team.done("POST", "/crm/companies", {**example("post", "/crm/companies"), "externalId": "tradeshow"}),
        await team.done("POST", "/assistants", {**example("post", "/assistants"), "externalId": "outreach"}),
    ]
    answers.append(await team.done("POST", "/crm/campaigns", example("post", "/crm/campaigns")))
    path = f"/crm/campaigns/{answers[-1]['campaign']['id']}"
    contact = example("post", "/crm/contacts")
    for name in ("lead-1", "lead-2"):
        answers.append(await team.done("POST", "/crm/contacts", {**contact, "externalId": name}))
    imported = await team.done("POST", "/crm/contacts/import", example("post", "/crm/contacts/import"))
    assert imported["duplicates"] == 1
    kinds = document["paths"]["/api/crm/contacts/import"]["post"]["requestBody"]["content"]
    [rows] = kinds["text/csv"]["schema"]["examples"]
    headers = {"Content-Type": "text/csv"}
    answer = await team.call("POST", "/crm/contacts/import", raw=rows.encode(), headers=headers)
    assert (answer.status, answer.body["duplicates"]) == (200, 1), answer.raw
    edits = (
        ("patch", f"/crm/contacts/{answers[-1]['contact']['id']}", "/crm/contacts/{contact}"),
        ("put", "/crm/companies/tradeshow", "/crm/companies/{company}"),
        ("post", f"{path}/contacts", "/crm/campaigns/{campaign}/contacts"),
        ("post", f"{path}/run", "/crm/campaigns/{campaign}/run"),
        ("patch", path, "/crm/campaigns/{campaign}"),
        ("patch", "/assistants/outreach", "/assistants/{assistant}"),
    )
    for method, address, route in edits:
        answers.append(await team.done(method.upper(), address, example(method, route)))
    assert not any("warnings" in answer for answer in answers)
    taken = await team.post("/phone-numbers", example("post", "/phone-numbers"))
    assert taken.status == 409


async def test_the_document_is_its_own_and_has_a_page(team: Team) -> None:
    api = team.customer.api
    document = (await api.call("GET", "/talkturo/openapi.json")).body
    assert document["servers"] == [{"url": "/talkturo"}]
    assert all(path.startswith("/api/") for path in document["paths"])
    page = await api.call("GET", "/talkturo/docs")
    assert (page.status, b"swagger-ui" in page.raw) == (200, True)
    for asset in ("docs.js", "swagger-ui.css"):
        assert (await api.call("GET", f"/talkturo/docs/{asset}")).status == 200
    native = (await api.call("GET", "/openapi.json")).body
    assert not any(path.startswith("/talkturo") for path in native["paths"])
