"""Resets by pages: every contact that ended so is asked once, whatever happens between the requests."""

from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.domain.contact import ContactStatus
from shared.domain.reasons import EndReason
from shared.store.client import Document, Store
from shared.store.contacts import wishes
from shared.store.contacts.wishes import ResetPage, carry_out, reset_contacts
from shared.store.dialing.shard_transaction import Ownership
from tests.factories import add_campaign, add_contacts, add_organization, new_id, open_limits

NOW = utc_now()
NO_ANSWER: Document = {"status": ContactStatus.EXHAUSTED, "ended_because": EndReason.NO_ANSWER, "attempts_made": 3}


async def ended(store: Store, organization: Document, campaign: Document, count: int, **fields: object) -> list[str]:
    """Contacts that came with one upload and have ended, in the order of their places."""
    contacts = await add_contacts(store, organization, campaign, count, created_at=NOW, **{**NO_ANSWER, **fields})
    return [contact["_id"] for contact in contacts]


async def asked(store: Store) -> set[str]:
    """Contacts with a wish that is not carried out yet."""
    return {row["_id"] async for row in store["asks"].find()}


async def reset(
    store: Store, campaign: Document, cursor: str | None = None, because: EndReason | None = None
) -> ResetPage:
    return await reset_contacts(
        store,
        campaign["organization_id"],
        campaign["_id"],
        status=ContactStatus.EXHAUSTED,
        because=because,
        cursor=cursor,
        now=NOW,
    )


@pytest.mark.parametrize("because", [None, EndReason.NO_ANSWER])
async def test_each_is_asked_once_though_some_have_ended_the_same_way_again_between_the_pages(
    store: Store, monkeypatch: pytest.MonkeyPatch, because: EndReason | None
) -> None:
    monkeypatch.setattr(wishes, "MAX_RESET", 5)
    organization = await add_organization(store)
    await open_limits(store, organization["shard"], 10)
    owner = Ownership(organization["shard"], 0)
    campaign = await add_campaign(store, organization)
    contacts = await ended(store, organization, campaign, 12)
    cursor, pages = None, []
    for _ in range(3):
        page = await reset(store, campaign, cursor, because)
        pages.append(await asked(store))
        assert page.asked == len(pages[-1])
        await carry_out(store, owner, NOW)
        assert await asked(store) == set()
        assert await store["contacts"].count_documents({"status": "pending"}) == page.asked
        again = {**NO_ANSWER, "last_attempt": new_id(), "attempts_made": 4}
        await store["contacts"].update_many({"status": "pending"}, {"$set": again})
        cursor = page.next_cursor
    assert cursor is None
    assert pages == [set(contacts[:5]), set(contacts[5:10]), set(contacts[10:])]
    assert (await reset(store, campaign)).asked == 5, "another reset asks them all again"


async def test_a_page_goes_on_among_contacts_that_came_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "MAX_RESET", 2)
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    contacts = []
    for minutes in range(5):
        made = await add_contacts(
            store, organization, campaign, 1, created_at=NOW + timedelta(minutes=minutes), **NO_ANSWER
        )
        contacts.append(made[0]["_id"])
    first = await reset(store, campaign)
    second = await reset(store, campaign, first.next_cursor)
    third = await reset(store, campaign, second.next_cursor)
    assert [page.asked for page in (first, second, third)] == [2, 2, 1]
    assert (await asked(store), third.next_cursor) == (set(contacts), None)


async def test_who_was_answered_or_has_opted_out_is_never_asked(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await ended(store, organization, campaign, 1, ended_because=EndReason.OPTED_OUT)
    await ended(store, organization, campaign, 1, ended_because=EndReason.ANSWERED)
    await ended(store, organization, campaign, 1, ended_because=EndReason.ANSWERED, status=ContactStatus.COMPLETED)
    [other] = await ended(store, organization, campaign, 1)
    for because in (EndReason.OPTED_OUT, EndReason.ANSWERED):
        assert await reset(store, campaign, because=because) == ResetPage(0, None)
    assert await reset(store, campaign) == ResetPage(1, None)
    assert await asked(store) == {other}
