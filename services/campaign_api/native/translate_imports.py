"""Imports as this API shows them, purely; what is said of a file that cannot be read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from services.campaign_api.native.schemas.imports import (
    ColumnView,
    ImportFailure,
    ImportPage,
    ImportView,
    ImportWithRows,
    RefusedRowView,
)
from shared.domain.csv_text import MAX_CELL, MAX_COLUMNS, CsvFlaw
from shared.domain.ids import DEFAULT_CAMPAIGN, is_default_campaign
from shared.domain.jobs import Failed, Job, JobFailure
from shared.domain.page import Page
from shared.domain.repeating import quoted
from shared.engine.imports import ImportReport

FAILURES: Final[Mapping[CsvFlaw | JobFailure, str]] = MappingProxyType(
    {
        CsvFlaw.EMPTY: "The file is empty; send one with a header row and a row for each contact",
        CsvFlaw.NO_ROWS: "The file has a header and no row below it",
        CsvFlaw.NO_PHONE_COLUMN: "No column of the header has a name like phone; say which one has the numbers, in "
        'mapping: {"<column>": "phone_numbers"}',
        CsvFlaw.UNKNOWN_COLUMN: "The header has no column {name}, which mapping names",
        CsvFlaw.DUPLICATE_COLUMN: "The header has two columns {name}",
        CsvFlaw.TOO_MANY_COLUMNS: f"A row has more than {MAX_COLUMNS} columns",
        CsvFlaw.CELL_TOO_LARGE: f"A cell has more than {MAX_CELL} characters, or the row is no row of a table",
        CsvFlaw.UNCLOSED_QUOTE: "A quotation mark opens a cell and nothing closes it",
        CsvFlaw.NUL: "There is a NUL character; this is no CSV file, or one in UTF-16 without a byte order mark",
        CsvFlaw.NOT_TEXT: "The file's byte order mark says UTF-16, and its bytes are none",
        CsvFlaw.GONE: "The file is no longer there; upload it again",
        JobFailure.CAMPAIGN_OVER: "The campaign was closed or deleted while the file was imported",
        JobFailure.OUR_FAULT: "Something went wrong on our side; import the file again",
        JobFailure.CANCELLED: "The import was cancelled; rows that were read before stay",
    }
)
"""What is said of each reason why an import has not come to its end."""


def import_view(job: Job) -> ImportView:
    """An import as its customer sees it."""
    return ImportView(**_fields(job))


def import_report(report: ImportReport) -> ImportWithRows:
    """An import with the first rows that it has refused."""
    rows = [RefusedRowView(row=row.row, field=row.field, reason=row.reason) for row in report.refused]
    return ImportWithRows(**_fields(report.job), refused_rows=rows)


def import_page(page: Page[Job]) -> ImportPage:
    """A page of imports."""
    return ImportPage(imports=[import_view(job) for job in page.rows], next_cursor=page.next_cursor)


def _fields(job: Job) -> dict[str, Any]:
    counts, reading = job.counts, job.reading
    columns = None
    if reading is not None:
        pairs = zip(reading.names, reading.fields, strict=True)
        columns = [ColumnView(name=name, field=field) for name, field in pairs]
    return {
        "id": job.id,
        "campaign_id": DEFAULT_CAMPAIGN if is_default_campaign(job.campaign_id) else job.campaign_id,
        "status": job.state.value,
        "file_name": job.order.file_name if job.order is not None else "",
        "people": job.order is not None and job.order.people,
        "total_rows": None if reading is None else reading.total,
        "rows": counts.rows,
        "inserted": counts.inserted,
        "updated": counts.updated,
        "duplicates": counts.duplicates,
        "refused": counts.refused,
        "passed_over": counts.passed_over,
        "skipped": counts.skipped,
        "columns": columns,
        "failure": None if job.failed is None else _failure(job.failed),
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }


def _failure(failed: Failed) -> ImportFailure:
    said = FAILURES[failed.reason].replace("{name}", quoted(failed.name or ""))
    message = f"{said}." if failed.row is None else f"Row {failed.row}: {said}."
    return ImportFailure(code=failed.reason.name.lower(), message=message, row=failed.row, column=failed.name)
