"""What refused values are told: what to write, and nothing of the value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.campaign_api.native.schemas.campaigns import CreateCampaign, EditCampaign
from services.campaign_api.native.schemas.concurrency import SetConcurrency
from services.campaign_api.native.schemas.configurations import CreateConfiguration
from services.campaign_api.native.schemas.contacts import UpsertContacts
from services.campaign_api.native.schemas.do_not_call import AddNumbers
from shared.domain.contact_input import ContactInput
from shared.domain.mistakes import mistake

NUMBER = "+14155550123"
NO_FIELD = "There is no such field; "


def told(model: type[BaseModel], raw: bytes) -> dict[tuple[str | int, ...], str]:
    """What is said about each place of the body."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(raw)
    return {error["loc"]: mistake(error, model) for error in caught.value.errors()}


def told_of(model: type[BaseModel], **values: Any) -> dict[tuple[str | int, ...], str]:
    return told(model, json.dumps(values).encode())


@pytest.mark.parametrize("name", ["first_name", "email", "company", "Notes", "date", "uid", "agent_name", "x" * 1000])
def test_what_is_the_customers_own_belongs_into_data(name: str) -> None:
    said = told_of(ContactInput, phone_numbers=[NUMBER], **{name: "Ada"})
    assert said == {(name,): "There is no such field of a contact; put what is your own into data"}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("phone", "phone_numbers"),
        ("phone_number", "phone_numbers"),
        ("phoneNumbers", "phone_numbers"),
        ("number", "phone_numbers"),
        ("externalId", "external_id"),
        ("external_ids", "external_id"),
        ("time_zone", "timezone"),
        ("tz", "timezone"),
        ("metadata", "data"),
        ("scheduledAt", "scheduled_at"),
        ("agent", "agent_id"),
        ("agent_nunber", "agent_number"),
        ("timezoen", "timezone"),
        ("initial_contex", "initial_context"),
    ],
)
def test_a_near_miss_is_told_the_field_that_was_meant(name: str, field: str) -> None:
    said = told_of(UpsertContacts, contacts=[{"phone_numbers": [NUMBER]}, {name: NUMBER}])
    assert said["contacts", 1, name] == f"{NO_FIELD}write {field}"


