"""The diagnosis of a campaign: reasons to wait, limits, rests, refusals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.counts import CampaignCounts, Minute
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
    """A limit on calls at once, of a caller number on calls a day (UTC), or of a run on its calls, and its use."""

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

    `rests` are by what rests, `account_names` those of the organization's telephony accounts by id; `refusals` are the
    organization's last ones, oldest first. `calls_per_second` is how fast the living executors may place calls, those
    of all organizations together; `rates` are the limits that organization and campaign have set, and those of the
    campaign's caller numbers. `minute` are the campaign's own calls of the last minute.
    """

    campaign_id: str | None
    at: datetime
    counts: CampaignCounts
    findings: Sequence[Finding]
    settings: Sequence[SettingWarning]
    limits: Sequence[NamedLimit]
    calls_per_second: float
    minute: Minute
    rates: Mapping[str, float] = field(default_factory=dict)
    rests: Mapping[str, Rest] = field(default_factory=dict)
    account_names: Mapping[str, str] = field(default_factory=dict)
    refusals: Sequence[PastRefusal] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The reasons of those looked at, of a kind of contacts of which `pending` wait; one for all may stand for all."""

    waits: Sequence[Wait]
    pending: int

    @property
    def is_estimate(self) -> bool:
        """Whether more wait than these tell of."""
        one_for_all = len(self.waits) == 1 and self.waits[0].whole_campaign
        return len(self.waits) < self.pending and not one_for_all


def findings(groups: Sequence[Waiting]) -> list[Finding]:
    """The reasons to wait, each group's scaled to all that wait of its kind; the one that most wait for first."""
    found: dict[WaitReason, Finding] = {}
    for group in groups:
        for reason, n in Counter(wait.reason for wait in group.waits).items():
            until = [wait.until for wait in group.waits if wait.reason is reason and wait.until is not None]
            count = max(1, round(n * group.pending / len(group.waits))) if group.pending else n
            finding = Finding(reason, count, group.is_estimate, min(until, default=None))
            found[reason] = _both(found[reason], finding) if reason in found else finding
    return sorted(found.values(), key=lambda finding: -finding.contacts)


def _both(one: Finding, other: Finding) -> Finding:
    until = [at for at in (one.until, other.until) if at is not None]
    estimated = one.estimated or other.estimated
    return Finding(one.reason, one.contacts + other.contacts, estimated, min(until, default=None))
