"""Contacts looked up in a real MongoDB: while a request is stored, and in lists by status."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.contact_input import ContactInput, prepare_contacts
from shared.domain.upload import UpsertResult
from shared.store.client import Store
from shared.store.contacts import queries
from shared.store.contacts.matching import ContactsOf, look_up_new, look_up_rows
from shared.store.contacts.queries import contacts_after, list_contacts
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


@pytest.mark.parametrize("few", [0, 5_000])
async def test_contacts_of_a_status_are_listed_oldest_first_by_whatever_index(
    place: Place, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "FEW_WAITING", few)
    contacts, counters = place.store["contacts"], place.store["counters"]
    await place.put(*({"external_id": f"x{n}", "priority": n} for n in range(8)))
    statuses = {"x1": "locked", "x5": "locked", "x2": "in_progress", "x6": "in_progress", "x3": "completed"}
    for n in range(8):
        # Those stored last are the oldest.
        status = ContactStatus(statuses.get(f"x{n}", "pending"))
        lock = {"attempt": str(uuid.uuid4()), "attempt_number": 1, "phone": NUMBER} if status in ACTIVE else None
        change = {"created_at": NOW - timedelta(seconds=n), "status": status.value, "lock": lock}
        await contacts.update_one({"external_id": f"x{n}"}, {"$set": change})
    moved = {"pending": -5, "active": 4, "completed": 1}
    await counters.update_one({"_id": place.campaign_id}, {"$inc": moved}, upsert=True)
    ids = place.organization_id, place.campaign_id

    async def listed(status: ContactStatus, limit: int, offset: int) -> tuple[list[str | None], int]:
        page = await list_contacts(place.store, *ids, status=status, limit=limit, offset=offset, now=NOW)
        return [contact.external_id for contact in page.rows], page.total

    async def followed(status: ContactStatus) -> list[str | None]:
        names: list[str | None] = []
        cursor: str | None = None
        while True:
            page = await contacts_after(place.store, *ids, status=status, cursor=cursor, limit=1, now=NOW)
            names += [contact.external_id for contact in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                return names

    expected = {
        ContactStatus.PENDING: ["x7", "x4", "x0"],
        ContactStatus.LOCKED: ["x5", "x1"],
        ContactStatus.IN_PROGRESS: ["x6", "x2"],
        ContactStatus.COMPLETED: ["x3"],
        ContactStatus.ERROR: [],
    }
    for status, names in expected.items():
        assert await listed(status, 10, 0) == (names, len(names))
        assert await listed(status, 1, 1) == (names[1:2], len(names))
        assert await followed(status) == names
