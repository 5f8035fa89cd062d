"""How a number stands in a text: the digits that are read are those a person sees, whatever stands between them."""

import re
import sys
import unicodedata
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from shared.domain.phone import InvalidPhoneNumber, NumberType, PhoneNumber, normalize

CODES = ["+1", "+7", "+33", "+39", "+44", "+49", "+52", "+54", "+55", "+81", "+378"]


def characters(*categories: str) -> list[str]:
    return [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in categories]


def examples(form: int) -> list[tuple[str, str, str]]:
    """A text in the form, the country code to read it with, and E.164, for a mobile number of every region."""
    numbers = [
        number
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        if (number := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)) is not None
    ]
    return [
        (
            phonenumbers.format_number(number, form),
            f"+{number.country_code}",
            phonenumbers.format_number(number, PhoneNumberFormat.E164),
        )
        for number in numbers
    ]


@pytest.mark.parametrize(
    ("raw", "code", "e164"),
    [
        pytest.param("+33\u202f6\u202f12\u202f34\u202f56\u202f78", "+1", "+33612345678", id="narrow blanks, French"),
        pytest.param("+33\u20096\u200912\u200934\u200956\u200978", "+1", "+33612345678", id="thin blanks"),
        pytest.param("+33\t6\t12 34 56 78", "+1", "+33612345678", id="tabs"),
        pytest.param("\n+33 6 12 34 56 78\r\n", "+1", "+33612345678", id="line breaks around it"),
        pytest.param("+33 6\u200b12\u00ad34\u200f56\ufe0f78\ufeff", "+1", "+33612345678", id="marks that do not show"),
        pytest.param("03\u30fc1234\u30fc5678", "+81", "+81312345678", id="the Japanese long vowel for a dash"),
        pytest.param("\uff08\uff10\uff13\uff091234\uff0d5678", "+81", "+81312345678", id="wide marks and digits"),
        pytest.param("'+491701234500", "+1", "+491701234500", id="a spreadsheet's apostrophe"),
        pytest.param("\u2019+491701234500", "+1", "+491701234500", id="a curly apostrophe"),
        pytest.param("0170/1234500", "+49", "+491701234500", id="a slash behind the area code"),
        pytest.param("+49/1577/1234567", "+1", "+4915771234567", id="slashes behind country and area code"),
        pytest.param("06/12/34/56/78", "+33", "+33612345678", id="slashes between groups"),
        pytest.param("06.12.34.56.78", "+33", "+33612345678", id="dots between groups"),
        pytest.param("06. 12. 34. 56. 78", "+33", "+33612345678", id="dots and blanks between groups"),
        pytest.param("(415) 555. 0123", "+1", "+14155550123", id="a dot and a blank before the last group"),
        pytest.param("0170.1234500", "+49", "+491701234500", id="a dot behind the area code"),
        pytest.param("415 555.2000", "+1", "+14155552000", id="a dot before zeros"),
        pytest.param("+49 (0)170 1234500", "+1", "+491701234500", id="a bracketed 0, Germany"),
        pytest.param("+39 (0)6 698 12345", "+1", "+390669812345", id="a bracketed 0, Italy keeps it"),
        pytest.param("+39 (0)340 1234567", "+1", "+393401234567", id="a bracketed 0, Italian mobile numbers have none"),
        pytest.param("+352 ( 0 ) 621 123456", "+1", "+352621123456", id="a bracketed 0, Luxembourg has no trunk 0"),
        pytest.param("+34 (0)912 345 678", "+1", "+34912345678", id="a bracketed 0, too long with it"),
        pytest.param("00352 (0)621 123456", "+49", "+352621123456", id="a bracketed 0 behind 00"),
        pytest.param("+49 0170 1234500", "+1", "+491701234500", id="a trunk 0 without brackets"),
        pytest.param("(+49) 170 1234500", "+1", "+491701234500", id="brackets around the country code"),
        pytest.param("+49 (170 1234500)", "+1", "+491701234500", id="brackets around the number"),
        pytest.param("+52 1 55 1234 5678", "+1", "+525512345678", id="Mexico's 1"),
        pytest.param("0052 1 55 1234 5678", "+49", "+525512345678", id="Mexico's 1, behind 00"),
        pytest.param("011 52 (1) 55 1234 5678", "+1", "+525512345678", id="Mexico's 1, behind 011"),
        pytest.param("521 55 1234 5678", "+52", "+525512345678", id="Mexico's 1, without a plus"),
        pytest.param("+5215512345678", None, "+525512345678", id="Mexico's 1, in E.164"),
        pytest.param("+525512345678", None, "+525512345678", id="Mexico without it, in E.164"),
        pytest.param("+5491123456789", None, "+5491123456789", id="Argentina's 9 stays, it is dialed"),
        pytest.param("+541123456789", None, "+541123456789", id="Argentina without it stays, it is dialed"),
    ],
)
def test_a_text_is_read_as_the_number_a_person_sees(raw: str, code: str | None, e164: str) -> None:
    assert normalize(raw, code) == PhoneNumber(e164, valid=True)


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        pytest.param("+491701234500.0", "+1", "ends in decimals", id="a spreadsheet's float"),
        pytest.param("491701234500.0", "+49", "ends in decimals", id="a float without a plus"),
        pytest.param("+491701234500,0", "+49", "ends in decimals", id="a decimal comma"),
        pytest.param("+491701234500.000", "+49", "ends in decimals", id="many decimals"),
        pytest.param("+49170123450.123", "+49", "ends in decimals", id="decimals that are not zero"),
        pytest.param("+491701234500\u200b.\u200b0", "+49", "ends in decimals", id="decimals behind hidden marks"),
        pytest.param("+49 170 1234500.0", "+49", "ends in decimals", id="decimals behind groups"),
        pytest.param("\uff0b491701234500\uff0e\uff10", "+49", "ends in decimals", id="wide decimals"),
        pytest.param("+491701234500 .0", "+1", "ends in decimals", id="a blank before the point"),
        pytest.param("+491701234500. 0", "+1", "ends in decimals", id="a blank behind the point"),
        pytest.param("1701234500. 0", "+49", "ends in decimals", id="a blank behind the point, without a plus"),
        pytest.param("+491701234500-.0", "+1", "ends in decimals", id="a dash before the point"),
        pytest.param("+491701234500 , 0", "+1", "ends in decimals", id="blanks around a decimal comma"),
        pytest.param("1.41556E+10", "+1", "format the column as text", id="scientific notation"),
        pytest.param("4.917E11", "+49", "format the column as text", id="scientific notation without a plus"),
        pytest.param("4,91701E+11", "+49", "format the column as text", id="scientific notation, decimal comma"),
        pytest.param("+491701234500 / +4930901820", "+49", "more than one phone number", id="two by a slash"),
        pytest.param("030 1234 / 030 5678", "+49", "more than one phone number", id="two short ones by a slash"),
        pytest.param("030 123456/57", "+49", "more than one phone number", id="two endings"),
        pytest.param("0170 12345/54321", "+49", "more than one phone number", id="two with one area code"),
        pytest.param("1/2/3/4/5/6/7/8/9", "+49", "more than one phone number", id="a row of slashes"),
        pytest.param("+491701234500, +4930901820", "+49", "more than one phone number", id="two by a comma"),
        pytest.param("0170 1234500, 030 901820", "+49", "send each number by itself", id="two national ones"),
        pytest.param("0170 1234500|030 901820", "+49", "send each number by itself", id="two by a bar"),
        pytest.param("0170 1234500\n030 901820", "+49", "on one line", id="two by a line break"),
        pytest.param("0170 1234500\u2028030 901820", "+49", "on one line", id="two by a line separator"),
        pytest.param("+1 415 555 0123#12", "+1", "extension", id="an extension behind a hash"),
        pytest.param("+49 30 901820 (2)", "+1", "extension", id="an extension in brackets"),
        pytest.param("+49 30 901820~2", "+1", "extension", id="a range, or an extension"),
        pytest.param("+49 30 90182\u00b2", "+1", "not a phone number", id="an exponent"),
        pytest.param("+49 30 90182\u2460", "+1", "not a phone number", id="a number in a circle"),
        pytest.param("\u202e+491701234500", "+1", "not a phone number", id="shown in reverse"),
        pytest.param("15512345678", "+52", "plus and country code", id="an American number is none of Mexico's with 1"),
        pytest.param("447911123456", "+1", "plus and country code", id="another country's number without its plus"),
    ],
)
def test_a_text_that_may_mean_other_digits_is_refused_and_told_what_to_do(raw: str, code: str, message: str) -> None:
    with pytest.raises(InvalidPhoneNumber, match=re.escape(message)) as refusal:
        normalize(raw, code)
    numbers_told = set(re.findall(r"[0-9]{5,}", str(refusal.value)))
    assert numbers_told <= {"14155550123"}


