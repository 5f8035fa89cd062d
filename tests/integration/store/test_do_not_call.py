"""One phone of the do-not-call list in several spellings: one entry, whichever is added, looked for or removed."""

import pytest

from shared.clock import utc_now
from shared.domain.contact_input import ContactInput, prepare_contacts
from shared.domain.facts import FactType
from shared.domain.row_remarks import Fact, Remark, RemarkCode
from shared.errors import NotFound
from shared.store.catalog.do_not_call import add_numbers, list_numbers, remove_number, stopped_numbers
from shared.store.catalog.people import NewPerson, tell_of_listed
from shared.store.client import Store
from shared.store.contacts.upsert import upsert_contacts
from shared.store.contacts.upsert_people import create_people
from tests.factories import a_moment_ago, add_campaign, add_organization

BY_LAW, FROM_ABROAD = "+541123456789", "+5491123456789"
OTHER = "+14155550100"


async def listed(store: Store, organization_id: str) -> list[tuple[str, str | None]]:
    page = await list_numbers(store, organization_id, cursor=None, limit=50)
    return [(entry.phone_number, entry.reason) for entry in page.rows]


async def add_old_entry(store: Store, organization_id: str, number: str) -> None:
    """An entry whose id has the number in the spelling in which it was sent."""
    entry = {"organization_id": organization_id, "phone_number": number, "reason": None, "source": "api"}
    await store["do_not_call"].insert_one(
        {"_id": f"{organization_id}:{number}", **entry, "created_at": a_moment_ago(days=30)}
    )


async def test_a_second_spelling_is_the_same_entry_which_keeps_its_number(store: Store) -> None:
    organization_id = (await add_organization(store))["_id"]
    await add_numbers(store, organization_id, [FROM_ABROAD], None, utc_now())
    entries, _ = await add_numbers(store, organization_id, [BY_LAW, OTHER, FROM_ABROAD], "asked", utc_now())
    assert [(entry.phone_number, entry.source) for entry in entries] == [(FROM_ABROAD, "native"), (OTHER, "native")]
    assert sorted(await listed(store, organization_id)) == [(OTHER, "asked"), (FROM_ABROAD, "asked")]
    numbers = {BY_LAW, FROM_ABROAD, OTHER, "+14155550199"}
    assert await stopped_numbers(store, organization_id, numbers) == {BY_LAW, FROM_ABROAD, OTHER}


@pytest.mark.parametrize("spelling", [BY_LAW, FROM_ABROAD])
async def test_an_entry_is_removed_by_either_spelling(store: Store, spelling: str) -> None:
    organization_id = (await add_organization(store))["_id"]
    await add_numbers(store, organization_id, [FROM_ABROAD, OTHER], None, utc_now())
    await remove_number(store, organization_id, spelling)
    assert await listed(store, organization_id) == [(OTHER, None)]
    with pytest.raises(NotFound):
        await remove_number(store, organization_id, spelling)


async def test_an_old_entry_under_another_spelling_stops_calls_is_kept_and_can_be_removed(store: Store) -> None:
    organization_id = (await add_organization(store))["_id"]
    await add_old_entry(store, organization_id, FROM_ABROAD)
    assert await stopped_numbers(store, organization_id, [BY_LAW]) == {BY_LAW}
    [entry], _ = await add_numbers(store, organization_id, [BY_LAW], "again", utc_now())
    assert (entry.phone_number, entry.reason, entry.source) == (FROM_ABROAD, "again", "native")
    await add_old_entry(store, organization_id, BY_LAW)
    await remove_number(store, organization_id, BY_LAW)
    assert await listed(store, organization_id) == []


async def test_an_uploaded_contact_is_skipped_by_either_spelling(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await add_numbers(store, organization["_id"], [BY_LAW], None, utc_now())
    prepared = prepare_contacts(
        [ContactInput(phone_numbers=[FROM_ABROAD]), ContactInput(phone_numbers=[OTHER])],
        default_country_code=None,
        strict_e164=True,
    )
    result = await upsert_contacts(
        store,
        organization_id=organization["_id"],
        shard=organization["shard"],
        campaign_id=campaign["_id"],
        rows=prepared.rows,
        source="api-0",
        now=utc_now(),
    )
    statuses = {c["phone_numbers"][0]: c["status"] async for c in store["contacts"].find()}
    assert statuses == {FROM_ABROAD: "skipped", OTHER: "pending"}
    facts: dict[str, Fact] = {"numbers": [FROM_ABROAD], "whole": 1, "skipped": 1}
    assert [(warning.index, warning.remark) for warning in result.warnings] == [(0, Remark(RemarkCode.LISTED, facts))]


async def test_people_whose_number_gets_listed_are_told_of_once(store: Store) -> None:
    acme, other = [(await add_organization(store))["_id"] for _ in range(2)]
    wanted = {"$set": {"fact_types": [FactType.PERSON_DO_NOT_CALL.value]}}
    await store["organizations"].update_many({"_id": {"$in": [acme, other]}}, wanted)
    [ada] = await create_people(store, acme, [NewPerson({"phone": "+14155550123"})], utc_now())
    await create_people(store, other, [NewPerson({"phone": "+14155550123"})], utc_now())
    flagged = NewPerson({"phone": "+14155550124", "do_not_call": True})
    await create_people(store, acme, [flagged, NewPerson({"phone": "+14155550125"})], utc_now())
    await store["facts_in"].delete_many({})
    for _ in range(2):
        numbers = ["+14155550123", "+14155550124"]
        await add_numbers(store, acme, numbers, None, utc_now(), tell_of=tell_of_listed)
    told = await store["facts_in"].find().to_list()
    assert [(fact["organization_id"], fact["type"], fact["person_id"]) for fact in told] == [
        (acme, FactType.PERSON_DO_NOT_CALL, ada.id)
    ]
