"""One phone in several contacts of a campaign: who is told, and in what words."""

from shared.domain.contact_input import ContactRow
from shared.domain.shared_phones import COUNTED, PhoneHolder, shared_phone_warnings

PHONE, OTHER = "+14155550100", "+14155550199"
MEXICAN, OLD_MEXICAN = "+525512345678", "+5215512345678"
ALONE = "each of these contacts is called by itself"


def row(index: int, *numbers: str, external_id: str | None = None) -> ContactRow:
    return ContactRow((index,), None, external_id, external_id is not None, numbers or (PHONE,), {})


def messages(
    applied: list[tuple[str, ContactRow]], stored: tuple[PhoneHolder, ...] = ()
) -> dict[int, tuple[str | None, str]]:
    return {w.index: (w.external_id, w.message) for w in shared_phone_warnings(applied, stored)}


def test_rows_of_one_request_name_each_other_by_external_id_or_id() -> None:
    rows = [("id-0", row(0, external_id="lead-1")), ("id-1", row(1)), ("id-2", row(2, OTHER))]
    assert messages(rows) == {
        0: ("lead-1", f"shares a phone with id-1; {ALONE}"),
        1: (None, f"shares a phone with lead-1; {ALONE}"),
    }


def test_three_are_named_and_the_others_counted_those_stored_before_first() -> None:
    rows = [(f"id-{n}", row(n, external_id=f"lead-{n}")) for n in range(4)]
    stored = (PhoneHolder.of("s", None, [PHONE]), PhoneHolder.of("t", "kept", [OTHER, PHONE]))
    assert messages(rows, stored)[3] == ("lead-3", f"shares a phone with s, kept, lead-0 and 2 more; {ALONE}")
    assert messages(rows[:2], stored)[0] == ("lead-0", f"shares a phone with s, kept, lead-1; {ALONE}")


def test_every_phone_of_a_contact_counts_and_a_contact_once() -> None:
    stored = (PhoneHolder.of("s", None, [PHONE, OTHER]), PhoneHolder.of("t", None, [OTHER]))
    assert messages([("id-0", row(0, PHONE, OTHER))], stored)[0][1] == f"shares a phone with s, t; {ALONE}"


def test_spellings_of_one_phone_are_one_and_a_contact_shares_nothing_with_itself() -> None:
    stored = (PhoneHolder.of("s", None, [OLD_MEXICAN]),)
    assert messages([("id-0", row(0, MEXICAN))], stored) == {0: (None, f"shares a phone with s; {ALONE}")}
    assert messages([("id-0", row(0, MEXICAN, OLD_MEXICAN))]) == {}
    assert messages([("s", row(0, MEXICAN))], stored) == {}


def test_a_contact_of_the_request_counts_with_its_new_numbers() -> None:
    stored = (PhoneHolder.of("s", "moved", [PHONE]),)
    assert messages([("s", row(0, OTHER, external_id="moved")), ("id-1", row(1))], stored) == {}


def test_the_words_are_bounded_however_long_names_are_and_however_many() -> None:
    stored = tuple(PhoneHolder.of(f"id-{n}", "x" * 255, [PHONE]) for n in range(5_000))
    [warning] = shared_phone_warnings([("new", row(0))], stored)
    assert len(warning.message) <= 220
    assert f"… and at least {COUNTED - 2} more; " in warning.message
