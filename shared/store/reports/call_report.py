"""The calls of a campaign for reports: all that have ended, newest first, at a cost in memory that stays the same.

Rows are read page by page, and no cursor is held: who reads slowly holds up nothing. They are plain mappings, because
an object for each of a million calls would cost more than all the rest of the report.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final

from shared.domain.calls import CallFilter, CallOrder, readable
from shared.store.client import Document, Store, translated
from shared.store.reports.call_queries import Place, after, attempt_query
from shared.store.reports.call_results import results_of

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
    place: Place | None = None
    while True:
        async with translated():
            where = question.where(*after(place, CallOrder.NEWEST, "created_at", "call_number"))
            found = store["attempts"].find(where, _READ, hint=question.index, batch_size=AT_ONCE)
            some = await found.sort([("created_at", -1), ("call_number", -1)]).limit(AT_ONCE).to_list()
            results = await results_of(store, organization_id, [row["_id"] for row in some])
        if some:
            yield [_row(row, results, sensitive=sensitive) for row in some]
        if len(some) < AT_ONCE:
            return
        place = some[-1]["created_at"], some[-1]["call_number"]


def _row(stored: Document, results: Mapping[str, Mapping[str, Any]], *, sensitive: bool) -> Document:
    row = {**_MISSING, **stored}
    row["id"], row["number"] = row.pop("_id"), row.pop("call_number")
    result = results.get(row["id"])
    row["result"] = None if result is None else readable(result, sensitive=sensitive)
    return row
