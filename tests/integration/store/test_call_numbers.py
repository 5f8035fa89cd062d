"""Calls are numbered in their organization, as they begin; those of earlier releases by the migration."""

import asyncio
import random
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.domain.call_numbers import microseconds
from shared.store.client import Document, Store
from shared.store.migrations import call_numbers
from shared.store.migrations.call_numbers import CALL_NUMBERS
from tests.factories import add_organization, new_id

NOW = utc_now()


async def run(store: Store) -> int:
    found = 0
    while some := await CALL_NUMBERS.change_some(store):
        found += some
    return found


async def unnumbered(store: Store, organization: Document, count: int) -> list[str]:
    """Attempts as an earlier release has left them, ids in the order in which they began; several at one instant."""
    attempts = [
        {
            "_id": new_id(),
            "organization_id": organization["_id"],
            "contact_id": new_id(),
            "outcome": "busy",
            # Of a late report only the end is known.
            "started_at": None if place % 5 == 0 else NOW - timedelta(minutes=place // 3),
            "ended_at": NOW - timedelta(minutes=place // 3),
        }
        for place in range(count)
    ]
    random.Random(3).shuffle(attempts)
    await store["attempts"].insert_many(attempts)
    attempts.sort(key=lambda a: (a["started_at"] or a["ended_at"], a["_id"]))
    return [str(attempt["_id"]) for attempt in attempts]


async def test_attempts_without_a_number_get_theirs_in_order_also_by_runs_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_numbers, "BATCH", 4)
    acme, beta = await add_organization(store), await add_organization(store)
    of_acme, of_beta = await unnumbered(store, acme, 23), await unnumbered(store, beta, 5)
    assert await CALL_NUMBERS.count(store) == 28
    await asyncio.gather(run(store), run(store))
    for organization, ids in ((acme, of_acme), (beta, of_beta)):
        found = await store["attempts"].find({"organization_id": organization["_id"]}).sort("call_number", 1).to_list()
        assert [attempt["_id"] for attempt in found] == ids
        assert len({attempt["call_number"] for attempt in found}) == len(ids)
        assert all(attempt["created_at"] == (attempt["started_at"] or attempt["ended_at"]) for attempt in found)
        assert found[-1]["call_number"] < microseconds(utc_now())
    assert await run(store) == 0


async def test_a_run_that_was_killed_goes_on_and_changes_no_number(store: Store) -> None:
    acme = await add_organization(store)
    ids = await unnumbered(store, acme, 12)
    await run(store)
    before = {a["_id"]: a["call_number"] async for a in store["attempts"].find()}
    lost = [ids[1], ids[2], ids[7]]
    await store["attempts"].update_many({"_id": {"$in": lost}}, {"$unset": {"call_number": "", "created_at": ""}})
    assert await run(store) == 3
    assert {a["_id"]: a["call_number"] async for a in store["attempts"].find()} == before
