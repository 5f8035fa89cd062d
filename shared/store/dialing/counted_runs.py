"""How many calls the run of a campaign has made: counted where they are claimed, taken back where they come to nothing.

The count carries the generation of its run. The first claim of a new run begins it anew, and a call of an earlier run
that is given back changes nothing.
"""

from collections import Counter
from typing import Any

from pymongo import UpdateOne

from shared.store.client import Document


class CountedRuns:
    """How one transaction changes the calls of runs."""

    def __init__(self) -> None:
        self._changes: Counter[tuple[str, int]] = Counter()

    def claimed(self, campaign_id: str, lock: Document) -> None:
        """Count a call that was claimed."""
        self._changes[campaign_id, lock["generation"]] += 1

    def given_back(self, campaign_id: str, lock: Document) -> None:
        """Take back a call that was claimed and not made."""
        self._changes[campaign_id, lock["generation"]] -= 1

    def writes(self) -> list[UpdateOne]:
        """The updates of `counters`, which must be there by then; those of earlier runs first."""
        changes = sorted((change for change in self._changes.items() if change[1]), key=lambda change: change[0][1])
        return [
            UpdateOne({"_id": campaign_id}, [{"$set": {"run": _changed(generation, calls)}}])
            for (campaign_id, generation), calls in changes
        ]


def _changed(generation: int, calls: int) -> Document:
    counted: dict[str, Any] = {"generation": generation, "calls": {"$add": ["$run.calls", calls]}}
    otherwise: Any = "$run"
    if calls > 0:
        begun = {"generation": generation, "calls": calls}
        otherwise = {"$cond": [{"$gt": ["$run.generation", generation]}, "$run", begun]}
    return {"$cond": [{"$eq": ["$run.generation", generation]}, counted, otherwise]}
