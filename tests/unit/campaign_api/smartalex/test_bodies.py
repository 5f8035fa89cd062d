"""Bodies of this dialect: what is taken, refused, ignored in silence, and ignored with a remark."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.campaign_api.smartalex import translate
from services.campaign_api.smartalex.schemas.agents import CreateAgent, EditAgent
from services.campaign_api.smartalex.schemas.callbacks import CreateCallback, Reschedule
from services.campaign_api.smartalex.schemas.campaigns import CreateCampaign, EditCampaign, Settings
from services.campaign_api.smartalex.schemas.common import Body, unknown_fields
from services.campaign_api.smartalex.schemas.contacts import AddContacts, ContactRow, CreateContact, EditContact
from services.campaign_api.smartalex.schemas.webhooks import CreateWebhook, MadeWebhook
from services.campaign_api.smartalex.translate_agents import agent_changes, agent_view, new_agent
from services.campaign_api.smartalex.translate_contacts import persons_fields, read_rows
from services.campaign_api.smartalex.translate_hours import asked_hours
from shared.clock import utc_now
from shared.domain.contact_input import NumberRules
from shared.domain.csv_columns import DATA, PHONE
from shared.domain.csv_people import person_columns
from shared.engine.agents import Agent
from shared.rendering.smartalex.callbacks import CallbackView
from shared.rendering.smartalex.campaign_views import CampaignView
from shared.rendering.smartalex.contacts import ContactView
from shared.rendering.smartalex.events import EventType

NOW = datetime(2026, 1, 14, 22, 30, tzinfo=UTC)
SOON = (utc_now() + timedelta(days=1)).isoformat()
URL = "https://example.com/hooks"
AGENT = Agent.from_document(
    dict.fromkeys(("created_at", "updated_at"), NOW)
    | {"_id": "x", "organization_id": "acme", "agent_id": "ada", "number": 1, "name": "Ada"}
)
# The smallest body of each request that makes something.
LEAST: list[tuple[type[Body], dict[str, Any]]] = [
    (CreateCampaign, {"name": "Spring", "agent_id": "ada"}),
    (ContactRow, {"phone": "+14155550123"}),
    (CreateContact, {"phone": "+14155550123"}),
    (CreateCallback, {"contact_id": "x", "scheduled_at": SOON}),
    (CreateAgent, {"name": "Ada"}),
    (CreateWebhook, {"url": URL, "event_types": ["call.failed"]}),
]


def ids(value: Any) -> str | None:
    return value.__name__ if isinstance(value, type) else None


@pytest.mark.parametrize(("body", "field", "good", "bad"), [
    (CreateCampaign, "name", ["x", "x" * 255], ["", "  ", "x" * 256, 7, None]),
    (CreateCampaign, "agent_id", ["x" * 255], ["", "x" * 256, 7, None]),
    (CreateCampaign, "description", ["", "x" * 5000, None], ["x" * 5001, 7, "\x00"]),
    (CreateCampaign, "objective", ["x" * 5000, None], ["x" * 5001, 7]),
    (CreateCampaign, "phone_number_id", ["+14155550123", None], ["4155550123", "+1 415 555 0123", "front desk"]),
    (CreateCampaign, "campaign_mode", ["outbound", None], ["inbound", ""]),
    (CreateCampaign, "timezone", ["America/New_York", None], ["Mars/Olympus", "", 7]),
    (Settings, "calling_hours_start", ["00:00", "23:59", None], ["9:00", "09:0", "24:01", "09:00:00", 9]),
    (Settings, "calling_hours_end", ["24:00", None], ["25:00", "9:00"]),
    (Settings, "timezone", ["UTC", "Europe/Berlin"], ["Berlin"]),
    (Settings, "concurrent_calls", [1, 10_000], [0, 10_001, "5", 5.0, True]),
    (Settings, "max_retries", [0, 49], [-1, 50, "5", True]),
    (CreateContact, "first_name", ["x" * 255, None], ["x" * 256, 7]),
    (CreateContact, "email", ["x" * 254, "no address"], ["x" * 255]),
    (CreateContact, "tags", [["x" * 100] * 50, []], [["x"] * 51, [""], ["x" * 101], "vip"]),
    (CreateContact, "metadata", [{"a": {"b": [1, None]}}], [[], "x", {"x": "y" * 65_536}]),
    (CreateContact, "status", ["active", "inactive", "dnc"], ["gone", 7]),
    (ContactRow, "phone", ["+14155550123", "front desk", "", "4" * 1000], [7, None, {}]),
    (ContactRow, "title", ["x" * 255], ["x" * 256]),
    (CreateCallback, "notes", ["x" * 2000, None], ["x" * 2001, 7]),
    (CreateAgent, "id", ["ada/1", "x" * 255], ["", "x" * 256, ".", ".."]),
    (CreateAgent, "name", ["x" * 255], ["", "x" * 256]),
    (CreateAgent, "phone_numbers", [["+14155550123"] * 100], [["+14155550123"] * 101, ["555"]]),
    (CreateAgent, "is_active", [True, False], [1, "true"]),
    (CreateWebhook, "event_types", [["call.failed"], [*EventType]], [[], ["call.ringing"], ["call.failed"] * 2, "x"]),
    (CreateWebhook, "description", ["x" * 255], ["x" * 256]),
    (CreateWebhook, "secret", ["x" * 8, "x" * 255], ["x" * 7, "x" * 256]),
    (CreateWebhook, "enabled", [True, False], [1, "false"]),
], ids=ids)  # fmt: skip
def test_bounds(body: type[Body], field: str, good: list[Any], bad: list[Any]) -> None:
    least = dict(LEAST).get(body, {})
    for value in good:
        body.model_validate_json(as_json({**least, field: value}))
    for value in bad:
        with pytest.raises(ValidationError) as refused:
            body.model_validate_json(as_json({**least, field: value}))
        assert {error["loc"][0] for error in refused.value.errors()} == {field}, value


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_there_are_fifteen_events() -> None:
    assert len(EventType) == 15


@pytest.mark.parametrize(("body", "least"), LEAST, ids=ids)
def test_null_for_an_optional_field_is_the_same_as_leaving_it_out(body: type[Body], least: dict[str, Any]) -> None:
    without = body.model_validate(least, strict=False)
    nulls = body.model_validate({**dict.fromkeys(body.model_fields), **least}, strict=False)
    assert {name: getattr(nulls, name) for name in body.model_fields} == {
        name: getattr(without, name) for name in body.model_fields
    }
    for makes in (new_campaign_of, persons_fields_of, agent_of):
        assert makes(nulls) == makes(without)
    assert unknown_fields(nulls) == []


def new_campaign_of(body: Body) -> Any:
    if not isinstance(body, CreateCampaign):
        return None
    return translate.new_campaign(body), translate.own_configuration(body, asked_hours(body), AGENT)


def persons_fields_of(body: Body) -> Any:
    return persons_fields(body) if isinstance(body, CreateContact | ContactRow) else None


def agent_of(body: Body) -> Any:
    return new_agent(body) if isinstance(body, CreateAgent) else None


@pytest.mark.parametrize(
    ("body", "least", "read"),
    [
        (CreateCampaign, dict(LEAST)[CreateCampaign], CampaignView),
        (EditCampaign, {}, CampaignView),
        (CreateContact, dict(LEAST)[CreateContact], ContactView),
        (ContactRow, dict(LEAST)[ContactRow], ContactView),
        (EditContact, {}, ContactView),
        (CreateCallback, dict(LEAST)[CreateCallback], CallbackView),
        (Reschedule, {"scheduled_at": SOON}, CallbackView),
        (CreateWebhook, dict(LEAST)[CreateWebhook], MadeWebhook),
    ],
    ids=ids,
)
def test_fields_of_answers_are_sent_back_in_silence(body: type[Body], least: dict[str, Any], read: Any) -> None:
    of_answer = set(read.model_fields) - set(body.model_fields)
    given = body.model_validate({**dict.fromkeys(of_answer, "x"), **least}, strict=False)
    assert unknown_fields(given) == []
    assert unknown_fields(body.model_validate({**least, "colour": 1}, strict=False)) == [
        "colour: not known here, ignored"
    ]


def test_unknown_fields_are_named_in_lists_and_in_the_week_too() -> None:
    rows = AddContacts.model_validate({"contacts": [{"phone": "1"}, {"phone": "2", "nick": 1}], "x": 1})
    assert unknown_fields(rows) == ["x: not known here, ignored", "contacts[1].nick: not known here, ignored"]
    several = {
        "enabled": True,
        "start": "09:00",
        "end": "17:00",
        "windows": [{"start": "09:00", "end": "17:00", "x": 1}],
    }
    week = EditCampaign.model_validate({"business_hours": {"monday": several}, "data": {}})
    assert unknown_fields(week) == [
        "data: not known here, ignored",
        "business_hours.monday.windows[0].x: not known here, ignored",
    ]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2026-01-15T10:30:00Z", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("2026-01-15T12:30:00.123456+02:00", datetime(2026, 1, 15, 10, 30, 0, 123_000, tzinfo=UTC)),
        ("20260115T103000Z", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("2026-01-15T10:30:00", None),
        ("2026-01-15", None),
        ("tomorrow", None),
        (1_768_473_000, None),
    ],
)
def test_a_time_is_any_iso_time_with_an_offset(
    monkeypatch: pytest.MonkeyPatch, given: Any, meant: datetime | None
) -> None:
    monkeypatch.setattr("services.campaign_api.smartalex.schemas.callbacks.utc_now", lambda: NOW)
    if meant is None:
        with pytest.raises(ValidationError):
            Reschedule.model_validate_json(as_json({"scheduled_at": given}))
    else:
        assert Reschedule.model_validate_json(as_json({"scheduled_at": given})).scheduled_at == meant


@pytest.mark.parametrize(
    ("wait", "taken"),
    [(timedelta(), True), (timedelta(days=365), True), (timedelta(days=367), False), (-timedelta(hours=1), False)],
)
def test_a_callback_is_from_now_to_a_year(monkeypatch: pytest.MonkeyPatch, wait: timedelta, taken: bool) -> None:
    monkeypatch.setattr("services.campaign_api.smartalex.schemas.callbacks.utc_now", lambda: NOW)
    for body, least in ((CreateCallback, {"contact_id": "x"}), (Reschedule, {})):
        given = as_json({**least, "scheduled_at": (NOW + wait).isoformat()})
        if taken:
            body.model_validate_json(given)
        else:
            with pytest.raises(ValidationError):
                body.model_validate_json(given)


def test_a_phone_that_is_no_number_costs_its_row_however_long_it_is() -> None:
    rows = [ContactRow(phone=phone) for phone in ("front desk", "4" * 1000, "", "(415) 555-0123", "+14155550124")]
    read = read_rows(rows, NumberRules(None))
    assert [each["phone"] for each in read.people.values()] == ["+14155550123", "+14155550124"]
    assert [error.index for error in read.errors] == [0, 1, 2]
    assert len(read.errors[1].phone or "") < 300


def test_an_agent_is_renamed_by_either_name() -> None:
    shown = agent_view(AGENT).model_dump()
    assert (shown["name"], shown["assistant_name"]) == ("Ada", "Ada")
    for given, name in (
        ({"name": "Eve"}, "Eve"),
        ({"assistant_name": "Eve"}, "Eve"),
        ({"name": "Ada", "assistant_name": "Eve"}, "Eve"),
        ({"name": "Eve", "assistant_name": "Ada"}, "Eve"),
        ({"name": "Ada", "assistant_name": "Ada"}, None),
    ):
        assert agent_changes(EditAgent.model_validate(given), AGENT).get("name") == name


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (["phone", "phone_number", "mobile", "cell", "tel", "Phone Number", "PHONE"], PHONE),
        (["first_name", "firstname", "first name", "First Name"], "first_name"),
        (["plan", "favourite colour"], DATA),
    ],
)
def test_columns_of_a_list_are_found_by_their_names(names: list[str], field: str) -> None:
    for name in names:
        header = [name] if field == PHONE else ["phone", name]
        assert person_columns(header, {}).fields[-1] == field, name
