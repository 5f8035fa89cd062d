"""A campaign's course as it is stored, and the queries for the states that it shows.

`intent`, `generation` and `start_at` are written by campaign-api; `run` and its times by the scheduler, in the
transaction that makes them true, and by a move of the API that opens a run.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from shared.domain.campaign import CampaignState, Course, Intent, Run, RunState
from shared.domain.known_words import known
from shared.store.client import Document

# What of a campaign its course is read from.
COURSE_FIELDS: Final = ("intent", "generation", "start_at", "run", "imports", "end_at", "deleted_at")


def course_of(campaign: Mapping[str, Any]) -> Course:
    """The course of a complete campaign document.

    An intent or a state of a run that this version does not know is none in which it may call: such a campaign is
    paused.
    """
    run, intent = campaign["run"], known(Intent, campaign["intent"])
    state = known(RunState, run["state"]) if run is not None else None
    if intent is None or (run is not None and state is None):
        return Course(
            Intent.PAUSED, campaign["generation"], end_at=campaign["end_at"], deleted_at=campaign["deleted_at"]
        )
    return Course(
        intent,
        campaign["generation"],
        campaign["start_at"],
        Run(run["generation"], state, run["at"], run["reason"]) if run is not None and state is not None else None,
        campaign["imports"],
        campaign["end_at"],
        campaign["deleted_at"],
    )


def stored_run(run: Run) -> Document:
    """A run as it is stored."""
    return {"generation": run.generation, "state": run.state.value, "reason": run.reason, "at": run.at}


def stored_course(course: Course) -> Document:
    """The fields of a campaign that a move writes; `imports` belongs to those who import, `end_at` to an edit."""
    return {
        "intent": course.intent.value,
        "generation": course.generation,
        "start_at": course.start_at,
        "run": None if course.run is None else stored_run(course.run),
        "deleted_at": course.deleted_at,
    }


_CURRENT: Final[Document] = {"$expr": {"$eq": ["$run.generation", "$generation"]}}
_NOT_CURRENT: Final[Document] = {"$expr": {"$ne": ["$run.generation", "$generation"]}}


def shown_as(states: Collection[CampaignState], now: datetime) -> Document:
    """A query for the campaigns that show one of these states at `now`."""
    return {"$or": [_shown_as(state, now) for state in states]}


def _shown_as(state: CampaignState, now: datetime) -> Document:
    wants_to_run: Document = {
        "$or": [
            {"intent": Intent.RUNNING},
            {"intent": Intent.SCHEDULED, **_CURRENT},
            {"intent": Intent.SCHEDULED, "start_at": {"$lte": now}},
        ]
    }
    ended = [run_state.value for run_state in RunState if run_state is not RunState.OPENED]
    runs: Document = {"$and": [wants_to_run, {"$nor": [{"run.state": {"$in": ended}, **_CURRENT}]}]}
    match state:
        case CampaignState.DRAFT | CampaignState.CANCELLED:
            return {"intent": Intent(state)}
        case CampaignState.SCHEDULED:
            return {"intent": Intent.SCHEDULED, "start_at": {"$not": {"$lte": now}}, **_NOT_CURRENT}
        case CampaignState.RUNNING:
            return {**runs, "imports": {"$not": {"$gt": 0}}}
        case CampaignState.SYNCING:
            return {**runs, "imports": {"$gt": 0}}
        case CampaignState.PAUSED:
            halted = {"$and": [wants_to_run, {"run.state": RunState.HALTED, **_CURRENT}]}
            return {"$or": [{"intent": Intent.PAUSED}, halted]}
        case CampaignState.COMPLETED | CampaignState.FAILED:
            return {"$and": [wants_to_run, {"run.state": RunState(state), **_CURRENT}]}


# A filter for campaigns, and for what belongs to one of them: those that are not deleted.
NOT_DELETED: Final[Document] = {"deleted_at": None}
# Campaigns that run, or will once their time has come; their contacts are worth a scheduler's memory.
MAY_RUN: Final[Document] = {
    "intent": {"$in": [Intent.RUNNING, Intent.SCHEDULED]},
    "$nor": [{"run.state": {"$in": [state for state in RunState if state is not RunState.OPENED]}, **_CURRENT}],
}
# Campaigns with a run that may be completed, now or once their time has come.
MAY_COMPLETE: Final[Document] = {
    "intent": {"$in": [Intent.RUNNING, Intent.SCHEDULED]},
    "$nor": [{"run.state": {"$in": [RunState.COMPLETED, RunState.FAILED]}, **_CURRENT}],
}
# Campaigns whose waiting contacts end.
IS_OVER: Final[Document] = {
    "$or": [
        {"intent": Intent.CANCELLED},
        {"run.state": RunState.FAILED, **_CURRENT},
        {"deleted_at": {"$ne": None}},
    ]
}
