"""Keys of requests that are done once: claimed before the work, with the answer once it is there.

A claim whose process died lapses; who takes it over works under the same `work_id`, so that what was made is found.
"""

import uuid
from datetime import UTC, datetime
from math import ceil
from typing import Final

from pymongo.errors import DuplicateKeyError

from shared.domain.once import (
    KEPT,
    LEASE,
    MAX_KEPT_BYTES,
    Answered,
    Begun,
    OtherRequest,
    Standing,
    UnderWay,
    key_id_of,
)
from shared.store.client import Document, Store, translates
from shared.store.documents.catalog import IdempotencyKeyDocument
from shared.store.documents.completing import complete

KEYS: Final = "idempotency_keys"


@translates
async def claim_key(store: Store, organization_id: str, key: str, fingerprint: str, now: datetime) -> Standing:
    """Claim the key for this request, or say what stands against it; of several at once one has it."""
    key_id = key_id_of(organization_id, key)
    while True:
        work_id = str(uuid.uuid4())
        claim = {"fingerprint": fingerprint, "work_id": work_id, "claimed_at": now, "expires_at": now + KEPT}
        try:
            await store[KEYS].insert_one({"_id": key_id, "organization_id": organization_id, **claim})
            return Begun(key_id, work_id)
        except DuplicateKeyError:
            stored = await store[KEYS].find_one({"_id": key_id})
        if stored is None:
            continue
        found = complete(IdempotencyKeyDocument, stored)
        as_read = {"_id": key_id, "claimed_at": found["claimed_at"]}
        if found["expires_at"] <= now:
            await store[KEYS].delete_one(as_read)
        elif found["fingerprint"] != fingerprint:
            return OtherRequest()
        elif found["answer"] is not None:
            return Answered(**found["answer"])
        elif found["claimed_at"] > now - LEASE:
            return UnderWay(ceil((found["claimed_at"] + LEASE - now).total_seconds()))
        elif (await store[KEYS].update_one(as_read, {"$set": {"claimed_at": now}})).modified_count:
            return Begun(key_id, found["work_id"])


@translates
async def keep_answer(store: Store, begun: Begun, answer: Answered, now: datetime) -> None:
    """Keep the answer for 24 hours; the first one counts."""
    if len(answer.body) > MAX_KEPT_BYTES:
        return
    kept: Document = {"status": answer.status, "body": answer.body, "media_type": answer.media_type}
    first = {"_id": begun.key_id, "work_id": begun.work_id, "answer": None}
    await store[KEYS].update_one(first, {"$set": {"answer": kept, "expires_at": now + KEPT}})


@translates
async def let_go(store: Store, begun: Begun) -> None:
    """Have the claim lapse: part of the work may be done, and the next with the key finds that."""
    mine = {"_id": begun.key_id, "work_id": begun.work_id, "answer": None}
    await store[KEYS].update_one(mine, {"$set": {"claimed_at": datetime.fromtimestamp(0, UTC)}})


@translates
async def give_key_back(store: Store, begun: Begun) -> None:
    """Forget the claim of a request that was refused: nothing was done, and the key may come again."""
    await store[KEYS].delete_one({"_id": begun.key_id, "work_id": begun.work_id, "answer": None})
