"""Contacts of a campaign that have an upload's phones: found by one bounded look, whatever else has them."""

from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.contact_input import ContactInput, RowWarning, prepare_contacts
from shared.domain.shared_phones import COUNTED
from shared.store.client import Document, Store
from shared.store.contacts import duplicates
from shared.store.contacts.deletion import request_deletion
from shared.store.contacts.duplicates import contacts_with_phones
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.upsert import upsert_contacts
from tests.factories import add_campaign, add_contacts, add_organization

PHONE, OTHER = "+14155550100", "+14155550199"
BY_LAW, FROM_ABROAD = "+541123456789", "+5491123456789"


async def put(store: Store, campaign: Document, *contacts: dict[str, Any]) -> tuple[RowWarning, ...]:
    """Upload these; what is remarked."""
    prepared = prepare_contacts(
        [ContactInput.model_validate({"phone_numbers": [PHONE], **contact}) for contact in contacts],
        default_country_code=None,
        strict_e164=True,
    )
    result = await upsert_contacts(
        store,
        organization_id=campaign["organization_id"],
        shard=campaign["shard"],
        campaign_id=campaign["_id"],
        rows=prepared.rows,
        source="api-0",
        now=utc_now(),
    )
    return result.warnings


def scope_of(campaign: Document) -> ContactsOf:
    return ContactsOf(campaign["organization_id"], campaign["shard"], campaign["_id"])


async def test_contacts_stored_already_are_named_with_those_of_the_request(store: Store) -> None:
    campaign = await add_campaign(store, await add_organization(store))
    assert await put(store, campaign, {"external_id": "a"}, {"external_id": "b", "phone_numbers": [OTHER]}) == ()
    warnings = await put(store, campaign, {"external_id": "c"}, {"external_id": "d", "phone_numbers": [OTHER, PHONE]})
    said = {warning.external_id: warning.remark.facts["names"] for warning in warnings}
    assert said == {"c": ["a", "d"], "d": ["b", "a", "c"]}


async def test_a_contact_without_external_id_is_named_by_its_id(store: Store) -> None:
    campaign = await add_campaign(store, await add_organization(store))
    await put(store, campaign, {"phone_numbers": [FROM_ABROAD]})
    stored = await store["contacts"].find_one()
    assert stored is not None
    [warning] = await put(store, campaign, {"phone_numbers": [BY_LAW]})
    assert warning.remark.facts["names"] == [stored["_id"]]


async def test_the_same_upload_again_is_no_duplicate_of_itself(store: Store) -> None:
    campaign = await add_campaign(store, await add_organization(store))
    for _ in range(2):
        assert await put(store, campaign, {"external_id": "a"}) == ()
    # Who gives the phone up in the same request does not share it.
    moved = {"external_id": "a", "phone_numbers": [OTHER]}
    assert await put(store, campaign, moved, {"external_id": "b"}) == ()


async def test_other_campaigns_other_organizations_and_deleted_contacts_are_not_named(store: Store) -> None:
    organization = await add_organization(store)
    campaign, elsewhere = await add_campaign(store, organization), await add_campaign(store, organization)
    stranger = await add_campaign(store, await add_organization(store))
    await put(store, elsewhere, {"external_id": "elsewhere"})
    await put(store, stranger, {"external_id": "stranger"})
    await put(store, campaign, {"external_id": "deleted"})
    await request_deletion(store, organization["_id"], campaign["_id"], "deleted", now=utc_now())
    assert await put(store, campaign, {"external_id": "a"}) == ()


async def test_a_crowded_phone_does_not_hide_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "LOOKED_AT", 2 * COUNTED)
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 3 * COUNTED, phone_numbers=[PHONE])
    [other] = await add_contacts(store, organization, campaign, 1, phone_numbers=[OTHER])
    found = await contacts_with_phones(store, scope_of(campaign), [PHONE, OTHER])
    assert len(found) == 2 * COUNTED + 1
    assert found[-1].contact_id == other["_id"]
    [warning] = await put(store, campaign, {"external_id": "a"})
    assert (warning.remark.facts["more"], warning.remark.facts["at_least"]) == (COUNTED - 2, 1)


async def test_no_more_contacts_are_read_than_the_bound_allows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "LOOKED_AT", 50)
    organization = await add_organization(store)
    campaign, elsewhere = await add_campaign(store, organization), await add_campaign(store, organization)
    await add_contacts(store, organization, elsewhere, 200, phone_numbers=[PHONE])
    await store.db.command("profile", 2)
    assert await contacts_with_phones(store, scope_of(campaign), [PHONE]) == []
    await store.db.command("profile", 0)
    # Of this database alone: other tests use the server meanwhile.
    looked_at = [
        entry.get("docsExamined", 0) async for entry in store["system.profile"].find({"op": {"$ne": "insert"}})
    ]
    assert 50 <= sum(looked_at) <= 50 + 1
