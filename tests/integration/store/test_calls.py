"""Lists of calls: what a filter asks for, in order, page by page, as a look at all calls in memory has it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import utc_now
from shared.domain.call_numbers import microseconds
from shared.domain.calls import BY_TIME, CallFilter, CallOrder, CallStatus, Reader
from shared.domain.ids import conversation_id_of
from shared.domain.outcome import Outcome
from shared.errors import InvalidCursor, NotFound
from shared.store.client import Document, Store
from shared.store.reports import calls
from shared.store.reports.calls import list_calls, numbered_calls
from shared.store.reports.one_call import get_call, get_numbered_call
from tests.factories import add_campaign, add_configuration, add_organization, contact_document, new_id

READER = Reader(sensitive=True)
NOW = utc_now().replace(microsecond=0)
PHONES = ["+14155550001", "+14155550002", "+5215512345678"]
OTHER_SPELLING = {"+5215512345678": "+525512345678"}
NAMES = [{"first_name": "Ada", "last_name": "Lovelace"}, {"name": "Grace (Rear Admiral)"}, {}]
AGENTS = ["agent-1", "agent-2"]


@dataclass(frozen=True, slots=True)
class World:
    """An organization's calls, as a test knows them: plain fields of each, newest first."""

    store: Store
    organization: Document
    campaigns: list[Document]
    calls: list[dict[str, Any]]


def shown_name(data: dict[str, str]) -> str | None:
    return " ".join([data[name] for name in ("first_name", "last_name", "name") if name in data]) or None


async def make_world(store: Store, ended: int = 90, running: int = 12) -> World:
    rng = random.Random(17)
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization)
    campaigns = [await add_campaign(store, organization, configuration) for _ in range(2)]
    known: list[dict[str, Any]] = []
    contacts = [contact_document(organization, rng.choice(campaigns), n) for n in range(30)]
    busy = [contact_document(organization, rng.choice(campaigns), 100 + n) for n in range(running)]
    for number in range(ended + running):
        is_up = number >= ended
        contact = busy[number - ended] if is_up else rng.choice(contacts)
        data = rng.choice(NAMES)
        outcome = None if is_up else rng.choice(list(Outcome))
        # Few instants, so that many begin at one.
        at = NOW - timedelta(minutes=rng.randint(0, 20))
        known.append(
            {
                "id": new_id(),
                "number": microseconds(at) + number,
                "campaign_id": contact["campaign_id"],
                "contact_id": contact["_id"],
                "called": f"+1415777{number:04d}" if is_up else rng.choice(PHONES),
                "caller": rng.choice(PHONES[:2]),
                "agent_id": rng.choice(AGENTS),
                "generation": rng.randint(1, 2),
                "outcome": outcome,
                "at": at,
                "seconds": None if outcome is not Outcome.ANSWERED else rng.choice([0.0, 7.5, 60.0]),
                "name": shown_name(data),
                "result": rng.choice([{}, {"disposition": "sold"}, {"sentiment": "positive", "tags": ["a", "b"]}]),
            }
        )
        if is_up:
            one = known[-1]
            contact |= {
                "status": "in_progress",
                "data": data,
                "lock": {
                    "attempt": one["id"],
                    "call_number": one["number"],
                    "attempt_number": 1,
                    "number": one["called"],
                    "phone": one["called"],
                    "caller_number": one["caller"],
                    "agent_id": one["agent_id"],
                    "generation": one["generation"],
                },
                "start": {"nonce": "", "executor": "", "mode": "", "at": at, "hold_until": at},
            }
    await store["contacts"].insert_many([*contacts, *busy])
    attempts = [attempt_of(organization, one) for one in known if one["outcome"] is not None]
    await store["attempts"].insert_many(attempts)
    results = [{"_id": c["id"], "organization_id": organization["_id"], **c["result"]} for c in known if c["result"]]
    await store["call_results"].insert_many(results)
    for campaign in campaigns:
        its = [one for one in known if one["campaign_id"] == campaign["_id"] and one["outcome"] is not None]
        counts = {o.value: n for o in Outcome if (n := sum(one["outcome"] is o for one in its))}
        counted = {"attempts": len(its), "outcomes": counts, "organization_id": organization["_id"]}
        await store["counters"].insert_one({"_id": campaign["_id"], "shard": organization["shard"], **counted})
    stranger = await add_organization(store)
    await store["attempts"].insert_many(
        [{**attempts[n], "_id": new_id(), "organization_id": stranger["_id"]} for n in range(min(5, len(attempts)))]
    )
    known.sort(key=lambda one: (one["at"], one["number"]), reverse=True)
    return World(store, organization, campaigns, known)


