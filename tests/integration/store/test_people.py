"""The contact book in MongoDB: lists against brute force, people by phone, calls summed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from shared.clock import utc_now
from shared.domain.campaign import CampaignState
from shared.domain.enrolment import USUAL, Enrolment, Terms
from shared.domain.outcome import Outcome
from shared.domain.person import Person, PersonStatus, matches, numbers_of
from shared.errors import BadSetting, Clash, Conflict
from shared.store.catalog.campaigns import edit_campaign
from shared.store.catalog.companies import create_company, delete_company
from shared.store.catalog.do_not_call import add_numbers, remove_numbers_of, stopped_numbers
from shared.store.catalog.people import (
    NewPerson,
    PeopleFilter,
    find_by_phones,
    get_person,
    list_people,
    numbered_people,
)
from shared.store.client import Store
from shared.store.contacts.enrolment import ToEnrol, enrol
from shared.store.contacts.following import delete_person, edit_person
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.persons_calls import calls_of, history_of, newest_calls
from shared.store.contacts.queries import get_contact
from shared.store.contacts.upsert_people import create_people, upsert_by_phone
from tests.factories import add_contacts, add_organization
from tests.fuzzing import SEED
from tests.integration.protocol.conftest import stage
from tests.integration.protocol.stage import Stage
from tests.released.scenario import install

__all__ = ["stage"]
NOW = utc_now()
PHONE = "+14155550123"
WORDS = ("Ada", "ADA", "Lovelace", "a.b", "x+y", "Müller", "ß", "$", "\\d")
PHONES = ("+14155550123", "+141555501234", "+525512345678", "+5215512345678")
PEOPLE = st.fixed_dictionaries(
    {
        "first_name": st.none() | st.sampled_from(WORDS),
        "last_name": st.none() | st.sampled_from(WORDS),
        "phone": st.none() | st.sampled_from(PHONES),
        "phone_secondary": st.none() | st.sampled_from(PHONES),
        "email": st.none() | st.sampled_from(("ada@x.com", "Ada@X.com", "bada@x.com")),
        "tags": st.lists(st.sampled_from(("a", "b")), unique=True),
        "lead_status": st.none() | st.sampled_from(("new", "old")),
        "do_not_call": st.booleans(),
        "inactive": st.booleans(),
    }
)
FILTERS = st.builds(
    PeopleFilter,
    search=st.none() | st.sampled_from((*WORDS, *PHONES, "ada lo", "@x", "415", "ada@x.com", ".", "A", "1234")),
    status=st.none() | st.sampled_from(PersonStatus),
    tags=st.lists(st.sampled_from(("a", "b")), unique=True),
    has_phone=st.none() | st.booleans(),
    lead_status=st.none() | st.just("new"),
    do_not_call=st.none() | st.booleans(),
)


SPELLED = {"+5215512345678": "+525512345678"}


def _numbers(fields: dict[str, Any]) -> set[str]:
    return {SPELLED.get(number, number) for number in numbers_of(fields)}


def left_by(which: PeopleFilter, people: list[Person]) -> set[str]:
    """Whom the filter leaves, looked at one by one."""
    fields = {person.id: {name: getattr(person, name) for name in Person.__slots__} for person in people}
    left = people
    if (text := which.search) is not None:
        whole = [p for p in left if text.lower() == (p.email or "").lower()]
        whole += [p for p in left if text.startswith("+") and SPELLED.get(text, text) in _numbers(fields[p.id])]
        left = whole or [person for person in left if matches(fields[person.id], text)]
    checks: list[Any] = [
        lambda p: which.status is None or p.status is which.status,
        lambda p: set(which.tags) <= set(p.tags),
        lambda p: which.has_phone is None or bool(numbers_of(fields[p.id])) is which.has_phone,
        lambda p: which.lead_status is None or p.lead_status == which.lead_status,
        lambda p: which.do_not_call is None or p.do_not_call is which.do_not_call,
    ]
    return {person.id for person in left if all(check(person) for check in checks)}


@seed(SEED)
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(PEOPLE, max_size=8), filters=st.lists(FILTERS, min_size=1, max_size=8))
def test_lists_are_what_brute_force_leaves(
    stage: Stage, rows: list[dict[str, Any]], filters: list[PeopleFilter]
) -> None:
    async def compare() -> None:
        store = stage.store
        organization_id = (await add_organization(store))["_id"]
        await add_numbers(store, organization_id, [PHONES[0]], None, NOW)
        made = await create_people(store, organization_id, [NewPerson(row) for row in rows], NOW)
        people = [await get_person(store, organization_id, person.id) for person in made]
        for which in filters:
            expected = left_by(which, people)
            page = await list_people(store, organization_id, which, cursor=None, limit=100)
            assert {person.id for person in page.rows} == expected, which
            numbered = await numbered_people(store, organization_id, which, offset=0, limit=1)
            assert numbered.total == len(expected)

    stage.runner.run(compare())


async def test_people_are_found_by_phone_or_made_and_one_phone_is_one_person(store: Store) -> None:
    organization_id = (await add_organization(store))["_id"]
    rows = [{"phone": PHONE, "first_name": "Ada"}, {"first_name": "Nobody"}, {"phone": PHONE, "last_name": "Byron"}]
    both = await asyncio.gather(
        *(upsert_by_phone(store, organization_id, rows, source="api-0", now=NOW) for _ in range(4))
    )
    assert len({done[0].person.id for done in both}) == 1, "whoever sends it at once"
    assert {done[0].person.id == done[2].person.id for done in both} == {True}
    found = (await find_by_phones(store, organization_id, [PHONE]))[PHONE]
    assert (found.first_name, found.last_name) == ("Ada", "Byron")
    [again] = await upsert_by_phone(
        store, organization_id, [{"phone": PHONE, "email": "ada@x.com"}], source="api-0", now=NOW
    )
    assert (again.is_new, again.person.id, again.person.first_name) == (False, found.id, "Ada")
    [other] = await create_people(store, organization_id, [NewPerson({"phone": "+14155550199"})], NOW)
    with pytest.raises(Conflict) as refused:
        await edit_person(
            store, organization_id, other.id, {"phone": PHONE}, source="api-0", now=NOW, phone_is_unique=True
        )
    assert refused.value.clash is Clash.PERSON_PHONE_TAKEN


async def test_a_company_must_be_the_organizations(store: Store) -> None:
    organization_id = (await add_organization(store))["_id"]
    company = await create_company(store, (await add_organization(store))["_id"], {"name": "Theirs"}, None, NOW)
    with pytest.raises(BadSetting):
        await create_people(store, organization_id, [NewPerson({"company_id": company.id})], NOW)
    assert await store["people"].count_documents({"organization_id": organization_id}) == 0


async def test_a_company_that_a_campaign_is_for_stays(store: Store) -> None:
    here = await install(store, "company")
    company = await create_company(store, here.organization.id, {"name": "Acme"}, None, here.now)
    spring = await here.campaign("Spring")
    changes = {"company_id": company.id}
    assert (await edit_campaign(store, here.organization.id, spring.id, changes, here.now)).company_id == company.id
    with pytest.raises(Conflict) as refused:
        await delete_company(store, here.organization.id, company.id)
    assert [campaign.id for campaign in refused.value.campaigns] == [spring.id]
    await edit_campaign(store, here.organization.id, spring.id, {"company_id": None}, here.now)
    assert await delete_company(store, here.organization.id, company.id) == company.id


async def test_an_external_id_that_stands_twice_in_a_request_stores_nobody(store: Store) -> None:
    organization_id = (await add_organization(store))["_id"]
    with pytest.raises(Conflict) as refused:
        await create_people(store, organization_id, [NewPerson({}, "a"), NewPerson({}, "b"), NewPerson({}, "b")], NOW)
    assert (refused.value.clash, refused.value.reference) == (Clash.PERSON_EXTERNAL_ID_TAKEN, "b")
    assert await store["people"].count_documents({"organization_id": organization_id}) == 0


async def test_calls_and_campaigns_of_a_person(store: Store) -> None:
    here = await install(store, "people")
    organization_id = here.organization.id
    [ada] = await create_people(store, organization_id, [NewPerson({"phone": PHONE}, "crm-1")], here.now)
    campaigns = [await here.campaign(name) for name in ("Spring", "Summer")]
    contacts = []
    for campaign in campaigns:
        scope = ContactsOf(organization_id, here.organization.shard, campaign.id)
        done = await enrol(store, scope, [ToEnrol("crm-1", f"cont-{campaign.name}")], source="api-0", now=here.now)
        contacts.append(done[0].contact_id)
    [job] = await here.claim(contacts[0])
    await here.start(job)
    await here.finish(here.ending(job, Outcome.ANSWERED))
    person = await get_person(store, organization_id, "crm-1")
    assert person.campaigns == tuple(campaign.id for campaign in campaigns)
    calls = (await calls_of(store, [person]))[ada.id]
    assert (calls.count, calls.last_at) == (1, here.now)
    history = await history_of(store, organization_id, person, here.now)
    assert [(each.campaign_name, each.state) for each in history] == [
        ("Summer", CampaignState.RUNNING),
        ("Spring", CampaignState.RUNNING),
    ]
    [call] = newest_calls(history, 50)
    assert (call.campaign_id, call.contact_id, call.attempt.outcome) == (campaigns[0].id, contacts[0], Outcome.ANSWERED)
    by_name = await get_contact(store, organization_id, campaigns[1].id, "cont-Summer", here.now)
    assert (by_name.id, by_name.person_id) == (contacts[1], ada.id)
    with pytest.raises(Conflict) as refused:
        await delete_person(store, organization_id, "crm-1", now=here.now, unless_in=[CampaignState.RUNNING])
    assert refused.value.clash is Clash.PERSON_ENROLLED
    await delete_person(store, organization_id, "crm-1", now=here.now, unless_in=[CampaignState.DRAFT])
    assert await store["contacts"].count_documents({"person_id": ada.id, "stopped": "person_deleted"}) == 2


async def test_one_who_must_have_a_phone_is_refused_and_an_external_id_stays_anothers(store: Store) -> None:
    here = await install(store, "refused")
    organization_id = here.organization.id
    new = [
        NewPerson({"first_name": "No phone"}, "a"),
        NewPerson({"phone": PHONE}, "b"),
        NewPerson({"phone": PHONE}, "c"),
    ]
    await create_people(store, organization_id, new, here.now)
    scope = ContactsOf(organization_id, here.organization.shard, (await here.campaign("Spring")).id)
    wanted = [ToEnrol("a"), ToEnrol("b", "same"), ToEnrol("c", "same")]
    done = await enrol(store, scope, wanted, source="api-0", now=here.now, terms=Terms(without_phone=False))
    assert [each.enrolment for each in done] == [Enrolment.NO_PHONE, Enrolment.ADDED, Enrolment.ADDED]
    stored = await store["contacts"].find({"campaign_id": scope.campaign_id}).sort("seq", 1).to_list()
    assert [contact["external_id"] for contact in stored] == ["same", None]


async def test_on_terms_of_one_contact_for_a_phone_whoever_has_it_already_is_found(store: Store) -> None:
    here = await install(store, "phones")
    organization_id, campaign = here.organization.id, await here.campaign("Spring")
    scope = ContactsOf(organization_id, here.organization.shard, campaign.id)
    documents = {"_id": organization_id, "shard": here.organization.shard}, {"_id": campaign.id}
    [held] = await add_contacts(store, *documents, 1, phone_numbers=["+14155550100", "+5215512345678"])
    phones = ["+525512345678", PHONE, PHONE, "+14155550199", None]
    new = [NewPerson({"phone": phone, "first_name": "Ada"}, f"crm-{n}") for n, phone in enumerate(phones)]
    ids = [person.id for person in await create_people(store, organization_id, new, here.now)]
    wanted, terms = [ToEnrol(person_id) for person_id in ids], Terms(one_per_phone=True)
    done = await enrol(store, scope, wanted, source="api-0", now=here.now, terms=terms)
    assert [each.enrolment for each in done] == [
        Enrolment.DUPLICATE,
        Enrolment.ADDED,
        Enrolment.DUPLICATE,
        Enrolment.ADDED,
        Enrolment.SKIPPED,
    ]
    assert (done[0].contact_id, done[2].contact_id, done[2].person_id) == (held["_id"], done[1].contact_id, ids[2])
    # One whose person was taken out of the book holds its phone no more; without these terms nobody does.
    await delete_person(store, organization_id, ids[3], now=here.now)
    [again] = await create_people(store, organization_id, [NewPerson({"phone": "+14155550199"})], here.now)
    for who, on, expected in (
        (again.id, terms, Enrolment.ADDED),
        (ids[0], terms, Enrolment.DUPLICATE),
        (ids[0], USUAL, Enrolment.ADDED),
    ):
        [one] = await enrol(store, scope, [ToEnrol(who)], source="api-0", now=here.now, terms=on)
        assert one.enrolment is expected


async def test_a_source_takes_off_the_list_what_it_has_listed(store: Store) -> None:
    organization_id = (await add_organization(store))["_id"]
    ours, theirs = "+14155550171", "+14155550172"
    await add_numbers(store, organization_id, [ours], None, NOW, "smartalex")
    await add_numbers(store, organization_id, [ours, theirs], None, NOW + timedelta(seconds=1), "call")
    left, shard = await remove_numbers_of(store, organization_id, [ours, theirs], "smartalex")
    assert (left, shard is None) == ({theirs}, False)
    assert await stopped_numbers(store, organization_id, [ours, theirs]) == {theirs}
    assert await remove_numbers_of(store, organization_id, [ours, theirs], "smartalex") == ({theirs}, None)
