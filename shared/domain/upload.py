"""The results of one request's contacts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.contact_input import RowWarning


@dataclass(frozen=True, slots=True)
class RowFailure:
    """A well-formed row that could not be applied."""

    index: int
    external_id: str | None
    field: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """The result of a request's rows. `contact_ids` is in the order of the request, None for a failed row.

    `repeated` says that this batch had been stored before: nothing was changed, the numbers are those of
    the first time, and `contact_ids` and `warnings` are empty.
    """

    inserted: int
    updated: int
    failed: tuple[RowFailure, ...]
    warnings: tuple[RowWarning, ...]
    contact_ids: tuple[str | None, ...]
    repeated: bool = False
    ids_by_index: Mapping[int, str | None] = field(default_factory=dict, repr=False, compare=False)
