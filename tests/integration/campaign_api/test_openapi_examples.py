"""The native document: its examples of bodies are taken, but for ids and times of their day; answers keep to it."""

from typing import Any, Final

from jsonschema import Draft202012Validator

from tests.integration.campaign_api.client import ADMIN_TOKEN, Answer, Api
from tests.integration.campaign_api.test_isolation import IN_A_MONTH, Victim, victim

__all__ = ["victim"]
# The callback was asked for a moment before, and no scheduler is at work here that would carry that out; nobody is left
# whom a redial would call; an account has the name; the key is no token.
ELSEWHERE: Final = {
    "callbacks_reschedule": 503,
    "campaigns_redial": 400,
    "telephony_accounts_create": 409,
    "operator_edit_personal_token": 404,
}


async def test_every_example_is_taken(api: Api, victim: Victim) -> None:
    document = (await api.call("GET", "/openapi.json")).body
    things = {**victim.ids, "organization_id": victim.customer.organization_id, "topic": "contact.batches"}
    things["key_id"] = (await api.admin("GET", "/organization-pats?limit=1")).body["organization_pats"][0]["id"]
    upload = (await victim.customer.post("/files", {"name": "people.csv"})).body
    things["file_id"], url = upload["id"], upload["upload_url"].removeprefix(api.url)
    tried, others = 0, dict[str, tuple[int, bytes]]()
    # The file is uploaded before it is imported.
    for path, methods in sorted(document["paths"].items(), key=lambda each: not each[0].startswith("/files")):
        for method, operation in methods.items():
            for kind, media in operation.get("requestBody", {}).get("content", {}).items():
                way = url if path.startswith("/files") else path.format_map(things)
                answer = await send(victim, method, way, kind, example_of(document, media, things))
                if answer.status not in {200, 202}:
                    others[operation["operationId"]] = answer.status, answer.raw
                tried += 1
    assert tried > 35
    assert {name: status for name, (status, _) in others.items()} == ELSEWHERE, others


async def test_what_is_read_keeps_to_the_document_formats_included(api: Api, victim: Victim) -> None:
    document = (await api.call("GET", "/openapi.json")).body
    things = {**victim.ids, "organization_id": victim.customer.organization_id}
    read = 0
    for path, methods in document["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" not in content or "{topic}" in path:
            continue
        way = path.format_map(things) + ("?number=%2B442071838750" if path.endswith("/next-call") else "")
        key = ADMIN_TOKEN if path.startswith("/admin") else victim.customer.key
        answer = await api.call("GET", way, key=key)
        assert answer.status == 200, (path, answer.raw)
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        faults = [f"{list(fault.absolute_path)}: {fault.message}" for fault in validator.iter_errors(answer.body)]
        assert faults == [], path
        read += 1
    assert read > 40


def example_of(document: Any, media: Any, things: dict[str, str]) -> Any:
    """The first example, with things that are there and a time to come."""
    schema = media["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    example = media["example"] if "example" in media else schema["examples"][0]
    if not isinstance(example, dict):
        return example
    ours = {
        "configuration_id": things["configuration_id"],
        "file_id": things["file_id"],
        "organization_id": things["organization_id"],
        "organization_ids": [things["organization_id"]],
        "at": IN_A_MONTH,
    }
    return {name: ours.get(name, value) for name, value in example.items()}


async def send(victim: Victim, method: str, path: str, kind: str, example: Any) -> Answer:
    """The request: JSON, or what is text as it stands; the operator's with the operator's token."""
    customer = victim.customer
    if path.startswith("/admin"):
        return await customer.api.admin(method.upper(), path.removeprefix("/admin"), example)
    headers = {"Content-Type": kind}
    if path.startswith("/files"):
        return await customer.api.call(method.upper(), path, raw=example.encode(), headers=headers)
    if isinstance(example, str):
        return await customer.api.call(method.upper(), path, key=customer.key, raw=example.encode(), headers=headers)
    return await customer.api.call(method.upper(), path, key=customer.key, body=example)
