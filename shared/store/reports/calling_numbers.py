"""What a campaign that is not made yet could call from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.caller_numbers import CallerNumbers
from shared.domain.campaign import Course, Intent
from shared.domain.dialing_values import CallFields, CampaignRules, Rules
from shared.domain.telephony_accounts import NO_ACCOUNTS
from shared.errors import Kind, NotFound
from shared.store.client import Store, translates
from shared.store.dialing.context import organization_hours, readable_configurations
from shared.store.dialing.number_use import plan_of, read_numbers
from shared.store.documents.catalog import OrganizationDocument
from shared.store.documents.completing import complete


@dataclass(frozen=True, slots=True)
class CallFrom:
    """From where a campaign shall call, as it would be stored; `configuration_id` None: no configuration says more."""

    telephony_account_id: str | None = None
    agent_number: str | None = None
    caller_numbers: Sequence[Mapping[str, Any]] | None = None
    caller_number_pool: str | None = None
    configuration_id: str | None = None


@translates
async def rules_for(store: Store, organization_id: str, wanted: CallFrom) -> Rules:
    """The rules, as far as they speak of numbers and accounts, of a running campaign that calls from there.

    Raises `NotFound` for an unknown organization.
    """
    found = await store["organizations"].find_one({"_id": organization_id})
    if found is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    organization = complete(OrganizationDocument, found)
    registries, accounts = await read_numbers(store, [organization])
    registered = registries.get(organization_id, {})
    campaign = {
        "_id": "",
        "agent_number": wanted.agent_number,
        "caller_numbers": [{"weight": None, **each} for each in wanted.caller_numbers or ()],
        "caller_number_pool": wanted.caller_number_pool,
        "caller_number_choice": None,
        "telephony_account_id": wanted.telephony_account_id,
    }
    query = {"_id": wanted.configuration_id, "organization_id": organization_id}
    stored = await store["configurations"].find_one(query) if wanted.configuration_id is not None else None
    hours = {organization_id: organization_hours(organization)}
    configuration = readable_configurations([stored] if stored else [], hours).get(wanted.configuration_id or "")
    fields = CallFields(agent_number=wanted.agent_number, account_id=wanted.telephony_account_id)
    return Rules(
        campaign=CampaignRules(Course(Intent.RUNNING), configuration, fields, plan_of(campaign, registered)),
        default_caller_number=organization["default_agent_number"],
        numbers=CallerNumbers(registered),
        accounts=accounts.get(organization_id, NO_ACCOUNTS),
    )
