"""The judge of what is told is judged: a good record passes, and each planted bug is convicted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.facts import FactType
from shared.domain.webhook_ids import event_id
from shared.events import OrgFact
from tests.chaos.judge_of_telling import IN_TIME_SECONDS, Told, held_up, judge_telling
from tests.chaos.receiving import SHAKY, STEADY, Got
from tests.chaos.subscriptions import WANTED
from tests.chaos.test_judge import ORGANIZATION, START, at, call, good_truth
from tests.chaos.truth import Truth

SHARD = 3
CALLS = [call(0, 1, 2, "busy", "first"), call(0, 4, 6, "answered", "second"), call(1, 4, 5, "interrupted", "lost")]


@dataclass
class Record:
    """What a sound system tells of two contacts; tests plant bugs in it."""

    facts: list[OrgFact] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    contacts: dict[str, tuple[str, str]] = field(default_factory=dict)
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    truth: Truth = field(default_factory=good_truth)

    def fact(self, kind: FactType, seconds: float, contact: int = 0, attempt: str | None = None, **facts: Any) -> None:
        """One more fact, told at once to whoever wants it."""
        made = OrgFact(
            shard=SHARD,
            n=len(self.facts) + 1,
            organization_id=ORGANIZATION,
            type=kind,
            at=at(seconds),
            contact_id=f"contact-{contact}",
            attempt_id=attempt,
            facts=facts,
        )
        self.facts.append(made)
        self.got += [got(made, receiver) for receiver, wanted in WANTED.items() if kind in wanted]

    def convicted(self) -> set[str]:
        told = Told({SHARD: self.facts}, self.got, self.contacts, self.outcomes)
        return {violation.promise for violation in judge_telling(told, CALLS, self.truth)}

    def place(self, kind: FactType, nth: int = 0) -> int:
        """Where the n-th fact of a kind is."""
        return [place for place, fact in enumerate(self.facts) if fact.type is kind][nth]

    def got_of(self, kind: FactType, receiver: str = STEADY) -> int:
        """Where the last request of a kind is."""
        return [
            place for place, each in enumerate(self.got) if each.body["type"] == kind and each.receiver == receiver
        ][-1]

    def forget(self, kind: FactType, nth: int = 0) -> None:
        """Nobody is told of a fact, and the others are numbered as if it had never been."""
        facts = [fact for place, fact in enumerate(self.facts) if place != self.place(kind, nth)]
        self.facts, self.got = [], []
        for fact in facts:
            self.fact(fact.type, seconds_of(fact), 0, fact.attempt_id, **fact.facts)
            self.facts[-1] = self.facts[-1].model_copy(update={"contact_id": fact.contact_id})
        self.got = [got(fact, name) for fact in self.facts for name, wanted in WANTED.items() if fact.type in wanted]


def seconds_of(fact: OrgFact) -> float:
    return (fact.at - START).total_seconds()


def got(fact: OrgFact, receiver: str) -> Got:
    told = event_id(fact.id, fact.organization_id, fact.type.value)
    data = {**fact.facts, "contact_id": fact.contact_id}
    if fact.attempt_id is not None:
        data["attempt_id"] = fact.attempt_id
    body = {"id": told, "type": fact.type.value, "created_at": fact.at.isoformat(), "data": data}
    return Got(fact.at + timedelta(seconds=0.2), receiver, fact.organization_id, told, True, body)


def good_record() -> Record:
    record = Record()
    record.truth.subscribed.add(ORGANIZATION)
    record.fact(FactType.CALL_PLACED, 1, attempt="first")
    record.fact(FactType.CALL_ENDED, 2, attempt="first", outcome="busy", attempt_number=1)
    again: Mapping[str, Any] = {"status": "pending", "called_again": True}
    record.fact(FactType.CONTACT_COMPLETED, 2, attempt="first", outcome="busy", **again)
    record.fact(FactType.CALL_PLACED, 4, attempt="second")
    record.fact(FactType.CALL_ANSWERED, 4, attempt="second")
    # A call that this system has lost a moment before the carrier ends it.
    record.fact(FactType.CALL_ENDED, 4.5, 1, "lost", outcome="interrupted", attempt_number=1)
    record.fact(FactType.CONTACT_COMPLETED, 4.5, 1, "lost", outcome="interrupted", status="error", called_again=False)
    record.fact(FactType.CALL_ENDED, 6, attempt="second", outcome="answered", attempt_number=2)
    record.fact(FactType.CONTACT_COMPLETED, 6, attempt="second", outcome="answered", status="completed")
    record.contacts = {"contact-0": (ORGANIZATION, "completed"), "contact-1": (ORGANIZATION, "error")}
    record.outcomes = {
        "first": (ORGANIZATION, "busy"),
        "second": (ORGANIZATION, "answered"),
        "lost": (ORGANIZATION, "interrupted"),
    }
    return record


def test_a_good_record_passes() -> None:
    assert good_record().convicted() == set()


def test_what_comes_again_and_what_was_refused_first_passes() -> None:
    record = good_record()
    refused = [replace(each, accepted=False) for each in record.got]
    record.got = [*refused, *record.got, *record.got]
    record.facts = [*record.facts[:4], *record.facts[1:], *record.facts[-2:]]
    assert record.convicted() == set()


def test_an_organization_without_subscription_is_told_nothing() -> None:
    silent = Record()
    silent.contacts, silent.outcomes = good_record().contacts, good_record().outcomes
    assert silent.convicted() == set()
    silent.fact(FactType.CALL_PLACED, 1, attempt="first")
    assert silent.convicted() == {"Webhooks"}


def a_webhook_is_lost(record: Record) -> None:
    del record.got[record.got_of(FactType.CONTACT_COMPLETED, SHAKY)]


def a_webhook_is_never_accepted(record: Record) -> None:
    place = record.got_of(FactType.CALL_ANSWERED)
    record.got[place] = replace(record.got[place], accepted=False)


def the_end_of_a_contact_is_forgotten(record: Record) -> None:
    record.forget(FactType.CONTACT_COMPLETED, 2)


def the_end_of_a_call_is_forgotten(record: Record) -> None:
    record.forget(FactType.CALL_ENDED, 1)


def an_end_is_told_otherwise_than_recorded(record: Record) -> None:
    record.contacts["contact-0"] = (ORGANIZATION, "exhausted")


def an_outcome_is_told_otherwise_than_recorded(record: Record) -> None:
    record.outcomes["first"] = (ORGANIZATION, "no_answer")


def an_end_is_told_while_the_call_is_up(record: Record) -> None:
    place = record.got_of(FactType.CALL_ENDED)
    record.got[place] = replace(record.got[place], at=at(5.9))


def a_completion_is_told_while_the_call_is_up(record: Record) -> None:
    place = record.got_of(FactType.CONTACT_COMPLETED, SHAKY)
    record.got[place] = replace(record.got[place], at=at(5.9))


def an_answer_is_told_of_a_call_that_rings(record: Record) -> None:
    place = record.got_of(FactType.CALL_ANSWERED)
    record.got[place] = replace(record.got[place], at=at(3.9))


def a_call_is_told_that_never_was(record: Record) -> None:
    record.fact(FactType.CALL_PLACED, 7, attempt="third")


def an_id_is_given_twice(record: Record) -> None:
    place = record.got_of(FactType.CALL_ENDED)
    record.got[place] = replace(record.got[place], id=record.got[0].id)


def a_body_changes(record: Record) -> None:
    each = record.got[0]
    record.got.append(replace(each, body={**each.body, "created_at": at(9).isoformat()}))


def a_call_is_told_twice(record: Record) -> None:
    record.fact(FactType.CALL_ENDED, 7, attempt="second", outcome="answered", attempt_number=2)


def a_contact_is_called_after_it_was_told_to_be_over(record: Record) -> None:
    place = record.place(FactType.CONTACT_COMPLETED)
    early = {"at": at(1 - 9), "facts": {"status": "exhausted", "outcome": "busy"}}
    record.facts[place] = record.facts[place].model_copy(update=early)
    record.got = [got(fact, name) for fact in record.facts for name, wanted in WANTED.items() if fact.type in wanted]
    record.got = [replace(each, at=max(each.at, at(6))) for each in record.got]


def something_is_told_to_whom_it_does_not_concern(record: Record) -> None:
    record.got.append(replace(record.got[0], receiver=SHAKY))


@pytest.mark.parametrize(
    "plant",
    [
        a_webhook_is_lost,
        a_webhook_is_never_accepted,
        the_end_of_a_contact_is_forgotten,
        the_end_of_a_call_is_forgotten,
        an_end_is_told_otherwise_than_recorded,
        an_outcome_is_told_otherwise_than_recorded,
        an_end_is_told_while_the_call_is_up,
        a_completion_is_told_while_the_call_is_up,
        an_answer_is_told_of_a_call_that_rings,
        a_call_is_told_that_never_was,
        an_id_is_given_twice,
        a_body_changes,
        a_call_is_told_twice,
        a_contact_is_called_after_it_was_told_to_be_over,
        something_is_told_to_whom_it_does_not_concern,
    ],
)
def test_a_webhook_amiss_is_convicted(plant: Callable[[Record], None]) -> None:
    record = good_record()
    plant(record)
    assert record.convicted() == {"Webhooks"}


def a_number_is_left_out(record: Record) -> None:
    record.facts = [fact.model_copy(update={"n": fact.n + (fact.n > 3)}) for fact in record.facts]


def facts_come_in_another_order(record: Record) -> None:
    record.facts[2], record.facts[3] = record.facts[3], record.facts[2]


def a_number_is_given_twice(record: Record) -> None:
    record.facts.append(record.facts[0].model_copy(update={"at": at(9)}))


def a_fact_is_in_the_partition_of_another_shard(record: Record) -> None:
    record.facts[0] = record.facts[0].model_copy(update={"shard": SHARD + 1})


def calls_are_told_in_another_order(record: Record) -> None:
    facts = [fact for fact in record.facts if fact.attempt_id == "second"]
    others = [fact for fact in record.facts if fact.attempt_id != "second"]
    record.facts = [fact.model_copy(update={"n": n}) for n, fact in enumerate([*facts, *others], 1)]


def a_call_is_placed_after_its_end(record: Record) -> None:
    placed = record.facts.pop(0)
    record.facts = [fact.model_copy(update={"n": n}) for n, fact in enumerate([*record.facts, placed], 1)]


@pytest.mark.parametrize(
    "plant",
    [
        a_number_is_left_out,
        facts_come_in_another_order,
        a_number_is_given_twice,
        a_fact_is_in_the_partition_of_another_shard,
        calls_are_told_in_another_order,
        a_call_is_placed_after_its_end,
    ],
)
def test_facts_out_of_order_are_convicted(plant: Callable[[Record], None]) -> None:
    record = good_record()
    plant(record)
    assert "S7" in record.convicted()


def test_what_a_customer_has_done_must_be_told() -> None:
    record = good_record()
    record.truth.must_be_told.add((ORGANIZATION, FactType.CALL_RESULT, "second"))
    assert record.convicted() == {"Webhooks"}
    record.fact(FactType.CALL_RESULT, 7, attempt="second")
    assert record.convicted() == set()


def test_an_unwell_receiver_that_holds_up_another_is_convicted() -> None:
    record = good_record()
    for n in range(40):
        record.fact(FactType.CALLBACK_SCHEDULED, 10 + n / 10)
    unwell = [(at(9), at(20))]
    usual, found = held_up(record.got, unwell)
    assert (round(usual, 3), found) == (0.2, [])
    late = [replace(each, at=each.at + timedelta(seconds=IN_TIME_SECONDS)) for each in record.got]
    assert len(held_up(late, unwell)[1]) == 1
    assert held_up(late, [(at(30), at(40))]) == (0.0, []), "late for another reason"


@pytest.mark.parametrize(
    ("begin", "end", "explains"), [(0, 60, True), (15, 16, True), (-30, -15, False), (30, 40, False)]
)
def test_what_waits_for_a_broken_sender_was_not_held_up_by_a_receiver(begin: int, end: int, explains: bool) -> None:
    record = good_record()
    for n in range(40):
        record.fact(FactType.CALLBACK_SCHEDULED, 10 + n / 10)
    late = [replace(each, at=each.at + timedelta(seconds=IN_TIME_SECONDS)) for each in record.got]
    _, found = held_up(late, [(at(9), at(20))], [(at(begin), at(end))])
    assert (found == []) == explains
