"""Rows of CSV files become contacts, spreadsheets' artefacts are undone where that is certain; lists are checked."""

from typing import Any

import pytest

from shared.domain.contact_input import NumberRules
from shared.domain.csv_check import Breach, Checked, Refusal, check_file, variables_of
from shared.domain.csv_columns import understood
from shared.domain.csv_contacts import Layout, ReadRows, read_records, with_greeting
from shared.domain.csv_numbers import numbers_in
from shared.domain.csv_text import CsvFlaw, Encoding, records_of

RULES = NumberRules("+49")


def _read(text: str, layout: Layout | None = None) -> ReadRows:
    header, *records = records_of(text.encode(), Encoding("utf-8"), ",")
    return read_records(records, understood(header.cells), layout or Layout(), RULES)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("+491701234500.0", ["+491701234500"]),
        ("491701234500,00", ["491701234500"]),
        ('="+491701234500"', ["+491701234500"]),
        ("4.91701234500E+11", ["491701234500"]),
        # Digits are lost, or too few to be sure: left as it is, and refused by the reading of numbers.
        ("1.41556E+10", ["1.41556E+10"]),
        ("4.917012345001E+11", ["4.917012345001E+11"]),
        ("1234.0", ["1234.0"]),
        ("+49170 1234500.5", ["+49170 1234500.5"]),
        ("+49170111 ::: +49170222", ["+49170111", "+49170222"]),
        ("  ", []),
    ],
)
def test_spreadsheets_artefacts_are_undone_where_that_is_certain(cell: str, numbers: list[str]) -> None:
    assert numbers_in(cell) == numbers


@pytest.mark.parametrize("cell", ["1.41556E+10", "+49170 1234500.5", "4.917012345001E+11", "hello", "12"])
def test_numbers_that_are_not_certain_are_refused_with_their_row(cell: str) -> None:
    read = _read(f"name,phone\na,+491701234500\nb,{cell}\n")
    assert [row.index for row in read.rows] == [2]
    assert [(problem.index, problem.field) for problem in read.problems] == [(3, "phone_numbers[0]")]


def test_a_row_becomes_a_contact_with_the_other_columns_as_data() -> None:
    read = _read("Record ID,Phone,Timezone,Priority,Name\n7,'0170 1234500,Europe/Berlin,5,007\n")
    [row] = read.rows
    assert (row.external_id, row.phone_numbers, row.index) == ("7", ("+491701234500",), 2)
    assert dict(row.fields) == {"data": {"Name": "007"}, "timezone": "Europe/Berlin", "priority": 5}


def test_blank_rows_are_passed_over_and_rows_without_a_number_are_refused() -> None:
    read = _read("phone,name\n\n,Bob\n , \n+491701234500\n")
    assert (read.passed_over, [problem.index for problem in read.problems]) == (2, [3])
    assert [dict(row.fields)["data"] for row in read.rows] == [{"name": ""}]


def test_bad_values_name_their_column() -> None:
    read = _read("Phone,Zeitzone\n+491701234500,Mars\n")
    assert [(problem.index, problem.field) for problem in read.problems] == [(2, "Zeitzone")]


def test_a_list_that_is_context_keeps_its_columns_and_is_keyed_by_its_rows() -> None:
    text = "phone_number,name,greeting_override_type,greeting_override_text\n+491701234500,=1+1,text,Hi\n,left out,,\n"
    read = _read(text, Layout("csv_1234abcd_row_", as_context=True, needs_plus=True))
    [row] = read.rows
    assert (row.external_id, read.passed_over) == ("csv_1234abcd_row_1", 1)
    greeting = {"greeting_override": {"type": "text", "text": "Hi"}}
    assert row.fields["data"] == {"name": "=1+1", **greeting}
    assert row.fields["initial_context"] == {"phone_number": "+491701234500", "name": "=1+1", **greeting}


