"""The contact book: people are created, listed, read, changed, deleted, and enrolled in campaigns."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, FromOffset, Limit
from services.campaign_api.native import translate_people
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.filters import SearchFilter
from services.campaign_api.native.paths import CampaignRef, PersonRef
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.people import (
    CreatePerson,
    EditPerson,
    EnrolledPeople,
    EnrolPeople,
    PersonPage,
    PersonView,
    PersonWithCallsView,
)
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.json_rules import check_text
from shared.domain.person import PersonStatus
from shared.engine import enrolment, people
from shared.engine.people import PeopleFilter

router = APIRouter(prefix="/campaign", tags=["People"], route_class=BodyRoute)
StatusFilter = Annotated[PersonStatus | None, Query(description="Only people with this status.")]
TagFilter = Annotated[
    list[Annotated[str, AfterValidator(check_text)]] | None,
    Query(max_length=20, description="Only people with this tag; several times: with all of them."),
]
_Text = Annotated[str | None, AfterValidator(lambda text: text if text is None else check_text(text))]
IdFilter = Annotated[_Text, Query(max_length=255)]


@router.post("/people", responses=body_problems(409))
async def create(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[CreatePerson, json_body(CreatePerson)]
) -> PersonView:
    """Create a person; a phone may be several people's."""
    made = await people.create_person(engine, caller.organization_id, translate_people.new_person(body), utc_now())
    found = await people.get_person(engine, caller.organization_id, made.id)
    [shown] = await people.with_calls(engine, [found])
    return translate_people.person_view(shown.person, shown.calls)


@router.get("/people", responses=problems(400))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    search: SearchFilter = None,
    status: StatusFilter = None,
    tag: TagFilter = None,
    company_id: IdFilter = None,
    campaign_id: IdFilter = None,
    has_phone: Annotated[bool | None, Query(description="Only people with a number, or without.")] = None,
    lead_status: IdFilter = None,
    cursor: Cursor = None,
    offset: FromOffset = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PersonPage:
    """List people, newest first.

    `search` is part of a name, an e-mail address or a number, in any case; a whole number in E.164 or a whole address
    that somebody has finds those who have it.
    """
    which = PeopleFilter(
        search=search or None,
        status=status,
        tags=tag or (),
        company_id=company_id,
        campaign_id=campaign_id,
        has_phone=has_phone,
        lead_status=lead_status,
    )
    if offset is not None:
        numbered = await people.numbered_people(engine, caller.organization_id, which, offset=offset, limit=limit)
        return translate_people.person_page(numbered)
    page = await people.list_people(engine, caller.organization_id, which, cursor=cursor, limit=limit)
    return translate_people.person_page(page)


@router.get("/people/{person}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, person: PersonRef) -> PersonWithCallsView:
    """Get one person with the newest 50 calls, and campaigns."""
    found = await people.person_with_history(engine, caller.organization_id, person, utc_now())
    return translate_people.person_with_calls(found, sensitive=caller.reads_sensitive)


@router.patch("/people/{person}", responses=body_problems(404))
async def edit(
    engine: ThisEngine, caller: CampaignManager, person: PersonRef, body: Annotated[EditPerson, json_body(EditPerson)]
) -> PersonView:
    """Change a person. Contacts that are this person follow at once, retries included; a call under way does not."""
    changes = body.model_dump(exclude_unset=True)
    edited = await people.edit_person(engine, caller.organization_id, person, changes, utc_now())
    [shown] = await people.with_calls(engine, [edited])
    return translate_people.person_view(shown.person, shown.calls)


@router.delete("/people/{person}", responses=problems(404))
async def delete(engine: ThisEngine, caller: CampaignManager, person: PersonRef) -> Deleted:
    """Delete a person. Contacts of it that wait end as skipped; a call under way is the last. Calls stay."""
    return Deleted(id=(await people.delete_person(engine, caller.organization_id, person, utc_now())).id)


@router.post("/campaigns/{campaign}/people", responses=body_problems(400, 404))
async def enrol(
    engine: ThisEngine,
    caller: CampaignManager,
    campaign: CampaignRef,
    body: Annotated[EnrolPeople, json_body(EnrolPeople)],
) -> EnrolledPeople:
    """Enrol up to 1,000 people: each becomes one contact of the campaign, however often it is enrolled."""
    wanted = translate_people.to_enrol(body)
    enrolled = await enrolment.enrol(engine, caller.organization_id, campaign, wanted, utc_now())
    return translate_people.enrolled_people(enrolled)
