import pytest

from shared.domain.calling_window import ScheduleOverride, TimeWindow, Weekday
from shared.domain.campaign import CampaignStatus
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus
from shared.domain.dialing import CallFields, CampaignRules, Rules
from shared.domain.reasons import EndReason
from shared.domain.setting_faults import (
    SENTENCES,
    EndedByFault,
    SettingFault,
    opens_ever,
    setting_faults,
    warnings_on,
)

OPEN = (TimeWindow(days=tuple(Weekday), start="00:00", end="24:00"),)
IN_BERLIN = ScheduleOverride(timezones=("Europe/Berlin",), windows=OPEN)
WHOLE = Configuration(default_windows=OPEN, agent_id="ada", agent_number="+14155550100")


def rules(configuration: Configuration | None, fields: CallFields | None = None, number: str | None = None) -> Rules:
    campaign = CampaignRules(CampaignStatus.ACTIVE, configuration, fields or CallFields())
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
    assert setting_faults(around) == faults


@pytest.mark.parametrize(
    ("configuration", "opens"),
    [
        (Configuration(), False),
        (Configuration(default_windows=OPEN), True),
        (Configuration(overrides=(IN_BERLIN,)), True),
        (Configuration(overrides=(IN_BERLIN.model_copy(update={"windows": ()}),)), False),
        (Configuration(scheduled_windows=OPEN), True),
        (Configuration(scheduled_overrides=(IN_BERLIN,)), True),
    ],
)
def test_a_configuration_that_never_opens(configuration: Configuration, opens: bool) -> None:
    assert opens_ever(configuration) is opens


def test_who_has_ended_for_a_fault_that_is_mended_is_counted() -> None:
    assert warnings_on(rules(WHOLE), {"no_agent": 1000, "answered": 5}) == [
        EndedByFault(ContactStatus.ERROR, EndReason.NO_AGENT, 1000)
    ]
    without = Configuration(default_windows=OPEN, agent_number="+14155550100")
    assert warnings_on(rules(without), {"no_agent": 1000}) == [SettingFault.NO_AGENT], "not yet mended"


def test_there_is_a_sentence_for_every_fault() -> None:
    assert set(SENTENCES) == set(SettingFault)
