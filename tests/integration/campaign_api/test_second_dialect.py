"""A second API beside the native one, in some twenty lines: its own forms, its own document, the same engine."""

import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict
from structlog.testing import capture_logs

from services.campaign_api.app import Mounted
from services.campaign_api.http.application import application
from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.credentials import caller_of
from services.campaign_api.http.edge import Edge, ThisEdge
from services.campaign_api.http.faults import Fault, RequestFault, Unauthorized
from services.campaign_api.http.openapi import About
from services.campaign_api.http.paths import decoded
from shared.clock import utc_now
from shared.domain.campaign import DEFAULT_PRIORITY, CampaignMove
from shared.engine import campaigns
from shared.errors import Kind
from tests.integration.campaign_api.client import CALLABLE, Answer, Api, Customer
from tests.integration.campaign_api.conftest import Stack, serving

# The dialect.
router = APIRouter(route_class=BodyRoute)
ANSWERS = {
    RequestFault.VALUES_INVALID: (400, "invalid"),
    RequestFault.NO_CREDENTIAL: (401, "who"),
    RequestFault.WRONG_METHOD: (405, "method"),
    RequestFault.OUR_FAULT: (500, "oops"),
    Kind.CAMPAIGN: (404, "no_campaign"),
    CampaignMove.PAUSE: (409, "not_active"),
}


class NewDrive(BaseModel):
    model_config = ConfigDict(strict=True)

    title: str
    hours: str


def form(fault: Fault) -> JSONResponse:
    status, code = ANSWERS.get(fault.code, (404, "nothing"))
    fields = [".".join(map(str, value.loc[1:])) for value in fault.values]
    return JSONResponse({"error": {"code": code, "fields": fields}}, status, headers=dict(fault.headers))


async def organization_of(request: Request, edge: Edge) -> str:
    credential = request.headers.get("x-api-key")
    if not credential:
        raise Unauthorized(RequestFault.NO_CREDENTIAL)
    return (await caller_of(request, edge, credential)).organization_id


@router.post("/drives", status_code=201)
async def create(
    request: Request, edge: ThisEdge, body: Annotated[NewDrive, json_body(NewDrive)], page: Annotated[int, Query()] = 1
) -> dict[str, str]:
    new = campaigns.NewCampaign(body.title, body.hours, None, DEFAULT_PRIORITY, None, None, None)
    organization_id = await organization_of(request, edge)
    made = await campaigns.create_campaign(edge.engine, organization_id, new, None, utc_now())
    return {"drive": made.campaign.id}


@router.post("/drives/{drive}/rest")
async def rest(
    request: Request, edge: ThisEdge, drive: Annotated[str, Path(), AfterValidator(decoded)]
) -> dict[str, str]:
    organization_id = await organization_of(request, edge)
    moved = await campaigns.move_campaign(edge.engine, organization_id, drive, CampaignMove.PAUSE, utc_now())
    return {"state": moved.shown(utc_now()).state.upper()}


@router.get("/broken")
async def broken() -> None:
    raise ZeroDivisionError("nobody expected this")


def build(edge: Edge) -> FastAPI:
    return application(About("Drives", "7"), [router], form, edge)


# The tests.
@pytest.fixture(scope="module")
async def both(stack: Stack) -> AsyncIterator[Api]:
    """A gateway that speaks both."""
    async with serving(stack.settings, stack.store, stack.producer, [Mounted("/drives-api", build)]) as api:
        yield api


@pytest.fixture
async def ours(both: Api) -> Customer:
    """A customer of that gateway."""
    return await both.new_customer()


async def theirs(customer: Customer, method: str, path: str, **more: Any) -> Answer:
    """The same customer through the other API."""
    return await customer.api.call(method, f"/drives-api{path}", headers={"X-API-Key": customer.key}, **more)


