"""Every list by cursor and by page number with a total."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import create_autospec

import pytest

from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain.campaign import CampaignState
from shared.domain.contact import ContactStatus
from shared.domain.page import NumberedPage, Page
from shared.domain.webhooks import DeliveryState
from shared.engine import caller_numbers, campaigns, configurations, contacts, do_not_call, ingest_batches
from shared.engine.engine import Engine
from shared.engine.file_places import file_place
from shared.engine.hints import Hints
from shared.errors import InvalidCursor
from shared.settings import FileSettings
from shared.store.client import Document, Store
from shared.store.contacts.ingest_batches import IngestBatch, refuse_ingest_batch
from shared.store.paging import encode_cursor, newest_first
from tests.factories import add_caller_number, add_campaign, add_configuration, add_contacts, add_organization
from tests.reads import documents_read

NOW = utc_now()
ROWS = 7
# By the keywords `cursor` and `limit`, or `offset` and `limit`.
ByCursor = Callable[..., Awaitable[Page[Any]]]
ByNumber = Callable[..., Awaitable[NumberedPage[Any]]]


async def test_a_page_of_deliveries_reads_none_of_those_before_it(store: Store) -> None:
    states = [state.value for state in DeliveryState]
    mine = {"organization_id": "o", "webhook_id": "w"}
    rows: list[dict[str, Any]] = [
        {**mine, "_id": f"{number:04}", "state": states[number % 3], "created_at": NOW - timedelta(seconds=number)}
        for number in range(300)
    ]
    await store["deliveries"].insert_many(rows)
    cursor = encode_cursor(rows[199]["created_at"], rows[199]["_id"])
    async with documents_read(store, "deliveries", "webhook_id") as read:
        found = {**mine, "state": {"$in": states}}
        page = await newest_first(store["deliveries"], found, cursor=cursor, limit=20)
    assert [row["_id"] for row in page.rows] == [row["_id"] for row in rows[200:220]]
    assert sum(read) <= 20 + len(states)


@pytest.fixture
def engine(store: Store) -> Engine:
    return Engine(
        store, Hints(create_autospec(Producer, instance=True)), "api-0", file_place(FileSettings(), store, None)
    )


@pytest.fixture
async def organization(store: Store) -> Document:
    return await add_organization(store)


async def all_by_cursor(read: ByCursor, limit: int) -> list[Any]:
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        page = await read(cursor=cursor, limit=limit)
        rows += page.rows
        if page.next_cursor is None:
            return rows
        cursor = page.next_cursor


async def all_by_number(read: ByNumber, limit: int, expected: int) -> list[Any]:
    rows: list[Any] = []
    for offset in range(0, expected + 2 * limit, limit):
        page = await read(offset=offset, limit=limit)
        assert page.total == expected, f"from {offset} on"
        rows += page.rows
    return rows


async def both(by_cursor: ByCursor, by_number: ByNumber, expected: int) -> Sequence[Any]:
    everything = (await by_cursor(cursor=None, limit=100)).rows
    assert len(everything) == expected
    for limit in (1, 3, expected, 100):
        assert await all_by_cursor(by_cursor, limit) == everything
        assert await all_by_number(by_number, limit, expected) == everything
    return everything


async def test_campaigns_with_and_without_filters(store: Store, engine: Engine, organization: Document) -> None:
    for number in range(ROWS):
        at = NOW - timedelta(seconds=number // 2)
        await add_campaign(store, organization, name=f"Spring {number}", intent="paused", created_at=at)
    await add_campaign(store, organization, name="Autumn")
    await add_campaign(store, await add_organization(store), name="Spring of others")
    everybody: dict[str, Any] = {"name_contains": "", "states": [], "now": NOW}
    paused: dict[str, Any] = {"name_contains": "spring", "states": [CampaignState.PAUSED], "now": NOW}
    for filters, expected in ((everybody, ROWS + 1), (paused, ROWS)):
        rows = await both(
            partial(campaigns.list_campaigns, engine, organization["_id"], **filters),
            partial(campaigns.numbered_campaigns, engine, organization["_id"], **filters),
            expected,
        )
        assert {row.organization_id for row in rows} == {organization["_id"]}


async def test_the_do_not_call_list(store: Store, engine: Engine, organization: Document) -> None:
    numbers = [f"+1415200000{number}" for number in range(ROWS)]
    await do_not_call.stop_numbers(engine, organization["_id"], numbers, None, NOW)
    rows = await both(
        partial(do_not_call.list_numbers, engine, organization["_id"]),
        partial(do_not_call.numbered_entries, engine, organization["_id"]),
        ROWS,
    )
    assert {row.phone_number for row in rows} == set(numbers)


async def test_caller_numbers_of_all_pools_and_of_one(store: Store, engine: Engine, organization: Document) -> None:
    for number in range(ROWS):
        await add_caller_number(store, organization, f"+1202555011{number}", pools=["west"] if number else [])
    for pool, expected in ((None, ROWS), ("west", ROWS - 1)):
        await both(
            partial(caller_numbers.list_numbers, engine, organization["_id"], pool=pool),
            partial(caller_numbers.numbered_numbers, engine, organization["_id"], pool=pool),
            expected,
        )


async def test_configurations_with_and_without_those_of_single_campaigns(
    store: Store, engine: Engine, organization: Document
) -> None:
    for number in range(ROWS):
        await add_configuration(store, organization, created_at=NOW - timedelta(seconds=number // 2))
    await add_configuration(store, organization, campaign_id="campaign-1")
    await add_configuration(store, organization, deleted_at=NOW)
    await add_configuration(store, await add_organization(store))
    for private, expected in ((False, ROWS), (True, ROWS + 1)):
        await both(
            partial(configurations.list_configurations, engine, organization["_id"], private=private),
            partial(configurations.numbered_configurations, engine, organization["_id"], private=private),
            expected,
        )


async def test_ingest_batches(store: Store, engine: Engine, organization: Document) -> None:
    others = await add_organization(store)
    for number in range(ROWS):
        batch = IngestBatch(f"batch-{number}", "unknown", 1, (), NOW - timedelta(seconds=number // 2), "digest")
        for whose in (organization, others):
            assert await refuse_ingest_batch(store, whose["_id"], batch, reason="no such campaign", now=NOW)
    rows = await both(
        partial(ingest_batches.list_ingest_batches, engine, organization["_id"]),
        partial(ingest_batches.numbered_ingest_batches, engine, organization["_id"]),
        ROWS,
    )
    assert {row.batch_id for row in rows} == {f"batch-{number}" for number in range(ROWS)}


async def test_contacts_of_all_statuses_and_of_one(store: Store, engine: Engine, organization: Document) -> None:
    campaign = await add_campaign(store, organization)
    for second in range(2):
        await add_contacts(store, organization, campaign, 3, created_at=NOW + timedelta(seconds=second))
    skipped = await add_contacts(store, organization, campaign, 1, created_at=NOW + timedelta(minutes=1))
    where = {"_id": skipped[0]["_id"]}
    await store["contacts"].update_one(where, {"$set": {"status": "skipped", "ended_because": "cancelled"}})
    await store["counters"].insert_one({"_id": campaign["_id"], "pending": -1, "skipped": 1})
    for status, expected in ((None, ROWS), (ContactStatus.PENDING, ROWS - 1), (ContactStatus.SKIPPED, 1)):
        await both(
            partial(contacts.contacts_after, engine, organization["_id"], campaign["_id"], status=status, now=NOW),
            partial(contacts.list_contacts, engine, organization["_id"], campaign["_id"], status=status, now=NOW),
            expected,
        )


async def test_contacts_that_share_a_millisecond_and_a_place_are_on_one_page(
    store: Store, engine: Engine, organization: Document
) -> None:
    campaign = await add_campaign(store, organization)
    for _ in range(3):
        await add_contacts(store, organization, campaign, 2, created_at=NOW)

    ids = organization["_id"], campaign["_id"]
    read = partial(contacts.contacts_after, engine, *ids, status=None, now=NOW)
    first = await read(cursor=None, limit=1)
    assert len(first.rows) == 3
    assert len({row.id for row in await all_by_cursor(read, 1)}) == 6


@pytest.mark.parametrize("cursor", ["", "nonsense", encode_cursor(NOW, "a"), encode_cursor(NOW, "-1"), "9" * 900])
async def test_a_cursor_that_no_page_gave_is_refused(engine: Engine, organization: Document, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await contacts.contacts_after(
            engine, organization["_id"], "default", status=None, cursor=cursor, limit=1, now=NOW
        )
