"""The diagnosis of a campaign in which nobody is called, or so slowly."""

from datetime import datetime

from shared.domain.diagnosis import Diagnosis
from shared.engine.contacts import contact_target
from shared.engine.engine import Engine
from shared.store.reports import diagnosis as stored


async def diagnose(engine: Engine, organization_id: str, reference: str, now: datetime) -> Diagnosis:
    """The diagnosis of the campaign; `default` are the contacts of no campaign. Raises `NotFound`."""
    target = await contact_target(engine, organization_id, reference)
    return await stored.diagnose(engine.store, organization_id, target.campaign_id, now)
