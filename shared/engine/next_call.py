"""The question when a phone may be called next under a configuration."""

from datetime import datetime

from shared.domain.asked_phone import NextCall, next_call_to
from shared.domain.configuration import DEFAULT_COUNTRY_CODE
from shared.domain.phone import normalize
from shared.engine.engine import Engine
from shared.store.catalog.configurations import get_configuration
from shared.store.reports.asked_phone import read_asked_phone

__all__ = ["next_call_under"]


async def next_call_under(
    engine: Engine, organization_id: str, configuration_id: str, raw: str, timezone: str | None, now: datetime
) -> NextCall:
    """When a phone may be called next under the organization's configuration; a question, nothing is done.

    `raw` is read as the number of a contact under it; `timezone` None: the contact has none. Raises `NotFound`, or
    `InvalidPhoneNumber`: say what is wrong with the number.
    """
    stored = await get_configuration(engine.store, organization_id, configuration_id)
    number = normalize(raw, stored.values["default_country_code"] or DEFAULT_COUNTRY_CODE)
    return next_call_to(await read_asked_phone(engine.store, stored, number.e164, timezone, now), now)
