"""Campaigns: create, list, read, change, start, pause, close, delete."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from services.campaign_api.http.bodies import optional_json_body
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.requests import MAX_IDENTIFIER, as_stored
from services.campaign_api.native import translate
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.campaign_words import CampaignStatus, states_of
from services.campaign_api.native.contact_drafts import Draft, draft_body
from services.campaign_api.native.filters import WithDeleted
from services.campaign_api.native.once import Once, OnceRoute
from services.campaign_api.native.paths import CampaignRef
from services.campaign_api.native.schemas.campaigns import (
    MAX_INLINED_CONTACTS,
    CampaignAndContacts,
    CampaignPage,
    CampaignView,
    CreateCampaign,
    EditCampaign,
    StartCampaign,
)
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove
from shared.domain.contact_input import PreparedContacts
from shared.domain.json_rules import check_text
from shared.engine import campaigns
from shared.engine.campaigns import Campaign
from shared.engine.contacts import number_rules
from shared.engine.engine import Engine
from shared.errors import NotFound

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"], route_class=OnceRoute)
NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})
NameFilter = Annotated[
    str, Query(max_length=255, description="Part of the name, in any case."), AfterValidator(check_text)
]
StatusFilter = Annotated[list[CampaignStatus], Query(description="Any of these; repeatable.")]
NewDraft = Annotated[
    Draft[CreateCampaign], draft_body(CreateCampaign, lambda body: body.contacts, MAX_INLINED_CONTACTS)
]
EditDraft = Annotated[
    Draft[EditCampaign], draft_body(EditCampaign, lambda body: body.contacts or [], MAX_INLINED_CONTACTS)
]


@router.post("", responses=body_problems(404, 409), response_model_exclude_unset=True)
async def create(engine: ThisEngine, caller: CampaignManager, draft: NewDraft, once: Once) -> CampaignAndContacts:
    """Create a campaign; it starts active, unless it is a draft or has a `start_at`."""
    body, contacts = await _checked(engine, caller, draft, None)
    new = translate.new_campaign(body)
    now = utc_now()
    changed = await campaigns.create_campaign(
        engine, caller.organization_id, new, contacts, now, caller.actor, work_id=once
    )
    return translate.changed_campaign(changed, now)


@router.get("", responses=problems(400))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    name: NameFilter = "",
    status: StatusFilter = [],  # noqa: B006 - FastAPI copies defaults
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    deleted: WithDeleted = False,
) -> CampaignPage:
    """List campaigns, newest first."""
    now = utc_now()
    page = await campaigns.list_campaigns(
        engine,
        caller.organization_id,
        name_contains=name,
        states=states_of(status),
        now=now,
        cursor=cursor,
        limit=limit,
        deleted=deleted,
    )
    return translate.campaign_page(page, now)


@router.get("/{campaign}", responses=problems(404))
async def get_one(
    engine: ThisEngine, caller: CampaignReader, campaign: CampaignRef, deleted: WithDeleted = False
) -> CampaignView:
    """Get one campaign."""
    found = await campaigns.get_campaign(engine, caller.organization_id, campaign, deleted=deleted)
    return translate.campaign_view(found, utc_now())


@router.patch("/{campaign}", responses=body_problems(400, 404, 409), response_model_exclude_unset=True)
async def edit(
    engine: ThisEngine, caller: CampaignManager, campaign: CampaignRef, draft: EditDraft
) -> CampaignAndContacts:
    """Change a campaign, when it starts by itself, and upsert contacts with it."""
    if draft.is_settled:
        raise draft.refuse()
    before = await campaigns.get_campaign(engine, caller.organization_id, campaign)
    body, contacts = await _checked(engine, caller, draft, before)
    now, changes, schedule = utc_now(), translate.campaign_changes(body), translate.schedule_change(body)
    changed = await campaigns.edit_campaign(
        engine, caller.organization_id, before.id, changes, contacts, now, schedule, caller.actor
    )
    return translate.changed_campaign(changed, now)


@router.post("/{campaign}/start", responses=body_problems(400, 404))
async def start(
    engine: ThisEngine,
    caller: CampaignManager,
    campaign: CampaignRef,
    body: Annotated[StartCampaign, optional_json_body(StartCampaign)],
) -> CampaignView:
    """Start or resume a campaign that is not closed; the body may say how many calls this run makes."""
    return await _moved(engine, caller, campaign, CampaignMove.START, body.model_dump(exclude_unset=True))


@router.post("/{campaign}/pause", responses=problems(400, 404))
async def pause(engine: ThisEngine, caller: CampaignManager, campaign: CampaignRef) -> CampaignView:
    """Pause an active campaign."""
    return await _moved(engine, caller, campaign, CampaignMove.PAUSE)


@router.post("/{campaign}/close", responses=problems(400, 404))
async def close(engine: ThisEngine, caller: CampaignManager, campaign: CampaignRef) -> CampaignView:
    """Close a campaign for good."""
    return await _moved(engine, caller, campaign, CampaignMove.CANCEL)


@router.delete("/{campaign}", responses=problems(400, 404))
async def delete(engine: ThisEngine, caller: CampaignManager, campaign: CampaignRef) -> Deleted:
    """Delete a draft or a closed campaign: it is hidden, its external_id is free, and its contacts and calls stay."""
    now = utc_now()
    deleted = await campaigns.move_campaign(
        engine, caller.organization_id, campaign, CampaignMove.DELETE, now, by=caller.actor
    )
    return Deleted(id=deleted.id)


async def _moved(
    engine: Engine, caller: Caller, reference: str, move: CampaignMove, changes: Mapping[str, Any] = NO_CHANGES
) -> CampaignView:
    now = utc_now()
    moved = await campaigns.move_campaign(engine, caller.organization_id, reference, move, now, changes, caller.actor)
    return translate.campaign_view(moved, now)


async def _checked(
    engine: Engine, caller: Caller, draft: Draft[Any], before: Campaign | None
) -> tuple[Any, PreparedContacts | None]:
    """The body and its contacts, the numbers read with the configuration that the campaign will have."""
    configuration_id = draft.fields.get("configuration_id") if draft.body is None else draft.body.configuration_id
    if not isinstance(configuration_id, str) and before is not None:
        configuration_id = before.configuration_id
    if not isinstance(configuration_id, str) or len(configuration_id) > MAX_IDENTIFIER:
        raise draft.refuse()
    try:
        rules = await number_rules(engine, caller.organization_id, as_stored(configuration_id))
    except NotFound:
        if draft.is_sound:
            raise
        raise draft.refuse() from None
    body, contacts = await draft.checked(rules)
    return body, contacts if "contacts" in body.model_fields_set else None
