"""Which provider the settings ask for."""

from collections.abc import Callable

from pydantic import SecretStr

from shared.domain.outcome import Outcome
from shared.errors import ConfigurationError
from shared.settings import TelephonySettings
from shared.telephony.provider import CallReport, OnReport, TelephonyProvider
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import seeded_mix
from shared.telephony.twilio import TwilioProvider


def ignore_report(report: CallReport) -> None:
    """For processes that never place calls themselves and only look them up."""


BuildProvider = Callable[[TelephonySettings, OnReport], TelephonyProvider]


def build_provider(settings: TelephonySettings, on_report: OnReport = ignore_report) -> TelephonyProvider:
    """The provider that `telephony_provider` names, not yet started.

    `on_report` is only called by in-process providers. Raises `ConfigurationError`, naming the setting,
    the rule and the value: do not start.
    """
    match settings.telephony_provider:
        case "twilio":
            _check_twilio(settings)
            return TwilioProvider(settings)
        case "scripted":
            return _scripted(settings, on_report)
        case other:
            raise ConfigurationError(f"DIALSTREAM_TELEPHONY_PROVIDER must be `twilio` or `scripted`, and is {other!r}")


def carrier_of_calls(settings: TelephonySettings) -> TelephonyProvider | None:
    """The carrier that holds calls, not yet started, for a process that places none.

    None where the provider holds its calls in its own process, and where the settings have no account.
    """
    has_account = settings.twilio_account_sid and settings.twilio_auth_token.get_secret_value()
    return TwilioProvider(settings) if settings.telephony_provider == "twilio" and has_account else None


def provider_of_account(
    settings: TelephonySettings, account_sid: str, auth_token: str, base_url: str | None
) -> TelephonyProvider:
    """The provider of a customer's own account, not yet started; all but the account is as the operator has set it."""
    own: dict[str, object] = {"twilio_account_sid": account_sid, "twilio_auth_token": SecretStr(auth_token)}
    if base_url is not None:
        own["twilio_base_url"] = base_url
    return TwilioProvider(settings.model_copy(update=own))


def _check_twilio(settings: TelephonySettings) -> None:
    needed = {
        "DIALSTREAM_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "DIALSTREAM_TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
    }
    urls = {
        "DIALSTREAM_TWILIO_BASE_URL": settings.twilio_base_url,
        "DIALSTREAM_TWILIO_ANSWER_URL": settings.twilio_answer_url,
        "DIALSTREAM_CALLBACK_BASE_URL": settings.callback_base_url,
    }
    for name, value in (needed | urls).items():
        if not value:
            raise ConfigurationError(f"{name} must be set when DIALSTREAM_TELEPHONY_PROVIDER is `twilio`, and is empty")


def _scripted(settings: TelephonySettings, on_report: OnReport) -> ScriptedProvider:
    rate = settings.scripted_answer_rate
    weights = {Outcome.ANSWERED: rate, Outcome.NO_ANSWER: (1 - rate) / 2, Outcome.BUSY: (1 - rate) / 2}
    script = seeded_mix(
        settings.scripted_seed,
        weights,
        ring_seconds=(0.0, settings.scripted_ring_seconds),
        talk_seconds=(0.0, settings.scripted_talk_seconds),
    )
    # Another process has another object: it must not say "no such call" of calls it cannot know.
    return ScriptedProvider(script, on_report, can_look_up=False, keep_placements=False)
