"""The global limit, asked for by several shards of one process at once."""

import asyncio
import math
from collections.abc import Sequence

import pytest

from services.scheduler.planner import CampaignQueue, OrganizationDemand
from services.scheduler.sharing import grants as grants_module
from services.scheduler.sharing.global_limit import Answer, GlobalLimit, Question
from services.scheduler.sharing.grants import ASK_SECONDS, IN_VAIN_SECONDS, Grants
from shared.clock import utc_now
from shared.domain.contact import WaitingContact
from shared.errors import Unavailable
from shared.store.client import Store
from shared.store.dialing import shards
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import GrantMove, ShardDemand, ShardState
from tests.eventually import eventually

LIMIT = 10


class CountingLimit(GlobalLimit):
    """Counts its exchanges with the store; `hindrance` is raised or waited for in the next of them.

    `loses_answer`: the next one is made, and nobody hears of it.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.exchanges: list[int] = []
        self.hindrance: BaseException | asyncio.Event | None = None
        self.loses_answer = False

    async def _exchange(self, questions: Sequence[Question]) -> list[Answer]:
        hindrance, self.hindrance = self.hindrance, None
        if isinstance(hindrance, BaseException):
            raise hindrance
        if hindrance is not None:
            await hindrance.wait()
        self.exchanges.append(len(questions))
        answers = await super()._exchange(questions)
        loses, self.loses_answer = self.loses_answer, False
        if loses:
            raise Unavailable("MongoDB", "the line was cut")
        return answers


def question(shard: int, *, room: int, held: int = 0, resting: int = 0, epoch: int = 0) -> Question:
    want = {f"organization-{shard}": {"limit": 10, "room": room + held, "served": 0.0, "held": held}} if room else {}
    return Question(ShardDemand(Ownership(shard, epoch), want, resting), known=False, held=held + resting)


def move(shard: int, delta: int, *, epoch: int = 0) -> GrantMove:
    return GrantMove(Ownership(shard, epoch), delta)


async def open_limit(store: Store) -> CountingLimit:
    await shards.ensure_shards(store)
    await shards.set_global_limit(store, LIMIT)
    return CountingLimit(store)


async def first_in_exchange(limit: CountingLimit, asked: Question) -> tuple[asyncio.Task[Answer], asyncio.Event]:
    """Ask, and stay in the middle of that exchange until the event is set."""
    goes_on = limit.hindrance = asyncio.Event()
    task = asyncio.create_task(limit.ask(asked))
    await asyncio.sleep(0)
    return task, goes_on


async def ask_behind(limit: CountingLimit, questions: Sequence[Question]) -> list[asyncio.Task[Answer]]:
    """Ask while somebody's exchange is under way."""
    tasks = [asyncio.create_task(limit.ask(asked)) for asked in questions]
    await asyncio.sleep(0)
    return tasks


async def states_of(store: Store) -> list[ShardState]:
    """All shards, by number."""
    states, *_ = await shards.read_shards_and_global(store)
    return states


async def granted(store: Store) -> int:
    """The slots of all grants."""
    return sum(state.grant for state in await states_of(store))


async def test_shards_that_ask_during_an_exchange_are_answered_by_one(store: Store) -> None:
    limit = await open_limit(store)
    first, goes_on = await first_in_exchange(limit, question(0, room=1))
    others = await ask_behind(limit, [question(shard, room=1) for shard in range(1, 8)])
    goes_on.set()
    answers = await asyncio.gather(first, *others)
    assert limit.exchanges == [1, 7]
    assert [answer.grant for answer in answers] == [1] * 8
    assert all(answer.published for answer in answers)
    assert await granted(store) == 8


async def test_what_one_shard_gives_back_another_has_in_the_same_exchange(store: Store) -> None:
    limit = await open_limit(store)
    assert (await limit.ask(question(3, room=10))).grant == LIMIT
    first, goes_on = await first_in_exchange(limit, question(9, room=0))
    others = await ask_behind(limit, [question(4, room=4), question(3, room=0)])
    goes_on.set()
    await first
    assert [(await task).grant for task in others] == [4, 0]
    assert await granted(store) == 4


async def test_what_a_remainder_decides_waits_until_all_who_ask_together_have_their_part(store: Store) -> None:
    """Ten slots are 3.3 for each of three: one of them may have four, but not while another has two."""
    limit = await open_limit(store)
    assert await shards.move_grants(store, [move(9, 1)])
    first, goes_on = await first_in_exchange(limit, question(0, room=0))
    others = await ask_behind(limit, [question(shard, room=10) for shard in (1, 2, 3)])
    goes_on.set()
    await first
    answers = [await task for task in others]
    assert [answer.grant for answer in answers] == [3, 3, 3]
    assert sorted(slots for answer in answers for slots in answer.entitled.values()) == [3, 3, 4]


