"""The form of answers, what is ignored and said so, and the order in which a request is judged."""

import re
from typing import Any

from tests.integration.talkturo.team import NUMBERS, Team
from tests.integration.talkturo.test_lifecycle import LATER

CAMPAIGN = """id external_id team_id assistant_id company_id name description from_number from_number_ids from_numbers
status pause_reason scheduled_start_at schedule call_window_start call_window_end call_window_timezone
use_contact_timezone_for_call_window max_concurrent_calls max_attempts_per_contact retry_delay_minutes
retry_delay_minutes_no_answer retry_delay_minutes_busy retry_delay_minutes_error retry_on_error retry_backoff_mode
retry_backoff_multiplier retry_backoff_max_minutes voicemail_detection_enabled voicemail_action voicemail_drop_message
unavailable_action no_auto_complete webhook_enabled webhook_url webhook_events settings total_contacts contacts_called
contacts_completed contacts_answered started_at completed_at deleted_at created_at updated_at"""
ENROLLED = """id campaign_id contact_id first_name last_name name email phone timezone status outcome skip_reason
priority attempts last_attempt_at next_attempt_at created_at updated_at"""
CALL = """id campaign_id campaign_contact_id contact_id contact_name assistant_id direction from_number to_number
attempt status outcome started_at answered_at ended_at duration_seconds ended_reason recording_available transcript
summary extracted_data run_id"""
CONTACT = """id external_id team_id company_id first_name last_name email phone phone_secondary job_title lead_status
source lead_source timezone preferred_contact_method do_not_call notes custom_fields tags created_at updated_at"""
COMPANY = """id external_id team_id name website industry company_size address_line1 address_line2 city state
postal_code country phone notes custom_fields contact_count created_at updated_at"""
ASSISTANT = """id external_id account_id team_id name type outbound_enabled voicemail_detection_enabled voicemail_action
created_at updated_at"""
NUMBER = "id external_id team_id phone_number phoneNumber weight status created_at"
RUN = "success started failed calls errors message dryRun status run_id waiting next_call_at"
BOARD = "success stats outcomes campaign queue calling recent_calls"
LIST = "success count limit offset total page"


def check_fields(thing: dict[str, Any], names: str, *more: str) -> None:
    """The thing has the fields of the page, and no others."""
    assert sorted(thing) == sorted([*names.split(), *more])


async def test_things_have_the_fields_that_are_documented_and_no_others(team: Team) -> None:
    campaign = await team.campaign(callWindowStart="00:00", callWindowEnd="23:59")
    check_fields(campaign, CAMPAIGN)
    path = f"/crm/campaigns/{campaign['id']}"
    contact = await team.contact(phone=None, phoneSecondary="+14155550147", lastName="King")
    check_fields(contact, CONTACT)
    enrolled = await team.done("POST", f"{path}/contacts", {"contactIds": [contact["id"]]})
    check_fields(enrolled, "success added skipped already_enrolled contacts")
    [there] = enrolled["contacts"]
    check_fields(there, ENROLLED)
    assert (there["name"], there["phone"]) == ("Ada King", "+14155550147")
    check_fields((await team.done("GET", path))["campaign"], CAMPAIGN, "contacts")
    check_fields(await team.done("GET", f"{path}/contacts"), LIST, "contacts")
    dry = await team.done("POST", f"{path}/run", {"dryRun": True})
    check_fields(dry, RUN, "not_now")
    assert (dry["calls"], dry["waiting"]) == ([], 1), "nobody is here who makes calls"
    check_fields(await team.done("POST", f"{path}/run", {"action": "start", "maxCalls": 1}), RUN)
    check_fields(await team.done("POST", f"{path}/run", {"action": "stop"}), RUN)
    check_fields(await team.done("GET", f"{path}/dashboard"), BOARD)
    shown = (await team.done("GET", f"/crm/contacts/{contact['id']}"))["contact"]
    check_fields(shown, CONTACT, "campaign_history", "activities", "opportunities")
    [history] = shown["campaign_history"]
    check_fields(history, "campaign_id campaign_name status outcome attempts last_attempt_at")
    for what, address, plural, names in (
        ("company", f"/crm/companies/{team.company}", "companies", COMPANY),
        ("assistant", f"/assistants/{team.assistant}", "assistants", ASSISTANT),
        ("phoneNumber", f"/phone-numbers/{team.number}", "phoneNumbers", NUMBER),
    ):
        check_fields((await team.done("GET", address))[what], names)
        listed = await team.done("GET", address.rpartition("/")[0])
        check_fields(listed, LIST, plural)
        assert (listed["count"], listed["total"], listed["limit"]) == (1, 1, 50)


