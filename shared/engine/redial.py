"""Redial: a new draft that calls those of a campaign again whom it has not reached."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from shared.domain.campaign import CampaignUse
from shared.domain.campaign_log import ENGINE, Actor
from shared.domain.outcome import Outcome
from shared.engine.campaigns import Campaign, get_campaign
from shared.engine.engine import Engine
from shared.engine.imports import tell_of
from shared.errors import Clash, Conflict, Kind, WrongState
from shared.store.jobs import redial as stored

NOT_REACHED: Final = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL)
"""The outcomes for which contacts are called again where nothing else is said."""


async def redial_campaign(
    engine: Engine,
    organization_id: str,
    reference: str,
    *,
    name: str | None,
    outcomes: Collection[Outcome],
    now: datetime,
    by: Actor = ENGINE,
) -> Campaign:
    """The draft that calls a campaign's contacts again whose latest attempt ended in one of these outcomes.

    Never those who were answered in any attempt or are on the do-not-call list, and each number once. Its settings are
    the campaign's; a private configuration is copied. The contacts are copied by a job, so it counts as importing until
    that has ended. Raises `NotFound`, `WrongState` (it is neither completed nor closed), `Conflict` (it was redialed
    already, or nobody qualifies).
    """
    parent = await get_campaign(engine, organization_id, reference)
    state = parent.shown(now).state
    if state not in stored.REDIALED:
        raise WrongState(Kind.CAMPAIGN, parent.id, state, CampaignUse.REDIAL)
    if parent.redialed_as is not None:
        raise Conflict(Clash.REDIALED_ALREADY, parent.redialed_as)
    wanted = sorted({outcome.value for outcome in outcomes})
    if not await stored.somebody_qualifies(engine.store, parent, wanted):
        raise Conflict(Clash.NOBODY_TO_REDIAL, parent.id)
    child, job = await stored.create_redial(engine.store, parent, name, wanted, now, by)
    tell_of(engine, job)
    return child
