"""One call, by the id of its attempt or of its conversation, or by its number: from its placement on.

Contacts that are on a call are read first: a call that ends meanwhile is found as it ended.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from shared.domain.call_numbers import instant
from shared.domain.calls import Call, ListedCall, readable
from shared.domain.contact import ContactStatus
from shared.domain.ids import conversation_id_of
from shared.errors import Kind, NotFound
from shared.store.client import Document, Store, translates
from shared.store.reports.call_records import OF_RUNNING, ended_call, running_call
from shared.store.reports.call_results import results_of

# A call begins so soon after its number was given out. Else it is one that was numbered when a late report came, or
# while the clock stood elsewhere: before, and after its number.
_SOON: Final = (timedelta(seconds=10), timedelta(minutes=2))
_AT_LAST: Final = (timedelta(days=7), timedelta(days=1))
# What JSON carries exactly; higher ones are no call's.
MAX_NUMBER: Final = 2**53 - 1


@translates
async def get_call(store: Store, organization_id: str, reference: str, *, sensitive: bool) -> ListedCall:
    """The call of an attempt's or conversation's id. Raises `NotFound`."""
    running = await _running(store, organization_id, lambda lock: reference in _ids(lock["attempt"]))
    attempts = store["attempts"]
    mine = {"organization_id": organization_id}
    stored = await attempts.find_one({"_id": reference, **mine})
    if stored is None:
        stored = await attempts.find_one({"conversation_id": reference, **mine}, hint="conversation")
    return await _found(store, stored, running, reference, sensitive=sensitive)


@translates
async def get_numbered_call(store: Store, organization_id: str, number: int, *, sensitive: bool) -> ListedCall:
    """The call of a number. Raises `NotFound`."""
    if not 0 < number <= MAX_NUMBER:
        raise NotFound(Kind.ATTEMPT, str(number))
    running = await _running(store, organization_id, lambda lock: lock.get("call_number") == number)
    stored = None
    for before, later in (_SOON, _AT_LAST):
        at = instant(number)
        span = {"$gte": at - before, "$lte": at + later}
        query = {"organization_id": organization_id, "created_at": span, "call_number": number}
        stored = await store["attempts"].find_one(query, hint="listing")
        if stored is not None or running is not None:
            break
    return await _found(store, stored, running, str(number), sensitive=sensitive)


def _ids(attempt_id: str) -> tuple[str, str]:
    return attempt_id, conversation_id_of(attempt_id)


async def _running(
    store: Store, organization_id: str, is_meant: Callable[[Mapping[str, Any]], bool]
) -> Document | None:
    """The contact on the call that is meant, of all on a call: at most as many as its organization may have at once."""
    query = {
        "organization_id": organization_id,
        "lock.phone": {"$exists": True},
        "status": ContactStatus.IN_PROGRESS.value,
    }
    found = store["contacts"].find(query, {"lock.attempt": 1, "lock.call_number": 1}, hint="live_phone")
    ids = [contact["_id"] async for contact in found if is_meant(contact["lock"])]
    if not ids:
        return None
    return await store["contacts"].find_one({"_id": ids[0], "status": ContactStatus.IN_PROGRESS.value}, OF_RUNNING)


async def _found(
    store: Store, stored: Document | None, running: Document | None, reference: str, *, sensitive: bool
) -> ListedCall:
    call: Call
    if stored is not None:
        call = ended_call(stored)
    elif running is not None:
        call = running_call(running)
    else:
        raise NotFound(Kind.ATTEMPT, reference)
    results = await results_of(store, call.organization_id, [call.id])
    return ListedCall(call, readable(results[call.id], sensitive=sensitive) if call.id in results else {})
