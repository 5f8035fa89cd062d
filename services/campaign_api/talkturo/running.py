"""Running a campaign: the first calls are awaited, the others follow as lines become free."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.campaign_api.http.credentials import Caller
from services.campaign_api.talkturo.changing import moved
from services.campaign_api.talkturo.lifecycle import ALLOWED_FROM
from services.campaign_api.talkturo.reading import newest_calls, shown_calls
from shared.clock import monotonic, utc_now
from shared.domain.campaign import CampaignMove
from shared.domain.contact import ContactStatus
from shared.domain.counts import CampaignCounts
from shared.domain.dialing_values import Wait
from shared.domain.preview import Preview
from shared.domain.reasons import EndReason, WaitReason
from shared.engine import campaigns, contacts
from shared.engine.calls import CallFilter, called_contacts
from shared.engine.campaigns import Campaign
from shared.engine.contacts import StandingAs
from shared.engine.engine import Engine
from shared.engine.organizations import get_organization
from shared.engine.people import external_ids_of
from shared.engine.preview import MOST_CALLS, NewRun, preview
from shared.errors import Kind, WrongState
from shared.rendering.talkturo.ids import Prefix, run_id, shown_id
from shared.rendering.talkturo.objects import planned_call
from shared.rendering.talkturo.reading import names_of_calls, persons_of
from shared.rendering.talkturo.times import said
from shared.rendering.talkturo.words import STATUS_OF

MOST_LISTED: Final = 1000
MOST_NOT_NOW: Final = 100
_LONGEST_WAIT_SECONDS: Final = 5.0
_BETWEEN_LOOKS_SECONDS: Final = 0.1
# The clock that a call's beginning is told by may be another machine's.
_CLOCKS_APART: Final = timedelta(minutes=1)
_NEVER_CALLED: Final = (EndReason.NO_PHONE, EndReason.DO_NOT_CALL, EndReason.INVALID_NUMBER)
_CANNOT_BE_CALLED: Final = (
    StandingAs(ContactStatus.SKIPPED, because=_NEVER_CALLED),
    StandingAs(ContactStatus.EXHAUSTED, because=(EndReason.INVALID_NUMBER,)),
)
_SENTENCES: Final = {
    EndReason.NO_PHONE: "has no phone number",
    EndReason.DO_NOT_CALL: "is marked do-not-call",
    EndReason.INVALID_NUMBER: "has an invalid phone number",
}
_OUTSIDE_WINDOW: Final = frozenset(
    {
        WaitReason.OUTSIDE_HOURS,
        WaitReason.CLOSED_DAY,
        WaitReason.LEGAL_HOURS,
        WaitReason.NO_WINDOWS,
        WaitReason.NEVER_OPEN,
    }
)
_LATER: Final = frozenset({WaitReason.RETRY, WaitReason.SCHEDULED, WaitReason.CALLBACK, WaitReason.GIVEN_BACK})
# What ends at any moment.
_LINES: Final = frozenset(
    {
        WaitReason.IN_LINE,
        WaitReason.NUMBER_BUSY,
        WaitReason.CALLER_NUMBER_LIMIT,
        WaitReason.CAMPAIGN_LIMIT,
        WaitReason.ORGANIZATION_LIMIT,
        WaitReason.GLOBAL_LIMIT,
        WaitReason.CALLS_PER_SECOND,
        WaitReason.NO_EXECUTOR,
        WaitReason.MAX_CALLS,
    }
)


@dataclass(frozen=True, slots=True)
class _Unreachable:
    """The contacts that cannot be called at all: how many, and a sentence for each of the first."""

    count: int
    sentences: Sequence[str]


async def run(
    engine: Engine, caller: Caller, campaign: Campaign, max_calls: int | None, now: datetime
) -> dict[str, Any]:
    """Begin a run, and wait for as many calls as it can start at once, at most 5 s. Raises `WrongState`."""
    organization_id = caller.organization_id
    _require_runnable(campaign, now)
    foreseen = await preview(engine, organization_id, campaign.id, _at_most(max_calls), now, NewRun(max_calls))
    # Looked at before the start: a call that has ended by now for its number was started all the same.
    before = (await campaigns.counts_by_id(engine, [campaign.id]))[campaign.id]
    unreachable = await _unreachable(engine, campaign, before, now)
    moved = await campaigns.move_campaign(
        engine,
        organization_id,
        campaign.id,
        CampaignMove.START,
        now,
        {"max_calls": max_calls},
        caller.actor,
        ALLOWED_FROM[CampaignMove.START],
    )
    which = CallFilter(campaign_id=moved.id, generation=moved.course.generation, since=now - _CLOCKS_APART)
    await _started(engine, caller, which, len(foreseen.calls))
    listed = await newest_calls(engine, caller, which, limit=MOST_LISTED)
    counts = (await campaigns.counts_by_id(engine, [campaign.id]))[campaign.id]
    after = await campaigns.get_campaign(engine, organization_id, campaign.id)
    next_call = await _next_call(engine, organization_id, campaign.id, counts)
    # A call that ends while calls are counted may count twice in their number, and is listed once.
    started = len(listed.rows) if len(listed.rows) < MOST_LISTED else listed.total
    return {
        **_answer(after, started, unreachable, utc_now()),
        "calls": await shown_calls(engine, caller, listed),
        "message": f"Started {started} {_calls(started)}{_what_next(counts, next_call)}",
        "dryRun": False,
        "run_id": run_id(moved.id, moved.course.generation),
        "waiting": counts.pending,
        "next_call_at": said(next_call),
    }


async def dry_run(
    engine: Engine, caller: Caller, campaign: Campaign, max_calls: int | None, now: datetime
) -> dict[str, Any]:
    """What a run would start now; nothing is written. Raises `WrongState` as the run itself."""
    organization_id = caller.organization_id
    _require_runnable(campaign, now)
    seen = await preview(engine, organization_id, campaign.id, _at_most(max_calls), now, NewRun(max_calls))
    counts = (await campaigns.counts_by_id(engine, [campaign.id]))[campaign.id]
    contact_ids = {call.contact.id for call in seen.calls} | {rest.contact.id for rest in seen.others}
    called = await called_contacts(engine, organization_id, contact_ids)
    persons = persons_of(called)
    agents = {call.agent_id for call in seen.calls if call.agent_id is not None}
    organization = await get_organization(engine, organization_id)
    names = await names_of_calls(engine, organization, [campaign.id], agents, set(persons.values()))
    planned = [planned_call(call, campaign.id, called.get(call.contact.id), names) for call in seen.calls]
    full = max_calls is not None and len(planned) >= max_calls
    not_now = [
        {
            "contact_id": names.contact(persons.get(one.contact.id))
            or shown_id(Prefix.CAMPAIGN_CONTACT, one.contact.id),
            "reason": why_not_now(one.instead, full=full),
            "next_call_at": said(one.instead.until),
        }
        for one in seen.others
        if isinstance(one.instead, Wait)
    ]
    return {
        **_answer(campaign, len(planned), await _unreachable(engine, campaign, counts, now), now),
        "calls": planned,
        "message": f"Dry run: {len(planned)} {_calls(len(planned))} would start",
        "dryRun": True,
        "run_id": None,
        "waiting": counts.pending,
        "next_call_at": said(None if planned else earliest(seen, now)),
        "not_now": not_now[:MOST_NOT_NOW],
    }


async def stop(engine: Engine, caller: Caller, campaign: Campaign, now: datetime, *, dry: bool) -> dict[str, Any]:
    """Pause the campaign, which a dry one does not, though it is refused like the other. Raises `WrongState`."""
    state, pause = campaign.shown(now).state, CampaignMove.PAUSE
    if state not in ALLOWED_FROM[pause]:
        raise WrongState(Kind.CAMPAIGN, campaign.id, state, pause)
    if not dry:
        campaign = await moved(engine, caller, campaign, pause, now)
    return {
        **_answer(campaign, 0, _Unreachable(0, ()), now),
        "calls": [],
        "message": "Dry run: the campaign would be paused" if dry else "Campaign paused",
        "dryRun": dry,
        "run_id": None,
        "waiting": 0,
        "next_call_at": None,
    }


def why_not_now(wait: Wait, *, full: bool) -> str:
    """Why a contact would not be called now; `full`: the run's calls would all be made."""
    if wait.reason in _OUTSIDE_WINDOW:
        return "outside_window"
    if wait.reason in _LATER:
        return "retry_later"
    return "max_calls" if full else "no_free_line"


