import random
from collections.abc import Callable, Iterator

import phonenumbers
import pytest

from shared.domain.phone import InvalidPhoneNumber, PhoneNumber, normalize, raise_regex_cache
from shared.domain.phone_plans import is_in_use_as_written
from tests.fuzzing import SEED, examples

# `DIALSTREAM_PHONE_EXAMPLES=500000` tries more.
EXAMPLES = examples("PHONE", 20_000)
DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        pytest.param("+14155550123", True, id="US"),
        pytest.param("+14165550123", True, id="Canada, which shares the code"),
        pytest.param("+447400123456", True, id="UK, mobile"),
        pytest.param("+5215512345678", False, id="Mexico's mobile 1, which is left out"),
        pytest.param("+390669812345", False, id="Italy keeps a 0 that others strip"),
        pytest.param("+19002345678", False, id="premium rate"),
        pytest.param("+870773111632", False, id="satellite"),
        pytest.param("+15555550123", False, id="not assigned"),
        pytest.param("+1415555012", False, id="a digit is missing"),
        pytest.param("+1 4155550123", False, id="a blank"),
        pytest.param("+1415555012٣", False, id="an Arabic digit"),
        pytest.param("+999123456789", False, id="no such country"),
        pytest.param("+", False, id="no digits"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_only_numbers_in_use_as_written_are_told_from_the_plan(text: str, sure: bool) -> None:
    assert is_in_use_as_written(text) is sure


def test_no_number_is_read_differently_than_phonenumbers_reads_it() -> None:
    raise_regex_cache()
    answered, differing = 0, []
    for text in mutated_numbers():
        if not is_in_use_as_written(text):
            continue
        answered += 1
        # A blank leaves the number to phonenumbers.
        if not read(text, "+1") == read(text, "+44") == read(f"{text[:2]} {text[2:]}", "+1"):
            differing.append(text)
        # E.164 alone is accepted of a text that phonenumbers would write just so.
        if read(text, None) != read(text, "+1") or read(text, "+1") != PhoneNumber(text, valid=True):
            differing.append(text)
    assert not differing
    assert answered > EXAMPLES / 3


def test_most_examples_of_all_regions_are_told_from_the_plan() -> None:
    numbers = list(dict.fromkeys(example_numbers()))
    assert sum(map(is_in_use_as_written, numbers)) > 0.6 * len(numbers)


def read(text: str, country_code: str | None) -> PhoneNumber | str:
    try:
        return normalize(text, country_code)
    except InvalidPhoneNumber as error:
        return str(error)


def example_numbers() -> Iterator[str]:
    """In E.164, of every region and type."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in phonenumbers.PhoneNumberType.values():
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = phonenumbers.example_number_for_non_geo_entity(code)
        if number is not None:
            yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mutated_numbers() -> Iterator[str]:
    """Examples of all regions with digits changed, put in, left out, doubled."""
    chance = random.Random(SEED)
    numbers = list(example_numbers())
    changes: list[Callable[[str, int], str]] = [
        lambda text, place: text[:place] + chance.choice(DIGITS) + text[place + 1 :],
        lambda text, place: text[:place] + chance.choice(DIGITS) + text[place:],
        lambda text, place: text[:place] + text[place + 1 :],
        lambda text, place: text[:-4] + "".join(chance.choices(DIGITS, k=4)),
        lambda text, place: text[:place] + "".join(chance.choices(DIGITS, k=len(text) - place)),
    ]
    for _ in range(EXAMPLES):
        text = chance.choice(numbers)
        for _ in range(chance.choice((0, 1, 1, 1, 2))):
            text = chance.choice(changes)(text, chance.randrange(1, max(2, len(text))))
        yield text
