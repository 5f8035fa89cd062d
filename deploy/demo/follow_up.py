"""The demo's second campaign: set up ahead, it starts by itself, paced, from a pool of numbers, once a person and day.

It calls some contacts of the first campaign once more, first those whom that did not reach, and is judged by the
carrier's own record alone.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console

from deploy.demo.client import Api
from deploy.demo.dial import CAMPAIGN_NAME, CONFIGURATION, LOOK_SECONDS, STUCK_SECONDS, DemoStuck, carrier_summary
from deploy.demo.display import Promise
from shared.clock import monotonic

CONTACTS: Final = 40
STARTS_IN: Final = timedelta(seconds=4)
CALLS_PER_SECOND: Final = 5
# What may come late comes at once: by the carrier's record no span of time holds more than its own share and this much.
SLACK_SECONDS: Final = 2
SPAN: Final = timedelta(seconds=3)
POOL: Final = "demo"
NUMBERS: Final = tuple(f"+1415555018{digit}" for digit in range(5))
CALLS_AT_ONCE: Final = 4
CAP: Final = 1
SETTINGS: Final[dict[str, Any]] = {
    **CONFIGURATION,
    "name": "Demo: a second call, once a day and person",
    "max_attempts_per_day": CAP,
    "agent_number": None,
}
_ENDED: Final = frozenset({"completed", "exhausted", "error", "skipped"})
_CAPPED: Final = "contact_day_cap"
_PAGE: Final = 5000


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call as the carrier has written it down; `ended_at` None: it was up when the record was read."""

    caller: str
    contact_id: str
    ordered_at: datetime
    ended_at: datetime | None


async def follow_up(api: Api, carrier_url: str, first_campaign: str, console: Console, now: datetime) -> list[Promise]:
    """Makes the campaign, loads it, watches it to its end and closes it; what the carrier's record says of it.

    Raises DemoStuck when nothing moves any more.
    """
    people = await _people(api, first_campaign)
    record_from = int((await carrier_summary(api, carrier_url))["record"])
    await _register_numbers(api)
    start_at = now + STARTS_IN
    campaign_id = await _campaign(api, start_at, now)
    await api.post(f"/campaign/campaigns/{campaign_id}/contacts", {"contacts": [_again(person) for person in people]})
    console.print(
        f"\nA second campaign ({campaign_id}) calls {len(people)} of them again: it starts by itself at "
        f"{start_at:%H:%M:%S} UTC, {CALLS_PER_SECOND} calls a second, from a pool of {len(NUMBERS)} numbers, nobody "
        "twice a day:"
    )
    contacts = await _to_the_end(api, campaign_id)
    # Whoever was not reached waits for tomorrow, and the demo's list must not be dialed then.
    await api.post(f"/campaign/campaigns/{campaign_id}/close")
    _report(console, contacts)
    ours = {contact["id"] for contact in contacts}
    calls = [call for call in await _calls(api, carrier_url, record_from) if call.contact_id in ours]
    return judge(calls, start_at, {contact["id"]: contact["timezone"] for contact in contacts})


async def _people(api: Api, campaign: str) -> list[dict[str, Any]]:
    people = [contact async for contact in api.contacts(campaign) if contact["status"] in {"exhausted", "completed"}]
    return sorted(people, key=lambda contact: str(contact["status"] != "exhausted"))[:CONTACTS]


def _again(person: dict[str, Any]) -> dict[str, Any]:
    kept = {name: person[name] for name in ("external_id", "phone_numbers", "timezone", "data") if person[name]}
    # Those who were not reached come first.
    return {**kept, "priority": 1} if person["status"] == "exhausted" else kept


async def _register_numbers(api: Api) -> None:
    known = {each["number"] for each in (await api.get("/campaign/caller-numbers", limit=200))["caller_numbers"]}
    for number in NUMBERS:
        if number not in known:
            wanted = {"number": number, "max_calls": CALLS_AT_ONCE, "pools": [POOL]}
            await api.post("/campaign/caller-numbers", wanted)


