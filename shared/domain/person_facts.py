"""What is told of a person of the contact book: made, changed (which fields), deleted, no longer to be called."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.domain.facts import Fact, FactType
from shared.domain.person import EDITABLE, Person

# Enough to know who it is; readers that want more read the person.
_TOLD: Final = (
    *("external_id", "first_name", "last_name", "phone", "phone_secondary", "email", "company_id"),
    *("do_not_call", "inactive"),
)


def fact_of_person(kind: FactType, person: Person, now: datetime, changed: Sequence[str] = ()) -> Fact:
    """A fact of a person as it is then; `changed` names the fields that are not as they were."""
    said = {name: value for name in _TOLD if (value := getattr(person, name)) is not None}
    return Fact(type=kind, at=now, person_id=person.id, facts={**said, "changed": list(changed)} if changed else said)


def facts_of_change(before: Person, after: Person, now: datetime) -> list[Fact]:
    """What is told of a change: which fields have changed, and that the person is not to be called from now on."""
    changed = [name for name in EDITABLE if getattr(before, name) != getattr(after, name)]
    facts = [fact_of_person(FactType.PERSON_CHANGED, after, now, changed)] if changed else []
    if after.do_not_call and not before.do_not_call:
        facts.append(fact_of_person(FactType.PERSON_DO_NOT_CALL, after, now))
    return facts


def facts_of_making(person: Person, now: datetime) -> list[Fact]:
    """What is told of a new person."""
    made = fact_of_person(FactType.PERSON_CREATED, person, now)
    return [made, fact_of_person(FactType.PERSON_DO_NOT_CALL, person, now)] if person.do_not_call else [made]
