"""A chunk of an import of people: the contact book, who is enrolled, refused rows and the job's position at once.

People are found by their phones or made, and enrolled in the job's campaign; of no campaign, they come into the contact
book alone. All of it is one transaction with the job's move, so a worker that was frozen and wakes changes nothing.
"""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.domain.contact_input import RowProblem
from shared.domain.csv_people import INACTIVE, PersonRow, ReadPeople
from shared.domain.enrolment import Enrolled, Enrolment
from shared.domain.ids import is_default_campaign
from shared.domain.jobs import Job, Position
from shared.errors import TemporaryError
from shared.store.catalog.organizations import touch
from shared.store.client import Store
from shared.store.contacts.counting_in import register_source
from shared.store.contacts.enrolment import ToEnrol, enrol_in
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.upsert_people import UpsertedPerson, ready_to_upsert, upsert_in
from shared.store.jobs.job_rows import store_refused
from shared.store.jobs.jobs import move_job, require_open

_DUPLICATE_KEY: Final = 11000
_TRIES: Final = 5
# What a row of an enrolled person counts as.
_COUNTED: Final = {
    Enrolment.ADDED: "inserted",
    Enrolment.SKIPPED: "inserted",
    Enrolment.DUPLICATE: "duplicates",
    Enrolment.INACTIVE: "refused",
}


@dataclass(frozen=True, slots=True)
class PeopleChunk:
    """The next rows of an import of people, read from `job.position` up to `to`; with `last` no rows follow."""

    job: Job
    read: ReadPeople
    to: Position
    last: bool


async def store_people(store: Store, chunk: PeopleChunk, source: str, worker: str, now: datetime) -> None:
    """Store the chunk and move the job. `source` names the counter document that this process adds to.

    Raises `JobMoved` (look at the job again), `NotFound` or `WrongState` (its campaign is gone or over: the job has
    failed), `TemporaryError` and `Unavailable` (try again).
    """
    job = chunk.job
    await register_source(store, ContactsOf(job.organization_id, job.shard, job.campaign_id), source)
    await ready_to_upsert(store, job.organization_id, [row.values for row in chunk.read.rows], source)
    for _ in range(_TRIES):
        try:
            return await store.in_transaction(functools.partial(_store, store, chunk, source, worker, now))
        except DuplicateKeyError:
            continue
        except BulkWriteError as error:
            if any(detail["code"] != _DUPLICATE_KEY for detail in error.details["writeErrors"]):
                raise
    raise TemporaryError("Other requests keep enrolling the same people")


async def _store(
    store: Store, chunk: PeopleChunk, source: str, worker: str, now: datetime, session: AsyncClientSession
) -> None:
    job, rows = chunk.job, chunk.read.rows
    await require_open(store, session, job, now)
    values = [row.values for row in rows]
    people = await upsert_in(store, session, job.organization_id, values, source=source, now=now) if rows else []
    problems = list(chunk.read.problems)
    if is_default_campaign(job.campaign_id):
        counts = _of_the_book(people)
    else:
        scope = ContactsOf(job.organization_id, job.shard, job.campaign_id)
        wanted = [ToEnrol(each.person.id) for each in people]
        enrolled = await enrol_in(store, session, scope, wanted, source=source, now=now) if wanted else []
        counts, refused = _of_the_campaign(rows, enrolled)
        problems += refused
    counts["refused"] += len(chunk.read.problems)
    counts["passed_over"] += chunk.read.passed_over
    await store_refused(store, session, job, problems)
    await move_job(store, session, job, chunk.to, list(counts.items()), worker, now, last=chunk.last)
    if chunk.last:
        await touch(store, job.organization_id, session)


def _of_the_book(people: Sequence[UpsertedPerson]) -> Counter[str]:
    """A new person counts once, however often its phone stands in these rows."""
    made = {each.person.id for each in people if each.is_new}
    return Counter({"inserted": len(made), "updated": len(people) - len(made)})


def _of_the_campaign(rows: Sequence[PersonRow], enrolled: Sequence[Enrolled]) -> tuple[Counter[str], list[RowProblem]]:
    counts: Counter[str] = Counter()
    problems: list[RowProblem] = []
    for row, each in zip(rows, enrolled, strict=True):
        counts[_COUNTED[each.enrolment]] += 1
        counts["skipped"] += each.enrolment is Enrolment.SKIPPED
        if each.enrolment is Enrolment.INACTIVE:
            problems.append(RowProblem(row.row, None, ("phone",), INACTIVE))
    return counts, problems
