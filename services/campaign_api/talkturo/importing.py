"""Imports of contacts: each row is judged by itself, and good ones are stored whatever the others are."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from fastapi import Request
from pydantic_core import to_json

from services.campaign_api.http.bodies import read_body, read_json
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.faults import RequestFault, ValuesInvalid
from services.campaign_api.talkturo.answers import Answer, success
from services.campaign_api.talkturo.auth import confirm_query, confirm_team, is_team
from services.campaign_api.talkturo.bodies import Given, read
from services.campaign_api.talkturo.csv_rows import MOST_ROWS, mapping_of, rows_of
from services.campaign_api.talkturo.enrolling import require_enrollable, to_enrol
from services.campaign_api.talkturo.errors import ANSWERS, place
from services.campaign_api.talkturo.finding import company_named, find_campaign, find_company
from services.campaign_api.talkturo.queries import Query
from services.campaign_api.talkturo.schemas.contacts import ImportContacts, NewContact
from services.campaign_api.talkturo.translate_people import new_person
from shared.domain.person import Person, folded
from shared.domain.phone import compared
from shared.engine import companies, enrolment, people
from shared.engine.campaigns import Campaign
from shared.engine.engine import Engine
from shared.engine.organizations import get_organization
from shared.engine.people import NewPerson
from shared.errors import Flaw, NotFound
from shared.rendering.talkturo.ids import Prefix, shown_id

_AT_ONCE: Final = 1000
MAX_COMPANY: Final = 255


@dataclass(slots=True)
class _Import:
    """The rows of an import, numbered from 1, and what becomes of them."""

    good: dict[int, NewContact] = field(default_factory=dict)
    companies: dict[int, str] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    duplicates: set[int] = field(default_factory=set)
    count: int = 0

    def refuse(self, row: int, where: str, sentence: str) -> None:
        """Note what is wrong with a row."""
        self.errors.append({"row": row, "field": where, "error": sentence})
        self.failed.add(row)
        self.good.pop(row, None)


async def import_contacts(engine: Engine, caller: Caller, request: Request, query: Query, now: datetime) -> Answer:
    """What has become of the rows. Raises `ValuesInvalid` for a body without any, `NotFound` and `WrongState`."""
    organization_id = caller.organization_id
    is_csv = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/csv"
    company, campaign_ref = query.text("companyId"), query.text("campaignId")
    mapping = mapping_of(query.text("mapping"))
    query.checked()
    warnings: list[str] = []
    if is_csv:
        raw = await read_body(request)
        job = await asyncio.to_thread(_of_csv, raw, mapping)
    else:
        given = read(await read_json(request), ImportContacts, nulls=False)
        body, warnings = given.value, given.warnings
        company, campaign_ref = body.company_id or company, body.campaign_id or campaign_ref
        job = await asyncio.to_thread(_of_json, given)
        await confirm_team(engine, caller, body.team_id, body.account_slug)
    await confirm_query(engine, caller, query)
    campaign = None if campaign_ref is None else await find_campaign(engine, organization_id, campaign_ref)
    company_id = await company_named(engine, organization_id, company)
    if campaign is not None:
        require_enrollable(campaign, now)
    await _leave_out_duplicates(engine, organization_id, job)
    made = await _made(engine, organization_id, job, company_id, now)
    if campaign is not None:
        await _enrol(engine, campaign, made, now)
    ids = [made.get(row) for row in range(1, job.count + 1)]
    return success(
        warnings,
        imported=len(made),
        failed=len(job.failed),
        duplicates=len(job.duplicates),
        errors=sorted(job.errors, key=lambda error: error["row"]),
        contact_ids=[
            None if person is None else shown_id(Prefix.CONTACT, person.id, person.external_id) for person in ids
        ],
    )


def _of_json(given: Given[ImportContacts]) -> _Import:
    job = _Import()
    for contact in given.value.contacts:
        job.count += 1
        _read(job, job.count, contact)
    return job


def _of_csv(raw: bytes, mapping: Mapping[str, str]) -> _Import:
    job = _Import()
    for fields, company in rows_of(raw, mapping):
        job.count += 1
        if company is not None:
            job.companies[job.count] = company[:MAX_COMPANY]
        _read(job, job.count, fields)
    assert job.count <= MOST_ROWS
    return job


def _read(job: _Import, row: int, contact: Any) -> None:
    try:
        job.good[row] = read(to_json(contact), NewContact, nulls=False).value
    except ValuesInvalid as error:
        for value in error.fault.values:
            job.refuse(row, place(value), value.message)


async def _leave_out_duplicates(engine: Engine, organization_id: str, job: _Import) -> None:
    """Rows whose phone, or without one whose e-mail, somebody or an earlier row has."""
    phones = {row.phone for row in job.good.values() if row.phone is not None}
    emails = {row.email for row in job.good.values() if row.phone is None and row.email is not None}
    taken = {("phone", number) for number in await people.find_by_phones(engine, organization_id, phones)}
    taken |= {("email", address) for address in await people.find_by_email(engine, organization_id, emails)}
    for row, contact in list(job.good.items()):
        if contact.phone is not None:
            key = ("phone", compared(contact.phone))
        elif contact.email is not None:
            key = ("email", folded(contact.email))
        else:
            continue
        if key in taken:
            job.refuse(row, key[0], f"A contact with this {key[0]} is there already")
            job.duplicates.add(row)
        taken.add(key)


async def _made(
    engine: Engine, organization_id: str, job: _Import, company_id: str | None, now: datetime
) -> dict[int, Person]:
    """The good rows as contacts, by row."""
    own: dict[str, str | None] = {}
    organization = await get_organization(engine, organization_id)
    for row, contact in list(job.good.items()):
        if not is_team(organization, contact.team_id, contact.account_slug):
            job.refuse(row, "teamId", ANSWERS[RequestFault.FOREIGN_ORGANIZATION][1])
            continue
        if contact.company_id is not None and contact.company_id not in own:
            own[contact.company_id] = await _company_of_row(engine, organization_id, contact.company_id)
        if contact.company_id is not None and own[contact.company_id] is None:
            job.refuse(row, "companyId", ANSWERS[Flaw.UNKNOWN_COMPANY][1])
    wanted = {job.companies[row] for row in job.good if row in job.companies}
    named = await _companies(engine, organization_id, wanted, now)
    new: list[tuple[int, NewPerson]] = []
    for row, contact in job.good.items():
        name = job.companies.get(row)
        company = own.get(contact.company_id or "") or (named[folded(name)] if name is not None else company_id)
        new.append((row, new_person(contact, company)))
    await _leave_out_taken_ids(engine, organization_id, job, new)
    made: dict[int, Person] = {}
    for start in range(0, len(new), _AT_ONCE):
        part = [(row, person) for row, person in new[start : start + _AT_ONCE] if row in job.good]
        persons = await people.create_people(engine, organization_id, [person for _, person in part], now)
        made |= {row: person for (row, _), person in zip(part, persons, strict=True)}
    return made


async def _leave_out_taken_ids(
    engine: Engine, organization_id: str, job: _Import, new: Sequence[tuple[int, NewPerson]]
) -> None:
    wanted = {person.external_id for _, person in new if person.external_id is not None}
    found = await people.people_of(engine, organization_id, wanted)
    seen = {person.external_id for person in found.values()}
    for row, person in new:
        if person.external_id is not None and person.external_id in seen:
            job.refuse(row, "externalId", "The externalId is taken")
        seen.add(person.external_id)


async def _company_of_row(engine: Engine, organization_id: str, reference: str) -> str | None:
    try:
        return (await find_company(engine, organization_id, reference)).id
    except NotFound:
        return None


async def _companies(engine: Engine, organization_id: str, names: set[str], now: datetime) -> dict[str, str]:
    """The ids of companies of these names, by folded name; those that are not there are made."""
    by_name = await companies.companies_named(engine, organization_id, {folded(name) for name in names})
    for name in sorted(names):
        if folded(name) not in by_name:
            made = await companies.create_company(engine, organization_id, {"name": name}, None, now)
            by_name[folded(name)] = made.id
    return by_name


async def _enrol(engine: Engine, campaign: Campaign, made: Mapping[int, Person], now: datetime) -> None:
    wanted = [to_enrol(person, None) for person in made.values()]
    if wanted:
        await enrolment.enrol(engine, campaign.organization_id, campaign.id, wanted, now)
