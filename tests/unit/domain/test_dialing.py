from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calling_window import TimeWindow, Weekday
from shared.domain.campaign import Course, Intent, Run, RunState
from shared.domain.closures import Closure
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus, Tier
from shared.domain.dialing import NUMBER_BUSY_PAUSE, campaign_wait, choose_call, end_of, next_call, verdict
from shared.domain.dialing_values import Call, CallFields, CampaignRules, DialedContact, End, Rules, Wait
from shared.domain.organization_hours import LegalHoursUse, OrganizationHours
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.refusal import Refusal, RefusalSubject, Rest

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)  # a Wednesday, 10:00 in New York
HOUR = timedelta(hours=1)
FIRST, SECOND, THIRD = "+14155550101", "+14155550102", "+525512345678"
DAYS = tuple(Weekday)


def window(start: str, end: str, days: tuple[Weekday, ...] = DAYS) -> TimeWindow:
    return TimeWindow(days=days, start=start, end=end)


def configuration(**changes: Any) -> Configuration:
    usual = {"default_windows": (window("00:00", "24:00"),), "agent_id": "ada", "agent_number": "+14155550100"}
    return Configuration(**usual | changes)


ALWAYS = configuration()
AFTERNOON = configuration(default_windows=(window("13:00", "17:00"),))
NO_AGENT = configuration(agent_id=None)
HOLIDAY = configuration(closures=(Closure(first_day=NOW.date()),))
LAWFUL = configuration(timezone_from_number=True, organization=OrganizationHours(legal_hours=LegalHoursUse.ON))


def rules(by: Configuration | None = ALWAYS, intent: str = "running", **more: Any) -> Rules:
    return Rules(CampaignRules(Course(Intent(intent)), by), **more)


def contact(*numbers: str, **more: Any) -> DialedContact:
    return DialedContact(phone_numbers=numbers or (FIRST,), due_at=more.pop("due_at", NOW - HOUR), **more)


def resting(key: str, until: datetime, *, asking: bool = False) -> dict[str, Rest]:
    subject = RefusalSubject(key.partition(":")[0])
    return {key: Rest(until, 1, NOW - HOUR, Refusal(subject=subject), asking)}


