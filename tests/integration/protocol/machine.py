"""The dialing protocol in any order: Hypothesis chooses the next step, the world checks every promise after it.

Interleaving is the order of the rules; a stalled process is one whose rules do not come up. Real collisions
inside MongoDB come from `race`, which lets two writers of one shard run at the same time.
"""

import functools
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from shared.domain.caller_numbers import NumberChoice
from shared.domain.campaign import CampaignMove
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.domain.wishes import WishKind
from shared.telephony.provider import CallMode
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.machine_ends import campaigns, picks, seldom, shards
from tests.integration.protocol.machine_halts import HaltMoves
from tests.integration.protocol.machines import MachineMoves, machine_answers, with_machines
from tests.integration.protocol.races import Rival, race
from tests.integration.protocol.rules_in_force import NO_CAPS, Caps
from tests.integration.protocol.seats import Task
from tests.integration.protocol.setting import (
    BREAKER,
    CAMPAIGNS,
    NO_HALTS,
    NUMBER_CHANGES,
    ORGANIZATIONS,
    PHONES,
    REFUSABLE,
    REGISTERED,
    Halts,
    Plan,
    new_world,
)
from tests.integration.protocol.wish_rules import OF_CALLBACKS, WishRules, likely
from tests.integration.protocol.world import SEATS, SHARDS

MODES = [(CallMode.CALLBACK, True), (CallMode.CALLBACK, True), (CallMode.CALLBACK, False), (CallMode.IN_PROCESS, False)]
PLANS = st.builds(
    lambda mode, sizes, *rules: Plan(mode[0], mode[1], sizes[0], sizes[1], *rules),
    st.sampled_from(MODES),
    st.sampled_from([(3, (1, 1)), (2, (1, 1)), (4, (2, 2)), (5, (3, 2))]),
    st.integers(2, 3),
    st.sampled_from([NO_CAPS, Caps(1), Caps(day=1), Caps(day=2, gap_minutes=2), Caps(week=2), Caps(2, 3, 4, 1)]),
    # Worlds with registered numbers begin before a midnight of theirs, and not before one of caps.
    st.sampled_from([None] * len(NumberChoice) + list(NumberChoice)),
    st.sampled_from([NO_HALTS, NO_HALTS, Halts(1), Halts(2, BREAKER), Halts(circuit_breaker=BREAKER)]),
)
seats, phones = st.sampled_from(SEATS), st.sampled_from(PHONES)
# Mostly what happens mostly; every other fate now and then.
fates = st.sampled_from([Fate.PLACED] * 4 + list(Fate))
endings = [Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.INVALID_NUMBER, Outcome.VOICEMAIL, Outcome.DO_NOT_CALL]
outcomes = st.sampled_from([*endings[:3], *endings])
# Of whom the carrier speaks when it denies a call; mostly of nobody.
subjects = st.sampled_from(RefusalSubject)
speaks_of_us = st.sampled_from([None, None, None, *RefusalSubject])
# What the carrier takes no call for until that is lifted.
refusable = st.sampled_from(REFUSABLE)
# Within a gate, a request, a retry's wait, PLACE, a lock, PLACE and SETTLE, and past every hold.
durations = st.sampled_from([0.1, 0.3, 1.0, 2.0, 6.0, 9.8, 11.0, 31.0, 41.0, 121.0])
number_changes = st.sampled_from(NUMBER_CHANGES)
moves = st.sampled_from(edits.MOVES)


class Past(StrEnum):
    """What has happened before the first step."""

    NOTHING = "nothing"
    CALLED = "called"
    ASKED = "asked"  # calls were not answered, and something was asked of those who waited for a retry
    LOST = "lost"  # the carrier could not say in time what became of calls, and they were asked for again
    MACHINES = "machines"  # machines have taken calls, and the carrier has said so
    REFUSED = "refused"  # the carrier has refused calls for our sake, and their rest is over


