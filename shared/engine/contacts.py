"""Contacts of a campaign, and under `default` those of no campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.campaign import CampaignUse, Course, shown_state
from shared.domain.contact import ContactStatus
from shared.domain.contact_input import NumberRules, PreparedContacts
from shared.domain.contact_record import Contact
from shared.domain.ids import DEFAULT_CAMPAIGN, default_campaign_id
from shared.domain.page import NumberedPage, Page
from shared.domain.reasons import EndReason
from shared.domain.upload import UpsertResult
from shared.engine.engine import Engine
from shared.errors import Kind, WrongState
from shared.events import ContactsAdded, LimitsChanged
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.configurations import get_configuration
from shared.store.catalog.organizations import get_organization
from shared.store.catalog.stored_campaign import Campaign
from shared.store.contacts import deletion, queries, standing_list, upsert, wishes
from shared.store.contacts.standing_list import StandingAs
from shared.store.contacts.wishes import ResetPage

__all__ = [
    "ContactTarget",
    "ResetPage",
    "StandingAs",
    "add_contacts",
    "contact_target",
    "contacts_after",
    "contacts_by_id",
    "contacts_standing",
    "delete_contact",
    "get_contact",
    "list_contacts",
    "number_rules",
    "reset_contacts",
]


@dataclass(frozen=True, slots=True)
class ContactTarget:
    """The campaign that contacts belong to, as they are filed under it; `campaign_id` in its stored form."""

    organization_id: str
    shard: int
    campaign_id: str
    configuration_id: str | None
    course: Course | None = None

    @classmethod
    def of(cls, campaign: Campaign) -> "ContactTarget":
        """The target for a campaign's contacts."""
        return cls(campaign.organization_id, campaign.shard, campaign.id, campaign.configuration_id, campaign.course)

    @property
    def hint(self) -> ContactsAdded:
        """The hint of a change of these contacts, for the scheduler."""
        return ContactsAdded(organization_id=self.organization_id, shard=self.shard, campaign_id=self.campaign_id)


async def contact_target(
    engine: Engine, organization_id: str, reference: str, *, deleted: bool = False
) -> ContactTarget:
    """The campaign of this id or external_id, or under `default` the contacts of no campaign.

    With `deleted` also a deleted campaign, by its id. Raises `NotFound`.
    """
    if reference == DEFAULT_CAMPAIGN:
        organization = await get_organization(engine.store, organization_id)
        return ContactTarget(organization_id, organization.shard, default_campaign_id(organization_id), None)
    return ContactTarget.of(await get_campaign(engine.store, organization_id, reference, deleted=deleted))


async def number_rules(engine: Engine, organization_id: str, configuration_id: str | None) -> NumberRules:
    """The rules by which numbers of contacts are read: the configuration's country code; without one, E.164 alone.

    Raises `NotFound` (organization or configuration).
    """
    refused = (await get_organization(engine.store, organization_id)).refused_number_types
    if configuration_id is None:
        return NumberRules(None, strict_e164=True, refused_types=refused)
    configuration = await get_configuration(engine.store, organization_id, configuration_id)
    code: Any = configuration.values["default_country_code"]
    return NumberRules(code, refused_types=refused)


async def add_contacts(
    engine: Engine, target: ContactTarget, prepared: PreparedContacts, now: datetime, work_id: str | None = None
) -> UpsertResult:
    """The result of the rows: contacts that exist are changed, the others added.

    With `work_id` (a UUID) safe to repeat, also for rows without an external_id.

    Raises `NotFound`, `WrongState` (the campaign is over), `TemporaryError` (send the request again).
    """
    result = await upsert.upsert_contacts(
        engine.store,
        organization_id=target.organization_id,
        shard=target.shard,
        campaign_id=target.campaign_id,
        rows=prepared.rows,
        source=engine.source,
        now=now,
        warnings=prepared.warnings,
        work_id=work_id,
    )
    engine.hints.give(target.hint)
    return result


