from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.facts import FactType
from shared.domain.person import Person
from shared.domain.person_facts import facts_of_change, facts_of_making

NOW = datetime(2027, 3, 5, 12, tzinfo=UTC)
IDA = Person(id="p", created_at=NOW, updated_at=NOW, first_name="Ida", phone="+14155550123", notes="long story")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"updated_at": NOW.replace(hour=13)}, []),
        ({"notes": "short"}, [(FactType.PERSON_CHANGED, ["notes"])]),
        ({"phone": None, "tags": ("a",)}, [(FactType.PERSON_CHANGED, ["phone", "tags"])]),
        (
            {"do_not_call": True},
            [(FactType.PERSON_CHANGED, ["do_not_call"]), (FactType.PERSON_DO_NOT_CALL, None)],
        ),
    ],
)
def test_what_is_told_of_a_change(changes: dict[str, Any], told: list[Any]) -> None:
    facts = facts_of_change(IDA, replace(IDA, **changes), NOW)
    assert [(fact.type, fact.facts.get("changed")) for fact in facts] == told
    assert {fact.person_id for fact in facts} <= {"p"}


def test_a_flag_that_is_taken_back_is_a_change_alone() -> None:
    flagged = replace(IDA, do_not_call=True)
    assert [fact.type for fact in facts_of_change(flagged, IDA, NOW)] == [FactType.PERSON_CHANGED]


def test_a_new_person_is_told_with_what_identifies_it() -> None:
    [made] = facts_of_making(IDA, NOW)
    known = {"first_name": "Ida", "phone": "+14155550123", "do_not_call": False, "inactive": False}
    assert (made.type, made.facts) == (FactType.PERSON_CREATED, known)
    flagged = facts_of_making(replace(IDA, do_not_call=True), NOW)
    assert [fact.type for fact in flagged] == [FactType.PERSON_CREATED, FactType.PERSON_DO_NOT_CALL]