TAILS = (
    *(".0", ",0", ".00", ",00", ".5", "E0", "e+11", " x5", " ext. 5", "#5", ";5", ",5", ";ext=5", " (2)", "~2", "/2"),
    *(" / +4930901820", ", +4930901820", "\n2", " or 2", " & 2", " + 2", "|2"),
)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("form", [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL])
def test_nothing_behind_a_number_of_any_region_becomes_part_of_it(form: int, tail: str) -> None:
    read = []
    for text, code, _ in examples(form):
        try:
            read.append((text + tail, normalize(text + tail, code)))
        except InvalidPhoneNumber:
            continue
    assert read == []


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param([c for c in characters("Cf") if c != "\u202e"], id="format characters"),
        pytest.param([c for c in characters("Mn") if "VARIATION SELECTOR" in unicodedata.name(c)], id="selectors"),
    ],
)
def test_a_mark_that_does_not_show_changes_nothing(hidden: list[str]) -> None:
    assert len(hidden) > 100
    texts = {character: f"{character}+33{character} 6 12{character}345678{character}" for character in hidden}
    assert {c for c, text in texts.items() if normalize(text, "+1").e164 != "+33612345678"} == set()


@pytest.mark.parametrize(
    "between",
    [pytest.param(characters("Zs"), id="blanks"), pytest.param([*characters("Pd"), "\u2212"], id="dashes")],
)
def test_any_blank_and_any_dash_may_stand_between_digits(between: list[str]) -> None:
    assert len(between) > 15
    texts = {character: f"+33{character}6{character}12{character}345678" for character in between}
    assert {c for c, text in texts.items() if normalize(text, "+1").e164 != "+33612345678"} == set()


