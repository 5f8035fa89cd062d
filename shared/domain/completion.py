"""When a campaign's run is completed: nothing is left to do in it, or its end date has come."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.campaign import DIALED, Course, HaltReason, Intent, Run, RunState, shown_state


@dataclass(frozen=True, slots=True)
class WorkLeft:
    """The work that is left in a campaign: contacts that wait or are being called, and wishes not carried out yet.

    `ever`: whether the campaign was ever given a contact.
    """

    contacts: int
    wishes: bool
    ever: bool


def is_completed(course: Course, auto_complete: bool, left: WorkLeft, now: datetime) -> bool:
    """Whether the campaign's run is completed at `now` (UTC) with this work left.

    By `auto_complete` if the campaign ever had a contact and its run goes on, or was halted with all its calls made;
    by the end date whatever the campaign had, and why ever it was halted. One that its owner has paused is not
    completed, nor one with an import under way.
    """
    if left.contacts > 0 or left.wishes or course.imports > 0 or not may_complete(course, now):
        return False
    run = course.current_run
    has_done_its_work = run is None or run.state is not RunState.HALTED or run.reason == HaltReason.MAX_CALLS
    return course.has_ended(now) or (auto_complete and left.ever and has_done_its_work)


def may_complete(course: Course, now: datetime) -> bool:
    """Whether the campaign has a run at `now` (UTC) that goes on, or was halted by the engine."""
    if shown_state(course, now).state in DIALED:
        return True
    run = course.current_run
    return course.intent in (Intent.RUNNING, Intent.SCHEDULED) and run is not None and run.state is RunState.HALTED


def completed(course: Course, now: datetime) -> Course:
    """The course of a campaign whose run is completed at `now` (UTC)."""
    return replace(course, run=Run(course.generation, RunState.COMPLETED, now))