def attempt_of(organization: Document, one: dict[str, Any]) -> Document:
    return {
        "_id": one["id"],
        "organization_id": organization["_id"],
        "campaign_id": one["campaign_id"],
        "contact_id": one["contact_id"],
        "call_number": one["number"],
        "created_at": one["at"],
        "started_at": one["at"],
        "ended_at": one["at"] + timedelta(seconds=one["seconds"] or 1),
        "duration_seconds": one["seconds"],
        "phone_number": one["called"],
        "caller_number": one["caller"],
        "contact_name": one["name"],
        "agent_id": one["agent_id"],
        "generation": one["generation"],
        "outcome": one["outcome"].value,
        "conversation_id": conversation_id_of(one["id"]),
    }


def brute(world: World, which: CallFilter, order: CallOrder) -> list[str]:
    """The ids of the calls that match, in order: every call is looked at, field by field."""
    rules: list[Callable[[dict[str, Any]], bool]] = [
        lambda c: which.campaign_id in {None, c["campaign_id"]},
        lambda c: which.contact_ids is None or c["contact_id"] in which.contact_ids,
        lambda c: which.called in {None, c["called"], OTHER_SPELLING.get(c["called"])},
        lambda c: which.caller in {None, c["caller"]},
        lambda c: which.number in {None, c["called"], c["caller"], OTHER_SPELLING.get(c["called"])},
        lambda c: which.agent_id in {None, c["agent_id"]},
        lambda c: which.generation in {None, c["generation"]},
        lambda c: which.status is None or (which.status is CallStatus.ENDED) == (c["outcome"] is not None),
        lambda c: which.since is None or c["at"] >= which.since,
        lambda c: which.until is None or c["at"] < which.until,
        lambda c: which.shortest is None or (c["outcome"] is not None and (c["seconds"] or 0) >= which.shortest),
        lambda c: which.longest is None or (c["outcome"] is not None and (c["seconds"] or 0) <= which.longest),
        lambda c: not which.sentiments or c["result"].get("sentiment") in which.sentiments,
        lambda c: set(which.tags) <= set(c["result"].get("tags", [])),
        lambda c: (
            (not which.outcomes and not which.dispositions)
            or c["outcome"] in which.outcomes
            or c["result"].get("disposition") in which.dispositions
            or (which.under_way_too and c["outcome"] is None and not which.dispositions)
        ),
        lambda c: (
            not which.ended_as or c["outcome"] in which.ended_as or (which.under_way_too and c["outcome"] is None)
        ),
        lambda c: any(which.search.lower() in (c[n] or "").lower() for n in ("called", "caller", "name")),
    ]
    found = [call for call in world.calls if all(rule(call) for rule in rules)]
    if order is CallOrder.OLDEST:
        found.reverse()
    if order in {CallOrder.LONGEST, CallOrder.SHORTEST}:
        down = order is CallOrder.LONGEST
        ended = [call for call in found if call["outcome"] is not None]
        up = [call for call in found if call["outcome"] is None]
        ended.sort(key=lambda call: (call["seconds"] or 0, call["number"]), reverse=down)
        up.sort(key=lambda call: (call["at"], call["number"]), reverse=down)
        found = [*ended, *up]
    return [call["id"] for call in found]