def test_digits_of_every_script_are_read() -> None:
    digits = {unicodedata.decimal(character): character for character in characters("Nd")}
    assert len(digits) == 10
    scripts = [character for character in characters("Nd") if unicodedata.decimal(character) == 0]
    for zero in scripts:
        text = "+33 6" + "".join(chr(ord(zero) + digit) for digit in (1, 2, 3, 4, 5, 6, 7, 8))
        assert normalize(text, "+1").e164 == "+33612345678"


def countries(digits: str) -> Iterator[tuple[int, str]]:
    for length in (1, 2, 3):
        if digits[:length] and int(digits[:length]) in COUNTRY_CODE_TO_REGION_CODE:
            yield int(digits[:length]), digits[length:]


def without_trunk_prefix(code: int, national: str) -> Iterator[str]:
    metadata = PhoneMetadata.metadata_for_region(COUNTRY_CODE_TO_REGION_CODE[code][0])
    pattern = None if metadata is None else metadata.national_prefix_for_parsing
    found = re.match(pattern, national) if pattern else None
    if metadata is None or found is None:
        return
    rule = metadata.national_prefix_transform_rule
    if rule and found.lastindex and found.group(found.lastindex):
        yield found.expand(rule) + national[found.end() :]
    yield national[found.end() :]


def meanings(digits: str, default: int, *, plus: bool) -> set[str]:
    """Every number in E.164 that the digits may mean by the rules of the countries and no other digits."""
    metadata = PhoneMetadata.metadata_for_region(COUNTRY_CODE_TO_REGION_CODE[default][0])
    assert metadata is not None
    found = list(countries(digits)) if plus else [(default, digits)]
    if not plus:
        if digits.startswith(str(default)):
            found.append((default, digits.removeprefix(str(default))))
        prefix = re.match(metadata.international_prefix or "$", digits)
        if prefix is not None:
            found.extend(countries(digits[prefix.end() :]))
    for code, national in list(found):
        if code == 52 and national.startswith("1"):
            found.append((code, national[1:]))
    for _ in range(2):
        found.extend([(code, rest) for code, national in found for rest in without_trunk_prefix(code, national)])
    return {f"+{code}{national}" for code, national in found}


separators = st.sampled_from(["", "", "", " ", "-", ".", "/", "(", ")", "\u202f", "\u200b", "\t", ",", "'", "(0)", "~"])
groups = st.text("0123456789\u0660\uff11", min_size=1, max_size=6)
starts = st.sampled_from(["", "+", "00", "011 ", "0", "+49", "+49 (0)", "+52 1", "521", "+54 9", "0054", "+39 0", "49"])
texts = st.builds(
    lambda start, parts: start + "".join(group + separator for group, separator in parts),
    starts,
    st.lists(st.tuples(groups, separators), min_size=1, max_size=6),
)
formatted = st.sampled_from(
    [text for form in (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL) for text, _, _ in examples(form)]
)


@given(texts | formatted, st.sampled_from(CODES))
def test_the_digits_of_a_number_are_those_seen_in_the_text(raw: str, code: str) -> None:
    try:
        number = normalize(raw, code)
    except InvalidPhoneNumber:
        return
    seen = unicodedata.normalize("NFKC", raw)
    written = {seen, re.sub(r"\(0\)", "", seen)}
    possible = set()
    for text in written:
        digits = "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())
        possible |= meanings(digits, int(code), plus="+" in text)
    assert number.e164 in possible


beside = st.text(" -\u00a0\u2013", max_size=3)


