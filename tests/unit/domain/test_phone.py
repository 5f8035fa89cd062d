import re
from dataclasses import replace

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.phone import InvalidPhoneNumber, PhoneNumber, mask_phone, normalize, raise_regex_cache


@pytest.mark.parametrize(
    ("raw", "country_code", "e164"),
    [
        pytest.param("(415) 555-0123", "+1", "+14155550123", id="national, US"),
        pytest.param("1 415.555.0123", "+1", "+14155550123", id="with the trunk 1"),
        pytest.param("416-555-0123", "+1", "+14165550123", id="national, Canada shares the code"),
        pytest.param("020 7946 0958", "+44", "+442079460958", id="trunk 0, UK"),
        pytest.param("+44 (0)20 7946 0958", "+1", "+442079460958", id="the bracketed 0 nobody dials from abroad"),
        pytest.param("00 44 20 7946 0958", "+49", "+442079460958", id="international prefix 00"),
        pytest.param("011 44 20 7946 0958", "+1", "+442079460958", id="international prefix 011"),
        pytest.param("06 698 12345", "+39", "+390669812345", id="Italy keeps its 0"),
        pytest.param("8 (916) 123-45-67", "+7", "+79161234567", id="trunk 8, Russia"),
        pytest.param("+1 415 555 0123", "+44", "+14155550123", id="the number's own country code wins"),
        pytest.param("  +1 415 555 0123\t", "+1", "+14155550123", id="blanks around it"),
        pytest.param("\u202a+1 415\u00a0555\u20110123\u202c", "+1", "+14155550123", id="pasted from an address book"),
        pytest.param("\uff0b1 415 555 0123", "+44", "+14155550123", id="a wide plus"),
        pytest.param("\u0664\u0661\u0665 \u0665\u0665\u0665 0123", "+1", "+14155550123", id="Arabic digits"),
        pytest.param("1234 5678", "+800", "+80012345678", id="a code of no country"),
        pytest.param("+14155550123", None, "+14155550123", id="E.164 only"),
    ],
)
def test_a_number_is_read_as_people_write_it(raw: str, country_code: str | None, e164: str) -> None:
    assert normalize(raw, country_code) == PhoneNumber(e164, valid=True)


def test_a_possible_number_that_nobody_was_given_is_marked() -> None:
    assert normalize("+1 555 555 0123", "+1") == PhoneNumber("+15555550123", valid=False)


@pytest.mark.parametrize(
    ("raw", "country_code", "message"),
    [
        pytest.param("", "+1", "empty", id="nothing"),
        pytest.param("   ", "+1", "empty", id="blanks"),
        pytest.param("call me", "+1", "letters", id="words"),
        pytest.param("1-800-FLOWERS", "+1", "letters", id="a vanity number"),
        pytest.param("tel:+14155550123", "+1", "letters", id="a link"),
        pytest.param("415 555 0123 x12", "+1", "extension", id="an extension"),
        pytest.param("+14155550123;ext=5", "+1", "extension", id="an extension in a link's form"),
        pytest.param("555-0123", "+1", "area code", id="no area code"),
        pytest.param("12", "+1", "too short", id="short"),
        pytest.param("+1 415 555 012", "+1", "too short", id="a digit is missing"),
        pytest.param("+1 415 555 01234", "+1", "too long", id="a digit too many"),
        pytest.param("0044 20 7946 0958", "+1", "too long", id="another country's international prefix"),
        pytest.param("+999 123 456 789", "+1", "country calling code does not exist", id="no such country code"),
        pytest.param("4155550123/4155550124", "+1", "more than one phone number", id="two numbers"),
        pytest.param("*67 415 555 0123", "+1", "not a phone number", id="a star code"),
        pytest.param("415#555#0123", "+1", "not a phone number", id="hashes"),
        pytest.param("415\x00555 0123", "+1", "not a phone number", id="NUL"),
        pytest.param("\x07+14155550123", "+1", "not a phone number", id="a control character"),
        pytest.param("+1415555\n0123", "+1", "line break", id="a line break inside"),
        pytest.param("4" * 65, "+1", "at most 64 characters", id="endless"),
        pytest.param("+" + "1" * 64, None, "at most 64 characters", id="endless E.164"),
        pytest.param("+1 (415) 555-0123", None, "must be in E.164", id="E.164 only: as people write it"),
        pytest.param(" +14155550123", None, "must be in E.164", id="E.164 only: a blank"),
        pytest.param("+14155550123\n", None, "must be in E.164", id="E.164 only: a line break"),
        pytest.param("4155550123", None, "must be in E.164", id="E.164 only: national"),
        pytest.param("+04155550123", None, "must be in E.164", id="E.164 only: a country code never begins with 0"),
        pytest.param("+1415555012345678", None, "must be in E.164", id="E.164 only: 16 digits"),
        pytest.param("+\u0661\u0664155550123", None, "must be in E.164", id="E.164 only: other digits"),
        pytest.param("+4402079460958", None, "leave them out", id="E.164 only: a trunk 0"),
        pytest.param("+54111523456789", None, "leave them out", id="E.164 only: a trunk 15 inside, Argentina"),
        pytest.param("+378886377", None, "with its area code", id="E.164 only: no area code, San Marino"),
        pytest.param("+1415555", None, "write it in full", id="E.164 only: not possible"),
    ],
)
def test_what_cannot_be_dialed_is_refused_in_plain_words(raw: str, country_code: str | None, message: str) -> None:
    with pytest.raises(InvalidPhoneNumber, match=re.escape(message)):
        normalize(raw, country_code)