def filters(world: World) -> st.SearchStrategy[CallFilter]:
    """Filters of which most match something."""
    contacts = sorted({call["contact_id"] for call in world.calls})
    instants = st.integers(-1, 21).map(lambda minutes: NOW - timedelta(minutes=minutes))
    maybe: dict[str, st.SearchStrategy[Any]] = {
        "campaign_id": st.sampled_from([campaign["_id"] for campaign in world.campaigns]),
        "contact_ids": st.lists(st.sampled_from(contacts), max_size=5).map(tuple),
        "called": st.sampled_from([*PHONES, *OTHER_SPELLING.values(), "+14157770095"]),
        "caller": st.sampled_from(PHONES),
        "number": st.sampled_from([*PHONES, *OTHER_SPELLING.values()]),
        "agent_id": st.sampled_from([*AGENTS, "nobody"]),
        "generation": st.integers(1, 2),
        "status": st.sampled_from(CallStatus),
        "outcomes": st.sets(st.sampled_from(Outcome), max_size=4),
        "ended_as": st.sets(st.sampled_from(Outcome), min_size=1, max_size=4),
        "under_way_too": st.just(True),
        "dispositions": st.sampled_from([("sold",), ("sold", "lost")]),
        "sentiments": st.just(("positive",)),
        "tags": st.sampled_from([("a",), ("a", "b"), ("c",)]),
        "since": instants,
        "until": instants,
        "shortest": st.sampled_from([0, 5, 60]),
        "longest": st.sampled_from([0, 10, 60.0]),
        "search": st.sampled_from(["Ada", "lovel", "(rear", ".", "+1415", "415555000", "nobody"]),
    }
    some = st.lists(st.sampled_from(sorted(maybe)), max_size=3, unique=True)
    return some.flatmap(lambda names: st.builds(CallFilter, **{name: maybe[name] for name in names}))


async def all_pages(world: World, which: CallFilter, order: CallOrder, limit: int) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = await list_calls(
            world.store,
            world.organization["_id"],
            which,
            order=order,
            cursor=cursor,
            limit=limit,
            reader=READER,
        )
        assert len(page.rows) <= limit
        found += [row.call.id for row in page.rows]
        assert page.next_cursor != cursor or cursor is None
        cursor = page.next_cursor
        if cursor is None:
            return found


async def by_number(world: World, which: CallFilter, order: CallOrder, limit: int) -> tuple[list[str], int]:
    found: list[str] = []
    while True:
        page = await numbered_calls(
            world.store,
            world.organization["_id"],
            which,
            order=order,
            offset=len(found),
            limit=limit,
            reader=READER,
        )
        found += [row.call.id for row in page.rows]
        if len(page.rows) < limit:
            return found, page.total


