"""`.env.example` is the truth about the settings, and every setting explains itself."""

import pytest

from deploy.env_example import PREFIX, TARGET, example, settings_classes
from shared.settings import DialingSettings, Settings


def test_the_example_is_up_to_date() -> None:
    assert TARGET.read_text() == example(), "run `make env`"


def test_the_example_names_every_setting_once() -> None:
    named = [line.lstrip("#").split("=")[0] for line in TARGET.read_text().splitlines() if f"{PREFIX}" in line[:20]]
    wanted = {PREFIX + name.upper() for settings in settings_classes() for name in settings.model_fields}
    assert sorted(named) == sorted({*wanted, "DIALSTREAM_PUBLISHED_PORT"})


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda settings: settings.__name__)
def test_every_setting_says_what_it_is(settings: type[Settings]) -> None:
    assert [name for name, field in settings.model_fields.items() if not field.description] == []


def test_a_claim_must_outlive_its_placement() -> None:
    with pytest.raises(
        ValueError, match=r"DIALSTREAM_LOCK_SECONDS \(10\) must be longer than DIALSTREAM_PLACE_SECONDS"
    ):
        DialingSettings(lock_seconds=10, place_seconds=10)


@pytest.mark.parametrize(("place_seconds", "gate_ms"), [(0.5, 250), (0.74, 250), (5, 4600), (5, 6000)])
def test_after_the_last_look_there_must_be_time_for_the_carriers_answer(place_seconds: float, gate_ms: float) -> None:
    with pytest.raises(ValueError, match=r"DIALSTREAM_PLACE_SECONDS \(.*\) must be at least 0.5 s longer than DIALSTR"):
        DialingSettings(place_seconds=place_seconds, gate_ms=gate_ms)
    assert DialingSettings(place_seconds=gate_ms / 1000 + 0.5, gate_ms=gate_ms).lock_seconds == 30