def test_a_number_without_a_plus_is_refused_where_it_needs_one() -> None:
    assert [each.index for each in _read("phone\n0170 1234500\n", Layout(needs_plus=True)).problems] == [2]


@pytest.mark.parametrize(
    ("context", "greeting"),
    [
        (
            {"greeting_override_type": "audio", "greeting_override_recording_id": "r"},
            {"type": "audio", "recording_id": "r"},
        ),
        ({"greeting_override_type": "text"}, None),
        ({"greeting_override_text": "Hi"}, None),
        ({}, None),
    ],
)
def test_a_greeting_is_whole_or_nothing(context: dict[str, str], greeting: Any) -> None:
    assert with_greeting(context) == ({} if greeting is None else {"greeting_override": greeting})


GOOD = b"phone_number,name\n+49 170 1234500,a\n\n+491701234501,b\n"


@pytest.mark.parametrize(
    ("data", "required", "refusal"),
    [
        (b"x" * (10 * 1024 * 1024 + 1), (), Refusal(Breach.TOO_LARGE)),
        (b"phone_number\n+1\x00\n", (), Refusal(Breach.UNREADABLE, CsvFlaw.NUL, (2,), 1)),
        (b'phone_number\n"+1\n', (), Refusal(Breach.UNREADABLE, CsvFlaw.UNCLOSED_QUOTE, (2,), 1)),
        (b"a" + b"," * 1000, (), Refusal(Breach.UNREADABLE, CsvFlaw.TOO_MANY_COLUMNS, (1,), 1)),
        (b"", (), Refusal(Breach.NO_ROWS)),
        (b"phone_number,name\n,a\n\n", (), Refusal(Breach.NO_ROWS)),
        (b"phone,name\n+491701234500,a\n", (), Refusal(Breach.NO_PHONE_COLUMN)),
        (b"phone_number,Name, name \n+491701234500,a,b\n", (), Refusal(Breach.DUPLICATE_COLUMN, names=("name",))),
        (
            b"phone_number\n01701234500\n+491701234500\n+49\n+0\n1\n2\n3\n",
            (),
            Refusal(Breach.BAD_NUMBERS, None, (2, 4, 5, 6, 7), 6),
        ),
        (b"phone_number\n1.41556E+10\n", (), Refusal(Breach.BAD_NUMBERS, None, (2,), 1)),
        (
            b"phone_number\n+491701234500\n+49 (170) 1234500\n'+491701234500.0\n",
            (),
            Refusal(Breach.DUPLICATE_NUMBERS, None, (3, 4), 2),
        ),
        (
            b"phone_number,note\n+491701234500," + b"x" * 65536 + b"\n",
            (),
            Refusal(Breach.ROWS_TOO_LARGE, None, (2,), 1),
        ),
        (GOOD, ("city", "name"), Refusal(Breach.MISSING_VARIABLES, names=("city",))),
        (GOOD + b"+491701234502,\n", ("name",), Refusal(Breach.EMPTY_VARIABLES, None, (5,), 1, ("name",))),
    ],
)
def test_a_list_that_breaks_a_rule_is_refused_for_the_first_breach(
    data: bytes, required: tuple[str, ...], refusal: Refusal
) -> None:
    assert check_file(data, required) == refusal


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_good_list_passes(separator: str) -> None:
    checked = check_file(GOOD.decode().replace(",", separator).encode("utf-16"), ("name",))
    assert isinstance(checked, Checked)
    assert (checked.separator, checked.rows, checked.columns.names) == (separator, 2, ("phone_number", "name"))


def test_variables_are_those_that_a_list_must_have() -> None:
    definition = {"nodes": [{"text": "Hi {{ First_Name }} of {{company.name}}, {{title | Sir}}, {{provider}} {{x}}"}]}
    assert variables_of(definition) == ("first_name", "x")
    assert variables_of("{{first-name}} {{Prénom}} {{ a b }} {{}} {{fallback|}}") == ("first-name", "prénom")
