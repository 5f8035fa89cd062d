"""`relay`: how many facts a second reach Kafka, beside a loop that sends the same bytes and does nothing else.

Both send one batch at a time to one partition, the next after the ack; ours reads them from MongoDB, where the shard's
transactions have written them, and notes what is safe.
"""

import time
from dataclasses import dataclass

from pymongo.asynchronous.client_session import AsyncClientSession
from rich.console import Console

from deploy.local.servers import Addresses
from services.scheduler.shards.relay import BATCH, Relay, record_of
from shared.bus.producer import Producer
from shared.clock import monotonic, utc_now
from shared.domain.facts import Fact, FactType
from shared.domain.ids import conversation_id_of
from shared.store.client import Store
from shared.store.dialing.facts import next_facts, read_relayed
from shared.store.dialing.ledger import Ledger
from shared.store.dialing.shards import ensure_shards, take_over
from tests.bench.figures import Figures, spread
from tests.bench.stage import BenchFailed, new_stage
from tests.factories import add_organization, new_id

# As a full step of a shard's loop tells of its calls.
IN_A_TRANSACTION = 1000


@dataclass(frozen=True, slots=True)
class _Round:
    written: float
    relayed: float
    bare: float
    cpu_micros: float


async def measure_relay(addresses: Addresses, console: Console, *, facts: int, rounds: int) -> Figures:
    """Rounds of so many facts each: written, relayed, and sent by the bare loop."""
    done = []
    for number in range(rounds):
        done.append(await _round(addresses, facts))
        console.print(f"  relay {number + 1}/{rounds}: {done[-1].relayed:,.0f} facts/s", style="dim")
    figures = Figures(
        f"relay: {facts:,} facts of one shard, {BATCH} a batch, {rounds} rounds",
        ("", "facts/s", "CPU µs a fact, ours", "ours / bare"),
    )
    ratios = [one.relayed / one.bare for one in done]
    cpu = spread([one.cpu_micros for one in done])
    figures.rows.append(("relayed", spread([one.relayed for one in done]), cpu, spread(ratios, "{:.2f}")))
    figures.rows.append(("bare loop", spread([one.bare for one in done]), "", ""))
    figures.rows.append((f"written, {IN_A_TRANSACTION} a transaction", spread([one.written for one in done]), "", ""))
    figures.values["relay"] = {
        name: [getattr(one, name) for one in done] for name in ("written", "relayed", "bare", "cpu_micros")
    }
    figures.notes.append("Every round ended with all facts noted as safe in Kafka.")
    return figures


async def _round(addresses: Addresses, facts: int) -> _Round:
    async with new_stage(addresses) as stage:
        store, producer = stage.store, Producer(stage.kafka_settings)
        await producer.start()
        try:
            await ensure_shards(store)
            organization = await add_organization(store, fact_types=list(FactType))
            shard = organization["shard"]
            started = monotonic()
            await _write(store, shard, organization["_id"], facts)
            written = facts / (monotonic() - started)
            relay = Relay(store, producer, shard)
            started, cpu = monotonic(), time.process_time()
            while await relay.relay_batch():
                pass
            relayed, cpu = facts / (monotonic() - started), time.process_time() - cpu
            if await read_relayed(store, shard) != facts:
                raise BenchFailed(f"of {facts} facts {await read_relayed(store, shard)} were relayed")
            # All alike but for their numbers.
            batch = [record_of(shard, fact) for fact in await next_facts(store, shard, facts - BATCH, BATCH)]
            started = monotonic()
            for _ in range(0, facts, len(batch)):
                await producer.publish_facts(batch)
            return _Round(written, relayed, facts / (monotonic() - started), cpu / facts * 1e6)
        finally:
            await producer.stop()


async def _write(store: Store, shard: int, organization_id: str, facts: int) -> None:
    epoch, now = await take_over(store, shard), utc_now()
    attempt, contact, campaign = new_id(), new_id(), new_id()
    call = {
        **{"external_id": "lead-1001", "attempt_number": 1, "agent_id": "agent-1"},
        **{"phone_number": "+14152000001", "caller_number": "+14155550100"},
        "conversation_id": conversation_id_of(attempt),
        **{"outcome": "answered", "proven": True, "duration_seconds": 31.0, "provider_call_id": f"CA{new_id()}"},
        **{"started_at": now, "answered_at": now, "ended_at": now},
    }
    ended = Fact(
        type=FactType.CALL_ENDED,
        at=now,
        campaign_id=campaign,
        contact_id=contact,
        attempt_id=attempt,
        facts=call,
    )

    async def transaction(session: AsyncClientSession) -> None:
        ledger = Ledger(shard, epoch)
        for _ in range(IN_A_TRANSACTION):
            ledger.tell(organization_id, ended)
        await ledger.write(store, session)

    for _ in range(0, facts, IN_A_TRANSACTION):
        await store.in_transaction(transaction)
