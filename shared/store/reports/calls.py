"""Lists of calls: those under way from the contacts that are on them, those that have ended from their attempts.

A call under way costs the engine no write for this. Contacts are read first: a call that ends between the two reads is
found twice, and never missed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.calls import (
    BY_TIME,
    MAX_LOOKED_AT,
    MAX_SORTED,
    Call,
    CallFilter,
    CallOrder,
    CallPage,
    CallStatus,
    ListedCall,
    NumberedCalls,
    Reader,
    by_result,
    is_found,
)
from shared.domain.known_words import known
from shared.domain.outcome import Outcome
from shared.errors import InvalidCursor
from shared.store.client import Document, Store, translates
from shared.store.paging import decode_cursor, encode_cursor
from shared.store.reports.call_counts import counted_calls
from shared.store.reports.call_queries import AttemptQuery, Place, after, attempt_query, running_query, up_to
from shared.store.reports.call_records import OF_RUNNING, ended_call, running_call
from shared.store.reports.call_results import LOOKED_AT, readable_results, results_of

# Of calls whose results decide, so many are looked at: each takes two look-ups.
MAX_JOINED: Final = 20_000
JOINED_AT_ONCE: Final = 1000
MAX_NUMBER_DIGITS: Final = 18
_PLACE: Final[Document] = {"_id": 0, "created_at": 1, "call_number": 1}
_KEYS: Final[Document] = {"created_at": 1, "call_number": 1, "outcome": 1, "duration_seconds": 1}


@dataclass(frozen=True, slots=True)
class _Found:
    """The attempts that match, of those that could be looked at; `end` is where looking ended, None: with the last."""

    rows: Sequence[Document]
    end: Place | None = None
    looked_at: int | None = None


@translates
async def list_calls(
    store: Store,
    organization_id: str,
    which: CallFilter,
    *,
    order: CallOrder,
    cursor: str | None,
    limit: int,
    reader: Reader,
) -> CallPage:
    """The calls after `cursor` (None: the first ones), by time. Raises `InvalidCursor`.

    A page may have fewer than `limit`, or none, and be followed by others: where a filter leaves out many, no more than
    MAX_LOOKED_AT are looked at for one page.
    """
    place = _place(cursor) if cursor is not None else None
    if which.is_empty:
        return CallPage((), None)
    running = await _running(store, organization_id, which, order, place, limit + 1)
    found = await _ended(store, organization_id, which, order, place, limit + 1)
    calls = _merged(running, map(ended_call, found.rows), order)
    if found.end is not None:
        calls = [call for call in calls if not _is_beyond(_key(call), found.end, order)]
    next_place = _key(calls[limit - 1]) if len(calls) > limit else found.end
    rows = await _with_results(store, organization_id, calls[:limit], reader)
    return CallPage(rows, _encoded(next_place), found.looked_at)


@translates
async def numbered_calls(
    store: Store,
    organization_id: str,
    which: CallFilter,
    *,
    order: CallOrder,
    offset: int,
    limit: int,
    reader: Reader,
) -> NumberedCalls:
    """The calls from the `offset`-th (0: the first) on, and how many match, as `NumberedCalls` says."""
    if which.is_empty:
        return NumberedCalls((), 0)
    running = await _running(store, organization_id, which, order, None, None)
    if which.status is CallStatus.IN_PROGRESS:
        rows = await _with_results(store, organization_id, running[offset : offset + limit], reader)
        return NumberedCalls(rows, len(running))
    question = attempt_query(organization_id, which)
    if which.is_of_results:
        looked = await _joined(store, organization_id, which, question, order, None, None)
        ended = _sorted(map(_as_key, looked.rows), order)
        keys = _merged(running, ended, order) if order in BY_TIME else [*ended, *running]
        calls = await _whole(store, keys[offset : offset + limit])
        counted_to = looked.looked_at if looked.end is not None else None
        rows = await _with_results(store, organization_id, calls, reader)
        return NumberedCalls(rows, len(keys), counted_to)
    end = None
    if order not in BY_TIME:
        end = await _end_of_look(store, question, CallOrder.NEWEST, at_most=MAX_SORTED)
    elif not question.is_served:
        end = await _end_of_look(store, question, order)
    total, counted_to = await counted_calls(store, organization_id, which, question, end)
    if end is not None and order not in BY_TIME:
        total, counted_to = min(total, MAX_SORTED), MAX_SORTED
    calls = await _page(store, question, order, end, running, offset, limit)
    rows = await _with_results(store, organization_id, calls, reader)
    return NumberedCalls(rows, total + len(running), counted_to)


async def _page(
    store: Store,
    question: AttemptQuery,
    order: CallOrder,
    end: Place | None,
    running: list[Call],
    offset: int,
    limit: int,
) -> list[Call]:
    """The calls from the `offset`-th on, those under way at their places among those that have ended."""
    where = question.where(*up_to(end, order if order is CallOrder.OLDEST else CallOrder.NEWEST))
    if order not in BY_TIME:
        ended = [ended_call(row) for row in await _by_duration(store, question, where, order, offset, limit)]
        if len(ended) == limit or not running:
            return ended
        # Those under way have no duration yet, and come last.
        first = max(0, offset - await store["attempts"].count_documents(where, hint=question.index))
        return [*ended, *running[first : first + limit - len(ended)]]
    passed = min(len(running), offset)
    if not passed:
        rows = await _in_order(store, question, where, order, offset, limit)
        return _merged(running, map(ended_call, rows), order)[:limit]
    # Which of those under way come before the page is known once the places of what has ended around it are.
    keys = await _in_order(store, question, where, order, offset - passed, limit + passed, _KEYS)
    merged = _merged(running, map(_as_key, keys), order)
    return await _whole(store, merged[passed : passed + limit])


async def _running(
    store: Store,
    organization_id: str,
    which: CallFilter,
    order: CallOrder,
    place: Place | None,
    limit: int | None,
) -> list[Call]:
    """The calls under way that match, in order; those of one organization are at most its limit of calls at once."""
    if which.of_endings_alone:
        return []
    query = running_query(organization_id, which)
    query["$and"].extend(after(place, order, "start.at", "lock.call_number"))
    index = None if which.contact_ids is not None else "live_phone"
    found = store["contacts"].find(query, OF_RUNNING, hint=index)
    looked_at_afterwards = bool(which.search) or which.is_of_results
    direction = 1 if order in {CallOrder.OLDEST, CallOrder.SHORTEST} else -1
    found = found.sort([("start.at", direction), ("lock.call_number", direction)])
    if limit is not None and not looked_at_afterwards:
        found = found.limit(limit)
    calls = [running_call(contact) async for contact in found]
    if which.search:
        calls = [call for call in calls if is_found(call, which.search)]
    if which.is_of_results:
        results = await results_of(store, organization_id, [call.id for call in calls], LOOKED_AT)
        calls = [call for call in calls if by_result(which, None, results.get(call.id, {}))]
    return calls if limit is None else calls[:limit]


async def _ended(
    store: Store, organization_id: str, which: CallFilter, order: CallOrder, place: Place | None, limit: int
) -> _Found:
    """The first `limit` ended calls after a place that match, as far as may be looked at."""
    if which.status is CallStatus.IN_PROGRESS:
        return _Found(())
    question = attempt_query(organization_id, which)
    if which.is_of_results:
        return await _joined(store, organization_id, which, question, order, place, limit)
    beyond = after(place, order, "created_at", "call_number")
    end = None if question.is_served else await _end_of_look(store, question, order, beyond)
    where = question.where(*beyond, *up_to(end, order))
    rows = await _in_order(store, question, where, order, 0, limit)
    return _Found(rows) if end is None else _Found(rows, end, MAX_LOOKED_AT)


async def _joined(
    store: Store,
    organization_id: str,
    which: CallFilter,
    question: AttemptQuery,
    order: CallOrder,
    place: Place | None,
    limit: int | None,
) -> _Found:
    """The attempts whose results match, by time; with a `limit` whole, without one only what orders them."""
    rows: list[Document] = []
    looked_at, by_time = 0, order if order in BY_TIME else CallOrder.NEWEST
    # That results decide is no matter here: the other restrictions may leave out many.
    beyond = after(place, by_time, "created_at", "call_number")
    end = await _end_of_look(store, question, by_time, beyond) if question.rest else None
    while looked_at < MAX_JOINED:
        where = question.where(*after(place, by_time, "created_at", "call_number"), *up_to(end, by_time))
        some = await _in_order(store, question, where, by_time, 0, JOINED_AT_ONCE, None if limit else _KEYS)
        results = await results_of(store, organization_id, [row["_id"] for row in some], LOOKED_AT)
        rows += [row for row in some if by_result(which, known(Outcome, row["outcome"]), results.get(row["_id"], {}))]
        looked_at += len(some)
        if len(some) < JOINED_AT_ONCE:
            return _Found(rows, end, looked_at if end is not None else None)
        place = _key_of(some[-1])
        if limit is not None and len(rows) >= limit:
            return _Found(rows[:limit], place)
    return _Found(rows, place, looked_at)


async def _end_of_look(
    store: Store,
    question: AttemptQuery,
    order: CallOrder,
    beyond: Sequence[Document] = (),
    *,
    at_most: int | None = None,
) -> Place | None:
    """The place of the last attempt that may be looked at, of MAX_LOOKED_AT; None where there are no more than that."""
    last = (MAX_LOOKED_AT if at_most is None else at_most) - 1
    rows = await _in_order(store, question, question.of_index(*beyond), order, last, 2, _PLACE)
    return _key_of(rows[0]) if len(rows) > 1 else None


async def _in_order(
    store: Store,
    question: AttemptQuery,
    where: Document,
    order: CallOrder,
    skip: int,
    limit: int,
    fields: Document | None = None,
) -> list[Document]:
    direction = 1 if order is CallOrder.OLDEST else -1
    found = store["attempts"].find(where, fields, hint=question.index)
    return await found.sort([("created_at", direction), ("call_number", direction)]).skip(skip).limit(limit).to_list()


async def _by_duration(
    store: Store, question: AttemptQuery, where: Document, order: CallOrder, skip: int, limit: int
) -> list[Document]:
    direction = 1 if order is CallOrder.SHORTEST else -1
    stages: list[Document] = [
        {"$match": where},
        {"$set": {"_duration": {"$ifNull": ["$duration_seconds", 0]}}},
        {"$sort": {"_duration": direction, "call_number": direction}},
        {"$skip": skip},
        {"$limit": limit},
        {"$unset": "_duration"},
    ]
    found = await store["attempts"].aggregate(stages, hint=question.index, allowDiskUse=True)
    return await found.to_list()


async def _whole(store: Store, calls: list[Call]) -> list[Call]:
    """These calls in this order; those of which only the place was read are read whole."""
    ids = [call.id for call in calls if call.status is CallStatus.ENDED]
    if not ids:
        return calls
    found = {row["_id"]: ended_call(row) async for row in store["attempts"].find({"_id": {"$in": ids}})}
    return [found.get(call.id, call) for call in calls]


async def _with_results(store: Store, organization_id: str, calls: Sequence[Call], reader: Reader) -> list[ListedCall]:
    ids = [call.id for call in calls]
    results = await readable_results(
        store, organization_id, ids, sensitive=reader.sensitive, transcripts=reader.transcripts
    )
    return [ListedCall(call, results.get(call.id, {})) for call in calls]


def _merged(running: Iterable[Call], ended: Iterable[Call], order: CallOrder) -> list[Call]:
    """Calls by time; one that has ended meanwhile is there once, as it ended."""
    return _sorted({call.id: call for call in (*running, *ended)}.values(), order)


def _sorted(calls: Iterable[Call], order: CallOrder) -> list[Call]:
    if order in BY_TIME:
        return sorted(calls, key=_key, reverse=order is CallOrder.NEWEST)
    return sorted(calls, key=lambda call: (call.duration_seconds or 0, call.number), reverse=order is CallOrder.LONGEST)


def _as_key(row: Document) -> Call:
    """A call of which only what orders it was read."""
    missing: dict[str, Any] = {"organization_id": "", "contact_id": "", "ended_at": None}
    return ended_call({**missing, **row})


def _is_beyond(place: Place, end: Place, order: CallOrder) -> bool:
    return place > end if order is CallOrder.OLDEST else place < end


def _key(call: Call) -> Place:
    return call.created_at, call.number


def _key_of(row: Document) -> Place:
    return row["created_at"], row["call_number"]


def _encoded(place: Place | None) -> str | None:
    return None if place is None else encode_cursor(place[0], str(place[1]))


def _place(cursor: str) -> Place:
    created_at, number = decode_cursor(cursor)
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_NUMBER_DIGITS):
        raise InvalidCursor(cursor)
    return created_at, int(number)
