"""Reports in CSV for keys that may not see numbers."""

import pytest

from services.console.csv_masking import MaskedCsv

CALLS = (
    "id,number,contact_name,phone_number,caller_number,error,disposition\r\n"
    'a-1,1234567890,Ada,+14155550001,+14155550100,"no: +14155550001,\nhe said",yes\r\n'
    "a-2,2,,,+14155550100,,call 4155550002\r\n"
)
MASKED = (
    "id,number,contact_name,phone_number,caller_number,error,disposition\r\n"
    'a-1,1234567890,,\'+1…0001,+14155550100,"no: …0001,\nhe said",yes\r\n'
    "a-2,2,,,+14155550100,,call …0002\r\n"
)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_rows_keep_the_last_digits_of_numbers_whatever_pieces_they_come_in(size: int) -> None:
    mask, data = MaskedCsv(), CALLS.encode()
    pieces = [mask.feed(data[start : start + size]) for start in range(0, len(data), size)]
    assert b"".join([*pieces, mask.feed(b"", last=True)]).decode() == MASKED


def test_an_empty_report_stays_empty() -> None:
    assert MaskedCsv().feed(b"", last=True) == b""
