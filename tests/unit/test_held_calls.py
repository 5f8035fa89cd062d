"""Calls that only an executor holds: who is waited for at its end, and whose report is still passed on."""

import asyncio

from services.call_executor.held_calls import HeldCalls
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.store.client import Document
from shared.telephony.provider import CallReport
from tests.integration.protocol.seats import Spool

CONTACT: Document = {"_id": "contact", "organization_id": "organization", "shard": 3, "lock": {"attempt": "attempt"}}
REPORT = CallReport(attempt_id="attempt", outcome=Outcome.ANSWERED, ended_at=utc_now())


async def test_a_report_that_comes_when_nobody_waits_for_it_any_more_is_passed_on_once() -> None:
    spool = Spool()
    held = HeldCalls(spool)
    held.hold(CONTACT, at_most_seconds=0.01)
    await asyncio.wait_for(held.none_left(), timeout=5)
    assert len(held) == 0
    held.on_report(REPORT)
    held.on_report(REPORT)
    [said] = spool.events
    assert isinstance(said, CallFinished)
    assert (said.contact_id, said.shard, said.outcome) == ("contact", 3, Outcome.ANSWERED)


async def test_a_call_that_was_never_placed_is_not_reported() -> None:
    spool = Spool()
    held = HeldCalls(spool)
    held.hold(CONTACT, at_most_seconds=60)
    held.let_go("attempt")
    held.on_report(REPORT)
    assert spool.events == []
