from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shared.domain.number_places import country_of
from shared.domain.refusal import (
    MAX_RESTS,
    REST_STEPS,
    Refusal,
    RefusalSubject,
    Rest,
    asked_again,
    refused_again,
    rest_key,
    superfluous,
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


def resting(until: datetime) -> Rest:
    return Rest(until, 1, NOW, REFUSAL)


def test_what_nobody_asks_about_and_the_oldest_of_too_many_are_not_kept() -> None:
    lately = {f"caller_number:+1415555{n:04d}": resting(NOW + timedelta(seconds=n)) for n in range(MAX_RESTS)}
    assert superfluous(lately, NOW) == []
    long_ago = {"account": resting(NOW - timedelta(hours=2))}
    assert superfluous(lately | long_ago, NOW) == ["account"]
    more = lately | {"country:MX": resting(NOW + timedelta(hours=1))}
    assert superfluous(more, NOW) == ["caller_number:+14155550000"]


def test_caller_numbers_that_rest_long_push_out_neither_the_account_nor_a_country() -> None:
    made_up = {f"caller_number:+1415555{n:04d}": resting(NOW + timedelta(minutes=15)) for n in range(MAX_RESTS)}
    ours = {"account": resting(NOW + timedelta(seconds=30)), "country:MX": resting(NOW + timedelta(seconds=30))}
    assert superfluous(made_up | ours, NOW) == ["caller_number:+14155550000", "caller_number:+14155550001"]


def test_a_refusal_in_an_ending_is_remembered_as_one() -> None:
    rest = refused_again(None, REFUSAL, NOW, in_ending=True)
    assert rest.in_ending
    assert not refused_again(asked_again(rest, NOW, 30), REFUSAL, NOW).in_ending


@pytest.mark.parametrize("code", [-1, 2**31, 2**70, True, "x"])
def test_a_code_that_could_not_be_stored_is_no_code(code: object) -> None:
    with pytest.raises(ValidationError):
        Refusal.model_validate({"subject": "account", "code": code}, strict=True)


def test_the_carriers_words_are_cut_and_can_be_sent_and_stored() -> None:
    refusal = Refusal(subject=RefusalSubject.ACCOUNT, message="\ud800" + "x" * 999)
    assert len(refusal.message) == 200
    assert refusal.model_dump_json()
