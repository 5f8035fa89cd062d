from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.refusal import (
    REST_STEPS,
    Refusal,
    RefusalSubject,
    Rest,
    asked_again,
    country_of,
    refused_again,
    rest_key,
    what_rests,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REFUSAL = Refusal(subject=RefusalSubject.ACCOUNT, code=10001, message="account is not active")


def test_each_refusal_in_a_row_rests_longer_up_to_a_quarter_of_an_hour() -> None:
    rest, now, lasted = None, NOW, []
    for _ in range(7):
        rest = refused_again(rest, REFUSAL, now)
        lasted.append(rest.until - now)
        now = rest.until
        rest = asked_again(rest, now, 30)
    assert lasted == [*REST_STEPS, timedelta(minutes=15), timedelta(minutes=15)]
    assert rest is not None
    assert rest.since == NOW


def test_refusals_of_calls_placed_before_the_rest_change_nothing() -> None:
    rest = refused_again(None, REFUSAL, NOW)
    for seconds in range(30):
        assert refused_again(rest, REFUSAL, NOW + timedelta(seconds=seconds)) == rest


def test_while_one_call_asks_again_nothing_else_does_and_its_refusal_counts() -> None:
    rest = asked_again(refused_again(None, REFUSAL, NOW), NOW + timedelta(seconds=30), 30)
    assert rest.until == NOW + timedelta(seconds=60)
    refused = refused_again(rest, REFUSAL, NOW + timedelta(seconds=31))
    assert refused == Rest(NOW + timedelta(seconds=91), 2, NOW, REFUSAL)


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        (RefusalSubject.ACCOUNT, "account"),
        (RefusalSubject.CALLER_NUMBER, "caller_number:+14155550100"),
        (RefusalSubject.COUNTRY, "country:MX"),
    ],
)
def test_what_a_refusal_speaks_of_rests(subject: RefusalSubject, key: str) -> None:
    assert what_rests(subject, caller_number="+14155550100", number="+525512345678") == key


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+14155550100", "US"),
        ("+16135550100", "CA"),
        ("+441144960000", "GB"),
        ("+870773111632", "+870"),
        ("+99912", "?"),
    ],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert country_of(number) == country


def test_keys_are_names_of_fields() -> None:
    for key in (rest_key(RefusalSubject.ACCOUNT, ""), rest_key(RefusalSubject.COUNTRY, "+870")):
        assert "." not in key
        assert "$" not in key
