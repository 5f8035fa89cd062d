"""Results of calls over HTTP: whose they are, what they say, what follows, and the page that explains them."""

import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from shared.clock import utc_now
from shared.domain.ids import conversation_id_of
from shared.events import ContactsAdded, LimitsChanged
from shared.result_tokens import ResultTokens, TokenCall
from shared.store.client import Document
from tests.factories import new_id
from tests.integration.campaign_api.client import Answer, Customer, lead
from tests.integration.campaign_api.conftest import EventsOf, Stack

PAGE: Final = (Path(__file__).parents[3] / "docs" / "results.md").read_text(encoding="utf-8")
SPOKEN: Final[dict[str, Any]] = {
    "summary": "Wants the smaller flat",
    "transcript": [{"speaker": "agent", "text": "Hello", "at": "2026-03-01T09:00:00Z"}],
    "recording_url": "https://recordings.example.com/1.mp3",
    "extracted": {"viewing": {"day": "Friday"}},
}
PLAIN: Final[dict[str, Any]] = {
    "disposition": "appointment_made",
    "sentiment": "positive",
    "tags": ["lease", "lease"],
    "cost": 0.12,
    "goal_reached": True,
    "notes": "call before noon",
}


async def on_call(customer: Customer, stack: Stack, *numbers: str, campaign: str | None = None) -> Document:
    """A contact that is on a call."""
    if campaign is None:
        campaign = (await customer.new_campaign())["id"]
    row = lead(1) | ({"phone_numbers": list(numbers)} if numbers else {})
    [contact_id] = (await customer.post(f"/campaigns/{campaign}/contacts", {"contacts": [row]})).body["contact_ids"]
    now, number = utc_now(), row["phone_numbers"][0]
    lock = {"attempt": new_id(), "claim": new_id(), "phone": number, "number": number, "attempt_number": 1}
    start = {"nonce": "n", "executor": "e", "mode": "callback", "at": now, "hold_until": now + timedelta(hours=1)}
    change = {"$set": {"status": "in_progress", "lock": {**lock, "expires_at": now}, "start": start}}
    await stack.store["contacts"].update_one({"_id": contact_id}, change)
    contact = await stack.store["contacts"].find_one({"_id": contact_id})
    assert contact is not None
    return contact


def path_of(contact: Document) -> str:
    return f"/attempts/{contact['lock']['attempt']}/result"


def token_of(stack: Stack, contact: Document, **changed: str) -> str:
    call = {
        "organization_id": contact["organization_id"],
        "contact_id": contact["_id"],
        "attempt_id": contact["lock"]["attempt"],
    }
    token = ResultTokens(stack.settings.secret_key).issue(TokenCall(**call | changed))
    assert token is not None
    return token


async def by_token(customer: Customer, path: str, token: str, body: Any) -> Answer:
    return await customer.api.call("POST", f"/campaign{path}", key=token, body=body)


async def test_a_result_is_merged_and_read_by_both_ids(acme: Customer, stack: Stack) -> None:
    contact = await on_call(acme, stack)
    first = await acme.post(path_of(contact), {**SPOKEN, **PLAIN, "opt_out": None})
    assert first.status == 200, first.raw
    assert first.body["tags"] == ["lease"]
    assert (first.body["transcript"][0]["at"], first.body["opt_out"]) == ("2026-03-01T09:00:00Z", False)
    again = await acme.post(path_of(contact), {**SPOKEN, **PLAIN})
    assert (again.status, again.body) == (200, first.body)
    conversation = conversation_id_of(contact["lock"]["attempt"])
    later = await acme.post(f"/attempts/{conversation}/result", {"extracted": {"viewing": {"hour": 9}, "floor": 2}})
    assert later.body["extracted"] == {"viewing": {"day": "Friday", "hour": 9}, "floor": 2}
    assert (later.body["summary"], later.body["created_at"]) == (SPOKEN["summary"], first.body["created_at"])
    read = await acme.get(f"/attempts/{conversation.upper()}/result")
    assert (read.status, read.body) == (200, later.body)


