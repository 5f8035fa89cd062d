"""Spellings, ids, teams, lists, refusals: what holds for every route."""

import json
import uuid
from typing import Any

import pytest

from shared.domain.typeid import typeid
from tests.integration.talkturo.team import Team, uuid_in


async def test_the_documented_requests_of_a_campaign_are_answered_as_documented(team: Team) -> None:
    made = await team.campaign(
        description="Follow up with leads from the January trade show",
        callWindowStart="09:00",
        callWindowEnd="17:00",
        callWindowTimezone="America/New_York",
        maxConcurrentCalls=5,
        maxAttemptsPerContact=3,
        retryDelayMinutes=60,
    )
    documented = {
        "team_id": team.team,
        "assistant_id": team.assistant,
        "company_id": team.company,
        "name": "Q1 Trade Show Follow-Up",
        "description": "Follow up with leads from the January trade show",
        "from_number": "+14155550100",
        "status": "draft",
        "call_window_start": "09:00",
        "call_window_end": "17:00",
        "call_window_timezone": "America/New_York",
        "max_concurrent_calls": 5,
        "total_contacts": 0,
        "contacts_called": 0,
        "contacts_completed": 0,
        "contacts_answered": 0,
    }
    assert made.items() >= documented.items()
    assert made["from_numbers"] == [{"id": team.number, "phone_number": "+14155550100", "weight": 1}]
    contacts = [await team.contact() for _ in range(3)]
    enrolled = await team.done(
        "POST", f"/crm/campaigns/{made['id']}/contacts", {"contactIds": [one["id"] for one in contacts]}
    )
    assert (enrolled["added"], enrolled["skipped"], enrolled["already_enrolled"]) == (3, 0, 0)
    listed = await team.done("GET", f"/crm/campaigns?teamId={team.team}&status=draft&limit=20")
    assert (listed["count"], listed["limit"], listed["offset"], listed["total"], listed["page"]) == (1, 20, 0, 1, 1)
    assert listed["campaigns"][0]["total_contacts"] == 3


async def test_settings_left_out_have_the_documented_defaults(team: Team) -> None:
    made = await team.campaign()
    defaults: dict[str, Any] = {
        "call_window_start": "09:00",
        "call_window_end": "17:00",
        "call_window_timezone": "America/New_York",
        "use_contact_timezone_for_call_window": True,
        "max_concurrent_calls": 3,
        "max_attempts_per_contact": 3,
        "retry_delay_minutes": 60,
        "retry_delay_minutes_no_answer": None,
        "retry_delay_minutes_busy": None,
        "retry_delay_minutes_error": None,
        "retry_on_error": False,
        "retry_backoff_mode": "fixed",
        "retry_backoff_multiplier": 2,
        "retry_backoff_max_minutes": None,
        "voicemail_detection_enabled": None,
        "voicemail_action": None,
        "voicemail_drop_message": None,
        "unavailable_action": None,
        "no_auto_complete": False,
        "settings": {},
        "webhook_url": None,
        "pause_reason": None,
        "schedule": {"timezone": "America/New_York", "start_at": None},
    }
    assert made.items() >= defaults.items()


async def test_both_spellings_are_read_and_two_that_differ_are_refused(team: Team) -> None:
    snake = {"max_concurrent_calls": 4, "call_window_start": "08:30:00", "maxConcurrentCalls": 4}
    made = await team.campaign(**snake)
    assert (made["max_concurrent_calls"], made["call_window_start"]) == (4, "08:30")
    refused = await team.post("/crm/campaigns", team.wish(max_concurrent_calls=4, maxConcurrentCalls=5))
    assert (refused.status, list(refused.body["details"])) == (400, ["maxConcurrentCalls"])


