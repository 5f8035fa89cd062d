"""Campaigns that are made of an uploaded list: the list is checked as a whole, and the campaign is a draft."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.domain.campaign_log import ENGINE, Actor
from shared.domain.csv_check import MAX_FILE_BYTES, Breach, Checked, Refusal
from shared.domain.csv_contacts import Layout
from shared.domain.stored_files import SourceFile
from shared.engine.campaigns import Campaign, NewCampaign
from shared.engine.engine import Engine
from shared.engine.files import copy_key_of, take_copy
from shared.engine.imports import ImportOrder, check_csv, tell_of
from shared.errors import TooLarge
from shared.store.jobs.first_import import create_with_import

__all__ = ["NewFileCampaign", "Refusal", "create_file_campaign"]


@dataclass(frozen=True, slots=True)
class NewFileCampaign:
    """What a customer says of a campaign that is to be made of the file under `file_key`.

    `configuration` has all fields of the campaign's own configuration, as JSON values; `required` are the columns
    (lower case) that must be filled in every row; `key` begins the external_id of each contact (see `Layout`).
    """

    campaign: NewCampaign
    configuration: Mapping[str, Any]
    file_key: str
    required: Collection[str]
    key: str


async def create_file_campaign(
    engine: Engine, organization_id: str, new: NewFileCampaign, now: datetime, by: Actor = ENGINE
) -> Campaign | Refusal:
    """A new draft with the job that imports its list, or why the list is refused, and nothing is made.

    The campaign keeps a copy of the file of its own: what is uploaded later under the same key changes nothing. Raises
    `NotFound` (nothing was uploaded under the key, or it is another organization's), `BadSetting`, `Unavailable`.
    """
    try:
        checked = await _checked(engine, organization_id, new.file_key, new.required)
        if isinstance(checked, Refusal):
            return checked
        campaign_id = str(uuid.uuid4())
        await take_copy(engine, organization_id, new.file_key, campaign_id, now, MAX_FILE_BYTES)
        copy_key = str(copy_key_of(organization_id, new.file_key, campaign_id))
        # The copy counts: another upload may have come between the two.
        checked = await _checked(engine, organization_id, copy_key, new.required)
    except TooLarge:
        return Refusal(Breach.TOO_LARGE)
    if isinstance(checked, Refusal):
        return checked
    campaign = replace(
        new.campaign,
        configuration_id=str(uuid.uuid4()),
        is_draft=True,
        source_file=SourceFile(new.file_key, copy_key, checked.rows),
    )
    layout = Layout(key=new.key, as_context=True, needs_plus=True)
    order = ImportOrder(copy_key, copy_key.rpartition("/")[2], layout=layout, fails_campaign=True)
    made, job = await create_with_import(
        engine.store, organization_id, campaign_id, campaign, new.configuration, order, now, by
    )
    tell_of(engine, job)
    return made


async def _checked(engine: Engine, organization_id: str, key: str, required: Collection[str]) -> Checked | Refusal:
    """The file under a key, checked as far as it is no larger than a list may be."""
    parts: list[bytes] = []
    size = 0
    async for part in engine.files.contents.read(organization_id, key):
        size += len(part)
        if size > MAX_FILE_BYTES:
            return Refusal(Breach.TOO_LARGE)
        parts.append(part)
    return await check_csv(b"".join(parts), required)
