"""Hours, states, outcomes, retries and numbers, both ways."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.campaign_api.http.faults import ValuesInvalid
from services.campaign_api.smartalex.schemas.callbacks import View
from services.campaign_api.smartalex.schemas.campaigns import CreateCampaign
from services.campaign_api.smartalex.schemas.common import unknown_fields
from services.campaign_api.smartalex.translate import retry_rules
from services.campaign_api.smartalex.translate_callbacks import callback_filter
from services.campaign_api.smartalex.translate_calls import first_time, time_after
from services.campaign_api.smartalex.translate_hours import asked_hours, week_after, windows_of
from shared.domain.calling_window import TimeWindow, Weekday
from shared.domain.campaign import CAMPAIGN_MOVES, CampaignState
from shared.domain.contact import ContactStatus
from shared.domain.counts import CampaignCounts
from shared.domain.facts import FactType
from shared.domain.outcome import Outcome
from shared.domain.retry import CallAgain, Ended, RetryPolicy, RetryRule, after_attempt
from shared.events import OrgFact
from shared.rendering.smartalex.campaigns import statistics_of
from shared.rendering.smartalex.events import EventType, events_of, fact_types
from shared.rendering.smartalex.week import on_all_days, week_of, week_view
from shared.rendering.smartalex.words import (
    MOVES,
    RESULT_OF,
    STATUS_OF,
    CallResultStatus,
    CampaignStatus,
    outcomes_of,
    states_of,
)

NOW = datetime(2026, 1, 14, 22, 30, tzinfo=UTC)  # a Wednesday


def test_each_state_has_one_status_and_each_status_its_states() -> None:
    assert STATUS_OF.keys() == set(CampaignState)
    assert {state for status in CampaignStatus for state in states_of(status)} == set(CampaignState)
    assert states_of(CampaignStatus.DRAFT) == {CampaignState.DRAFT, CampaignState.SCHEDULED}
    assert states_of(CampaignStatus.CANCELLED) == {CampaignState.CANCELLED, CampaignState.FAILED}


def test_no_action_is_allowed_that_the_engine_refuses() -> None:
    for move, allowed_from in MOVES.values():
        assert allowed_from <= CAMPAIGN_MOVES[move][0]


def test_each_outcome_has_one_status_of_calls() -> None:
    assert RESULT_OF.keys() == set(Outcome)
    assert {outcome for status in CallResultStatus for outcome in outcomes_of(status)} == set(Outcome)
    assert set(outcomes_of(CallResultStatus.NO_ANSWER)) == {Outcome.NO_ANSWER, Outcome.BUSY, Outcome.DECLINED}
    assert set(outcomes_of(CallResultStatus.COMPLETED)) == {Outcome.ANSWERED, Outcome.DO_NOT_CALL}


@pytest.mark.parametrize(
    ("outcome", "hours"),
    [
        (Outcome.VOICEMAIL, 24),
        (Outcome.NO_ANSWER, 24),
        (Outcome.BUSY, 1),
        (Outcome.FAILED, 0.5),
        (Outcome.INTERRUPTED, 0.5),
        (Outcome.INVALID_NUMBER, None),
        (Outcome.DECLINED, None),
        (Outcome.UNKNOWN, None),
        (Outcome.DO_NOT_CALL, None),
    ],
)
def test_the_table_of_retries_with_one_limit_for_all_outcomes(outcome: Outcome, hours: float | None) -> None:
    rules = {Outcome(name): RetryRule.model_validate(rule) for name, rule in retry_rules().items()}
    policy = RetryPolicy(max_attempts=5, rules=rules)
    first = after_attempt(policy, outcome, proven=True, attempts_made=1, outcome_count=1, now=NOW)
    if hours is None:
        assert isinstance(first, Ended)
        return
    assert isinstance(first, CallAgain)
    assert (first.at - NOW).total_seconds() == hours * 3600
    # A fifth attempt is the last, whatever the four before it came to.
    fourth = after_attempt(policy, outcome, proven=True, attempts_made=4, outcome_count=1, now=NOW)
    fifth = after_attempt(policy, outcome, proven=True, attempts_made=5, outcome_count=1, now=NOW)
    assert isinstance(fourth, CallAgain)
    assert isinstance(fifth, Ended)
    assert fifth.status in {ContactStatus.EXHAUSTED, ContactStatus.ERROR}


def windows(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"days": days.split(), "start": start, "end": end} for days, start, end in rows]


EVERY_DAY = "mon tue wed thu fri sat sun"


@pytest.mark.parametrize(
    ("rows", "same"),
    [
        ([(EVERY_DAY, "09:00", "17:00")], ("09:00", "17:00")),
        ([(EVERY_DAY, "22:00", "06:00")], ("22:00", "06:00")),
        ([("mon tue", "09:00", "17:00"), ("sat", "10:00", "24:00")], None),
        ([(EVERY_DAY, "09:00", "12:00"), ("mon", "13:00", "17:00")], None),
        ([], None),
    ],
)
def test_windows_and_weeks_both_ways(rows: list[tuple[str, str, str]], same: tuple[str, str] | None) -> None:
    week = week_of(windows(*rows))
    assert on_all_days(week) == same
    assert windows_of(week) == windows(*rows)
    for window in windows_of(week):
        TimeWindow.model_validate(window)
    assert week_of(windows_of(week)) == week


def test_a_day_with_several_windows_shows_the_first_start_and_the_last_end() -> None:
    week = week_of(windows(("mon", "13:00", "17:00"), ("mon", "09:00", "12:00")))
    monday = week_view(week).monday
    assert (monday.enabled, monday.start, monday.end) == (True, "09:00", "17:00")
    assert [(one.start, one.end) for one in monday.windows or ()] == [("09:00", "12:00"), ("13:00", "17:00")]
    assert week_view(week).tuesday.model_dump(exclude_unset=True) == {"enabled": False}


def body(**fields: Any) -> CreateCampaign:
    return CreateCampaign.model_validate({"name": "Spring", "agent_id": "ada", **fields})


def test_windows_that_were_read_are_kept_until_start_or_end_is_another() -> None:
    several = [{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "17:00"}]
    read = {"enabled": True, "start": "09:00", "end": "17:00", "windows": several}

    def monday(**changes: Any) -> Any:
        week = asked_hours(body(business_hours={"monday": {**read, **changes}})).week
        assert week is not None
        return week[Weekday.MON]

    assert monday() == (("09:00", "12:00"), ("13:00", "17:00"))
    assert monday(start="08:00") == (("08:00", "17:00"),)
    assert monday(end="16:00") == (("09:00", "16:00"),)
    assert monday(enabled=False) == ()


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ({"settings": {"calling_hours_start": "24:00"}}, "settings.calling_hours_start"),
        ({"settings": {"calling_hours_start": "24:00", "calling_hours_end": "24:00"}}, "settings.calling_hours_end"),
        ({"settings": {"calling_hours_end": "09:00"}}, "settings.calling_hours_end"),
        (
            {"business_hours": {"monday": {"enabled": True, "start": "24:00", "end": "09:00"}}},
            "business_hours.monday.start",
        ),
        ({"settings": {"calling_hours_end": "17:00"}, "business_hours": {}}, "settings.calling_hours_end"),
    ],
)
def test_hours_that_are_none_or_contradict_each_other_are_named(hours: Any, field: str) -> None:
    with pytest.raises(ValuesInvalid) as refused:
        asked_hours(body(**hours))
    [bad] = refused.value.fault.values
    assert ".".join(map(str, bad.loc[1:])) == field


def test_both_forms_that_say_the_same_are_taken_and_hours_may_cross_midnight() -> None:
    day = {"enabled": True, "start": "22:00", "end": "06:00"}
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    both = body(
        business_hours=dict.fromkeys(names, day),
        settings={"calling_hours_start": "22:00", "calling_hours_end": "06:00", "timezone": "UTC"},
        timezone="UTC",
    )
    older = body(settings={"calling_hours_start": "22:00", "calling_hours_end": "06:00"})
    assert week_after(asked_hours(both), None) == week_after(asked_hours(older), None)


def test_calling_hours_hold_on_all_days_and_what_is_left_out_is_the_default() -> None:
    asked = asked_hours(body(settings={"calling_hours_start": "08:00"}))
    assert week_after(asked, None) == dict.fromkeys(Weekday, (("08:00", "17:00"),))
    assert week_after(asked_hours(body()), None) == dict.fromkeys(Weekday, (("09:00", "17:00"),))
    before = dict.fromkeys(Weekday, (("10:00", "12:00"),))
    assert week_after(asked_hours(body()), before) is None
    assert week_after(asked, before) == dict.fromkeys(Weekday, (("08:00", "12:00"),))
    with pytest.raises(ValuesInvalid):
        week_after(asked, dict.fromkeys(Weekday, (("07:00", "08:00"),)))


def test_unknown_fields_are_named_to_their_place_and_read_only_ones_are_not() -> None:
    given = body(
        id="x",
        statistics={},
        colour=1,
        settings={"concurent_calls": 2},
        business_hours={"monday": {"enabled": False, "x": 1}},
    )
    assert unknown_fields(given) == [
        "colour: not known here, ignored",
        "settings.concurent_calls: not known here, ignored",
        "business_hours.monday.x: not known here, ignored",
    ]
    many = body(**{f"field_{number}": 1 for number in range(50)})
    assert len(unknown_fields(many)) == 20


def test_statistics_are_sums_of_their_buckets() -> None:
    outcomes = {outcome.value: place for place, outcome in enumerate(Outcome, 1)}
    counts = CampaignCounts(
        pending=5, active=1, completed=2, exhausted=3, error=4, skipped=6, attempts=0,
        outcomes=outcomes, talk_seconds=100.0, retrying=2, called_back=1,
    )  # fmt: skip
    shown = statistics_of(counts)
    assert shown.contacts_count == 21
    buckets = (
        shown.pending_count,
        shown.in_progress_count,
        shown.completed_count,
        shown.failed_count,
        shown.skipped_count,
    )
    assert buckets == (5, 1, 2, 7, 6)
    answered = outcomes["answered"] + outcomes["do_not_call"]
    assert (shown.answered_count, shown.callbacks_count) == (answered, 3)
    assert shown.no_answer_count == outcomes["no_answer"] + outcomes["declined"]
    calls = (
        shown.answered_count,
        shown.voicemail_count,
        shown.no_answer_count,
        shown.busy_count,
        shown.failed_calls_count,
    )
    assert shown.calls_count == sum(calls) == sum(outcomes.values())
    assert (shown.answer_rate, shown.average_duration) == (round(answered / 55, 4), round(100 / answered, 1))
    nothing = statistics_of(CampaignCounts(0, 0, 0, 0, 0, 0, 0))
    assert (nothing.answer_rate, nothing.average_duration) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("view", "zone", "after", "before"),
    [
        (View.ALL, "UTC", None, None),
        (View.OVERDUE, "UTC", None, NOW),
        (View.TODAY, "UTC", datetime(2026, 1, 14, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)),
        (View.TODAY, "Asia/Tokyo", datetime(2026, 1, 14, 15, tzinfo=UTC), datetime(2026, 1, 15, 15, tzinfo=UTC)),
        (View.WEEK, "UTC", NOW, datetime(2026, 1, 19, tzinfo=UTC)),
    ],
)
def test_views_of_callbacks(view: View, zone: str, after: datetime | None, before: datetime | None) -> None:
    which = callback_filter(view, zone, NOW)
    assert (which.due_after, which.due_before) == (after, before)


def test_bounds_of_calls_are_inclusive_and_a_date_is_the_whole_day() -> None:
    assert first_time(date(2026, 1, 15)) == datetime(2026, 1, 15, tzinfo=UTC)
    assert time_after(date(2026, 1, 15)) == datetime(2026, 1, 16, tzinfo=UTC)
    assert first_time(NOW) == NOW
    assert NOW < time_after(NOW) <= NOW.replace(microsecond=1000)


def test_each_event_has_facts_behind_it_and_each_fact_is_told_as_one() -> None:
    for event in EventType:
        assert fact_types([event])
    assert fact_types(["call.failed"]) == fact_types(["call.completed"]) == {FactType.CALL_ENDED}
    assert fact_types(["nothing"]) == frozenset()

    def told(kind: FactType, **facts: Any) -> list[str]:
        fact = OrgFact(shard=1, n=1, organization_id="acme", type=kind, at=NOW, facts=facts)
        return [*events_of(fact)]

    for outcome in Outcome:
        status = RESULT_OF[outcome]
        completed = status in {CallResultStatus.COMPLETED, CallResultStatus.VOICEMAIL}
        assert told(FactType.CALL_ENDED, outcome=outcome.value) == ["call.completed" if completed else "call.failed"]
    as_told = {
        FactType.CALL_PLACED: "call.started",
        FactType.CALL_ANSWERED: "call.connected",
        FactType.CAMPAIGN_STARTED: "campaign.started",
        FactType.CAMPAIGN_PAUSED: "campaign.paused",
        FactType.CAMPAIGN_HALTED: "campaign.paused",
        FactType.CAMPAIGN_RESUMED: "campaign.resumed",
        FactType.CAMPAIGN_COMPLETED: "campaign.completed",
        FactType.PERSON_CREATED: "contact.created",
        FactType.PERSON_CHANGED: "contact.updated",
        FactType.PERSON_DELETED: "contact.deleted",
        FactType.PERSON_DO_NOT_CALL: "contact.dnc",
        FactType.CALLBACK_SCHEDULED: "callback.scheduled",
        FactType.CALLBACK_DONE: "callback.completed",
        FactType.CALLBACK_CANCELLED: "callback.cancelled",
    }
    for kind in set(FactType) - {FactType.CALL_ENDED}:
        assert told(kind) == ([as_told[kind]] if kind in as_told else []), kind
