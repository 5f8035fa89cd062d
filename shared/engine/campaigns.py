"""Campaigns: made and changed with their contacts, moved between their states, counted."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.campaign_log import ENGINE, Actor
from shared.domain.contact_input import PreparedContacts
from shared.domain.counts import CampaignCounts
from shared.domain.forecast import Forecast
from shared.domain.page import NumberedPage, Page
from shared.domain.setting_faults import SettingWarning
from shared.domain.upload import UpsertResult
from shared.engine.contacts import ContactTarget, add_contacts
from shared.engine.engine import Engine
from shared.engine.setting_warnings import warnings_of
from shared.errors import ContactsNotStored, TemporaryError
from shared.events import CampaignChanged
from shared.store.catalog import campaign_lists
from shared.store.catalog import campaigns as stored
from shared.store.catalog.campaign_lists import ANY, CampaignsOf
from shared.store.catalog.campaigns import NewCampaign, ScheduleChange
from shared.store.catalog.organizations import get_organization
from shared.store.catalog.stored_campaign import Campaign
from shared.store.reports.counters import campaign_counts, counts_of
from shared.store.reports.forecast import forecast_of

__all__ = [
    "ANY",
    "Campaign",
    "CampaignNumbers",
    "CampaignsOf",
    "ChangedCampaign",
    "NewCampaign",
    "ScheduleChange",
    "campaign_numbers",
    "campaign_of_number",
    "campaigns_by_id",
    "counts_by_id",
    "create_campaign",
    "deleted_campaign",
    "edit_campaign",
    "follow_numbers",
    "get_campaign",
    "list_campaigns",
    "move_campaign",
    "numbered_campaigns",
]


@dataclass(frozen=True, slots=True)
class ChangedCampaign:
    """A campaign that was made or changed, what there is to say of its settings, and what became of its contacts.

    `contacts` is None when none came with the request.
    """

    campaign: Campaign
    warnings: Sequence[SettingWarning]
    contacts: UpsertResult | None


@dataclass(frozen=True, slots=True)
class CampaignNumbers:
    """A campaign's contacts and attempts, how many calls it may have at once, and how far its end is."""

    campaign: Campaign
    counts: CampaignCounts
    calls_at_once: int
    forecast: Forecast


async def create_campaign(
    engine: Engine,
    organization_id: str,
    new: NewCampaign,
    contacts: PreparedContacts | None,
    now: datetime,
    by: Actor = ENGINE,
    own_configuration: Mapping[str, Any] | None = None,
    work_id: str | None = None,
) -> ChangedCampaign:
    """A new campaign, made `by` this credential, with its first contacts if there are any.

    With `own_configuration` (JSON values of all fields) it has that for itself, whatever `new.configuration_id` says.
    With `work_id` (a UUID) safe to repeat: what was made under it is found again.

    Raises `NotFound` (configuration), `Conflict` (external_id, configuration of another campaign), and
    `ContactsNotStored`: the campaign is there, and its contacts are to be sent again.
    """
    campaign = await stored.create_campaign(engine.store, organization_id, new, now, by, own_configuration, work_id)
    return await _changed(engine, campaign, contacts, now, work_id=work_id)


async def get_campaign(engine: Engine, organization_id: str, reference: str, *, deleted: bool = False) -> Campaign:
    """The organization's campaign by its id or external_id; with `deleted` also a deleted one, by its id.

    Raises `NotFound`.
    """
    return await stored.get_campaign(engine.store, organization_id, reference, deleted=deleted)


async def deleted_campaign(engine: Engine, organization_id: str, external_id: str) -> Campaign:
    """The campaign that was deleted last of those that had this external_id. Raises `NotFound`."""
    return await campaign_lists.deleted_campaign(engine.store, organization_id, external_id)


async def campaigns_by_id(engine: Engine, organization_id: str, campaign_ids: Collection[str]) -> dict[str, Campaign]:
    """The organization's campaigns of these ids, deleted ones too; one question for any number of them."""
    return await campaign_lists.campaigns_by_id(engine.store, organization_id, campaign_ids)


async def list_campaigns(
    engine: Engine,
    organization_id: str,
    *,
    name_contains: str,
    states: Collection[CampaignState],
    now: datetime,
    cursor: str | None,
    limit: int,
    deleted: bool = False,
) -> Page[Campaign]:
    """The organization's campaigns, newest first, with `deleted` the deleted ones too; empty filters match all.

    `states` are those that campaigns show at `now`. Raises `InvalidCursor`.
    """
    return await campaign_lists.list_campaigns(
        engine.store,
        organization_id,
        name_contains=name_contains,
        states=states,
        now=now,
        cursor=cursor,
        limit=limit,
        deleted=deleted,
    )


async def numbered_campaigns(
    engine: Engine,
    organization_id: str,
    *,
    name_contains: str,
    states: Collection[CampaignState],
    now: datetime,
    offset: int,
    limit: int,
    deleted: bool = False,
    only: CampaignsOf = ANY,
) -> NumberedPage[Campaign]:
    """The organization's campaigns as `list_campaigns` has them, from the `offset`-th on, and how many there are.

    `only` narrows them further.
    """
    return await campaign_lists.numbered_campaigns(
        engine.store,
        organization_id,
        name_contains=name_contains,
        states=states,
        now=now,
        offset=offset,
        limit=limit,
        deleted=deleted,
        only=only,
    )