async def test_lists_are_what_a_look_at_every_call_finds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make_world(store)
    monkeypatch.setattr(calls, "JOINED_AT_ONCE", 7)
    checked: list[int] = []
    examples: list[tuple[CallFilter, CallOrder, int, bool]] = []

    @settings(max_examples=90, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(filters(world), st.sampled_from(CallOrder), st.integers(3, 40), st.booleans())
    def collect(which: CallFilter, order: CallOrder, limit: int, few: bool) -> None:
        examples.append((which, order, limit, few))

    collect()
    for which, order, limit, few in examples:
        # With few that may be looked at for a page, the pages still join to all of them.
        monkeypatch.setattr(calls, "MAX_LOOKED_AT", 10 if few else 100_000)
        wanted = brute(world, which, order)
        if order in BY_TIME:
            assert await all_pages(world, which, order, limit) == wanted, (which, order, limit, few)
        if not few:
            assert await by_number(world, which, order, limit) == (wanted, len(wanted)), (which, order, limit)
        checked.append(len(wanted))
    assert sum(map(bool, checked)) > len(checked) / 3


async def test_one_call_is_found_from_its_placement_on_by_either_id_and_by_number(store: Store) -> None:
    world = await make_world(store, ended=5, running=3)
    organization_id = world.organization["_id"]
    for one in world.calls:
        for reference in (one["id"], conversation_id_of(one["id"])):
            found = await get_call(store, organization_id, reference, sensitive=True)
            assert (found.call.id, found.call.outcome) == (one["id"], one["outcome"])
        found = await get_numbered_call(store, organization_id, one["number"], sensitive=True)
        assert (found.call.id, dict(found.result)) == (one["id"], one["result"])
    stranger = await add_organization(store)
    for one in world.calls:
        with pytest.raises(NotFound):
            await get_call(store, stranger["_id"], one["id"], sensitive=True)
        with pytest.raises(NotFound):
            await get_numbered_call(store, stranger["_id"], one["number"], sensitive=True)
    for number in (0, -1, 2**53, 2**70):
        with pytest.raises(NotFound):
            await get_numbered_call(store, organization_id, number, sensitive=True)


async def test_what_was_said_is_for_those_who_may_read_it(store: Store) -> None:
    world = await make_world(store, ended=1, running=0)
    said = {"summary": "Wants a larger flat", "recording_url": "https://example.com/1.mp3", "disposition": "sold"}
    await store["call_results"].delete_many({})
    known = {"_id": world.calls[0]["id"], "organization_id": world.organization["_id"], **said}
    await store["call_results"].insert_one(known)
    ids = world.organization["_id"], world.calls[0]["id"]
    assert (await get_call(store, *ids, sensitive=True)).result == said
    hidden = (await get_call(store, *ids, sensitive=False)).result
    assert (hidden["summary"], hidden["recording_url"], hidden["disposition"]) == (None, None, "sold")


async def test_a_cursor_of_another_list_is_refused(store: Store) -> None:
    world = await make_world(store, ended=1, running=0)
    for cursor in ("", "x", "MTIzL2FiYw"):
        with pytest.raises(InvalidCursor):
            await list_calls(
                store,
                world.organization["_id"],
                CallFilter(),
                order=CallOrder.NEWEST,
                cursor=cursor,
                limit=1,
                reader=READER,
            )


async def test_a_total_says_how_many_calls_were_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make_world(store)
    monkeypatch.setattr(calls, "MAX_LOOKED_AT", 20)
    which = CallFilter(agent_id="agent-1", status=CallStatus.ENDED)
    page = await numbered_calls(
        store,
        world.organization["_id"],
        which,
        order=CallOrder.NEWEST,
        offset=0,
        limit=100,
        reader=READER,
    )
    newest = [call for call in world.calls if call["outcome"] is not None][:20]
    wanted = [call["id"] for call in newest if call["agent_id"] == "agent-1"]
    assert [row.call.id for row in page.rows] == wanted
    assert page.total == len(wanted)
    assert page.counted_to is not None


async def test_by_duration_the_newest_calls_are_put_in_order_and_the_total_says_how_many(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(store)
    monkeypatch.setattr(calls, "MAX_SORTED", 20)
    page = await numbered_calls(
        store,
        world.organization["_id"],
        CallFilter(status=CallStatus.ENDED),
        order=CallOrder.LONGEST,
        offset=0,
        limit=100,
        reader=READER,
    )
    newest = [call for call in world.calls if call["outcome"] is not None][:20]
    assert {row.call.id for row in page.rows} == {call["id"] for call in newest}
    durations = [row.call.duration_seconds or 0 for row in page.rows]
    assert durations == sorted(durations, reverse=True)
    assert (page.total, page.counted_to) == (20, 20)


async def test_the_cost_of_a_page_does_not_grow_with_the_calls(store: Store) -> None:
    world = await make_world(store, ended=4000, running=5)
    one = next(call for call in world.calls if call["outcome"] is not None)
    served = [
        CallFilter(),
        CallFilter(campaign_id=one["campaign_id"]),
        CallFilter(campaign_id=one["campaign_id"], outcomes=(Outcome.BUSY, Outcome.ANSWERED)),
        CallFilter(called=PHONES[0]),
        CallFilter(called=PHONES[2]),
    ]
    for which in served:
        await store.db.command({"profile": 2})
        await list_calls(
            store,
            world.organization["_id"],
            which,
            order=CallOrder.NEWEST,
            cursor=None,
            limit=50,
            reader=READER,
        )
        await store.db.command({"profile": 0})
        looks = await store.db["system.profile"].find({"ns": f"{store.db.name}.attempts"}).to_list()
        assert max(look["keysExamined"] for look in looks) < 120, which
        assert not any(look.get("hasSortStage") for look in looks), which
        await store.db["system.profile"].drop()
