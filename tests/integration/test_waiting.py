"""What an operator sees of slots that wait for evidence: the number, and the log lines."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.scheduler.evidence import search
from services.scheduler.evidence.reconcile import Reconciler
from services.scheduler.evidence.search import EvidenceSearch
from services.scheduler.evidence.suspect_slots import SuspectSlotCount
from services.scheduler.evidence.suspects import Suspects
from services.scheduler.fleet import Fleet
from services.scheduler.shards.loop import ShardLoop
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.errors import Unavailable
from shared.events import CallFinished
from shared.settings import DialingSettings
from shared.store.client import Document, Store
from shared.store.dialing.executors import Heartbeat
from shared.store.dialing.results import add_results
from shared.telephony.provider import CallLive, CallNotFound, CallReference, LookUp
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall, always
from tests.carriers import through
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization, new_id

BEGAN, ENDED = "slots held, waiting for evidence", "no slot waits for evidence any more"


class TalkativeCarrier(ScriptedProvider):
    """Says `says` of every call, and keeps what it was `asked` about."""

    says: LookUp | None
    asked: list[str]

    async def look_up(self, reference: CallReference) -> LookUp:
        """What a test has told it to say; with nothing to say it cannot tell."""
        self.asked.append(reference.attempt_id)
        if self.says is None:
            raise Unavailable("the carrier")
        return self.says


def carrier(says: LookUp | None) -> TalkativeCarrier:
    made = TalkativeCarrier(always(ScriptedCall()), lambda report: None)
    made.says, made.asked = says, []
    return made


def waiting() -> float | None:
    """The number as Prometheus reads it."""
    return REGISTRY.get_sample_value("dialstream_slots_waiting_for_evidence")


async def add_running(store: Store, count: int, *, age: timedelta, executor: str, mode: str = "callback") -> list[Any]:
    """So many contacts of one organization whose calls this executor has started."""
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    at = utc_now() - age
    contacts: list[Document] = []
    for number in range(count):
        lock = {
            "claim": new_id(),
            "attempt": new_id(),
            "attempt_number": 1,
            "agent_id": "agent-1",
            "agent_version": None,
            "phone": f"+1415{number:07}",
            "caller_number": "+14155550100",
            "exclusive": False,
            "expires_at": at,
        }
        start = {"nonce": new_id(), "executor": executor, "mode": mode, "at": at, "hold_until": at + timedelta(hours=1)}
        contacts += await add_contacts(store, organization, campaign, 1, status="in_progress", lock=lock, start=start)
    return contacts


@dataclass(slots=True)
class Watch:
    """The search for evidence and the count beside it, one round at a time and as fast as a test likes."""

    store: Store
    carrier: TalkativeCarrier
    shards: Iterable[int]
    fleet: Fleet = field(default_factory=Fleet)
    loops: dict[int, ShardLoop] = field(init=False)
    search: EvidenceSearch = field(init=False)
    count: SuspectSlotCount = field(init=False)

    def __post_init__(self) -> None:
        dialing, suspects = DialingSettings(), Suspects()
        self.loops = {shard: cast(ShardLoop, SimpleNamespace(held=7)) for shard in self.shards}
        self.search = EvidenceSearch(
            self.store,
            self.fleet,
            Reconciler(through(self.carrier, self.store), dialing, suspects),
            suspects,
            self.loops,
            dialing=dialing,
            reconcile_seconds=60,
        )
        self.count = SuspectSlotCount(self.store, self.fleet, suspects, self.loops)

    async def look(self, rounds: int = 1) -> set[float | None]:
        """So many rounds; the numbers that were seen."""
        seen = set()
        for _ in range(rounds):
            await self.search.look()
            await self.count.look()
            seen.add(waiting())
        return seen

    def dies(self, executor: str) -> None:
        """Its heartbeat stands still."""
        for _ in range(4):
            self.fleet.observe([Heartbeat(executor, 1, 100, 10, False)])


OLD, YOUNG = timedelta(minutes=2), timedelta(seconds=1)


async def test_the_number_stays_while_the_carrier_cannot_tell_and_falls_when_it_can(store: Store) -> None:
    contacts = await add_running(store, 3, age=YOUNG, executor="gone")
    watch = Watch(store, carrier(None), [contacts[0]["shard"]])
    watch.dies("gone")
    assert await watch.look(rounds=2 * search.DEAD_ROUNDS - 1) == {3}
    watch.carrier.says = CallLive("CA1")
    await watch.look(rounds=2)
    assert await watch.look(rounds=search.DEAD_ROUNDS) == {0}, "they are up"


async def test_a_call_that_somebody_else_has_reported_on_no_longer_waits(store: Store) -> None:
    contacts = await add_running(store, 3, age=OLD, executor="executor-0")
    watch = Watch(store, carrier(CallNotFound()), [contacts[0]["shard"]])
    assert await watch.look() == {3}
    await store["contacts"].update_one({"_id": contacts[0]["_id"]}, {"$set": {"status": "completed"}})
    other_attempt = {"lock.attempt": new_id()}
    await store["contacts"].update_one({"_id": contacts[1]["_id"]}, {"$set": other_attempt})
    assert await watch.look() == {1}


async def test_calls_that_living_executors_hold_are_no_suspects(store: Store) -> None:
    contacts = await add_running(store, 2, age=OLD, executor="executor-0", mode="in_process")
    watch = Watch(store, carrier(None), [contacts[0]["shard"]])
    watch.fleet.observe([Heartbeat("executor-0", 1, 100, 10, False)])
    with capture_logs() as lines:
        assert await watch.look(rounds=2) == {0}
    assert lines == [], "nobody was asked"
    watch.dies("executor-0")
    await watch.look(rounds=search.DEAD_ROUNDS)
    assert waiting() == 2


async def test_more_suspects_than_one_round_asks_about_are_all_counted_and_all_asked_about(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ROUND", 10)
    contacts = await add_running(store, 25, age=OLD, executor="executor-0")
    watch = Watch(store, carrier(None), [contacts[0]["shard"]])
    await watch.look(rounds=3)
    assert len(watch.carrier.asked) == len(set(watch.carrier.asked)) == 25
    assert waiting() == 25


async def test_who_has_ended_while_waiting_for_the_question_is_not_asked_about(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ROUND", 2)
    contacts = await add_running(store, 5, age=OLD, executor="executor-0")
    watch = Watch(store, carrier(None), [contacts[0]["shard"]])
    await watch.look()
    await store["contacts"].update_many({}, {"$set": {"status": "completed"}})
    assert await watch.look(rounds=2) == {0}
    assert len(watch.carrier.asked) == 2


async def test_while_no_slot_is_held_the_store_is_asked_seldom_and_what_is_there_all_the_same_is_found(
    store: Store,
) -> None:
    contacts = await add_running(store, 2, age=YOUNG, executor="gone")
    watch = Watch(store, carrier(None), [contacts[0]["shard"]])
    watch.dies("gone")
    await store["contacts"].update_many({}, {"$set": {"status": "completed"}})
    assert await watch.look() == {0}
    watch.loops[contacts[0]["shard"]] = cast(ShardLoop, SimpleNamespace(held=0))
    await store["contacts"].update_many({}, {"$set": {"status": "in_progress"}})
    assert await watch.look(rounds=search.DEAD_ROUNDS - 1) == {0}
    assert await watch.look() == {2}, "what is held was counted wrong"
    assert len(watch.carrier.asked) == 2


async def test_shards_that_somebody_else_owns_now_are_not_counted_here(store: Store) -> None:
    contacts = await add_running(store, 2, age=OLD, executor="executor-0")
    watch = Watch(store, carrier(None), [contacts[0]["shard"]])
    with capture_logs() as lines:
        assert await watch.look() == {2}
    assert [(line["waiting"], line["held"]) for line in lines if line["event"] == BEGAN] == [(2, 7)]
    watch.loops.clear()
    assert await watch.look() == {0}


def ending_of(contact: Document) -> CallFinished:
    return CallFinished(
        organization_id=contact["organization_id"],
        shard=contact["shard"],
        attempt_id=contact["lock"]["attempt"],
        contact_id=contact["_id"],
        outcome=Outcome.ANSWERED,
        ended_at=utc_now(),
    )


async def test_a_running_scheduler_says_when_slots_begin_to_wait_and_when_none_does_any_more(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    contacts = await add_running(store, 3, age=OLD, executor="executor-0")
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        with capture_logs() as lines:
            await engine.start_scheduler(carrier=carrier(None))
            began = await eventually(lambda: [line for line in lines if line["event"] == BEGAN], timeout=20)
            assert waiting() == 3
            await add_results(store, [ending_of(contact) for contact in contacts])
            ended = await eventually(lambda: [line for line in lines if line["event"] == ENDED], timeout=20)
            assert waiting() == 0
            assert not engine.failures()
    [line] = began
    assert line["oldest_seconds"] >= OLD.total_seconds()
    until = max(contact["start"]["hold_until"] for contact in contacts)
    assert datetime.fromisoformat(line["given_up_by"]) == until.replace(microsecond=0)
    expected = {"log_level": "warning", "waiting": 3, "not_reported": 3, "executor_dead": 0, "past_longest_call": 0}
    assert line.items() >= expected.items()
    assert [line["log_level"] for line in ended] == ["info"]
