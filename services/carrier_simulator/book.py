"""The carrier's books: every call, what is live, the highest counts, and an append-only record."""

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, TextIO
from uuid import uuid4

from services.carrier_simulator.plan import Plan

INTERRUPTED: Final = "interrupted"


@dataclass(slots=True, eq=False)
class Call:
    """One call at the carrier. Only `Exchange` changes it."""

    sid: str
    to: str
    caller: str
    plan: Plan
    ordered_at: datetime
    created_at: datetime
    answer_url: str
    status_callback: str
    events: frozenset[str]
    ring_limit_seconds: float
    talk_limit_seconds: float
    detect_machines: bool
    attempt_id: str
    organization_id: str
    contact_id: str
    status: str = "queued"
    answered_by: str | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    sip_response: int | None = None
    sequence: int = 0
    error_code: int | None = None
    # Whether the client that ordered it holds it on its own line.
    held: bool = False
    # Detection beside the call: where its word goes, and whether it waits for the end of a machine's greeting.
    machine_callback: str = ""
    waits_for_greeting: bool = False
    # What was spoken on it for us.
    messages: list[str] = field(default_factory=list)
    # How it has ended: as planned, or otherwise, because a time limit or somebody was faster than the plan.
    outcome: str | None = None

    @property
    def duration(self) -> int:
        """Whole seconds from the answer to the end, as the carrier bills them; 0 when there was none."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())


@dataclass(slots=True)
class Book:
    """All calls. `now` values come from the caller; nothing here waits."""

    calls_kept: int
    record_kept: int

    calls: dict[str, Call] = field(default_factory=dict)
    live: dict[str, Call] = field(default_factory=dict)
    by_numbers: dict[tuple[str, str], list[Call]] = field(default_factory=dict)
    calls_to: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_outcome: Counter[str] = field(default_factory=Counter)
    refused_by_code: Counter[str] = field(default_factory=Counter)
    failed_by_code: Counter[str] = field(default_factory=Counter)
    peaks: Counter[str] = field(default_factory=Counter)
    _live_of: Counter[str] = field(default_factory=Counter)
    _placements_of: Counter[str] = field(default_factory=Counter)
    _ended: deque[Call] = field(default_factory=deque)
    _record: deque[str] = field(default_factory=deque)
    _entries: int = 0
    _record_file: TextIO | None = None

    def open_record(self, path: str) -> None:
        """Appends the record to the file `path` too, if there is one; raises OSError."""
        if path:
            # Line by line, so that the record survives whatever is killed.
            self._record_file = open(path, "a", buffering=1, encoding="utf-8")  # noqa: SIM115

    def close_record(self) -> None:
        """Closes the file. Safe to call twice."""
        if self._record_file is not None:
            self._record_file.close()
            self._record_file = None

    def opened(self, call: Call) -> None:
        """A call exists from now on."""
        self.calls[call.sid] = self.live[call.sid] = call
        self.by_numbers.setdefault((call.to, call.caller), []).append(call)
        self.counts["placed"] += 1
        self._placements_of[call.attempt_id] += 1
        if call.attempt_id and self._placements_of[call.attempt_id] == 2:
            self.counts["attempts_placed_twice"] += 1
        self._raise_peaks(call)
        self._write("placed", call)

    def refused(self, code: int) -> None:
        """An order was refused with this error code; there is no call."""
        self.counts["refused"] += 1
        self.refused_by_code[str(code)] += 1

    def spoken(self, call: Call, message: str) -> None:
        """A message is spoken on the call."""
        self.counts["calls_with_two_messages" if call.messages else "messages"] += 1
        call.messages.append(message)

    def closed(self, call: Call) -> None:
        """The call has ended; `status`, `outcome` and `ended_at` are set."""
        del self.live[call.sid]
        for key in _counted_by(call):
            self._live_of[key] -= 1
            if not self._live_of[key]:
                del self._live_of[key]
        self.by_status[call.status] += 1
        self.by_outcome[str(call.outcome)] += 1
        if call.error_code is not None:
            self.failed_by_code[str(call.error_code)] += 1
        self._write("ended", call)
        self._ended.append(call)
        if len(self._ended) > self.calls_kept:
            self._forget(self._ended.popleft())

    def summary(self) -> dict[str, Any]:
        """Counts since start.

        `phones_called_at_once`, `attempts_placed_twice` and `calls_with_two_messages` must stay 0.
        """
        once = ("attempts_placed_twice", "phones_called_at_once", "calls_with_two_messages")
        counted = ("placed", "refused", "orders_open", "messages", *once)
        callbacks = ("sent", "accepted", "refused", "given_up", "lost")
        return {
            "live": len(self.live),
            "peak_live": self.peaks["all"],
            "peak_live_by_organization": {
                key.removeprefix("organization:"): peak
                for key, peak in self.peaks.items()
                if key.startswith("organization:")
            },
            **{name: self.counts[name] for name in counted},
            "refused_by_code": dict(self.refused_by_code),
            "failed_by_code": dict(self.failed_by_code),
            "by_status": dict(self.by_status),
            "by_outcome": dict(self.by_outcome),
            "faults": {name.removeprefix("fault:"): n for name, n in self.counts.items() if name.startswith("fault:")},
            **{f"callbacks_{name}": self.counts[f"callbacks_{name}"] for name in callbacks},
            "record": self._entries,
        }

    def record_after(self, n: int, limit: int) -> list[str]:
        """Up to `limit` JSON lines with numbers above `n`, oldest first, of those still in memory."""
        first = self._entries - len(self._record) + 1
        skip = max(0, n + 1 - first)
        return list(islice(self._record, skip, skip + limit))

    def _raise_peaks(self, call: Call) -> None:
        self.peaks["all"] = max(self.peaks["all"], len(self.live))
        for key in _counted_by(call):
            self._live_of[key] += 1
        organization = f"organization:{call.organization_id}"
        self.peaks[organization] = max(self.peaks[organization], self._live_of[organization])
        if self._live_of[f"phone:{call.organization_id}:{call.to}"] > 1:
            self.counts["phones_called_at_once"] += 1

    def _forget(self, call: Call) -> None:
        del self.calls[call.sid]
        between = self.by_numbers[call.to, call.caller]
        between.remove(call)
        if not between:
            del self.by_numbers[call.to, call.caller]

    def _write(self, event: str, call: Call) -> None:
        self._entries += 1
        line = json.dumps(
            {
                "n": self._entries,
                "event": event,
                "call_id": call.sid,
                "attempt_id": call.attempt_id,
                "organization_id": call.organization_id,
                "contact_id": call.contact_id,
                "to": call.to,
                "from": call.caller,
                "ordered_at": call.ordered_at.isoformat(),
                "placed_at": call.created_at.isoformat(),
                "answered_at": call.answered_at and call.answered_at.isoformat(),
                "ended_at": call.ended_at and call.ended_at.isoformat(),
                "status": call.status,
                "held": call.held,
                "outcome": call.outcome,
                "messages": call.messages,
                "answer_url": call.answer_url,
                "duration": call.duration if event == "ended" else None,
                "live": len(self.live),
            }
        )
        self._record.append(line)
        if len(self._record) > self.record_kept:
            self._record.popleft()
        if self._record_file is not None:
            self._record_file.write(line + "\n")


def new_sid() -> str:
    """A call id like Twilio's."""
    return f"CA{uuid4().hex}"


def _counted_by(call: Call) -> tuple[str, str]:
    return f"organization:{call.organization_id}", f"phone:{call.organization_id}:{call.to}"