@given(
    st.sampled_from(
        [text for form in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL) for text, _, _ in examples(form)]
    ),
    beside,
    st.sampled_from(".,"),
    beside,
    st.sampled_from(["0", "00", "5", "25"]),
)
def test_decimals_are_never_read_whatever_stands_beside_the_point(
    number: str, before: str, point: str, behind: str, decimals: str
) -> None:
    with pytest.raises(InvalidPhoneNumber):
        normalize(f"{number}{before}{point}{behind}{decimals}", "+1")


@pytest.mark.parametrize(
    ("raw", "code", "e164", "other"),
    [
        pytest.param("491701234500", "+49", "+49491701234500", "+491701234500", id="Germany"),
        pytest.param("49 170 1234500", "+49", "+49491701234500", "+491701234500", id="Germany, in groups"),
        pytest.param("447911123456", "+49", "+49447911123456", "+447911123456", id="a British number, Germany"),
        pytest.param("3906698123", "+39", "+393906698123", "+3906698123", id="mobile 390 or Rome, Italy"),
        pytest.param("0041446681800", "+55", "+446681800", "+41446681800", id="00 is more than a prefix in Brazil"),
        pytest.param("00491701234500", "+7", "+700491701234500", "+491701234500", id="00 is no prefix in Russia"),
        pytest.param("447911123456", "+44", "+447911123456", None, id="United Kingdom: the number has one meaning"),
        pytest.param("14155550123", "+1", "+14155550123", None, id="United States: both are one number"),
        pytest.param("4155552671", "+1", "+14155552671", None, id="United States: as it is written there"),
        pytest.param("(626) 555-2671", "+1", "+16265552671", None, id="United States: Indonesia is not meant"),
        pytest.param("13123456789", "+86", "+8613123456789", None, id="China: mobile numbers have no trunk 0"),
        pytest.param("2079460958", "+44", "+442079460958", None, id="United Kingdom: a spreadsheet took the 0"),
        pytest.param("01701234500", "+49", "+491701234500", None, id="Germany: the trunk 0 says it is national"),
        pytest.param("00491701234500", "+49", "+491701234500", None, id="Germany: 00 says it is international"),
        pytest.param("+491701234500", "+49", "+491701234500", None, id="Germany: the plus says it is international"),
        pytest.param("52 1 55 1234 5678", "+52", "+525512345678", None, id="Mexico's 1: both are one number"),
    ],
)
def test_the_other_number_that_a_text_without_a_plus_may_mean_is_known(
    raw: str, code: str, e164: str, other: str | None
) -> None:
    number = normalize(raw, code)
    assert (number.e164, number.other) == (e164, other)


def test_a_national_form_as_its_country_writes_it_has_no_other_meaning() -> None:
    others = [
        (text, code, number.other)
        for text, code, _ in examples(PhoneNumberFormat.NATIONAL)
        if (number := normalize(text, code)).other is not None
    ]
    assert others == []


@pytest.mark.parametrize(
    ("raw", "costly"),
    [
        pytest.param("+19002345678", NumberType.PREMIUM_RATE, id="United States"),
        pytest.param("+979123456789", NumberType.PREMIUM_RATE, id="the premium-rate code of no country"),
        pytest.param("+49180123456", NumberType.SHARED_COST, id="Germany"),
        pytest.param("+80812345678", NumberType.SHARED_COST, id="the shared-cost code of no country"),
        pytest.param("+870301234567", NumberType.SATELLITE, id="Inmarsat"),
        pytest.param("+881612345678", NumberType.SATELLITE, id="satellite mobile"),
        pytest.param("+8823421234", NumberType.SATELLITE, id="international networks, 882"),
        pytest.param("+883510012345", NumberType.SATELLITE, id="international networks, 883"),
        pytest.param("+80012345678", None, id="free of charge in many countries"),
        pytest.param("+18002345678", None, id="free of charge"),
        pytest.param("+14155550123", None, id="a line"),
        pytest.param("+491701234500", None, id="mobile"),
    ],
)
def test_a_costly_number_is_told_by_its_type(raw: str, costly: NumberType | None) -> None:
    assert normalize(raw, None).costly is costly
    assert normalize(raw, "+1").costly is costly


def test_an_example_number_of_every_region_and_costly_type_is_told() -> None:
    wrong = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind, costly in (
            (PhoneNumberType.PREMIUM_RATE, NumberType.PREMIUM_RATE),
            (PhoneNumberType.SHARED_COST, NumberType.SHARED_COST),
            (PhoneNumberType.TOLL_FREE, None),
        ):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None or phonenumbers.number_type(number) != kind:
                continue
            if normalize(phonenumbers.format_number(number, PhoneNumberFormat.E164), None).costly is not costly:
                wrong.append((region, kind))
    assert wrong == []
