"""Why is nobody being called, or so slowly? A campaign's reasons, its limits with their use, and what rests.

The campaign's own reasons hold for all who wait, exactly. Reasons of single contacts come from a sample, so their
numbers are estimates once more wait than were looked at.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.domain.caller_numbers import utc_day
from shared.domain.contact import ContactStatus, Tier
from shared.domain.diagnosis import Diagnosis, LimitUse, NamedLimit, PastRefusal, findings
from shared.domain.dialing import campaign_wait
from shared.domain.dialing_values import Rules
from shared.domain.ids import is_default_campaign, organization_budget
from shared.domain.limit_warnings import CallLimits, LimitAbove, limits_above
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, queues_at
from shared.domain.reasons import SPARED_BY_OWN_NUMBER
from shared.domain.setting_faults import warnings_on
from shared.store.client import Document, Store, translates
from shared.store.dialing.executors import rate_of_living
from shared.store.dialing.ready import anyone_has_own_number, waiting_priorities
from shared.store.dialing.shard_catalog import Enrolled, read_enrolled
from shared.store.documents.completing import complete
from shared.store.documents.contacts import ContactDocument, contact_of
from shared.store.documents.dialing import BudgetDocument
from shared.store.reports.counters import campaign_counts
from shared.store.reports.situation import Situation

# Caller numbers that are named with the limits.
MAX_NUMBERS: Final = 50
# Waiting contacts that are looked at, and into how many groups of timezones each queue is parted for it; with several
# priorities their queues are the groups.
SAMPLE: Final = 1000
ZONE_GROUPS: Final = 20
MAX_PRIORITIES: Final = 20


@translates
async def diagnose(store: Store, organization_id: str, campaign_id: str, now: datetime) -> Diagnosis:
    """The diagnosis of a campaign (stored form), at the same cost for every size of campaign."""
    counts = await campaign_counts(store, campaign_id)
    enrolled = (await read_enrolled(store, [campaign_id])).get(campaign_id, Enrolled())
    sample = await _sample(store, campaign_id, enrolled, counts.pending) if counts.pending > 0 else []
    # So that the campaign's own documents are read also when nobody waits in it.
    of_this_campaign = {"organization_id": organization_id, "campaign_id": campaign_id}
    anybody = complete(ContactDocument, {**of_this_campaign, "phone_numbers": [], "status": ""})
    situation = await Situation.read(store, organization_id, [*sample, anybody], now)
    rules = situation.context.rules_of(anybody)
    whole = campaign_wait(rules, now)
    if whole is not None and whole.reason in SPARED_BY_OWN_NUMBER and await anyone_has_own_number(store, campaign_id):
        whole = None
    waits = [whole] if whole is not None and counts.pending > 0 else []
    if not waits:
        waits = [wait for contact in sample if (wait := situation.waits(contact)) is not None]
    budget = complete(
        BudgetDocument, await store["budgets"].find_one({"_id": organization_budget(organization_id)}) or {}
    )
    return Diagnosis(
        campaign_id=None if is_default_campaign(campaign_id) else campaign_id,
        at=now,
        counts=counts,
        findings=findings(waits, counts.pending),
        settings=[*warnings_on(rules, counts.ended, now), *_limits_above(situation, campaign_id, rules)],
        limits=_limits(situation, campaign_id),
        rests={key: rest for key, rest in rules.rests.items() if not rest.is_forgotten(now)},
        calls_per_second=await rate_of_living(store),
        rates=situation.rates(campaign_id),
        refusals=[_refusal(refusal) for refusal in budget["refusals"]],
    )


def _refusal(stored: Mapping[str, Any]) -> PastRefusal:
    return PastRefusal(stored["at"], what=stored["key"], code=stored["code"], said=stored["message"])


async def _sample(store: Store, campaign_id: str, enrolled: Enrolled, pending: int) -> list[Document]:
    """Waiting contacts; of many, those due the longest of each queue and group of timezones in which one waits."""
    priorities = await _priorities(store, campaign_id) if enrolled.prioritized else [DEFAULT_CONTACT_PRIORITY]
    zones = sorted(enrolled.zones, key=lambda zone: zone or "")
    groups = [zones[first::ZONE_GROUPS] for first in range(min(ZONE_GROUPS, len(zones)))]
    if len(priorities) > 1:
        groups = [zones]
    queries: list[Document] = [
        {
            "campaign_id": campaign_id,
            "tier": queue,
            "timezone": {"$in": group},
            "status": ContactStatus.PENDING,
        }
        for priority in priorities
        for queue in queues_at(priority, Tier)
        for group in groups
    ]
    fields = {"tier": 1, "timezone": 1}
    firsts = [contact_of(first, frozenset(fields)) for first in await _longest_due(store, queries, 1, fields)]
    somebody = {(first["tier"], first["timezone"]) for first in firsts}
    taken = [q for q in queries if any(q["tier"] == tier and zone in q["timezone"]["$in"] for tier, zone in somebody)]
    left_out = {"data": 0, "initial_context": 0, "agent_config": 0}
    each = SAMPLE if pending <= SAMPLE else SAMPLE // max(1, len(taken))
    return [contact_of(contact) for contact in await _longest_due(store, taken, each, left_out)]


async def _priorities(store: Store, campaign_id: str) -> list[int]:
    """The priorities that are looked at: of many, the highest, which are called first."""
    return await waiting_priorities(store, campaign_id, MAX_PRIORITIES)


async def _longest_due(store: Store, queries: Sequence[Document], each: int, fields: Document) -> list[Document]:
    """The contacts due the longest of each query, `each` of them; in one request, however many queries."""
    pipelines: list[list[Document]] = [
        [{"$match": query}, {"$sort": {"due_at": 1, "seq": 1}}, {"$limit": each}, {"$project": fields}]
        for query in queries
    ]
    if not pipelines:
        return []
    others = [{"$unionWith": {"coll": "contacts", "pipeline": pipeline}} for pipeline in pipelines[1:]]
    found = await store["contacts"].aggregate([*pipelines[0], *others], hint="ready", batchSize=SAMPLE)
    return await found.to_list()


def _limits_above(situation: Situation, campaign_id: str, rules: Rules) -> list[LimitAbove]:
    campaign, rates = situation.campaign_use(campaign_id), situation.rates(campaign_id)
    own = CallLimits(campaign.limit if campaign else None, rates.get("campaign"))
    return limits_above(own, CallLimits(situation.organization_use.limit, rates.get("organization")), rules)


def _limits(situation: Situation, campaign_id: str) -> list[NamedLimit]:
    limits = [NamedLimit("global", situation.everybody), NamedLimit("organization", situation.organization_use)]
    campaign = situation.campaign_use(campaign_id)
    if campaign is not None:
        limits.append(NamedLimit("campaign", campaign))
    return limits + _limits_of_numbers(situation)


def _limits_of_numbers(situation: Situation) -> list[NamedLimit]:
    """The limits of caller numbers that are in use; those with the least room first."""
    numbers, today = situation.numbers, utc_day(situation.now)
    found = []
    for number, use in numbers.uses.items():
        most, daily_limit, used = numbers.max_calls(number), numbers.daily_limit(number), use.used_on(today)
        if most is not None and use.held:
            found.append(NamedLimit(f"caller_number:{number}", LimitUse(use.held, most)))
        if daily_limit is not None and used:
            found.append(NamedLimit(f"caller_number_daily:{number}", LimitUse(used, daily_limit)))
    return sorted(found, key=lambda limit: (limit.use.limit - limit.use.held, limit.name))[:MAX_NUMBERS]
