"""What a list of calls asks MongoDB for: of attempts, by one of their indexes, and of contacts that are on a call."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.calls import CallFilter, CallOrder
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.domain.phone import compared, spellings
from shared.store.client import Document

# A place in a list by time: when the call began, and its number.
Place = tuple[datetime, int]

# For each index of `attempts` what it decides alone, in the order of a list by time.
_SERVED: Final[Mapping[str, frozenset[str]]] = {
    # The attempts at contacts are few, so that whatever else is asked of them costs little.
    "contact_id_1": frozenset(CallFilter.__dataclass_fields__),
    "called": frozenset({"called", "since", "until"}),
    "by_outcome": frozenset({"campaign_id", "outcomes", "since", "until"}),
    "listing": frozenset({"since", "until"}),
}
# Restrictions that say nothing of an attempt, which has ended and is outbound.
_OF_EVERY_ATTEMPT: Final = frozenset({"status", "direction", "under_way_too"})
_OUTCOMES: Final = sorted(outcome.value for outcome in Outcome)


@dataclass(frozen=True, slots=True)
class AttemptQuery:
    """A question for `attempts`: the part that its index decides, and the rest.

    `is_served`: there is no rest, or it costs little.
    """

    index: str
    by_index: tuple[Document, ...]
    rest: tuple[Document, ...]
    is_served: bool

    def where(self, *more: Document) -> Document:
        """The whole query, with these clauses."""
        return {"$and": [*self.by_index, *self.rest, *more]}

    def of_index(self, *more: Document) -> Document:
        """What the index decides, with these clauses."""
        return {"$and": [*self.by_index, *more]}


def attempt_query(organization_id: str, which: CallFilter) -> AttemptQuery:
    """The question for the attempts that a filter asks for; what agents have posted is looked at afterwards."""
    given = restrictions(which)
    by_time = _between(which.since, which.until, "created_at")
    clauses = _attempt_clauses(which)
    mine: Document = {"organization_id": organization_id}
    index: str
    own: list[Document]
    if which.contact_ids is not None:
        index, own = "contact_id_1", [{"contact_id": {"$in": list(which.contact_ids)}}]
    elif which.called is not None:
        index, own = "called", [mine, {"phone_number": {"$in": list(spellings(which.called))}}, *by_time]
    elif which.campaign_id is not None:
        # Every outcome by name: the server then merges one ordered range for each.
        outcomes = clauses.pop("outcomes", {"outcome": {"$in": _OUTCOMES}})
        index, own = "by_outcome", [{"campaign_id": which.campaign_id}, outcomes, *by_time]
    else:
        index, own = "listing", [mine, *by_time]
    rest = [clause for clause in (mine, *by_time, *clauses.values()) if clause not in own]
    return AttemptQuery(index, tuple(own), tuple(rest), given <= _SERVED[index])


def restrictions(which: CallFilter) -> frozenset[str]:
    """The names of the fields by which a filter leaves attempts out."""
    given = {name for name in CallFilter.__dataclass_fields__ if getattr(which, name) or getattr(which, name) == 0}
    # No contact at all is a restriction, too.
    given |= {"contact_ids"} if which.contact_ids is not None else set()
    return frozenset(given - _OF_EVERY_ATTEMPT)


def _attempt_clauses(which: CallFilter) -> dict[str, Document]:
    clauses: dict[str, Document] = {}
    if which.campaign_id is not None:
        clauses["campaign_id"] = {"campaign_id": which.campaign_id}
    if which.called is not None:
        clauses["called"] = {"phone_number": {"$in": list(spellings(which.called))}}
    if which.outcomes and not which.dispositions:
        clauses["outcomes"] = {"outcome": {"$in": sorted(which.outcomes)}}
    if which.ended_as:
        clauses["ended_as"] = {"outcome": {"$in": sorted(which.ended_as)}}
    if which.shortest is not None and which.shortest > 0:
        clauses["shortest"] = {"duration_seconds": {"$gte": which.shortest}}
    if which.longest is not None:
        # Of those that nobody took the duration is 0.
        short = {"duration_seconds": {"$lte": which.longest}}
        clauses["longest"] = {"$or": [short, {"duration_seconds": None}]} if which.longest >= 0 else _NONE
    clauses |= _common_clauses(which, _IN_ATTEMPTS)
    if which.search:
        part = _taken_literally(which.search)
        clauses["search"] = {"$or": [{name: part} for name in ("phone_number", "caller_number", "contact_name")]}
    return clauses


def running_query(organization_id: str, which: CallFilter) -> Document:
    """The question for the contacts that are on a call; parts of numbers and names are looked at afterwards."""
    clauses: list[Document] = [
        {"organization_id": organization_id, "lock.phone": {"$exists": True}, "status": ContactStatus.IN_PROGRESS},
        *_between(which.since, which.until, "start.at"),
        *_common_clauses(which, _IN_CONTACTS).values(),
    ]
    if which.campaign_id is not None:
        clauses.append({"campaign_id": which.campaign_id})
    if which.contact_ids is not None:
        clauses.append({"_id": {"$in": list(which.contact_ids)}})
    if which.called is not None:
        clauses.append({"lock.phone": compared(which.called)})
    return {"$and": clauses}


_IN_ATTEMPTS: Final = {
    "called": "phone_number",
    "caller": "caller_number",
    "agent_id": "agent_id",
    "generation": "generation",
}
_IN_CONTACTS: Final = {
    "called": "lock.number",
    "caller": "lock.caller_number",
    "agent_id": "lock.agent_id",
    "generation": "lock.generation",
}
_NONE: Final[Document] = {"_id": {"$in": []}}


def _common_clauses(which: CallFilter, names: Mapping[str, str]) -> dict[str, Document]:
    clauses: dict[str, Document] = {}
    if which.caller is not None:
        clauses["caller"] = {names["caller"]: {"$in": list(spellings(which.caller))}}
    if which.number is not None:
        either = list(spellings(which.number))
        clauses["number"] = {"$or": [{names[name]: {"$in": either}} for name in ("called", "caller")]}
    if which.agent_id is not None:
        clauses["agent_id"] = {names["agent_id"]: which.agent_id}
    if which.generation is not None:
        clauses["generation"] = {names["generation"]: which.generation}
    return clauses


def _between(since: datetime | None, until: datetime | None, name: str) -> list[Document]:
    bounds: Document = {}
    if since is not None:
        bounds["$gte"] = since
    if until is not None:
        bounds["$lt"] = until
    return [{name: bounds}] if bounds else []


def _taken_literally(text: str) -> Document:
    return {"$regex": re.escape(text), "$options": "i"}


def after(place: Place | None, order: CallOrder, at: str, number: str) -> list[Document]:
    """The clauses for what comes after a place in a list by time; `at` and `number` are the fields' names."""
    if place is None:
        return []
    beyond = "$gt" if order is CallOrder.OLDEST else "$lt"
    ties: Document = {"$or": [{at: {beyond: place[0]}}, {at: place[0], number: {beyond: place[1]}}]}
    return [{at: {f"{beyond}e": place[0]}}, ties]


def up_to(place: Place | None, order: CallOrder) -> list[Document]:
    """The clauses for the attempts of a list by time up to a place, that one included."""
    if place is None:
        return []
    before = "$lt" if order is CallOrder.OLDEST else "$gt"
    ties: Document = {
        "$or": [{"created_at": {before: place[0]}}, {"created_at": place[0], "call_number": {f"{before}e": place[1]}}]
    }
    return [{"created_at": {f"{before}e": place[0]}}, ties]
