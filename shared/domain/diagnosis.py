"""The diagnosis of a campaign: reasons to wait, limits, rests, refusals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.counts import CampaignCounts
from shared.domain.dialing_values import Wait
from shared.domain.reasons import WaitReason
from shared.domain.refusal import Rest
from shared.domain.setting_faults import SettingWarning


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason for which contacts wait: how many, whether that is an estimate, and when the first stops waiting."""

    reason: WaitReason
    contacts: int
    estimated: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class LimitUse:
    """The use of a limit: how many of its slots are held."""

    held: int
    limit: int

    @property
    def is_full(self) -> bool:
        """Whether no slot is free."""
        return self.held >= self.limit


@dataclass(frozen=True, slots=True)
class NamedLimit:
    """A limit on calls at once, or of a caller number on calls a day (UTC), and how much of it is used."""

    name: str
    use: LimitUse


@dataclass(frozen=True, slots=True)
class PastRefusal:
    """A carrier's refusal that spoke of us: when, of what, the carrier's code and words."""

    at: datetime
    what: str
    code: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The obstacles to a campaign's calls at one moment; `campaign_id` None for contacts of no campaign.

    `rests` are by what rests; `refusals` are the organization's last ones, oldest first. `calls_per_second` is how fast
    the living executors may place calls, those of all organizations together; `rates` are the limits that organization
    and campaign have set.
    """

    campaign_id: str | None
    at: datetime
    counts: CampaignCounts
    findings: Sequence[Finding]
    settings: Sequence[SettingWarning]
    limits: Sequence[NamedLimit]
    calls_per_second: float
    rates: Mapping[str, float] = field(default_factory=dict)
    rests: Mapping[str, Rest] = field(default_factory=dict)
    refusals: Sequence[PastRefusal] = ()


def findings(waits: Sequence[Wait], pending: int) -> list[Finding]:
    """The reasons among these waits, scaled to all contacts that wait; the one that most wait for first."""
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
