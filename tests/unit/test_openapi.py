"""docs/openapi/native.json says what the routes of campaign-api say, in names that clients can be made of."""

import re
from typing import Any

import pytest

from deploy.openapi import FILE, document, rendered
from services.campaign_api.http.openapi import operation_name, summary_of

# Without a credential: the carrier signs, the others are for everybody, or are what a signed URL leads to.
OPEN = {
    "carrier_twilio",
    "carrier_answering_machine",
    "health_live",
    "health_ready",
    "health_metrics",
    "about",
    "files_upload",
    "files_download",
}


def operations() -> list[dict[str, Any]]:
    return [operation for methods in document()["paths"].values() for operation in methods.values()]


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == rendered(), "run: python -m deploy.openapi"


def test_operations_have_names_of_their_own_and_summaries_that_say_what_they_do() -> None:
    every = operations()
    names = [operation["operationId"] for operation in every]
    assert len(names) > 100
    assert len(set(names)) == len(names)
    assert {"campaigns_create", "campaigns_list", "contacts_upsert", "companies_list"} <= {*names}
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
    assert [one["operationId"] for one in every if not re.fullmatch(r"[A-Z].*[^.;:]", one["summary"])] == []


def test_every_tag_is_described_and_used() -> None:
    described = [tag["name"] for tag in document()["tags"]]
    assert {*described} == {tag for operation in operations() for tag in operation["tags"]}
    assert len(set(described)) == len(described)


def test_every_operation_says_whether_it_needs_a_credential() -> None:
    assert {one["operationId"] for one in operations() if one["security"] == []} == OPEN


@pytest.mark.parametrize(
    ("tag", "endpoint", "name"),
    [
        ("Campaigns", "create", "campaigns_create"),
        ("Calls", "list_all", "calls_list"),
        ("Do not call", "get_one", "do_not_call_get"),
        ("Caller numbers", "list_all_pools", "caller_numbers_list_pools"),
        ("Webhooks", "replay_all", "webhooks_replay_all"),
        ("Callbacks", "list_of_campaign", "callbacks_list_of_campaign"),
    ],
)
def test_an_operation_is_named_by_tag_and_endpoint(tag: str, endpoint: str, name: str) -> None:
    assert operation_name(tag, endpoint) == name


@pytest.mark.parametrize(
    ("description", "summary"),
    [
        ("Create a campaign; it starts active.", "Create a campaign"),
        ("Get a file, from https://here. Then more.", "Get a file, from https://here"),
        ("Pause it.\n\nMore.", "Pause it"),
        ("No end", "No end"),
    ],
)
def test_a_summary_is_the_first_clause(description: str, summary: str) -> None:
    assert summary_of(description) == summary
