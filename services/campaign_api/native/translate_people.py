"""Translation of agents, companies and people to the wire and back, purely."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from services.campaign_api.native.schemas.agents import AgentPage, AgentView, RegisterAgent
from services.campaign_api.native.schemas.companies import CompanyPage, CompanyView
from services.campaign_api.native.schemas.people import (
    CreatePerson,
    EnrolledPeople,
    EnrolledView,
    EnrolPeople,
    ParticipationView,
    PersonPage,
    PersonsCallView,
    PersonView,
    PersonWithCallsView,
)
from services.campaign_api.native.translate import attempt_view
from shared.domain.page import NumberedPage, Page
from shared.domain.person import Person
from shared.engine.agents import Agent, NewAgent
from shared.engine.companies import Company
from shared.engine.enrolment import Enrolled, ToEnrol, counts_of
from shared.engine.people import NewPerson, PersonsCalls, PersonWithCalls, PersonWithHistory


def new_agent(body: RegisterAgent) -> NewAgent:
    """The agent that the body registers."""
    return NewAgent(**body.model_dump())


def agent_view(agent: Agent) -> AgentView:
    """The agent."""
    return AgentView.model_validate(agent)


def agent_page(page: Page[Agent] | NumberedPage[Agent]) -> AgentPage:
    """A page of agents."""
    return AgentPage(agents=[agent_view(one) for one in page.rows], **_end(page))


def company_view(company: Company) -> CompanyView:
    """The company."""
    return CompanyView.model_validate(company)


def company_page(page: Page[Company] | NumberedPage[Company]) -> CompanyPage:
    """A page of companies."""
    return CompanyPage(companies=[company_view(one) for one in page.rows], **_end(page))


def new_person(body: CreatePerson) -> NewPerson:
    """The person that the body makes."""
    return NewPerson(body.model_dump(exclude={"external_id"}), body.external_id)


def person_view(person: Person, calls: PersonsCalls) -> PersonView:
    """The person with its calls as one sum."""
    return PersonView.model_validate(_fields(person, calls))


def person_page(page: Page[PersonWithCalls] | NumberedPage[PersonWithCalls]) -> PersonPage:
    """A page of people."""
    rows = [person_view(each.person, each.calls) for each in page.rows]
    return PersonPage(people=rows, **_end(page))


def person_with_calls(found: PersonWithHistory, *, sensitive: bool) -> PersonWithCallsView:
    """The person with its newest calls and its campaigns."""
    calls = [
        PersonsCallView(
            **attempt_view(call.attempt, sensitive=sensitive).model_dump(),
            campaign_id=call.campaign_id,
            contact_id=call.contact_id,
        )
        for call in found.newest_calls
    ]
    campaigns = [
        ParticipationView(
            campaign_id=each.campaign_id,
            campaign_name=each.campaign_name,
            campaign_state=each.state,
            contact_id=each.contact.id,
            status=each.contact.status,
            ended_because=each.contact.ended_because,
            attempts_made=each.contact.attempts_made,
        )
        for each in found.history
    ]
    return PersonWithCallsView(**_fields(found.person, found.calls), calls=calls, campaigns=campaigns)


def to_enrol(body: EnrolPeople) -> list[ToEnrol]:
    """The people that the body names."""
    return [ToEnrol(reference, None, body.priority) for reference in body.people]


def enrolled_people(enrolled: Sequence[Enrolled]) -> EnrolledPeople:
    """What became of them."""
    return EnrolledPeople(
        **asdict(counts_of(enrolled)), people=[EnrolledView.model_validate(each) for each in enrolled]
    )


def _end(page: Page[Any] | NumberedPage[Any]) -> dict[str, Any]:
    """Where the list goes on after a page: by cursor, or by number with the total."""
    if isinstance(page, NumberedPage):
        return {"next_cursor": None, "total": page.total}
    return {"next_cursor": page.next_cursor}


def _fields(person: Person, calls: PersonsCalls) -> dict[str, Any]:
    known = {name: getattr(person, name) for name in PersonView.model_fields if hasattr(person, name)}
    return {**known, "tags": list(person.tags), "calls_count": calls.count, "last_called_at": calls.last_at}
