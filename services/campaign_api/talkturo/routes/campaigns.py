"""Campaigns: create, list, read, change, delete, run, and their dashboard."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.talkturo import changing, running, translate
from services.campaign_api.talkturo.answers import WITH_BODY, Answer, refusals, success
from services.campaign_api.talkturo.auth import Manager, Reader, confirm_query, confirm_team
from services.campaign_api.talkturo.bodies import Given, body
from services.campaign_api.talkturo.finding import find_agent, find_campaign, find_company
from services.campaign_api.talkturo.queries import PAGED, TEAM, Ref, ThisQuery, documented, paging
from services.campaign_api.talkturo.reading import newest_calls, shown_calls
from services.campaign_api.talkturo.receivers import check_receiver
from services.campaign_api.talkturo.schemas.campaigns import CreateCampaign, EditCampaign, RunCampaign
from shared.clock import utc_now
from shared.domain.calls import CallFilter, CallStatus
from shared.domain.campaign import CampaignMove
from shared.domain.contact import ContactStatus
from shared.engine import campaigns, contacts
from shared.engine.campaigns import CampaignsOf
from shared.engine.contacts import StandingAs
from shared.engine.preview import preview
from shared.errors import NotFound
from shared.rendering.talkturo.reading import campaign_objects, contact_objects
from shared.rendering.talkturo.words import STATES, STATUS_OF, Status, contact_states, outcome_counts

router = APIRouter(prefix="/api/crm/campaigns", tags=["Campaigns"], route_class=BodyRoute)
_ON_BOARD: Final = 50
_CLAIMED: Final = (StandingAs(ContactStatus.LOCKED),)


@router.post("", responses=refusals(*WITH_BODY))
async def create(
    engine: ThisEngine, caller: Manager, given: Annotated[Given[CreateCampaign], body(CreateCampaign)]
) -> Answer:
    """Create a campaign: a draft, or scheduled with `scheduledStartAt`."""
    now, wanted = utc_now(), translate.wanted_of(given, utc_now())
    done = await changing.create(engine, caller, given, wanted, now)
    [shown] = await campaign_objects(engine, caller.organization_id, [done.campaign], now)
    return success(done.warnings, campaign=shown | _secret(done.secret))


@router.get(
    "",
    responses=refusals(),
    openapi_extra=documented(*TEAM, "status", "assistantId", "companyId", "deleted", *PAGED),
)
async def list_all(engine: ThisEngine, caller: Reader, query: ThisQuery) -> Answer:
    """List campaigns, newest first; `teamId` or `accountSlug` is required."""
    now, page = utc_now(), paging(query)
    query.require_one(*TEAM)
    statuses, deleted = query.words("status", Status), query.choice("deleted", ("exclude", "include", "only"))
    assistant, company = query.text("assistantId"), query.text("companyId")
    await confirm_query(engine, caller, query)
    try:
        agent_id = None if assistant is None else (await find_agent(engine, caller.organization_id, assistant)).id
        company_id = None if company is None else (await find_company(engine, caller.organization_id, company)).id
    except NotFound:
        return page.around("campaigns", [], 0)
    found = await campaigns.numbered_campaigns(
        engine,
        caller.organization_id,
        name_contains="",
        states=frozenset().union(*(STATES[status] for status in statuses)),
        now=now,
        offset=page.offset,
        limit=page.limit,
        deleted=deleted in {"include", "only"},
        only=CampaignsOf(agent_id, company_id, deleted == "only"),
    )
    return page.around(
        "campaigns", await campaign_objects(engine, caller.organization_id, found.rows, now), found.total
    )


@router.get("/{campaign}", responses=refusals(), openapi_extra=documented("deleted"))
async def get_one(engine: ThisEngine, caller: Reader, campaign: Ref, query: ThisQuery) -> Answer:
    """Get one campaign with its first 50 contacts; with `deleted=include` also a deleted one."""
    deleted = query.choice("deleted", ("exclude", "include", "only"))
    query.checked()
    now = utc_now()
    found = await find_campaign(engine, caller.organization_id, campaign, deleted=deleted == "include")
    first = await contacts.contacts_standing(
        engine, caller.organization_id, found.id, (), offset=0, limit=_ON_BOARD, now=now, deleted=True
    )
    [shown] = await campaign_objects(engine, caller.organization_id, [found], now)
    return success(campaign={**shown, "contacts": await contact_objects(engine, found, first, now)})


@router.patch("/{campaign}", responses=refusals(*WITH_BODY))
@router.put("/{campaign}", responses=refusals(*WITH_BODY))
async def edit(
    engine: ThisEngine,
    caller: Manager,
    campaign: Ref,
    given: Annotated[Given[EditCampaign], body(EditCampaign, changes=True)],
) -> Answer:
    """Change a campaign, or have it run, pause, end or start later: `{"status": …}`."""
    now, wanted = utc_now(), translate.wanted_of(given, utc_now())
    await check_receiver(engine, given)
    found = await find_campaign(engine, caller.organization_id, campaign)
    await confirm_team(engine, caller, given.value.team_id, given.value.account_slug)
    done = await changing.change(engine, caller, found, given, wanted, now)
    [shown] = await campaign_objects(engine, caller.organization_id, [done.campaign], utc_now())
    return success(done.warnings, campaign=shown | _secret(done.secret))


@router.delete("/{campaign}", responses=refusals(409))
async def delete(engine: ThisEngine, caller: Manager, campaign: Ref) -> Answer:
    """Delete a draft or a cancelled campaign; its contacts, calls and counters stay."""
    found = await find_campaign(engine, caller.organization_id, campaign)
    await campaigns.move_campaign(
        engine, caller.organization_id, found.id, CampaignMove.DELETE, utc_now(), by=caller.actor
    )
    return success(message="Campaign deleted")


@router.post("/{campaign}/run", responses=refusals(*WITH_BODY))
async def run(
    engine: ThisEngine,
    caller: Manager,
    campaign: Ref,
    given: Annotated[Given[RunCampaign], body(RunCampaign, required=False)],
) -> Answer:
    """Run a campaign, see what a run would do (`dryRun`), or stop it (`action`: `stop`)."""
    now, wish = utc_now(), given.value
    found = await find_campaign(engine, caller.organization_id, campaign)
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    if wish.action == "stop":
        stopped = await running.stop(engine, caller, found, now, dry=bool(wish.dry_run))
        return success(given.warnings, **stopped)
    how = running.dry_run if wish.dry_run else running.run
    return success(given.warnings, **await how(engine, caller, found, wish.max_calls, now))


@router.get("/{campaign}/dashboard", responses=refusals())
async def dashboard(engine: ThisEngine, caller: Reader, campaign: Ref) -> Answer:
    """Get a campaign's numbers, its queue and its newest calls."""
    now, organization_id = utc_now(), caller.organization_id
    found = await find_campaign(engine, organization_id, campaign)
    counts = (await campaigns.counts_by_id(engine, [found.id]))[found.id]
    of_this = CallFilter(campaign_id=found.id)
    on_call = await newest_calls(engine, caller, replace(of_this, status=CallStatus.IN_PROGRESS), limit=_ON_BOARD)
    called = [listed.call.contact_id for listed in on_call.rows]
    calling = await contacts.contacts_by_id(engine, organization_id, found.id, called, now)
    waiting = await contacts.contacts_standing(
        engine, organization_id, found.id, _CLAIMED, offset=0, limit=_ON_BOARD, now=now
    )
    if len(waiting) < _ON_BOARD:
        seen = await preview(engine, organization_id, found.id, _ON_BOARD, now)
        ids = [call.contact.id for call in seen.calls] + [rest.contact.id for rest in seen.others]
        free = _ON_BOARD - len(waiting)
        waiting += await contacts.contacts_by_id(engine, organization_id, found.id, ids[:free], now)
    newest = await newest_calls(engine, caller, of_this, limit=_ON_BOARD)
    is_running = STATUS_OF[found.shown(now).state] is Status.RUNNING
    standing = contact_states(counts, on_call.total, running=is_running)
    outcomes = outcome_counts(counts.outcomes, counts.opted_out)
    [shown] = await campaign_objects(engine, organization_id, [found], now)
    return success(
        stats={
            "total_calls": counts.attempts + on_call.total,
            "answered": outcomes["answered"],
            "failed": outcomes["invalid_number"] + outcomes["error"],
            "in_progress": on_call.total,
            "total": sum(standing.values()),
            **{("contacts_failed" if state == "failed" else state.value): count for state, count in standing.items()},
        },
        outcomes=outcomes,
        campaign=shown,
        queue=await contact_objects(engine, found, waiting, now),
        calling=await contact_objects(engine, found, calling, now),
        recent_calls=await shown_calls(engine, caller, newest),
    )


def _secret(secret: str | None) -> Answer:
    return {} if secret is None else {"webhook_secret": secret}
