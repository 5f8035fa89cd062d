"""The contact book, its companies and the registry of agents, over HTTP."""

from typing import Any

from tests.integration.campaign_api.client import Api, Customer

ADA = {"external_id": "crm-1", "first_name": "Ada", "last_name": "Lovelace", "phone": "+14155550123"}


async def person(customer: Customer, **fields: Any) -> dict[str, Any]:
    made = await customer.post("/people", fields)
    assert made.status == 200, made.raw
    body: dict[str, Any] = made.body
    return body


async def enrolled(customer: Customer, campaign: dict[str, Any], *people: str) -> dict[str, Any]:
    answer = await customer.post(f"/campaigns/{campaign['id']}/people", {"people": list(people)})
    assert answer.status == 200, answer.raw
    body: dict[str, Any] = answer.body
    return body


async def test_a_person_is_made_found_changed_and_deleted(acme: Customer) -> None:
    made = await person(acme, **ADA, email="Ada@Example.com", tags=["vip", "vip"], custom_fields={"plan": "pro"})
    assert made["status"] == "active"
    assert made["tags"] == ["vip"]
    assert (made["calls_count"], made["last_called_at"]) == (0, None)
    for search in ("love", "ADA LOVE", "ada@example.com", "+14155550123", "5550123", "@example"):
        found = await acme.call("GET", f"/people?search={search.replace('+', '%2B').replace(' ', '%20')}")
        assert [each["id"] for each in found.body["people"]] == [made["id"]], search
    assert (await acme.get("/people?search=.*")).body["people"] == []
    changed = await acme.patch("/people/crm-1", {"phone": None, "email": None})
    assert (changed.body["phone"], changed.body["email"], changed.body["last_name"]) == (None, None, "Lovelace")
    assert (await acme.get("/people?search=example")).body["people"] == []
    assert (await acme.get("/people?has_phone=false&offset=0")).body["total"] == 1
    assert (await acme.delete("/people/crm-1")).body == {"id": made["id"], "deleted": True}
    assert (await acme.get(f"/people/{made['id']}")).status == 404


async def test_an_external_id_is_one_persons_and_a_phone_may_be_several_peoples(acme: Customer) -> None:
    await person(acme, **ADA)
    again = await acme.post("/people", ADA)
    assert (again.status, again.body["detail"][:44]) == (409, "Another person has the external_id 'crm-1'; ")
    await person(acme, first_name="Grace", phone=ADA["phone"])
    assert len((await acme.get("/people?search=%2B14155550123")).body["people"]) == 2


async def test_a_status_follows_flag_and_list(acme: Customer) -> None:
    flagged = await person(acme, first_name="Flagged", do_not_call=True)
    listed = await person(acme, first_name="Listed", phone_secondary="+14155550177")
    left = await person(acme, first_name="Left", inactive=True)
    usual = await person(acme, first_name="Usual")
    await acme.post("/do-not-call", {"phone_numbers": ["+14155550177"]})

    async def with_status(status: str) -> set[str]:
        found = (await acme.get(f"/people?status={status}")).body["people"]
        assert {each["status"] for each in found} <= {status}
        return {each["id"] for each in found}

    assert await with_status("dnc") == {flagged["id"], listed["id"]}
    assert await with_status("inactive") == {left["id"]}
    assert await with_status("active") == {usual["id"]}


async def test_enrolling_twice_finds_the_same_contact(acme: Customer) -> None:
    ada = await person(acme, **ADA, timezone="America/New_York", custom_fields={"plan": "pro", "email": "mine"})
    nobody = await person(acme, first_name="Nobody")
    flagged = await person(acme, first_name="Flagged", phone="+14155550124", do_not_call=True)
    left = await person(acme, first_name="Left", phone="+14155550125", inactive=True)
    campaign = await acme.new_campaign(state="draft")
    first = await enrolled(acme, campaign, "crm-1", nobody["id"], flagged["id"], left["id"], "who", ada["id"])
    said = [(each["enrolment"], each["because"]) for each in first["people"]]
    assert said == [
        ("added", None),
        ("skipped", "no_phone"),
        ("skipped", "do_not_call"),
        ("inactive", None),
        ("unknown", None),
        ("duplicate", None),
    ]
    assert [first[name] for name in ("added", "skipped", "duplicates", "refused")] == [1, 2, 0, 2]
    second = await enrolled(acme, campaign, ada["id"])
    assert second["people"][0] == {**first["people"][0], "enrolment": "duplicate"}
    contact = (await acme.get(f"/campaigns/{campaign['id']}/contacts/{first['people'][0]['contact_id']}")).body
    assert contact["data"] == {"plan": "pro", "email": "mine", "first_name": "Ada", "last_name": "Lovelace"}
    assert (contact["phone_numbers"], contact["timezone"]) == (["+14155550123"], "America/New_York")
    assert contact["person_id"] == ada["id"]
    stats = (await acme.get(f"/campaigns/{campaign['id']}/stats")).body
    assert (stats["contacts"]["skipped"], stats["contacts"]["pending"]) == (2, 1)
    assert [each["id"] for each in (await acme.get(f"/people?campaign_id={campaign['id']}")).body["people"]] == [
        flagged["id"],
        nobody["id"],
        ada["id"],
    ]


