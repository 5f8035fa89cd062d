"""The calls of a campaign for reports: all that have ended, newest first, at a cost in memory that stays the same.

Rows are read page by page, one page ahead, and no cursor is held: who reads slowly holds up nothing. They are plain
mappings, because an object for each of a million calls would cost more than all the rest of the report.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.calls import CallFilter, CallOrder
from shared.store.client import Document, Store, translated
from shared.store.reports.call_queries import Place, after, attempt_query
from shared.store.reports.call_results import in_parts, sizes_of

AT_ONCE: Final = 2000
FIELDS: Final = (
    "contact_id",
    "contact_name",
    "attempt_number",
    "phone_number",
    "caller_number",
    "agent_id",
    "agent_version",
    "outcome",
    "outcome_before",
    "created_at",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "conversation_id",
    "provider_call_id",
    "error",
    "message_left",
)
_READ: Final[Document] = {**dict.fromkeys(FIELDS, 1), "call_number": 1}
_MISSING: Final[Document] = dict.fromkeys((*FIELDS, "call_number")) | {"message_left": False}


@dataclass(frozen=True, slots=True)
class _Page:
    """Calls, and the bytes of what was posted of them, by id."""

    rows: Sequence[Document]
    sizes: Mapping[str, int]


async def rows(
    store: Store,
    organization_id: str,
    campaign_id: str,
    since: datetime | None,
    until: datetime | None,
    *,
    sensitive: bool,
) -> AsyncIterator[list[Mapping[str, Any]]]:
    """Some calls at a time, each with `id`, `number`, these FIELDS and `result` (None: nothing was posted)."""
    question = attempt_query(organization_id, CallFilter(campaign_id=campaign_id, since=since, until=until))

    async def read(place: Place | None) -> _Page:
        async with translated():
            where = question.where(*after(place, CallOrder.NEWEST, "created_at", "call_number"))
            found = store["attempts"].find(where, _READ, hint=question.index, batch_size=AT_ONCE)
            some = await found.sort([("created_at", -1), ("call_number", -1)]).limit(AT_ONCE).to_list()
            return _Page(some, await sizes_of(store, organization_id, [row["_id"] for row in some]))

    reading = asyncio.create_task(read(None))
    try:
        while True:
            page = await reading
            if len(page.rows) == AT_ONCE:
                # While these are written, the server looks for the next.
                last = page.rows[-1]
                reading = asyncio.create_task(read((last["created_at"], last["call_number"])))
            by_id = {row["_id"]: row for row in page.rows}
            async for part, results in in_parts(store, organization_id, list(by_id), page.sizes, sensitive=sensitive):
                if part:
                    yield [_row(by_id[attempt_id], results.get(attempt_id)) for attempt_id in part]
            if len(page.rows) < AT_ONCE:
                return
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def _row(stored: Document, result: Mapping[str, Any] | None) -> Document:
    row = {**_MISSING, **stored}
    row["id"], row["number"], row["result"] = row.pop("_id"), row.pop("call_number"), result
    return row
