"""START: an executor makes locked contacts its own, exactly once (I2).

Every start call carries a fresh nonce. Two executors may hold the same job, and one executor may get it
twice; who reads its own nonce back has it, everybody else drops the job in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.call_limits import CallLimits
from shared.domain.contact import ContactStatus
from shared.domain.telephony_accounts import AccountProvider
from shared.events import CallAnswered, DialJob
from shared.store.client import Document, Store, translates
from shared.store.dialing.gate import LOOKED_AT
from shared.store.documents.contacts import contact_of

# What a placement reads of a contact, and what the gate looks at before.
_PLACED: Final = LOOKED_AT | {"shard", "initial_context", "data"}
# Twilio holds its calls and reports over HTTP: `CallMode.CALLBACK`.
MODE_OF_ACCOUNTS: Final = "callback"


@dataclass(frozen=True, slots=True)
class StartOrder:
    """The dial jobs to start, their contacts, and the limits of calls whose configuration sets none."""

    jobs: Sequence[DialJob]
    nonce: str
    executor: str
    mode: str
    limits: CallLimits

    @property
    def contact_ids(self) -> list[str]:
        """The contacts of the jobs, by id."""
        return [job.contact_id for job in self.jobs]


@translates
async def start(store: Store, order: StartOrder) -> None:
    """Start the jobs whose contacts are still locked as they say.

    Raises `Unavailable`; repeat it with the same nonce.
    """
    await store["contacts"].update_many(
        {
            "_id": {"$in": order.contact_ids},
            "status": ContactStatus.LOCKED,
            "lock.attempt": {"$in": [job.attempt_id for job in order.jobs]},
            "lock.claim": {"$in": list({job.claim_id for job in order.jobs})},
            "organization_id": {"$in": list({job.organization_id for job in order.jobs})},
            "delete_requested": {"$ne": True},
        },
        [
            {
                "$set": {
                    "status": ContactStatus.IN_PROGRESS,
                    "start": {
                        "nonce": {"$literal": order.nonce},
                        "executor": {"$literal": order.executor},
                        "mode": _mode(order),
                        # The server's clock: judged by the server's clock, so skew between us is harmless.
                        "at": "$$NOW",
                        "hold_until": {
                            "$dateAdd": {
                                "startDate": "$$NOW",
                                "unit": "millisecond",
                                "amount": _hold_ms(order.limits),
                            }
                        },
                    },
                }
            }
        ],
    )


def _mode(order: StartOrder) -> Document:
    """The mode of each call: `order.mode`, unless it goes through an account that is not the operator's."""
    own = {"$eq": ["$lock.provider", AccountProvider.TWILIO]}
    return {"$cond": [own, {"$literal": MODE_OF_ACCOUNTS}, {"$literal": order.mode}]}


def _hold_ms(limits: CallLimits) -> Document:
    """How long each call holds its slot, by the limits frozen in its lock: see `CallLimits.of`."""
    ring: Document = {"$ifNull": ["$lock.ring_seconds", limits.ring_seconds]}
    longest: Document = {"$ifNull": ["$lock.max_call_seconds", limits.max_call_seconds]}
    return {"$toLong": {"$multiply": [1000, {"$add": [limits.around_seconds, ring, longest]}]}}


@translates
async def started_by(store: Store, contact_ids: Sequence[str], nonce: str) -> list[Document]:
    """The contacts that this start call made its own: what the gate and a placement need of each."""
    query = {"_id": {"$in": list(contact_ids)}, "start.nonce": nonce}
    found = store["contacts"].find(query, dict.fromkeys(_PLACED, 1))
    return [contact_of(contact, _PLACED) for contact in await found.to_list()]


@translates
async def still_claimed(store: Store, jobs: Sequence[DialJob]) -> set[str]:
    """The attempts of these jobs that START could still take; the others it can never take again."""
    query = {
        "_id": {"$in": [job.contact_id for job in jobs]},
        "status": ContactStatus.LOCKED,
        "lock.attempt": {"$in": [job.attempt_id for job in jobs]},
    }
    return {d["lock"]["attempt"] async for d in store["contacts"].find(query, {"lock.attempt": 1})}


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
async def note_answers(store: Store, shard: int, answers: Sequence[CallAnswered]) -> None:
    """Keep when calls of a shard were answered that are still up.

    A late report changes nothing, nor one whose organization, contact and attempt do not belong together.
    """
    if not answers:
        return
    said = [f"{a.attempt_id}/{a.contact_id}/{a.organization_id}" for a in answers]
    times = {"$literal": [answer.answered_at for answer in answers]}
    place = {
        "$indexOfArray": [{"$literal": said}, {"$concat": ["$lock.attempt", "/", "$_id", "/", "$organization_id"]}]
    }
    found: Document = {"$cond": [{"$lt": ["$$place", 0]}, "$start.answered_at", {"$arrayElemAt": [times, "$$place"]}]}
    await store["contacts"].update_many(
        {
            "_id": {"$in": [answer.contact_id for answer in answers]},
            "shard": shard,
            "status": ContactStatus.IN_PROGRESS,
            "lock.attempt": {"$in": [answer.attempt_id for answer in answers]},
        },
        [{"$set": {"start.answered_at": {"$let": {"vars": {"place": place}, "in": found}}}}],
    )