async def test_a_newer_owner_of_one_shard_does_not_spoil_the_moves_of_the_others(store: Store) -> None:
    limit = await open_limit(store)
    await shards.take_over(store, 5)
    first, goes_on = await first_in_exchange(limit, question(0, room=1))
    others = await ask_behind(limit, [question(5, room=3), question(6, room=3)])
    goes_on.set()
    await first
    late, good = await asyncio.gather(*others)
    assert (late.grant, late.published) == (0, False)
    assert (good.grant, good.published) == (3, True)
    assert not (await states_of(store))[5].want
    assert await granted(store) == 4


async def test_a_server_that_is_away_is_an_error_for_all_who_asked_and_not_for_the_next(store: Store) -> None:
    limit = await open_limit(store)
    first, goes_on = await first_in_exchange(limit, question(0, room=1))
    others = await ask_behind(limit, [question(1, room=1), question(2, room=1)])
    limit.hindrance = Unavailable("MongoDB", "gone")
    goes_on.set()
    await first
    assert all(isinstance(error, Unavailable) for error in await asyncio.gather(*others, return_exceptions=True))
    assert (await limit.ask(question(1, room=1))).grant == 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The one number is the time, in seconds, by which a shard decides when to ask."""
    seconds = [1000.0]
    monkeypatch.setattr(grants_module, "monotonic", lambda: seconds[0])
    return seconds


def demand(name: str, contacts: int) -> OrganizationDemand:
    waiting = [WaitingContact(0, utc_now(), n, f"{name}-{n}") for n in range(contacts)]
    return OrganizationDemand(name, 5, 0, 0.0, [CampaignQueue("campaign", 1, waiting)])


async def test_what_may_have_been_said_is_said_again(store: Store) -> None:
    limit = await open_limit(store)
    grants = Grants(Ownership(3, 0), limit)

    async def says(contacts: int) -> bool:
        await grants.adjust([demand("organization-3", contacts)], 0, 0)
        return (await states_of(store))[3].want.get("organization-3", {}).get("room") == contacts

    await eventually(lambda: says(2))
    limit.loses_answer = True
    with pytest.raises(Unavailable):
        await eventually(lambda: says(4))
    assert not limit.loses_answer
    await eventually(lambda: says(2))


async def test_who_comes_too_soon_after_another_one_on_the_same_shard_is_not_forgotten(
    store: Store, clock: list[float]
) -> None:
    """Nothing is free, and will not be: whoever holds the slots gives them back for those alone that have asked."""
    limit = await open_limit(store)
    assert await shards.move_grants(store, [move(0, LIMIT)])
    grants = Grants(Ownership(3, 0), limit)
    await grants.adjust([demand("first", 1)], 0, 0)
    assert (grants.waits, grants.again_in) == (True, math.inf), "all is said"

    both = [demand("first", 1), demand("second", 1)]
    await grants.adjust(both, 0, 0)
    assert limit.exchanges == [1], "too soon"
    assert grants.again_in == pytest.approx(ASK_SECONDS)
    clock[0] += 2 * ASK_SECONDS
    await grants.adjust(both, 0, 0)
    assert limit.exchanges == [1, 1]
    assert set((await states_of(store))[3].want) == {"first", "second"}
    assert (grants.waits, grants.again_in) == (True, math.inf)


async def test_whoever_lost_a_slot_to_another_one_asks_for_the_next_at_once(store: Store, clock: list[float]) -> None:
    """As many are free then as before, but not the same."""
    limit = await open_limit(store)
    assert await shards.move_grants(store, [move(0, LIMIT - 1)])
    rivals = {name: Grants(Ownership(shard, 0), limit) for shard, name in enumerate(("first", "second"), 1)}
    await asyncio.gather(*(grants.adjust([demand(name, 1)], 0, 0) for name, grants in rivals.items()))
    assert limit.exchanges == [2]
    [loser] = [name for name, grants in rivals.items() if not grants.grant]

    assert await shards.move_grants(store, [move(0, -1)])
    clock[0] += IN_VAIN_SECONDS / 2
    with limit.wakes(1, asyncio.Event()):
        await limit.look()
    await rivals[loser].adjust([demand(loser, 1)], 0, 0)
    assert (limit.exchanges, rivals[loser].grant) == ([2, 1], 1)


async def test_who_got_nothing_because_others_always_were_faster_asks_again_soon(
    store: Store, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = await open_limit(store)
    grants = Grants(Ownership(1, 0), limit)

    async def give_way(store: Store, moves: Sequence[GrantMove]) -> bool:
        return False

    with monkeypatch.context() as others:
        others.setattr(shards, "move_grants", give_way)
        await grants.adjust([demand("first", 1)], 0, 0)
    assert grants.waits

    clock[0] += IN_VAIN_SECONDS / 2
    with limit.wakes(1, asyncio.Event()):
        await limit.look()
    await grants.adjust([demand("first", 1)], 0, 0)
    assert (limit.exchanges, grants.grant) == ([1, 1], 1)


async def test_a_shard_with_a_newer_owner_does_not_ask_again_and_again(store: Store) -> None:
    limit = await open_limit(store)
    await shards.take_over(store, 3)
    grants = Grants(Ownership(3, 0), limit)
    await grants.adjust([demand("first", 1)], 0, 0)
    assert limit.exchanges == [1]
    assert grants.again_in == math.inf


async def test_who_is_cancelled_in_the_middle_of_an_exchange_leaves_the_others_their_answers(store: Store) -> None:
    limit = await open_limit(store)
    first, goes_on = await first_in_exchange(limit, question(0, room=1))
    others = await ask_behind(limit, [question(1, room=1), question(2, room=1), question(3, room=1)])
    first.cancel()
    others[1].cancel()
    goes_on.set()
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, False, True, False]
    assert limit.exchanges == [2]
    assert await granted(store) == 2


@pytest.mark.parametrize("free", [True, False])
async def test_those_who_wait_are_woken_when_slots_are_free(store: Store, free: bool) -> None:
    limit = await open_limit(store)
    if not free:
        assert await shards.move_grants(store, [move(0, LIMIT)])
    waiting, gone = asyncio.Event(), asyncio.Event()
    with limit.wakes(1, gone):
        pass
    looking = asyncio.create_task(limit.look())
    await asyncio.sleep(0)
    assert (looking.done(), limit.limit) == (False, 0), "nobody waits, so the store is not asked"
    with limit.wakes(1, waiting):
        await looking
    assert (waiting.is_set(), gone.is_set()) == (free, False)


async def test_moves_are_made_together_or_not_at_all(store: Store) -> None:
    await open_limit(store)
    assert not await shards.move_grants(store, [move(0, 3), move(1, 3, epoch=7)]), "the epoch of 1 is not 7"
    assert not await shards.move_grants(store, [move(0, 6), move(1, 6)]), "more than is free"
    assert await granted(store) == 0
    assert await shards.move_grants(store, [move(0, 4), move(1, 6)])
    await store["shards"].update_one({"_id": 1}, {"$set": {"held": 5}})
    assert not await shards.move_grants(store, [move(0, 1), move(1, -2)]), "1 keeps what calls hold"
    assert await granted(store) == LIMIT
    assert await shards.move_grants(store, [move(0, 1), move(1, -1)])
    assert await granted(store) == LIMIT


async def test_of_those_who_only_give_back_nobody_waits_for_another(store: Store) -> None:
    await open_limit(store)
    assert await shards.move_grants(store, [move(0, 4), move(1, 6)])
    await store["shards"].update_one({"_id": 1}, {"$set": {"held": 5}})
    assert not await shards.move_grants(store, [move(0, -4), move(1, -2)]), "1 keeps what calls hold"
    assert [state.grant for state in await states_of(store)][:2] == [0, 6]


async def test_a_move_during_another_one_gives_way_to_it(store: Store) -> None:
    await open_limit(store)
    async with store.client.start_session() as session, await session.start_transaction():
        await store["global_budget"].update_one({}, {"$inc": {"moves": 1}}, session=session)
        assert not await shards.move_grants(store, [move(0, 1)])
    assert await shards.move_grants(store, [move(0, 1)])
    assert await granted(store) == 1


async def test_two_processes_that_ask_at_once_share_the_limit(store: Store) -> None:
    await open_limit(store)
    processes = [CountingLimit(store), CountingLimit(store)]
    # What the one half says, the other half may not have read yet; some more exchanges settle it.
    for _ in range(5):
        await asyncio.gather(*(processes[shard % 2].ask(question(shard, room=3)) for shard in range(LIMIT)))
        assert await granted(store) <= LIMIT
    assert [state.grant for state in await states_of(store)][:LIMIT] == [1] * LIMIT
