from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.fields import E164, CountryCode, MaxAttempts, TimezoneName


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TimezoneName, "America/Argentina/Buenos_Aires"),
        (CountryCode, "+1"),
        (CountryCode, "+420"),
        (CountryCode, "+800"),
        (E164, "+14155550123"),
        (MaxAttempts, 1),
        (MaxAttempts, 50),
    ],
)
def test_a_good_value_stays_itself(kind: Any, value: object) -> None:
    assert TypeAdapter[object](kind).validate_python(value) == value


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (TimezoneName, "EST5PDT", "not an IANA timezone"),
        (TimezoneName, "{name}", "not an IANA timezone"),
        (TimezoneName, 5, "valid string"),
        (CountryCode, "1", "not a country calling code"),
        (CountryCode, "+0", "not a country calling code"),
        (CountryCode, "+999", "not a country calling code"),
        (CountryCode, "+1\n", "not a country calling code"),
        (CountryCode, "+1-268", "not a country calling code"),
        (CountryCode, "+\u0661", "not a country calling code"),
        (CountryCode, 1, "valid string"),
        (E164, "415 555 0123", "must be in E.164"),
        (E164, "+1415555", "write it in full"),
        (MaxAttempts, 0, "greater than or equal to 1"),
        (MaxAttempts, 51, "less than or equal to 50"),
        (MaxAttempts, 3.0, "valid integer"),
        (MaxAttempts, True, "valid integer"),
    ],
)
def test_a_bad_value_is_refused_in_plain_words(kind: Any, value: object, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter[object](kind).validate_python(value)
    [error] = refused.value.errors()
    assert message in error["msg"]
    assert not error["msg"].startswith("Value error")


def test_mexicos_mobile_1_is_left_out() -> None:
    assert TypeAdapter[str](E164).validate_python("+5215512345678") == "+525512345678"


def test_the_schema_shows_the_pattern() -> None:
    assert TypeAdapter[object](E164).json_schema()["pattern"] == r"^\+[1-9][0-9]{1,14}$"
