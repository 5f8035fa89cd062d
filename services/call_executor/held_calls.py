"""Calls that only this process holds, from placement to report; empty with providers that report over HTTP."""

import asyncio
from dataclasses import dataclass

from services.call_executor.outbox import Outbox
from shared.domain.outcome import Outcome
from shared.logs import get_logger
from shared.store.client import Document
from shared.telephony.call_events import finished
from shared.telephony.provider import CallReport

log = get_logger()


@dataclass(frozen=True, slots=True)
class _HeldCall:
    """Where the report of a call has to go."""

    organization_id: str
    shard: int
    contact_id: str


class HeldCalls:
    """Turns an in-process provider's reports into events of the right organization."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._calls: dict[str, _HeldCall] = {}
        # Not waited for any more; only where their reports would go, should one come all the same.
        self._given_up: dict[str, _HeldCall] = {}
        self._none_left = asyncio.Event()
        self._none_left.set()

    def __len__(self) -> int:
        return len(self._calls)

    def hold(self, contact: Document, at_most_seconds: float) -> None:
        """From now on the call of this started contact is held here.

        A placement whose answer was lost may have made no call and will never report; after `at_most_seconds`
        none can be up, and it is not waited for any more. A report that comes after that, since this process stood
        still for example, is still passed on within as many seconds again.
        """
        attempt_id = contact["lock"]["attempt"]
        self._calls[attempt_id] = _HeldCall(contact["organization_id"], contact["shard"], contact["_id"])
        self._none_left.clear()
        asyncio.get_running_loop().call_later(at_most_seconds, self._give_up, attempt_id, at_most_seconds)

    def _give_up(self, attempt_id: str, remembered_seconds: float) -> None:
        if attempt_id in self._calls:
            self._given_up[attempt_id] = self._calls[attempt_id]
            asyncio.get_running_loop().call_later(remembered_seconds, self._given_up.pop, attempt_id, None)
            self.let_go(attempt_id)

    def let_go(self, attempt_id: str) -> None:
        """The call is over or was never placed. Safe to repeat."""
        self._calls.pop(attempt_id, None)
        if not self._calls:
            self._none_left.set()

    async def none_left(self) -> None:
        """Return when no call is held any more."""
        await self._none_left.wait()

    def on_report(self, report: CallReport) -> None:
        """A call has ended; this may come before the answer to `place`."""
        call = self._calls.get(report.attempt_id) or self._given_up.pop(report.attempt_id, None)
        self.let_go(report.attempt_id)
        if call is None:
            log.warning("report of a call that is not held here", attempt_id=report.attempt_id)
            return
        self._outbox.add(
            finished(
                report,
                organization_id=call.organization_id,
                shard=call.shard,
                contact_id=call.contact_id,
                # A call cut off by our own end is nobody's word but ours.
                proven=report.outcome is not Outcome.INTERRUPTED,
            )
        )