async def test_times_are_utc_to_the_second_whatever_the_offset_was(team: Team) -> None:
    made = await team.campaign(scheduledStartAt="2099-01-01T10:00:00+01:00")
    assert (made["scheduled_start_at"], made["schedule"]["start_at"]) == (LATER, LATER)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", made["created_at"])
    drafted = (await team.done("PATCH", f"/crm/campaigns/{made['id']}", {"status": "draft"}))["campaign"]
    assert (drafted["status"], drafted["scheduled_start_at"]) == ("draft", None)


async def test_things_that_are_brought_along_keep_their_ids(team: Team) -> None:
    own = next(NUMBERS)
    wishes: list[tuple[str, str, str, dict[str, Any]]] = [
        ("company", "/crm/companies", "comp", {"name": "Old"}),
        ("contact", "/crm/contacts", "cont", {"firstName": "Ada", "lastName": "L"}),
        ("assistant", "/assistants", "asst", {"name": "Old"}),
        ("phoneNumber", "/phone-numbers", "pn", {"phoneNumber": f"+1415561{own:04}"}),
    ]
    for name, path, prefix, wish in wishes:
        brought = f"{prefix}_01J{own}"
        made = (await team.done("POST", path, {**wish, "externalId": brought}))[name]
        assert (made["id"], made["external_id"]) == (brought, brought)
        assert (await team.done("GET", f"{path}/{brought}"))[name].items() >= made.items()
        again = {**wish, "externalId": brought} | ({"phoneNumber": f"+1415562{own:04}"} if prefix == "pn" else {})
        taken = await team.post(path, again)
        assert (taken.status, taken.body["error"]) == (409, f"externalId '{brought}' is taken")
        if prefix != "pn":
            changed = await team.done("PATCH", f"{path}/{brought}", {"externalId": "another"})
            assert (changed[name]["id"], len(changed["warnings"])) == (brought, 1)
    campaign = await team.campaign(fromNumberIds=[f"pn_01J{own}"], companyId=f"comp_01J{own}")
    assert (campaign["from_number_ids"], campaign["company_id"]) == ([f"pn_01J{own}"], f"comp_01J{own}")
    kept = await team.done("PATCH", f"/crm/campaigns/{campaign['id']}", {"external_id": "another", "hat": 1})
    assert (kept["campaign"]["external_id"], len(kept["warnings"])) == (None, 2)


async def test_null_on_a_change_clears_and_brings_defaults_back(team: Team) -> None:
    made = await team.campaign(description="x", maxConcurrentCalls=9, callWindowEnd="18:00", settings={"mine": 1})
    clears = {"description": None, "maxConcurrentCalls": None, "callWindowEnd": None, "settings": None}
    shown = (await team.done("PATCH", f"/crm/campaigns/{made['id']}", clears))["campaign"]
    assert (shown["description"], shown["max_concurrent_calls"], shown["call_window_end"]) == (None, 3, "17:00")
    assert shown["settings"] == {}
    contact = await team.contact(doNotCall=True, tags=["a"], customFields={"a": 1}, jobTitle="x")
    clears = {"doNotCall": None, "tags": None, "customFields": None, "jobTitle": None}
    cleared = (await team.done("PUT", f"/crm/contacts/{contact['id']}", clears))["contact"]
    assert (cleared["do_not_call"], cleared["tags"], cleared["custom_fields"], cleared["job_title"]) == (
        False,
        [],
        {},
        None,
    )
    await team.done("PATCH", f"/assistants/{team.assistant}", {"voicemailAction": "hangup", "outboundEnabled": False})
    clears = {"voicemailAction": None, "outboundEnabled": None}
    assistant = (await team.done("PATCH", f"/assistants/{team.assistant}", clears))["assistant"]
    assert (assistant["voicemail_action"], assistant["outbound_enabled"]) == ("leave_message", True)
    company = (await team.done("PATCH", f"/crm/companies/{team.company}", {"customFields": {"a": 1}}))["company"]
    assert company["custom_fields"] == {"a": 1}
    emptied = (await team.done("PATCH", f"/crm/companies/{team.company}", {"customFields": None}))["company"]
    assert emptied["custom_fields"] == {}


