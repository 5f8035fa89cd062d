"""Contacts in a real MongoDB: upserts by id and external_id, renames, do-not-call, lists, deletion."""

import asyncio
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.campaign import CampaignMove
from shared.domain.contact import ContactStatus, Tier
from shared.domain.contact_input import ContactInput, prepare_contacts
from shared.domain.contact_record import Contact
from shared.domain.ids import default_campaign_id
from shared.domain.row_remarks import RemarkCode
from shared.domain.upload import UpsertResult
from shared.errors import Conflict, NotFound, WrongState
from shared.store.catalog.campaigns import NewCampaign, create_campaign, move_campaign
from shared.store.catalog.do_not_call import add_numbers
from shared.store.catalog.organizations import create_organization
from shared.store.client import Document, Store
from shared.store.contacts.deletion import request_deletion
from shared.store.contacts.ingest_batches import (
    BatchRow,
    BatchStatus,
    IngestBatch,
    get_ingest_batch,
    refuse_ingest_batch,
)
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.queries import get_contact, list_contacts
from shared.store.contacts.upsert import upsert_contacts
from shared.store.reports.counters import campaign_counts
from tests.factories import ALWAYS_OPEN

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
NUMBER = "+14155550100"
OTHER_NUMBER = "+14155550199"


@dataclass(frozen=True)
class Place:
    """One campaign to fill."""

    store: Store
    organization_id: str
    shard: int
    campaign_id: str

    async def put(
        self, *contacts: dict[str, Any], now: datetime = NOW, batch: IngestBatch | None = None
    ) -> UpsertResult:
        inputs = [ContactInput.model_validate({"phone_numbers": [NUMBER], **contact}) for contact in contacts]
        is_default = self.campaign_id.startswith("default:")
        prepared = prepare_contacts(inputs, default_country_code="+1", strict_e164=is_default)
        assert not prepared.problems
        return await upsert_contacts(
            self.store,
            organization_id=self.organization_id,
            shard=self.shard,
            campaign_id=self.campaign_id,
            rows=prepared.rows,
            warnings=prepared.warnings,
            source="api-0",
            now=now,
            batch=batch,
        )

    async def document(self, contact_id: str | None) -> Document:
        found = await self.store["contacts"].find_one({"_id": contact_id})
        assert found is not None
        return found

    async def get(self, key: str) -> Document:
        return await self.document((await self.shown(key)).id)

    async def shown(self, key: str) -> Contact:
        return await get_contact(self.store, self.organization_id, self.campaign_id, key, NOW)

    async def delete(self, key: str) -> str:
        return await request_deletion(self.store, self.organization_id, self.campaign_id, key, now=NOW)

    async def added(self) -> tuple[int, int]:
        counts = await campaign_counts(self.store, self.campaign_id)
        return counts.pending, counts.skipped


@pytest.fixture
async def place(store: Store) -> Place:
    organization = await create_organization(store, name="o", default_agent_number="+14155550100", now=NOW)
    configuration_id = str(uuid.uuid4())
    await store["configurations"].insert_one(
        {
            "_id": configuration_id,
            "organization_id": organization.id,
            "campaign_count": 0,
            "default_windows": ALWAYS_OPEN,
            "agent_id": "agent-1",
        }
    )
    campaign = await create_campaign(
        store,
        organization.id,
        NewCampaign("c", configuration_id, None, 1, None, None, None),
        NOW,
    )
    return Place(store, organization.id, organization.shard, campaign.id)


@pytest.fixture
def default_place(place: Place) -> Place:
    return replace(place, campaign_id=default_campaign_id(place.organization_id))


async def test_a_new_contact_is_pending_and_fresh_and_due_at_once(place: Place) -> None:
    result = await place.put({"external_id": "lead-1", "data": {"first_name": "Ada"}, "timezone": "Europe/Berlin"})

    assert (result.inserted, result.updated, result.failed, result.warnings) == (1, 0, (), ())
    stored = await place.document(result.contact_ids[0])
    assert stored["_id"] == str(uuid.uuid5(uuid.UUID(place.campaign_id), "lead-1"))
    assert (stored["status"], stored["tier"], stored["due_at"], stored["attempts_made"]) == ("pending", 0, NOW, 0)
    assert (stored["data"], stored["phone_numbers"]) == ({"first_name": "Ada"}, [NUMBER])
    assert await place.added() == (1, 0)
    source = await place.store["counters_in"].find_one({"_id": f"{place.campaign_id}/api-0"})
    assert source is not None
    assert (source["zones"], source["shard"]) == (["Europe/Berlin"], place.shard)


