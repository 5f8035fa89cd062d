"""Requests that are done once, however often they are sent under the same key."""

from datetime import datetime

from shared.domain.once import Answered, Begun, OtherRequest, Standing, UnderWay, fingerprint, is_key
from shared.engine.engine import Engine
from shared.store.catalog import idempotency as stored

__all__ = [
    "Answered",
    "Begun",
    "OtherRequest",
    "Standing",
    "UnderWay",
    "claim_key",
    "fingerprint",
    "give_key_back",
    "is_key",
    "keep_answer",
    "let_go",
]


async def claim_key(engine: Engine, organization_id: str, key: str, request: str, now: datetime) -> Standing:
    """Claim a key (`is_key`) for this request, given by its `fingerprint`, or say what stands against it."""
    return await stored.claim_key(engine.store, organization_id, key, request, now)


async def keep_answer(engine: Engine, begun: Begun, answer: Answered, now: datetime) -> None:
    """Keep the answer of a request that has done its work; it is given to every one with the same key for 24 hours."""
    await stored.keep_answer(engine.store, begun, answer, now)


async def let_go(engine: Engine, begun: Begun) -> None:
    """Have the next request with the key go on where this one has failed, at once and under the same ids."""
    await stored.let_go(engine.store, begun)


async def give_key_back(engine: Engine, begun: Begun) -> None:
    """Have a request that was refused leave no trace of its key."""
    await stored.give_key_back(engine.store, begun)