@pytest.mark.parametrize("code", ["44", "", "+", "+999", "+abc", "GB"])
def test_a_country_code_that_does_not_exist_is_our_own_mistake(code: str) -> None:
    with pytest.raises(ValueError, match="default_country_code"):
        normalize("020 7946 0958", code)


def example_numbers() -> list[tuple[str, str, str]]:
    """E.164, the national form, and the country code, of one number of every kind in every region."""
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                e164, national = (
                    phonenumbers.format_number(number, form)
                    for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.NATIONAL)
                )
                found.append((e164, national, f"+{number.country_code}"))
    return found


def test_an_example_number_of_every_region_is_accepted_as_e164_and_stays_itself() -> None:
    assert [e164 for e164, _, _ in example_numbers() if normalize(e164, None) != PhoneNumber(e164, valid=True)] == []


def test_an_example_number_of_every_region_is_read_in_its_national_form() -> None:
    assert [
        (e164, national) for e164, national, code in example_numbers() if normalize(national, code).e164 != e164
    ] == []


@given(st.text(max_size=70), st.sampled_from(["+1", "+44", "+39", "+800", None]))
def test_any_text_is_a_number_or_refused(raw: str, country_code: str | None) -> None:
    try:
        number = normalize(raw, country_code)
    except InvalidPhoneNumber:
        return
    assert normalize(number.e164, None) == replace(number, other=None)


@given(st.text("0123456789+-() .", min_size=5, max_size=20), st.sampled_from(["+1", "+44", "+39", "+7", "+54", "+52"]))
def test_a_number_once_read_reads_the_same_again(raw: str, country_code: str) -> None:
    try:
        number = normalize(raw, country_code)
    except InvalidPhoneNumber:
        return
    assert normalize(number.e164, country_code) == replace(number, other=None)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+14155550123", "+1415•••23"),
        ("+442079460958", "+4420•••58"),
        ("+123456789012345", "+1234•••45"),
        ("+49301234", "+4•••34"),
        ("+1234567", "+•••67"),
        ("+123456", "+•••"),
        ("", "•••"),
        ("not a number", "•••"),
    ],
)
def test_a_masked_number_cannot_be_called(number: str, masked: str) -> None:
    assert mask_phone(number) == masked


@given(st.from_regex(r"\+[1-9][0-9]{1,14}", fullmatch=True))
def test_at_least_five_digits_never_show(number: str) -> None:
    shown = sum(character.isdigit() for character in mask_phone(number))
    assert shown == 0 or len(number) - 1 - shown >= 5


def test_the_regex_cache_is_raised_and_never_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(re, "_MAXCACHE", 512)
    raise_regex_cache()
    assert vars(re)["_MAXCACHE"] >= 100_000
    monkeypatch.setattr(re, "_MAXCACHE", 10**9)
    raise_regex_cache()
    assert vars(re)["_MAXCACHE"] == 10**9


def test_a_python_without_that_cache_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(re, "_MAXCACHE")
    raise_regex_cache()
    assert not hasattr(re, "_MAXCACHE")