async def test_the_same_request_again_updates_and_adds_nothing(place: Place) -> None:
    first = await place.put({"external_id": "a"}, {"external_id": "b"})
    again = await place.put({"external_id": "a"}, {"external_id": "b"})

    assert (again.inserted, again.updated, again.contact_ids) == (0, 2, first.contact_ids)
    assert await place.added() == (2, 0)


async def test_a_field_left_out_stays_and_null_clears_it(place: Place) -> None:
    await place.put({"external_id": "a", "data": {"x": 1}, "agent_id": "agent", "initial_context": "hello"})
    await place.put(
        {"external_id": "a", "agent_id": None, "phone_numbers": [OTHER_NUMBER]}, now=NOW + timedelta(hours=1)
    )
    kept = await place.get("a")
    assert (kept["data"], kept["agent_id"], kept["initial_context"]) == ({"x": 1}, None, "hello")
    assert (kept["phone_numbers"], kept["updated_at"], kept["created_at"]) == (
        [OTHER_NUMBER],
        NOW + timedelta(hours=1),
        NOW,
    )
    await place.put({"external_id": "a", "data": None})
    assert (await place.get("a"))["data"] == {}


@pytest.mark.parametrize(
    "data",
    [
        {"$gt": ""},
        {"$where": "1", "nested": {"$set": {"a.b": "$status"}}},
        {"a.b": 1, "": "empty", ".": {"": []}},
        {"big": 2**63 - 1, "small": -(2**63), "float": -0.5, "yes": True, "none": None},
        {"text": "a\\u0000b", "emoji": "😀", "rtl": "\u202e"},
        {"$id": 1, "_id": 1, "__proto__": {}, "constructor": []},
    ],
)
@pytest.mark.parametrize("scheduled", [{}, {"scheduled_at": "2026-08-01T00:00:00Z"}], ids=["plain", "scheduled"])
async def test_any_json_comes_back_as_it_was_sent(
    place: Place, data: dict[str, Any], scheduled: dict[str, Any]
) -> None:
    contact = {"external_id": "a", "data": data, "agent_config": data, "initial_context": data}
    await place.put({**contact, **scheduled})
    await place.put({"external_id": "b"})
    await place.put({**contact, "external_id": "b", **scheduled})
    for key in ("a", "b"):
        shown = await place.shown(key)
        assert (shown.data, shown.agent_config, shown.initial_context) == (data, data, data)


async def test_an_update_leaves_the_dialing_state_alone(place: Place) -> None:
    result = await place.put({"external_id": "a"})
    lock = {"claim": "c", "attempt": "a", "phone": NUMBER, "expires_at": NOW}
    await place.store["contacts"].update_one(
        {"_id": result.contact_ids[0]}, {"$set": {"status": "locked", "lock": lock, "attempts_made": 2}}
    )
    await place.put({"external_id": "a", "phone_numbers": [OTHER_NUMBER], "scheduled_at": "2026-08-01T00:00:00Z"})
    stored = await place.get("a")
    assert (stored["status"], stored["attempts_made"]) == ("locked", 2)
    assert {name: stored["lock"][name] for name in lock} == lock
    assert (stored["tier"], stored["due_at"]) == (Tier.FRESH, NOW)
    assert stored["phone_numbers"] == [OTHER_NUMBER]


async def test_a_contact_never_dialed_is_due_at_its_new_scheduled_time(place: Place) -> None:
    await place.put({"external_id": "a", "data": {"price": "$due_at"}})
    later = datetime(2026, 8, 1, tzinfo=UTC)
    await place.put({"external_id": "a", "scheduled_at": later.isoformat(), "initial_context": "$created_at"})
    stored = await place.get("a")
    assert (stored["tier"], stored["due_at"], stored["scheduled_at"]) == (Tier.SCHEDULED, later, later)
    assert stored["initial_context"] == "$created_at"
    await place.put({"external_id": "a", "scheduled_at": None})
    stored = await place.get("a")
    assert (stored["tier"], stored["due_at"], stored["scheduled_at"]) == (Tier.FRESH, NOW, None)


async def test_an_id_of_another_campaign_is_inserted_under_a_new_id(place: Place, default_place: Place) -> None:
    elsewhere = (await default_place.put({"timezone": "UTC"})).contact_ids[0]
    result = await place.put(
        {"id": elsewhere}, {"id": str(uuid.uuid4()), "external_id": "a", "phone_numbers": [OTHER_NUMBER]}
    )
    assert result.inserted == 2
    assert elsewhere not in result.contact_ids
    assert [warning.index for warning in result.warnings] == [0, 1]


