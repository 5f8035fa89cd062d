"""What campaigns' logs have of imports and redials, and the fact that an import is over; in the job's transactions."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign_log import ENGINE, Actor, LogEvent
from shared.domain.facts import Fact, FactType
from shared.domain.ids import is_default_campaign
from shared.domain.jobs import Job, JobKind, JobState
from shared.store.catalog.campaign_log import NewEntry, log_document, write_log
from shared.store.catalog.facts import tell
from shared.store.client import Store

_LOGGED_AS: Final[Mapping[JobState, LogEvent]] = MappingProxyType(
    {
        JobState.DONE: LogEvent.IMPORT_DONE,
        JobState.FAILED: LogEvent.IMPORT_FAILED,
        JobState.CANCELLED: LogEvent.IMPORT_CANCELLED,
    }
)


async def log_acceptance(store: Store, session: AsyncClientSession, job: Job, by: Actor, now: datetime) -> None:
    """Note that an import has begun, in its campaign's log."""
    if job.kind is JobKind.IMPORT and job.order is not None:
        begun = {"import_id": job.id, "file_name": job.order.file_name}
        await _log(store, session, job, NewEntry(LogEvent.IMPORT_STARTED, None, by, begun), now)


async def tell_of_end(store: Store, session: AsyncClientSession, job: Job, now: datetime, by: Actor = ENGINE) -> None:
    """Note that an import is over, given as its transaction leaves it, in its campaign's log, and tell of it."""
    if job.kind is not JobKind.IMPORT:
        return
    rows = {"rows": job.counts.rows, "accepted": job.counts.accepted, "refused": job.counts.refused}
    failed = job.failed
    why: Mapping[str, Any] = {} if failed is None else {"reason": failed.reason.value}
    facts = {"job_id": job.id, "state": job.state.value, **rows, **why}
    done = Fact(type=FactType.IMPORT_DONE, at=now, campaign_id=job.campaign_id, facts=facts)
    await tell(store, session, job.organization_id, [done])
    at_row = {} if failed is None or failed.row is None else {"row": failed.row}
    entry = NewEntry(_LOGGED_AS[job.state], why.get("reason"), by, {"import_id": job.id, **rows, **at_row})
    await _log(store, session, job, entry, now)


async def _log(store: Store, session: AsyncClientSession, job: Job, entry: NewEntry, now: datetime) -> None:
    if not is_default_campaign(job.campaign_id):
        await write_log(store, session, [log_document(job.campaign_id, job.organization_id, entry, now)])
