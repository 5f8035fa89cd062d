"""The values of a dialing decision: the contact, everything beside it, and the three answers."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.caller_numbers import NO_NUMBERS, CallerNumbers, NumberPlan
from shared.domain.calling_window import Schedule
from shared.domain.campaign import Course
from shared.domain.caps import NEVER_CALLED, NO_CAPS, Called, NumberCaps
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus, Tier
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.refusal import Rest
from shared.domain.telephony_accounts import NO_ACCOUNTS, TelephonyAccounts
from shared.domain.voicemail import Voicemail


@dataclass(frozen=True, slots=True)
class CallFields:
    """The fields that contact, campaign and configuration may each set: the agent, and the number called from.

    `account_id`, the telephony account, is a campaign's alone.
    """

    agent_id: str | None = None
    agent_version: str | None = None
    agent_number: str | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """A campaign as dialing sees it. `configuration` is None when the stored one breaks our rules.

    `numbers` are those it may call from; None: it has named neither numbers nor a pool.
    """

    course: Course
    configuration: Configuration | None
    fields: CallFields = CallFields()
    numbers: NumberPlan | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything beside the contact itself that a verdict needs.

    `campaign` is None when the campaign is gone; `of_no_campaign` contacts have none, are never paused, and are called
    by the `ad_hoc_schedule`, or without it at any hour. `number_caps` are the organization's, and `called` the attempts
    at phones that they count, by compared form. `live` are numbers (in compared form) that are on a call; `rests` what
    the carrier has refused, by key; `full` the limit that has no slot free; `probing` the keys of rests that this very
    call asks about again; `numbers` the organization's caller numbers, `accounts` its telephony accounts.
    """

    campaign: CampaignRules | None = None
    of_no_campaign: bool = False
    default_caller_number: str | None = None
    rests: Mapping[str, Rest] = field(default_factory=dict)
    number_caps: NumberCaps = NO_CAPS
    called: Mapping[str, Called] = field(default_factory=dict)
    live: Set[str] = frozenset()
    full: WaitReason | None = None
    probing: Set[str] = frozenset()
    ad_hoc_schedule: Schedule | None = None
    numbers: CallerNumbers = NO_NUMBERS
    accounts: TelephonyAccounts = NO_ACCOUNTS

    def resting(self, key: str, now: datetime) -> Rest | None:
        """The rest that holds for a key at `now`; one that this very call asks about is not held against it."""
        rest = self.rests.get(key)
        return rest if rest is not None and rest.until > now and key not in self.probing else None


@dataclass(frozen=True, slots=True)
class DialedContact:
    """A contact that waits, as dialing sees it; instants are UTC.

    From `expires_at` on it is not called any more. `listed` and `invalid` are those of its numbers, in compared form,
    that are on the do-not-call list, and that the carrier has called invalid. `put_off` is why `due_at` is later than
    the contact's own time. `for_good` is set when one of its calls, not the last, turned out to have been answered or
    to have ended in an opt-out; an answer ends no callback that was asked for all the same. `called` are its attempts
    of today, where they are capped.
    """

    phone_numbers: tuple[str, ...]
    due_at: datetime
    tier: Tier = Tier.FRESH
    timezone: str | None = None
    scheduled_at: datetime | None = None
    attempts_made: int = 0
    fields: CallFields = CallFields()
    has_agent_config: bool = False
    listed: Set[str] = frozenset()
    invalid: Set[str] = frozenset()
    put_off: WaitReason | None = None
    for_good: EndReason | None = None
    expires_at: datetime | None = None
    called: Called = NEVER_CALLED
    id: str = ""


@dataclass(frozen=True, slots=True)
class CallChoice:
    """How a call would be made. `caller_number` None: there is no number to call from.

    `agent_id` None with `has_agent` False: nobody would speak. `ring_seconds`, `max_call_seconds` and `voicemail`
    None: as the operator has set them. `account_id` is the telephony account; None: the operator's.
    """

    number: str
    caller_number: str | None
    agent_id: str | None
    agent_version: str | None
    has_agent: bool
    ring_seconds: int | None = None
    max_call_seconds: int | None = None
    voicemail: Voicemail | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """The contact may be called, this way; `probing` are keys of rests that the call asks about again."""

    choice: CallChoice
    probing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """The contact waits. `until` is UTC; None when no time ends it as things stand.

    `whole_campaign`: the reason holds for every contact of the campaign that has no caller number of its own.
    `by_number`: the hours are those of the contact's number, and no other contact of its timezone need wait for them.
    """

    reason: WaitReason
    until: datetime | None = None
    whole_campaign: bool = False
    by_number: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """The contact is never called as things stand: it ends in this status, for this reason."""

    status: ContactStatus
    because: EndReason


Verdict = Call | Wait | End
