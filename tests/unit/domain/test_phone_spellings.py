"""One phone in several spellings: which numbers are one, and that all others stay themselves."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from shared.domain.phone import compared, spellings

# Each row is one phone, the form that is compared first.
PHONES = [
    pytest.param("+525512345678", "+5215512345678", id="Mexico: the mobile 1"),
    pytest.param("+541123456789", "+5491123456789", id="Argentina: the mobile 9, Buenos Aires"),
    pytest.param("+542215123456", "+5492215123456", id="Argentina: the mobile 9, area code of three digits"),
    pytest.param("+543777123456", "+5493777123456", id="Argentina: the mobile 9, area code of four digits"),
    pytest.param("+5561981234567", "+556181234567", id="Brazil: the ninth digit"),
    pytest.param("+5511961234567", "+551161234567", id="Brazil: the ninth digit, before a 6"),
    pytest.param("+3780549886377", "+390549886377", id="San Marino: through Italy"),
    pytest.param("+24111445566", "+24101445566", id="Gabon: a landline before 2019"),
    pytest.param("+24162445566", "+24102445566", "+2412445566", id="Gabon: mobile 02"),
    pytest.param("+24165445566", "+24105445566", "+2415445566", id="Gabon: mobile 05"),
    pytest.param("+24166445566", "+24106445566", "+2416445566", id="Gabon: mobile 06"),
    pytest.param("+24174445566", "+24104445566", "+2414445566", id="Gabon: mobile 04"),
    pytest.param("+24177445566", "+24107445566", "+2417445566", id="Gabon: mobile 07"),
]


@pytest.mark.parametrize("numbers", [pytest.param(row.values, id=str(row.id)) for row in PHONES])
def test_the_spellings_of_a_phone_are_one(numbers: tuple[str, ...]) -> None:
    assert {compared(number) for number in numbers} == {numbers[0]}
    assert {spellings(number) for number in numbers} == {numbers}


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("+14155550123", id="United States"),
        pytest.param("+4917012345678", id="Germany"),
        pytest.param("+5215512345", id="Mexico: the 1 of an area code does not exist, and this is too short for it"),
        pytest.param("+52155123456789", id="Mexico: a digit too many"),
        pytest.param("+548001234567", id="Argentina: free of charge, never mobile"),
        pytest.param("+556132345678", id="Brazil: a landline"),
        pytest.param("+556171234567", id="Brazil: a trunked radio number of eight digits"),
        pytest.param("+5561971234567", id="Brazil: a mobile number with 97, never the same as the radio number"),
        pytest.param("+558001234567", id="Brazil: free of charge"),
        pytest.param("+390669812345", id="Italy"),
        pytest.param("+37866661212", id="San Marino: mobile"),
        pytest.param("+24160445566", id="Gabon: a range that is new"),
        pytest.param("+2413445566", id="Gabon: 03, whose new digit is not known"),
    ],
)
def test_any_other_number_is_a_phone_of_its_own(number: str) -> None:
    assert compared(number) == number
    assert spellings(number) == (number,)


@given(
    st.from_regex(r"\+(52|521|54|549|55|378|3780549|390549|241|2410|[1-9])[0-9]{5,11}", fullmatch=True).filter(
        lambda number: len(number) <= 16
    )
    | st.sampled_from([number for row in PHONES for number in row.values])
)
def test_spellings_are_symmetric_and_the_compared_form_is_one_of_them(number: str) -> None:
    found = spellings(number)
    assert number in found
    assert len(set(found)) == len(found) <= 3
    assert compared(number) == found[0]
    assert {spellings(other) for other in found} == {found}
    assert {compared(other) for other in found} == {compared(number)}
    assert all(re.fullmatch(r"\+[1-9][0-9]{1,14}", other) for other in found)


def test_every_mobile_number_of_the_librarys_mobile_token_is_one_with_the_number_without_it() -> None:
    token_countries = [
        code
        for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        if code is not None and phonenumbers.country_mobile_token(code)
    ]
    assert token_countries == [54]
    for code in token_countries:
        region = phonenumbers.region_code_for_country_code(code)
        example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        assert example is not None
        number = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        prefix = f"+{code}{phonenumbers.country_mobile_token(code)}"
        assert compared(number) == compared(f"+{code}" + number.removeprefix(prefix))


def test_every_rule_that_puts_digits_into_numbers_of_a_main_region_is_known() -> None:
    """A new one in the library's data is a new kind of spelling to think about."""
    rules = {}
    for region in phonenumbers.SUPPORTED_REGIONS:
        metadata = PhoneMetadata.metadata_for_region(region)
        assert metadata is not None
        rule = metadata.national_prefix_transform_rule
        is_main = phonenumbers.region_code_for_country_code(metadata.country_code or 0) == region
        if is_main and rule and re.sub(r"\\\d", "", rule):
            rules[region] = rule
    # The digits of AR and SM stand in `spellings`; MG and NF put an area code before local numbers, which have no
    # E.164 form of their own.
    assert rules == {"AR": r"9\1", "MG": r"20\1", "NF": r"3\1", "SM": r"0549\1"}


@pytest.mark.parametrize(
    ("region", "kind"),
    [
        (region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"AR", "BR", "GA", "MX", "SM"})
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
    ],
)
def test_an_example_number_of_every_other_region_is_itself(region: str, kind: int) -> None:
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    number = phonenumbers.format_number(example, PhoneNumberFormat.E164)
    assert spellings(number) == (number,)
    assert compared(number) == number
