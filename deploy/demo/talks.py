"""The demo's third campaign: its voice agent reports what came of the calls, and what people asked for is done.

The agent has no key: it takes the token from the address that the carrier was told to ask for instructions. The first
person that answers asks not to be called again, the second one to be called back; judged by the carrier's own record.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from rich.console import Console

from deploy.demo.client import Api, Refused
from deploy.demo.dial import CAMPAIGN_NAME, CONFIGURATION, LOOK_SECONDS, STUCK_SECONDS, DemoStuck, carrier_summary
from deploy.demo.display import Promise
from shared.clock import monotonic, utc_now

# Of nobody, and of no row of the demo list.
NUMBERS: Final = tuple(f"+1202555017{digit}" for digit in range(6))
CALLED_BACK_IN: Final = timedelta(seconds=3)
SETTINGS: Final[dict[str, Any]] = {**CONFIGURATION, "name": "Demo: talks"}
_ENDED: Final = frozenset({"completed", "exhausted", "error", "skipped"})
_PAGE: Final = 5000


@dataclass(frozen=True, slots=True)
class Talk:
    """A call as the carrier has written it down; `token` is None when it was told of none."""

    contact_id: str
    attempt_id: str
    ordered_at: datetime
    outcome: str | None
    token: str | None


@dataclass(slots=True)
class Agent:
    """The demo's voice agent: reads the carrier's record, and reports each call that was answered, once.

    `opted_out` and `called_back` are the contacts that asked for it, and when: the second one for the time it named.
    """

    api: Api
    carrier_url: str
    after: int
    talks: dict[str, Talk] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    by_token: int = 0
    opted_out: tuple[str, datetime] | None = None
    called_back: tuple[str, datetime] | None = None

    async def look(self, contact_ids: set[str]) -> None:
        """Take in what the carrier has written down since, and report the calls of these contacts that have ended."""
        page = f"{self.carrier_url}/simulator/record?after={self.after}&limit={_PAGE}"
        async with self.api.session.get(page) as answer:
            answer.raise_for_status()
            entries = [json.loads(line) for line in (await answer.text()).splitlines()]
        for entry in entries:
            self.after = entry["n"]
            if entry["contact_id"] in contact_ids:
                self.talks[entry["attempt_id"]] = _talk(entry)
        for talk in self.talks.values():
            if talk.outcome == "answered" and talk.attempt_id not in self.reported:
                await self._report(talk)

    async def _report(self, talk: Talk) -> None:
        report: dict[str, Any] = {"disposition": "talked", "sentiment": "neutral", "summary": "Had a talk."}
        asked_by = {person[0] for person in (self.opted_out, self.called_back) if person is not None}
        if talk.contact_id in asked_by:
            pass
        elif self.opted_out is None:
            report |= {"sentiment": "negative", "opt_out": True}
        elif self.called_back is None:
            report |= {"callback_at": (utc_now() + CALLED_BACK_IN).isoformat(), "notes": "had no time"}
        agent = self.api if talk.token is None else Api(self.api.session, self.api.url, talk.token)
        answer = await agent.post(f"/campaign/attempts/{talk.attempt_id}/result", report)
        self.reported.add(talk.attempt_id)
        self.by_token += talk.token is not None
        if "opt_out" in report:
            self.opted_out = talk.contact_id, utc_now()
        if "callback_at" in report:
            self.called_back = talk.contact_id, datetime.fromisoformat(answer["callback_at"])


def _talk(entry: dict[str, Any]) -> Talk:
    token = parse_qs(urlsplit(entry["answer_url"]).query).get("result_token", [None])[0]
    ordered_at = datetime.fromisoformat(entry["ordered_at"])
    return Talk(entry["contact_id"], entry["attempt_id"], ordered_at, entry["outcome"], token)


async def talks(api: Api, carrier_url: str, console: Console, now: datetime) -> list[Promise]:
    """Makes the campaign, dials it to its end with an agent that reports; what the carrier's record says of it.

    Raises DemoStuck when nothing moves any more.
    """
    await _forget_earlier_runs(api)
    agent = Agent(api, carrier_url, int((await carrier_summary(api, carrier_url))["record"]))
    campaign_id = await _campaign(api, now)
    console.print(
        f"\nA third campaign ({campaign_id}) calls {len(NUMBERS)} people. Its agent reports each talk; the first "
        "person asks not to be called again, the second one to be called back:"
    )
    people = [{"external_id": f"T-{number[-2:]}", "phone_numbers": [number]} for number in NUMBERS]
    added = await api.post(f"/campaign/campaigns/{campaign_id}/contacts", {"contacts": people})
    ids = set(added["contact_ids"])
    await _to_the_end(api, campaign_id, agent, ids)
    again = await _enrolled_again(api, campaign_id, agent)
    await api.post(f"/campaign/campaigns/{campaign_id}/close")
    console.print(f"  {len(agent.reported)} talks reported, {agent.by_token} by the token that came with the call")
    return judge(list(agent.talks.values()), agent.opted_out, agent.called_back, again)


async def _forget_earlier_runs(api: Api) -> None:
    """People that opted out in an earlier demo take part again: the same few numbers play the people every time."""
    for number in NUMBERS:
        try:
            await api.delete(f"/campaign/do-not-call/{number}")
        except Refused as refused:
            if refused.status != 404:
                raise


async def _campaign(api: Api, now: datetime) -> str:
    page = await api.get("/campaign/configurations", limit=200)
    known = [each["id"] for each in page["configurations"] if each["name"] == SETTINGS["name"]]
    configuration_id = known[0] if known else (await api.post("/campaign/configurations", SETTINGS))["id"]
    name = f"{CAMPAIGN_NAME} {now:%Y-%m-%d %H:%M:%S}, talks"
    wanted = {"name": name, "configuration_id": configuration_id}
    return str((await api.post("/campaign/campaigns", wanted))["id"])


async def _to_the_end(api: Api, campaign_id: str, agent: Agent, contact_ids: set[str]) -> None:
    """Until no contact waits or is called, and the one that asked for it was called back."""
    moved, last = monotonic(), -1
    while True:
        await agent.look(contact_ids)
        contacts = [contact async for contact in api.contacts(campaign_id)]
        talked = sum(len(contact["attempts"]) for contact in contacts)
        if all(contact["status"] in _ENDED for contact in contacts) and _is_called_back(agent):
            return
        if talked != last:
            moved, last = monotonic(), talked
        elif monotonic() - moved > STUCK_SECONDS:
            raise DemoStuck(f"nothing has moved for {timedelta(seconds=STUCK_SECONDS)} in the campaign of the talks")
        await asyncio.sleep(LOOK_SECONDS)


def _is_called_back(agent: Agent) -> bool:
    if agent.called_back is None:
        # Too few have answered; that is judged, and not waited for.
        return not any(talk.outcome is None for talk in agent.talks.values())
    contact_id, at = agent.called_back
    return any(talk.contact_id == contact_id and talk.ordered_at >= at for talk in agent.talks.values())


async def _enrolled_again(api: Api, campaign_id: str, agent: Agent) -> str | None:
    """How the person that opted out stands who is sent once more, as somebody else; None: nobody has."""
    if agent.opted_out is None:
        return None
    contact = await api.get(f"/campaign/campaigns/{campaign_id}/contacts/{agent.opted_out[0]}")
    row = {"external_id": "T-again", "phone_numbers": contact["phone_numbers"]}
    await api.post(f"/campaign/campaigns/{campaign_id}/contacts", {"contacts": [row]})
    return str((await api.get(f"/campaign/campaigns/{campaign_id}/contacts/T-again"))["status"])


def judge(
    calls: Sequence[Talk],
    opted_out: tuple[str, datetime] | None,
    called_back: tuple[str, datetime] | None,
    again: str | None,
) -> list[Promise]:
    """What the carrier's record says of what two people asked for; `again`: how the first one stands, sent anew."""
    if opted_out is None or called_back is None:
        return [Promise("two people have answered, and asked for something", kept=False)]
    (quiet, since), (busy, at) = opted_out, called_back
    later = sum(call.contact_id == quiet and call.ordered_at > since for call in calls)
    back = sum(call.contact_id == busy and call.ordered_at >= at for call in calls)
    early = sum(call.contact_id == busy and at - CALLED_BACK_IN < call.ordered_at < at for call in calls)
    return [
        Promise(
            f"calls to the person that opted out, since then: {later}; sent once more: {again}",
            not later and again == "skipped",
        ),
        Promise(
            f"calls back to the person that asked for it: {back}, before the time: {early}", back >= 1 and not early
        ),
    ]
