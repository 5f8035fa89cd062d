"""Numbers come onto a do-not-call list: those who wait are skipped in parts, between which other work is done."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import pytest

from services.scheduler.shards.chores import Chores
from services.scheduler.shards.inbox import Chore
from services.scheduler.shards.memory import ShardMemory
from shared.clock import utc_now
from shared.errors import Unavailable
from shared.store.catalog.do_not_call import add_numbers, remove_number
from shared.store.client import Document, Store
from shared.store.dialing import newly_listed, shard_work
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, Swept, do_shard_work
from shared.store.reports.counters import campaign_counts
from tests.factories import add_campaign, add_contacts, add_organization, open_limits

PART = 500
MANY = 1_200
PHONE, FREE = "+14155550100", "+14155550199"
BY_LAW, FROM_ABROAD = "+541123456789", "+5491123456789"


@dataclass
class Shard:
    """One shard as its loop sees it, with one organization's campaign."""

    store: Store
    organization: Document
    campaign: Document
    owner: Ownership

    async def __aiter__(self) -> AsyncIterator[int]:
        """Sweep as a new owner would; after every step how many wait."""
        chores = await self.chores()
        while await chores.do(Chore.LISTED, utc_now()):
            yield await self.waiting()

    async def chores(self) -> Chores:
        memory = ShardMemory(self.store, self.owner.shard)
        await memory.load(utc_now())
        return Chores(self.store, self.owner, memory, lambda rests: None, lambda: None)

    async def waiting(self) -> int:
        return await self.store["contacts"].count_documents({"status": "pending"})

    async def list_numbers(self, *numbers: str) -> None:
        await add_numbers(self.store, self.organization["_id"], numbers, None, utc_now())

    async def add(self, count: int, **fields: object) -> list[Document]:
        return await add_contacts(self.store, self.organization, self.campaign, count, **fields)

    async def sweep(self) -> list[int]:
        return [waiting async for waiting in self]


@pytest.fixture
async def shard(store: Store) -> Shard:
    organization = await add_organization(store)
    owner = Ownership(organization["shard"], 0)
    await open_limits(store, owner.shard, 10)
    return Shard(store, organization, await add_campaign(store, organization), owner)


async def steps_of(chores: Chores) -> int:
    """Sweep until there is no more; the steps that had something."""
    steps = 0
    while await chores.do(Chore.LISTED, utc_now()):
        steps += 1
    return steps


async def test_many_contacts_are_skipped_in_parts_and_calls_are_claimed_in_between(shard: Shard) -> None:
    contacts = await shard.add(MANY)
    [other] = await shard.add(1, phone_numbers=[FREE])
    numbers = [number for contact in contacts for number in contact["phone_numbers"]]
    await shard.list_numbers(*numbers[:1000])
    await shard.list_numbers(*numbers[1000:])
    steps = []
    async for waiting in shard:
        steps.append(waiting)
        if len(steps) == 1:
            order = ClaimOrder([other["_id"]])
            done = await do_shard_work(shard.store, shard.owner, ShardWork(claim=order), utc_now())
            assert [job.contact_id for job in done.jobs] == [other["_id"]]
    assert all(before - after <= PART + 1 for before, after in zip([MANY + 1, *steps], steps, strict=False))
    assert steps[0] >= MANY + 1 - PART, "all of them in one part"
    assert steps[-1] == 0
    counts = await campaign_counts(shard.store, shard.campaign["_id"])
    assert (counts.pending, counts.skipped, counts.active) == (0, MANY, 1)


async def test_one_number_of_very_many_contacts_is_swept_in_parts_too(shard: Shard) -> None:
    await shard.add(MANY, phone_numbers=[PHONE])
    await shard.list_numbers(PHONE)
    steps = await shard.sweep()
    assert steps[:3] == [MANY - PART, MANY - 2 * PART, 0]
    assert set(await shard.sweep()) <= {0}, "a sweep of those who are done ends, too"


async def test_what_was_just_swept_is_not_swept_again_at_the_next_change(shard: Shard) -> None:
    await shard.add(MANY, phone_numbers=[PHONE])
    await shard.list_numbers(PHONE)
    chores = await shard.chores()
    assert await steps_of(chores) >= 3
    assert await steps_of(chores) == 1, "a page in which nothing is new"
    # Taken off and listed anew it is another entry.
    await remove_number(shard.store, shard.organization["_id"], PHONE)
    await shard.list_numbers(PHONE)
    assert await steps_of(chores) >= 3


async def test_contacts_with_another_number_stay_and_do_not_hold_the_sweep_up(shard: Shard) -> None:
    await shard.add(MANY, phone_numbers=[PHONE, FREE])
    await shard.add(7, phone_numbers=[PHONE])
    await shard.list_numbers(PHONE)
    assert (await shard.sweep())[-1] == MANY
    await shard.list_numbers(FREE)
    assert (await shard.sweep())[-1] == 0


