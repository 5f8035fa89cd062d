import json
from typing import Any

import pytest

from services.campaign_api.http.faults import ValuesInvalid
from services.campaign_api.talkturo.bodies import read
from services.campaign_api.talkturo.errors import place
from services.campaign_api.talkturo.schemas.campaigns import CreateCampaign, EditCampaign, Enrol, RunCampaign
from services.campaign_api.talkturo.schemas.contacts import EditContact, NewContact
from services.campaign_api.talkturo.schemas.registry import CompanyFields, RegisterNumber
from services.campaign_api.talkturo.spelling import Spelled, camel_case, snake_case

WISH: dict[str, Any] = {
    "teamId": "acme",
    "assistantId": "outreach",
    "companyId": "tradeshow",
    "fromNumberIds": ["+14155550100"],
    "name": "Spring",
}
ADA = {"firstName": "Ada", "lastName": "Lovelace"}


def refused(body: Any, model: type[Spelled], *, nulls: bool = False) -> list[str]:
    """The places of a body's bad values, as the client wrote them, in order."""
    with pytest.raises(ValuesInvalid) as error:
        read(json.dumps(body).encode(), model, nulls=nulls)
    return sorted(place(value) for value in error.value.fault.values)


@pytest.mark.parametrize(
    ("camel", "snake"),
    [("assistantId", "assistant_id"), ("retryDelayMinutesNoAnswer", "retry_delay_minutes_no_answer"), ("name", "name")],
)
def test_a_field_has_two_spellings(camel: str, snake: str) -> None:
    assert (snake_case(camel), snake_case(snake), camel_case(snake)) == (snake, snake, camel)


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"teamId": None}, ["teamId"]),
        ({"company_id": "another"}, ["company_id"]),
        ({"name": "", "company_id": "another"}, ["company_id", "name"]),
        ({"maxConcurrentCalls": True, "retry_on_error": 1}, ["maxConcurrentCalls", "retry_on_error"]),
        ({"maxConcurrentCalls": 10_001}, ["maxConcurrentCalls"]),
        ({"maxAttemptsPerContact": 51}, ["maxAttemptsPerContact"]),
        ({"maxAttemptsPerContact": 0}, ["maxAttemptsPerContact"]),
        ({"retryDelayMinutes": -1}, ["retryDelayMinutes"]),
        ({"retry_delay_minutes_busy": 43_201}, ["retry_delay_minutes_busy"]),
        ({"retryBackoffMaxMinutes": 10_081}, ["retryBackoffMaxMinutes"]),
        ({"retryBackoffMode": "linear"}, ["retryBackoffMode"]),
        ({"voicemail_action": "hang_up"}, ["voicemail_action"]),
        ({"unavailable_action": "again"}, ["unavailable_action"]),
        ({"name": "x" * 256, "description": "x" * 10_001}, ["description", "name"]),
        ({"callWindowStart": "9:00", "callWindowEnd": "24:01"}, ["callWindowEnd", "callWindowStart"]),
        ({"fromNumberIds": ["a", "a"]}, ["fromNumberIds"]),
        ({"fromNumberIds": [str(n) for n in range(51)]}, ["fromNumberIds"]),
        ({"fromNumberIds": [{"id": "a", "weight": 21}]}, ["fromNumberIds[0].weight"]),
        ({"schedule": {"startAt": "soon"}}, ["schedule.startAt"]),
        ({"webhookUrl": "x" * 2049, "webhook_secret": "x" * 256}, ["webhookUrl", "webhook_secret"]),
        ({"externalId": "x" * 256}, ["externalId"]),
        (
            {"name": 7, "settings": {"maxAttemptsBusy": 51, "retry_delay_minutes": "5", "mine": "5"}},
            ["name", "settings.maxAttemptsBusy", "settings.retry_delay_minutes"],
        ),
        ({"settings": {"retryOnError": True, "retry_on_error": False}}, ["settings.retry_on_error"]),
        ({"settings": []}, ["settings"]),
    ],
)
def test_all_bad_values_of_a_campaign_are_named_as_the_client_wrote_them(
    fields: dict[str, Any], places: list[str]
) -> None:
    assert refused({**WISH, **fields}, CreateCampaign) == places


