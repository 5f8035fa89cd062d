"""`results`: the second sink for a finished call when Kafka has not acknowledged it in time.

Insert-only facts; the scheduler applies them like events and then removes them.
"""

from collections.abc import Sequence
from typing import Any

from pymongo.errors import BulkWriteError

from shared.events import CallFinished
from shared.store.client import Store, check_but_duplicates, translates


@translates
async def add_results(store: Store, events: Sequence[CallFinished]) -> None:
    """Store each ending once, by attempt; one that is there already stays as it is. Safe to repeat.

    Raises `Unavailable` also when they were written and a majority has not confirmed it: they may be lost again.
    """
    if not events:
        return
    documents: list[dict[str, Any]] = [
        {
            "_id": event.attempt_id,
            "shard": event.shard,
            "organization_id": event.organization_id,
            "event": event.model_dump(mode="json"),
        }
        for event in events
    ]
    try:
        await store["results"].insert_many(documents, ordered=False)
    except BulkWriteError as error:
        check_but_duplicates(error)


@translates
async def unapplied_results(store: Store, shard: int, limit: int = 500) -> list[CallFinished]:
    """Endings of this shard that wait to be applied."""
    documents = await store["results"].find({"shard": shard}).limit(limit).to_list()
    return [CallFinished.model_validate(document["event"]) for document in documents]


@translates
async def remove_results(store: Store, attempt_ids: Sequence[str]) -> None:
    """Forget endings that have been applied."""
    if attempt_ids:
        await store["results"].delete_many({"_id": {"$in": list(attempt_ids)}})