SOON = NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("waiting", "around", "expected"),
    [
        pytest.param(contact(), rules(), None, id="nothing in the way"),
        pytest.param(contact(), Rules(), End(ContactStatus.SKIPPED, EndReason.CANCELLED), id="campaign gone"),
        pytest.param(
            contact(), rules(intent="cancelled"), End(ContactStatus.SKIPPED, EndReason.CANCELLED), id="campaign closed"
        ),
        pytest.param(
            contact(listed={FIRST}),
            rules(intent="paused"),
            End(ContactStatus.SKIPPED, EndReason.DO_NOT_CALL),
            id="do-not-call ends it also in a paused campaign",
        ),
        pytest.param(
            contact(FIRST, SECOND, listed={FIRST}, invalid={SECOND}),
            rules(),
            End(ContactStatus.SKIPPED, EndReason.DO_NOT_CALL),
            id="one listed, the other invalid",
        ),
        pytest.param(
            contact(FIRST, invalid={FIRST}),
            rules(),
            End(ContactStatus.EXHAUSTED, EndReason.INVALID_NUMBER),
            id="no number left",
        ),
        pytest.param(
            contact(for_good=EndReason.ANSWERED),
            Rules(),
            End(ContactStatus.COMPLETED, EndReason.ANSWERED),
            id="answered after all, in a campaign that is gone",
        ),
        pytest.param(
            contact(listed={FIRST}, for_good=EndReason.OPTED_OUT),
            rules(intent="paused"),
            End(ContactStatus.EXHAUSTED, EndReason.OPTED_OUT),
            id="opted out after all",
        ),
        pytest.param(
            contact(), rules(intent="paused"), Wait(WaitReason.CAMPAIGN_PAUSED, None, True), id="campaign paused"
        ),
        pytest.param(
            contact(), rules(None), Wait(WaitReason.CONFIGURATION_UNUSABLE, None, True), id="configuration unusable"
        ),
        pytest.param(
            contact(due_at=NOW + HOUR, tier=Tier.RETRY), rules(), Wait(WaitReason.RETRY, NOW + HOUR), id="retry"
        ),
        pytest.param(
            contact(due_at=NOW + HOUR, scheduled_at=NOW + HOUR, tier=Tier.SCHEDULED),
            rules(),
            Wait(WaitReason.SCHEDULED, NOW + HOUR),
            id="scheduled",
        ),
        pytest.param(
            contact(scheduled_at=NOW + HOUR, tier=Tier.RETRY),
            rules(),
            Wait(WaitReason.SCHEDULED, NOW + HOUR),
            id="scheduled anew while it waited for a retry",
        ),
        pytest.param(
            contact(due_at=SOON, scheduled_at=NOW + HOUR, tier=Tier.RETRY),
            rules(),
            Wait(WaitReason.SCHEDULED, NOW + HOUR),
            id="scheduled for later than its retry",
        ),
        pytest.param(
            contact(due_at=NOW + HOUR, scheduled_at=SOON, tier=Tier.RETRY),
            rules(),
            Wait(WaitReason.RETRY, NOW + HOUR),
            id="scheduled for sooner than its retry",
        ),
        pytest.param(
            contact(due_at=SOON, put_off=WaitReason.ACCOUNT_REFUSED),
            rules(rests=resting("account", NOW + HOUR)),
            Wait(WaitReason.ACCOUNT_REFUSED, NOW + HOUR, True),
            id="given back for what rests for longer",
        ),
        pytest.param(
            contact(due_at=SOON, put_off=WaitReason.ACCOUNT_REFUSED),
            rules(rests=resting("account", NOW)),
            Wait(WaitReason.ACCOUNT_REFUSED, SOON),
            id="given back for what rests no more",
        ),
        pytest.param(contact(due_at=SOON), rules(), Wait(WaitReason.GIVEN_BACK, SOON), id="given back"),
        pytest.param(
            contact(due_at=SOON, put_off=WaitReason.NUMBER_BUSY),
            rules(),
            Wait(WaitReason.NUMBER_BUSY, SOON),
            id="put off, and why",
        ),
        pytest.param(
            contact(),
            rules(configuration(default_windows=())),
            Wait(WaitReason.NO_WINDOWS),
            id="no windows",
        ),
        pytest.param(contact(), rules(AFTERNOON), Wait(WaitReason.OUTSIDE_HOURS, NOW + 3 * HOUR), id="outside hours"),
        pytest.param(
            contact(),
            rules(configuration(agent_number=None)),
            Wait(WaitReason.NO_CALLER_NUMBER, None, True),
            id="no caller number",
        ),
        pytest.param(
            contact(), rules(rests=resting("account", SOON)), Wait(WaitReason.ACCOUNT_REFUSED, SOON, True), id="account"
        ),
        pytest.param(
            contact(),
            rules(rests=resting("caller_number:+14155550100", SOON)),
            Wait(WaitReason.CALLER_NUMBER_REFUSED, SOON, True),
            id="the campaign's caller number rests",
        ),
        pytest.param(
            contact(fields=CallFields(agent_number="+14155550199")),
            rules(rests=resting("caller_number:+14155550199", SOON)),
            Wait(WaitReason.CALLER_NUMBER_REFUSED, SOON),
            id="its own caller number rests",
        ),
        pytest.param(
            contact(fields=CallFields(agent_number="+14155550199")),
            rules(rests=resting("caller_number:+14155550100", SOON)),
            None,
            id="another caller number rests",
        ),
        pytest.param(
            contact(THIRD),
            rules(rests=resting("country:MX", SOON)),
            Wait(WaitReason.COUNTRY_REFUSED, SOON),
            id="country",
        ),
        pytest.param(contact(), rules(rests=resting("country:MX", SOON)), None, id="another country"),
        pytest.param(
            contact(), rules(rests=resting("account", SOON), probing={"account"}), None, id="this call asks again"
        ),
        pytest.param(
            contact("+5215512345678"),
            rules(live={THIRD}),
            Wait(WaitReason.NUMBER_BUSY, NOW + NUMBER_BUSY_PAUSE),
            id="on a call under another spelling",
        ),
        pytest.param(
            contact(), rules(full=WaitReason.ORGANIZATION_LIMIT), Wait(WaitReason.ORGANIZATION_LIMIT), id="limit full"
        ),
        pytest.param(
            contact(),
            rules(configuration(agent_id=None)),
            End(ContactStatus.ERROR, EndReason.NO_AGENT),
            id="no agent",
        ),
        pytest.param(
            contact(has_agent_config=True),
            rules(configuration(agent_id=None)),
            None,
            id="an agent of its own, in full",
        ),
        pytest.param(
            contact(fields=CallFields(agent_id="eve", agent_number="+14155550199")),
            Rules(of_no_campaign=True),
            None,
            id="of no campaign",
        ),
    ],
)
def test_the_verdict_names_the_first_thing_in_the_way(
    waiting: DialedContact, around: Rules, expected: Wait | End | None
) -> None:
    found = verdict(waiting, around, NOW)
    assert (None if isinstance(found, Call) else found) == expected


