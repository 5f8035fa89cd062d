"""The queries for campaigns' states find what the rule shows, for every intent with every run."""

from datetime import timedelta
from itertools import product

import pytest

from shared.clock import utc_now
from shared.domain.campaign import CampaignState, Course, Intent, Run, RunState, shown_state
from shared.store.catalog.courses import IS_OVER, MAY_RUN, course_of, shown_as, stored_course
from shared.store.client import Document, Store
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete

NOW = utc_now().replace(microsecond=0)
HOUR = timedelta(hours=1)
RUNS = [None, *(Run(generation, state, NOW) for generation, state in product((1, 2), RunState))]
COURSES = {
    f"{place}": Course(intent, 2, start_at, run, imports)
    for place, (intent, start_at, run, imports) in enumerate(
        product(Intent, (None, NOW - HOUR, NOW, NOW + HOUR), RUNS, (0, 1))
    )
} | {
    "deleted draft": Course(Intent.DRAFT, 2, deleted_at=NOW),
    "deleted after it was cancelled": Course(Intent.CANCELLED, 2, run=Run(2, RunState.OPENED, NOW), deleted_at=NOW),
}
DIALABLE = (CampaignState.RUNNING, CampaignState.SYNCING, CampaignState.SCHEDULED)


async def store_all(store: Store) -> None:
    documents: list[Document] = []
    for key, course in COURSES.items():
        document = {"_id": key, **stored_course(course)}
        # As it is where nobody has ever imported, and as one that was all read has left it.
        never = course.imports == 0 and key.isdigit() and int(key) % 4
        documents.append(document if never else {**document, "imports": course.imports})
    await store["campaigns"].insert_many(documents)


async def found(store: Store, query: Document) -> set[str]:
    return {campaign["_id"] async for campaign in store["campaigns"].find(query, {"_id": 1})}


@pytest.mark.parametrize("state", CampaignState)
async def test_a_query_finds_the_campaigns_that_show_a_state(store: Store, state: CampaignState) -> None:
    await store_all(store)
    expected = {key for key, course in COURSES.items() if shown_state(course, NOW).state is state}
    assert expected
    assert await found(store, shown_as([state], NOW)) == expected


async def test_what_the_scheduler_reads_may_run_now_or_later_and_what_it_sweeps_is_over(store: Store) -> None:
    await store_all(store)
    may_run = {key for key, its in COURSES.items() if shown_state(its, NOW + 2 * HOUR).state in DIALABLE}
    assert await found(store, MAY_RUN) == may_run
    over = {key for key, its in COURSES.items() if its.is_over}
    assert await found(store, IS_OVER) == over


async def test_a_course_is_read_as_it_was_stored_and_words_of_another_version_pause_it(store: Store) -> None:
    await store_all(store)
    async for campaign in store["campaigns"].find():
        assert course_of(complete(CampaignDocument, campaign)) == COURSES[campaign["_id"]]
    strange: Document = complete(CampaignDocument, {"intent": "frozen", "generation": 2})
    assert shown_state(course_of(strange), NOW).state is CampaignState.PAUSED
    run = {"generation": 2, "state": "melted", "at": NOW, "reason": None}
    strange = complete(CampaignDocument, {"intent": "running", "generation": 2, "run": run})
    assert shown_state(course_of(strange), NOW).state is CampaignState.PAUSED
