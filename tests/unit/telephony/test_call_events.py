"""All that a carrier's report says reaches the organization's shard, whichever way the report came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from services.call_executor.held_calls import HeldCalls
from services.campaign_api.carrier.routes import event_of
from services.scheduler.evidence.reconcile import Reconciler
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.events import CallFinished
from shared.settings import DialingSettings
from shared.store.client import Store
from shared.store.dialing.in_progress import RunningAttempt
from shared.telephony.call_events import finished
from shared.telephony.provider import CallEnded, CallMode, CallReference, CallReport, LookUp
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall, always
from shared.telephony.twilio_callback import Callback
from tests.carriers import through
from tests.integration.protocol.seats import Spool

NOW: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
REPORT: Final = CallReport(
    attempt_id="attempt",
    outcome=Outcome.FAILED,
    ended_at=NOW,
    started_at=NOW - timedelta(seconds=9),
    answered_at=NOW - timedelta(seconds=3),
    duration_seconds=3.0,
    call_id="CA1",
    error="carrier: failed, code 13227",
    refusal=Refusal(subject=RefusalSubject.COUNTRY, code=13227, message="carrier: failed, code 13227"),
)
FINISHED: Final = CallFinished(
    organization_id="organization",
    shard=3,
    attempt_id="attempt",
    contact_id="contact",
    outcome=Outcome.FAILED,
    proven=True,
    started_at=NOW - timedelta(seconds=9),
    answered_at=NOW - timedelta(seconds=3),
    ended_at=NOW,
    duration_seconds=3.0,
    provider_call_id="CA1",
    error="carrier: failed, code 13227",
    refusal=Refusal(subject=RefusalSubject.COUNTRY, code=13227, message="carrier: failed, code 13227"),
)


def test_event_says_all_that_the_report_says() -> None:
    assert finished(REPORT, organization_id="organization", shard=3, contact_id="contact") == FINISHED


def test_callback_over_http_says_it() -> None:
    assert event_of(Callback("organization", 3, "contact", REPORT)) == FINISHED


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"outcome": Outcome.INTERRUPTED, "refusal": None}, {"outcome": Outcome.INTERRUPTED, "proven": False}),
    ],
)
async def test_call_in_this_process_says_it(changes: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    spool = Spool()
    held = HeldCalls(spool)
    held.hold({"_id": "contact", "organization_id": "organization", "shard": 3, "lock": {"attempt": "attempt"}}, 60)
    held.on_report(replace(REPORT, **changes))
    refusal = changes.get("refusal", REPORT.refusal)
    assert spool.events == [FINISHED.model_copy(update={**expected, "refusal": refusal})]


@dataclass(slots=True)
class Knowing(ScriptedProvider):
    """A carrier over HTTP that knows how the call ended."""

    @property
    def mode(self) -> CallMode:
        return CallMode.CALLBACK

    async def look_up(self, reference: CallReference) -> LookUp:
        return CallEnded(replace(REPORT, attempt_id=reference.attempt_id))


@pytest.mark.parametrize(("call_id", "by_numbers"), [("CA1", False), (None, True)])
async def test_carrier_that_is_asked_says_it(
    call_id: str | None, by_numbers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none_known(_: Store, attempts: Sequence[RunningAttempt]) -> list[RunningAttempt]:
        return list(attempts)

    monkeypatch.setattr("services.scheduler.evidence.reconcile.with_other_calls", none_known)
    attempt = RunningAttempt(
        organization_id="organization",
        shard=3,
        contact_id="contact",
        attempt_id="attempt",
        executor="executor",
        mode=CallMode.CALLBACK.value,
        call_id=call_id,
        phone_number="+12025550123",
        caller_number="+12025550100",
        started_at=NOW - timedelta(minutes=1),
        hold_until=NOW + timedelta(hours=1),
    )
    carrier = Knowing(always(ScriptedCall()), lambda _: None)
    found = await Reconciler(through(carrier), DialingSettings()).find_endings([attempt], NOW)
    assert found == [FINISHED.model_copy(update={"by_numbers": by_numbers})]