@pytest.mark.parametrize(
    "around",
    [
        rules(NO_AGENT, "paused"),
        rules(NO_AGENT, rests=resting("account", SOON)),
        rules(NO_AGENT, live={FIRST}),
        rules(NO_AGENT, full=WaitReason.GLOBAL_LIMIT),
        rules(configuration(agent_id=None, agent_number=None)),
        rules(configuration(agent_id=None, default_windows=())),
    ],
)
def test_a_contact_without_an_agent_ends_only_when_nothing_else_stands_in_the_way(around: Rules) -> None:
    assert isinstance(verdict(contact(), around, NOW), Wait)
    assert verdict(contact(), rules(NO_AGENT), NOW) == End(ContactStatus.ERROR, EndReason.NO_AGENT)


def test_a_window_that_closes_too_soon_is_not_open_and_the_next_one_is_named() -> None:
    closing = configuration(default_windows=(window("09:00", "10:01"),))
    assert isinstance(verdict(contact(), rules(closing), NOW, timedelta(seconds=60)), Call)
    found = verdict(contact(), rules(closing), NOW, timedelta(seconds=61))
    assert found == Wait(WaitReason.OUTSIDE_HOURS, NOW + 23 * HOUR)


def test_a_rest_that_is_over_lets_a_call_through_that_asks_again() -> None:
    found = verdict(contact(), rules(rests=resting("account", NOW)), NOW)
    assert isinstance(found, Call)
    assert found.probing == ("account",)


def test_numbers_take_turns_and_those_that_may_not_be_called_lose_theirs() -> None:
    def number(made: int, **more: Any) -> str:
        return choose_call(contact(FIRST, SECOND, THIRD, attempts_made=made, **more), rules(), NOW).number

    assert [number(made) for made in range(5)] == [FIRST, SECOND, THIRD, FIRST, SECOND]
    assert [number(made, listed={SECOND}) for made in range(4)] == [FIRST, THIRD, THIRD, FIRST]
    assert [number(made, invalid={FIRST}) for made in range(4)] == [SECOND, SECOND, THIRD, SECOND]


def test_agent_and_caller_number_come_from_contact_campaign_configuration_organization() -> None:
    campaign = CampaignRules(Course(Intent.RUNNING), ALWAYS, CallFields("bob", "2", "+14155550177"))
    around = Rules(campaign, default_caller_number="+14155550166")

    def chosen(fields: CallFields, by: Rules) -> tuple[str | None, str | None]:
        choice = choose_call(contact(fields=fields), by, NOW)
        return choice.agent_id, choice.caller_number

    assert chosen(CallFields("eve", None, "+14155550188"), around) == ("eve", "+14155550188")
    assert chosen(CallFields(), around) == ("bob", "+14155550177")
    assert chosen(CallFields(), replace(around, campaign=replace(campaign, fields=CallFields()))) == (
        "ada",
        "+14155550100",
    )
    bare = Configuration(default_windows=ALWAYS.default_windows)
    assert chosen(CallFields(), replace(rules(bare), default_caller_number="+14155550166")) == (None, "+14155550166")


@pytest.mark.parametrize(
    ("waiting", "around", "expected"),
    [
        pytest.param(contact(), rules(), NOW, id="now"),
        pytest.param(contact(), rules(full=WaitReason.GLOBAL_LIMIT, live={FIRST}), NOW, id="limits are not foreseen"),
        pytest.param(contact(), rules(AFTERNOON), NOW + 3 * HOUR, id="at the opening"),
        pytest.param(
            contact(due_at=NOW + 10 * HOUR, tier=Tier.RETRY),
            rules(AFTERNOON),
            NOW + 27 * HOUR,
            id="due when it is closed: at the opening after that",
        ),
        pytest.param(
            contact(),
            rules(AFTERNOON, rests=resting("account", NOW + 4 * HOUR)),
            NOW + 4 * HOUR,
            id="open, and still resting",
        ),
        pytest.param(contact(), rules(intent="paused"), None, id="paused"),
        pytest.param(contact(), rules(configuration(default_windows=())), None, id="no windows"),
        pytest.param(contact(), rules(NO_AGENT), None, id="no agent"),
        pytest.param(contact(), rules(configuration(agent_number=None)), None, id="no caller number"),
    ],
)
def test_the_next_possible_call(waiting: DialedContact, around: Rules, expected: datetime | None) -> None:
    assert next_call(waiting, around, NOW) == expected


