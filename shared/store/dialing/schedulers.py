"""`schedulers`: what each scheduler said of itself last. Nothing is decided by it; the operator looks at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.store.client import Store, translates


@dataclass(frozen=True, slots=True)
class SchedulerReport:
    """One scheduler: the shards that it owns, and its slots that wait for evidence, by reason.

    `oldest_at`: when the oldest call among those began; `given_up_by`: when the last of them is given up. None: none
    waits.
    """

    scheduler: str
    shards: Sequence[int]
    waiting: Mapping[str, int]
    oldest_at: datetime | None = None
    given_up_by: datetime | None = None


@translates
async def report(store: Store, said: SchedulerReport) -> None:
    """Write what a scheduler says of itself now."""
    await store["schedulers"].update_one(
        {"_id": said.scheduler},
        {
            "$set": {
                "shards": list(said.shards),
                "waiting": dict(said.waiting),
                "oldest_at": said.oldest_at,
                "given_up_by": said.given_up_by,
            },
            "$currentDate": {"seen_at": True},
        },
        upsert=True,
    )
