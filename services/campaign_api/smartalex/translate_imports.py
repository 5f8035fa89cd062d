"""Imports of lists in this dialect, purely; what is said of a file that cannot be read."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from services.campaign_api.smartalex.schemas.imports import ImportView, RowError
from shared.domain.csv_text import CsvFlaw
from shared.domain.ids import is_default_campaign
from shared.domain.jobs import SHOWN_REFUSED, Failed, Job, JobFailure, JobState, RefusedRow
from shared.domain.repeating import quoted

STATUS_OF: Final[Mapping[JobState, Literal["processing", "completed", "failed"]]] = MappingProxyType(
    {
        JobState.RUNNING: "processing",
        JobState.DONE: "completed",
        JobState.FAILED: "failed",
        # Through the native API: this one has neither the request nor a word for it.
        JobState.CANCELLED: "failed",
    }
)
FAILURES: Final[Mapping[CsvFlaw | JobFailure, str]] = MappingProxyType(
    {
        CsvFlaw.EMPTY: "The file is empty; send one with a header and a row for each contact.",
        CsvFlaw.NO_ROWS: "The file has a header and no row below it.",
        CsvFlaw.NO_PHONE_COLUMN: "No column of the header has a name like phone.",
        CsvFlaw.UNKNOWN_COLUMN: "The header has no column {name}.",
        CsvFlaw.DUPLICATE_COLUMN: "The header has two columns {name}.",
        CsvFlaw.TOO_MANY_COLUMNS: "A row has too many columns.",
        CsvFlaw.CELL_TOO_LARGE: "A cell is too large, or the row is no row of a table.",
        CsvFlaw.UNCLOSED_QUOTE: "A quotation mark opens a cell and nothing closes it.",
        CsvFlaw.NUL: "There is a NUL character; this is no CSV file, or one in UTF-16 without a byte order mark.",
        CsvFlaw.NOT_TEXT: "The file's byte order mark says UTF-16, and its bytes are none.",
        CsvFlaw.GONE: "The file is no longer there; send it again.",
        JobFailure.CAMPAIGN_OVER: "The campaign was cancelled while the file was imported.",
        JobFailure.OUR_FAULT: "Something went wrong on our side; send the file again.",
        JobFailure.CANCELLED: "The import was cancelled through another API; rows that were read before stay.",
    }
)
"""What is said of each failure."""


def import_view(job: Job, refused: Sequence[RefusedRow] = ()) -> ImportView:
    """An import as its customer sees it, with these of the rows that it has refused."""
    errors = [] if job.failed is None else [_failure(job.failed)]
    errors += [RowError(row=each.row, message=_why(each)) for each in refused]
    counts = job.counts
    return ImportView(
        id=job.id,
        status=STATUS_OF[job.state],
        campaign_id=None if is_default_campaign(job.campaign_id) else job.campaign_id,
        rows=counts.rows - counts.passed_over,
        imported=counts.inserted + counts.updated,
        duplicates=counts.duplicates,
        invalid=counts.refused,
        errors=errors[:SHOWN_REFUSED],
        created_at=job.created_at,
        completed_at=job.finished_at,
    )


def _failure(failed: Failed) -> RowError:
    message = FAILURES[failed.reason].replace("{name}", quoted(failed.name or ""))
    return RowError(row=failed.row or 0, message=message)


def _why(refused: RefusedRow) -> str:
    return refused.reason if refused.field is None else f"{refused.field}: {refused.reason}"