async def test_unknown_fields_are_ignored_and_named(team: Team) -> None:
    answer = await team.done("POST", "/crm/campaigns", team.wish(flowId="x"))
    assert answer["warnings"] == ["flowId is not a field here and was ignored"]
    assert "warnings" not in await team.done("GET", f"/crm/campaigns?teamId={team.team}&whatever=1")


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        (
            {"maxConcurrentCalls": "5", "max_attempts_per_contact": 5.0},
            ["maxConcurrentCalls", "max_attempts_per_contact"],
        ),
        ({"retryOnError": "true", "noAutoComplete": 1}, ["noAutoComplete", "retryOnError"]),
        ({"name": "  "}, ["name"]),
        ({"fromNumberIds": []}, ["fromNumberIds"]),
        ({"callWindowStart": "24:00"}, ["callWindowStart"]),
        ({"callWindowStart": "09:00", "callWindowEnd": "09:00"}, ["callWindowEnd"]),
        ({"callWindowTimezone": "Mars/Olympus"}, ["callWindowTimezone"]),
        ({"retryDelayMinutes": 43_201}, ["retryDelayMinutes"]),
        ({"retryBackoffMultiplier": 1.0}, ["retryBackoffMultiplier"]),
        ({"settings": {"max_attempts_busy": 51}}, ["settings.max_attempts_busy"]),
        ({"settings": {"retryDelayMinutes": "1"}}, ["settings.retryDelayMinutes"]),
        ({"settings": {"text": "x" * 70_000}}, ["settings"]),
        ({"webhookUrl": "ftp://example.com"}, ["webhookUrl"]),
        ({"webhookUrl": "https://me:secret@example.com/"}, ["webhookUrl"]),
        ({"webhookSecret": "short", "webhookUrl": "https://example.com"}, ["webhookSecret"]),
        ({"voicemail_drop_message": "x" * 751}, ["voicemail_drop_message"]),
        ({"settings": {"voicemailDropMessage": " "}}, ["settings.voicemailDropMessage"]),
        ({"teamId": None}, ["teamId"]),
        ({"assistantId": None, "companyId": None}, ["assistantId", "companyId"]),
    ],
)
async def test_each_bad_value_is_named_as_the_client_wrote_it(team: Team, fields: Any, places: list[str]) -> None:
    refused = await team.post("/crm/campaigns", team.wish(**fields))
    assert (refused.status, refused.body["success"]) == (400, False), refused.raw
    assert sorted(refused.body["details"]) == sorted(places)


async def test_settings_take_effect_merge_and_come_back_as_sent(team: Team) -> None:
    sent = {"retryDelayMinutes": 5, "max_attempts_busy": 9, "mine": {"a": [1, None]}}
    made = await team.campaign(settings=sent, maxAttemptsPerContact=2)
    path = f"/crm/campaigns/{made['id']}"
    assert (made["settings"], made["retry_delay_minutes"]) == (sent, 5)
    configuration = await configuration_of(team, made)
    assert configuration["retry_rules"]["busy"] == {
        "retry": True,
        "delay_seconds": 300,
        "mode": "fixed",
        "max_attempts": 9,
    }
    changed = (await team.done("PATCH", path, {"settings": {"mine": 1, "retryDelayMinutes": 7}}))["campaign"]
    assert changed["settings"] == {**sent, "mine": 1, "retryDelayMinutes": 7}
    assert changed["retry_delay_minutes"] == 7
    cleared = await team.done("PATCH", path, {"retryDelayMinutes": 8, "settings": {"max_attempts_busy": None}})
    assert cleared["campaign"]["retry_delay_minutes"] == 8
    assert "max_attempts" not in (await configuration_of(team, made))["retry_rules"]["busy"]


