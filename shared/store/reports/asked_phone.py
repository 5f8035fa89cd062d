"""What decides when a phone may be called under a configuration, read for a question about that phone alone."""

from datetime import datetime

from shared.domain.asked_phone import AskedPhone
from shared.domain.campaign import Course, Intent
from shared.domain.caps import NEVER_CALLED, counts_from
from shared.domain.dialing import timezone_of
from shared.domain.dialing_values import CampaignRules, Rules
from shared.domain.phone import compared, spellings
from shared.errors import Kind, NotFound
from shared.store.catalog.configurations import StoredConfiguration
from shared.store.catalog.do_not_call import stopped_numbers
from shared.store.client import Store, translates
from shared.store.dialing.caps import attempts_at_phones
from shared.store.dialing.context import number_caps, organization_hours, readable_configurations
from shared.store.documents.catalog import OrganizationDocument
from shared.store.documents.completing import complete


@translates
async def read_asked_phone(
    store: Store, stored: StoredConfiguration, number: str, timezone: str | None, now: datetime
) -> AskedPhone:
    """The phone (E.164) of a contact in `timezone` (None: without one), under a configuration of its organization.

    Raises `NotFound` for an organization that is gone. Three or four questions.
    """
    organization_id = stored.organization_id
    found = await store["organizations"].find_one({"_id": organization_id})
    if found is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    organization = complete(OrganizationDocument, found)
    document = {"_id": stored.id, "organization_id": organization_id, **stored.values}
    hours = {organization_id: organization_hours(organization)}
    configuration = readable_configurations([document], hours).get(stored.id)
    caps, form, called = number_caps(organization), compared(number), NEVER_CALLED
    if caps.any:
        zone = timezone_of(timezone, Rules(CampaignRules(Course(Intent.RUNNING), configuration)))
        begin = counts_from(caps, [zone], now)
        called = (await attempts_at_phones(store, organization_id, [form], caps, begin)).get(form, NEVER_CALLED)
    on_call = {"organization_id": organization_id, "lock.phone": {"$in": sorted(spellings(number))}}
    return AskedPhone(
        number,
        timezone,
        configuration,
        listed=bool(await stopped_numbers(store, organization_id, [number])),
        live=await store["contacts"].find_one(on_call, {"_id": 1}, hint="live_phone") is not None,
        caps=caps,
        called=called,
    )