async def test_what_is_merged_stays_within_its_bound(team: Team) -> None:
    campaign, contact = await team.campaign(settings={"a": "x" * 40_000}), await team.contact(hat="x" * 40_000)
    path = f"/crm/campaigns/{campaign['id']}"
    for address, field in ((path, "settings"), (f"/crm/contacts/{contact['id']}", "customFields")):
        refused = await team.patch(address, {field: {"b": "x" * 40_000}})
        assert (refused.status, list(refused.body["details"])) == (400, [field])
    running = (await team.done("PATCH", path, {"status": "running"}))["campaign"]
    assert len(running["settings"]["a"]) == 40_000


async def test_bad_values_come_before_what_is_not_there_and_that_before_the_state(team: Team, other: Team) -> None:
    past, insecure = {"scheduledStartAt": "2020-01-01T00:00:00Z"}, {"webhookUrl": "https://me@example.com/"}
    for bad in (past, insecure, {"settings": {"retryDelayMinutes": "1"}}, {"callWindowStart": "17:00"}):
        made = await team.post("/crm/campaigns", team.wish(**bad, companyId=other.company, assistantId="nobody"))
        assert made.status == 400, made.raw
    for bad in (past, insecure, {"settings": {"retryDelayMinutes": "1"}}):
        assert (await team.patch("/crm/campaigns/nothing", {**bad, "teamId": other.team})).status == 400
    assert (await team.patch("/crm/campaigns/nothing", {"teamId": other.team})).status == 404
    assert (await team.post("/crm/campaigns", team.wish(teamId=other.team, assistantId="nobody"))).status == 403
    over = await team.campaign()
    path = f"/crm/campaigns/{over['id']}"
    await team.done("PATCH", path, {"status": "cancelled"})
    assert (await team.post(f"{path}/contacts", {"contactIds": ["nobody"]})).status == 404
    assert (await team.post("/crm/contacts", {"campaignId": over["id"], "firstName": "A"})).status == 400
    assert (await team.patch(path, {"companyId": other.company})).status == 403
    assert (await team.patch(path, {"companyId": team.company})).status == 409


async def test_what_is_refused_has_changed_nothing(team: Team) -> None:
    path = f"/crm/campaigns/{(await team.campaign())['id']}"
    await team.done("PATCH", path, {"status": "running"})
    refused = await team.patch(path, {"status": "paused", "callWindowStart": "17:00"})
    assert (refused.status, list(refused.body["details"])) == (400, ["callWindowStart"])
    stopped = await team.done("POST", f"{path}/run", {"action": "stop", "dryRun": True})
    assert (stopped["dryRun"], stopped["status"], stopped["started"]) == (True, "running", 0)
    assert (await team.done("GET", path))["campaign"]["status"] == "running"
    draft = await team.campaign()
    assert (await team.post(f"/crm/campaigns/{draft['id']}/run", {"action": "stop", "dryRun": True})).status == 409


