"""What rests in an organization, as stored in its budget document, which the scheduler alone writes.

`budgets/org:{id}.rests` maps a key (shared/domain/refusal.py) to what the carrier has refused and until when it is left
alone; `budgets/org:{id}.refusals` are the last few refusals, for people. Both are absent while nothing was refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from pymongo import UpdateOne

from shared.domain.refusal import Refusal, Rest
from shared.logs import get_logger
from shared.store.client import Document
from shared.store.documents.completing import complete
from shared.store.documents.dialing import RestDocument

KEPT_REFUSALS: Final = 5

log = get_logger()


def read_rests(stored: Mapping[str, Any]) -> dict[str, Rest]:
    """What rests, by key, from a budget document's `rests`; one that our rules do not know (any more) rests not."""
    rests = {}
    for key, found in stored.items():
        try:
            refusal = Refusal.model_validate(found["refusal"])
        except ValidationError:
            log.warning("a rest that cannot be read is left out", key=key)
            continue
        rest = complete(RestDocument, found)
        rests[key] = Rest(
            until=rest["until"],
            refusals=rest["refusals"],
            since=rest["since"],
            refusal=refusal,
            asking=rest["asking"],
            in_ending=rest["in_ending"],
        )
    return rests


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
        "in_ending": rest.in_ending,
    }
    return UpdateOne({"_id": budget}, {"$set": {f"rests.{key}": document}}, upsert=True)


def note_refusal(budget: str, key: str, refusal: Refusal, now: datetime) -> UpdateOne:
    """The write that keeps a refusal among the organization's last ones."""
    entry = {"at": now, "key": key, "code": refusal.code, "message": refusal.message}
    return UpdateOne({"_id": budget}, {"$push": {"refusals": {"$each": [entry], "$slice": -KEPT_REFUSALS}}})
