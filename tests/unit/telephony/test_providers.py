import pytest

from shared.errors import ConfigurationError
from shared.settings import TelephonySettings
from shared.telephony.providers import build_provider

COMPLETE = {
    "telephony_provider": "twilio",
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "token",
    "twilio_answer_url": "https://agent.example/answer",
    "callback_base_url": "https://dial.example",
}


def settings(**changes: object) -> TelephonySettings:
    return TelephonySettings.model_validate({**COMPLETE, **changes})


@pytest.mark.parametrize("name", ["twilio", "scripted"])
def test_settings_name_the_provider(name: str) -> None:
    assert build_provider(settings(telephony_provider=name)).name == name


def test_scripted_provider_needs_nothing_and_cannot_be_asked_from_elsewhere() -> None:
    provider = build_provider(TelephonySettings.model_validate({"telephony_provider": "scripted"}))
    assert not provider.can_look_up


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("telephony_provider", "pigeon", "must be `twilio` or `scripted`, and is 'pigeon'"),
        ("twilio_account_sid", "", "must be set"),
        ("twilio_auth_token", "", "must be set"),
        ("twilio_answer_url", "", "must be set"),
        ("callback_base_url", "", "must be set"),
        ("twilio_base_url", "", "must be set"),
    ],
)
def test_contradicting_settings_name_setting_rule_and_value(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_provider(settings(**{name: value}))
    assert f"DIALSTREAM_{name.upper()}" in str(caught.value)
    assert said in str(caught.value)
