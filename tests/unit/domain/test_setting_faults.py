from datetime import UTC, date, datetime

import pytest

from shared.domain.calling_window import ScheduleOverride, TimeWindow, Weekday
from shared.domain.campaign import Course, Intent
from shared.domain.closures import Closure
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus
from shared.domain.dialing_values import CallFields, CampaignRules, Rules
from shared.domain.reasons import EndReason
from shared.domain.setting_faults import (
    EndedByFault,
    SettingFault,
    exhausted_stay,
    fault_of_hours,
    setting_faults,
    warnings_on,
    warnings_on_configuration,
)

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
OPEN = (TimeWindow(days=tuple(Weekday), start="00:00", end="24:00"),)
IN_BERLIN = ScheduleOverride(timezones=("Europe/Berlin",), windows=OPEN)
WHOLE = Configuration(default_windows=OPEN, agent_id="ada", agent_number="+14155550100")


def rules(configuration: Configuration | None, fields: CallFields | None = None, number: str | None = None) -> Rules:
    campaign = CampaignRules(Course(Intent.RUNNING), configuration, fields or CallFields())
    return Rules(campaign, default_caller_number=number)


@pytest.mark.parametrize(
    ("around", "faults"),
    [
        (rules(WHOLE), []),
        (rules(Configuration()), ["no_windows", "no_caller_number", "no_agent"]),
        (rules(None), ["configuration_unusable", "no_caller_number", "no_agent"]),
        (rules(Configuration(default_windows=OPEN), CallFields("bob", None, "+14155550177")), []),
        (rules(Configuration(default_windows=OPEN, agent_id="ada"), number="+14155550166"), []),
        (Rules(of_no_campaign=True), ["no_caller_number"]),
        (Rules(of_no_campaign=True, default_caller_number="+14155550166"), []),
    ],
)
def test_what_settings_lack(around: Rules, faults: list[str]) -> None:
    assert setting_faults(around, NOW) == faults


@pytest.mark.parametrize(
    ("configuration", "usually", "scheduled"),
    [
        (Configuration(), False, False),
        (Configuration(default_windows=OPEN), True, True),
        (Configuration(overrides=(IN_BERLIN,)), True, True),
        (Configuration(overrides=(IN_BERLIN.model_copy(update={"windows": ()}),)), False, False),
        (Configuration(scheduled_windows=OPEN), False, True),
        (Configuration(scheduled_overrides=(IN_BERLIN,)), False, True),
        (Configuration(default_windows=OPEN, scheduled_windows=()), True, False),
    ],
)
def test_a_configuration_that_never_opens(configuration: Configuration, usually: bool, scheduled: bool) -> None:
    assert (SettingFault.NO_WINDOWS in setting_faults(rules(configuration), NOW)) is not usually
    opens = fault_of_hours(configuration.schedule(True), "Europe/Berlin", [None], NOW) is None
    assert opens is scheduled, "the override, where there is one, is for Berlin"


@pytest.mark.parametrize(
    ("timezone", "opens"),
    [(None, False), ("America/New_York", False), ("US/Eastern", False), ("Europe/Berlin", True), ("Asia/Tokyo", True)],
)
def test_a_timezone_that_never_opens(timezone: str | None, opens: bool) -> None:
    closed = ScheduleOverride(timezones=("America/New_York",), windows=())
    configuration = Configuration(default_timezone="America/New_York", default_windows=OPEN, overrides=(closed,))
    fault = fault_of_hours(configuration.schedule(False), timezone, [None], NOW)
    assert fault is (None if opens else SettingFault.NO_WINDOWS)


SHUT = Closure(first_day=date(2026, 1, 1), last_day=date(2028, 1, 1))
SHUT_IN_BERLIN = SHUT.model_copy(update={"timezones": ("Europe/Berlin",)})


@pytest.mark.parametrize(
    ("configuration", "fault"),
    [
        (Configuration(default_windows=OPEN, closures=(SHUT,)), SettingFault.NEVER_OPEN),
        (Configuration(closures=(SHUT,)), SettingFault.NO_WINDOWS),
        (Configuration(default_windows=OPEN, closures=(SHUT_IN_BERLIN,)), None),
        (Configuration(overrides=(IN_BERLIN,), closures=(SHUT_IN_BERLIN,)), SettingFault.NEVER_OPEN),
        (
            Configuration(
                default_timezone="Europe/Berlin",
                default_windows=OPEN,
                closures=(SHUT_IN_BERLIN,),
                use_contact_timezone=False,
            ),
            SettingFault.NEVER_OPEN,
        ),
        (Configuration(overrides=(IN_BERLIN,), use_contact_timezone=False), SettingFault.NO_WINDOWS),
        (Configuration(default_timezone="Europe/Berlin", default_windows=OPEN, closures=(SHUT_IN_BERLIN,)), None),
    ],
)
def test_closed_days_that_leave_no_window(configuration: Configuration, fault: SettingFault | None) -> None:
    found = [f for f in setting_faults(rules(configuration), NOW) if f.value in {"no_windows", "never_open"}]
    assert found == ([fault] if fault else [])


def test_contacts_whose_attempts_were_used_up_are_counted_when_the_rules_change() -> None:
    assert exhausted_stay({"answered": 9, "declined": 2}) == []
    counted = EndedByFault(ContactStatus.EXHAUSTED, None, 3)
    assert exhausted_stay({"no_answer": 2, "busy": 1, "answered": 9}) == [counted]


def test_who_has_ended_for_a_fault_that_is_mended_is_counted() -> None:
    assert warnings_on(rules(WHOLE), {"no_agent": 1000, "answered": 5}, NOW) == [
        EndedByFault(ContactStatus.ERROR, EndReason.NO_AGENT, 1000)
    ]
    without = Configuration(default_windows=OPEN, agent_number="+14155550100")
    assert warnings_on(rules(without), {"no_agent": 1000}, NOW) == [SettingFault.NO_AGENT], "not yet mended"


@pytest.mark.parametrize(
    ("changed", "warned"),
    [({"name"}, []), ({"max_attempts"}, [EndedByFault(ContactStatus.EXHAUSTED, None, 2)])],
)
def test_a_configuration_is_told_of_used_up_attempts_when_it_changes_them(
    changed: set[str], warned: list[EndedByFault]
) -> None:
    # Campaigns may bring agent and caller number, so a configuration that has none lacks nothing by itself.
    configuration = Configuration(default_windows=OPEN)
    assert warnings_on_configuration(configuration, {"busy": 2}, NOW, changed=changed) == warned


def test_a_configuration_that_never_opens_is_told_so() -> None:
    assert warnings_on_configuration(Configuration(), {}, NOW, changed=()) == [SettingFault.NO_WINDOWS]
