"""The question for campaigns that end or complete by themselves finds all of them, for every intent with every run."""

from datetime import datetime, timedelta
from itertools import product

from shared.clock import utc_now
from shared.domain.campaign import Course, Intent, Run, RunState
from shared.domain.completion import may_complete
from shared.store.catalog.courses import stored_course
from shared.store.client import Document, Store
from shared.store.dialing.campaign_ends import SWEEP_DAYS, read_campaign_ends

NOW = utc_now().replace(microsecond=0)
HOUR = timedelta(hours=1)
LONG_AGO = NOW - SWEEP_DAYS - HOUR
ACME = "acme"
RUNS = [None, *(Run(generation, state, NOW) for generation, state in product((1, 2), RunState))]
CASES: dict[str, tuple[Course, bool]] = {
    f"{place}": (Course(intent, 2, start_at, run, 0, end_at), auto_complete)
    for place, (intent, start_at, run, end_at, auto_complete) in enumerate(
        product(Intent, (NOW - HOUR, NOW + HOUR), RUNS, (None, LONG_AGO, NOW - HOUR, NOW + HOUR), (False, True))
    )
}


async def store_all(store: Store, updated_at: datetime) -> None:
    documents: list[Document] = []
    for key, (course, auto_complete) in CASES.items():
        document: Document = {"_id": key, "organization_id": ACME, "updated_at": updated_at, **stored_course(course)}
        # As it is where nobody has ever set either.
        document |= {"end_at": course.end_at} if course.end_at is not None else {}
        documents.append(document | ({"auto_complete": True} if auto_complete else {}))
    strange = {**documents[0], "_id": "another's", "organization_id": "beta", "end_at": NOW, "auto_complete": True}
    await store["campaigns"].insert_many([*documents, strange])


async def test_all_that_may_complete_or_end_are_found_and_no_others(store: Store) -> None:
    await store_all(store, NOW)
    ends = await read_campaign_ends(store, [ACME], NOW)
    assert set(ends.over) == {key for key, (course, _) in CASES.items() if course.is_over}
    others = {key: case for key, case in CASES.items() if not case[0].is_over}
    ever = {key for key, (course, _) in others.items() if any(may_complete(course, at) for at in (NOW, NOW + 2 * HOUR))}
    assert ever & {key for key, (_, auto_complete) in others.items() if auto_complete} <= set(ends.completing)
    dated = {key: course.end_at for key, (course, _) in others.items() if course.end_at is not None}
    lately = {key for key, end_at in dated.items() if end_at > LONG_AGO}
    assert {key: dated[key] for key in lately | (ever & dated.keys())} == ends.ends
    found = {*ends.over, *ends.completing, *ends.ends}
    assert ends.organizations == dict.fromkeys(found, ACME)
    for key in found - set(ends.over) - ends.ends.keys():
        assert key in ever, "neither an end date nor anything to complete"


async def test_of_campaigns_that_are_over_for_long_those_are_found_of_which_something_is_new(store: Store) -> None:
    await store_all(store, LONG_AGO)
    over = [(key, course) for key, (course, _) in CASES.items() if course.is_over]
    new_run = {key for key, course in over if course.run is not None}
    new_end = {key for key, course in over if course.end_at not in (None, LONG_AGO)}
    assert set((await read_campaign_ends(store, [ACME], NOW)).over) == new_run | new_end
    assert not (await read_campaign_ends(store, ["nobody"], NOW)).organizations
