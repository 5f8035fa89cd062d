import asyncio

from tests.integration.campaign_api.client import Customer

CURL_BODY = """{
    "contacts": [
      {
        "external_id": "lead-1001",
        "phone_numbers": ["+14155550123"],
        "data": { "first_name": "Ada" }
      },
      {
        "external_id": "lead-1002",
        "phone_numbers": ["+14155550199"],
        "data": { "first_name": "Grace" }
      }
    ]
  }"""


async def test_the_curl_example_adds_two_contacts_by_the_campaigns_external_id(acme: Customer) -> None:
    await acme.new_campaign(external_id="spring-outreach")
    curl = await asyncio.create_subprocess_exec(
        "curl",
        "--silent",
        "-X",
        "POST",
        f"{acme.api.url}/campaign/campaigns/spring-outreach/contacts",
        "-H",
        f"Authorization: Bearer {acme.key}",
        "-H",
        "Content-Type: application/json",
        "-d",
        CURL_BODY,
        "--write-out",
        "\n%{http_code}",
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await curl.communicate()
    body, status = output.decode().rsplit("\n", 1)
    assert status == "200", body
    listed = (await acme.get("/campaigns/spring-outreach/contacts")).body
    ids = [contact["id"] for contact in listed["contacts"]]
    assert [contact["data"] for contact in listed["contacts"]] == [{"first_name": "Ada"}, {"first_name": "Grace"}]
    assert body == ('{"inserted":2,"updated":0,"failed":[],"warnings":[],"contact_ids":["' + '","'.join(ids) + '"]}')


async def test_the_stats_of_a_new_campaign_are_the_documented_json_with_two_more_buckets_and_fields_of_ours(
    acme: Customer,
) -> None:
    campaign = await acme.new_campaign()
    stats = await acme.get(f"/campaigns/{campaign['id']}/stats")
    assert stats.body == {
        "campaign_id": campaign["id"],
        "status": "active",
        "contacts": {
            "total": 0,
            "pending": 0,
            "in_progress": 0,
            "completed": 0,
            "exhausted": 0,
            "error": 0,
            "skipped": 0,
        },
        "attempts": {"total": 0, "average_per_contact": 0.0},
        "active_calls": 0,
        "concurrency_limit": 10,
        "reached": {"called": 0, "answered": 0, "opted_out": 0, "waiting_for_retry": 0, "waiting_for_callback": 0},
        "ended": {},
        "outcomes": {},
        "talk_seconds": 0.0,
        "calls_of_run": 0,
        "last_minute": {"placed": 0, "ended": 0},
        "forecast": {"calls_left": None, "calls_per_second": None, "ends_at": None},
    }