async def test_a_listed_number_stops_those_who_have_it_in_another_spelling(shard: Shard) -> None:
    await shard.add(1, phone_numbers=[FROM_ABROAD])
    await shard.add(1, phone_numbers=[BY_LAW])
    await shard.list_numbers(FROM_ABROAD)
    assert (await shard.sweep())[-1] == 0


async def test_other_organizations_contacts_are_left_alone(shard: Shard) -> None:
    stranger = await add_organization(shard.store, shard=shard.owner.shard)
    await add_contacts(shard.store, stranger, await add_campaign(shard.store, stranger), 1, phone_numbers=[PHONE])
    await shard.add(1, phone_numbers=[PHONE])
    await shard.list_numbers(PHONE)
    assert (await shard.sweep())[-1] == 1


async def test_a_part_that_failed_is_done_again_and_no_other(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    await shard.add(MANY, phone_numbers=[PHONE])
    await shard.list_numbers(PHONE)
    asked: list[list[str]] = []
    really = shard_work.skip_listed

    async def fails_at_the_second(store: Store, owner: Ownership, contact_ids: list[str], now: datetime) -> Swept:
        asked.append(list(contact_ids))
        if len(asked) == 2:
            raise Unavailable("MongoDB", "gone")
        return await really(store, owner, contact_ids, now)

    monkeypatch.setattr(shard_work, "skip_listed", fails_at_the_second)
    chores = await shard.chores()
    assert await chores.do(Chore.LISTED, utc_now())
    with pytest.raises(Unavailable):
        await chores.do(Chore.LISTED, utc_now())
    await steps_of(chores)
    assert asked[1] == asked[2]
    assert [len(ids) for ids in asked] == [PART, PART, PART, MANY - 2 * PART]
    assert await shard.waiting() == 0


async def test_a_cursor_that_the_server_has_let_go_is_opened_anew(shard: Shard) -> None:
    await shard.add(MANY, phone_numbers=[PHONE])
    await shard.list_numbers(PHONE)
    chores = await shard.chores()
    assert await chores.do(Chore.LISTED, utc_now())
    cursor = chores._listed._contacts
    assert cursor is not None
    assert cursor.cursor_id
    await shard.store.db.command("killCursors", "contacts", cursors=[cursor.cursor_id])
    with pytest.raises(Unavailable, match="cursor"):
        await chores.do(Chore.LISTED, utc_now())
    await steps_of(chores)
    assert await shard.waiting() == 0


async def test_a_new_owner_goes_on_at_the_page_that_was_not_done(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of one entry, a minute apart, because stamps of the last seconds are looked at twice."""
    monkeypatch.setattr(newly_listed, "NUMBERS", 1)
    contacts = await shard.add(3)
    for contact in contacts:
        await shard.list_numbers(*contact["phone_numbers"])
    for minutes, contact in zip((3, 2, 1), contacts, strict=True):
        await shard.store["do_not_call"].update_one(
            {"phone_number": contact["phone_numbers"][0]},
            [
                {
                    "$set": {
                        "created_at": {
                            "$dateSubtract": {"startDate": "$created_at", "unit": "minute", "amount": minutes}
                        }
                    }
                }
            ],
        )
    former = await shard.chores()
    for _ in range(2):
        assert await former.do(Chore.LISTED, utc_now())
    assert await shard.waiting() == 1
    entries = shard.store["do_not_call"]
    await entries.delete_one({"phone_number": contacts[2]["phone_numbers"][0]})
    await shard.store["contacts"].update_many({}, {"$set": {"status": "pending"}})
    assert await shard.sweep() == [2], "only the last page that was done is looked at once more"


async def test_a_number_listed_behind_the_sweep_is_not_missed(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamped before an entry that the sweep has passed, as one of a slower gateway would be."""
    monkeypatch.setattr(newly_listed, "NUMBERS", 1)
    first, second, late = await shard.add(3)
    await shard.list_numbers(*first["phone_numbers"])
    await shard.list_numbers(*second["phone_numbers"])
    chores = await shard.chores()
    for _ in range(2):
        assert await chores.do(Chore.LISTED, utc_now())
    await shard.list_numbers(*late["phone_numbers"])
    entry = await shard.store["do_not_call"].find_one({"phone_number": first["phone_numbers"][0]})
    assert entry is not None
    await shard.store["do_not_call"].update_one(
        {"phone_number": late["phone_numbers"][0]}, {"$set": {"created_at": entry["created_at"]}}
    )
    chores.numbers_listed()
    await steps_of(chores)
    assert await shard.waiting() == 0
