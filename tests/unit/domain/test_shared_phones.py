"""One phone in several contacts of a campaign: who is told, and what."""

from shared.domain.contact_input import ContactRow
from shared.domain.row_remarks import Remark, RemarkCode
from shared.domain.shared_phones import COUNTED, PhoneHolder, shared_phone_warnings

PHONE, OTHER = "+14155550100", "+14155550199"
MEXICAN, OLD_MEXICAN = "+525512345678", "+5215512345678"


def row(index: int, *numbers: str, external_id: str | None = None) -> ContactRow:
    return ContactRow((index,), None, external_id, external_id is not None, numbers or (PHONE,), {})


def shared(*names: str, more: int = 0) -> Remark:
    return Remark(RemarkCode.SHARES_PHONE, {"names": list(names), "more": more, "at_least": 0})


def remarks(
    applied: list[tuple[str, ContactRow]], stored: tuple[PhoneHolder, ...] = ()
) -> dict[int, tuple[str | None, Remark]]:
    return {w.index: (w.external_id, w.remark) for w in shared_phone_warnings(applied, stored)}


def test_rows_of_one_request_name_each_other_by_external_id_or_id() -> None:
    rows = [("id-0", row(0, external_id="lead-1")), ("id-1", row(1)), ("id-2", row(2, OTHER))]
    assert remarks(rows) == {
        0: ("lead-1", shared("id-1")),
        1: (None, shared("lead-1")),
    }


def test_three_are_named_and_the_others_counted_those_stored_before_first() -> None:
    rows = [(f"id-{n}", row(n, external_id=f"lead-{n}")) for n in range(4)]
    stored = (PhoneHolder.of("s", None, [PHONE]), PhoneHolder.of("t", "kept", [OTHER, PHONE]))
    assert remarks(rows, stored)[3] == ("lead-3", shared("s", "kept", "lead-0", more=2))
    assert remarks(rows[:2], stored)[0] == ("lead-0", shared("s", "kept", "lead-1"))


def test_every_phone_of_a_contact_counts_and_a_contact_once() -> None:
    stored = (PhoneHolder.of("s", None, [PHONE, OTHER]), PhoneHolder.of("t", None, [OTHER]))
    assert remarks([("id-0", row(0, PHONE, OTHER))], stored)[0][1] == shared("s", "t")


def test_spellings_of_one_phone_are_one_and_a_contact_shares_nothing_with_itself() -> None:
    stored = (PhoneHolder.of("s", None, [OLD_MEXICAN]),)
    assert remarks([("id-0", row(0, MEXICAN))], stored) == {0: (None, shared("s"))}
    assert remarks([("id-0", row(0, MEXICAN, OLD_MEXICAN))]) == {}
    assert remarks([("s", row(0, MEXICAN))], stored) == {}


def test_a_contact_of_the_request_counts_with_its_new_numbers() -> None:
    stored = (PhoneHolder.of("s", "moved", [PHONE]),)
    assert remarks([("s", row(0, OTHER, external_id="moved")), ("id-1", row(1))], stored) == {}


def test_the_facts_are_bounded_however_long_names_are_and_however_many() -> None:
    stored = tuple(PhoneHolder.of(f"id-{n}", "x" * 255, [PHONE]) for n in range(5_000))
    [warning] = shared_phone_warnings([("new", row(0))], stored)
    facts = warning.remark.facts
    assert (facts["more"], facts["at_least"]) == (COUNTED - 2, 1)
    assert facts["names"] == ["x" * 39 + "…"] * 3
