from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.call_numbers import instant, microseconds, next_numbers
from shared.domain.contact_name import name_in

NOW = datetime(2026, 11, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "count", "first"),
    [
        (0, 3, microseconds(NOW)),
        (microseconds(NOW) - 1, 1, microseconds(NOW)),
        # More than one a microsecond, or a clock that was put back.
        (microseconds(NOW), 2, microseconds(NOW) + 1),
        (microseconds(NOW + timedelta(hours=1)), 500, microseconds(NOW + timedelta(hours=1)) + 1),
    ],
)
def test_numbers_ascend_whatever_the_clock_does(last: int, count: int, first: int) -> None:
    numbers = next_numbers(last, count, NOW)
    assert list(numbers) == list(range(first, first + count))
    assert numbers[0] > last


def test_numbers_are_exact_in_json_and_say_when_they_were_given() -> None:
    assert microseconds(datetime(2255, 1, 1, tzinfo=UTC)) < 2**53
    assert instant(next_numbers(0, 1, NOW)[0]) == NOW


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
        ({"first_name": " Ada ", "last_name": ""}, "Ada"),
        ({"last_name": "Lovelace", "name": "Countess"}, "Lovelace"),
        ({"name": "Grace"}, "Grace"),
        ({"full_name": "Grace Hopper", "first_name": 7, "name": None}, "Grace Hopper"),
        ({"name": "x" * 300}, "x" * 255),
        ({"email": "ada@example.com"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_name_of_a_contact_is_read_from_its_data(data: dict[str, object] | None, name: str | None) -> None:
    assert name_in(data) == name