async def test_what_another_api_changes_of_the_configuration_is_what_is_shown(team: Team) -> None:
    made = await team.campaign()
    native = (await team.customer.get(f"/campaigns/{uuid_of(team, made)}")).body
    path = f"/configurations/{native['configuration_id']}"
    rules = {"no_answer": {"retry": True, "delay_seconds": 600}, "failed": {"retry": True, "delay_seconds": 120}}
    windows = [{"days": ["mon"], "start": "10:00", "end": "12:00"}]
    changed = await team.customer.patch(path, {"retry_rules": rules, "default_windows": windows, "max_attempts": 4})
    assert changed.status == 200, changed.raw
    shown = (await team.done("GET", f"/crm/campaigns/{made['id']}"))["campaign"]
    assert (shown["retry_delay_minutes"], shown["retry_on_error"], shown["retry_delay_minutes_error"]) == (10, True, 2)
    assert (shown["max_attempts_per_contact"], shown["call_window_start"]) == (4, None)
    await team.done("PATCH", f"/crm/campaigns/{made['id']}", {"retryDelayMinutes": 3})
    assert (await configuration_of(team, made))["default_windows"] == windows
    hours = (await team.done("PATCH", f"/crm/campaigns/{made['id']}", {"callWindowEnd": "12:00"}))["campaign"]
    assert (hours["call_window_start"], hours["call_window_end"], hours["retry_delay_minutes"]) == ("09:00", "12:00", 3)


async def test_a_whole_day_is_said_so(team: Team) -> None:
    made = await team.campaign(callWindowStart="00:00", callWindowEnd="23:59")
    assert (made["call_window_start"], made["call_window_end"]) == ("00:00", "23:59")
    [window] = (await configuration_of(team, made))["default_windows"]
    assert (window["start"], window["end"], len(window["days"])) == ("00:00", "24:00", 7)
    overnight = await team.campaign(callWindowStart="21:00", callWindowEnd="06:00")
    assert (overnight["call_window_start"], overnight["call_window_end"]) == ("21:00", "06:00")


async def test_ids_of_three_forms_mean_the_same_and_talkturos_own_are_shown(team: Team) -> None:
    own = f"camp_01J{uuid.uuid4().hex[:20]}"
    made, named = await team.campaign(externalId=own), await team.campaign(externalId="spring/north 1")
    assert (made["id"], made["external_id"], named["external_id"]) == (own, own, "spring/north 1")
    assert named["id"].startswith("camp_")
    for reference in (uuid_of(team, named), named["id"], "spring%2Fnorth%201"):
        assert (await team.done("GET", f"/crm/campaigns/{reference}"))["campaign"]["id"] == named["id"]
    assert (await team.done("GET", f"/crm/campaigns/{own}"))["campaign"]["name"] == made["name"]
    taken = await team.post("/crm/campaigns", team.wish(externalId=own))
    assert taken.status == 409
    for strange in ("%00", "%FF", "camp_", "..%2F", "x" * 300):
        assert (await team.get(f"/crm/campaigns/{strange}")).status == 404


async def test_a_number_may_be_named_by_its_digits_and_have_a_weight(team: Team) -> None:
    made = await team.campaign(fromNumberIds=[{"id": "+14155550100", "weight": 7}])
    assert made["from_numbers"][0]["weight"] == 7
    twice = await team.post("/crm/campaigns", team.wish(fromNumberIds=["+14155550100", team.number]))
    assert (twice.status, list(twice.body["details"])) == (400, ["fromNumberIds"])


async def test_the_team_only_confirms_the_key(team: Team, other: Team) -> None:
    organization = team.customer.organization_id
    await team.customer.api.admin("PATCH", f"/organizations/{organization}", {"external_id": "acct-7"})
    for query in (f"teamId={organization}", "teamId=acct-7", "accountSlug=acme", "teamId=acct-7&accountSlug=acme"):
        assert (await team.get(f"/crm/campaigns?{query}")).status == 200
    typed = typeid("team", uuid.UUID(organization))
    assert (await team.get(f"/crm/campaigns?teamId={typed}")).status == 200
    for query in (f"teamId={other.team}", "teamId=nobody", "accountSlug=other", "teamId=acct-7&accountSlug=other"):
        assert (await team.get(f"/crm/campaigns?{query}")).status == 403
    neither = await team.get("/crm/campaigns")
    assert (neither.status, list(neither.body["details"])) == (400, ["teamId"])