async def test_the_contact_shows_the_result_of_its_attempt(acme: Customer, stack: Stack) -> None:
    contact = await on_call(acme, stack)
    await acme.post(path_of(contact), SPOKEN | PLAIN | {"opt_out": True})
    shown = (await acme.get(f"/campaigns/{contact['campaign_id']}/contacts/lead-1")).body
    [attempt] = shown["attempts"]
    assert (shown["opted_out"], attempt["opted_out"], attempt["result"]["summary"]) == (True, True, SPOKEN["summary"])
    assert "transcript" not in attempt["result"], "it may have a megabyte: read by itself"


async def test_sensitive_fields_need_their_scope(acme: Customer, stack: Stack) -> None:
    contact = await on_call(acme, stack)
    posted = await acme.post(path_of(contact), SPOKEN | PLAIN)
    assert posted.body["summary"], "a key that is made without a list of scopes has it"
    plain = await acme.api.customer_of(acme.organization_id, ["campaigns:manage"])
    of_contact = await plain.get(f"/campaigns/{contact['campaign_id']}/contacts/lead-1")
    for shown in ((await plain.get(path_of(contact))).body, of_contact.body["attempts"][0]["result"]):
        assert [shown.get(name) for name in SPOKEN] == [None] * 4
        assert (shown["disposition"], shown["notes"]) == (PLAIN["disposition"], PLAIN["notes"])
    assert (await plain.post(path_of(contact), {"notes": "x"})).body["summary"] is None
    reader = await acme.api.customer_of(acme.organization_id, ["campaigns:read", "conversations:read_sensitive"])
    assert (await reader.get(path_of(contact))).body["summary"] == SPOKEN["summary"]


async def test_a_token_is_good_for_its_call_alone(acme: Customer, stack: Stack, other: Customer) -> None:
    contact = await on_call(acme, stack)
    token, path = token_of(stack, contact), path_of(contact)
    posted = await by_token(acme, path, token, SPOKEN | {"goal_reached": True})
    assert (posted.status, posted.body["goal_reached"], posted.body["summary"]) == (200, True, None), "it reads nothing"
    conversation = conversation_id_of(contact["lock"]["attempt"])
    assert (await by_token(acme, f"/attempts/{conversation}/result", token, {"cost": 1})).status == 200
    another = await on_call(other, stack)
    assert (await by_token(acme, path_of(another), token, {"cost": 1})).status == 404
    assert (await by_token(acme, path, token_of(stack, another), {"cost": 1})).status == 404
    # Of a call that there is none of any more, or of another organization's contact.
    gone = token_of(stack, contact, attempt_id=new_id())
    assert (await by_token(acme, path, gone, {"cost": 1})).status == 404
    foreign = token_of(stack, contact, organization_id=other.organization_id)
    assert (await by_token(acme, path, foreign, {"cost": 1})).status == 404


async def test_a_forged_token_is_401_and_a_good_one_opens_nothing_else(acme: Customer, stack: Stack) -> None:
    contact = await on_call(acme, stack)
    token, path = token_of(stack, contact), path_of(contact)
    altered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for forged in (altered, token[:-1], "rt_", "rt_x.y.z", "rt_" + "a" * 5000):
        answer = await by_token(acme, path, forged, {"opt_out": True})
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), forged
    for method, elsewhere in (("GET", path), ("GET", "/campaigns"), ("POST", "/do-not-call")):
        assert (await acme.api.call(method, f"/campaign{elsewhere}", key=token)).status == 401
    assert await stack.store["call_results"].find_one({"_id": contact["lock"]["attempt"]}) is None


