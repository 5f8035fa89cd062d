"""START, GATE, PLACE: what happens to a dial job here, in this order, against the clock.

From START to the end of the carrier's answer no more than PLACE may pass, on a clock that never jumps;
whoever is later gives the job back instead. An answer that is lost is never followed by a second try.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.call_executor.held_calls import HeldCalls
from services.call_executor.outbox import Outbox
from shared import metrics
from shared.carriers import AccountUnusable, Carriers
from shared.clock import monotonic, utc_now
from shared.domain.call_rate import LATE
from shared.domain.dialing import dialed_number
from shared.domain.ids import conversation_id_of
from shared.domain.refusal import Refusal
from shared.domain.voicemail import Voicemail
from shared.errors import OutcomeUnknown, TemporaryError
from shared.events import CallWasPlaced, DialJob, JobReleased, ProbePlaced
from shared.events import OutcomeUnknown as OutcomeUnknownEvent
from shared.logs import get_logger
from shared.result_tokens import NO_TOKENS, ResultTokens, TokenCall
from shared.settings import SHORTEST_REQUEST_SECONDS, DialingSettings
from shared.store.client import Document, Store
from shared.store.dialing import gate, starts
from shared.telephony.call_events import finished
from shared.telephony.provider import (
    CallDenied,
    CallMode,
    CallPlaced,
    CallRefused,
    CallReport,
    PlaceAnswer,
    PlaceCall,
)

RETRY_SECONDS = 0.2
# The one request that is on its way when something stops a campaign (docs/architecture.md, I5).
SEND_SECONDS = 1.0
# Contacts that were read by their start so short a part of GATE ago are not read again by the gate: its answer is then
# worth that much less.
JUST_NOW: Final = 0.4
# Why a paced call comes back that could not be placed at its time.
TOO_LATE = "later than its pace allows"

log = get_logger()


@dataclass(frozen=True, slots=True)
class _Taken:
    """The contacts that a start made ours, as they were at `read_at` or later on this process's monotonic clock."""

    contacts: list[Document]
    read_at: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs started together: by which nonce, and since when on this process's monotonic clock.

    `place_by` are the latest times of paced calls, by attempt and the database's clock. `read_at`: the contacts are as
    they were then or later, on the same clock; None: since when is not known.
    """

    nonce: str
    started: float
    contacts: Sequence[Document]
    place_by: Mapping[str, datetime] = field(default_factory=dict)
    read_at: float | None = None


class Placer:
    """Takes jobs from start to the carrier's answer."""

    def __init__(
        self,
        store: Store,
        carriers: Carriers,
        held: HeldCalls,
        outbox: Outbox,
        dialing: DialingSettings,
        executor: str,
        now: Callable[[], datetime] = utc_now,
        now_for_all: Callable[[], datetime] = utc_now,
        tokens: ResultTokens = NO_TOKENS,
    ) -> None:
        self._store, self._carriers, self._held, self._outbox = store, carriers, held, outbox
        self._dialing, self._executor, self._now = dialing, executor, now
        self._now_for_all, self._tokens = now_for_all, tokens

    async def start(self, jobs: Sequence[DialJob]) -> Batch:
        """START: make these jobs ours. Those that are not ours are missing from the batch: drop them in silence."""
        nonce, started = str(uuid.uuid4()), monotonic()
        mode = self._carriers.of_operator.mode
        order = starts.StartOrder(jobs, nonce, self._executor, mode, self._dialing.call_limits)
        taken: _Taken | None = None
        try:
            taken = await self._take(order, started)
        finally:
            if taken is None:
                # Too late, or cut off in the middle: the nonce frees what the write has taken, if it has.
                for job in jobs:
                    self._release(
                        job.organization_id, job.shard, job.attempt_id, job.contact_id, nonce, "start unknown"
                    )
        place_by = {job.attempt_id: job.place_at + LATE for job in jobs if job.place_at is not None}
        if taken is None:
            return Batch(nonce, started, (), place_by)
        return Batch(nonce, started, taken.contacts, place_by, taken.read_at)

    def seconds_until(self, job: DialJob) -> float:
        """Seconds until a job may be started; 0 for one that is not paced, or whose time has come."""
        if job.place_at is None:
            return 0.0
        return max(0.0, (job.place_at - self._now_for_all()).total_seconds())

    def release_late(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        """Give back the paced jobs among these that are later than they may be; the others."""
        paced = [job for job in jobs if job.place_at is not None]
        late = {job.attempt_id for job in paced if self._is_late(job.place_at)}
        self.release_unstarted([job for job in paced if job.attempt_id in late], TOO_LATE)
        return [job for job in jobs if job.attempt_id not in late] if late else list(jobs)

    def _is_late(self, place_at: datetime | None) -> bool:
        return place_at is not None and self._now_for_all() > place_at + LATE

    async def _take(self, order: starts.StartOrder, started: float) -> _Taken | None:
        """The contacts that the order made ours; None when that could not be known in time."""
        while self._left(started) > 0:
            try:
                await starts.start(self._store, order)
                read_at = monotonic()
                contacts = await starts.started_by(self._store, order.contact_ids, order.nonce)
            except TemporaryError as error:
                # The same write with the same nonce again: it can only take what it took before, or more.
                log.warning("start unknown, asking again", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                metrics.STARTED.inc(len(contacts))
                metrics.JOBS_NOT_OURS.inc(len(order.contact_ids) - len(contacts))
                return _Taken(contacts, read_at)
        return None

    async def without_stale(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        """The jobs that START may still take, in order; all of them when MongoDB cannot say.

        One question about many: where some claims have expired in the queue, more have, and each START would
        drop only as many as it may place.
        """
        if not jobs:
            return []
        try:
            claimed = await starts.still_claimed(self._store, jobs)
        except TemporaryError as error:
            log.warning("stale jobs not looked for", why=str(error))
            return list(jobs)
        kept = [job for job in jobs if job.attempt_id in claimed]
        metrics.JOBS_NOT_OURS.inc(len(jobs) - len(kept))
        return kept

    def release_unstarted(self, jobs: Sequence[DialJob], reason: str) -> None:
        """Give jobs back that were never started."""
        for job in jobs:
            self._release(job.organization_id, job.shard, job.attempt_id, job.contact_id, None, reason)

    async def gate(self, batch: Batch) -> tuple[list[Document], float]:
        """GATE: the contacts that may be called now, and when we looked; the others have been released."""
        while self._left(batch.started) > SHORTEST_REQUEST_SECONDS:
            try:
                await self._carriers.learn({c["lock"]["account"] for c in batch.contacts})
                nonces, looked_at, just_read = {c["_id"]: batch.nonce for c in batch.contacts}, monotonic(), None
                if batch.read_at is not None and looked_at - batch.read_at < self._dialing.gate_ms / 1000 * JUST_NOW:
                    looked_at, just_read = batch.read_at, batch.contacts
                answers = await gate.look(self._store, nonces, self._now(), just_read)
            except TemporaryError as error:
                log.warning("gate waits", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for contact in batch.contacts:
                reason = answers[contact["_id"]]
                if reason is not None:
                    self._release_contact(contact, batch.nonce, reason)
            return [c for c in batch.contacts if answers[c["_id"]] is None], looked_at
        for contact in batch.contacts:
            self._release_contact(contact, batch.nonce, "gate too late")
        return [], monotonic()

    def is_fresh(self, looked_at: float) -> bool:
        """Whether a look at the gate may still be trusted."""
        return monotonic() - looked_at < self._dialing.gate_ms / 1000

    async def place(self, contact: Document, batch: Batch, looked_at: float) -> None:
        """PLACE: one request to the carrier, and what its answer means; `looked_at` the gate. Raises nothing."""
        left = self._left(batch.started)
        if left < SHORTEST_REQUEST_SECONDS:
            self._release_contact(contact, batch.nonce, "too late to place")
            return
        place_by = batch.place_by.get(contact["lock"]["attempt"])
        if place_by is not None and self._now_for_all() > place_by:
            self._release_contact(contact, batch.nonce, TOO_LATE)
            return
        call = self._call(contact, looked_at + self._dialing.gate_ms / 1000 + SEND_SECONDS)
        try:
            provider = await self._carriers.of(call.account_id, call.organization_id)
        except AccountUnusable as error:
            self._answered_by_carrier(contact, batch.nonce, CallDenied(error.refusal, str(error)), CallMode.CALLBACK)
            return
        if provider.mode is CallMode.IN_PROCESS:
            # Noted before the request: a short call's report may be older than the answer.
            self._held.hold(contact, self._dialing.call_limits.of(contact["lock"]).hold_seconds)
        try:
            answer = await provider.place(call, left)
        except OutcomeUnknown as error:
            self._lost(contact, str(error))
        except TemporaryError as error:
            self._held.let_go(call.attempt_id)
            self._release_contact(contact, batch.nonce, f"carrier: {type(error).__name__}")
        else:
            self._answered_by_carrier(contact, batch.nonce, answer, provider.mode)

    def _answered_by_carrier(self, contact: Document, nonce: str, answer: PlaceAnswer, mode: CallMode) -> None:
        attempt_id = contact["lock"]["attempt"]
        match answer:
            case CallPlaced(call_id=call_id):
                metrics.PLACED.inc()
                if mode is CallMode.CALLBACK:
                    self._outbox.add_call_id(contact["_id"], attempt_id, call_id)
                if contact["lock"]["tells"]:
                    self._outbox.add(
                        CallWasPlaced(
                            organization_id=contact["organization_id"],
                            shard=contact["shard"],
                            attempt_id=attempt_id,
                            contact_id=contact["_id"],
                            placed_at=self._now(),
                            provider_call_id=call_id,
                        )
                    )
                if contact["lock"]["probing"]:
                    self._outbox.add(
                        ProbePlaced(
                            organization_id=contact["organization_id"],
                            shard=contact["shard"],
                            attempt_id=attempt_id,
                            contact_id=contact["_id"],
                        )
                    )
            case CallRefused(outcome=outcome, error=error):
                self._held.let_go(attempt_id)
                metrics.REFUSED.labels(outcome).inc()
                report = CallReport(
                    attempt_id=attempt_id,
                    outcome=outcome,
                    started_at=contact["start"]["at"],
                    ended_at=self._now(),
                    error=error,
                )
                self._outbox.add(
                    finished(
                        report,
                        organization_id=contact["organization_id"],
                        shard=contact["shard"],
                        contact_id=contact["_id"],
                    )
                )
            case CallDenied(refusal=refusal):
                self._held.let_go(attempt_id)
                metrics.DENIED.labels(refusal.subject).inc()
                # Without the carrier's words: they may name the person's number.
                log.warning("carrier refused us", attempt_id=attempt_id, subject=refusal.subject, code=refusal.code)
                self._release_contact(contact, nonce, f"carrier refused: {refusal.subject}", refusal)

    def _lost(self, contact: Document, why: str) -> None:
        """The call may exist. The contact stays in progress and its slot held, until there is evidence."""
        metrics.PLACEMENTS_UNKNOWN.inc()
        log.warning("placement unknown, waiting for evidence", attempt_id=contact["lock"]["attempt"], why=why)
        self._outbox.add(
            OutcomeUnknownEvent(
                organization_id=contact["organization_id"],
                shard=contact["shard"],
                attempt_id=contact["lock"]["attempt"],
                contact_id=contact["_id"],
            )
        )

    def _call(self, contact: Document, send_by: float) -> PlaceCall:
        lock = contact["lock"]
        limits = self._dialing.call_limits.of(lock)
        return PlaceCall(
            attempt_id=lock["attempt"],
            organization_id=contact["organization_id"],
            shard=contact["shard"],
            contact_id=contact["_id"],
            campaign_id=contact["campaign_id"],
            phone_number=dialed_number(lock),
            caller_number=lock["caller_number"],
            conversation_id=conversation_id_of(lock["attempt"]),
            ring_timeout_seconds=limits.ring_seconds,
            max_call_seconds=limits.max_call_seconds,
            agent_id=lock["agent_id"],
            agent_version=lock["agent_version"],
            agent_config=contact["agent_config"],
            initial_context=contact["initial_context"],
            data=contact["data"] or {},
            voicemail=None if lock["voicemail"] is None else Voicemail.model_validate(lock["voicemail"]),
            send_by=send_by,
            account_id=lock["account"],
            result_token=self._tokens.issue(TokenCall(contact["organization_id"], contact["_id"], lock["attempt"])),
        )

    def _left(self, started: float) -> float:
        return self._dialing.place_seconds - (monotonic() - started)

    def _release_contact(self, contact: Document, nonce: str, reason: str, refusal: Refusal | None = None) -> None:
        attempt_id = contact["lock"]["attempt"]
        self._release(
            contact["organization_id"], contact["shard"], attempt_id, contact["_id"], nonce, reason, refusal=refusal
        )

    def _release(
        self,
        organization_id: str,
        shard: int,
        attempt_id: str,
        contact_id: str,
        nonce: str | None,
        reason: str,
        *,
        refusal: Refusal | None = None,
    ) -> None:
        self._outbox.add(
            JobReleased(
                organization_id=organization_id,
                shard=shard,
                attempt_id=attempt_id,
                contact_id=contact_id,
                nonce=nonce,
                reason=reason,
                refusal=refusal,
            )
        )
