"""Has a campaign any number to call with? One question, asked before a campaign is made, started or resumed."""

from shared.domain.setting_faults import has_caller_number
from shared.engine.engine import Engine
from shared.store.catalog.campaigns import get_campaign
from shared.store.contacts.upload_remarks import read_rules
from shared.store.reports.calling_numbers import CallFrom, rules_for

__all__ = ["CallFrom", "campaign_has_number", "has_number_to_call_with"]


async def has_number_to_call_with(engine: Engine, organization_id: str, wanted: CallFrom) -> bool:
    """Whether a campaign that called from there would have a number that is on, through an account that is on.

    One that rests, or has no slot free now, counts. Raises `NotFound` for an unknown organization.
    """
    return has_caller_number(await rules_for(engine.store, organization_id, wanted))


async def campaign_has_number(engine: Engine, organization_id: str, reference: str) -> bool:
    """The same of a campaign, by its id or external_id. Raises `NotFound`."""
    campaign = await get_campaign(engine.store, organization_id, reference)
    return has_caller_number(await read_rules(engine.store, organization_id, campaign.id))
