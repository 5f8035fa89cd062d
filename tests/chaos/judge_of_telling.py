"""Holds what customers were told against Kafka's facts, the carrier's record and the system's documents.

Knows nothing of the system but its promises (docs/webhooks.md, docs/facts.md, S7 in docs/architecture.md): everything
is told at least once to each subscription, nothing before it was true, under ids that stay, in order of a shard's
numbers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from shared.domain.contact import FINAL, ContactStatus
from shared.domain.facts import FactType
from shared.domain.outcome import Outcome
from shared.domain.webhook_ids import event_id
from shared.events import OrgFact
from tests.chaos.judge import CLOCKS_OFF, Violation
from tests.chaos.receiving import STEADY, Got
from tests.chaos.record import CarrierCall
from tests.chaos.subscriptions import OF_CONTACTS, WANTED
from tests.chaos.truth import Truth

# Of a call that is over for us, the carrier may hear a moment later.
OVER_SOON: Final = timedelta(seconds=1)
OVER_FOR_US: Final = frozenset({Outcome.INTERRUPTED, Outcome.UNKNOWN})
# How long before the end of a contact was told a callback may have been asked for that came after it: a request whose
# answer was lost is noted when it is sent first.
ASKED_BEFORE: Final = timedelta(seconds=60)
# Nothing but a callback follows these; the others may be given a new number, for example.
FOR_GOOD: Final = frozenset({ContactStatus.COMPLETED, ContactStatus.EXHAUSTED})
IN_TIME_SECONDS: Final = 10.0
# After a fault its consequences go on for a while: a sender that was frozen still has what it had taken.
RECOVERY_SECONDS: Final = 20.0
Span = tuple[datetime, datetime]
# Fewer tell nothing.
ENOUGH: Final = 20
_PLACED, _ANSWERED, _ENDED = FactType.CALL_PLACED, FactType.CALL_ANSWERED, FactType.CALL_ENDED


@dataclass(frozen=True, slots=True)
class Told:
    """What was told, and what is so.

    `facts`: by partition, as Kafka has them; `got`: what the receivers have written down; `contacts`: the organization
    and status of those that there are; `outcomes`: by attempt, of those contacts.
    """

    facts: Mapping[int, Sequence[OrgFact]]
    got: Sequence[Got]
    contacts: Mapping[str, tuple[str, str]]
    outcomes: Mapping[str, tuple[str, str]]


def judge_telling(told: Told, calls: Sequence[CarrierCall], truth: Truth) -> list[Violation]:
    """Everything that was told amiss, or not at all. Only once the system has settled."""
    facts = [fact for each in told.facts.values() for fact in _first_seen(each)]
    return [
        *_out_of_order(told.facts),
        *_changed_ids(told.got),
        *_not_delivered(facts, told.got, truth),
        *_made_up(facts, told.got, truth),
        *_too_early(told.got, calls),
        *_calls_told_amiss(facts, told.outcomes, truth),
        *_contacts_told_amiss(facts, told.contacts, truth),
        *_called_after_its_end(facts, calls, truth),
        *_deeds_not_told(facts, truth),
    ]


def held_up(got: Iterable[Got], unwell: Sequence[Span], broken: Sequence[Span] = ()) -> tuple[float, list[Violation]]:
    """Median seconds until the steady receiver had what came up while the other was unwell; more than a few are broken.

    0 where there was next to nothing. What came up around the time in which something on the way to both was `broken`
    tells nothing of the other receiver.
    """
    first: dict[str, float] = {}
    late, before = timedelta(seconds=IN_TIME_SECONDS), timedelta(seconds=RECOVERY_SECONDS)
    for each in got:
        at = datetime.fromisoformat(each.body["created_at"])
        if (
            each.receiver == STEADY
            and any(begin <= at <= end for begin, end in unwell)
            and not any(begin <= at + late and at - before <= end for begin, end in broken)
        ):
            first.setdefault(each.id, (each.at - at).total_seconds())
    usual = median(first.values()) if len(first) >= ENOUGH else 0.0
    if usual <= IN_TIME_SECONDS:
        return usual, []
    return usual, [Violation("webhooks in time", f"another receiver held up half of them for {usual:.1f} s")]


def _first_seen(facts: Iterable[OrgFact]) -> Iterator[OrgFact]:
    """As a reader sees them that ignores numbers it has passed."""
    last = 0
    for fact in facts:
        if fact.n > last:
            last = fact.n
            yield fact


def _out_of_order(facts: Mapping[int, Sequence[OrgFact]]) -> Iterator[Violation]:
    for partition, each in facts.items():
        known: dict[int, OrgFact] = {}
        for fact in each:
            if fact.shard != partition:
                yield Violation("S7", f"fact {fact.id} is in partition {partition}")
            if fact.n not in known and fact.n != len(known) + 1:
                yield Violation("S7", f"fact {fact.id} came first when {len(known)} had come")
            if known.setdefault(fact.n, fact) != fact:
                yield Violation("S7", f"fact {fact.id} came again as another")


def _changed_ids(got: Iterable[Got]) -> Iterator[Violation]:
    bodies: dict[str, Mapping[str, Any]] = {}
    for each in got:
        if each.body["id"] != each.id or bodies.setdefault(each.id, each.body) != each.body:
            yield Violation("Webhooks", f"event {each.id} came with another body")


def _wanted_by(fact: OrgFact, truth: Truth) -> list[str]:
    if fact.organization_id not in truth.subscribed:
        return []
    return [receiver for receiver, wanted in WANTED.items() if fact.type in wanted]


def _id_of(fact: OrgFact) -> str:
    return event_id(fact.id, fact.organization_id, fact.type.value)


def _not_delivered(facts: Iterable[OrgFact], got: Iterable[Got], truth: Truth) -> Iterator[Violation]:
    accepted = {(each.receiver, each.organization_id, each.id) for each in got if each.accepted}
    for fact in facts:
        for receiver in _wanted_by(fact, truth):
            if (receiver, fact.organization_id, _id_of(fact)) not in accepted:
                yield Violation("Webhooks", f"{fact.type} {fact.id} was never told at {receiver}")


def _made_up(facts: Iterable[OrgFact], got: Iterable[Got], truth: Truth) -> Iterator[Violation]:
    known: dict[str, OrgFact] = {}
    for fact in facts:
        known[_id_of(fact)] = fact
        if fact.organization_id not in truth.subscribed:
            yield Violation("Webhooks", f"{fact.type} {fact.id} is of an organization that wants to be told nothing")
    for each in got:
        told = known.get(each.id)
        if told is None or each.receiver not in _wanted_by(told, truth):
            yield Violation("Webhooks", f"{each.body['type']} {each.id} was told at {each.receiver}, and is no fact")
        elif not _is_told_as_is(told, each):
            yield Violation("Webhooks", f"{told.type} {told.id} was told as another")


def _is_told_as_is(fact: OrgFact, each: Got) -> bool:
    data = each.body["data"]
    return (each.organization_id, each.body["type"]) == (fact.organization_id, fact.type) and (
        data.get("contact_id"),
        data.get("attempt_id"),
        data.get("outcome"),
    ) == (fact.contact_id, fact.attempt_id, fact.facts.get("outcome"))


def _too_early(got: Iterable[Got], calls: Iterable[CarrierCall]) -> Iterator[Violation]:
    """What was told of a call before it was so at the carrier."""
    by_attempt = {call.attempt_id: call for call in calls}
    for each in got:
        kind, data = each.body["type"], each.body["data"]
        call = by_attempt.get(data.get("attempt_id", ""))
        if call is None:
            if kind in {_PLACED, _ANSWERED}:
                yield Violation("Webhooks", f"{kind} of attempt {data['attempt_id']}, which the carrier has not")
            continue
        slack = OVER_SOON if data.get("outcome") in OVER_FOR_US else timedelta()
        became_so = {_PLACED: call.ordered_at, _ANSWERED: call.answered_at}
        if kind in {_ENDED, FactType.CONTACT_COMPLETED}:
            became_so[kind] = call.ended_at
        if kind in became_so:
            at = became_so[kind]
            if at is None or each.at + slack < at:
                yield Violation("Webhooks", f"{kind} was told at {each.at:%H:%M:%S.%f}, and was so at {at}", call)


def _calls_told_amiss(
    facts: Iterable[OrgFact], outcomes: Mapping[str, tuple[str, str]], truth: Truth
) -> Iterator[Violation]:
    """Every recorded call: placed, answered, ended, each once; a correction behind them; the last outcome is so."""
    of_call: dict[str, list[OrgFact]] = defaultdict(list)
    for fact in facts:
        if fact.attempt_id is not None and fact.type in {_PLACED, _ANSWERED, _ENDED}:
            of_call[fact.attempt_id].append(fact)
    for attempt_id, (organization_id, outcome) in outcomes.items():
        if organization_id not in truth.subscribed:
            continue
        told = of_call[attempt_id]
        kinds = [fact.type for fact in told if not fact.facts.get("corrected")]
        endings = [fact.facts.get("outcome") for fact in told if fact.type is _ENDED]
        if not endings or endings[-1] != outcome:
            yield Violation("Webhooks", f"attempt {attempt_id} ended {outcome}, and was told as {endings}")
        if any(count > 1 for count in Counter(kinds).values()):
            yield Violation("Webhooks", f"of attempt {attempt_id} was told twice: {kinds}")
        if kinds != sorted(kinds, key=_place_in_call):
            yield Violation("S7", f"of attempt {attempt_id} was told in this order: {kinds}")


def _place_in_call(kind: FactType) -> int:
    # That a call was answered may be known later than its end, which is then corrected.
    return 0 if kind is _PLACED else 1


def _contacts_told_amiss(
    facts: Iterable[OrgFact], contacts: Mapping[str, tuple[str, str]], truth: Truth
) -> Iterator[Violation]:
    """Every contact that is over was told so last, and its calls in their order."""
    of_contact: dict[str, list[OrgFact]] = defaultdict(list)
    for fact in facts:
        if fact.contact_id is not None:
            of_contact[fact.contact_id].append(fact)
    for contact_id, (organization_id, status) in contacts.items():
        if organization_id not in truth.subscribed or status not in FINAL:
            continue
        ends = [fact for fact in of_contact[contact_id] if fact.type in OF_CONTACTS]
        if not ends:
            yield Violation("Webhooks", f"contact {contact_id} ended {status}, which was never told")
        elif ends[-1].facts["status"] != status or ends[-1].facts.get("called_again"):
            yield Violation("Webhooks", f"contact {contact_id} ended {status}, and was told last: {ends[-1].facts}")
    for contact_id, told in of_contact.items():
        tries = [fact.facts["attempt_number"] for fact in told if fact.type is _ENDED and "corrected" not in fact.facts]
        if tries != sorted(tries):
            yield Violation("S7", f"calls of contact {contact_id} were told in this order: {tries}")


def _called_after_its_end(facts: Iterable[OrgFact], calls: Iterable[CarrierCall], truth: Truth) -> Iterator[Violation]:
    """Calls to contacts that were told to be over for good, and of whom no callback was asked."""
    over: dict[str, datetime] = {}
    for fact in facts:
        is_end = fact.type is FactType.CONTACT_COMPLETED and fact.facts["status"] in FOR_GOOD
        if fact.contact_id is not None and is_end:
            over.setdefault(fact.contact_id, fact.at)
    for call in calls:
        at = over.get(call.contact_id)
        if at is None or call.ordered_at <= at + CLOCKS_OFF:
            continue
        asked = truth.called_back.get(call.contact_id, [])
        if not any(at - ASKED_BEFORE <= each <= call.ordered_at for each in asked):
            yield Violation("Webhooks", "a contact was called that was told to be over", call)


def _deeds_not_told(facts: Iterable[OrgFact], truth: Truth) -> Iterator[Violation]:
    """What customers have done to the contact book, of calls and with files."""
    told = {
        (fact.organization_id, fact.type, subject)
        for fact in facts
        for subject in (fact.person_id, fact.attempt_id, fact.facts.get("job_id"))
    }
    for organization_id, kind, subject in sorted(truth.must_be_told - told):
        if organization_id in truth.subscribed:
            yield Violation("Webhooks", f"{kind} of {subject} was never told")
