"""Contacts looked up in a real MongoDB: while a request is stored, and in lists by status."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.contact_input import ContactInput, prepare_contacts
from shared.domain.upload import UpsertResult
from shared.store.client import Store
from shared.store.contacts.matching import ContactsOf, look_up_new, look_up_rows
from shared.store.contacts.upsert import upsert_contacts
from tests.factories import add_campaign, add_configuration, add_organization

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
NUMBER = "+14155550100"


@dataclass(frozen=True)
class Place:
    """One campaign to fill."""

    store: Store
    organization_id: str
    shard: int
    campaign_id: str

    async def put(self, *contacts: dict[str, Any]) -> UpsertResult:
        inputs = [ContactInput.model_validate({"phone_numbers": [NUMBER], **contact}) for contact in contacts]
        return await upsert_contacts(
            self.store,
            organization_id=self.organization_id,
            shard=self.shard,
            campaign_id=self.campaign_id,
            rows=prepare_contacts(inputs, default_country_code="+1", strict_e164=False).rows,
            source="api-0",
            now=NOW,
        )


@pytest.fixture
async def place(store: Store) -> Place:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization, await add_configuration(store, organization))
    return Place(store, organization["_id"], organization["shard"], campaign["_id"])


async def test_a_name_that_was_given_to_a_contact_since_rows_were_looked_up_is_seen_as_they_are_inserted(
    place: Place,
) -> None:
    scope = ContactsOf(place.organization_id, place.shard, place.campaign_id)
    rows = prepare_contacts(
        [ContactInput(external_id=name, phone_numbers=[NUMBER]) for name in ("free", "wanted")],
        default_country_code="+1",
        strict_e164=False,
    ).rows
    before = await look_up_rows(place.store, scope, rows)
    contact_id = (await place.put({})).contact_ids[0]
    await place.put({"id": contact_id, "external_id": "wanted"})
    now = await place.store.in_transaction(lambda session: look_up_new(place.store, scope, rows, before, session))
    assert now.by_external_id("free") is None
    holder = now.by_external_id("wanted")
    assert holder is not None
    assert holder["_id"] == contact_id