async def test_what_a_body_names_and_is_not_the_teams_is_refused_as_absent(team: Team, other: Team) -> None:
    for field, value, status, sentence in (
        ("companyId", other.company, 403, "Company does not belong to this workspace"),
        ("companyId", "nothing", 403, "Company does not belong to this workspace"),
        ("assistantId", other.assistant, 404, "Assistant not found"),
        ("fromNumberIds", [other.number], 404, "Phone number not found"),
    ):
        refused = await team.post("/crm/campaigns", team.wish(**{field: value}))
        assert (refused.status, refused.body) == (status, {"success": False, "error": sentence})
    foreign = await other.campaign()
    for method, more in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/run"), ("GET", "/dashboard")):
        body: dict[str, Any] | None = {} if method in {"PATCH", "POST"} else None
        refused = await team.call(method, f"/crm/campaigns/{foreign['id']}{more}", body)
        assert (refused.status, refused.body["error"]) == (404, "Campaign not found")


async def test_an_assistant_that_may_not_call_out_is_refused_and_its_campaigns_go_on(team: Team) -> None:
    made = await team.campaign()
    await team.done("PATCH", f"/assistants/{team.assistant}", {"outboundEnabled": False})
    refused = await team.post("/crm/campaigns", team.wish())
    assert (refused.status, list(refused.body["details"])) == (400, ["assistantId"])
    assert (await team.done("GET", "/crm/outbound-assistants"))["assistants"] == []
    await team.done("POST", f"/crm/campaigns/{made['id']}/run")


async def test_lists_page_by_offset_and_by_number_and_refuse_what_is_no_number(team: Team) -> None:
    for _ in range(3):
        await team.campaign()
    listed = f"/crm/campaigns?teamId={team.team}"
    every = [one["id"] for one in (await team.done("GET", listed))["campaigns"]]
    second = await team.done("GET", f"{listed}&limit=2&page=2")
    assert [one["id"] for one in second["campaigns"]] == every[2:]
    assert (second["count"], second["offset"], second["page"], second["limit"]) == (3, 2, 2, 2)
    both = await team.done("GET", f"{listed}&limit=1&page=9&offset=1")
    assert [one["id"] for one in both["campaigns"]] == every[1:2]
    assert (await team.done("GET", f"{listed}&limit=5000"))["limit"] == 1000
    assert (await team.done("GET", f"{listed}&status=&assistantId="))["count"] == 3
    assert (await team.done("GET", f"{listed}&assistantId=nobody"))["campaigns"] == []
    assert (await team.done("GET", f"{listed}&offset={2**53}"))["campaigns"] == []
    for query in ("limit=0", "limit=x", "page=0", "offset=-1", f"offset={2**53 + 1}", "status=active", "deleted=yes"):
        refused = await team.get(f"{listed}&{query}")
        assert (refused.status, list(refused.body["details"])) == (400, [query.partition("=")[0]])


