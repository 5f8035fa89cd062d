"""When may a phone be called next under a configuration? Asked of the phone alone, without a contact or a campaign.

What a campaign brings along (its state, caller number and agent) is taken as given: the answer is about hours, the
do-not-call list and the caps on each phone. The rule is `verdict`'s own, shared/domain/dialing.py.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.campaign import Course, Intent
from shared.domain.caps import NEVER_CALLED, NO_CAPS, Called, NumberCaps
from shared.domain.configuration import Configuration
from shared.domain.dialing import next_call, schedule_of, verdict
from shared.domain.dialing_values import Call, CallFields, CampaignRules, DialedContact, End, Rules, Wait
from shared.domain.phone import compared

# Any number does: which one a call is made from is a campaign's matter.
_SOME_CALLER: Final = CallFields(agent_number="+14155550100")


@dataclass(frozen=True, slots=True)
class AskedPhone:
    """A phone (E.164), and what decides when it may be called under a configuration.

    `timezone` is that of its contact; None: the contact has none. `configuration` None: the stored one breaks our
    rules. `listed`: it is on the do-not-call list. `live`: it is on a call of ours. `called` are the attempts that
    `caps` count.
    """

    number: str
    timezone: str | None
    configuration: Configuration | None
    listed: bool = False
    live: bool = False
    caps: NumberCaps = NO_CAPS
    called: Called = NEVER_CALLED


@dataclass(frozen=True, slots=True)
class NextCall:
    """The answer: the first instant (UTC) at which the phone may be called, and what is in the way now.

    `at` None: never, as things stand. `instead` None: nothing is in the way. `timezones` are those by whose clocks the
    hours were looked at, each once.
    """

    number: str
    at: datetime | None
    instead: Wait | End | None
    timezones: tuple[str, ...]


def next_call_to(phone: AskedPhone, now: datetime) -> NextCall:
    """When the phone may be called next, as things stand at `now`; the end of a call that is up is not foreseen."""
    form = compared(phone.number)
    contact = DialedContact(
        phone_numbers=(phone.number,),
        due_at=now,
        timezone=phone.timezone,
        fields=_SOME_CALLER,
        has_agent_config=True,
        listed=frozenset({form}) if phone.listed else frozenset(),
    )
    rules = Rules(
        campaign=CampaignRules(Course(Intent.RUNNING), phone.configuration),
        number_caps=phone.caps,
        called={form: phone.called},
        live=frozenset({form}) if phone.live else frozenset(),
    )
    schedule = schedule_of(contact, rules)
    parts = schedule.open_hours(phone.timezone, phone.number).parts if schedule is not None else None
    zones = tuple(dict.fromkeys(part.zone for part in parts or ()))
    answer = verdict(contact, rules, now)
    return NextCall(
        phone.number,
        next_call(contact, rules, now),
        None if isinstance(answer, Call) else answer,
        zones,
    )
