"""Jobs of contact-ingest, and the rows that they have refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDocument:
    """`jobs`: one job (shared/domain/jobs.py). `told_at`: when it was last said that it has work."""

    id: str
    organization_id: str
    shard: int
    campaign_id: str
    kind: str
    state: str
    position: Mapping[str, Any]
    created_at: datetime
    moved_at: datetime
    told_at: datetime
    counts: Mapping[str, int]
    finished_at: datetime | None = None
    file_key: str | None = None
    file_name: str | None = None
    mapping: Sequence[Mapping[str, str]] = ()
    layout: Mapping[str, Any] | None = None
    fails_campaign: bool = False
    people: bool = False
    # None: not decided yet, or nothing is read.
    reading: Mapping[str, Any] | None = None
    source_id: str | None = None
    outcomes: Sequence[str] = ()
    failed: Mapping[str, Any] | None = None
    # Who has moved it last: a process's own name for itself.
    worker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRowDocument:
    """`job_rows`: why a row of a job's file was not stored; its id is made of job, row and place among the reasons."""

    id: str
    organization_id: str
    job_id: str
    row: int
    reason: str
    field: str | None = None