async def test_id_and_external_id_of_two_contacts_fail_the_row_and_no_other(place: Place) -> None:
    ids = (await place.put({"external_id": "a"}, {"external_id": "b"})).contact_ids
    result = await place.put({"external_id": "c"}, {"id": ids[0], "external_id": "b"}, {"external_id": "d"})
    assert result.inserted == 2
    assert [(failure.index, failure.external_id) for failure in result.failed] == [(1, "b")]
    assert [contact_id is None for contact_id in result.contact_ids] == [False, True, False]


async def test_a_contact_renamed_by_its_id_is_found_by_the_new_name_only(place: Place) -> None:
    contact_id = (await place.put({"external_id": "old"})).contact_ids[0]
    assert contact_id is not None
    result = await place.put({"id": contact_id, "external_id": "new"})
    assert (result.updated, result.contact_ids) == (1, (contact_id,))
    assert (await place.get("new"))["_id"] == contact_id
    with pytest.raises(NotFound):
        await place.get("old")

    successor = (await place.put({"external_id": "old"})).contact_ids[0]
    assert successor != contact_id
    assert (await place.get("old"))["_id"] == successor
    assert (await place.put({"external_id": "new"})).contact_ids == (contact_id,)
    # And back again, once the name is free.
    await place.put({"id": successor, "external_id": None})
    assert (await place.put({"id": contact_id, "external_id": "old"})).contact_ids == (contact_id,)
    assert (await place.get("old"))["_id"] == contact_id


async def test_a_rename_and_an_insert_of_one_name_at_once_make_one_contact(place: Place) -> None:
    for round_ in range(15):
        name = f"wanted-{round_}"
        contact_id = (await place.put({})).contact_ids[0]
        await asyncio.gather(place.put({"id": contact_id, "external_id": name}), place.put({"external_id": name}))
        assert await place.store["contacts"].count_documents({"external_id": name}) == 1


async def test_a_contact_being_deleted_counts_as_absent(place: Place) -> None:
    first = (await place.put({"external_id": "a"})).contact_ids[0]
    assert await place.delete("a") == first
    second = await place.put({"external_id": "a"})
    assert second.inserted == 1
    assert second.contact_ids[0] != first
    assert (await place.get("a"))["_id"] == second.contact_ids[0]
    # The scheduler removes the first one; the name still leads to the second.
    await place.store["contacts"].delete_one({"_id": first})
    assert (await place.put({"external_id": "a"})).contact_ids == second.contact_ids


async def test_requests_at_once_with_the_same_contacts_insert_each_once(place: Place) -> None:
    contacts = [{"external_id": f"x{n}"} for n in range(50)]
    results = await asyncio.gather(*(place.put(*contacts) for _ in range(6)))
    assert sum(result.inserted for result in results) == 50
    assert sum(result.updated for result in results) == 250
    assert len({result.contact_ids for result in results}) == 1
    assert await place.store["contacts"].count_documents({}) == 50
    assert await place.added() == (50, 0)


async def test_the_same_contact_by_id_and_by_external_id_in_one_request_counts_once(place: Place) -> None:
    contact_id = (await place.put({"external_id": "a"})).contact_ids[0]
    result = await place.put({"id": contact_id, "agent_id": "first"}, {"external_id": "a", "agent_id": "last"})
    assert (result.updated, result.contact_ids) == (1, (contact_id, contact_id))
    assert [warning.index for warning in result.warnings] == [0]
    assert (await place.get("a"))["agent_id"] == "last"


async def test_numbers_on_the_do_not_call_list(place: Place) -> None:
    await add_numbers(place.store, place.organization_id, [NUMBER], None, NOW)
    result = await place.put({}, {"phone_numbers": [NUMBER, OTHER_NUMBER]}, {"phone_numbers": [OTHER_NUMBER]})
    stored = [(await place.document(contact_id))["status"] for contact_id in result.contact_ids]
    assert stored == ["skipped", "pending", "pending"]
    listed = [warning for warning in result.warnings if warning.remark.code is RemarkCode.LISTED]
    assert [(warning.index, warning.remark.facts["whole"]) for warning in listed] == [(0, 1), (1, 0)]
    assert await place.added() == (2, 1)


async def test_a_closed_campaign_takes_no_contacts(place: Place) -> None:
    await move_campaign(place.store, place.organization_id, place.campaign_id, CampaignMove.CANCEL, NOW)
    with pytest.raises(WrongState, match="cancelled"):
        await place.put({"external_id": "a"})
    assert await place.store["contacts"].count_documents({}) == 0
    with pytest.raises(NotFound):
        await replace(place, campaign_id=str(uuid.uuid4())).put({})


