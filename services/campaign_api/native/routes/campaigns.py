"""Campaigns: create, list, read, change, start, pause, close."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator

from services.campaign_api.gateway import Gateway, ThisGateway
from services.campaign_api.http.bodies import json_body
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import CampaignRef
from services.campaign_api.native.auth import Caller, CampaignManager, CampaignReader
from services.campaign_api.native.contact_drafts import Draft, draft_of
from services.campaign_api.native.contact_targets import ContactTarget, number_rules, store_contacts
from services.campaign_api.native.schemas.campaigns import (
    MAX_INLINED_CONTACTS,
    CampaignAndContacts,
    CampaignPage,
    CampaignView,
    CreateCampaign,
    EditCampaign,
)
from services.campaign_api.native.schemas.contacts import ContactsResult
from services.campaign_api.native.schemas.problems import body_problems, problems
from services.campaign_api.native.schemas.requests import MAX_IDENTIFIER, as_stored
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignStatus
from shared.domain.contact_input import PreparedContacts
from shared.domain.json_rules import check_text
from shared.domain.setting_faults import warnings_on
from shared.errors import NotFound, TemporaryError
from shared.events import CampaignChanged
from shared.store.catalog.campaigns import (
    Campaign,
    NewCampaign,
    create_campaign,
    edit_campaign,
    get_campaign,
    list_campaigns,
    move_campaign,
)
from shared.store.contacts.upload_remarks import read_rules
from shared.store.reports.counters import campaign_counts

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])
BODIES: Final = (CreateCampaign, EditCampaign)
NameFilter = Annotated[
    str, Query(max_length=255, description="Part of the name, in any case."), AfterValidator(check_text)
]
StatusFilter = Annotated[list[CampaignStatus], Query(description="Any of these; repeatable.")]
NewDraft = Annotated[
    Draft[CreateCampaign], Depends(draft_of(CreateCampaign, lambda body: body.contacts, MAX_INLINED_CONTACTS))
]
EditDraft = Annotated[
    Draft[EditCampaign], Depends(draft_of(EditCampaign, lambda body: body.contacts or [], MAX_INLINED_CONTACTS))
]


@router.post(
    "",
    responses=body_problems(404, 409),
    response_model_exclude_unset=True,
    openapi_extra=json_body(CreateCampaign),
)
async def create(gateway: ThisGateway, caller: CampaignManager, draft: NewDraft) -> CampaignAndContacts:
    """Create a campaign; it starts active."""
    body, prepared = await _checked(gateway, caller, draft, None)
    new = NewCampaign(**body.model_dump(exclude={"contacts"}))
    campaign = await create_campaign(gateway.store, caller.organization_id, new, utc_now())
    _tell(gateway, campaign)
    return await _with_contacts(gateway, campaign, prepared if "contacts" in body.model_fields_set else None)


@router.get("", responses=problems(400))
async def list_all(
    gateway: ThisGateway,
    caller: CampaignReader,
    name: NameFilter = "",
    status: StatusFilter = [],  # noqa: B006 - FastAPI copies defaults
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> CampaignPage:
    """List campaigns, newest first."""
    page = await list_campaigns(
        gateway.store, caller.organization_id, name_contains=name, statuses=status, cursor=cursor, limit=limit
    )
    return CampaignPage(campaigns=[CampaignView.of(campaign) for campaign in page.rows], next_cursor=page.next_cursor)


@router.get("/{campaign}", responses=problems(404))
async def get_one(gateway: ThisGateway, caller: CampaignReader, campaign: CampaignRef) -> CampaignView:
    """Get one campaign."""
    return CampaignView.of(await get_campaign(gateway.store, caller.organization_id, campaign))


@router.patch(
    "/{campaign}",
    responses=body_problems(400, 404, 409),
    response_model_exclude_unset=True,
    openapi_extra=json_body(EditCampaign),
)
async def edit(
    gateway: ThisGateway, caller: CampaignManager, campaign: CampaignRef, draft: EditDraft
) -> CampaignAndContacts:
    """Change a campaign, and upsert contacts with it."""
    if draft.is_settled:
        raise draft.refuse()
    before = await get_campaign(gateway.store, caller.organization_id, campaign)
    body, prepared = await _checked(gateway, caller, draft, before)
    changes = body.model_dump(exclude={"contacts"}, exclude_unset=True)
    after = await edit_campaign(gateway.store, caller.organization_id, before.id, changes, utc_now())
    _tell(gateway, after)
    return await _with_contacts(gateway, after, prepared if "contacts" in body.model_fields_set else None)


@router.post("/{campaign}/start", responses=problems(400, 404))
async def start(gateway: ThisGateway, caller: CampaignManager, campaign: CampaignRef) -> CampaignView:
    """Start or resume a campaign that is not closed."""
    return await _move(gateway, caller, campaign, CampaignMove.START)


@router.post("/{campaign}/pause", responses=problems(400, 404))
async def pause(gateway: ThisGateway, caller: CampaignManager, campaign: CampaignRef) -> CampaignView:
    """Pause an active campaign."""
    return await _move(gateway, caller, campaign, CampaignMove.PAUSE)


@router.post("/{campaign}/close", responses=problems(400, 404))
async def close(gateway: ThisGateway, caller: CampaignManager, campaign: CampaignRef) -> CampaignView:
    """Close a campaign for good."""
    return await _move(gateway, caller, campaign, CampaignMove.CLOSE)


async def _move(gateway: Gateway, caller: Caller, reference: str, move: CampaignMove) -> CampaignView:
    campaign = await get_campaign(gateway.store, caller.organization_id, reference)
    moved = await move_campaign(gateway.store, caller.organization_id, campaign.id, move, utc_now())
    _tell(gateway, moved)
    return CampaignView.of(moved)


async def _checked(
    gateway: Gateway, caller: Caller, draft: Draft[Any], before: Campaign | None
) -> tuple[Any, PreparedContacts]:
    """The body and its contacts, the numbers read with the configuration that the campaign will have."""
    configuration_id = draft.fields.get("configuration_id") if draft.body is None else draft.body.configuration_id
    if not isinstance(configuration_id, str) and before is not None:
        configuration_id = before.configuration_id
    if not isinstance(configuration_id, str) or len(configuration_id) > MAX_IDENTIFIER:
        raise draft.refuse()
    try:
        rules = await number_rules(gateway, caller.organization_id, as_stored(configuration_id))
    except NotFound:
        if draft.is_sound:
            raise
        raise draft.refuse() from None
    return await draft.checked(rules)


async def _with_contacts(
    gateway: Gateway, campaign: Campaign, prepared: PreparedContacts | None
) -> CampaignAndContacts:
    counts = await campaign_counts(gateway.store, campaign.id)
    rules = await read_rules(gateway.store, campaign.organization_id, campaign.id)
    view = CampaignAndContacts.of(campaign).with_warnings(warnings_on(rules, counts.ended))
    if prepared is None:
        return view
    if not prepared.rows:
        return view.with_contacts(ContactsResult(inserted=0, updated=0, failed=[], warnings=[], contact_ids=[]))
    try:
        return view.with_contacts(await store_contacts(gateway, ContactTarget.of(campaign), prepared))
    except TemporaryError as error:
        # The campaign itself is stored: creating it again would be the wrong thing to try.
        raise TemporaryError(
            f"{error}; campaign {campaign.id} is stored, but not all of its contacts: "
            "send those again with PATCH or POST …/contacts"
        ) from error


def _tell(gateway: Gateway, campaign: Campaign) -> None:
    gateway.hints.give(
        CampaignChanged(organization_id=campaign.organization_id, shard=campaign.shard, campaign_id=campaign.id)
    )
