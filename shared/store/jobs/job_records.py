"""Jobs as they are stored, and as use cases know them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.domain.csv_contacts import Layout
from shared.domain.csv_text import CsvFlaw
from shared.domain.jobs import (
    Failed,
    ImportOrder,
    Job,
    JobCounts,
    JobFailure,
    JobKind,
    JobState,
    Position,
    Reading,
)
from shared.domain.known_words import known
from shared.store.client import Document
from shared.store.documents.completing import complete
from shared.store.documents.jobs import JobDocument


def job_from(stored: Mapping[str, Any]) -> Job:
    """The job of a document."""
    document = complete(JobDocument, stored)
    failed = document["failed"]
    return Job(
        id=document["_id"],
        organization_id=document["organization_id"],
        shard=document["shard"],
        campaign_id=document["campaign_id"],
        kind=JobKind(document["kind"]),
        state=JobState(document["state"]),
        position=Position(**document["position"]),
        counts=JobCounts(**document["counts"]),
        created_at=document["created_at"],
        moved_at=document["moved_at"],
        finished_at=document["finished_at"],
        reading=None if document["reading"] is None else _reading(document["reading"]),
        order=None if document["file_key"] is None else _order(document),
        source_id=document["source_id"],
        outcomes=tuple(document["outcomes"]),
        failed=None if failed is None else Failed(_reason(failed["reason"]), failed["row"], failed["name"]),
        worker=document["worker"],
    )


def stored_job(job: Job) -> Document:
    """The document of a job that is new."""
    document: Document = {
        "_id": job.id,
        "organization_id": job.organization_id,
        "shard": job.shard,
        "campaign_id": job.campaign_id,
        "kind": job.kind.value,
        "state": job.state.value,
        "position": asdict(job.position),
        "counts": asdict(job.counts),
        "created_at": job.created_at,
        "moved_at": job.moved_at,
        "told_at": job.created_at,
    }
    if job.order is not None:
        order = job.order
        document |= {
            "file_key": order.file_key,
            "file_name": order.file_name,
            # Pairs, because a column's name may be anything.
            "mapping": [{"column": name, "field": field} for name, field in order.mapping.items()],
            "layout": asdict(order.layout),
            "fails_campaign": order.fails_campaign,
            "people": order.people,
        }
    if job.source_id is not None:
        document |= {"source_id": job.source_id, "outcomes": list(job.outcomes)}
    return document


def stored_reading(reading: Reading) -> Document:
    """How a file is read, as a job keeps it."""
    return {**asdict(reading), "names": list(reading.names), "fields": list(reading.fields)}


def _reading(stored: Mapping[str, Any]) -> Reading:
    return Reading(**{**stored, "names": tuple(stored["names"]), "fields": tuple(stored["fields"])})


def _order(document: Mapping[str, Any]) -> ImportOrder:
    return ImportOrder(
        file_key=document["file_key"],
        file_name=document["file_name"],
        mapping={each["column"]: each["field"] for each in document["mapping"]},
        layout=Layout(**(document["layout"] or {})),
        fails_campaign=document["fails_campaign"],
        people=document["people"],
    )


def _reason(text: str) -> CsvFlaw | JobFailure:
    return known(CsvFlaw, text) or known(JobFailure, text) or JobFailure.OUR_FAULT
