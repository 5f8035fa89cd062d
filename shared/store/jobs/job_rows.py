"""Rows of a job's file that were refused, and why."""

from collections.abc import Sequence
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact_input import RowProblem
from shared.domain.jobs import Job
from shared.store.client import Store

ROWS: Final = "job_rows"


async def store_refused(store: Store, session: AsyncClientSession, job: Job, problems: Sequence[RowProblem]) -> None:
    """Keep why these rows are refused, in the transaction of their chunk."""
    if problems:
        await store[ROWS].insert_many(
            [
                {
                    "_id": f"{job.id}/{problem.index}/{place}",
                    "organization_id": job.organization_id,
                    "job_id": job.id,
                    "row": problem.index,
                    "field": problem.field or None,
                    "reason": problem.message,
                }
                for place, problem in enumerate(problems)
            ],
            session=session,
        )