@pytest.mark.parametrize(
    ("model", "values", "loc", "sentence"),
    [
        (CreateCampaign, {"nme": "x"}, ("nme",), f"{NO_FIELD}write name"),
        (CreateCampaign, {"colour": "red"}, ("colour",), f"{NO_FIELD}leave it out"),
        (CreateCampaign, {"contacts": [{"tz": ""}]}, ("contacts", 0, "tz"), f"{NO_FIELD}write timezone"),
        (
            CreateConfiguration,
            {"default_windows": [{"begin": "09:00"}]},
            ("default_windows", 0, "begin"),
            f"{NO_FIELD}leave it out",
        ),
        (
            CreateConfiguration,
            {"overrides": [{"timezone": "Asia/Tokyo"}]},
            ("overrides", 0, "timezone"),
            f"{NO_FIELD}write timezones",
        ),
        (
            CreateConfiguration,
            {"retry_rules": {"busy": {"multipler": 2}}},
            ("retry_rules", "busy", "multipler"),
            f"{NO_FIELD}write multiplier",
        ),
        (
            CreateConfiguration,
            {"retry_rules": {"mode": {"x": 1}}},
            ("retry_rules", "mode", "x"),
            f"{NO_FIELD}leave it out",
        ),
        (
            UpsertContacts,
            {"contacts": {"phone_numbers": [NUMBER]}},
            ("contacts",),
            'list, also for one alone: [{"phone',
        ),
        (
            UpsertContacts,
            {"contacts": [NUMBER]},
            ("contacts", 0),
            'Write each contact as a JSON object: {"phone_numbers"',
        ),
        (
            UpsertContacts,
            {"contacts": [[NUMBER]]},
            ("contacts", 0),
            'Write each contact as a JSON object: {"phone_numbers"',
        ),
        (
            ContactInput,
            {"phone_numbers": NUMBER},
            ("phone_numbers",),
            'Write a list, also for one alone: ["+14155550123"]',
        ),
        (ContactInput, {"external_id": 7}, ("external_id",), "Write a text in quotation marks"),
        (ContactInput, {"data": "x"}, ("data",), "Write a JSON object, in curly brackets"),
        (ContactInput, {}, ("phone_numbers",), "Add this field: it is required"),
        (ContactInput, {"phone_numbers": []}, ("phone_numbers",), "Send at least 1 of these, not 0"),
        (ContactInput, {"phone_numbers": [NUMBER] * 11}, ("phone_numbers",), "Send at most 10 of these, not 11"),
        (ContactInput, {"external_id": ""}, ("external_id",), "Write a text of 1 or more characters"),
        (ContactInput, {"external_id": "x" * 256}, ("external_id",), "Write a text of 255 or fewer characters"),
        (ContactInput, {"timezone": "Mars"}, ("timezone",), "This is not an IANA timezone; use a name such as"),
        (
            AddNumbers,
            {"phone_numbers": NUMBER},
            ("phone_numbers",),
            'Write a list, also for one alone: ["+14155550123"]',
        ),
        (CreateConfiguration, {"default_windows": "always"}, ("default_windows",), "Write a list, in square brackets"),
        (CreateConfiguration, {"retry_rules": []}, ("retry_rules",), "Write a JSON object, in curly brackets"),
        (
            CreateConfiguration,
            {"retry_rules": {"busy": {"retry": "yes"}}},
            ("retry_rules", "busy", "retry"),
            "Write true or",
        ),
        (
            CreateConfiguration,
            {"retry_rules": {"buzy": {}}},
            ("retry_rules", "buzy", "[key]"),
            "Write 'answered', 'voicemail'",
        ),
        (CreateConfiguration, {"max_attempts": 51}, ("max_attempts",), "Write a number that is at most 50, not 51"),
        (SetConcurrency, {"concurrency_limit": 0}, ("concurrency_limit",), "Write a number that is at least 1, not 0"),
        (EditCampaign, {"calls_per_second": 0}, ("calls_per_second",), "Write a number above 0, not 0"),
        (
            SetConcurrency,
            {"concurrency_limit": 10**400},
            ("concurrency_limit",),
            "Write a number that is at most 10000",
        ),
        (
            SetConcurrency,
            {"concurrency_limit": "5"},
            ("concurrency_limit",),
            "Write a whole number, without quotation marks",
        ),
        (SetConcurrency, {"concurrency_limit": 2.5}, ("concurrency_limit",), "Write a whole number"),
        (EditCampaign, {"name": None}, ("name",), "must not be null; leave it out to keep the value"),
    ],
)
def test_the_sentence_says_what_to_write(
    model: type[BaseModel], values: dict[str, Any], loc: tuple[str | int, ...], sentence: str
) -> None:
    assert sentence in told_of(model, **values)[loc]


@pytest.mark.parametrize(
    ("model", "raw", "sentence"),
    [
        (UpsertContacts, b"", "The body is empty; send a JSON object with contacts"),
        (CreateCampaign, b"", "The body is empty; send a JSON object with name and configuration_id"),
        (EditCampaign, b"", "The body is empty; send a JSON object, in curly brackets"),
        (UpsertContacts, b"[]", "Write a JSON object with contacts"),
        (UpsertContacts, b"7", "Write a JSON object with contacts"),
        (UpsertContacts, b'{"contacts": ', "Send valid JSON: EOF while parsing a value at line 1 column 13"),
        (UpsertContacts, b'{"contacts": [],}', "Send valid JSON: trailing comma at line 1 column 17"),
    ],
)
def test_a_body_that_is_no_object_is_told_what_to_send(model: type[BaseModel], raw: bytes, sentence: str) -> None:
    assert told(model, raw) == {(): sentence}


@given(
    st.dictionaries(st.text(max_size=40), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.none()))
)
def test_every_mistake_has_a_sentence_without_the_value(values: dict[str, Any]) -> None:
    marked = {name: "MARK" + value if isinstance(value, str) else value for name, value in values.items()}
    for said in told(ContactInput, json.dumps({**marked, "phone_numbers": "MARK"}).encode()).values():
        assert said
        assert "MARK" not in said