def test_what_holds_for_a_whole_campaign() -> None:
    assert campaign_wait(rules(), NOW) is None
    assert campaign_wait(rules(AFTERNOON), NOW) is None, "hours are each timezone's own"
    assert campaign_wait(rules(intent="paused"), NOW) == Wait(WaitReason.CAMPAIGN_PAUSED, None, True)
    bare = configuration(agent_number=None)
    assert campaign_wait(rules(bare), NOW) == Wait(WaitReason.NO_CALLER_NUMBER, None, True)
    assert campaign_wait(rules(bare, default_caller_number="+14155550166"), NOW) is None
    assert campaign_wait(rules(rests=resting("account", SOON)), NOW) == Wait(WaitReason.ACCOUNT_REFUSED, SOON, True)
    assert campaign_wait(rules(rests=resting("account", NOW)), NOW) is None, "over: one call may ask again"
    assert campaign_wait(rules(rests=resting("country:MX", SOON)), NOW) is None, "not all contacts are there"


contacts = st.builds(
    DialedContact,
    phone_numbers=st.lists(st.sampled_from([FIRST, SECOND, THIRD]), min_size=1, unique=True).map(tuple),
    due_at=st.sampled_from([NOW - HOUR, NOW, NOW + HOUR]),
    tier=st.sampled_from(list(Tier)),
    scheduled_at=st.sampled_from([None, NOW - HOUR, NOW + 2 * HOUR]),
    attempts_made=st.integers(0, 5),
    fields=st.sampled_from([CallFields(), CallFields("eve", None, "+14155550188")]),
    listed=st.sets(st.sampled_from([FIRST, SECOND, THIRD])),
    invalid=st.sets(st.sampled_from([FIRST, SECOND, THIRD])),
    expires_at=st.sampled_from([None, NOW - HOUR, NOW, NOW + HOUR, NOW + 5 * HOUR]),
)
context = st.builds(
    Rules,
    campaign=st.one_of(
        st.none(),
        st.builds(
            CampaignRules,
            course=st.builds(
                Course,
                intent=st.sampled_from(list(Intent)),
                generation=st.just(2),
                start_at=st.sampled_from([None, NOW, NOW + HOUR]),
                run=st.one_of(
                    st.none(), st.builds(Run, st.sampled_from([1, 2]), st.sampled_from(list(RunState)), st.just(NOW))
                ),
            ),
            configuration=st.sampled_from([None, ALWAYS, AFTERNOON, NO_AGENT, HOLIDAY, LAWFUL, Configuration()]),
        ),
    ),
    default_caller_number=st.sampled_from([None, "+14155550166"]),
    rests=st.sampled_from([{}, resting("account", SOON), resting("country:US", NOW), resting("country:MX", SOON)]),
    live=st.sets(st.sampled_from([FIRST, THIRD])),
    full=st.sampled_from([None, WaitReason.GLOBAL_LIMIT]),
)


@given(contacts, context)
def test_in_every_context_the_answers_agree(waiting: DialedContact, around: Rules) -> None:
    found = verdict(waiting, around, NOW)
    ends = end_of(waiting, around, NOW)
    assert (ends is None) == (not isinstance(found, End) or found.because is EndReason.NO_AGENT)
    if isinstance(found, Call):
        assert found.choice.number not in {*waiting.listed, *waiting.invalid, *around.live}
        assert next_call(waiting, around, NOW) == NOW
    if isinstance(found, Wait) and found.until is not None:
        assert found.until > NOW
    later = next_call(waiting, around, NOW)
    if later is not None:
        at_that_time = replace(around, live=frozenset(), full=None)
        assert isinstance(verdict(waiting, at_that_time, later), Call), "the time named is one at which it is called"