async def test_a_contact_follows_its_person(acme: Customer) -> None:
    ada = await person(acme, **ADA)
    campaign = await acme.new_campaign(state="draft")
    contact_id = (await enrolled(acme, campaign, ada["id"]))["people"][0]["contact_id"]
    changes = {"phone": "+14155550199", "timezone": "Europe/Berlin", "job_title": "Countess"}
    assert (await acme.patch(f"/people/{ada['id']}", changes)).status == 200
    contact = (await acme.get(f"/campaigns/{campaign['id']}/contacts/{contact_id}")).body
    assert contact["phone_numbers"] == ["+14155550199"]
    assert contact["timezone"] == "Europe/Berlin"
    assert contact["data"]["job_title"] == "Countess"
    shown = (await acme.get(f"/people/{ada['id']}")).body
    [participation] = shown["campaigns"]
    assert (participation["contact_id"], participation["campaign_state"]) == (contact_id, "draft")


async def test_a_campaign_that_is_over_enrols_nobody(acme: Customer) -> None:
    await person(acme, **ADA)
    campaign = await acme.new_campaign()
    await acme.post(f"/campaigns/{campaign['id']}/close")
    answer = await acme.post(f"/campaigns/{campaign['id']}/people", {"people": ["crm-1"]})
    assert answer.status == 400


async def test_a_company_with_people_cannot_be_deleted(acme: Customer) -> None:
    company = (await acme.post("/companies", {"name": "Acme Anvils", "external_id": "acme"})).body
    ada = await person(acme, **ADA, company_id=company["id"])
    assert (await acme.get("/companies?search=anvil&offset=0")).body["companies"][0]["contact_count"] == 1
    assert (await acme.delete("/companies/acme")).status == 409
    assert (await acme.post("/companies", {"name": "Other", "external_id": "acme"})).status == 409
    campaign = await acme.new_campaign(state="draft")
    contact_id = (await enrolled(acme, campaign, ada["id"]))["people"][0]["contact_id"]
    contact = (await acme.get(f"/campaigns/{campaign['id']}/contacts/{contact_id}")).body
    assert contact["data"]["company"] == "Acme Anvils"
    assert (await acme.patch(f"/people/{ada['id']}", {"company_id": None})).status == 200
    assert (await acme.delete("/companies/acme")).status == 200


async def test_an_agent_is_registered_once_and_kept_while_a_campaign_names_it(acme: Customer) -> None:
    first = await acme.post("/agents", {"id": "outreach", "name": "Outreach", "definition": {"say": "{{name}}"}})
    second = await acme.post("/agents", {"name": "Other", "external_id": "o"})
    assert (first.body["number"], second.body["number"]) == (1, 2)
    assert (await acme.post("/agents", {"id": "outreach", "name": "Again"})).status == 409
    assert (await acme.post("/agents", {"name": "Again", "external_id": "o"})).status == 409
    campaign = await acme.new_campaign(state="draft")
    refused = await acme.delete("/agents/outreach")
    assert (refused.status, campaign["id"] in refused.body["detail"]) == (409, True)
    assert (await acme.patch("/agents/outreach", {"active": False, "definition": None})).body["definition"] is None
    assert [each["id"] for each in (await acme.get("/agents?active=false")).body["agents"]] == ["outreach"]
    await acme.post(f"/campaigns/{campaign['id']}/close")
    assert (await acme.delete("/agents/outreach")).status == 200
    third = await acme.post("/agents", {"id": "outreach", "name": "New"})
    assert third.body["number"] == 3


async def test_an_organization_has_a_slug_and_an_external_id(api: Api) -> None:
    made = await api.admin("POST", "/organizations", {"name": "  Müller & Söhne, Inc. "})
    assert (made.body["slug"], made.body["external_id"]) == ("m-ller-s-hne-inc", None)
    path = f"/organizations/{made.body['id']}"
    changed = await api.admin("PATCH", path, {"slug": "mueller", "external_id": "acc_1"})
    assert (changed.body["slug"], changed.body["external_id"]) == ("mueller", "acc_1")
    assert (await api.admin("PATCH", path, {"slug": None})).body["slug"] == "m-ller-s-hne-inc"
    assert (await api.admin("PATCH", path, {"slug": "Mü"})).status == 422
