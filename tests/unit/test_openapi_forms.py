"""docs/openapi/*.json: each body has an example that its own schema takes; times and ids say what they look like."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from deploy.openapi import documents, rendered

DOCUMENTS: Final = documents()
FORMATS: Final = Draft202012Validator.FORMAT_CHECKER
TIME: Final = re.compile(r"(^|_)(at|until|since|before|after|timestamp|date)$|(At|Date)$")
# Named like times, and none: epoch milliseconds, as the admin API has them; the outcome of the call before.
NO_TIMES: Final = {"expires_at": {"integer", "date-time"}, "outcome_before": {"Outcome"}}
ID: Final = re.compile(r"^id$|_ids?$|[a-z]Ids?$|^uuid$|_uuid$")
# Ids that others make, and references that an external id or a number may stand for: any text.
ANY_TEXT: Final[Mapping[str, set[str]]] = {
    "native.json": {"agent_id", "external_id", "batch_id", "provider_call_id"},
    "operations.json": set(),
    "smartalex.json": {"agent_id"},
    "sysevo.json": {"source_id", "workflow_uuid"},
    # Bare UUIDs, ids with a prefix and the customer's own are taken alike.
    "talkturo.json": {
        *("id", "teamId", "templateId", "externalId", "assistantId", "companyId", "campaignId", "contactId"),
        *("contactIds", "fromNumberIds"),
    },
}
# Of agents, whose ids the customer may choose; of parts of the engine; as a request has named it; a phone number; a
# filter, which may be empty or name what is not there.
ANY_TEXT_AT: Final = {
    ("native.json", place)
    for place in (
        *("AgentView.id", "RegisterAgent.id", "Deleted.id", "ExecutorView.id", "SchedulerView.id"),
        *("EnrolledView.person_id", "IngestBatchView.campaign_id", "CreateWebhook.campaign_id"),
        *("people_list?company_id", "people_list?campaign_id"),
    )
} | {
    ("smartalex.json", place)
    for place in (
        *("AgentView.id", "CreateAgent.id"),
        *("imports_start?campaign_id", "callbacks_list?campaign_id", "calls_list?campaign_id", "calls_list?contact_id"),
        *("contacts_list?campaign_id", "CampaignView.phone_number_id"),
    )
}
of_each_api = pytest.mark.parametrize("name", DOCUMENTS)


def operations(name: str) -> Iterator[dict[str, Any]]:
    for methods in DOCUMENTS[name]["paths"].values():
        yield from methods.values()


def bodies(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every kind of body of every operation, with where it stands."""
    for operation in operations(name):
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{operation['operationId']} {kind}", media


def fields(name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every property and parameter: where it stands, its name, its schema."""
    for title, schema in DOCUMENTS[name]["components"]["schemas"].items():
        yield from properties(title, schema)
    for operation in operations(name):
        here = operation["operationId"]
        for parameter in operation.get("parameters", ()):
            yield f"{here}?{parameter['name']}", parameter["name"], parameter["schema"]
    for place, media in bodies(name):
        yield from properties(place, media["schema"])


def properties(place: str, schema: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if isinstance(schema, list):
        for part in schema:
            yield from properties(place, part)
    elif isinstance(schema, dict):
        for name, part in schema.get("properties", {}).items():
            yield f"{place}.{name}", name, part
            yield from properties(f"{place}.{name}", part)
        for word in ("items", "anyOf", "oneOf", "allOf", "additionalProperties"):
            yield from properties(place, schema.get(word))


def forms(schema: Mapping[str, Any]) -> set[str]:
    """What a value may look like: formats, `pattern`, words of a list, `text` for any; kinds of what is no text."""
    parts = [part for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, ())]
    if parts:
        return set().union(*(forms(part) for part in parts))
    if "$ref" in schema:
        return {schema["$ref"].rpartition("/")[2]}
    if schema.get("type") == "array":
        return forms(schema["items"])
    if schema.get("type") != "string":
        return {schema.get("type", "anything")} - {"null"}
    return {schema.get("format") or ("pattern" if "pattern" in schema else "words" if "enum" in schema else "text")}


@of_each_api
def test_every_body_has_an_example_that_it_takes(name: str) -> None:
    assert {"date-time", "uuid", "date"} <= FORMATS.checkers.keys(), "otherwise they would not be looked at"
    components = DOCUMENTS[name]["components"]
    for place, media in bodies(name):
        schema = media["schema"]
        named = components["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        examples = [media["example"]] if "example" in media else named.get("examples", [])
        assert examples, place
        validator = Draft202012Validator({**named, "components": components}, format_checker=FORMATS)
        for example in examples:
            assert [fault.message for fault in validator.iter_errors(example)] == [], place


@of_each_api
def test_times_are_date_times(name: str) -> None:
    found = {place: forms(schema) for place, field, schema in fields(name) if TIME.search(field)}
    wrong = {
        place: seen
        for place, seen in found.items()
        if not seen <= NO_TIMES.get(re.split(r"[.?]", place)[-1], {"date-time", "date"})
    }
    assert wrong == {}


@of_each_api
def test_ids_have_a_form_unless_they_may_be_any_text(name: str) -> None:
    plain = {
        place
        for place, field, schema in fields(name)
        if ID.search(field)
        and field not in ANY_TEXT[name]
        and (name, place) not in ANY_TEXT_AT
        and not forms(schema) <= {"uuid", "pattern", "integer", "boolean"}
    }
    assert plain == set()


def test_what_may_be_any_text_is_there() -> None:
    there = {(name, place) for name in DOCUMENTS for place, _, _ in fields(name)}
    assert there >= ANY_TEXT_AT
    for name, texts in ANY_TEXT.items():
        assert {field for _, field, _ in fields(name)} >= texts, name


@of_each_api
def test_every_operation_has_tag_summary_description_and_a_security_that_is_described(name: str) -> None:
    document = DOCUMENTS[name]
    assert [server["url"] for server in document["servers"]] != []
    schemes = document["components"].get("securitySchemes", {}).keys()
    for operation in operations(name):
        here = operation["operationId"]
        assert all(operation[word] for word in ("tags", "summary", "description")), here
        assert {scheme for choice in operation["security"] for scheme in choice} <= schemes, here


@of_each_api
def test_refusals_are_the_apis_own(name: str) -> None:
    assert "HTTPValidationError" not in rendered(DOCUMENTS[name])


def test_what_is_not_for_customers_is_in_the_operators_document_alone() -> None:
    inner = ("/callbacks/twilio", "/health", "/metrics")
    for name, document in DOCUMENTS.items():
        found = [path for path in document["paths"] if path.startswith(inner)]
        assert found == (list(document["paths"]) if name == "operations.json" else []), name
