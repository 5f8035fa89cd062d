"""What the documents say after each step, kept for the carrier's judge: what rests, and which contacts ended for good.

A rest is also judged here: it begins, grows, is asked about and ends only as the design says.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.domain.campaign import HaltReason, RunState
from shared.domain.ids import campaign_budget, number_budget, organization_of_budget
from shared.domain.outcome import PROVISIONAL
from shared.domain.reasons import CAPS
from shared.store.client import Document
from tests.integration.protocol.carrier import FOR_GOOD, Carrier
from tests.integration.protocol.rules_in_force import History, Resting, RulesInForce
from tests.integration.protocol.watch_ends import EndsWatch

# Seconds that a thing rests after its first, second … refusal in a row.
STEPS: Final = (30, 60, 120, 300, 900)
# A rest that nothing has asked about for so long may be gone when another one begins.
FORGOTTEN: Final = timedelta(hours=1)


class Watch:
    """Looks at what `Promises.check` has read; remembers which calls asked the carrier again."""

    def __init__(self, rules: RulesInForce, carrier: Carrier) -> None:
        self._rules, self._carrier = rules, carrier
        self._asked: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        # Contacts that caps have held back, and until when.
        self.held_back: set[tuple[str, datetime]] = set()
        self.halted: Counter[str] = Counter()
        self._days: dict[str, tuple[str, str]] = {}
        self.ends = EndsWatch()
        self._completed: set[tuple[str, int | None]] = set()
        self.reopened = 0

    @property
    def asked(self) -> int:
        """How many calls have asked the carrier again."""
        return sum(len(attempts) for attempts in self._asked.values())

    def look(self, at: Mapping[str, list[Document]], step: int, now: datetime) -> None:
        """Note what holds from this step on; raise AssertionError if a rest, or an attempt, is not as it must be."""
        self.ends.look(at, now)
        stored = dict(_stored_rests(at["budgets"]))
        probes = _probes(at["contacts"])
        for what in stored.keys() | self._rules.rests.keys():
            history = self._rules.rests.setdefault(what, History(None))
            new = probes[what] - self._asked[what]
            after = self._read(stored.get(what), history.now, new)
            self._asked[what] |= new
            if after != history.now:
                self._judge(what, history.now, after, now)
                history.set(step, after)
        self.held_back |= {
            (contact["_id"], contact["put_off"]["until"])
            for contact in at["contacts"]
            if (contact.get("put_off") or {}).get("reason") in CAPS
        }
        self._look_at_days(at)
        self._look_at_runs(at, step)
        for attempt in at["attempts"]:
            if attempt["outcome"] in FOR_GOOD:
                self._rules.tell(step, attempt["contact_id"])
            denied = attempt["_id"] in self._carrier.denied and attempt["outcome"] not in PROVISIONAL
            assert not denied, f"a refused order is no attempt, and one ended {attempt['outcome']}"

    def _look_at_days(self, at: Mapping[str, list[Document]]) -> None:
        """A caller number's count of a day is that of its attempts and its claims of that day (S6)."""
        for contact in at["contacts"]:
            lock = contact.get("lock", {})
            if "day" in lock:
                key = number_budget(contact["organization_id"], lock["caller_number"])
                self._days[lock["attempt"]] = key, lock["day"]
        claimed = [contact["lock"]["attempt"] for contact in at["contacts"] if "lock" in contact]
        made = [attempt["_id"] for attempt in at["attempts"]]
        counted = Counter(self._days[attempt_id] for attempt_id in (*claimed, *made) if attempt_id in self._days)
        for budget in at["budgets"]:
            if "day" in budget:
                due = counted[budget["_id"], budget["day"]]
                assert budget["used"] == due, f"S6: {budget['_id']} counts {budget['used']} calls of a day, not {due}"

    def _look_at_runs(self, at: Mapping[str, list[Document]], step: int) -> None:
        """A run counts its attempts and its claims, as far as these say that they count (S3)."""
        on_the_way: Counter[tuple[str, int]] = Counter()
        made: Counter[tuple[str, int]] = Counter()
        for contact in at["contacts"]:
            lock = contact.get("lock", {})
            if lock.get("counted"):
                run = contact["campaign_id"], lock["generation"]
                self._rules.counted_in[lock["attempt"]] = run
                on_the_way[run] += 1
        for attempt in at["attempts"]:
            if attempt["_id"] in self._rules.counted_in:
                made[self._rules.counted_in[attempt["_id"]]] += 1
        counted = {budget["_id"]: budget for budget in at["budgets"] if "run" in budget}
        for campaign in at["campaigns"]:
            budget = counted.get(campaign_budget(campaign["_id"]))
            if budget is not None:
                run = campaign["_id"], budget["run"]
                claims, calls = on_the_way[run], on_the_way[run] + made[run]
                assert budget["claims"] == claims, f"S3: {budget['claims']} claims are counted, there are {claims}"
                assert budget["calls"] == calls, f"S3: {budget['calls']} calls of a run are counted, there are {calls}"
            self._look_at_halt(campaign, budget, step)
            self._look_at_reopening(campaign, step)

    def _look_at_halt(self, campaign: Document, budget: Document | None, step: int) -> None:
        """A run that has just been halted for its calls has made them all, and none is on its way."""
        run, active = campaign.get("run") or {}, self._rules.active[campaign["_id"]]
        is_halted = run.get("state") == RunState.HALTED and run["generation"] == campaign["generation"]
        if not is_halted or not active.now:
            return
        if run["reason"] == HaltReason.MAX_CALLS:
            limits = [limit for limit in self._rules.max_calls[campaign["_id"]].since(step - 1) if limit is not None]
            assert budget is not None, "S3: halted for calls that nobody has counted"
            assert budget["claims"] == 0, "S3: halted while a claim of the run is left"
            assert budget["run"] == run["generation"], "S3: halted by the count of another run"
            assert budget["calls"] >= min(limits), f"S3: halted after {budget['calls']} calls, of {limits}"
        self.halted[run["reason"]] += 1
        active.set(step, False)

    def _look_at_reopening(self, campaign: Document, step: int) -> None:
        """A completed run that is opened again, for a callback that a result has asked for, is dialed again."""
        run = campaign.get("run") or {}
        this = campaign["_id"], run.get("generation")
        if run.get("state") == RunState.COMPLETED:
            self._completed.add(this)
        elif run.get("state") == RunState.OPENED and this in self._completed:
            self._completed.discard(this)
            self._rules.active[campaign["_id"]].set(step, True)
            self.reopened += 1

    def _read(self, stored: Document | None, before: Resting | None, new_probes: set[str]) -> Resting | None:
        if stored is None:
            assert not new_probes, "a call asks about what does not rest"
            return None
        rest = Resting(stored["until"], stored["refusals"], stored["since"], stored["asking"], stored["in_ending"])
        if before is not None and rest == before.without_probe():
            assert not new_probes, "a second call asks about what one call asks about already"
            return before
        if rest.asking:
            assert len(new_probes) == 1, f"{len(new_probes)} calls ask at once"
            return rest.asked_by(next(iter(new_probes)))
        return rest

    def _judge(self, what: tuple[str, str], before: Resting | None, after: Resting | None, now: datetime) -> None:
        key = what[1]
        begins = after is not None and (before is None or after.since != before.since)
        forgotten = before is not None and after is None and now - before.until > FORGOTTEN
        if before is not None and (after is None or begins) and not forgotten:
            proof = self._carrier.ended if before.in_ending else self._carrier.taken
            why = "ended" if before.in_ending else "taken"
            assert self._asked[what] & proof, f"{key} rests no more, and no call that asked was {why} by the carrier"
        if after is None:
            return
        if after.asking:
            assert before is not None, f"{key} is asked about and did not rest"
            assert before.until <= now, f"{key} is asked about before its time"
            assert after.refusals == before.refusals
            return
        if before is not None and not begins:
            assert before.asking or before.until <= now, f"a refusal of {key} while it rests has changed its rest"
        refusals = 1 if begins or before is None else before.refusals + 1
        assert after.refusals == refusals, f"{key} was refused {after.refusals} times in a row, and not {refusals}"
        assert after.until == now + timedelta(seconds=STEPS[min(refusals, len(STEPS)) - 1])


def _stored_rests(budgets: Iterable[Document]) -> Iterable[tuple[tuple[str, str], Document]]:
    for budget in budgets:
        for key, rest in budget.get("rests", {}).items():
            yield (organization_of_budget(budget["_id"]) or "", key), rest


def _probes(contacts: Iterable[Document]) -> defaultdict[tuple[str, str], set[str]]:
    """Attempts that ask the carrier again, by organization and what they ask about."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for contact in contacts:
        lock = contact.get("lock", {})
        for key in lock.get("probing", ()):
            found[contact["organization_id"], key].add(lock["attempt"])
    return found
