"""What the console shows of a CSV file before it is imported."""

import pytest

from services.campaign_api.native.schemas.imports import MAPPING, PEOPLE_MAPPING
from services.console.csv_preview import CsvPreview, csv_preview, fields_for, hidden, mapping_of
from shared.domain.csv_text import BadCsv, CsvFlaw


def looked_at(text: str, *, people: bool = False, whole: bool = True) -> CsvPreview:
    return csv_preview(text.encode(), whole=whole, people=people)


def test_columns_and_the_first_ten_rows_are_shown() -> None:
    rows = "".join(f"+1415555{number:04d};Ann;x\n" for number in range(12))
    preview = looked_at(f"Handy;Name;\n\n{rows}")
    assert preview.columns.names == ("Handy", "Name", "")
    assert preview.columns.fields == ("phone_numbers", "data", "ignore")
    assert (len(preview.rows), preview.rows[0]) == (10, ("+14155550000", "Ann", "x"))


def test_short_rows_are_filled_and_long_ones_cut() -> None:
    assert looked_at("phone,name\n+1\n+2,a,b\n").rows == (("+1", ""), ("+2", "a"))


def test_excels_hint_is_no_header() -> None:
    assert looked_at("sep=;\nTel;Name\n+1;Ann\n").columns.names == ("Tel", "Name")


def test_a_row_that_is_cut_off_is_not_shown() -> None:
    assert looked_at("phone\n+14155550101\n+141555", whole=False).rows == (("+14155550101",),)


def test_a_file_without_a_known_column_of_numbers_is_shown_so_that_it_can_be_chosen() -> None:
    preview = looked_at("Handset,Name\n+1,Ann\n")
    assert preview.columns.fields == ("data", "data")
    assert not preview.has_numbers({})
    assert preview.has_numbers({"Handset": "phone_numbers"})


def test_people_have_other_fields() -> None:
    text = "phone,Vorname,id\n+1,Ann,7\n"
    assert looked_at(text, people=True).columns.fields == ("phone_numbers", "first_name", "data")
    assert looked_at(text).columns.fields == ("phone_numbers", "data", "external_id")


@pytest.mark.parametrize("people", [False, True])
def test_every_field_that_is_offered_is_one_that_the_api_takes(people: bool) -> None:
    adapter = PEOPLE_MAPPING if people else MAPPING
    for field in fields_for(people):
        adapter.validate_python({"column": field})


def test_a_choice_becomes_a_mapping_by_names_and_what_nobody_could_choose_is_left_out() -> None:
    columns = looked_at(f"phone,name,,{'x' * 300}\n+1\n").columns
    chosen = {0: "ignore", 1: "phone_numbers", 2: "phone_numbers", 3: "phone_numbers"}
    assert mapping_of(columns, chosen, people=False) == {"phone": "ignore", "name": "phone_numbers"}
    assert mapping_of(columns, {0: "first_name", 1: ""}, people=False) == {}


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", CsvFlaw.EMPTY),
        ("\n\n", CsvFlaw.EMPTY),
        (";;;\n", CsvFlaw.EMPTY),
        ('phone,"name\n+1,x\n', CsvFlaw.UNCLOSED_QUOTE),
        ("phone\0\n+1\n", CsvFlaw.NUL),
        (",".join("x" * 1001) + "\n", CsvFlaw.TOO_MANY_COLUMNS),
    ],
)
def test_what_is_no_table_says_why(text: str, flaw: CsvFlaw) -> None:
    with pytest.raises(BadCsv) as error:
        looked_at(text)
    assert error.value.flaw is flaw


@pytest.mark.parametrize(
    ("cell", "field", "shown"),
    [
        ("+14155550123", "phone_numbers", "…0123"),
        ("415-0123", "phone_numbers", "hidden"),
        ("+14155550123", "data", "hidden"),
        ("Ann", "data", "hidden"),
        (" ", "data", ""),
    ],
)
def test_without_the_scope_nothing_but_last_digits_of_numbers_is_shown(cell: str, field: str, shown: str) -> None:
    assert hidden(cell, field) == shown
