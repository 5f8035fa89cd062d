"""START: an executor makes locked contacts its own, exactly once (I2).

Every start call carries a fresh nonce. Two executors may hold the same job, and one executor may get it
twice; who reads its own nonce back has it, everybody else drops the job in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.contact import ContactStatus
from shared.store.client import Document, Store, translates


@dataclass(frozen=True, slots=True)
class StartOrder:
    """Which attempts to start, for whom, and until when their slots are held without evidence."""

    contact_ids: Sequence[str]
    attempt_ids: Sequence[str]
    nonce: str
    executor: str
    mode: str
    hold_seconds: float


@translates
async def start(store: Store, order: StartOrder) -> None:
    """Take what is still locked for these attempts. Raises `Unavailable`; repeat it with the same nonce."""
    await store["contacts"].update_many(
        {
            "_id": {"$in": list(order.contact_ids)},
            "status": ContactStatus.LOCKED,
            "lock.attempt": {"$in": list(order.attempt_ids)},
            "delete_requested": {"$ne": True},
        },
        [
            {
                "$set": {
                    "status": ContactStatus.IN_PROGRESS,
                    "start": {
                        "nonce": {"$literal": order.nonce},
                        "executor": {"$literal": order.executor},
                        "mode": {"$literal": order.mode},
                        # The server's clock: judged by the server's clock, so skew between us is harmless.
                        "at": "$$NOW",
                        "hold_until": {
                            "$dateAdd": {
                                "startDate": "$$NOW",
                                "unit": "millisecond",
                                "amount": int(order.hold_seconds * 1000),
                            }
                        },
                    },
                }
            }
        ],
    )


@translates
async def started_by(store: Store, contact_ids: Sequence[str], nonce: str) -> list[Document]:
    """The contacts that this start call made its own, whole."""
    query = {"_id": {"$in": list(contact_ids)}, "start.nonce": nonce}
    return await store["contacts"].find(query).to_list()


@translates
async def note_call_ids(store: Store, call_ids: Sequence[tuple[str, str, str]]) -> None:
    """Keep the carrier's ids of (contact, attempt, call) while the contact is still on that attempt.

    Only evidence for looking the call up later: a call that has ended meanwhile is left alone.
    """
    if not call_ids:
        return
    contacts = [contact_id for contact_id, _, _ in call_ids]
    calls = [call_id for _, _, call_id in call_ids]
    place = {"$indexOfArray": [{"$literal": contacts}, "$_id"]}
    await store["contacts"].update_many(
        {
            "_id": {"$in": contacts},
            "status": ContactStatus.IN_PROGRESS,
            "lock.attempt": {"$in": [attempt_id for _, attempt_id, _ in call_ids]},
        },
        [{"$set": {"start.call_id": {"$arrayElemAt": [{"$literal": calls}, place]}}}],
    )


@translates
async def note_answers(store: Store, answers: Sequence[tuple[str, str, datetime]]) -> None:
    """Keep when (contact, attempt) was answered, while the call is still up; a late report changes nothing."""
    if not answers:
        return
    contacts = [contact_id for contact_id, _, _ in answers]
    times = [answered_at for _, _, answered_at in answers]
    place = {"$indexOfArray": [{"$literal": contacts}, "$_id"]}
    await store["contacts"].update_many(
        {
            "_id": {"$in": contacts},
            "status": ContactStatus.IN_PROGRESS,
            "lock.attempt": {"$in": [attempt_id for _, attempt_id, _ in answers]},
        },
        [{"$set": {"start.answered_at": {"$arrayElemAt": [{"$literal": times}, place]}}}],
    )
