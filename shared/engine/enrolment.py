"""Enrolling people of the contact book in a campaign."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.domain.enrolment import USUAL, Enrolled, Enrolment, EnrolmentCounts, Terms, counts_of
from shared.engine.contacts import contact_target
from shared.engine.engine import Engine
from shared.store.contacts import enrolment as stored
from shared.store.contacts.enrolment import BeingRemoved, ToEnrol
from shared.store.contacts.matching import ContactsOf

__all__ = ["Enrolled", "Enrolment", "EnrolmentCounts", "Terms", "ToEnrol", "counts_of", "enrol"]

# A contact that was deleted is gone once the scheduler has been there, which is within a second.
_TRIES: Final = 20
_BETWEEN_TRIES: Final = 0.1


async def enrol(
    engine: Engine,
    organization_id: str,
    reference: str,
    people: Sequence[ToEnrol],
    now: datetime,
    terms: Terms = USUAL,
) -> list[Enrolled]:
    """What became of each person in the campaign of this id or external_id, in the given order.

    A person is one contact of a campaign: enrolling it again finds that.

    Raises `NotFound` (campaign), `WrongState` (it is over), `TemporaryError`: send the same request again.
    """
    target = await contact_target(engine, organization_id, reference)
    scope = ContactsOf(organization_id, target.shard, target.campaign_id)
    for left in reversed(range(_TRIES)):
        try:
            enrolled = await stored.enrol(engine.store, scope, people, source=engine.source, now=now, terms=terms)
            break
        except BeingRemoved:
            if not left:
                raise
            await asyncio.sleep(_BETWEEN_TRIES)
    again = any(each.enrolment is Enrolment.AGAIN for each in enrolled)
    engine.hints.give(target.hint.model_copy(update={"asked": True}) if again else target.hint)
    return enrolled