async def test_an_opt_out_lists_all_numbers_and_tells_the_schedulers(
    acme: Customer, stack: Stack, events: EventsOf
) -> None:
    numbers = ["+14155550123", "+14155550124"]
    contact = await on_call(acme, stack, *numbers)
    # Edited while the call is up: the number called is listed too.
    await stack.store["contacts"].update_one({"_id": contact["_id"]}, {"$set": {"phone_numbers": numbers[1:]}})
    answer = await by_token(acme, path_of(contact), token_of(stack, contact), {"opt_out": True})
    assert (answer.status, answer.body["opt_out"]) == (200, True)
    listed = (await acme.get("/do-not-call")).body["do_not_call"]
    assert {(entry["phone_number"], entry["source"]) for entry in listed} == {(number, "call") for number in numbers}
    assert (await events(acme.organization_id, LimitsChanged))[0].shard == contact["shard"]
    asked = [event for event in await events(acme.organization_id, ContactsAdded) if event.asked]
    assert asked or [e for e in await events(acme.organization_id, ContactsAdded, 2) if e.asked]
    later = await acme.post(path_of(contact), {"opt_out": False})
    assert later.body["opt_out"] is True, "for good"
    path = f"/campaigns/{contact['campaign_id']}/contacts/lead-1"
    stored = await stack.store["contacts"].find_one({"_id": contact["_id"]})
    assert stored is not None
    assert stored["opted_out"] is True
    assert (await acme.get(path)).body["opted_out"] is True


async def test_who_opted_out_is_shown_ended_at_once_and_neither_reset_nor_called_back(
    acme: Customer, stack: Stack
) -> None:
    contact = await on_call(acme, stack)
    attempt = {
        "_id": contact["lock"]["attempt"],
        "conversation_id": conversation_id_of(contact["lock"]["attempt"]),
        "organization_id": acme.organization_id,
        "contact_id": contact["_id"],
        "contact_created_at": contact["created_at"],
        "phone_number": contact["lock"]["number"],
        "outcome": "no_answer",
        "ended_at": utc_now(),
    }
    await stack.store["attempts"].insert_one(attempt)
    waits = {"$set": {"status": "pending", "last_attempt": attempt["_id"]}, "$unset": {"lock": "", "start": ""}}
    await stack.store["contacts"].update_one({"_id": contact["_id"]}, waits)
    posted = await acme.post(f"/attempts/{attempt['conversation_id']}/result", {"opt_out": True})
    assert posted.status == 200, posted.raw
    path = f"/campaigns/{contact['campaign_id']}/contacts"
    shown = (await acme.get(f"{path}/lead-1")).body
    assert (shown["status"], shown["ended_because"], shown["waiting_for"]) == ("exhausted", "opted_out", None)
    asked = await acme.post(f"{path}/lead-1/callback", {"at": (utc_now() + timedelta(hours=1)).isoformat()})
    assert asked.status == 409
    ended = {"$set": {"status": "skipped", "ended_because": "do_not_call"}}
    await stack.store["contacts"].update_one({"_id": contact["_id"]}, ended)
    assert (await acme.post(f"{path}/reset", {"status": "skipped"})).body["reset"] == 0
    await acme.delete(f"/do-not-call/{attempt['phone_number']}")
    warned = (await acme.post(path, {"contacts": [lead(1)]})).body["warnings"]
    assert [warning["index"] for warning in warned] == [0], "the upload says that nobody is called again"