async def _campaign(api: Api, start_at: datetime, now: datetime) -> str:
    page = await api.get("/campaign/configurations", limit=200)
    known = [each["id"] for each in page["configurations"] if each["name"] == SETTINGS["name"]]
    configuration_id = known[0] if known else (await api.post("/campaign/configurations", SETTINGS))["id"]
    wanted = {
        "name": f"{CAMPAIGN_NAME} {now:%Y-%m-%d %H:%M:%S}, again",
        "configuration_id": configuration_id,
        "start_at": start_at.isoformat(),
        "calls_per_second": CALLS_PER_SECOND,
        "caller_number_pool": POOL,
        "caller_number_choice": "weighted_sticky",
    }
    return str((await api.post("/campaign/campaigns", wanted))["id"])


async def _to_the_end(api: Api, campaign_id: str) -> list[dict[str, Any]]:
    """The contacts, once each has ended or waits for another day."""
    moved, last = monotonic(), Counter[str]()
    while True:
        contacts = [contact async for contact in api.contacts(campaign_id)]
        standing = Counter(map(_standing, contacts))
        if all(state in _ENDED or state == _CAPPED for state in standing):
            return contacts
        if standing != last:
            moved, last = monotonic(), standing
        elif monotonic() - moved > STUCK_SECONDS:
            raise DemoStuck(f"nothing has moved for {timedelta(seconds=STUCK_SECONDS)}; contacts: {dict(standing)}")
        await asyncio.sleep(LOOK_SECONDS)


def _standing(contact: dict[str, Any]) -> str:
    """How a contact stands: why it waits, else its status."""
    return str(contact["waiting_for"]["reason"] if contact["waiting_for"] else contact["status"])


def _report(console: Console, contacts: Iterable[dict[str, Any]]) -> None:
    standing = Counter(map(_standing, contacts))
    words = {_CAPPED: f"wait for tomorrow ({_CAPPED})"}
    console.print("  " + ", ".join(f"{count} {words.get(state, state)}" for state, count in standing.most_common()))


async def _calls(api: Api, carrier_url: str, after: int) -> list[PlacedCall]:
    """The calls that the simulated carrier has written down after an entry of its record."""
    calls: dict[str, PlacedCall] = {}
    while True:
        page = f"{carrier_url}/simulator/record?after={after}&limit={_PAGE}"
        async with api.session.get(page) as answer:
            answer.raise_for_status()
            entries = [json.loads(line) for line in (await answer.text()).splitlines()]
        if not entries:
            return list(calls.values())
        for entry in entries:
            ended = datetime.fromisoformat(entry["ended_at"]) if entry["ended_at"] else None
            ordered = datetime.fromisoformat(entry["ordered_at"])
            calls[entry["call_id"]] = PlacedCall(entry["from"], entry["contact_id"], ordered, ended)
        after = entries[-1]["n"]


def judge(calls: Sequence[PlacedCall], start_at: datetime, timezones: Mapping[str, str | None]) -> list[Promise]:
    """What the carrier's record says of what was asked; `timezones`: of each contact, None: UTC."""
    ordered = sorted(call.ordered_at for call in calls)
    early = sum(at < start_at for at in ordered)
    most = max((sum(at <= other < at + SPAN for other in ordered) for at in ordered), default=0)
    allowed = int(CALLS_PER_SECOND * (SPAN.total_seconds() + SLACK_SECONDS))
    elsewhere = sum(call.caller not in NUMBERS for call in calls)
    at_once = max((_most_at_once(call for call in calls if call.caller == number) for number in NUMBERS), default=0)
    days = Counter(
        (call.contact_id, call.ordered_at.astimezone(ZoneInfo(timezones[call.contact_id] or "UTC")).date())
        for call in calls
    )
    a_day = max(days.values(), default=0)
    return [
        Promise(f"calls before the scheduled start: {early} of {len(calls)}", not early and bool(calls)),
        Promise(f"most calls in any {SPAN.seconds} s: {most}, allowed are {allowed}", most <= allowed),
        Promise(f"calls from a number that is not in the pool: {elsewhere}", not elsewhere),
        Promise(
            f"most calls at once from one number: {at_once}, the limit is {CALLS_AT_ONCE}", at_once <= CALLS_AT_ONCE
        ),
        Promise(f"most calls to one person in a day: {a_day}, the cap is {CAP}", a_day <= CAP),
    ]


def _most_at_once(calls: Iterable[PlacedCall]) -> int:
    changes = sorted(
        change
        for call in calls
        for change in ((call.ordered_at, 1), *(((call.ended_at, -1),) if call.ended_at is not None else ()))
    )
    return max(itertools.accumulate(change for _, change in changes), default=0)
