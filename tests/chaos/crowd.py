"""Customers at work while everything breaks: they add, import, enrol, edit, delete, list, pause, close, and so on.

Each notes in the truth what it asks for before it asks, and the acknowledgement when it comes. A request whose answer
was lost is sent again until it is answered, as a client would; all of them may be repeated.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from deploy.demo.client import Api, Refused
from shared.clock import utc_now
from shared.topics import CONTACT_BATCHES
from tests.chaos.asking import Asking, Question
from tests.chaos.courses import Courses
from tests.chaos.customers import ALWAYS, CONFIGURATION, Batch, Campaign, Organization
from tests.chaos.end_dates import EndDates
from tests.chaos.hours import Hours
from tests.chaos.imports import Imports
from tests.chaos.limits import CAMPAIGN_LIMITS, LIMITS, Limits
from tests.chaos.people import People
from tests.chaos.phones import new_numbers, numbers_of
from tests.chaos.pools import Pools
from tests.chaos.receiving import Receiving
from tests.chaos.results import Results
from tests.chaos.runs import Runs
from tests.chaos.subscriptions import Subscriptions
from tests.chaos.truth import CampaignRules, Caps, NumberRules, Rule, Truth
from tests.chaos.wishes import Wishes
from tests.e2e.system import System

ORGANIZATIONS: Final = 3
CAMPAIGNS_EACH: Final = 2
FIRST_CONTACTS: Final = 60
EXCLUSIVE_CONTACTS: Final = 8
EXCLUSIVE_NUMBER: Final = "+1415555020{}"
PAUSE_SECONDS: Final = (0.02, 0.4)
# Of an organization of its own, whose campaigns are closed at the end: who waits for a day to be over would never rest.
CAPS: Final = (Caps(contact_day=1), Caps(day=1), Caps(contact_day=2, day=2, week=3, gap_minutes=1))
RATES: Final = (2.5, 6.0)
ENDS_BY_ITS_DATE: Final = 0.5
IS_DELETED: Final = 0.7


class Crowd:
    """All customers. `deeds` counts what they did."""

    def __init__(self, system: System, receiving: Receiving, truth: Truth, seed: int) -> None:
        self._system, self._truth = system, truth
        self._dice = random.Random(f"crowd/{seed}")
        self.asking = Asking(system)
        self.hours = Hours(self.asking, truth)
        self._pools = Pools(self.asking, truth, self._dice)
        self._ends = EndDates(self.asking, truth, self._dice)
        self._courses = Courses(self.asking, truth, self._dice)
        self._runs = Runs(self.asking, truth, self._dice)
        self._wishes = Wishes(self.asking, truth, self._dice)
        self._numbers = new_numbers()
        self._limits = Limits(self.asking, truth, self._dice)
        self._results = Results(self.asking, truth, self._dice)
        self._people = People(self.asking, truth, self._dice, self._numbers)
        self.imports = Imports(self.asking, truth, self._dice)
        self.subscriptions = Subscriptions(receiving)
        self.organizations: list[Organization] = []
        self.batches: list[Batch] = []
        self.deeds: Counter[str] = Counter()
        self.leaving = False

    async def arrive(self) -> None:
        """Make organizations, campaigns and the first contacts. Nothing is broken yet."""
        for _ in range(ORGANIZATIONS):
            who = await self._system.new_customer()
            limit = Rule(self._dice.choice(LIMITS), utc_now())
            self._truth.limits[who.organization_id] = limit
            await self.subscriptions.subscribe(who)
            self._truth.subscribed.add(who.organization_id)
            await who.api.put("/campaign/concurrency-settings", {"concurrency_limit": limit.last})
            organization = Organization(who, [], limit)
            self.hours.begin(organization.id)
            for _ in range(CAMPAIGNS_EACH):
                await self._add(organization, await self._new_campaign(organization), FIRST_CONTACTS)
            await self._limits.limit_campaign(
                organization, organization.campaigns[0], self._dice.choice(CAMPAIGN_LIMITS)
            )
            await self._ends.let_complete(who.who.key, organization.campaigns[0])
            await self._courses.put_breaker(who.who.key, organization.campaigns[0])
            await self._add_exclusive_campaign(organization)
            await self._limits.pace_campaign(organization, organization.campaigns[1], self._dice.choice(RATES))
            pooled = organization.campaigns[1].id
            await self._pools.open(who.who.key, organization.id, pooled, len(self.organizations))
            self.organizations.append(organization)
        await self._add_capped_organization()

    async def _add_capped_organization(self) -> None:
        who = await self._system.new_customer()
        caps, limit = self._dice.choice(CAPS), Rule(max(LIMITS), utc_now())
        self._truth.limits[who.organization_id], self._truth.caps[who.organization_id] = limit, caps
        await who.api.put("/campaign/concurrency-settings", {"concurrency_limit": limit.last})
        of_phones = {
            "max_attempts_per_number_per_day": caps.day,
            "max_attempts_per_number_per_week": caps.week,
            "min_minutes_between_calls": caps.gap_minutes,
        }
        await who.api.patch("/campaign/limits", of_phones)
        organization = Organization(who, [], limit, capped=True)
        self.hours.begin(organization.id)
        campaign = await self._new_campaign(organization)
        of_contacts = {"max_attempts_per_day": caps.contact_day}
        await who.api.patch(f"/campaign/configurations/{campaign.configuration_id}", of_contacts)
        await self._add(organization, campaign, FIRST_CONTACTS)
        self.organizations.append(organization)

    async def _add_exclusive_campaign(self, organization: Organization) -> None:
        """A small one that calls from a number which takes one call at a time."""
        number = EXCLUSIVE_NUMBER.format(len(self.organizations))
        operator = Api(self._system.session, self._system.lineup.api.url, self._system.credentials.admin_token)
        await operator.patch(f"/admin/organizations/{organization.id}", {"exclusive_caller_numbers": [number]})
        self._truth.exclusive.add((organization.id, number))
        campaign = await self._new_campaign(organization, agent_number=number)
        campaign.takes_more = False
        await self._add(organization, campaign, EXCLUSIVE_CONTACTS)

    async def work(self) -> None:
        """Do things at random until `leaving` is set; each organization by itself."""
        async with asyncio.TaskGroup() as tasks:
            for organization in self.organizations:
                tasks.create_task(self._work_for(organization))

    async def come_to_rest(self) -> None:
        """What stands in the way of the waiting contacts is taken away: pauses, closed windows, low limits."""
        for organization in self.organizations:
            await self._limits.set_limit(organization, max(LIMITS))
            await self._pools.lift(organization.who.who.key, organization.id)
            await self.hours.open(organization.id, organization.who.who.key)
            if organization.capped:
                for campaign in organization.campaigns:
                    await self._close(organization, campaign)
                continue
            for campaign in organization.campaigns:
                await self._limits.pace_campaign(organization, campaign, None)
                if campaign.id in self._truth.campaign_limits:
                    await self._limits.limit_campaign(organization, campaign, max(LIMITS))
                if not campaign.rules.open.last:
                    await self._set_windows(organization, campaign, open_now=True)
                if not campaign.rules.active.last and campaign.id not in self._truth.closed:
                    await self._set_active(organization, campaign, active=True)
                await self._runs.lift(organization.who.who.key, campaign.id)
                await self._courses.lift_breaker(organization.who.who.key, campaign)
                await self._ends.go_on(organization.who.who.key, campaign)

    async def _work_for(self, organization: Organization) -> None:
        deeds: list[tuple[int, Callable[[Organization, Campaign], Awaitable[None]]]] = [
            (30, self._add_some),
            (12, self._publish_some),
            (6, self._import_some),
            (8, self._look_for_results),
            (6, self._results.report_one),
            (6, self._enrol_one),
            (4, self._people.change_one),
            (10, self._edit_one),
            (6, self._delete_one),
            (6, self._list_one),
            (0 if organization.capped else 5, self._wishes.ask_of_one),
            (3, self._pause_or_resume),
            (3, self._close_or_open_window),
            (4, self._look_at_breaker),
            (3, self._limits.change_limit),
            (0 if organization.capped else 2, self._runs.start_for_some_calls),
            (2, self._shut_or_keep_law),
            (2, self._change_number),
            (0 if organization.capped else 1, self._replace_campaign),
        ]
        while not self.leaving:
            deed = self._dice.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]
            await deed(organization, self._dice.choice(organization.campaigns))
            self.deeds[deed.__name__.strip("_").replace("_", " ")] += 1
            await asyncio.sleep(self._dice.uniform(*PAUSE_SECONDS))

    async def _certainly(self, organization: Organization, ask: Question) -> Any:
        return await self.asking.certainly(organization.who.who.key, ask)

    async def _new_campaign(
        self, organization: Organization, start_at: datetime | None = None, **settings: str
    ) -> Campaign:
        name = f"campaign-{len(self._truth.campaigns)}"
        configuration = await self._certainly(
            organization, lambda api: api.post("/campaign/configurations", {**CONFIGURATION, **settings, "name": name})
        )
        wanted = {"name": name, "external_id": name, "configuration_id": configuration["id"]}
        if start_at is not None:
            wanted["start_at"] = start_at.isoformat()

        async def make(api: Api) -> Any:
            try:
                return await api.post("/campaign/campaigns", wanted)
            except Refused as refused:
                if refused.status != HTTPStatus.CONFLICT:
                    raise
                # The first try was heard, only its answer was lost.
                return await api.get(f"/campaign/campaigns/{name}")

        made = await self._certainly(organization, make)
        now = utc_now()
        rules = CampaignRules(organization.id, active=self._courses.active_from(start_at, now), open=Rule(True, now))
        self._truth.campaigns[made["id"]] = rules
        campaign = Campaign(made["id"], configuration["id"], rules, now, begins_at=start_at)
        organization.campaigns.append(campaign)
        return campaign

    async def _add(self, organization: Organization, campaign: Campaign, contacts: int) -> None:
        rows = self._new_rows(organization, campaign, contacts)
        campaign.numbers.update(numbers_of(rows))
        path = f"/campaign/campaigns/{campaign.id}/contacts"
        await self._certainly(organization, lambda api: api.post(path, {"contacts": rows}))
        self._truth.accepted.update((organization.id, row["external_id"]) for row in rows)

    def _new_rows(self, organization: Organization, campaign: Campaign, contacts: int) -> list[dict[str, Any]]:
        rows = []
        for _ in range(contacts):
            number = next(self._numbers)
            external_id = f"lead-{number[1:]}"
            self._give(organization, campaign, external_id, number)
            rows.append({"external_id": external_id, "phone_numbers": [number], "data": {"first_name": "Ada"}})
        return rows

    def _give(self, organization: Organization, campaign: Campaign, external_id: str, number: str) -> None:
        now = utc_now()
        self._truth.numbers[organization.id, number] = NumberRules(
            campaign.id, external_id, wanted=Rule(True, now), listed=Rule(False, now)
        )

    async def _add_some(self, organization: Organization, campaign: Campaign) -> None:
        if self._takes_more(campaign):
            await self._add(organization, campaign, self._dice.randint(1, 12))

    async def _publish_some(self, organization: Organization, campaign: Campaign) -> None:
        if not self._takes_more(campaign):
            return
        rows = self._new_rows(organization, campaign, self._dice.randint(1, 15))
        good = numbers_of(rows)
        bad = self._dice.randint(0, 2)
        rows += [{"external_id": f"bad-{n}", "phone_numbers": ["front desk"]} for n in range(bad)]
        batch_id = f"batch-{len(self.batches)}-{self._dice.randrange(10**9)}"
        batch = {
            "schema_version": 1,
            "batch_id": batch_id,
            "organization_id": organization.id,
            "credential": organization.who.who.key,
            "campaign": campaign.id,
            "contacts": rows,
        }
        await self.asking.publish(CONTACT_BATCHES, json.dumps(batch).encode(), campaign.id.encode())
        self.batches.append(Batch(organization.id, batch_id, list(good), bad))
        campaign.on_their_way[batch_id] = good
        self._truth.accepted.update((organization.id, external_id) for external_id in good)

    async def _import_some(self, organization: Organization, campaign: Campaign) -> None:
        if self._takes_more(campaign):
            rows = self._new_rows(organization, campaign, self._dice.randint(1, 20))
            await self.imports.send(organization, campaign, rows)

    async def _enrol_one(self, organization: Organization, campaign: Campaign) -> None:
        if self._takes_more(campaign):
            await self._people.enrol_one(organization, campaign)

    async def _look_for_results(self, organization: Organization, campaign: Campaign) -> None:
        page = await self._certainly(organization, lambda api: api.get("/campaign/ingest-batches", limit=50))
        for result in page["ingest_batches"]:
            rows = campaign.on_their_way.pop(result["batch_id"], {})
            if result["status"] == "done":
                campaign.numbers.update(rows)
        await self.imports.look(organization, campaign)

    async def _edit_one(self, organization: Organization, campaign: Campaign) -> None:
        if not campaign.numbers or not self._is_usable(campaign):
            return
        external_id, old = self._dice.choice(list(campaign.numbers.items()))
        new = next(self._numbers)
        self._give(organization, campaign, external_id, new)
        campaign.numbers[external_id] = new
        gone = self._truth.numbers[organization.id, old].wanted.ask(False, utc_now())
        row = {"external_id": external_id, "phone_numbers": [new]}
        path = f"/campaign/campaigns/{campaign.id}/contacts"
        await self._certainly(organization, lambda api: api.post(path, {"contacts": [row]}))
        gone.acknowledged_at = utc_now()

    async def _delete_one(self, organization: Organization, campaign: Campaign) -> None:
        if not campaign.numbers:
            return
        external_id, number = self._dice.choice(list(campaign.numbers.items()))
        gone = self._truth.numbers[organization.id, number].wanted.ask(False, utc_now())
        path = f"/campaign/campaigns/{campaign.id}/contacts/{external_id}"
        try:
            await self._certainly(organization, lambda api: api.delete(path))
        except Refused as refused:
            if refused.status == HTTPStatus.CONFLICT:
                # On the line right now: it stays.
                self._truth.numbers[organization.id, number].wanted.ask(True, utc_now()).acknowledged_at = utc_now()
                return
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
        gone.acknowledged_at = utc_now()
        del campaign.numbers[external_id]
        self._truth.deleted.add((organization.id, external_id))

    async def _list_one(self, organization: Organization, campaign: Campaign) -> None:
        if not campaign.numbers:
            return
        number = self._dice.choice(list(campaign.numbers.values()))
        listed = self._truth.numbers[organization.id, number].listed.ask(True, utc_now())
        await self._certainly(organization, lambda api: api.post("/campaign/do-not-call", {"phone_numbers": [number]}))
        listed.acknowledged_at = utc_now()

    async def _pause_or_resume(self, organization: Organization, campaign: Campaign) -> None:
        if campaign.id not in self._truth.closed:
            await self._set_active(organization, campaign, active=not campaign.rules.active.last)

    async def _set_active(self, organization: Organization, campaign: Campaign, *, active: bool) -> None:
        change = campaign.rules.active.ask(active, utc_now())
        path = f"/campaign/campaigns/{campaign.id}/{'start' if active else 'pause'}"
        if not (active and await self._runs.resume(organization.who.who.key, campaign.id)):
            await self._once(organization, path)
        change.acknowledged_at = utc_now()

    async def _once(self, organization: Organization, path: str) -> None:
        """A conditional change: that it is refused the second time means that the first was heard."""
        try:
            await self._certainly(organization, lambda api: api.post(path))
        except Refused as refused:
            if refused.status != HTTPStatus.BAD_REQUEST:
                raise

    async def _close_or_open_window(self, organization: Organization, campaign: Campaign) -> None:
        await self._set_windows(organization, campaign, open_now=not campaign.rules.open.last)

    async def _set_windows(self, organization: Organization, campaign: Campaign, *, open_now: bool) -> None:
        change = campaign.rules.open.ask(open_now, utc_now())
        windows = {"default_windows": ALWAYS if open_now else []}
        path = f"/campaign/configurations/{campaign.configuration_id}"
        await self._certainly(organization, lambda api: api.patch(path, windows))
        change.acknowledged_at = utc_now()

    async def _shut_or_keep_law(self, organization: Organization, _: Campaign) -> None:
        deed = self._dice.choice([self.hours.shut_or_open, self.hours.keep_law_or_not])
        await deed(organization.id, organization.who.who.key)

    async def _change_number(self, organization: Organization, _: Campaign) -> None:
        await self._pools.change_one(organization.who.who.key, organization.id)

    async def _replace_campaign(self, organization: Organization, campaign: Campaign) -> None:
        """Close one for good, or have it end, and begin another."""
        if campaign.id in self._truth.closed:
            return
        if self._courses.has_begun(campaign) and self._dice.random() < ENDS_BY_ITS_DATE:
            await self._ends.let_end(organization.who.who.key, campaign)
        else:
            await self._close(organization, campaign)
            if self._dice.random() < IS_DELETED:
                await self._courses.delete(organization.who.who.key, campaign)
                self.deeds["delete campaign"] += 1
        new = await self._new_campaign(organization, self._courses.beginning())
        await self._add(organization, new, FIRST_CONTACTS)
        organization.campaigns.remove(campaign)

    async def _look_at_breaker(self, organization: Organization, campaign: Campaign) -> None:
        if await self._courses.look_at_breaker(organization.who.who.key, campaign):
            self.deeds["find a campaign halted by its breaker"] += 1

    async def _close(self, organization: Organization, campaign: Campaign) -> None:
        self._truth.closed.add(campaign.id)
        change = campaign.rules.active.ask(False, utc_now())
        await self._once(organization, f"/campaign/campaigns/{campaign.id}/close")
        change.acknowledged_at = utc_now()

    def _is_usable(self, campaign: Campaign) -> bool:
        return campaign.id not in self._truth.closed

    def _takes_more(self, campaign: Campaign) -> bool:
        return campaign.takes_more and self._is_usable(campaign)
