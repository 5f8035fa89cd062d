"""REOPEN: a completed run is opened again by a callback that an agent's result asks for.

Such a result comes seconds after the last call's end, when the run may have been completed; nothing else is asked for
in a completed campaign that is called back. The run is written in the transaction that makes the contact wait, guarded
by the generation that was read, and is completed once more when nothing is left.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.campaign import reopened
from shared.domain.contact import ContactStatus, Tier
from shared.domain.wishes import WishKind
from shared.store.catalog.courses import course_of, stored_run
from shared.store.dialing.moves import GuardFailed, Move, final_move
from shared.store.dialing.shard_transaction import ShardTransaction


async def reopen_called_back(transaction: ShardTransaction, moves: Sequence[Move], now: datetime) -> None:
    """Open the completed runs among those of these carried-out moves by which contacts wait for a callback."""
    for campaign_id in sorted({move.contact["campaign_id"] for move in moves if _waits(transaction, move, now)}):
        campaign = transaction.context.campaigns.get(campaign_id)
        if campaign is None:
            continue
        course = course_of(campaign)
        run = reopened(course, now)
        if run is None:
            continue
        # What is told of a campaign that runs again is told in this write.
        written = await transaction.store["campaigns"].update_one(
            {
                "_id": campaign_id,
                "intent": course.intent,
                "generation": course.generation,
                "run.state": campaign["run"]["state"],
            },
            {"$set": {"run": stored_run(run), "completed_at": None}},
            session=transaction.session,
        )
        if not written.matched_count:
            raise GuardFailed(f"campaign {campaign_id} was moved")
        transaction.ledger.changed.add(campaign["organization_id"])


def _waits(transaction: ShardTransaction, move: Move, now: datetime) -> bool:
    asked = move.contact["asked"]
    if asked is None or asked["kind"] != WishKind.CALLBACK or move.tier is not Tier.REQUESTED:
        return False
    final = final_move(move, transaction.context, now)
    return final is not None and final.to is ContactStatus.PENDING
