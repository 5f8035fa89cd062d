"""What is remembered of one campaign, and of one organization with its campaigns."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.scheduler.planner import CampaignQueue, OrganizationDemand
from services.scheduler.shards.number_rates import bound_to
from shared.domain.caller_numbers import CallerNumber, CallerNumbers, NumberUse
from shared.domain.contact import WaitingContact
from shared.domain.dialing import campaign_wait
from shared.domain.dialing_values import CampaignRules, Rules, Wait
from shared.domain.ids import is_default_campaign
from shared.domain.organization_hours import NO_ORGANIZATION_HOURS, OrganizationHours
from shared.domain.refusal import Rest
from shared.domain.telephony_accounts import NO_ACCOUNTS, TelephonyAccounts
from shared.store.dialing.shard_catalog import CampaignEntry


@dataclass(slots=True)
class CampaignMemory:
    """One campaign's queue of due contacts, and whether more of them may be in the store.

    `crowded`: the last time so many were due that the tiers have to be asked for one by one.
    """

    entry: CampaignEntry
    waiting: deque[WaitingContact] = field(default_factory=deque)
    complete: bool = False
    crowded: bool = False
    fetched_at: datetime | None = None

    def invalidate(self) -> None:
        """Forget what was fetched."""
        self.waiting.clear()
        self.complete, self.fetched_at = False, None


@dataclass(slots=True)
class OrganizationMemory:
    """One organization's limit and held slots, what rests in it, and which of its campaigns are awake.

    `resting` are campaigns that sleep because of a rest, or because their caller numbers are `spent`.
    """

    organization_id: str
    limit: int
    held: int
    default_caller_number: str | None = None
    rests: Mapping[str, Rest] = field(default_factory=dict)
    hours: OrganizationHours = NO_ORGANIZATION_HOURS
    calls_per_second: float | None = None
    registered: Mapping[str, CallerNumber] = field(default_factory=dict)
    accounts: TelephonyAccounts = NO_ACCOUNTS
    spent: Mapping[str, NumberUse] = field(default_factory=dict)
    number_rates: Mapping[str, float] = field(default_factory=dict)
    fact_types: Collection[str] = ()
    last_served: float = 0.0
    awake: dict[str, CampaignMemory] = field(default_factory=dict)
    resting: set[str] = field(default_factory=set)

    def rules(self, entry: CampaignEntry) -> Rules:
        """The rules by which the contacts of one of its campaigns are called."""
        of_no_campaign = is_default_campaign(entry.campaign_id)
        return Rules(
            campaign=None
            if of_no_campaign
            else CampaignRules(entry.course, entry.configuration, entry.fields, entry.numbers),
            of_no_campaign=of_no_campaign,
            default_caller_number=self.default_caller_number,
            rests=self.rests,
            numbers=CallerNumbers(self.registered, uses=self.spent),
            accounts=self.accounts,
        )

    def wait_of(self, entry: CampaignEntry, now: datetime) -> Wait | None:
        """The reason why no contact without own caller number of a campaign can be called now, whatever the hour."""
        return campaign_wait(self.rules(entry), now)

    def demand(self, held: int) -> OrganizationDemand:
        """What it could use when it holds `held` slots, as far as its campaigns' queues have been filled."""
        queues = [
            CampaignQueue(
                memory.entry.campaign_id,
                memory.entry.priority,
                memory.waiting,
                memory.entry.calls_per_second,
                bound_to(self.rules(memory.entry), self.number_rates) if self.number_rates else (),
            )
            for memory in self.awake.values()
            if memory.waiting
        ]
        return OrganizationDemand(
            self.organization_id,
            self.limit,
            held,
            self.last_served,
            queues,
            self.calls_per_second,
            self.number_rates,
        )

    def room(self, held: int) -> int:
        """Slots below its limit when it holds `held`."""
        return max(0, self.limit - held)
