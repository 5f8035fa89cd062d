"""What several routes show: the team, contacts of the contact book, the newest calls."""

from collections.abc import Sequence
from typing import Any

from services.campaign_api.http.credentials import Caller
from services.campaign_api.talkturo.translate_people import person_object
from shared.domain.person import Person
from shared.engine.calls import CallFilter, CallOrder, NumberedCalls, Reader, numbered_calls
from shared.engine.companies import company_external_ids
from shared.engine.engine import Engine
from shared.engine.organizations import get_organization
from shared.rendering.talkturo.objects import Names
from shared.rendering.talkturo.reading import call_objects


async def team_of(engine: Engine, caller: Caller) -> str:
    """The id of the caller's team."""
    return Names(await get_organization(engine, caller.organization_id)).team


async def person_objects(engine: Engine, organization_id: str, persons: Sequence[Person]) -> list[dict[str, Any]]:
    """The contacts, in their order."""
    companies = {person.company_id for person in persons if person.company_id is not None}
    names = Names(
        await get_organization(engine, organization_id),
        companies=await company_external_ids(engine, organization_id, companies),
    )
    return [person_object(person, names) for person in persons]


async def newest_calls(
    engine: Engine, caller: Caller, which: CallFilter, *, limit: int, offset: int = 0, transcripts: bool = False
) -> NumberedCalls:
    """The calls that the filter leaves, newest first; with `transcripts` what was said, word by word."""
    return await numbered_calls(
        engine,
        caller.organization_id,
        which,
        order=CallOrder.NEWEST,
        offset=offset,
        limit=limit,
        reader=Reader(caller.reads_sensitive, transcripts),
    )


async def shown_calls(engine: Engine, caller: Caller, found: NumberedCalls) -> list[dict[str, Any]]:
    """These calls as they are shown."""
    return await call_objects(engine, caller.organization_id, found.rows, sensitive=caller.reads_sensitive)