async def test_another_team_is_refused_wherever_one_is_named(team: Team, other: Team) -> None:
    for path in (
        "/crm/calls",
        "/crm/contacts",
        "/crm/companies",
        "/assistants",
        "/phone-numbers",
        "/crm/outbound-assistants",
    ):
        assert (await team.get(f"{path}?teamId={other.team}")).status == 403, path
        assert (await team.get(f"{path}?teamId={team.team}&accountSlug=acme")).status == 200, path
    ada = {"firstName": "A", "lastName": "B"}
    foreign = {**ada, "teamId": other.team}
    campaign = await team.campaign()
    for path, body in (
        ("/crm/contacts", foreign),
        ("/crm/contacts/import", {"contacts": [ada], "teamId": other.team}),
        (f"/crm/contacts/import?teamId={other.team}", {"contacts": [ada]}),
        (f"/crm/campaigns/{campaign['id']}/contacts", {"contacts": [ada, foreign]}),
        (f"/crm/campaigns/{campaign['id']}/run", {"accountSlug": "another"}),
        ("/crm/companies", {"name": "A", "teamId": other.team}),
        ("/assistants", {"name": "A", "teamId": other.team}),
        ("/phone-numbers", {"phoneNumber": "+14155550199", "teamId": other.team}),
    ):
        assert (await team.post(path, body)).status == 403, path
    rows = await team.done("POST", "/crm/contacts/import", {"contacts": [foreign, ada], "hat": 1})
    assert (rows["imported"], [error["field"] for error in rows["errors"]]) == (1, ["teamId"])
    assert rows["warnings"] == ["hat is not a field here and was ignored"]


async def test_cookies_prove_nothing_and_what_is_not_sold_is_not_there(team: Team) -> None:
    api, key = team.customer.api, team.customer.key
    cookie = {"Cookie": f"Authorization=Bearer {key}; session={key}; key={key}"}
    assert (await api.call("GET", "/talkturo/api/test-api-key", headers=cookie)).status == 401
    for method, path in (
        ("GET", "/phone-numbers/search?countryCode=US"),
        ("POST", "/phone-numbers/purchase"),
        ("GET", "/knowledge-base"),
        ("GET", "/credits"),
        ("GET", "/turboflow"),
        ("GET", "/crm/opportunities"),
        ("GET", "/crm/custom-fields"),
    ):
        answer = await team.call(method, path, {} if method == "POST" else None)
        assert (answer.status, set(answer.body)) == (404, {"success", "error"}), path


async def test_what_is_ignored_is_said(team: Team) -> None:
    ada, campaign = await team.contact(), await team.campaign()
    idle = await team.done("POST", "/crm/contacts", {"firstName": "A", "lastName": "B", "campaignPriority": 3})
    assert idle["warnings"] == ["campaignPriority without campaignId was ignored"]
    beside = [{"contactId": ada["id"], "phone": "+14155550199"}]
    told = await team.done("POST", f"/crm/campaigns/{campaign['id']}/contacts", {"contacts": beside})
    assert (len(told["warnings"]), told["contacts"][0]["phone"]) == (1, ada["phone"])
    native = await team.customer.new_campaign()
    settings = await team.done("PATCH", f"/crm/campaigns/{native['id']}", {"settings": {"mine": 1}})
    assert (len(settings["warnings"]), settings["campaign"]["settings"]) == (1, {})


async def test_lists_filter_by_several_states_and_by_what_a_campaign_is_of(team: Team) -> None:
    draft, over = await team.campaign(), await team.campaign()
    await team.done("PATCH", f"/crm/campaigns/{over['id']}", {"status": "cancelled"})
    company = (await team.done("POST", "/crm/companies", {"name": "Another"}))["company"]
    later = await team.campaign(scheduledStartAt=LATER, companyId=company["id"])
    listed = f"/crm/campaigns?teamId={team.team}"
    for query, found in (
        ("status=draft&status=cancelled", [over, draft]),
        (f"companyId={company['id']}", [later]),
        (f"assistantId={team.assistant}&status=scheduled", [later]),
    ):
        campaigns = (await team.done("GET", f"{listed}&{query}"))["campaigns"]
        assert [one["id"] for one in campaigns] == [one["id"] for one in found], query
    later_made = (await team.done("POST", "/assistants", {"name": "A first one"}))["assistant"]
    await team.done("POST", "/assistants", {"name": "Off", "outboundEnabled": False})
    by_name = (await team.done("GET", "/crm/outbound-assistants"))["assistants"]
    assert [one["id"] for one in by_name] == [later_made["id"], team.assistant]
