"""docs/openapi/*.json say what the routes of campaign-api say, in names that clients can be made of."""

import json
import re
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from deploy.openapi import FOLDER, documents, rendered
from services.campaign_api.http.openapi import operation_name, summary_of

DOCUMENTS: Final = documents()
# Without a credential: the carrier signs, the others are for everybody, or are what a signed URL leads to.
OPEN: Final = {
    "native.json": {"about", "files_upload", "files_download"},
    "operations.json": {"carrier_twilio", "carrier_answering_machine", "health_live", "health_ready", "health_metrics"},
}
of_each_api = pytest.mark.parametrize("name", DOCUMENTS)


def operations(name: str) -> list[dict[str, Any]]:
    return [operation for methods in DOCUMENTS[name]["paths"].values() for operation in methods.values()]


@of_each_api
def test_the_files_are_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == rendered(DOCUMENTS[name]), "run: python -m deploy.openapi"


def test_there_are_no_other_files() -> None:
    assert {file.name for file in FOLDER.iterdir()} == DOCUMENTS.keys()


@of_each_api
def test_operations_have_names_of_their_own_and_summaries_that_say_what_they_do(name: str) -> None:
    every = operations(name)
    names = [operation["operationId"] for operation in every]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
    assert [one["operationId"] for one in every if not re.fullmatch(r"[A-Z].*[^.;:]", one["summary"])] == []


def test_operations_of_customers_are_found_by_their_names() -> None:
    names = {operation["operationId"] for operation in operations("native.json")}
    assert {"campaigns_create", "campaigns_list", "contacts_upsert", "companies_list"} <= names


@of_each_api
def test_every_tag_is_described_and_used(name: str) -> None:
    described = [tag["name"] for tag in DOCUMENTS[name]["tags"]]
    assert {*described} == {tag for operation in operations(name) for tag in operation["tags"]}
    assert len(set(described)) == len(described)


@of_each_api
def test_every_operation_says_whether_it_needs_a_credential(name: str) -> None:
    assert {one["operationId"] for one in operations(name) if one["security"] == []} == OPEN.get(name, set())


@of_each_api
def test_examples_keep_to_their_own_schemas(name: str) -> None:
    components = DOCUMENTS[name]["components"]
    for title, schema in components["schemas"].items():
        validator = Draft202012Validator({**schema, "components": components})
        for example in schema.get("examples", ()):
            faults = [f"{list(fault.absolute_path)}: {fault.message}" for fault in validator.iter_errors(example)]
            assert faults == [], f"{title}: {json.dumps(example)}"


@of_each_api
def test_bounds_are_named_as_json_schema_names_them(name: str) -> None:
    assert re.findall(r'"(?:ge|le|gt|lt)": [0-9]', rendered(DOCUMENTS[name])) == []


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
