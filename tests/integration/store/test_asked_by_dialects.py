"""What single dialects ask of the store: contacts by their standing, previews of a new run, changes bound to states."""

from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.domain.campaign import CampaignState
from shared.domain.contact import ContactStatus
from shared.domain.reasons import EndReason
from shared.errors import WrongState
from shared.store.catalog.campaign_lists import CampaignsOf, numbered_campaigns
from shared.store.catalog.campaigns import edit_campaign
from shared.store.catalog.companies import company_external_ids, create_company
from shared.store.catalog.people import NewPerson, PeopleFilter, count_people, external_ids_of, people_ids
from shared.store.client import Store
from shared.store.contacts.standing_list import StandingAs, contacts_by_id, contacts_standing
from shared.store.contacts.upsert_people import create_people
from shared.store.reports.preview import NewRun, preview
from tests.factories import add_campaign, add_contacts, add_organization, open_limits

NOW = utc_now()


async def test_contacts_are_found_by_how_they_stand_oldest_first(store: Store) -> None:
    acme, other = await add_organization(store), await add_organization(store)
    campaign = await add_campaign(store, acme)
    fresh, called, silent, machine = await add_contacts(store, acme, campaign, 4)
    answered = {"status": "exhausted", "ended_because": EndReason.NO_ANSWER.value, "attempts_made": 3}
    for contact, changes in (
        (called, {"attempts_made": 1}),
        (silent, answered),
        (machine, answered | {"ended_because": EndReason.VOICEMAIL.value}),
    ):
        await store["contacts"].update_one({"_id": contact["_id"]}, {"$set": changes})
    # As the moves would have counted.
    counted = {"pending": -2, "exhausted": 2, "called": 3, "ended": {"no_answer": 1, "voicemail": 1}}
    await store["counters"].insert_one({"_id": campaign["_id"], "organization_id": acme["_id"], **counted})

    async def found(*which: StandingAs, organization: str = acme["_id"], offset: int = 0) -> list[str]:
        rows = await contacts_standing(store, organization, campaign["_id"], which, offset=offset, limit=10, now=NOW)
        return [row.id for row in rows]

    exhausted = ContactStatus.EXHAUSTED
    assert await found() == [one["_id"] for one in (fresh, called, silent, machine)]
    assert await found(offset=3) == [machine["_id"]]
    assert await found(StandingAs(ContactStatus.PENDING, called=False)) == [fresh["_id"]]
    assert await found(StandingAs(ContactStatus.PENDING, called=True)) == [called["_id"]]
    assert await found(StandingAs(exhausted, because=(EndReason.VOICEMAIL,))) == [machine["_id"]]
    assert await found(StandingAs(exhausted, not_because=(EndReason.VOICEMAIL,))) == [silent["_id"]]
    either = StandingAs(ContactStatus.PENDING, called=False), StandingAs(exhausted)
    assert await found(*either) == [fresh["_id"], silent["_id"], machine["_id"]]
    assert await found(organization=other["_id"]) == []
    ids = [machine["_id"], "nothing", fresh["_id"]]
    rows = await contacts_by_id(store, acme["_id"], campaign["_id"], ids, NOW)
    assert [row.id for row in rows] == [machine["_id"], fresh["_id"]]
    assert await contacts_by_id(store, other["_id"], campaign["_id"], ids, NOW) == []


@pytest.mark.parametrize(
    "which",
    [
        StandingAs(ContactStatus.LOCKED),
        StandingAs(ContactStatus.IN_PROGRESS),
        StandingAs(ContactStatus.ERROR),
        StandingAs(ContactStatus.PENDING, called=True),
        StandingAs(ContactStatus.PENDING, because=(EndReason.VOICEMAIL,)),
    ],
    ids=lambda one: f"{one.status}, {one.called}, {one.because}",
)
async def test_no_list_is_walked_for_contacts_that_there_are_none_of(store: Store, which: StandingAs) -> None:
    acme = await add_organization(store)
    campaign = await add_campaign(store, acme)
    await add_contacts(store, acme, campaign, 100)
    await store.db.command("profile", 2)
    try:
        assert await contacts_standing(store, acme["_id"], campaign["_id"], [which], offset=0, limit=10, now=NOW) == []
        looks = store["system.profile"].find({"ns": store["contacts"].full_name})
        read = [look.get("docsExamined", 0) async for look in looks]
    finally:
        await store.db.command("profile", 0)
        await store["system.profile"].drop()
    assert sum(read) == 0


async def test_a_preview_of_a_new_run_has_that_runs_limit_and_not_the_one_of_the_last(store: Store) -> None:
    acme = await add_organization(store, concurrency_limit=10)
    campaign = await add_campaign(store, acme, max_calls=1)
    await open_limits(store, acme["shard"], 10)
    await add_contacts(store, acme, campaign, 5, due_at=NOW - timedelta(hours=1))
    ids = (acme["_id"], acme["shard"], campaign["_id"])
    for new_run, calls in ((None, 1), (NewRun(3), 3), (NewRun(None), 5)):
        assert len((await preview(store, *ids, 1000, NOW, new_run)).calls) == calls


async def test_a_change_is_refused_in_other_states_than_its_dialect_allows(store: Store) -> None:
    acme = await add_organization(store)
    campaign = await add_campaign(store, acme)
    with pytest.raises(WrongState):
        await edit_campaign(store, acme["_id"], campaign["_id"], {"name": "B"}, NOW, only_in={CampaignState.PAUSED})
    edited = await edit_campaign(
        store, acme["_id"], campaign["_id"], {"name": "B"}, NOW, only_in={CampaignState.RUNNING}
    )
    assert edited.name == "B"


async def test_campaigns_are_found_by_their_company_and_deleted_ones_alone(store: Store) -> None:
    acme = await add_organization(store)
    one, gone = await add_campaign(store, acme, company_id="c"), await add_campaign(store, acme, deleted_at=NOW)

    async def found(only: CampaignsOf, *, deleted: bool) -> list[str]:
        page = await numbered_campaigns(
            store, acme["_id"], name_contains="", states=(), now=NOW, offset=0, limit=9, deleted=deleted, only=only
        )
        return [campaign.id for campaign in page.rows]

    assert await found(CampaignsOf(company_id="c"), deleted=False) == [one["_id"]]
    assert await found(CampaignsOf(company_id="d"), deleted=False) == []
    assert await found(CampaignsOf(deleted_only=True), deleted=True) == [gone["_id"]]


async def test_ids_of_people_and_external_ids_are_those_of_the_organization(store: Store) -> None:
    acme, other = await add_organization(store), await add_organization(store)
    company = await create_company(store, acme["_id"], {"name": "A"}, "a", NOW)
    new = [NewPerson({"phone": f"+1415555000{number}"}, f"p{number}") for number in range(3)]
    people = [await create_people(store, acme["_id"], [each], utc_now()) for each in new]
    ids = [person.id for [person] in people]
    everybody = PeopleFilter()
    assert sorted(await people_ids(store, acme["_id"], everybody, 5)) == sorted(ids)
    assert len(await people_ids(store, acme["_id"], everybody, 1)) == 2, "one more says that there are more"
    assert await count_people(store, acme["_id"], everybody) == 3
    assert await external_ids_of(store, acme["_id"], ids[:1]) == {ids[0]: "p0"}
    assert await external_ids_of(store, other["_id"], ids) == {}
    assert await company_external_ids(store, acme["_id"], [company.id]) == {company.id: "a"}
    assert await company_external_ids(store, other["_id"], [company.id]) == {}
