"""What this API and the engine say to each other, both ways."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.campaign_api.http.faults import RequestFault, fault_of
from services.campaign_api.sysevo.csv_sentences import refusal_sentence
from services.campaign_api.sysevo.errors import ANSWERS, form
from services.campaign_api.sysevo.schemas.campaigns import CreateCampaign, PatchCampaign, RedialCampaign
from services.campaign_api.sysevo.schemas.settings import ABSENT_BREAKER, ABSENT_RETRY, CircuitBreaker, RetryConfig
from services.campaign_api.sysevo.states import (
    CHANGED_IN,
    PAUSED_FROM,
    RESUMED_FROM,
    STARTED_FROM,
    STATE_OF,
    STATUS_OF,
)
from services.campaign_api.sysevo.translate import SHOWN_EVENTS, event_of, redial_outcomes, standing
from services.campaign_api.sysevo.translate_settings import (
    Hours,
    breaker_field,
    breaker_view,
    hours_fields,
    hours_of,
    hours_view,
    kept_words,
    own_configuration,
    patched_hours,
    retry_fields,
    retry_view,
    schedule_view,
    shown_hours,
)
from services.campaign_api.sysevo.values import known_id, utc_instant
from shared.domain.breaker import CircuitBreaker as Breaker
from shared.domain.campaign import CampaignMove, CampaignState, CampaignUse, drafted
from shared.domain.campaign_log import ENGINE, LogEntry, LogEvent
from shared.domain.configuration import Configuration
from shared.domain.counts import CampaignCounts
from shared.domain.csv_check import Breach, Refusal
from shared.domain.csv_text import CsvFlaw
from shared.domain.outcome import Outcome
from shared.domain.retry import RetryPolicy
from shared.engine.campaigns import Campaign
from shared.engine.configurations import StoredConfiguration
from shared.engine.overviews import Overview
from shared.errors import Kind, NotFound, WrongState
from shared.store.jobs.redial import REDIALED

NOW = datetime(2026, 6, 1, tzinfo=UTC)
S = CampaignState
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TIMES = st.integers(0, 23 * 60 + 58)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def create(**fields: Any) -> CreateCampaign:
    wish = {"name": "a", "workflow_id": 1, "contacts_file_key": "k", "max_concurrency": 1}
    return CreateCampaign.model_validate(wish | fields)


@pytest.mark.parametrize(
    ("state", "status", "word"),
    [
        (S.DRAFT, "draft", "created"),
        (S.SCHEDULED, "draft", "created"),
        (S.SYNCING, "running", "syncing"),
        (S.RUNNING, "running", "running"),
        (S.PAUSED, "paused", "paused"),
        (S.COMPLETED, "completed", "completed"),
        (S.CANCELLED, "completed", "completed"),
        (S.FAILED, "failed", "failed"),
    ],
)
def test_states_in_both_products_words(state: CampaignState, status: str, word: str) -> None:
    assert (STATUS_OF[state], STATE_OF[state]) == (status, word)


def test_what_may_be_asked_from_which_state() -> None:
    assert {S.DRAFT, S.SCHEDULED} == STARTED_FROM
    assert {S.SYNCING, S.RUNNING} == PAUSED_FROM
    assert {S.PAUSED} == RESUMED_FROM
    assert {S.COMPLETED, S.CANCELLED} == REDIALED
    assert {S.COMPLETED, S.CANCELLED, S.FAILED} == set(S) - CHANGED_IN


@given(
    st.lists(st.tuples(st.integers(0, 6), TIMES, st.integers(1, 60)), min_size=1, max_size=50),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
)
def test_hours_come_back_as_they_were_sent_in_either_spelling(slots: list[tuple[int, int, int]], zone: str) -> None:
    spans = [(day, clock(start), clock(min(start + length, 1440))) for day, start, length in slots]
    ours = {"timezone": zone, "slots": [{"day": DAYS[d].title(), "start": s, "end": e} for d, s, e in spans]}
    theirs = {"timezone": zone, "slots": [{"day_of_week": d, "start_time": s, "end_time": e} for d, s, e in spans]}
    hours = hours_of(create(calling_hours=ours, schedule_config=theirs))
    assert hours == hours_of(create(calling_hours=theirs)) == hours_of(create(schedule_config=ours))
    fields = hours_fields(hours)
    configuration = Configuration.model_validate(fields)
    assert not configuration.use_contact_timezone
    assert shown_hours(fields, None) == hours
    view, schedule = hours_view(hours), schedule_view(hours)
    assert view is not None
    assert schedule is not None
    assert hours_of(create(calling_hours=view.model_dump())) == hours
    assert hours_of(create(schedule_config=schedule.model_dump())) == hours


def test_any_time_is_every_day_from_midnight_to_midnight() -> None:
    [window] = hours_fields(None)["default_windows"]
    assert (len(window["days"]), window["start"], window["end"]) == (7, "00:00", "24:00")
    assert shown_hours(hours_fields(None), None) is None


def test_hours_that_are_switched_off_restrict_nothing_and_are_kept() -> None:
    off = Hours("Europe/Berlin", ((0, "09:00", "17:00"),), enabled=False)
    kept = kept_words(off, ABSENT_RETRY, ABSENT_BREAKER)
    assert hours_fields(off)["default_windows"] == hours_fields(None)["default_windows"]
    assert shown_hours(hours_fields(off), kept) == off
    assert hours_view(off) is None
    # Another API has given it hours since: those count.
    on = hours_fields(Hours("UTC", ((1, "10:00", "11:00"),)))
    assert shown_hours(on, kept) == Hours("UTC", ((1, "10:00", "11:00"),))


def test_windows_over_midnight_of_another_api_are_split_there() -> None:
    windows = [
        {"days": ["mon", "sun"], "start": "22:00", "end": "02:00"},
        {"days": ["tue"], "start": "20:00", "end": "00:00"},
    ]
    shown = shown_hours({"default_timezone": "UTC", "default_windows": windows}, None)
    assert shown is not None
    assert shown.slots == (
        (0, "22:00", "24:00"),
        (1, "00:00", "02:00"),
        (6, "22:00", "24:00"),
        (0, "00:00", "02:00"),
        (1, "20:00", "24:00"),
    )


def test_both_spellings_must_say_the_same_after_a_change_too() -> None:
    slot = {"day": 0, "start": "09:00", "end": "17:00"}
    before = Hours("UTC", ((0, "09:00", "17:00"),))
    same = PatchCampaign.model_validate({"calling_hours": {"slots": [slot]}, "schedule_config": {"slots": [slot]}})
    assert patched_hours(same, before) == before
    for differ in (
        {"calling_hours": {"timezone": "UTC"}, "schedule_config": {"enabled": False}},
        {"calling_hours": {"timezone": "UTC"}, "schedule_config": {"timezone": "UTC", "enabled": False}},
        {"calling_hours": {"slots": [slot]}, "schedule_config": {"slots": [{**slot, "day": 1}]}},
        {"calling_hours": None, "schedule_config": {"enabled": True}},
    ):
        with pytest.raises(ValidationError) as raised:
            PatchCampaign.model_validate(differ)
        assert [error["type"] for error in raised.value.errors()] == ["hours_differ"]


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({}, Hours("UTC", ((0, "09:00", "17:00"),), enabled=False)),
        ({"schedule_config": {"timezone": "Asia/Tokyo"}}, Hours("Asia/Tokyo", ((0, "09:00", "17:00"),), enabled=False)),
        ({"schedule_config": {"enabled": True}}, Hours("UTC", ((0, "09:00", "17:00"),))),
        ({"calling_hours": {"timezone": None, "slots": None}}, Hours("UTC", ((0, "09:00", "17:00"),))),
        (
            {"calling_hours": {"slots": [{"day": None, "day_of_week": 6.0, "start_time": "00:00", "end": "00:01"}]}},
            Hours("UTC", ((6, "00:00", "00:01"),)),
        ),
        ({"calling_hours": None}, None),
    ],
)
def test_slots_are_replaced_whole_and_the_rest_stays(body: dict[str, Any], after: Hours | None) -> None:
    before = Hours("UTC", ((0, "09:00", "17:00"),), enabled=False)
    assert patched_hours(PatchCampaign.model_validate(body), before) == after


@given(
    st.builds(
        RetryConfig,
        enabled=st.booleans(),
        max_retries=st.integers(0, 10),
        retry_delay_seconds=st.integers(30, 3600),
        retry_on_busy=st.booleans(),
        retry_on_no_answer=st.booleans(),
        retry_on_voicemail=st.booleans(),
    )
)
def test_retries_come_back_as_they_were_sent(retry: RetryConfig) -> None:
    values = own_configuration("June", None, retry)
    assert retry_view(values, kept_words(None, retry, ABSENT_BREAKER)).model_dump() == retry.model_dump()


def test_retries_mean_to_the_engine_what_the_page_says() -> None:
    configuration = Configuration.model_validate(retry_fields(RetryConfig(max_retries=2, retry_on_busy=False)))
    policy: RetryPolicy = configuration.retry_policy
    assert policy.max_attempts == 3
    rules = configuration.retry_rules
    assert (rules[Outcome.BUSY].retry, rules[Outcome.NO_ANSWER].retry, rules[Outcome.FAILED].retry) == (
        False,
        True,
        False,
    )
    assert {rules[each].delay_seconds for each in (Outcome.NO_ANSWER, Outcome.VOICEMAIL)} == {120}
    assert retry_fields(RetryConfig(enabled=False))["max_attempts"] == 1


def test_retries_of_another_api_show_the_delay_of_no_answer() -> None:
    rules = {"no_answer": {"delay_seconds": 900}, "voicemail": {"retry": False}}
    shown = retry_view({"max_attempts": 4, "retry_rules": rules}, None)
    assert (shown.max_retries, shown.retry_delay_seconds, shown.retry_on_busy, shown.retry_on_voicemail) == (
        3,
        900,
        True,
        False,
    )


@pytest.mark.parametrize("threshold", [0, 0.25, 1])
def test_breakers_come_back_as_they_were_sent(threshold: float) -> None:
    sent = CircuitBreaker(failure_threshold=threshold, window_seconds=60, min_calls_in_window=3)
    stored = breaker_field(sent)
    assert stored is not None
    assert 0 < stored["threshold"] <= 1, "the engine's breaker needs a failure to trip"
    assert breaker_view(Breaker.from_document(stored), None).model_dump() == sent.model_dump()
    off = sent.model_copy(update={"enabled": False})
    assert breaker_field(off) is None
    assert breaker_view(None, kept_words(None, ABSENT_RETRY, off)).model_dump() == off.model_dump()
    assert breaker_view(None, None).enabled is False


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        ({}, {"no_answer", "busy", "voicemail"}),
        ({"retry_on_busy": False}, {"no_answer", "voicemail"}),
        ({"redial_statuses": ["no-answer", "failed", "failed"]}, {"no_answer", "failed"}),
        ({"redial_statuses": ["busy"], "retry_on_busy": False, "retry_on_no_answer": False}, {"busy"}),
    ],
)
def test_who_is_redialled(body: dict[str, Any], outcomes: set[str]) -> None:
    assert set(redial_outcomes(RedialCampaign.model_validate(body))) == outcomes


@pytest.mark.parametrize(
    "body",
    [
        {"redial_statuses": []},
        {"redial_statuses": ["answered"]},
        {"retry_on_busy": False, "retry_on_no_answer": False, "retry_on_voicemail": False},
    ],
)
def test_a_redial_of_nobody_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RedialCampaign.model_validate(body)


COUNT = st.integers(0, 50)


@given(*[COUNT] * 9)
def test_progress_always_adds_up(
    uncalled: int,
    retrying: int,
    active: int,
    answered: int,
    unanswered: int,
    skipped: int,
    done: int,
    back: int,
    busy: int,
) -> None:
    counts = CampaignCounts(
        pending=uncalled + retrying + back,
        active=active,
        completed=answered + done,
        exhausted=unanswered,
        error=busy,
        skipped=skipped,
        attempts=answered + unanswered + retrying,
        called=answered + done + unanswered + retrying + back + active,
        answered=answered,
        retrying=retrying,
        called_back=back,
    )
    stands = standing(overview(counts))
    assert stands.uncalled == uncalled or skipped or busy
    assert stands.uncalled + stands.dialled <= stands.total == counts.total
    assert stands.completed <= stands.answered <= stands.dialled
    ended = counts.completed + counts.exhausted + counts.error + counts.skipped
    assert stands.completed + stands.failed == ended
    assert stands.in_progress == active
    if not skipped and not busy:
        assert stands.uncalled + stands.dialled == stands.total


def overview(counts: CampaignCounts) -> Overview:
    values = own_configuration("June", None, ABSENT_RETRY)
    campaign = Campaign(
        "c", "o", 0, None, "June", drafted(), 1, "f", None, None, None, None, created_at=NOW, updated_at=NOW
    )
    return Overview(campaign, counts, StoredConfiguration("f", "o", values, NOW, NOW), None, None, 10, None, None)


@pytest.mark.parametrize(
    ("event", "reason", "word"),
    [
        (LogEvent.STARTED, None, "campaign_started"),
        (LogEvent.PAUSED, None, "campaign_paused"),
        (LogEvent.RESUMED, None, "campaign_resumed"),
        (LogEvent.COMPLETED, None, "campaign_completed"),
        (LogEvent.CANCELLED, None, "campaign_closed"),
        (LogEvent.REDIALED, None, "campaign_redialed"),
        (LogEvent.IMPORT_FAILED, None, "source_sync_failed"),
        (LogEvent.HALTED, "circuit_breaker", "circuit_breaker_tripped"),
        (LogEvent.HALTED, "max_calls", "campaign_paused"),
    ],
)
def test_log_events(event: LogEvent, reason: str | None, word: str) -> None:
    assert event_of(LogEntry("1", NOW, event, reason, ENGINE)) == word
    assert {LogEvent.CREATED, LogEvent.IMPORT_STARTED}.isdisjoint(SHOWN_EVENTS)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-06-01", NOW),
        ("2026-06-01T00:00:00", NOW),
        ("2026-06-01T02:00:00+02:00", NOW),
        ("2026-06-01T00:00:00Z", NOW),
    ],
)
def test_times(text: str, at: datetime) -> None:
    assert utc_instant(text) == at


def test_ids_that_nobody_can_have_are_nobodys() -> None:
    assert [known_id(number) for number in (1, 2**53 - 1, 2**53, 0, -1)] == [1, 2**53 - 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Refusal(Breach.TOO_LARGE), "10,485,760 bytes"),
        (Refusal(Breach.UNREADABLE, CsvFlaw.EMPTY), "header row and at least one data row"),
        (Refusal(Breach.UNREADABLE, CsvFlaw.TOO_MANY_COLUMNS), "1,000 columns"),
        (Refusal(Breach.BAD_NUMBERS, None, (2, 3, 5, 8, 13), 9), "rows 2, 3, 5, 8, 13 and 4 more"),
        (Refusal(Breach.UNREADABLE, CsvFlaw.CELL_TOO_LARGE, (7,), 1), "64 KiB: rows 7"),
        (Refusal(Breach.MISSING_VARIABLES, names=("a", "b")), "a, b"),
    ],
)
def test_refusals_of_lists(refusal: Refusal, said: str) -> None:
    assert said in refusal_sentence(refusal)


@pytest.mark.parametrize("breach", list(Breach))
def test_every_breach_has_a_sentence(breach: Breach) -> None:
    assert refusal_sentence(Refusal(breach, rows=(2,), count=1, names=("x",)))


@pytest.mark.parametrize("code", list(ANSWERS))
def test_every_answer_has_a_status_that_its_code_can_have(code: Any) -> None:
    status, sentence = ANSWERS[code]
    expected = {Kind: {404}, CampaignMove: {400}, CampaignUse: {400}}.get(type(code))
    assert sentence
    assert status in (expected or {400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503})


@pytest.mark.parametrize("state", list(CampaignState))
def test_a_refused_move_names_the_state_in_this_apis_words(state: CampaignState) -> None:
    for asked in (CampaignMove.START, CampaignMove.PAUSE, CampaignUse.CHANGE, CampaignUse.REDIAL):
        answer = form(fault_of(WrongState(Kind.CAMPAIGN, "c", state, asked)))
        assert (answer.status_code, STATE_OF[state].encode() in bytes(answer.body)) == (400, True)


def test_refusals_have_one_sentence() -> None:
    assert bytes(form(fault_of(NotFound(Kind.CAMPAIGN, "7"))).body) == b'{"detail":"Campaign not found"}'
    assert RequestFault.OUR_FAULT in ANSWERS
