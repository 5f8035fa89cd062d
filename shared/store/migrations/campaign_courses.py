"""Version 3: campaigns say what their owner wants and what has come of it, in place of one status."""

from typing import Final

from pymongo.errors import OperationFailure

from shared.domain.campaign import FIRST_GENERATION, Intent, RunState
from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration

_OLD: Final[Document] = {"status": {"$exists": True}}
_INTENTS: Final = {"active": Intent.RUNNING, "paused": Intent.PAUSED, "closed": Intent.CANCELLED}
# Every campaign started when it was made, and locks of claims made before have the first generation.
_NEW: Final[list[Document]] = [
    {
        "$set": {
            "intent": {
                "$switch": {
                    "branches": [
                        {"case": {"$eq": ["$status", status]}, "then": intent.value}
                        for status, intent in _INTENTS.items()
                    ],
                    # One that nobody could call.
                    "default": Intent.PAUSED.value,
                }
            },
            "generation": FIRST_GENERATION,
            "start_at": None,
            "run": {
                "generation": FIRST_GENERATION,
                "state": RunState.OPENED.value,
                "reason": None,
                "at": "$created_at",
            },
            "started_at": "$created_at",
            "completed_at": None,
        }
    },
    {"$unset": "status"},
]
# An index on what is no more, and the server's codes for one, or a collection, that is not there.
_OLD_INDEX: Final = "dialing"
_NOT_THERE: Final = frozenset({26, 27})


@translates
async def _count(store: Store) -> int:
    return await store["campaigns"].count_documents(_OLD)


@translates
async def _change_some(store: Store) -> int:
    campaigns = store["campaigns"].find(_OLD, {"_id": 1}).limit(BATCH)
    ids = [campaign["_id"] async for campaign in campaigns]
    if ids:
        await store["campaigns"].update_many({"_id": {"$in": ids}, **_OLD}, _NEW)
        return len(ids)
    try:
        await store["campaigns"].drop_index(_OLD_INDEX)
    except OperationFailure as error:
        if error.code not in _NOT_THERE:
            raise
    return 0


CAMPAIGN_COURSES: Final = Migration(
    3, "campaigns say what their owner wants and what has come of it", False, _count, _change_some
)
