from typing import Any

import pytest

from services.campaign_api.http.faults import ValuesInvalid
from services.campaign_api.talkturo.csv_rows import MOST_ROWS, mapping_of, rows_of


def rows(text: str, mapping: dict[str, str] | None = None) -> list[tuple[dict[str, Any], str | None]]:
    """The rows of a CSV."""
    return list(rows_of(text.encode(), mapping or {}))


def test_columns_are_matched_in_any_case_blanks_and_underscores_apart() -> None:
    [(contact, company)] = rows(
        "\ufeffFIRST NAME,last_name,Lead Source,Do Not Call,Company Name,TAGS,Shoe Size\n"
        'Ada,Lovelace,fair,Yes,Acme," a;b, ;c",38\n'
    )
    assert company == "Acme"
    assert contact == {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "source": "fair",
        "do_not_call": True,
        "tags": ["a", "b", "c"],
        "custom_fields": {"Shoe Size": "38"},
    }


def test_a_mapping_names_the_field_of_a_column_also_a_custom_one() -> None:
    mapping = mapping_of('{"Given": "firstName", "family_name": "last_name", "Shoe Size": "shoeSize"}')
    [(contact, _)] = rows("given,Family Name,SHOE_SIZE\nAda,Lovelace,38\n", mapping)
    assert contact == {"first_name": "Ada", "last_name": "Lovelace", "custom_fields": {"shoeSize": "38"}}


def test_blank_rows_are_passed_over_and_blank_cells_say_nothing() -> None:
    found = rows("firstName,lastName,phone\n\n , ,\nAda,,\n,,\nBob,Babbage,+14155550123\n")
    bob = {"first_name": "Bob", "last_name": "Babbage", "phone": "+14155550123"}
    assert found == [({"first_name": "Ada"}, None), (bob, None)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "phone\n+14155550123\n",
        "firstName,lastName\n",
        "firstName,lastName\n" + "a,b\n" * (MOST_ROWS + 1),
        'firstName,lastName\n"a,b' + "x" * 200_000,
    ],
    ids=["nothing", "no names", "no rows", "too many", "an endless cell"],
)
def test_a_csv_without_usable_header_or_rows_is_refused(text: str) -> None:
    with pytest.raises(ValuesInvalid):
        rows(text)


def test_other_encodings_and_mappings_that_are_none_are_refused() -> None:
    with pytest.raises(ValuesInvalid):
        list(rows_of("firstName,lastName\nÄ,B\n".encode("latin-1"), {}))
    for text in ("x", "[]", '{"a": 1}', "[" * 100_000):
        with pytest.raises(ValuesInvalid):
            mapping_of(text)
    assert len(rows("firstName,lastName\n" + "a,b\n" * MOST_ROWS)) == MOST_ROWS
