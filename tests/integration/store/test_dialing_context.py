"""What is looked up for a batch of contacts is there, whatever its size, and one answer never grows too large."""

from typing import Any

import pytest

from shared.domain.dialing import callable_numbers
from shared.domain.ids import campaign_budget, organization_budget
from shared.store.client import Document, Store
from shared.store.dialing import context
from shared.store.dialing.context import AT_MOST, SMALL_BYTES, DialingContext, Root
from shared.store.documents.contacts import contact_of
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization, contact_document

NOBODY = 0
ROOT = Root("shards", NOBODY, ("grant", "held"))


async def _three_organizations(store: Store) -> list[Document]:
    await store["shards"].insert_one({"_id": NOBODY, "grant": 7, "held": 5, "want": {"somebody": {}}})
    contacts = []
    for number in range(3):
        organization = await add_organization(store, concurrency_limit=number)
        campaign = await add_campaign(store, organization, concurrency_limit=number)
        [contact, listed] = await add_contacts(store, organization, campaign, 2)
        phone = listed["phone_numbers"][0]
        await store["do_not_call"].insert_one(
            {"_id": f"{organization['_id']}:{phone}", "organization_id": organization["_id"], "phone_number": phone}
        )
        await store["budgets"].insert_many(
            [
                {"_id": organization_budget(organization["_id"]), "held": 2},
                {"_id": campaign_budget(campaign["_id"]), "held": 1},
            ]
        )
        contacts += [contact_of(contact), contact_of(listed)]
    return contacts


@pytest.mark.parametrize("at_most", [1, 2, 100])
async def test_all_is_found_in_however_many_answers(
    store: Store, monkeypatch: pytest.MonkeyPatch, at_most: int
) -> None:
    contacts = await _three_organizations(store)
    monkeypatch.setattr(context, "AT_MOST", dict.fromkeys(AT_MOST, at_most))
    found = DialingContext(store, ROOT)
    await found.load(contacts[:2])
    await found.load(contacts)
    assert found.root_document == {"_id": NOBODY, "grant": 7, "held": 5}
    assert found.organizations.keys() == {contact["organization_id"] for contact in contacts}
    assert found.campaigns.keys() == {contact["campaign_id"] for contact in contacts}
    assert [found.configuration(contact) is not None for contact in contacts] == [True] * 6
    assert [callable_numbers(found.dialed(contact)) == [] for contact in contacts] == [False, True] * 3
    assert sorted(found.held.values()) == [1, 1, 1, 2, 2, 2]


async def test_in_a_transaction_it_sees_the_snapshot(store: Store) -> None:
    contacts = await _three_organizations(store)

    async def work(session: Any) -> DialingContext:
        found = DialingContext(store, ROOT, session)
        await found.load(contacts[:2])
        await store["shards"].update_one({"_id": NOBODY}, {"$inc": {"held": 9}})
        await found.load(contacts)
        return found

    found = await store.in_transaction(work)
    assert found.root_document == {"_id": NOBODY, "grant": 7, "held": 5}
    assert len(found.organizations) == 3


async def test_the_largest_documents_the_api_takes_fit_into_one_answer(store: Store) -> None:
    """1,000 exclusive numbers an organization, names of 255 letters of four bytes."""
    await store["shards"].insert_one({"_id": NOBODY})
    number, text = "+123456789012345", "\N{SLIGHTLY SMILING FACE}" * 255
    organizations = [
        {"_id": f"{n:036}", "name": text, "exclusive_caller_numbers": [number] * 1000}
        for n in range(AT_MOST["organizations"])
    ]
    texts = dict.fromkeys(("name", "external_id", "agent_id", "agent_version"), text)
    campaigns = [
        {"_id": f"{n:036}", "organization_id": f"{n:036}", "configuration_id": f"{n:036}", **texts}
        for n in range(AT_MOST["campaigns"])
    ]
    await store["configurations"].insert_many(
        {"_id": campaign["configuration_id"], "organization_id": "", "name": "n" * (SMALL_BYTES - 120)}
        for campaign in campaigns
    )
    entries = [
        {"_id": f"{n:040}", "organization_id": f"{n:036}", "phone_number": number, "reason": text * 3}
        for n in range(AT_MOST["do_not_call"])
    ]
    budgets = [{"_id": f"{n:050}", "held": n} for n in range(AT_MOST["budgets"])]
    everything: dict[str, list[Document]] = {
        "organizations": organizations,
        "campaigns": campaigns,
        "do_not_call": entries,
        "budgets": budgets,
    }
    for name, documents in everything.items():
        await store[name].insert_many(documents)
    found = DialingContext(store, ROOT)
    await found._look_up({name: [document["_id"] for document in documents] for name, documents in everything.items()})
    assert len(found.organizations) == AT_MOST["organizations"]
    assert len(found.campaigns) == AT_MOST["campaigns"]
    assert len(found._small_configurations) == AT_MOST["campaigns"]


async def test_a_configuration_is_read_whatever_its_size(store: Store) -> None:
    """The small one with its campaigns, the large one by itself, which gives each campaign its own all the same."""
    await store["shards"].insert_one({"_id": NOBODY})
    organization = await add_organization(store)
    small = await add_configuration(store, organization, max_attempts=4)
    large = await add_configuration(store, organization, max_attempts=7, name="n" * SMALL_BYTES)
    contacts = []
    for number, configuration in enumerate((small, small, large)):
        campaign = await add_campaign(store, organization, configuration)
        contacts.append(contact_document(organization, campaign, number))
    found = DialingContext(store, ROOT)
    await found.load(contacts)
    assert [found.retry_policy(contact).max_attempts for contact in contacts] == [4, 4, 7]
