import csv
import io

import phonenumbers

from deploy.demo.generate import COLUMNS, CONTACTS, TARGET, rows
from deploy.demo.load import Row, contact_of, csv_of, read_rows
from shared.domain.contact_input import NumberRules
from shared.domain.csv_columns import understood
from shared.domain.csv_contacts import AS_THEY_ARE, read_records
from shared.domain.csv_text import Record
from shared.domain.phone import InvalidPhoneNumber, normalize
from shared.domain.timezones import known_timezones


def test_the_committed_list_is_what_the_generator_writes() -> None:
    with io.StringIO(TARGET.read_text(encoding="utf-8"), newline="") as file:
        assert list(csv.DictReader(file)) == rows()


def test_the_list_has_a_thousand_contacts_of_many_countries_and_a_few_bad_rows() -> None:
    good: list[Row] = []
    bad: list[Row] = []
    for row in read_rows(TARGET):
        (good if is_good(row) else bad).append(row)
    assert len({row.contact_id for row in good}) == CONTACTS
    assert len(good) == CONTACTS + 1  # one was exported twice
    assert len(bad) == 5
    assert len({row.values["Country"] for row in good}) >= 12


def test_no_number_belongs_to_two_contacts() -> None:
    contacts = {row.contact_id: contact_of(row) for row in read_rows(TARGET) if is_good(row)}
    numbers = [normalize(text, "+1").e164 for contact in contacts.values() for text in contact["phone_numbers"]]
    assert len(numbers) == len(set(numbers))


def test_foreign_national_numbers_become_international_and_others_stay_as_they_are() -> None:
    assert numbers_of(Country="Germany", Phone="030 23125 123") == ["+493023125123"]
    assert numbers_of(Country="United Kingdom", Phone="", Mobile="0044 20 7946 0123") == ["+442079460123"]
    assert numbers_of(Country="United States", Phone=" (212) 555-0199 ") == ["(212) 555-0199"]
    assert numbers_of(Country="France", Phone="ask reception") == ["ask reception"]


def test_the_file_to_import_has_the_contacts_that_the_rows_are() -> None:
    rows = read_rows(TARGET)
    header, *lines = csv.reader(io.StringIO(csv_of(rows).decode(), newline=""))
    columns = understood(header)
    records = [Record(number, cells, 0) for number, cells in enumerate(lines, start=2)]
    read = read_records(records, columns, AS_THEY_ARE, NumberRules("+1"))
    assert read.refused == 5
    assert len(read.rows) == CONTACTS
    wanted = {row.contact_id: contact_of(row) for row in rows if is_good(row)}
    for row in read.rows:
        contact = wanted[str(row.external_id)]
        assert row.fields["data"] == contact["data"]
        assert row.fields.get("timezone") == contact.get("timezone")
        assert list(row.phone_numbers) == [normalize(text, "+1").e164 for text in contact["phone_numbers"]]


def numbers_of(**values: str) -> list[str]:
    numbers: list[str] = contact_of(Row(2, dict.fromkeys(COLUMNS, "") | values))["phone_numbers"]
    return numbers


def is_good(row: Row) -> bool:
    contact = contact_of(row)
    try:
        for text in contact["phone_numbers"]:
            assert phonenumbers.is_possible_number(phonenumbers.parse(normalize(text, "+1").e164))
    except InvalidPhoneNumber:
        return False
    return bool(contact["phone_numbers"]) and contact.get("timezone", "UTC") in known_timezones()
