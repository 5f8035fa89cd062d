"""What rests in an organization, as stored in its budget document, which the scheduler alone writes.

`budgets/org:{id}.rests` maps a key (shared/domain/refusal.py) to what the carrier has refused and until when it is left
alone; `budgets/org:{id}.refusals` are the last few refusals, for people. Both are absent while nothing was refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne

from shared.domain.refusal import Refusal, Rest
from shared.store.client import Document

KEPT_REFUSALS: Final = 5


def read_rests(stored: Mapping[str, Any]) -> dict[str, Rest]:
    """What rests, by key, from a budget document's `rests`."""
    return {
        key: Rest(
            until=rest["until"],
            refusals=rest["refusals"],
            since=rest["since"],
            refusal=Refusal.model_validate(rest["refusal"]),
            asking=rest.get("asking", False),
        )
        for key, rest in stored.items()
    }


def write_rest(budget: str, key: str, rest: Rest | None) -> UpdateOne:
    """The write that stores a rest in an organization's budget, or ends it (None)."""
    if rest is None:
        return UpdateOne({"_id": budget}, {"$unset": {f"rests.{key}": ""}})
    document: Document = {
        "until": rest.until,
        "refusals": rest.refusals,
        "since": rest.since,
        "refusal": rest.refusal.model_dump(mode="json"),
        "asking": rest.asking,
    }
    return UpdateOne({"_id": budget}, {"$set": {f"rests.{key}": document}}, upsert=True)


def note_refusal(budget: str, key: str, refusal: Refusal, now: datetime) -> UpdateOne:
    """The write that keeps a refusal among the organization's last ones."""
    entry = {"at": now, "key": key, "code": refusal.code, "message": refusal.message}
    return UpdateOne({"_id": budget}, {"$push": {"refusals": {"$each": [entry], "$slice": -KEPT_REFUSALS}}})