async def test_what_one_api_makes_the_other_shows(ours: Customer) -> None:
    hours = await ours.new_configuration(**CALLABLE)
    made = await theirs(ours, "POST", "/drives", body={"title": "Spring", "hours": hours})
    assert made.status == 201, made.raw
    shown = (await ours.get(f"/campaigns/{made.body['drive']}")).body
    assert (shown["name"], shown["status"], shown["configuration_id"]) == ("Spring", "active", hours)

    assert (await theirs(ours, "POST", f"/drives/{shown['id']}/rest")).body == {"state": "PAUSED"}
    assert (await ours.get(f"/campaigns/{shown['id']}")).body["status"] == "paused"


async def test_each_api_refuses_in_its_own_form(ours: Customer) -> None:
    def said(answer: Answer) -> tuple[int, Any]:
        return answer.status, answer.body["error"]

    assert said(await theirs(ours, "POST", "/drives", body={"title": 7})) == (
        400,
        {"code": "invalid", "fields": ["title", "hours"]},
    )
    assert said(await theirs(ours, "POST", "/drives?page=x", body={"title": "a", "hours": "b"})) == (
        400,
        {"code": "invalid", "fields": ["page"]},
    )
    assert said(await theirs(ours, "POST", "/drives/nothing/rest")) == (404, {"code": "no_campaign", "fields": []})
    assert said(await theirs(ours, "GET", "/nothing")) == (404, {"code": "nothing", "fields": []})
    assert said(await theirs(ours, "GET", "/campaign/campaigns")) == (404, {"code": "nothing", "fields": []})
    wrong = await theirs(ours, "PUT", "/drives")
    assert (said(wrong), wrong.headers["Allow"]) == ((405, {"code": "method", "fields": []}), "POST")
    unproven = await ours.api.call("POST", "/drives-api/drives/x/rest")
    assert (said(unproven), unproven.headers["WWW-Authenticate"]) == ((401, {"code": "who", "fields": []}), "Bearer")

    campaign = await ours.new_campaign()
    path = f"/drives/{campaign['id']}/rest"
    assert [(await theirs(ours, "POST", path)).status for _ in range(2)] == [200, 409]
    for answer in (await ours.get("/nothing"), await ours.post(f"/campaigns/{campaign['id']}/pause")):
        assert list(answer.body) == ["detail"]
    for method, path in (("DELETE", "/health/live"), ("PUT", "/campaign/campaigns"), ("GET", "/drives-apis")):
        assert list((await ours.api.call(method, path)).body) == ["detail"]


async def test_an_escaped_slash_stays_in_its_segment(ours: Customer) -> None:
    await ours.new_campaign(external_id="spring/north 1")
    assert (await theirs(ours, "POST", "/drives/spring%2Fnorth%201/rest")).body == {"state": "PAUSED"}


async def test_an_error_that_nobody_expected_is_answered_in_form_and_logged_once(
    ours: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logged, caplog.at_level(logging.ERROR):
        answer = await theirs(ours, "GET", "/broken")
    assert (answer.status, answer.body) == (500, {"error": {"code": "oops", "fields": []}})
    assert [(line["event"], line["path"]) for line in logged if line["log_level"] == "error"] == [
        ("a request failed", "/drives-api/broken")
    ]
    assert caplog.records == []


async def test_each_api_has_its_own_document(ours: Customer, api: Api) -> None:
    document = (await theirs(ours, "GET", "/openapi.json")).body
    assert document["info"] == {"title": "Drives", "version": "7"}
    assert set(document["paths"]) == {"/drives", "/drives/{drive}/rest", "/broken"}
    assert document["servers"] == [{"url": "/drives-api"}]
    body = document["paths"]["/drives"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/NewDrive"}
    assert document["components"]["schemas"]["NewDrive"]["required"] == ["title", "hours"]
    root = await ours.api.call("GET", "/openapi.json")
    assert root.raw == (await api.call("GET", "/openapi.json")).raw
