"""What is remembered of one campaign, and of one organization with its campaigns."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.caller_numbers import CallerNumber, NumberUse
from shared.domain.contact import WaitingContact
from shared.domain.organization_hours import NO_ORGANIZATION_HOURS, OrganizationHours
from shared.domain.refusal import Rest
from shared.domain.telephony_accounts import NO_ACCOUNTS, TelephonyAccounts
from shared.store.dialing.shard_catalog import CampaignEntry


@dataclass(slots=True)
class CampaignMemory:
    """One campaign's queue of due contacts, and whether more of them may be in the store.

    `crowded`: the last time so many were due that the tiers have to be asked for one by one. `own_numbers_only`: only
    contacts with a caller number of their own can be called now.
    """

    entry: CampaignEntry
    waiting: deque[WaitingContact] = field(default_factory=deque)
    complete: bool = False
    crowded: bool = False
    own_numbers_only: bool = False
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

    def room(self, held: int) -> int:
        """Slots below its limit when it holds `held`."""
        return max(0, self.limit - held)
