"""What agents have posted of calls, joined to them by the attempt's id."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from shared.domain.calls import SENSITIVE, readable
from shared.store.client import Document, Store, translated

COLLECTION: Final = "call_results"
# What filters look at.
LOOKED_AT: Final[Document] = {"disposition": 1, "sentiment": 1, "tags": 1, "opt_out": 1}
_NOT_SHOWN: Final[Document] = {"organization_id": 0, "contact_id": 0}
# So much of results is in memory at a time: one may have a megabyte of transcript.
MAX_BYTES_AT_ONCE: Final = 8 * 1024 * 1024


async def results_of(
    store: Store, organization_id: str, attempt_ids: Collection[str], fields: Document | None = None
) -> dict[str, Mapping[str, Any]]:
    """The results of an organization's attempts, by attempt id; those of which nothing was posted are absent."""
    if not attempt_ids:
        return {}
    found = store[COLLECTION].find(_of(organization_id, attempt_ids), _NOT_SHOWN if fields is None else fields)
    return {result.pop("_id"): result async for result in found}


async def readable_results(
    store: Store, organization_id: str, attempt_ids: Collection[str], *, sensitive: bool, transcripts: bool
) -> dict[str, Mapping[str, Any]]:
    """These results as their reader may see them; `transcripts` are long, and left out unless asked for."""
    hidden = () if sensitive else SENSITIVE
    left_out = dict.fromkeys(hidden if transcripts else (*hidden, "transcript"), 0)
    results = await results_of(store, organization_id, attempt_ids, _NOT_SHOWN | left_out)
    return {attempt_id: readable(result, sensitive=sensitive) for attempt_id, result in results.items()}


async def in_parts(
    store: Store, organization_id: str, attempt_ids: Sequence[str], sizes: Mapping[str, int], *, sensitive: bool
) -> AsyncIterator[tuple[Sequence[str], Mapping[str, Mapping[str, Any]]]]:
    """The attempts in order, in parts whose results take no more than MAX_BYTES_AT_ONCE, each with its results.

    One that is larger than that stands alone. `sizes` as `sizes_of` has them.
    """
    first = total = 0
    for place, attempt_id in enumerate(attempt_ids):
        size = sizes.get(attempt_id, 0)
        if total + size > MAX_BYTES_AT_ONCE and place > first:
            part = attempt_ids[first:place]
            yield part, await _of_part(store, organization_id, part, sizes, sensitive=sensitive)
            first, total = place, 0
        total += size
    part = attempt_ids[first:]
    yield part, await _of_part(store, organization_id, part, sizes, sensitive=sensitive)


async def _of_part(
    store: Store, organization_id: str, part: Sequence[str], sizes: Mapping[str, int], *, sensitive: bool
) -> Mapping[str, Mapping[str, Any]]:
    known = [attempt_id for attempt_id in part if attempt_id in sizes]
    async with translated():
        return await readable_results(store, organization_id, known, sensitive=sensitive, transcripts=True)


async def sizes_of(store: Store, organization_id: str, attempt_ids: Collection[str]) -> dict[str, int]:
    """The bytes of what was posted of attempts, by attempt id; those of which nothing was posted are absent."""
    size: Document = {"$project": {"size": {"$bsonSize": "$$ROOT"}}}
    found = await store[COLLECTION].aggregate([{"$match": _of(organization_id, attempt_ids)}, size])
    return {result["_id"]: result["size"] async for result in found}


def _of(organization_id: str, attempt_ids: Collection[str]) -> Document:
    return {"_id": {"$in": list(attempt_ids)}, "organization_id": organization_id}