async def test_a_callback_is_asked_for_and_one_that_cannot_come_is_kept_with_a_warning(
    acme: Customer, stack: Stack, events: EventsOf
) -> None:
    contact, at = await on_call(acme, stack), utc_now() + timedelta(hours=2)
    answer = await acme.post(path_of(contact), {"callback_at": at.isoformat(), "notes": "in the evening"})
    assert (answer.status, answer.body["warnings"]) == (200, [])
    stored = await stack.store["contacts"].find_one({"_id": contact["_id"]})
    assert stored is not None
    assert (stored["asked"]["kind"], stored["asked"]["of"]) == ("callback", contact["lock"]["attempt"])
    assert stored["asked"]["notes"] == "in the evening"
    assert await events(acme.organization_id, ContactsAdded)
    assert (await acme.post(f"/campaigns/{contact['campaign_id']}/close")).status == 200
    other_time = (at + timedelta(hours=1)).isoformat()
    warned = await acme.post(path_of(contact), {"callback_at": other_time})
    assert [warning["code"] for warning in warned.body["warnings"]] == ["campaign_over"]
    assert (await acme.get(path_of(contact))).body["warnings"] == warned.body["warnings"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"disposition": ""}, "disposition"),
        ({"summary": "x" * 10_001}, "summary"),
        ({"sentiment": "angry"}, "sentiment"),
        ({"transcript": [{"speaker": "agent"}]}, "transcript"),
        ({"transcript": [{"speaker": "a", "text": "b"}] * 5001}, "transcript"),
        ({"recording_url": "javascript:alert(1)"}, "recording_url"),
        ({"recording_url": "https://" + "x" * 2050}, "recording_url"),
        ({"extracted": []}, "extracted"),
        ({"extracted": {"a": "x" * 70_000}}, "extracted"),
        ({"tags": ["x"] * 101}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"cost": -1}, "cost"),
        ({"goal_reached": "yes"}, "goal_reached"),
        ({"opt_out": 1}, "opt_out"),
        ({"callback_at": "tomorrow"}, "callback_at"),
        ({"callback_at": "2020-01-01T00:00:00Z"}, "callback_at"),
        ({"callback_at": "2999-01-01T00:00:00Z"}, "callback_at"),
        ({"notes": "x" * 2001}, "notes"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"notes": "a\x00b"}, "notes"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_bad_values_are_422_and_named(acme: Customer, stack: Stack, body: Any, place: str) -> None:
    contact = await on_call(acme, stack)
    answer = await acme.post(path_of(contact), body)
    assert answer.status == 422, answer.raw[:300]
    assert answer.body["errors"][0]["loc"][:2] == ["body", place]
    assert await stack.store["call_results"].find_one({"_id": contact["lock"]["attempt"]}) is None


async def test_what_is_extracted_stays_bounded_over_many_reports(acme: Customer, stack: Stack) -> None:
    contact = await on_call(acme, stack)
    assert (await acme.post(path_of(contact), {"extracted": {"a": "x" * 40_000}})).status == 200
    answer = await acme.post(path_of(contact), {"extracted": {"b": "x" * 40_000}})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "extracted"])
    assert (await acme.post(path_of(contact), {"extracted": {"a": "y"}})).status == 200


async def test_anothers_call_and_none_at_all_are_404(acme: Customer, other: Customer, stack: Stack) -> None:
    contact = await on_call(acme, stack)
    assert (await acme.get(path_of(contact))).status == 404, "nothing was reported yet"
    await acme.post(path_of(contact), {"cost": 1})
    for path in (path_of(contact), f"/attempts/{new_id()}/result", "/attempts/%2F%00/result"):
        assert (await other.post(path, {"opt_out": True})).status in {404, 422}
        assert (await other.get(path)).status in {404, 422}
    assert (await other.get("/do-not-call")).body["do_not_call"] == []


async def test_every_example_of_the_page_works_as_it_stands(acme: Customer, stack: Stack) -> None:
    contact = await on_call(acme, stack)
    known = {
        "URL": "/campaign",
        "A": f"Authorization: Bearer {acme.key}",
        "TOKEN": token_of(stack, contact),
        "ATTEMPT": contact["lock"]["attempt"],
        "CONVERSATION": conversation_id_of(contact["lock"]["attempt"]),
        "TOMORROW": (utc_now() + timedelta(days=1)).isoformat(),
    }
    commands = re.findall(r"^curl .*?(?=^curl |^```)", PAGE, re.MULTILINE | re.DOTALL)
    assert len(commands) >= 4
    for command in commands:
        filled = re.sub(r"\$([A-Z]+)", lambda name: known[name[1]], command.replace("\\\n", " "))
        words = iter(shlex.split(filled)[1:])
        options = {"-H": "", "-d": ""}
        for word in words:
            options[word if word in options else "url"] = next(words) if word in options else word
        body = options["-d"].encode() or None
        key = options["-H"].removeprefix("Authorization: Bearer ")
        answer = await acme.api.call("POST" if body else "GET", options["url"], key=key, raw=body)
        assert answer.status == 200, (command, answer.raw)
