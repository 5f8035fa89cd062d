"""The global limit as the shards of one process share it with those of the others.

Shards that ask while an exchange with the store runs are answered together by the next one: what they could use
is written at once, what everybody could use is read once, and their grants move in one transaction. Side by side
they would collide on the one document of the global limit, and those who lose wait longer and longer. Slots that a
shard frees and does not need leave its grant in the transaction that frees them, and are heard of here.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from services.scheduler.planner import ShardWant, assured_slots, entitled_slots
from shared.clock import monotonic
from shared.domain.sharing import Claimant, GrantPart, grant_moves
from shared.errors import TemporaryError
from shared.store.client import Store
from shared.store.dialing import shards
from shared.store.dialing.shards import GrantMove, ShardDemand, ShardState

# How often is looked for slots that nobody has, while somebody waits for them: one read that answers in two numbers.
LOOK_SECONDS: Final = 0.05
# Who is owed slots was read in the last exchange. At least as often as this all are woken, whatever it says.
WAKE_ALL_SECONDS: Final = 0.25
# A move that collides with one of another process is decided anew, after at most so many seconds each.
PAUSES: Final = (0.01, 0.02, 0.04)


@dataclass(frozen=True, slots=True)
class Question:
    """One shard's demand; `known` when it has been published as it is. `held` slots are held there."""

    demand: ShardDemand
    known: bool
    held: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The shard's grant, what each organization it named may hold, and whether its demand is published now.

    It is not when the shard has a newer owner.
    """

    grant: int
    entitled: Mapping[str, int]
    published: bool


@dataclass(eq=False, slots=True)
class _Asked:
    question: Question
    answer: Answer | None = None
    error: TemporaryError | None = None


class GlobalLimit:
    """`limit` and what of it no shard had (`free`), as last read or changed for any shard of this process.

    `free` is negative while a lowered limit settles; `changes` counts how often it was another than before.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._exchanging = asyncio.Lock()
        self._asked: list[_Asked] = []
        self._waiting: dict[asyncio.Event, int] = {}
        self._any_waits = asyncio.Event()
        # Slots that were missing to what each shard, of any process, may hold, when its wants were last read.
        self._owed: Mapping[int, int] = {}
        self._all_woken_at = 0.0
        self.limit = self.free = self.changes = 0
        self.ending = False

    async def ask(self, question: Question) -> Answer:
        """Move the shard's grant towards what its organizations are entitled to.

        Raises a `TemporaryError` when the store is away; nobody knows then whether the grant was moved.
        """
        asked = _Asked(question)
        self._asked.append(asked)
        try:
            async with self._exchanging:
                if asked.answer is None and asked.error is None:
                    # Shards that were woken at the same moment are about to ask, too.
                    await asyncio.sleep(0)
                    await self._answer_all()
        finally:
            if asked in self._asked:
                self._asked.remove(asked)
        if asked.answer is None:
            assert asked.error is not None, "whoever exchanges answers all who have asked"
            raise asked.error
        return asked.answer

    @contextmanager
    def wakes(self, shard: int, waiting: asyncio.Event) -> Iterator[None]:
        """Have an event set when slots of the limit are free for this shard (`is_for`), now and then when any are.

        Nobody else tells a shard: the calls that must end for it are in other shards, perhaps of other processes.
        """
        self._waiting[waiting] = shard
        self._any_waits.set()
        try:
            yield
        finally:
            del self._waiting[waiting]
            if not self._waiting:
                self._any_waits.clear()

    async def look(self) -> None:
        """Wake the shards that wait, when slots of the limit are free; returns once one waits and the store was asked.

        At rest, when none waits, nothing wakes the process for it.
        """
        await self._any_waits.wait()
        self._learn(*await shards.read_global(self._store))
        self._wake()

    def gave_back(self, slots: int) -> None:
        """Wake shards of this process that wait.

        Another one has given so many slots back in a transaction of its own.
        """
        if slots:
            self._learn(self.limit, self.free + slots)
            self._wake()

    def _wake(self) -> None:
        if self.free <= 0:
            return
        now = monotonic()
        everybody = now - self._all_woken_at >= WAKE_ALL_SECONDS
        if everybody:
            self._all_woken_at = now
        for waiting, shard in self._waiting.items():
            if everybody or self.is_for(shard):
                waiting.set()

    def is_for(self, shard: int) -> bool:
        """Whether some of what is free may be for this shard: it is owed slots, or more is free than all are owed."""
        return self.free > 0 and (self._owed.get(shard, 0) > 0 or self.free > sum(self._owed.values()))

    def _learn(self, limit: int, free: int) -> None:
        self.changes += free != self.free
        self.limit, self.free = limit, free

    async def _answer_all(self) -> None:
        together = list(self._asked)
        try:
            answers = await self._exchange([asked.question for asked in together])
        except TemporaryError as error:
            # For all of them: each would wait as long for the same server.
            for asked in together:
                asked.error = error
        else:
            for asked, answer in zip(together, answers, strict=True):
                asked.answer = answer
        self._asked = [asked for asked in self._asked if asked not in together]

    async def _exchange(self, questions: Sequence[Question]) -> list[Answer]:
        """Publish what these shards want, read what all shards want, and move the grants accordingly."""
        news = [question.demand for question in questions if not question.known]
        if news:
            await shards.publish_wants(self._store, news)
        for pause in PAUSES:
            states, limit, free = await shards.read_shards_and_global(self._store)
            self._learn(limit, free)
            wants = [_read_want(state) for state in states]
            entitled, assured = entitled_slots(wants, limit), assured_slots(wants, limit)
            state_of = {state.shard: state for state in states}
            ours = [q for q in questions if state_of[q.demand.owner.shard].epoch == q.demand.owner.epoch]
            moves = _moves(ours, state_of, entitled, assured, free)
            owed = {state.shard: max(0, _needed(state, entitled) - state.grant) for state in states}
            if await shards.move_grants(self._store, moves):
                # If as many are free at the next look, that is news: they are other ones.
                self._learn(self.limit, free - sum(move.delta for move in moves))
                owed |= {move.owner.shard: owed[move.owner.shard] - max(0, move.delta) for move in moves}
                break
            # Others were faster, and what is free is another number now.
            moves = []
            await asyncio.sleep(random.uniform(0, pause))
        else:
            # Whatever the next look finds free is news to those who asked.
            self._learn(self.limit, 0)
        self._owed = owed
        delta_of = {move.owner: move.delta for move in moves}
        return [
            Answer(
                state_of[q.demand.owner.shard].grant + delta_of.get(q.demand.owner, 0),
                {name: entitled.get(name, 0) for name in q.demand.want},
                published=q in ours,
            )
            for q in questions
        ]