async def campaign_of_number(engine: Engine, organization_id: str, number: int) -> Campaign:
    """The organization's campaign of this number, unless it is deleted. Raises `NotFound`."""
    return await campaign_lists.campaign_of_number(engine.store, organization_id, number)


async def edit_campaign(
    engine: Engine,
    organization_id: str,
    campaign_id: str,
    changes: Mapping[str, Any],
    contacts: PreparedContacts | None,
    now: datetime,
    schedule: ScheduleChange | None = None,
    by: Actor = ENGINE,
    only_in: Collection[CampaignState] | None = None,
) -> ChangedCampaign:
    """The campaign with these fields changed, and when it starts by itself, and these contacts added.

    `only_in`: the states in which this dialect allows it; None: where the engine does.

    Raises `NotFound` (campaign, configuration), `WrongState` (it is over, or is not to be scheduled), `Conflict`
    (external_id, configuration of another campaign), `ContactsNotStored` (send the contacts again).
    """
    campaign = await stored.edit_campaign(
        engine.store, organization_id, campaign_id, changes, now, schedule, by, only_in
    )
    return await _changed(engine, campaign, contacts, now)


async def move_campaign(
    engine: Engine,
    organization_id: str,
    reference: str,
    move: CampaignMove,
    now: datetime,
    changes: Mapping[str, Any] = stored.NO_CHANGES,
    by: Actor = ENGINE,
    only_in: Collection[CampaignState] | None = None,
) -> Campaign:
    """The campaign after the move, which may be to delete it, and after `changes` of what a move may set (`max_calls`).

    `only_in`: the states from which this dialect allows the move (None: those of the engine), looked at where the move
    is made, so that of two at once one is refused. Raises `NotFound`, or `WrongState` where its state does not allow
    the move.
    """
    campaign = await stored.get_campaign(engine.store, organization_id, reference)
    moved = await stored.move_campaign(engine.store, organization_id, campaign.id, move, now, changes, by, only_in)
    _tell(engine, moved)
    return moved


async def campaign_numbers(
    engine: Engine, organization_id: str, reference: str, now: datetime, *, deleted: bool = False
) -> CampaignNumbers:
    """The campaign's numbers at `now`, at the same cost for every size; with `deleted` also of a deleted one.

    Raises `NotFound`.
    """
    campaign = await stored.get_campaign(engine.store, organization_id, reference, deleted=deleted)
    organization = await get_organization(engine.store, organization_id)
    counts = await campaign_counts(engine.store, campaign.id)
    own, shared = campaign.concurrency_limit, organization.calls_at_once
    forecast = await forecast_of(engine.store, organization_id, campaign.id, counts, now)
    return CampaignNumbers(campaign, counts, shared if own is None else min(own, shared), forecast)


async def counts_by_id(engine: Engine, campaign_ids: Collection[str]) -> dict[str, CampaignCounts]:
    """The counts of an organization's campaigns, by id; two questions for any number of them."""
    return await counts_of(engine.store, campaign_ids)


async def follow_numbers(engine: Engine, organization_id: str, reference: str) -> AsyncIterator[CampaignNumbers | None]:
    """The campaign's numbers, and again when they have changed, once a second at most; None is a heartbeat.

    One read serves all who follow the campaign in this process. Raises `NotFound`; the values end when the campaign is
    deleted, and when the process leaves.
    """
    campaign = await stored.get_campaign(engine.store, organization_id, reference)

    async def read() -> CampaignNumbers:
        return await campaign_numbers(engine, organization_id, campaign.id, utc_now())

    return engine.live.follow(("campaign", campaign.id), read)


async def _changed(
    engine: Engine,
    campaign: Campaign,
    contacts: PreparedContacts | None,
    now: datetime,
    *,
    work_id: str | None = None,
) -> ChangedCampaign:
    _tell(engine, campaign)
    warnings = await warnings_of(engine.store, campaign, now)
    return ChangedCampaign(campaign, warnings, await _with_contacts(engine, campaign, contacts, now, work_id))


async def _with_contacts(
    engine: Engine, campaign: Campaign, contacts: PreparedContacts | None, now: datetime, work_id: str | None
) -> UpsertResult | None:
    if contacts is None:
        return None
    if not contacts.rows:
        return UpsertResult(inserted=0, updated=0, failed=(), warnings=(), contact_ids=())
    try:
        return await add_contacts(engine, ContactTarget.of(campaign), contacts, now, work_id)
    except TemporaryError as error:
        # The campaign itself is stored: creating it again would be the wrong thing to try.
        raise ContactsNotStored(campaign.id, str(error)) from error


def _tell(engine: Engine, campaign: Campaign) -> None:
    engine.hints.give(
        CampaignChanged(organization_id=campaign.organization_id, shard=campaign.shard, campaign_id=campaign.id)
    )
