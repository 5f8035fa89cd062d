"""Contacts of the contact book with what they refer to, read by use cases."""

from collections.abc import Sequence
from typing import Any

from services.campaign_api.talkturo.translate_people import person_object
from shared.domain.person import Person
from shared.engine.companies import company_external_ids
from shared.engine.engine import Engine
from shared.engine.organizations import get_organization
from shared.rendering.talkturo.objects import Names


async def person_objects(engine: Engine, organization_id: str, persons: Sequence[Person]) -> list[dict[str, Any]]:
    """The contacts, in their order."""
    companies = {person.company_id for person in persons if person.company_id is not None}
    names = Names(
        await get_organization(engine, organization_id),
        companies=await company_external_ids(engine, organization_id, companies),
    )
    return [person_object(person, names) for person in persons]