def _moves(
    questions: Sequence[Question],
    state_of: Mapping[int, ShardState],
    entitled: Mapping[str, int],
    assured: Mapping[str, int],
    free: int,
) -> list[GrantMove]:
    # What remainders decide comes last: else the last to be named waits for its share while others get one slot more.
    handed_out_first = {name: min(slots, assured.get(name, 0)) for name, slots in entitled.items()}
    parts = []
    for question in questions:
        demand, state = question.demand, state_of[question.demand.owner.shard]
        target = max(_needed(demand, entitled), question.held)
        parts.append(GrantPart(state.grant, state.held, target, _needed(demand, handed_out_first)))
    deltas = grant_moves(parts, free)
    return [GrantMove(question.demand.owner, delta) for question, delta in zip(questions, deltas, strict=True) if delta]


def _needed(said: ShardDemand | ShardState, shares: Mapping[str, int]) -> int:
    """The slots that a shard needs.

    Those above an organization's share stay there until its calls end, beside what the others may hold.
    """
    return said.resting + sum(max(int(its["held"]), shares.get(name, 0)) for name, its in said.want.items())


def _read_want(state: ShardState) -> ShardWant:
    claimants = [
        Claimant(organization_id, int(want["limit"]), int(want["room"]), float(want["served"]), int(want["held"]))
        for organization_id, want in state.want.items()
    ]
    return ShardWant(state.resting, claimants)
