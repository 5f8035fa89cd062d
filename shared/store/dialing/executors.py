"""`executors`: heartbeats and capacity of the call-executors. A heartbeat that stands still frees nothing by itself."""

from dataclasses import dataclass
from typing import Final

from shared.store.client import Document, Store, translates

# An executor that has not moved for this long is forgotten; its calls were reconciled long before.
FORGET_SECONDS = 24 * 3600
# A query for the executors of the last day.
NOT_FORGOTTEN: Final[Document] = {
    "$expr": {
        "$gt": [
            "$seen_at",
            {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": FORGET_SECONDS}},
        ]
    }
}
# A heartbeat comes once a second.
SEEN_LATELY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One executor as it last said of itself. Only a change of `sequence` counts, never its age by a clock."""

    executor: str
    sequence: int
    capacity: int
    calls_per_second: float
    draining: bool


@translates
async def beat(store: Store, heartbeat: Heartbeat) -> None:
    """Write the heartbeat of an executor."""
    await store["executors"].update_one(
        {"_id": heartbeat.executor},
        {
            "$set": {
                "sequence": heartbeat.sequence,
                "capacity": heartbeat.capacity,
                "calls_per_second": heartbeat.calls_per_second,
                "draining": heartbeat.draining,
            },
            "$currentDate": {"seen_at": True},
        },
        upsert=True,
    )


@translates
async def read_heartbeats(store: Store) -> list[Heartbeat]:
    """The latest heartbeat of every executor of the last day."""
    return [heartbeat_of(document) async for document in store["executors"].find(NOT_FORGOTTEN)]


def heartbeat_of(document: Document) -> Heartbeat:
    """The heartbeat as it is stored."""
    return Heartbeat(
        document["_id"],
        document["sequence"],
        document["capacity"],
        document["calls_per_second"],
        document["draining"],
    )


@translates
async def rate_of_living(store: Store) -> float:
    """Calls a second that the executors may place together: those that were seen lately and do not drain."""
    since = {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": SEEN_LATELY_SECONDS}}
    query = {"draining": False, "$expr": {"$gt": ["$seen_at", since]}}
    rates: list[float] = [executor["calls_per_second"] async for executor in store["executors"].find(query)]
    return sum(rates)


@translates
async def retire(store: Store, executor: str) -> None:
    """Remove an executor that has ended in order and holds no call."""
    await store["executors"].delete_one({"_id": executor})