async def list_contacts(
    engine: Engine,
    organization_id: str,
    reference: str,
    *,
    status: ContactStatus | None,
    phone_number: str | None = None,
    limit: int,
    offset: int,
    now: datetime,
    deleted: bool = False,
) -> NumberedPage[Contact]:
    """The campaign's contacts with their attempts, oldest first; with `deleted` also a deleted campaign's.

    With `phone_number` (E.164) only those with that phone, in whatever spelling. Raises `NotFound`.
    """
    target = await contact_target(engine, organization_id, reference, deleted=deleted)
    if phone_number is not None:
        which = (engine.store, organization_id, target.campaign_id, phone_number)
        return await queries.contacts_with_phone(*which, status=status, limit=limit, offset=offset, now=now)
    return await queries.list_contacts(
        engine.store, organization_id, target.campaign_id, status=status, limit=limit, offset=offset, now=now
    )


async def contacts_after(
    engine: Engine,
    organization_id: str,
    reference: str,
    *,
    status: ContactStatus | None,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> Page[Contact]:
    """The campaign's contacts as `list_contacts` has them, after `cursor`. Raises `NotFound`, `InvalidCursor`."""
    target = await contact_target(engine, organization_id, reference)
    return await queries.contacts_after(
        engine.store, organization_id, target.campaign_id, status=status, cursor=cursor, limit=limit, now=now
    )


async def contacts_standing(
    engine: Engine,
    organization_id: str,
    reference: str,
    which: Sequence[StandingAs],
    *,
    offset: int,
    limit: int,
    now: datetime,
    deleted: bool = False,
) -> list[Contact]:
    """The campaign's contacts that stand in one of these ways (none named: all), oldest first, from the `offset`-th on.

    With `deleted` also a deleted campaign's. Raises `NotFound`.
    """
    target = await contact_target(engine, organization_id, reference, deleted=deleted)
    return await standing_list.contacts_standing(
        engine.store, organization_id, target.campaign_id, which, offset=offset, limit=limit, now=now
    )


async def contacts_by_id(
    engine: Engine, organization_id: str, reference: str, ids: Sequence[str], now: datetime
) -> list[Contact]:
    """The campaign's contacts of these ids, in this order; absent ones are left out. Raises `NotFound` (campaign)."""
    target = await contact_target(engine, organization_id, reference)
    return await standing_list.contacts_by_id(engine.store, organization_id, target.campaign_id, ids, now)


async def get_contact(
    engine: Engine,
    organization_id: str,
    reference: str,
    contact_reference: str,
    now: datetime,
    *,
    deleted: bool = False,
) -> Contact:
    """The campaign's contact of this id or external_id, with its attempts; with `deleted` also a deleted campaign's.

    Raises `NotFound`.
    """
    target = await contact_target(engine, organization_id, reference, deleted=deleted)
    return await queries.get_contact(engine.store, organization_id, target.campaign_id, contact_reference, now)


async def delete_contact(
    engine: Engine, organization_id: str, reference: str, contact_reference: str, now: datetime
) -> str:
    """Delete a contact; its id. Raises `NotFound`, and `Conflict` while the contact is being called."""
    target = await contact_target(engine, organization_id, reference)
    contact_id = await deletion.request_deletion(
        engine.store, organization_id, target.campaign_id, contact_reference, now=now
    )
    engine.hints.give(target.hint)
    return contact_id


async def reset_contacts(
    engine: Engine,
    organization_id: str,
    reference: str,
    *,
    status: ContactStatus,
    because: EndReason | None,
    cursor: str | None,
    now: datetime,
) -> ResetPage:
    """The number of the campaign's contacts that ended so and are called again; their limits count from now on.

    Raises `NotFound`, `WrongState` (the campaign is over), `InvalidCursor` (begin anew).
    """
    target = await contact_target(engine, organization_id, reference)
    if target.course is not None and target.course.is_over:
        state = shown_state(target.course, now).state
        raise WrongState(Kind.CAMPAIGN, target.campaign_id, state, CampaignUse.RESET_CONTACTS)
    page = await wishes.reset_contacts(
        engine.store, organization_id, target.campaign_id, status=status, because=because, cursor=cursor, now=now
    )
    engine.hints.give(LimitsChanged(organization_id=target.organization_id, shard=target.shard))
    return page
