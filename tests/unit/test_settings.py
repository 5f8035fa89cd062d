"""`.env.example` is the truth about the settings, and every setting explains itself and refuses what cannot work."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy.env_example import NAMES_TARGET, OTHER_NAMES, REPOSITORY, TARGET, example, names, settings_classes
from services.call_executor.settings import ExecutorSettings
from services.campaign_api.settings import ApiSettings
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from services.contact_ingest.settings import IngestSettings
from services.scheduler.settings import SchedulerSettings
from shared.domain.unknown_names import PREFIX
from shared.process import explain
from shared.setting_names import KNOWN_NAMES
from shared.settings import DialingSettings, KafkaSettings, MongoSettings, Settings, StartSettings, TelephonySettings

SOURCES = ("deploy", "services", "shared", "tests", "docs")
NAME = re.compile(rf"{PREFIX}[A-Z][A-Z0-9_]*[A-Z0-9](?![A-Z0-9_]|\*)")


def test_the_example_is_up_to_date() -> None:
    assert TARGET.read_text() == example(), "run `make env`"


def test_the_list_of_names_is_up_to_date() -> None:
    assert NAMES_TARGET.read_text() == names(), "run `make env`"


def test_the_example_names_every_setting_once() -> None:
    named = [line.lstrip("#").split("=")[0] for line in TARGET.read_text().splitlines() if f"{PREFIX}" in line[:20]]
    wanted = {PREFIX + name.upper() for settings in settings_classes() for name in settings.model_fields}
    of_compose = {f"{PREFIX}{of}PUBLISHED_{what}" for of in ("", "CONSOLE_") for what in ("ADDRESS", "PORT")}
    assert sorted(named) == sorted(wanted | of_compose)


def test_every_name_that_stands_in_the_repository_is_known_and_the_tools_names_all_stand_there() -> None:
    # These make up names that are unknown; the list itself proves nothing.
    left_out = {"test_unknown_names.py", "test_service_starts.py", Path(__file__).name, NAMES_TARGET.name}
    used = {name for path in texts() if path.name not in left_out for name in NAME.findall(path.read_text())}
    assert used - KNOWN_NAMES == set()
    assert OTHER_NAMES - used == set()


def texts() -> Iterator[Path]:
    for source in SOURCES:
        yield from (path for path in (REPOSITORY / source).rglob("*") if path.suffix in {".py", ".md", ".sh", ".yaml"})
    yield from (REPOSITORY / name for name in ("README.md", "Makefile", "docker-compose.yml"))


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda settings: settings.__name__)
def test_every_setting_says_what_it_is(settings: type[Settings]) -> None:
    assert [name for name, field in settings.model_fields.items() if not field.description] == []


REFUSED: list[tuple[type[Settings], str, str, str]] = [
    (KafkaSettings, "kafka", "kafka", "must be one or several of host:port"),
    (KafkaSettings, "topic_prefix", "a/b", "must be at most 200 of the characters A-Z a-z 0-9 . _ - and is 'a/b'"),
    (KafkaSettings, "instance", "executor 0", "must be at most 200 of the characters"),
    (KafkaSettings, "kafka_session_timeout_ms", "1800001", "must be less than or equal to 1800000, and is '1800001'"),
    (KafkaSettings, "kafka_session_timeout_ms", "6s", "must be a valid integer, and is '6s'"),
    (KafkaSettings, "kafka_request_timeout_ms", "600001", "must be less than or equal to 600000"),
    (MongoSettings, "mongodb", "127.0.0.1:27017", "must begin with mongodb:// or mongodb+srv://"),
    (MongoSettings, "mongodb_database", "dial.stream", "must be 1 to 63 bytes"),
    (MongoSettings, "mongodb_database", "admin", "must not be one of MongoDB's own databases"),
    (StartSettings, "start_deadline_seconds", "0", "must be greater than 0, and is '0'"),
    (StartSettings, "start_deadline_seconds", "inf", "must be a finite number, and is 'inf'"),
    (StartSettings, "start_deadline_seconds", "1e9", "must be less than or equal to 86400, and is '1e9'"),
    (StartSettings, "log_level", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR, and is 'LOUD'"),
    (StartSettings, "http_host", "", "must have at least 1 character, and is ''"),
    (StartSettings, "http_port", "65536", "must be less than or equal to 65535, and is '65536'"),
    (StartSettings, "http_port", "-1", "must be greater than or equal to 0, and is '-1'"),
    (StartSettings, "http_port", "9" * 5000, "cannot be used"),
    (DialingSettings, "ring_seconds", "900", "must be less than or equal to 600, and is '900'"),
    (DialingSettings, "ring_seconds", "0", "must be greater than 0, and is '0'"),
    (DialingSettings, "ring_seconds", "nan", "must be a finite number, and is 'nan'"),
    (DialingSettings, "max_call_seconds", "20000", "must be less than or equal to 14400, and is '20000'"),
    (DialingSettings, "max_call_seconds", "", "must be a valid number, and is ''"),
    (DialingSettings, "lock_seconds", "inf", "must be a finite number"),
    (DialingSettings, "place_seconds", "nan", "must be a finite number"),
    (DialingSettings, "settle_seconds", "-inf", "must be a finite number"),
    (DialingSettings, "gate_ms", "inf", "must be a finite number"),
    (DialingSettings, "hold_margin_seconds", "86401", "must be less than or equal to 86400"),
    (TelephonySettings, "twilio_base_url", "https://api.twilio.com/?a=1", "must be a URL without a query"),
    (TelephonySettings, "twilio_base_url", "api.twilio.com", "must be a URL that begins with http:// or https://"),
    (TelephonySettings, "twilio_account_sid", "AC1/2", "must be letters and digits alone"),
    (TelephonySettings, "twilio_auth_token", "hunter2\n", "must be printable ASCII without white space"),
    (TelephonySettings, "twilio_answer_url", "https://agent.example/#x", "must be a URL without a fragment"),
    (TelephonySettings, "twilio_machine_detection", "perhaps", "must be a valid boolean, and is 'perhaps'"),
    (TelephonySettings, "twilio_callback_retries", "6", "must be less than or equal to 5, and is '6'"),
    (TelephonySettings, "callback_base_url", "https://dial.example?a=1", "must be a URL without a query"),
    (TelephonySettings, "callback_base_url", "https://dial.example#a", "must be a URL without a fragment"),
    (TelephonySettings, "callback_base_url", "https://a:b@dial.example", "must be a URL without a user"),
    (TelephonySettings, "carrier_connections", "0", "must be greater than or equal to 1, and is '0'"),
    (TelephonySettings, "scripted_answer_rate", "nan", "must be a finite number"),
    (TelephonySettings, "scripted_talk_seconds", "inf", "must be a finite number"),
    (ExecutorSettings, "executor_capacity", "0", "must be greater than or equal to 1"),
    (ExecutorSettings, "executor_capacity", "1000001", "must be less than or equal to 1000000"),
    (ExecutorSettings, "calls_per_second", "0", "must be greater than 0, and is '0'"),
    (ExecutorSettings, "calls_per_second", "inf", "must be a finite number, and is 'inf'"),
    (SchedulerSettings, "global_concurrency_limit", "99999999999999999999", "must be less than or equal to 10000000"),
    (SchedulerSettings, "reconcile_seconds", "inf", "must be a finite number"),
    (ApiSettings, "admin_token", "hunter2 hunter2", "must be printable ASCII without white space"),
    (ApiSettings, "requests_per_minute", "-1", "must be greater than or equal to 0, and is '-1'"),
    (ApiSettings, "shutdown_seconds", "inf", "must be a finite number"),
    (ApiSettings, "s3_endpoint", "minio:9000", "must be a URL that begins with http:// or https://"),
    (ApiSettings, "public_url", "https://dial.example?x", "must be a URL"),
    (IngestSettings, "ingest_max_batches", "501", "must be less than or equal to 500, and is '501'"),
    (SimulatorSettings, "twilio_account_sid", "AC:1", "must be letters and digits alone"),
    (SimulatorSettings, "simulator_record_kept", "0", "must be greater than or equal to 1"),
    (Behaviour, "simulator_answer_rate", "nan", "must be a finite number"),
    (Behaviour, "simulator_time_scale", "inf", "must be a finite number"),
    (Behaviour, "simulator_talk_max_seconds", "inf", "must be a finite number"),
    (Behaviour, "simulator_rules", "[{", "must be a JSON list"),
]


@pytest.mark.parametrize(("settings", "name", "value", "said"), REFUSED)
def test_a_value_that_cannot_work_is_refused_by_name_rule_and_value(
    settings: type[Settings], name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    with pytest.raises(ValidationError) as caught:
        settings()
    [line] = explain(caught.value).splitlines()
    assert line.startswith(f"{PREFIX}{name.upper()} {said}")
    assert "hunter2" not in line
    assert len(line) < 300


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        (DialingSettings, "ring_seconds", "600"),
        (DialingSettings, "max_call_seconds", "14400"),
        (ExecutorSettings, "calls_per_second", "0.1"),
        (StartSettings, "log_level", "debug"),
        (StartSettings, "http_port", "0"),
        (KafkaSettings, "kafka", "kafka-1:9092, kafka-2:9092"),
        (TelephonySettings, "twilio_answer_url", "https://agent:secret@agent.example/answer?lang=en"),
        (Behaviour, "simulator_rules", '[{"pattern": "99$", "ending": "busy"}]'),
    ],
)
def test_a_value_at_the_edge_of_what_works_is_taken(
    settings: type[Settings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    settings()


def test_a_part_of_a_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALSTREAM_SIMULATOR_RULES", '[{"pattern": "9"}, {"pattern": "(", "code": "x"}]')
    with pytest.raises(ValidationError) as caught:
        Behaviour()
    assert [line.partition(":")[0] for line in explain(caught.value).splitlines()] == [
        "DIALSTREAM_SIMULATOR_RULES (1.pattern) is not a regular expression",
        "DIALSTREAM_SIMULATOR_RULES (1.code) must be a valid integer, and is 'x'",
    ]


def test_rules_about_several_settings_are_all_told() -> None:
    with pytest.raises(ValidationError) as caught:
        DialingSettings(lock_seconds=10, place_seconds=10, gate_ms=10_000)
    assert explain(caught.value).splitlines() == [
        "DIALSTREAM_LOCK_SECONDS (10) must be longer than DIALSTREAM_PLACE_SECONDS (10): "
        "a claim must outlive its placement",
        "DIALSTREAM_PLACE_SECONDS (10) must be at least 0.5 s longer than DIALSTREAM_GATE_MS (10000): "
        "no carrier is asked with less time for its answer",
    ]


DOUBTED: list[tuple[type[Settings], dict[str, str], str]] = [
    (MongoSettings, {"mongodb": "mongodb://database:27017/"}, "DIALSTREAM_MONGODB names no replica set"),
    (
        TelephonySettings,
        {"callback_base_url": "http://127.0.0.1:8080"},
        "DIALSTREAM_CALLBACK_BASE_URL names 127.0.0.1, which Twilio cannot reach",
    ),
    (
        TelephonySettings,
        {"callback_base_url": "http://campaign-api:8080"},
        "DIALSTREAM_CALLBACK_BASE_URL names campaign-api, which Twilio cannot reach",
    ),
    (
        TelephonySettings,
        {"twilio_answer_url": "http://10.0.0.1/answer"},
        "DIALSTREAM_TWILIO_ANSWER_URL names 10.0.0.1, which Twilio cannot reach",
    ),
    (TelephonySettings, {"twilio_account_sid": "SK1"}, "DIALSTREAM_TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal"),
    (ExecutorSettings, {"ring_seconds": "2"}, "DIALSTREAM_RING_SECONDS (2) is too short for a person to answer"),
    (
        SchedulerSettings,
        {"reconcile_seconds": "2000"},
        "DIALSTREAM_RECONCILE_SECONDS (2000) is longer than any call can be held (1930 s)",
    ),
    (
        ApiSettings,
        {"callback_base_url": "https://dial.example", "secret_key": "k" * 32},
        "DIALSTREAM_TWILIO_AUTH_TOKEN must be set for the carrier's callbacks",
    ),
    (
        ApiSettings,
        {"callback_base_url": "https://dial.example", "twilio_auth_token": "token", "secret_key": "k" * 32},
        "DIALSTREAM_TWILIO_ACCOUNT_SID must be set for what configurations say of answering machines",
    ),
    (ApiSettings, {"telephony_provider": "scripted"}, "DIALSTREAM_SECRET_KEY must be set for uploads"),
]


@pytest.mark.parametrize(("settings", "values", "said"), DOUBTED)
def test_what_can_work_and_is_hardly_meant_is_doubted_in_one_sentence(
    settings: type[Settings], values: dict[str, str], said: str
) -> None:
    [sentence] = settings(**values).doubts()  # type: ignore[arg-type]
    assert sentence.startswith(said)


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (MongoSettings, {}),
        (TelephonySettings, {"callback_base_url": "https://dial.example", "twilio_account_sid": f"AC{'0a' * 16}"}),
        (TelephonySettings, {"callback_base_url": "http://127.0.0.1:1", "twilio_base_url": "http://127.0.0.1:2"}),
        (ExecutorSettings, {"ring_seconds": "2", "twilio_base_url": "http://127.0.0.1:2"}),
        (SchedulerSettings, {}),
        (
            ApiSettings,
            {
                "callback_base_url": "https://dial.example",
                "twilio_auth_token": "token",
                "twilio_account_sid": f"AC{'0a' * 16}",
                "secret_key": "k" * 32,
            },
        ),
        (ApiSettings, {"telephony_provider": "scripted", "secret_key": "k" * 32}),
        (ApiSettings, {"telephony_provider": "scripted", "s3_bucket": "files"}),
    ],
)
def test_what_is_meant_is_not_doubted(settings: type[Settings], values: dict[str, str]) -> None:
    assert settings(**values).doubts() == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("place_seconds", "gate_ms"), [(0.5, 250), (0.74, 250), (5, 4600), (5, 6000)])
def test_after_the_last_look_there_must_be_time_for_the_carriers_answer(place_seconds: float, gate_ms: float) -> None:
    with pytest.raises(ValueError, match=r"DIALSTREAM_PLACE_SECONDS \(.*\) must be at least 0.5 s longer than DIALSTR"):
        DialingSettings(place_seconds=place_seconds, gate_ms=gate_ms)
    assert DialingSettings(place_seconds=gate_ms / 1000 + 0.5, gate_ms=gate_ms).lock_seconds == 30
