from typing import Any

import pytest

from shared.domain.contact_input import NumberRules
from shared.domain.csv_people import person_columns, read_people
from shared.domain.csv_text import BadCsv, CsvFlaw, Record

US = NumberRules(None)


def read(header: list[str], *rows: list[str], mapping: dict[str, str] | None = None) -> Any:
    columns = person_columns(header, mapping or {})
    records = [Record(place, list(cells), 0) for place, cells in enumerate(rows, start=2)]
    return read_people(records, columns, US)


def test_columns_are_fields_of_the_person_and_all_others_custom_fields() -> None:
    header = ["Mobile", "First Name", "LAST_NAME", "E-Mail", "Company Name", "Job Title", "Tags", "Plan"]
    [row] = read(header, ["(415) 555-0123", "Ann", " Lee ", "a@x", "Acme", "CEO", "a; b,a", "pro"]).rows
    assert row.row == 2
    assert row.values == {
        "phone": "+14155550123",
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "a@x",
        "company": "Acme",
        "job_title": "CEO",
        "tags": ["a", "b"],
        "custom_fields": {"Plan": "pro"},
    }


def test_an_empty_cell_says_nothing_and_a_second_number_is_the_second() -> None:
    [row] = read(["phone", "mobile", "name", "first name"], ["+14155550123", "'+14155550124.0", "", ""]).rows
    assert row.values == {"phone": "+14155550123", "phone_secondary": "+14155550124"}


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (["", "Ann", ""], "phone"),
        (["nonsense", "Ann", ""], "phone"),
        (["1.41556E+10", "Ann", ""], "phone"),
        (["+14155550123", "A" * 256, ""], "first_name"),
        (["+14155550123", "Ann", "Mars/Olympus"], "timezone"),
        (["+14155550123", "A\ud800", ""], "first_name"),
    ],
)
def test_a_row_that_cannot_be_stored_says_why(cells: list[str], field: str) -> None:
    done = read(["phone", "first name", "timezone"], cells)
    [problem] = done.problems
    assert (done.rows, problem.index, problem.field) == ((), 2, field)
    assert problem.message


def test_empty_rows_are_passed_over_and_a_mapping_says_otherwise() -> None:
    done = read(["Handset", "Plan"], ["", " "], ["4155550123"], mapping={"Handset": "phone_numbers", "Plan": "ignore"})
    assert done.passed_over == 1
    assert [row.values for row in done.rows] == [{"phone": "+14155550123"}]


def test_a_header_without_numbers_is_no_list() -> None:
    with pytest.raises(BadCsv) as caught:
        person_columns(["first name", "plan"], {})
    assert caught.value.flaw is CsvFlaw.NO_PHONE_COLUMN
