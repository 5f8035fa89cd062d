"""Telephony accounts: create, list, read, change, choose the default, delete."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native import translate_accounts
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from services.campaign_api.native.schemas.telephony_accounts import (
    AccountList,
    AccountView,
    CreateAccount,
    EditAccount,
)
from shared.clock import utc_now
from shared.engine import telephony_accounts

router = APIRouter(prefix="/campaign/telephony-accounts", tags=["Telephony accounts"], route_class=BodyRoute)


@router.post("", responses=body_problems(409))
async def create(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[CreateAccount, json_body(CreateAccount)]
) -> AccountView:
    """Add an account to place calls through; its token is stored encrypted and never shown."""
    new = translate_accounts.new_account(body)
    made = await telephony_accounts.create_account(engine, caller.organization_id, new, utc_now())
    return translate_accounts.account_view(made)


@router.get("", responses=problems())
async def list_all(engine: ThisEngine, caller: CampaignReader) -> AccountList:
    """List accounts, in order of creation; there are 50 at most."""
    found = await telephony_accounts.list_accounts(engine, caller.organization_id)
    return translate_accounts.account_list(found)


@router.get("/{telephony_account_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, telephony_account_id: OurRef) -> AccountView:
    """Get one account."""
    found = await telephony_accounts.get_account(engine, caller.organization_id, telephony_account_id)
    return translate_accounts.account_view(found)


@router.patch("/{telephony_account_id}", responses=body_problems(404, 409))
async def edit(
    engine: ThisEngine,
    caller: CampaignManager,
    telephony_account_id: OurRef,
    body: Annotated[EditAccount, json_body(EditAccount)],
) -> AccountView:
    """Change an account; calls follow within seconds."""
    changes = body.model_dump(exclude_unset=True)
    edited = await telephony_accounts.edit_account(
        engine, caller.organization_id, telephony_account_id, changes, utc_now()
    )
    return translate_accounts.account_view(edited)


@router.post("/{telephony_account_id}/default", responses=problems(404))
async def choose_default(engine: ThisEngine, caller: CampaignManager, telephony_account_id: OurRef) -> AccountView:
    """Have calls placed through this account where neither the caller number nor the campaign names another."""
    chosen = await telephony_accounts.choose_default(engine, caller.organization_id, telephony_account_id)
    return translate_accounts.account_view(chosen)


@router.delete("/{telephony_account_id}", responses=problems(404, 409))
async def delete(engine: ThisEngine, caller: CampaignManager, telephony_account_id: OurRef) -> Deleted:
    """Delete an account that no campaign uses and no call is placed through, with its caller numbers."""
    await telephony_accounts.delete_account(engine, caller.organization_id, telephony_account_id, utc_now())
    return Deleted(id=telephony_account_id)
