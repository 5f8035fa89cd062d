"""The calls of campaigns' runs inside one transaction: what was read of them, what it changes, and how it is written.

Only runs that have, or had, a limit of calls are counted; of all others nothing is read or written. A claim that counts
carries `counted`, so that one from before the limit was set takes nothing away when it comes back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import UpdateOne

from shared.domain.ids import campaign_budget
from shared.domain.run_calls import NOTHING_COUNTED, RunCalls


def read_run_calls(budget: Mapping[str, Any]) -> RunCalls:
    """What a campaign's complete budget has counted of its run."""
    return RunCalls(budget["run"], budget["calls"], budget["claims"])


def is_counted(campaign: Mapping[str, Any], counted: RunCalls) -> bool:
    """Whether claims of a campaign's run count: it has a limit, or has had one since it began."""
    return campaign["max_calls"] is not None or counted.generation == campaign["generation"]


def room_of(campaign: Mapping[str, Any], held: Mapping[str, int], counted: RunCalls) -> int | None:
    """How many calls a campaign may still take by its own limits, of which `held` says what is used; None: no limit."""
    limit, most = campaign["concurrency_limit"], campaign["max_calls"]
    rooms = [] if limit is None else [limit - held[campaign_budget(campaign["_id"])]]
    if most is not None:
        rooms.append(counted.room(campaign["generation"], most))
    return min(rooms, default=None)


@dataclass(slots=True)
class RunSums:
    """What runs have counted, by campaign id, the changes of this transaction included, and which it has `changed`."""

    counted: dict[str, RunCalls] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)

    def of(self, campaign_id: str) -> RunCalls:
        """What is counted of a campaign's run by now."""
        return self.counted.get(campaign_id, NOTHING_COUNTED)

    def claim(self, campaign_id: str, lock: Mapping[str, Any]) -> None:
        """Note a claim, which counts for its run if it says so."""
        if lock.get("counted"):
            self._set(campaign_id, self.of(campaign_id).claimed(lock["generation"], 1))

    def give_back(self, campaign_id: str, lock: Mapping[str, Any], *, called: bool) -> None:
        """Note the end of a claim; one that was no call counts no more, in the run that it was claimed in."""
        if lock.get("counted"):
            self._set(campaign_id, self.of(campaign_id).ended(lock["generation"], 1, returned=0 if called else 1))

    def _set(self, campaign_id: str, after: RunCalls) -> None:
        if after != self.of(campaign_id):
            self.counted[campaign_id] = after
            self.changed.add(campaign_id)

    def writes(self) -> list[UpdateOne]:
        """The writes of all changes.

        Values, not differences: the budgets were read in this transaction, so one that was written since collides.
        """
        return [
            UpdateOne({"_id": campaign_budget(campaign_id)}, {"$set": _stored(self.of(campaign_id))}, upsert=True)
            for campaign_id in sorted(self.changed)
        ]


def _stored(counted: RunCalls) -> dict[str, Any]:
    return {"run": counted.generation, "calls": counted.calls, "claims": counted.claims}
