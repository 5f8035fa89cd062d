"""Enrolling people of the contact book in a campaign."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.domain.enrolment import Enrolled, Enrolment, EnrolmentCounts, counts_of
from shared.engine.contacts import contact_target
from shared.engine.engine import Engine
from shared.store.contacts import enrolment as stored
from shared.store.contacts.enrolment import BeingRemoved, ToEnrol
from shared.store.contacts.matching import ContactsOf

__all__ = ["Enrolled", "Enrolment", "EnrolmentCounts", "ToEnrol", "counts_of", "enrol"]

# A contact that was deleted is gone once the scheduler has been there, which is within a second.
_TRIES: Final = 20
_BETWEEN_TRIES: Final = 0.1


async def enrol(
    engine: Engine,
    organization_id: str,
    reference: str,
    people: Sequence[ToEnrol],
    now: datetime,
    *,
    without_phone: bool = True,
    call_again: bool = True,
) -> list[Enrolled]:
    """What became of each person in the campaign of this id or external_id, in the given order.

    A person is one contact of a campaign: enrolling it again finds that, and with `call_again` has it called where it
    was skipped without a call and can be called now. With `without_phone` a person without number is stored as skipped,
    else refused.

    Raises `NotFound` (campaign), `WrongState` (it is over), `TemporaryError`: send the same request again.
    """
    target = await contact_target(engine, organization_id, reference)
    scope = ContactsOf(organization_id, target.shard, target.campaign_id)
    for left in reversed(range(_TRIES)):
        try:
            enrolled = await stored.enrol(
                engine.store,
                scope,
                people,
                source=engine.source,
                now=now,
                without_phone=without_phone,
                call_again=call_again,
            )
            break
        except BeingRemoved:
            if not left:
                raise
            await asyncio.sleep(_BETWEEN_TRIES)
    again = any(each.enrolment is Enrolment.AGAIN for each in enrolled)
    engine.hints.give(target.hint.model_copy(update={"asked": True}) if again else target.hint)
    return enrolled
