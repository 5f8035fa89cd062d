"""A person: status, what is searched and found by, and the contact that it is in a campaign."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.domain.enrolment import Enrolled, Enrolment, EnrolmentCounts, counts_of, why_skipped
from shared.domain.ids import contact_id_of, contact_id_of_person
from shared.domain.organization_names import slug_of
from shared.domain.person import (
    EDITABLE,
    Email,
    Person,
    PersonsContact,
    PersonStatus,
    Tags,
    contact_of,
    keys,
    matches,
    oldest_by_phone,
    searched,
)
from shared.domain.reasons import EndReason

NOW = datetime(2026, 1, 6, tzinfo=UTC)
PHONE, OTHER = "+14155550123", "+14155550124"


def person(**fields: Any) -> Person:
    return Person(**{"id": "p", "created_at": NOW, "updated_at": NOW, **fields})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, PersonStatus.ACTIVE),
        ({"inactive": True}, PersonStatus.INACTIVE),
        ({"do_not_call": True}, PersonStatus.DNC),
        ({"listed": True}, PersonStatus.DNC),
        ({"inactive": True, "listed": True}, PersonStatus.DNC),
    ],
)
def test_the_status_says_first_that_nobody_may_call(fields: dict[str, Any], status: PersonStatus) -> None:
    assert person(**fields).status is status


@pytest.mark.parametrize(
    ("fields", "company", "contact"),
    [
        ({}, None, PersonsContact((), None, {}, None)),
        ({"phone_secondary": OTHER}, None, PersonsContact((OTHER,), None, {}, None)),
        ({"phone": PHONE, "phone_secondary": OTHER}, None, PersonsContact((PHONE,), None, {}, None)),
        ({"timezone": "Europe/Berlin"}, None, PersonsContact((), "Europe/Berlin", {}, None)),
        ({"do_not_call": True, "phone": PHONE}, None, PersonsContact((PHONE,), None, {}, EndReason.DO_NOT_CALL)),
        (
            {
                "first_name": "Ada",
                "job_title": "Countess",
                "tags": ("vip",),
                "custom_fields": {"first_name": "x", "n": 1},
            },
            None,
            PersonsContact(
                (),
                None,
                {"first_name": "Ada", "title": "Countess", "job_title": "Countess", "tags": ["vip"], "n": 1},
                None,
            ),
        ),
        ({"company": "Typed"}, None, PersonsContact((), None, {"company": "Typed"}, None)),
        ({"company": "Typed", "company_id": "c"}, "Acme", PersonsContact((), None, {"company": "Acme"}, None)),
    ],
)
def test_a_contact_has_the_fields_of_its_person(
    fields: dict[str, Any], company: str | None, contact: PersonsContact
) -> None:
    assert contact_of(person(**fields), company) == contact


@pytest.mark.parametrize(
    ("contact", "listed", "because"),
    [
        (PersonsContact((PHONE,), None, {}, None), False, None),
        (PersonsContact((PHONE,), None, {}, None), True, EndReason.DO_NOT_CALL),
        (PersonsContact((), None, {}, None), False, EndReason.NO_PHONE),
        (PersonsContact((), None, {}, EndReason.DO_NOT_CALL), False, EndReason.DO_NOT_CALL),
    ],
)
def test_why_a_contact_is_stored_as_skipped(contact: PersonsContact, listed: bool, because: EndReason | None) -> None:
    assert why_skipped(contact, listed=listed) is because


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ada love", True),
        ("LOVELACE", True),
        ("ada@", True),
        ("4155550123", True),
        ("+1415", True),
        ("0124", True),
        ("", True),
        ("lovelaceada", False),
        ("love.*", False),
        ("com+1415", False),
        ("\x00", True),
    ],
)
def test_a_search_finds_a_part_of_one_text(text: str, found: bool) -> None:
    ada = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}
    assert matches({**EDITABLE, **ada, "phone": PHONE, "phone_secondary": OTHER}, text) is found


NAMES = st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(first=NAMES, last=NAMES, data=st.data())
def test_any_part_of_a_full_name_finds_it_in_any_case(first: str | None, last: str | None, data: st.DataObject) -> None:
    whole = " ".join(name for name in (first, last) if name)
    start = data.draw(st.integers(0, len(whole)))
    part = whole[start : data.draw(st.integers(start, len(whole)))]
    if part.isascii():
        fields = {**EDITABLE, "first_name": first, "last_name": last}
        if whole.isascii():
            assert matches(fields, part.upper())
            assert matches(fields, part.lower())
        assert "\x00" not in searched(fields)


def test_a_person_is_found_by_each_whole_number_and_the_address() -> None:
    fields = {**EDITABLE, "phone": "+5215512345678", "phone_secondary": "+525512345678", "email": "Ada@Example.com"}
    assert keys(fields) == ["+525512345678", "ada@example.com"]


def test_the_oldest_of_several_with_one_phone_is_meant() -> None:
    later = datetime(2026, 1, 7, tzinfo=UTC)
    people = [person(id="b", phone=PHONE, created_at=later), person(id="c", phone=PHONE), person(id="a", phone=PHONE)]
    assert oldest_by_phone([*people, person(id="n")]) == {PHONE: people[2]}


@pytest.mark.parametrize("address", ["ada", "@x", "a@", "a@b@c", "a b@c", "a" * 320 + "@b", "a@b\x00"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Email).validate_python(address)


def test_tags_count_once_and_are_at_most_a_hundred() -> None:
    assert TypeAdapter(Tags).validate_python(["b", "a", "b"]) == ["b", "a"]
    for wrong in ([""], ["x" * 101], [str(n) for n in range(101)]):
        with pytest.raises(ValidationError):
            TypeAdapter(Tags).validate_python(wrong)


def test_counts_are_of_distinct_people() -> None:
    enrolled = [
        Enrolled("a", "1", Enrolment.ADDED),
        Enrolled("a", "1", Enrolment.DUPLICATE),
        Enrolled("b", "2", Enrolment.AGAIN),
        Enrolled("c", "3", Enrolment.DUPLICATE),
        Enrolled("d", "4", Enrolment.SKIPPED, EndReason.NO_PHONE),
        Enrolled("e", None, Enrolment.UNKNOWN),
        Enrolled("f", None, Enrolment.INACTIVE),
        Enrolled("g", None, Enrolment.NO_PHONE),
    ]
    assert counts_of(enrolled) == EnrolmentCounts(added=2, skipped=1, duplicates=1, refused=3)


def test_a_persons_contact_is_no_other_contacts_id() -> None:
    campaign, someone = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21", "7b1c9f2e-52a5-4f0d-8c4b-0c6f3b8f6d11"
    assert contact_id_of_person(campaign, someone) == contact_id_of_person(campaign, someone)
    assert contact_id_of_person(campaign, someone) != contact_id_of("o", campaign, someone)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme"),
        ("  Acme & Co. ", "acme-co"),
        ("Müller", "m-ller"),
        ("!!!", ""),
        ("x" * 80, "x" * 64),
        ("a" * 63 + " b", "a" * 63),
    ],
)
def test_a_slug_is_made_of_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug
