"""Why is nobody being called, or so slowly? A campaign's reasons, its limits with their use, and what rests.

The campaign's own reasons hold for all who wait, exactly. Reasons of single contacts come from a sample, so their
numbers are estimates once more wait than were looked at.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.domain.caller_numbers import in_use, utc_day
from shared.domain.contact import Tier
from shared.domain.counts import CampaignCounts
from shared.domain.diagnosis import Diagnosis, LimitUse, NamedLimit, PastRefusal, Waiting, findings
from shared.domain.dialing import campaign_wait, number_plan
from shared.domain.dialing_values import CallFields, Rules, Wait
from shared.domain.ids import is_default_campaign, organization_budget
from shared.domain.limit_warnings import CallLimits, LimitAbove, limits_above
from shared.domain.queue_order import tier_in
from shared.domain.reasons import SPARED_BY_OWN_NUMBER
from shared.domain.setting_faults import warnings_on
from shared.store.client import Document, Store, translates
from shared.store.dialing.executors import rate_of_living
from shared.store.dialing.shard_catalog import Enrolled, read_enrolled
from shared.store.documents.completing import complete
from shared.store.documents.contacts import ContactDocument
from shared.store.documents.dialing import BudgetDocument
from shared.store.reports.counters import campaign_counts
from shared.store.reports.sampling import sample_waiting
from shared.store.reports.situation import Situation

# Caller numbers that are named with the limits.
MAX_NUMBERS: Final = 50
# Waiting contacts that are looked at.
SAMPLE: Final = 1000


@translates
async def diagnose(store: Store, organization_id: str, campaign_id: str, now: datetime) -> Diagnosis:
    """The diagnosis of a campaign (stored form), at the same cost for every size of campaign."""
    counts = await campaign_counts(store, campaign_id)
    enrolled = (await read_enrolled(store, [campaign_id])).get(campaign_id, Enrolled())
    sample = await sample_waiting(store, campaign_id, enrolled, counts.pending, SAMPLE)
    # So that the campaign's own documents are read also when nobody waits in it.
    of_this_campaign = {"organization_id": organization_id, "campaign_id": campaign_id}
    anybody = complete(ContactDocument, {**of_this_campaign, "phone_numbers": [], "status": ""})
    situation = await Situation.read(store, organization_id, [*sample, anybody], now)
    rules = situation.context.rules_of(anybody)
    whole = campaign_wait(rules, now)
    if whole is not None and whole.reason in SPARED_BY_OWN_NUMBER and any(c["agent_number"] for c in sample):
        # They have queues of their own, and the sample looks into each queue of the priorities that it takes.
        whole = None
    groups = [Waiting([whole], counts.pending)] if whole is not None and counts.pending > 0 else []
    if not groups:
        groups = _waiting(situation, sample, counts)
    budget = complete(
        BudgetDocument, await store["budgets"].find_one({"_id": organization_budget(organization_id)}) or {}
    )
    return Diagnosis(
        campaign_id=None if is_default_campaign(campaign_id) else campaign_id,
        at=now,
        counts=counts,
        findings=findings(groups),
        settings=[*warnings_on(rules, counts.ended, now), *_limits_above(situation, campaign_id, rules)],
        limits=_limits(situation, campaign_id),
        account_names={account.id: account.name for account in rules.accounts.known.values()},
        rests={key: rest for key, rest in rules.rests.items() if not rest.is_forgotten(now)},
        calls_per_second=await rate_of_living(store),
        minute=counts.last_minute(now),
        rates={**situation.rates(campaign_id), **_rates_of_numbers(rules)},
        refusals=[_refusal(refusal) for refusal in budget["refusals"]],
    )


def _waiting(situation: Situation, sample: Sequence[Document], counts: CampaignCounts) -> list[Waiting]:
    """Why those looked at wait; retries and callbacks apart from all others, for how many of each wait is counted."""
    counted = {Tier.RETRY: counts.retrying, Tier.REQUESTED: counts.called_back}
    waits: dict[Tier | None, list[Wait]] = {None: [], **{tier: [] for tier in counted}}
    for contact in sample:
        wait, tier = situation.waits(contact), tier_in(contact["tier"])
        if wait is not None:
            waits[tier if tier in counted else None].append(wait)
    others = max(0, counts.pending - sum(counted.values()))
    return [*(Waiting(waits[tier], count) for tier, count in counted.items()), Waiting(waits[None], others)]


def _refusal(stored: Mapping[str, Any]) -> PastRefusal:
    return PastRefusal(stored["at"], what=stored["key"], code=stored["code"], said=stored["message"])


def _limits_above(situation: Situation, campaign_id: str, rules: Rules) -> list[LimitAbove]:
    campaign, rates = situation.campaign_use(campaign_id), situation.rates(campaign_id)
    own = CallLimits(campaign.limit if campaign else None, rates.get("campaign"))
    return limits_above(own, CallLimits(situation.organization_use.limit, rates.get("organization")), rules)


def _limits(situation: Situation, campaign_id: str) -> list[NamedLimit]:
    limits = [NamedLimit("global", situation.everybody), NamedLimit("organization", situation.organization_use)]
    campaign = situation.campaign_use(campaign_id)
    if campaign is not None:
        limits.append(NamedLimit("campaign", campaign))
    run = situation.run_use(campaign_id)
    if run is not None:
        limits.append(NamedLimit("max_calls", run))
    return limits + _limits_of_numbers(situation)


def _rates_of_numbers(rules: Rules) -> dict[str, float]:
    """The limits of calls a second of the numbers that a campaign calls from; the slowest first."""
    plan = number_plan(CallFields(), rules)
    numbers = in_use(plan) if plan is not None else []
    rates = {number: rate for number in numbers if (rate := rules.numbers.calls_per_second(number)) is not None}
    slowest = sorted(rates.items(), key=lambda one: (one[1], one[0]))[:MAX_NUMBERS]
    return {f"caller_number:{number}": rate for number, rate in slowest}


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