def earliest(seen: Preview, now: datetime) -> datetime | None:
    """The earliest opening or due time of the contacts that wait; None: now, or never as things stand."""
    waits = [one.instead for one in seen.others if isinstance(one.instead, Wait)]
    if any(wait.reason in _LINES or (wait.until is not None and wait.until <= now) for wait in waits):
        return None
    return min((wait.until for wait in waits if wait.until is not None), default=None)


def _require_runnable(campaign: Campaign, now: datetime) -> None:
    state = campaign.shown(now).state
    if state not in ALLOWED_FROM[CampaignMove.START]:
        raise WrongState(Kind.CAMPAIGN, campaign.id, state, CampaignMove.START)


def _at_most(max_calls: int | None) -> int:
    return min(MOST_CALLS, MOST_CALLS if max_calls is None else max_calls)


async def _started(engine: Engine, caller: Caller, which: CallFilter, expected: int) -> None:
    """Wait until as many of the run's calls have begun as were foreseen, at most 5 s."""
    until = monotonic() + _LONGEST_WAIT_SECONDS
    while expected and monotonic() < until:
        seen = (await newest_calls(engine, caller, which, limit=1)).total
        if seen >= expected and len((await newest_calls(engine, caller, which, limit=expected)).rows) == expected:
            return
        await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)


