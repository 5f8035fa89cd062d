"""Why is nobody being called, or so slowly? A campaign's reasons, its limits with their use, and what rests.

The campaign's own reasons hold for all who wait, exactly. Reasons of single contacts come from a sample, so their
numbers are estimates once more wait than were looked at.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from shared.domain.contact import ContactStatus, Tier
from shared.domain.dialing import Wait, campaign_wait
from shared.domain.reasons import SPARED_BY_OWN_NUMBER, WaitReason
from shared.domain.refusal import Rest
from shared.domain.setting_faults import SettingWarning, warnings_on
from shared.store.client import Document, Store, translates
from shared.store.dialing_catalog import Sources, read_sources
from shared.store.ledger import organization_budget
from shared.store.situation import LimitUse, Situation
from shared.store.statistics import CampaignCounts, campaign_counts

# Waiting contacts that are looked at, and how many (tier, timezone) parts of the queue they are taken from.
SAMPLE: Final = 1000
MAX_PARTS: Final = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason for which contacts wait: how many, whether that is an estimate, and when the first stops waiting."""

    reason: WaitReason
    contacts: int
    estimated: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class NamedLimit:
    """A limit on calls at once, and how much of it is used."""

    name: str
    use: LimitUse


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What stands in the way of a campaign's calls at one moment. `refusals` are the organization's last ones."""

    counts: CampaignCounts
    findings: Sequence[Finding]
    settings: Sequence[SettingWarning]
    limits: Sequence[NamedLimit]
    rests: Mapping[str, Rest] = field(default_factory=dict)
    refusals: Sequence[Mapping[str, Any]] = ()


@translates
async def diagnose(store: Store, organization_id: str, campaign_id: str, now: datetime) -> Diagnosis:
    """The diagnosis of a campaign (stored form), at the same cost for every size of campaign."""
    counts = await campaign_counts(store, campaign_id)
    sources = (await read_sources(store, [campaign_id])).get(campaign_id, Sources())
    sample = await _sample(store, campaign_id, sources) if counts.pending > 0 else []
    # So that the campaign's own documents are read also when nobody waits in it.
    anybody = {"organization_id": organization_id, "campaign_id": campaign_id, "phone_numbers": [], "status": ""}
    situation = await Situation.read(store, organization_id, [*sample, anybody], now)
    rules = situation.surroundings.rules_of(anybody)
    whole = campaign_wait(rules, now)
    if whole is not None and sources.own_numbers and whole.reason in SPARED_BY_OWN_NUMBER:
        whole = None
    waits = [whole] if whole is not None and counts.pending > 0 else []
    if not waits:
        waits = [wait for contact in sample if (wait := situation.standing(contact).waits) is not None]
    budget = await store["budgets"].find_one({"_id": organization_budget(organization_id)}) or {}
    return Diagnosis(
        counts=counts,
        findings=findings(waits, counts.pending),
        settings=warnings_on(rules, counts.ended),
        limits=_limits(situation, campaign_id),
        rests=rules.rests,
        refusals=budget.get("refusals", []),
    )


def findings(waits: Sequence[Wait], pending: int) -> list[Finding]:
    """The reasons among these waits, scaled to all who wait; the one that most wait for first."""
    if not waits:
        return []
    count = Counter(wait.reason for wait in waits)
    until: dict[WaitReason, datetime | None] = {}
    for wait in waits:
        before = until.get(wait.reason)
        until[wait.reason] = wait.until if before is None or wait.until is None else min(before, wait.until)
    one_for_all = len(waits) == 1 and waits[0].whole_campaign
    estimated = len(waits) < pending and not one_for_all
    return [
        Finding(reason, max(1, round(n * pending / len(waits))) if pending else n, estimated, until[reason])
        for reason, n in count.most_common()
    ]


async def _sample(store: Store, campaign_id: str, sources: Sources) -> list[Document]:
    """Some of those who wait: those due the longest of each tier and timezone, from many of these."""
    zones = sorted(sources.zones, key=lambda zone: zone or "")
    parts = [(tier, zone) for tier in Tier for zone in zones][:MAX_PARTS]
    left_out = {"data": 0, "initial_context": 0, "agent_config": 0}
    sample: list[Document] = []
    for place, (tier, zone) in enumerate(parts):
        query = {
            "campaign_id": campaign_id,
            "tier": int(tier),
            "timezone": zone,
            "status": ContactStatus.PENDING,
        }
        share = (SAMPLE - len(sample)) // (len(parts) - place)
        found = store["contacts"].find(query, left_out, hint="ready").sort([("due_at", 1), ("seq", 1)])
        sample += await found.limit(max(1, share)).to_list()
    return sample


def _limits(situation: Situation, campaign_id: str) -> list[NamedLimit]:
    limits = [NamedLimit("global", situation.everybody), NamedLimit("organization", situation.organization_use)]
    campaign = situation.campaign_use(campaign_id)
    return [*limits, NamedLimit("campaign", campaign)] if campaign is not None else limits
