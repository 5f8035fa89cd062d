"""Messages that are good in form and mix up whose they are: they must change nothing of anybody's."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.clock import utc_now
from shared.domain.ids import SHARDS
from shared.domain.outcome import Outcome
from shared.domain.refusal import RefusalSubject
from shared.events import (
    AnyOrgEvent,
    CallAnswered,
    CallFinished,
    CallWasPlaced,
    CampaignChanged,
    ContactsAdded,
    DialJob,
    JobReleased,
    LimitsChanged,
    OutcomeUnknown,
    ProbePlaced,
)
from tests.factories import new_id
from tests.integration.topic_fuzz.people import Case, People


@dataclass(frozen=True, slots=True)
class Ids:
    """Whose a message says it is."""

    organization_id: str
    shard: int
    contact_id: str
    attempt_id: str


def one_of_each(victim: People) -> list[Case]:
    """A case of every kind that a message could do harm to."""
    return [victim.running[0], victim.locked[0], victim.doubtful[0], victim.done[0]]


def mixed_up(mine: People, victim: People) -> Iterator[Ids]:
    """Every mixture of my ids, the victim's and nobody's in which a known attempt stands with something not its own."""
    nobody = new_id()
    shards = sorted({mine.shard, victim.shard, (victim.shard + 1) % SHARDS})
    cases = [*one_of_each(victim), mine.done[0]]
    contacts = [*(case.contact_id for case in cases), victim.waiting[0], nobody]
    own = {case.attempt_id: (victim.id, victim.shard, case.contact_id) for case in one_of_each(victim)}
    for organization_id, shard, contact_id, case in itertools.product(
        (mine.id, victim.id, nobody), shards, contacts, cases
    ):
        if own.get(case.attempt_id) != (organization_id, shard, contact_id):
            yield Ids(organization_id, shard, contact_id, case.attempt_id)


def events_of(rng: random.Random, ids: Ids, victim: People) -> list[AnyOrgEvent]:
    """One event of every kind about an attempt, for these ids."""
    whose = {"organization_id": ids.organization_id, "shard": ids.shard}
    attempt = {**whose, "contact_id": ids.contact_id, "attempt_id": ids.attempt_id}
    nonce = rng.choice([None, victim.running[0].nonce])
    refusal = rng.choice([None, *({"subject": subject, "message": "fuzz"} for subject in RefusalSubject)])
    ended = {"outcome": rng.choice([*Outcome]), "ended_at": utc_now(), "refusal": refusal}
    return [
        CallFinished.model_validate({**attempt, **ended}),
        CallAnswered.model_validate({**attempt, "answered_at": utc_now()}),
        CallWasPlaced.model_validate({**attempt, "placed_at": utc_now(), "provider_call_id": "CAfuzz"}),
        OutcomeUnknown.model_validate(attempt),
        JobReleased.model_validate({**attempt, "nonce": nonce, "reason": "fuzz", "refusal": refusal}),
        ProbePlaced.model_validate(attempt),
    ]


def crossed(rng: random.Random, mine: People, known: Sequence[Case]) -> Iterator[AnyOrgEvent]:
    """Within one organization: contacts with the attempts of others, which must be known as theirs all along."""
    for case, other in itertools.product(mine.running[::2], known):
        if case != other:
            yield from events_of(rng, Ids(mine.id, mine.shard, case.contact_id, other.attempt_id), mine)


def hints_of(mine: People, victim: People) -> Iterator[AnyOrgEvent]:
    """Hints that mix up organizations, shards and campaigns."""
    nobody = new_id()
    campaigns = (victim.campaign["_id"], mine.campaign["_id"], nobody, f"default:{victim.id}", f"default:{nobody}", "x")
    for organization_id, shard, campaign_id in itertools.product(
        (mine.id, victim.id, nobody), {mine.shard, victim.shard}, campaigns
    ):
        whose = {"organization_id": organization_id, "shard": shard}
        yield ContactsAdded.model_validate({**whose, "campaign_id": campaign_id})
        yield CampaignChanged.model_validate({**whose, "campaign_id": campaign_id})
        yield LimitsChanged.model_validate(whose)


def stale(mine: People) -> Iterator[AnyOrgEvent]:
    """What is said of attempts that have ended, once more and otherwise."""
    for case, outcome in itertools.product(mine.done, Outcome):
        ids = {"organization_id": mine.id, "shard": mine.shard, "contact_id": case.contact_id}
        attempt = {**ids, "attempt_id": case.attempt_id}
        yield CallFinished.model_validate({**attempt, "outcome": outcome, "ended_at": utc_now()})
        yield JobReleased.model_validate({**attempt, "nonce": case.nonce, "reason": "fuzz"})
        yield CallAnswered.model_validate({**attempt, "answered_at": utc_now()})


def jobs_of(mine: People, victim: People) -> Iterator[DialJob]:
    """Dial jobs that mix up whose they are; none says the victim's organization, whose own jobs are not sent yet."""
    nobody = new_id()
    claims = (victim.locked[0].claim_id, mine.done[0].claim_id, nobody)
    for ids, claim_id in itertools.product(mixed_up(mine, victim), claims):
        if ids.organization_id == victim.id:
            continue
        yield DialJob(
            attempt_id=ids.attempt_id,
            claim_id=claim_id,
            organization_id=ids.organization_id,
            shard=ids.shard,
            campaign_id=victim.campaign["_id"],
            contact_id=ids.contact_id,
            not_after=utc_now().replace(year=9000),
        )