async def test_every_refusal_has_the_one_form(team: Team) -> None:
    api = team.customer.api
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/knowledge-bases", 404),
        ("DELETE", "/crm/campaigns", 405),
        ("GET", "/crm/campaigns/", 404),
    ):
        answer = await team.call(method, path)
        assert (answer.status, set(answer.body)) == (status, {"success", "error"})
    raw = json.dumps(team.wish()).encode()
    plain = await team.call("POST", "/crm/campaigns", raw=raw, headers={"Content-Type": "text/plain"})
    assert (plain.status, set(plain.body)) == (415, {"success", "error"})
    for hostile in (b"{", b"[]", b'"x"', b"", b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b'{"settings": 1e999}'):
        refused = await team.call("POST", "/crm/campaigns", raw=hostile)
        assert refused.status == 400, (hostile, refused.raw)
    deep = b'{"settings": ' + b"[" * 40 + b"]" * 40 + b"}"
    assert (await team.call("POST", "/crm/campaigns", raw=deep)).status == 400
    assert (await team.call("POST", "/crm/campaigns", raw=b'{"settings": {"a": %d}}' % 2**70)).status == 400
    large = b'{"name": "' + b"x" * (33 * 1024 * 1024) + b'"}'
    assert (await team.call("POST", "/crm/campaigns", raw=large)).status == 413
    unproven = await api.call("GET", "/talkturo/api/test-api-key")
    assert (unproven.status, unproven.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_scopes_and_credentials(team: Team) -> None:
    reader = Team(await team.customer.api.customer_of(team.customer.organization_id, ["campaigns:read"]), team.team)
    calls_only = Team(
        await team.customer.api.customer_of(team.customer.organization_id, ["conversations:read_sensitive"])
    )
    listed = f"/crm/campaigns?teamId={team.team}"
    assert (await reader.get(listed)).status == 200
    assert (await reader.post("/crm/campaigns", {})).status == 403
    assert (await calls_only.get(listed)).status == 403
    proven = await calls_only.done("GET", "/test-api-key")
    assert proven == {"success": True, "message": "Authentication succeeded"}
    made = await team.campaign()
    for path in ("/crm/contacts", f"/crm/campaigns/{made['id']}", "/crm/calls", "/assistants", "/phone-numbers"):
        assert (await reader.get(path)).status == 200
    for path in ("/crm/contacts", "/crm/contacts/import", "/crm/companies", "/assistants", "/phone-numbers"):
        assert (await reader.post(path, {})).status == 403
    admin = await team.customer.api.call("GET", "/talkturo/api/test-api-key", key="operator-" + "x" * 20)
    assert admin.status == 401


async def test_a_campaign_is_one_in_all_apis(team: Team) -> None:
    made = await team.campaign(externalId="spring")
    [contact] = await team.enrolled(made)
    native = (await team.customer.get("/campaigns/spring")).body
    assert (native["status"], native["external_id"], native["agent_number"]) == ("paused", "spring", None)
    assert native["agent_id"] == uuid_in("asst", team.assistant)
    configuration = await configuration_of(team, made)
    assert configuration["name"] == "Q1 Trade Show Follow-Up (Talkturo)"
    assert (await team.customer.delete(f"/configurations/{native['configuration_id']}")).status == 409
    [there] = (await team.customer.get("/campaigns/spring/contacts")).body["contacts"]
    assert (there["external_id"], there["phone_numbers"]) == (contact["id"], [contact["phone"]])
    assert (there["data"]["first_name"], there["data"]["lead_status"]) == ("Ada", "new")
    assert (await team.customer.post("/campaigns/spring/start")).status == 200
    assert (await team.done("GET", "/crm/campaigns/spring"))["campaign"]["status"] == "running"
    await team.customer.post("/campaigns/spring/close")
    assert (await team.done("GET", "/crm/campaigns/spring"))["campaign"]["status"] == "cancelled"


async def test_a_native_campaign_is_shown_run_and_enrolled_into_but_keeps_its_settings(team: Team) -> None:
    native = await team.customer.new_campaign()
    path = f"/crm/campaigns/{native['id']}"
    shown = (await team.done("GET", path))["campaign"]
    assert (shown["status"], shown["no_auto_complete"], shown["assistant_id"]) == ("running", True, "outreach")
    assert (shown["company_id"], shown["from_number"], shown["max_concurrent_calls"]) == (None, "+14155550100", None)
    assert (shown["call_window_start"], shown["call_window_end"]) == ("00:00", "23:59")
    for status in ("paused", "running", "paused"):
        assert (await team.done("PATCH", path, {"status": status}))["campaign"]["status"] == status
    assert (await team.patch(path, {"maxConcurrentCalls": 5})).status == 409
    assert (await team.done("PATCH", path, {"name": "Renamed"}))["campaign"]["name"] == "Renamed"
    await team.enrolled(native)
    await team.customer.post(f"/campaigns/{native['id']}/contacts", {"contacts": [{"phone_numbers": ["+14155550123"]}]})
    listed = (await team.done("GET", f"{path}/contacts"))["contacts"]
    assert [one["contact_id"] is None for one in listed] == [False, True]


async def configuration_of(team: Team, campaign: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a campaign, by the native API."""
    native = (await team.customer.get(f"/campaigns/{uuid_of(team, campaign)}")).body
    found: dict[str, Any] = (await team.customer.get(f"/configurations/{native['configuration_id']}")).body
    return found


def uuid_of(_: Team, campaign: dict[str, Any]) -> str:
    """The engine's id of a campaign."""
    return uuid_in("camp", campaign["id"])
