"""Jobs: long work that a request has begun and contact-ingest does, chunk by chunk, wherever it stood."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.csv_contacts import AS_THEY_ARE, Layout
from shared.domain.csv_text import CsvFlaw

CHUNK_ROWS: Final = 1000
# A running job that has not moved for so long is told again: its message, or who worked on it, may be gone.
TOLD_AGAIN_AFTER: Final = timedelta(seconds=10)
# Refused rows in an answer; the file to download has all of them.
SHOWN_REFUSED: Final = 1000


class JobKind(StrEnum):
    """What a job does."""

    IMPORT = "import"  # contacts of a CSV file into a campaign
    REDIAL = "redial"  # contacts of one campaign into the one that calls them again


class JobState(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"  # on request; what was stored before stays


class JobFailure(StrEnum):
    """Why a job has not come to its end, beside a `CsvFlaw`."""

    CAMPAIGN_OVER = "campaign over"
    OUR_FAULT = "our fault"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a job stands: in a file the byte at which the next row begins, and the number of the row before it.

    In a redial `after` is the id of the last contact that was looked at.
    """

    byte: int = 0
    row: int = 0
    after: str | None = None


@dataclass(frozen=True, slots=True)
class JobCounts:
    """What has become of the rows read so far: inserted, updated, refused, or passed over because they were empty.

    `skipped` of those inserted are on the do-not-call list. `duplicates`, of an import of people: they were in the
    campaign already.
    """

    inserted: int = 0
    updated: int = 0
    refused: int = 0
    passed_over: int = 0
    skipped: int = 0
    duplicates: int = 0

    @property
    def rows(self) -> int:
        """The rows read so far."""
        return self.inserted + self.updated + self.duplicates + self.refused + self.passed_over

    @property
    def accepted(self) -> int:
        """The rows that were stored, or were there already."""
        return self.inserted + self.updated + self.duplicates


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, decided once, before its first row: `start` is the byte behind its header, `row` its row.

    `total` is the number of rows behind that.
    """

    encoding: str
    separator: str
    start: int
    row: int
    names: tuple[str, ...]
    fields: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a job has failed or was cancelled, and at which row of its file, from 1, and column, where it was one."""

    reason: CsvFlaw | JobFailure
    row: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What is asked of an import.

    `mapping`: what columns hold, by name. `fails_campaign`: its campaign fails with it. `people`: each row is a person
    of the contact book, found by its phone or made, and enrolled in the campaign (of no campaign: in the book alone).
    """

    file_key: str
    file_name: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = AS_THEY_ARE
    fails_campaign: bool = False
    people: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands; times in UTC. `campaign_id` is in its stored form, and where contacts go.

    `source_id` and `outcomes`: of a redial, the campaign whose contacts are called again, and for which outcomes of
    their latest attempts.
    """

    id: str
    organization_id: str
    shard: int
    campaign_id: str
    kind: JobKind
    state: JobState
    position: Position
    counts: JobCounts
    created_at: datetime
    moved_at: datetime
    finished_at: datetime | None
    reading: Reading | None
    order: ImportOrder | None
    source_id: str | None
    outcomes: tuple[str, ...]
    failed: Failed | None
    worker: str | None


def new_job(
    kind: JobKind,
    organization_id: str,
    shard: int,
    campaign_id: str,
    now: datetime,
    *,
    job_id: str | None = None,
    order: ImportOrder | None = None,
    source_id: str | None = None,
    outcomes: tuple[str, ...] = (),
) -> Job:
    """A job that nothing has been done of; `job_id` is a UUID, a new one without."""
    return Job(
        id=job_id or str(uuid.uuid4()),
        organization_id=organization_id,
        shard=shard,
        campaign_id=campaign_id,
        kind=kind,
        state=JobState.RUNNING,
        position=Position(),
        counts=JobCounts(),
        created_at=now,
        moved_at=now,
        finished_at=None,
        reading=None,
        order=order,
        source_id=source_id,
        outcomes=outcomes,
        failed=None,
        worker=None,
    )


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row of a file that was not stored. `row` is its number, from 1, the header's; `field` the column concerned."""

    row: int
    field: str | None
    reason: str