class ProtocolMachine(HaltMoves, MachineMoves, WishRules):
    """Every move there is."""

    @initialize(
        plan=PLANS,
        past=st.sampled_from(Past),
        outcome=outcomes,
        refused=refusable,
        draft=st.none() | campaigns,
        wish=st.sampled_from(OF_CALLBACKS),
    )
    def begin(self, plan: Plan, past: Past, outcome: Outcome, refused: str, draft: str | None, wish: WishKind) -> None:
        """Most runs begin where something has happened already that takes many steps to come about."""
        self.world = self.play(new_world(self.stage.store, plan))
        if draft is not None:
            self.play(edits.make_draft(self.world, draft))
        match past:
            case Past.CALLED:
                for _ in range(2):
                    self._rush(Fate.PLACED, None, heard=True)
                    self._end_all_calls(outcome, None)
                    self.play(self.world.pass_time(6))
            case Past.ASKED:
                self._rush(Fate.PLACED, None, heard=True)
                self._end_all_calls(Outcome.NO_ANSWER, None)
                self._ask_all(wish, 2.0, carries_out=True)
            case Past.LOST:
                self._rush(Fate.LOST, None, heard=True)
                for call in self.world.carrier.live():
                    self.world.carrier.end(call, outcome)
                self.world.carrier.away = True
                self.play(self.world.pass_time(121))
                for shard in SHARDS:
                    self._as_owner(shard, False, self.world.reconcile)
                self._hear()
                self.world.carrier.away = False
                self.play(edits.reset(self.world, *self.world.contacts))
                for shard in SHARDS:
                    self._as_owner(shard, False, self.world.carry_out)
            case Past.MACHINES:
                self._rush(Fate.PLACED, None, heard=True)
                for call in with_machines(self.world):
                    self.play(machine_answers(self.world, call))
            case Past.REFUSED:
                self._rush(Fate.PLACED, refused, heard=True)
                self.play(self.world.pass_time(31))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.play(drain(self.world))
        self.figures["runs"] += 1
        self.figures["steps"] += self.world.steps
        self.figures["calls"] += len(self.world.carrier.calls)
        self.figures["denied"] += len(self.world.carrier.denied)
        self.figures["rests"] += len(self.world.rules.rests)
        self.figures["messages"] += sum(call.message is not None for call in self.world.carrier.calls)
        self.figures["reset"] += len(self.world.rules.resets)
        self.figures["completed"] += len(self.world.watch.ends.completed)
        self.figures["asked again"] += self.world.watch.asked
        self.figures.update({f"halted by {reason}": count for reason, count in self.world.watch.halted.items()})
        self.figures["held back by caps"] += len(self.world.watch.held_back)

    # Schedulers.

    @rule(
        shard=shards,
        old=seldom,
        first=picks,
        count=st.integers(0, 9),
        needed=st.sampled_from([None, 0, 1]),
        commits=likely,
        reply_lost=seldom,
    )
    def work(
        self, shard: int, old: bool, first: int, count: int, needed: int | None, commits: bool, reply_lost: bool
    ) -> None:
        everybody = self.world.contacts
        claim = [*everybody[first:], *everybody[:first]][:count]
        work = functools.partial(self.world.work, claim=claim, needed=needed, commits=commits, reply_lost=reply_lost)
        self._as_owner(shard, old, work)

    @precondition(lambda self: any(seat.unpublished for seat in self.world.schedulers))
    @rule(arrives=likely, acknowledged=likely)
    def publish(self, arrives: bool, acknowledged: bool) -> None:
        for seat in SEATS:
            if self.world.schedulers[seat].unpublished:
                self.play(self.world.publish(seat, arrives=arrives, acknowledged=acknowledged and arrives))

    @rule(seat=seats, shard=shards)
    def take_over(self, seat: int, shard: int) -> None:
        self.play(self.world.take_over(seat, shard))

    @rule(shard=shards, old=seldom)
    def expire(self, shard: int, old: bool) -> None:
        self._as_owner(shard, old, self.world.expire)

    @rule(shard=shards, old=seldom)
    def sweep(self, shard: int, old: bool) -> None:
        self._as_owner(shard, old, self.world.sweep)

    @rule(shard=shards, old=seldom)
    def reconcile(self, shard: int, old: bool) -> None:
        self._as_owner(shard, old, self.world.reconcile)

    @rule(shard=shards, old=seldom, delta=st.sampled_from([-2, -1, 1, 2]))
    def move_grant(self, shard: int, old: bool, delta: int) -> None:
        self._as_owner(shard, old, lambda owner, shard: self.world.move_grant(owner, shard, delta))

    @rule(seat=seats)
    def kill_scheduler(self, seat: int) -> None:
        self.play(self.world.kill_scheduler(seat))

    @rule(shard=shards, rival=st.sampled_from(Rival), pick=picks)
    def race(self, shard: int, rival: Rival, pick: int) -> None:
        owners = self._owners(shard)
        if owners:
            self.play(race(self.world, shard, owners, rival, pick))

    # Executors.

    @precondition(lambda self: self.world.jobs.records)
    @rule(executor=seats, again=st.sampled_from([0, 0, 1, 3]))
    def poll(self, executor: int, again: int) -> None:
        self.play(self.world.poll(executor, again=again))

    def _task(self, pick: int, *, started: bool | None = None) -> tuple[int, Task] | None:
        """One of the jobs in the hands of the executors; `started`: only such, or only others."""
        tasks = [(e, t) for e in SEATS for t in self.world.executors[e].tasks if started in (None, bool(t.nonce))]
        return tasks[pick % len(tasks)] if tasks else None

    @precondition(lambda self: self._task(0))
    @rule(pick=picks, fate=fates)
    def advance(self, pick: int, fate: Fate) -> None:
        if chosen := self._task(pick):
            executor, task = chosen
            if not task.nonce:
                self.play(self.world.start(executor, task))
            elif self.world.is_fresh(executor, task):
                self.play(self.world.place(executor, task, fate))
            else:
                self.play(self.world.gate(executor, task))

    @precondition(lambda self: self._task(0))
    @rule(pick=picks, fate=fates)
    def dial(self, pick: int, fate: Fate) -> None:
        if chosen := self._task(pick):
            self.play(self.world.dial(*chosen, fate))

    @precondition(lambda self: self._task(0, started=False))
    @rule(pick=picks, how=st.sampled_from(["give back", "unknown, started", "unknown, not started"]))
    def start_not(self, pick: int, how: str) -> None:
        if chosen := self._task(pick, started=False):
            if how == "give back":
                self.play(self.world.give_back(*chosen))
            else:
                self.play(self.world.start_unknown(*chosen, arrived=how == "unknown, started"))

    @precondition(lambda self: any(executor.spool.events for executor in self.world.executors))
    @rule(kafka=likely)
    def flush(self, kafka: bool) -> None:
        for executor in SEATS:
            self.play(self.world.flush(executor, kafka=kafka))

    @rule(executor=seats)
    def kill_executor(self, executor: int) -> None:
        self.play(self.world.kill_executor(executor))

    @rule(fate=fates, refused=st.one_of(st.none(), refusable), heard=likely)
    def rush(self, fate: Fate, refused: str | None, heard: bool) -> None:
        self._rush(fate, refused, heard=heard)

    def _rush(self, fate: Fate, refused: str | None, *, heard: bool) -> None:
        """Everybody does everything there is to do; without it most runs would be idle.

        `refused` is what the carrier takes no call for until that is lifted.
        """
        if refused is not None:
            self.world.carrier.refused.add(refused)
        for shard in SHARDS:
            for owner in self._owners(shard)[:1]:
                self.play(self.world.work(owner, shard))
                self.play(self.world.publish(owner))
        for executor in SEATS:
            self.play(self.world.poll(executor))
        while chosen := self._task(0):
            self.play(self.world.dial(*chosen, fate))
        if heard:
            self._hear()

    def _hear(self) -> None:
        """The schedulers learn what there is to learn."""
        for executor in SEATS:
            self.play(self.world.flush(executor))
        for shard in SHARDS:
            for owner in self._owners(shard)[:1]:
                self.play(self.world.work(owner, shard, claim=()))

    # Time and the carrier.

    @rule(seconds=durations)
    def pass_time(self, seconds: float) -> None:
        self.play(self.world.pass_time(seconds))

    @precondition(lambda self: self.world.carrier.live())
    @rule(pick=picks, outcome=outcomes, subject=speaks_of_us, reported=likely)
    def end_call(self, pick: int, outcome: Outcome, subject: RefusalSubject | None, reported: bool) -> None:
        self._end_call(pick, outcome, subject, reported=reported)

    def _end_call(self, pick: int, outcome: Outcome, subject: RefusalSubject | None, *, reported: bool) -> None:
        live = self.world.carrier.live()
        call = live[pick % len(live)]
        if subject is None:
            self.world.carrier.end(call, outcome)
        else:
            self.world.carrier.end(call, Outcome.FAILED, Refusal(subject=subject))
        if reported:
            self.play(self.world.report(call))

    @precondition(lambda self: self.world.carrier.live())
    @rule(outcome=outcomes, subject=speaks_of_us)
    def end_all_calls(self, outcome: Outcome, subject: RefusalSubject | None) -> None:
        self._end_all_calls(outcome, subject)

    def _end_all_calls(self, outcome: Outcome, subject: RefusalSubject | None) -> None:
        """Without it few contacts would end, and few could be reset."""
        while self.world.carrier.live():
            self._end_call(0, outcome, subject, reported=True)
        self._hear()

    @precondition(lambda self: self.world.carrier.reports)
    @rule(pick=picks, times=st.sampled_from([1, 1, 2, 0]), kafka=likely)
    def report(self, pick: int, times: int, kafka: bool) -> None:
        reports = self.world.carrier.reports
        self.play(self.world.report(reports[pick % len(reports)], times=times, kafka=kafka))

    @precondition(lambda self: self.world.carrier.late)
    @rule(pick=picks)
    def land_late_request(self, pick: int) -> None:
        late = self.world.carrier.late
        self.world.carrier.land(late[pick % len(late)])

    @precondition(lambda self: self.world.carrier.can_look_up)
    @rule(away=seldom)
    def carrier_away(self, away: bool) -> None:
        self.world.carrier.away = away

    @rule(what=refusable, subject=subjects)
    def deny(self, what: str, subject: RefusalSubject) -> None:
        """From now on the carrier takes no such call, and a single denial speaks of this."""
        self.world.carrier.refused.add(what)
        self.world.carrier.speaks_of = subject

    @precondition(lambda self: self.world.carrier.refused)
    @rule()
    def lift(self) -> None:
        self.world.carrier.refused.clear()

    # Customers and operators.

    @rule(campaign_id=campaigns, to=moves)
    def move_campaign(self, campaign_id: str, to: CampaignMove) -> None:
        self.play(edits.move(self.world, campaign_id, to))

    @rule(campaign_id=campaigns, seconds=st.sampled_from([None, 0.0, 2.0, 31.0]))
    def schedule_campaign(self, campaign_id: str, seconds: float | None) -> None:
        self.play(edits.schedule(self.world, campaign_id, seconds))

    @rule(campaign_id=campaigns, is_open=likely)
    def set_windows(self, campaign_id: str, is_open: bool) -> None:
        self.play(edits.set_windows(self.world, campaign_id, is_open=is_open))

    @rule(organization_id=st.sampled_from(ORGANIZATIONS), number=phones)
    def list_number(self, organization_id: str, number: str) -> None:
        self.play(edits.list_number(self.world, organization_id, number))

    @rule(pick=picks, asks=st.booleans())
    def delete(self, pick: int, asks: bool) -> None:
        contact_id = self.world.contacts[pick % len(self.world.contacts)]
        self.play((edits.delete if asks else edits.delete_at_once)(self.world, contact_id))

    @rule(pick=picks, numbers=st.lists(phones, min_size=1, max_size=2, unique=True))
    def edit_numbers(self, pick: int, numbers: list[str]) -> None:
        contact_id = self.world.contacts[pick % len(self.world.contacts)]
        self.play(edits.edit_numbers(self.world, contact_id, *numbers))

    @rule(campaign_id=campaigns, number=phones)
    def add_contact(self, campaign_id: str, number: str) -> None:
        if len(self.world.contacts) < 10:
            self.play(edits.add_contact(self.world, CAMPAIGNS[campaign_id], campaign_id, number))

    @precondition(lambda self: self.world.numbers)
    @rule(organization_id=st.sampled_from(ORGANIZATIONS), number=st.sampled_from(REGISTERED), change=number_changes)
    def edit_number(self, organization_id: str, number: str, change: dict[str, Any]) -> None:
        self.play(edits.edit_number(self.world, organization_id, number, change))

    @rule(what=st.sampled_from([*ORGANIZATIONS, *CAMPAIGNS, "all"]), limit=st.integers(1, 4))
    def set_limit(self, what: str, limit: int) -> None:
        if what == "all":
            self.play(edits.limit_all(self.world, limit))
        elif what in CAMPAIGNS:
            self.play(edits.limit_campaign(self.world, what, limit if limit < 4 else None))
        else:
            self.play(edits.limit_organization(self.world, what, limit))