@pytest.mark.parametrize(
    ("model", "body", "places"),
    [
        (CreateCampaign, {}, ["assistantId", "companyId", "fromNumberIds", "name", "teamId"]),
        (EditCampaign, {"name": None, "assistantId": None, "company_id": None}, ["assistantId", "company_id", "name"]),
        (EditCampaign, {"fromNumberIds": None, "status": None}, ["fromNumberIds", "status"]),
        (EditCampaign, {"status": "completed"}, ["status"]),
        (RunCampaign, {"maxCalls": 0}, ["maxCalls"]),
        (RunCampaign, {"maxCalls": 1_000_001, "action": "halt", "dryRun": "true"}, ["action", "dryRun", "maxCalls"]),
        (Enrol, {"contactIds": ["x"] * 5001}, ["contactIds"]),
        (Enrol, {"contacts": [ADA] * 1001}, ["contacts"]),
        (Enrol, {"contacts": [{**ADA, "email": "a@b@c"}], "priority": 1_000_000}, ["contacts[0].email", "priority"]),
        (Enrol, {"audience": "some"}, ["audience"]),
        (NewContact, {"firstName": "x" * 256}, ["firstName", "lastName"]),
        (NewContact, {**ADA, "phone": "+0123456789", "phone_secondary": "+14155"}, ["phone", "phone_secondary"]),
        (NewContact, {**ADA, "email": "x" * 320 + "@b", "notes": "x" * 10_001}, ["email", "notes"]),
        (NewContact, {**ADA, "tags": ["x"] * 101, "leadSource": "x" * 256}, ["leadSource", "tags"]),
        (NewContact, {**ADA, "tags": [""], "customFields": {"x": "y" * 65_536}}, ["customFields", "tags[0]"]),
        (EditContact, {"firstName": None}, ["firstName"]),
        (CompanyFields, {"website": "x" * 256, "notes": "x" * 10_001}, ["notes", "website"]),
        (RegisterNumber, {"phoneNumber": "0100", "weight": 21}, ["phoneNumber", "weight"]),
    ],
)
def test_all_bad_values_are_named_and_what_is_missing_in_camel_case(
    model: type[Spelled], body: Any, places: list[str]
) -> None:
    assert refused(body, model, nulls=model.__name__.startswith("Edit")) == places


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (
            CreateCampaign,
            {
                **WISH,
                "callWindowStart": "23:59:00",
                "callWindowEnd": "24:00",
                "retryBackoffMultiplier": 2,
            },
        ),
        (
            CreateCampaign,
            {
                **WISH,
                "settings": {"retry_delay_minutes": None, "max_attempts_error": 50},
                "externalId": "a b/c",
            },
        ),
        (EditCampaign, {"callWindowStart": None, "maxConcurrentCalls": None, "settings": {"retryOnError": None}}),
        (Enrol, {"audience": "all"}),
        (NewContact, {**ADA, "phone": "+1234567", "tags": ["x" * 100] * 100}),
        (RunCampaign, {"maxCalls": None}),
    ],
)
def test_values_at_the_bounds_are_good(model: type[Spelled], body: Any) -> None:
    given = read(json.dumps(body).encode(), model, nulls=model is EditCampaign)
    assert not given.warnings


def test_what_settings_say_is_read_and_what_is_the_clients_own_is_not_told() -> None:
    sent = {"retryDelayMinutes": 5, "max_attempts_busy": 9, "mine": {"maxAttempts": 1}}
    given = read(json.dumps({**WISH, "settings": sent}).encode(), CreateCampaign, nulls=False)
    assert given.value.settings == sent
    assert given.value.in_settings is not None
    assert given.value.in_settings.model_dump(exclude_unset=True) == {"retry_delay_minutes": 5, "max_attempts_busy": 9}
    assert given.warnings == []
    hidden = read(json.dumps({**WISH, "inSettings": {"retryDelayMinutes": 5}}).encode(), CreateCampaign, nulls=False)
    assert hidden.value.in_settings is None
    assert hidden.warnings == ["inSettings is not a field here and was ignored"]


def test_unknown_fields_are_named_twenty_at_most_and_a_contacts_are_its_own() -> None:
    many = read(json.dumps({**WISH, **{f"x{n}": n for n in range(22)}}).encode(), CreateCampaign, nulls=False)
    assert (len(many.warnings), many.warnings[-1]) == (21, "2 more fields were ignored")
    inner = read(json.dumps({**WISH, "schedule": {"days": 1}}).encode(), CreateCampaign, nulls=False)
    assert inner.warnings == ["days is not a field here and was ignored"]
    contact = read(json.dumps({**ADA, "hat": "top", "customFields": {"size": 3}}).encode(), NewContact, nulls=False)
    assert (contact.value.custom_fields, contact.warnings) == ({"hat": "top", "size": 3}, [])


def test_null_is_left_out_on_creation_and_stays_in_a_change() -> None:
    made = read(json.dumps({**WISH, "description": None}).encode(), CreateCampaign, nulls=False)
    assert "description" not in made.fields
    changed = read(b'{"description": null, "callWindowStart": null}', EditCampaign, nulls=True)
    assert changed.fields == {"description", "call_window_start"}