async def _unreachable(engine: Engine, campaign: Campaign, counts: CampaignCounts, now: datetime) -> _Unreachable:
    count = sum(counts.ended.get(reason.value, 0) for reason in _NEVER_CALLED)
    if not count:
        return _Unreachable(0, ())
    found = await contacts.contacts_standing(
        engine,
        campaign.organization_id,
        campaign.id,
        _CANNOT_BE_CALLED,
        offset=0,
        limit=min(count, MOST_LISTED),
        now=now,
    )
    persons = {contact.person_id for contact in found if contact.person_id is not None}
    external = await external_ids_of(engine, campaign.organization_id, persons)
    sentences = []
    for contact in found:
        person = contact.person_id
        name = (
            shown_id(Prefix.CAMPAIGN_CONTACT, contact.id)
            if person is None
            else shown_id(Prefix.CONTACT, person, external.get(person))
        )
        sentences.append(f"Contact {name} {_SENTENCES[contact.ended_because or EndReason.INVALID_NUMBER]}")
    more = count - len(sentences)
    return _Unreachable(count, [*sentences, f"and {more} more"] if more > 0 else sentences)


async def _next_call(engine: Engine, organization_id: str, campaign_id: str, counts: CampaignCounts) -> datetime | None:
    if not counts.pending:
        return None
    now = utc_now()
    seen = await preview(engine, organization_id, campaign_id, 1, now)
    return None if seen.calls else earliest(seen, now)


def _answer(campaign: Campaign, started: int, unreachable: _Unreachable, now: datetime) -> dict[str, Any]:
    return {
        "success": True,
        "started": started,
        "failed": unreachable.count,
        "errors": list(unreachable.sentences),
        "status": STATUS_OF[campaign.shown(now).state].value,
    }


def _calls(count: int) -> str:
    return "call" if count == 1 else "calls"


def _what_next(counts: CampaignCounts, next_call: datetime | None) -> str:
    if not counts.pending:
        return ""
    who = "1 contact waits" if counts.pending == 1 else f"{counts.pending} contacts wait"
    return f"; {who}, the next call can be made at {said(next_call)}" if next_call is not None else f"; {who}"