async def test_five_thousand_rows_are_stored_in_the_order_of_the_request(place: Place) -> None:
    contacts = [{"external_id": f"x{n}"} for n in range(5000)]
    contacts[4999] = {"external_id": "x0"}
    result = await place.put(*contacts)
    assert (result.inserted, len(result.contact_ids)) == (4999, 5000)
    assert result.contact_ids[0] == result.contact_ids[4999]
    scope = ContactsOf(place.organization_id, place.shard, place.campaign_id)
    assert result.contact_ids[:4999] == tuple(scope.derived_id(f"x{n}") for n in range(4999))
    page = await list_contacts(
        place.store, place.organization_id, place.campaign_id, status=None, limit=3, offset=1001, now=NOW
    )
    assert [contact.external_id for contact in page.rows] == ["x1001", "x1002", "x1003"]
    assert page.total == 4999


async def test_a_batch_is_applied_once_even_by_several_at_once(place: Place) -> None:
    batch = IngestBatch("b-1", place.campaign_id, 3, (BatchRow(2, None, "timezone", "no such zone"),), NOW, "digest")
    results = await asyncio.gather(*(place.put({}, {"external_id": "a"}, batch=batch) for _ in range(4)))
    assert [result.inserted for result in results] == [2] * 4
    assert sorted(result.repeated for result in results) == [False, True, True, True]
    assert await place.store["contacts"].count_documents({}) == 2
    stored = await get_ingest_batch(place.store, place.organization_id, "b-1")
    assert (stored.status, stored.received, stored.inserted, stored.failed) == (BatchStatus.DONE, 3, 2, batch.failed)

    assert not await refuse_ingest_batch(place.store, place.organization_id, batch, reason="late", now=NOW)
    assert await get_ingest_batch(place.store, place.organization_id, "b-1") == stored


async def test_a_refused_batch_may_be_applied_later(place: Place) -> None:
    batch = IngestBatch("b-1", "unknown", 1, (), NOW, "digest")
    assert await refuse_ingest_batch(place.store, place.organization_id, batch, reason="no such campaign", now=NOW)
    refused = await get_ingest_batch(place.store, place.organization_id, "b-1")
    assert (refused.status, refused.reason) == (BatchStatus.REFUSED, "no such campaign")
    assert (await place.put({}, batch=replace(batch, campaign_id=place.campaign_id))).inserted == 1
    assert (await get_ingest_batch(place.store, place.organization_id, "b-1")).status == BatchStatus.DONE


async def test_lists_and_their_totals_leave_out_what_is_being_deleted(place: Place) -> None:
    await place.put(*({"external_id": f"x{n}"} for n in range(5)))
    await place.delete("x1")

    async def listed(status: ContactStatus | None, limit: int, offset: int) -> tuple[list[str | None], int]:
        page = await list_contacts(
            place.store, place.organization_id, place.campaign_id, status=status, limit=limit, offset=offset, now=NOW
        )
        return [contact.external_id for contact in page.rows], page.total

    assert await listed(None, 10, 0) == (["x0", "x2", "x3", "x4"], 4)
    assert await listed(None, 2, 1) == (["x2", "x3"], 4)
    assert await listed(None, 2, 100) == ([], 4)
    assert await listed(ContactStatus.PENDING, 1, 0) == (["x0"], 4)
    assert await listed(ContactStatus.LOCKED, 1, 1) == ([], 0)
    assert await listed(ContactStatus.COMPLETED, 1, 5) == ([], 0)


async def test_deleting_is_refused_while_the_contact_is_being_called(place: Place) -> None:
    contact_id = (await place.put({"external_id": "a"})).contact_ids[0]
    assert contact_id is not None
    for status in ("locked", "in_progress"):
        await place.store["contacts"].update_one({"_id": contact_id}, {"$set": {"status": status}})
        with pytest.raises(Conflict):
            await place.delete(contact_id)
    await place.store["contacts"].update_one({"_id": contact_id}, {"$set": {"status": "completed"}})
    assert await place.delete(contact_id) == contact_id
    with pytest.raises(NotFound):
        await place.delete(contact_id)
    with pytest.raises(NotFound):
        await place.get(contact_id.upper())


@pytest.mark.parametrize("key", ["nobody", "\ud800", "a\x00b", "default", "", str(uuid.uuid4())])
async def test_a_contact_that_is_not_there_is_not_found(place: Place, key: str) -> None:
    with pytest.raises(NotFound):
        await place.get(key)


async def test_contacts_of_another_organization_are_not_found(place: Place) -> None:
    contact_id = (await place.put({"external_id": "a"})).contact_ids[0]
    assert contact_id is not None
    with pytest.raises(NotFound):
        await replace(place, organization_id=str(uuid.uuid4())).get(contact_id)
