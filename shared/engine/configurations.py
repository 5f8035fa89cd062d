"""Configurations: calling windows, retry rules and the default agent, of many campaigns or of one alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.configuration import Configuration
from shared.domain.page import NumberedPage, Page
from shared.domain.setting_faults import SettingWarning, warnings_on_attempts, warnings_on_configuration
from shared.engine.engine import Engine
from shared.engine.setting_warnings import warnings_of
from shared.events import LimitsChanged
from shared.store.catalog import configurations as stored
from shared.store.catalog import private_configurations
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.configurations import StoredConfiguration
from shared.store.catalog.organizations import get_organization
from shared.store.reports.counters import ended_in_campaigns_of

__all__ = [
    "ChangedConfiguration",
    "StoredConfiguration",
    "change_configuration_of",
    "configuration_of",
    "configurations_by_id",
    "create_configuration",
    "delete_configuration",
    "edit_configuration",
    "get_configuration",
    "list_configurations",
    "numbered_configurations",
]


@dataclass(frozen=True, slots=True)
class ChangedConfiguration:
    """A configuration that was made or changed, and what there is to say of its settings."""

    configuration: StoredConfiguration
    warnings: Sequence[SettingWarning]


async def create_configuration(
    engine: Engine, organization_id: str, values: Mapping[str, Any], now: datetime, work_id: str | None = None
) -> ChangedConfiguration:
    """A new configuration; `values` are JSON values of all its fields. No campaign uses it yet.

    With `work_id` (a UUID) safe to repeat: what was made under it is found again.
    """
    configuration = await stored.create_configuration(
        engine.store, organization_id=organization_id, values=values, now=now, work_id=work_id
    )
    return await _changed(engine, configuration, values, {}, now)


async def get_configuration(engine: Engine, organization_id: str, configuration_id: str) -> StoredConfiguration:
    """The organization's configuration. Raises `NotFound`."""
    return await stored.get_configuration(engine.store, organization_id, configuration_id)


async def configurations_by_id(
    engine: Engine, organization_id: str, ids: Collection[str]
) -> dict[str, StoredConfiguration]:
    """The organization's configurations among these ids, private ones too; one question for any number of them."""
    return await stored.configurations_by_id(engine.store, organization_id, ids)


async def list_configurations(
    engine: Engine, organization_id: str, *, cursor: str | None, limit: int, private: bool = False
) -> Page[StoredConfiguration]:
    """The organization's configurations, newest first, with `private` also those that single campaigns have alone.

    Raises `InvalidCursor`: ask for the first page.
    """
    return await stored.list_configurations(engine.store, organization_id, cursor=cursor, limit=limit, private=private)


async def numbered_configurations(
    engine: Engine, organization_id: str, *, offset: int, limit: int, private: bool = False
) -> NumberedPage[StoredConfiguration]:
    """The configurations as `list_configurations` has them, from the `offset`-th on, and how many there are."""
    return await stored.numbered_configurations(
        engine.store, organization_id, offset=offset, limit=limit, private=private
    )


async def edit_configuration(
    engine: Engine, organization_id: str, configuration_id: str, changes: Mapping[str, Any], now: datetime
) -> ChangedConfiguration:
    """The configuration with these fields (JSON values) changed; its campaigns follow within a second.

    Raises `NotFound`.
    """
    configuration, shard = await stored.edit_configuration(
        engine.store, organization_id, configuration_id, changes, now
    )
    engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
    ended = await ended_in_campaigns_of(engine.store, organization_id, configuration.id)
    return await _changed(engine, configuration, changes, ended, now)


async def configuration_of(
    engine: Engine, organization_id: str, reference: str, *, deleted: bool = False
) -> StoredConfiguration:
    """The configuration of a campaign (id or external_id), with `deleted` also of a deleted one. Raises `NotFound`."""
    campaign = await get_campaign(engine.store, organization_id, reference, deleted=deleted)
    return await stored.get_configuration(engine.store, organization_id, campaign.configuration_id, deleted=deleted)


async def change_configuration_of(
    engine: Engine, organization_id: str, reference: str, changes: Mapping[str, Any], now: datetime
) -> ChangedConfiguration:
    """The campaign's configuration with these fields (JSON values) changed for it alone.

    One that other campaigns may share is copied first, and the copy is the campaign's own from then on. Raises
    `NotFound`, or `WrongState` (the campaign is over).
    """
    campaign = await get_campaign(engine.store, organization_id, reference)
    changed, shard = await private_configurations.change_configuration_of(
        engine.store, organization_id, campaign.id, changes, now
    )
    engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
    ended = await ended_in_campaigns_of(engine.store, organization_id, changed.id)
    warnings = await warnings_of(engine.store, campaign, now)
    return ChangedConfiguration(changed, [*warnings, *warnings_on_attempts(ended, changes.keys())])


async def delete_configuration(engine: Engine, organization_id: str, configuration_id: str) -> None:
    """Remove a configuration. Raises `NotFound`, or `Conflict` while a campaign refers to it."""
    await stored.delete_configuration(engine.store, organization_id, configuration_id)


async def _changed(
    engine: Engine,
    configuration: StoredConfiguration,
    changes: Mapping[str, Any],
    ended: Mapping[str, int],
    now: datetime,
) -> ChangedConfiguration:
    organization = await get_organization(engine.store, configuration.organization_id)
    read = Configuration.from_document(configuration.values, organization.hours)
    warnings = warnings_on_configuration(read, ended, now, changed=changes.keys())
    return ChangedConfiguration(configuration, warnings)
