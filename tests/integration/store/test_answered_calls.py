"""How calls from caller numbers have ended, as their attempts say."""

from datetime import datetime, timedelta

import pytest

from shared.clock import utc_now
from shared.domain.ids import conversation_id_of
from shared.domain.outcome import Outcome
from shared.store.client import Document, Store
from shared.store.reports import answered_calls
from shared.store.reports.answered_calls import ended_calls_by_number
from tests.factories import add_organization, new_id

NOW = utc_now().replace(microsecond=0)
DAY_AGO = NOW - timedelta(days=1)
ASKED = DAY_AGO - timedelta(hours=1)
ONE, TWO, SILENT, ANOTHER = "+14155550101", "+14155550102", "+14155550103", "+14155550104"


async def ended(
    store: Store, organization: Document, number: str | None, outcome: Outcome, at: datetime, calls: int = 1
) -> None:
    """Attempts that began at `at`, as they are stored once they have ended."""
    ids = [new_id() for _ in range(calls)]
    same: Document = {
        "organization_id": organization["_id"],
        "campaign_id": None,
        "contact_id": new_id(),
        "caller_number": number,
        "outcome": outcome.value,
        "created_at": at,
        "ended_at": at,
    }
    await store["attempts"].insert_many(
        [
            {"_id": key, "conversation_id": conversation_id_of(key), "call_number": n, **same}
            for n, key in enumerate(ids)
        ]
    )


async def test_calls_of_each_number_are_counted_by_outcome_within_the_window(store: Store) -> None:
    acme, stranger = await add_organization(store), await add_organization(store)
    await ended(store, acme, ONE, Outcome.ANSWERED, NOW, 2)
    await ended(store, acme, ONE, Outcome.VOICEMAIL, DAY_AGO, 3)
    await ended(store, acme, ONE, Outcome.BUSY, DAY_AGO - timedelta(milliseconds=1), 4)
    await ended(store, acme, TWO, Outcome.NO_ANSWER, NOW)
    # Of a number that is not asked for, of a late report, and of another organization.
    await ended(store, acme, ANOTHER, Outcome.ANSWERED, NOW, 5)
    await ended(store, acme, None, Outcome.ANSWERED, NOW, 6)
    await ended(store, stranger, ONE, Outcome.ANSWERED, NOW, 7)
    found = await ended_calls_by_number(store, acme["_id"], [ONE, TWO, SILENT], DAY_AGO)
    assert found.since == DAY_AGO
    assert {number: dict(calls.outcomes) for number, calls in found.numbers.items()} == {
        ONE: {"answered": 2, "voicemail": 3},
        TWO: {"no_answer": 1},
    }
    assert (found.of(ONE).answer_rate, found.of(TWO).answer_rate, found.of(SILENT).answer_rate) == (0.4, 0.0, None)


@pytest.mark.parametrize(("most", "since", "calls"), [(5, ASKED, 5), (4, DAY_AGO, 5), (2, NOW, 2), (1, NOW, 2)])
async def test_of_too_many_calls_the_newest_are_counted_and_the_window_says_from_when_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int, since: datetime, calls: int
) -> None:
    monkeypatch.setattr(answered_calls, "MOST_COUNTED", most)
    acme = await add_organization(store)
    await ended(store, acme, ONE, Outcome.BUSY, DAY_AGO, 3)
    await ended(store, acme, ONE, Outcome.ANSWERED, NOW, 2)
    found = await ended_calls_by_number(store, acme["_id"], [ONE], ASKED)
    # Calls that began in one instant are counted together, or none of them.
    assert (found.since, found.of(ONE).ended) == (since, calls)
