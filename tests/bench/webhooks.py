"""`webhooks`: deliveries a second from `org.facts` to a receiver on this machine, against a bare loop of POSTs."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import aiohttp
from pydantic import SecretStr
from rich.console import Console

from deploy.local.home import LOCALHOST, free_port
from deploy.local.servers import Addresses
from shared.bus.producer import Producer, Record
from shared.clock import monotonic, utc_now
from shared.domain.facts import FactType
from shared.domain.ids import SHARDS, event_key
from shared.events import OrgFact
from shared.store.catalog.webhooks import NewWebhook, create_webhook
from shared.stored_secrets import SecretCipher
from shared.topics import ORG_FACTS
from tests.bench.figures import Figures, median, spread
from tests.bench.stage import CpuClock, Member, Stage, new_stage, running_members, until
from tests.factories import add_organization

SECRET_KEY = "bench-" + "x" * 32
AT_ONCE = 32
ORGANIZATIONS = 4
FACTS = {"outcome": "answered", "duration_seconds": 31.5, "external_id": "lead-1001", "attempt_number": 1}


async def measure_webhooks(addresses: Addresses, console: Console, *, events: int, rounds: int) -> Figures:
    """So many events of four organizations, each with one webhook; the bare loop posts bodies of the same size."""
    figures = Figures(f"webhooks: {events:,} events to a receiver on this machine", ("", "ours", "bare POSTs"))
    ours, bare, cpu = [], [], []
    for number in range(rounds):
        async with new_stage(addresses) as stage, _receiver() as url:
            rate, used = await _ours(stage, url, events)
            ours.append(rate)
            cpu.append(used)
            bare.append(await _bare(url, events))
        console.print(f"  webhooks: round {number + 1}: {ours[-1]:,.0f} and {bare[-1]:,.0f} a second", style="dim")
    figures.rows.append(("deliveries a second", spread(ours), spread(bare)))
    for name in sorted(cpu[0]):
        spent = [used[name] / events * 1e6 for used in cpu]
        figures.rows.append((f"CPU µs a delivery: {name}", spread(spent), "-"))
    figures.notes.append(f"ours / bare: {median(ours) / median(bare):.2f}; the bare loop neither signs nor stores.")
    figures.values["deliveries_per_second"] = {"ours": ours, "bare": bare}
    return figures


async def _ours(stage: Stage, url: str, events: int) -> tuple[float, dict[str, float]]:
    now = utc_now()
    organizations = [await add_organization(stage.store, shard=shard) for shard in range(ORGANIZATIONS)]
    encrypted = SecretCipher(SecretStr(SECRET_KEY)).encrypt("s" * 64)
    for organization in organizations:
        wanted = [FactType.CALL_ENDED.value]
        new = NewWebhook(url=f"{url}/hooks", events=wanted, fact_types=wanted)
        await create_webhook(stage.store, organization["_id"], new, encrypted, now)
    settings = {"secret_key": SECRET_KEY, "webhook_private_addresses": "true"}
    async with running_members(stage, ("webhook-sender", "services.webhook_sender", settings)) as members:
        records = [_record(organizations[n % ORGANIZATIONS], n // ORGANIZATIONS + 1, now) for n in range(events + 1)]
        producer = Producer(stage.kafka_settings)
        await producer.start()
        try:
            async with aiohttp.ClientSession() as session:
                # One before: the sender is at work.
                await _sent(producer, records[:1], session, url, 1, members)
                clock, began = CpuClock(stage, members), monotonic()
                await _sent(producer, records[1:], session, url, events + 1, members)
                return events / (monotonic() - began), clock.used()
        finally:
            await producer.stop()


async def _sent(
    producer: Producer,
    records: list[Record],
    session: aiohttp.ClientSession,
    url: str,
    in_all: int,
    members: Sequence[Member],
) -> None:
    """Publish facts and wait until the receiver has accepted so many events."""
    assert await producer.publish(ORG_FACTS, records) == []

    async def all_accepted() -> bool:
        return await _accepted(session, url) >= in_all

    async def said() -> str:
        return f"{await _accepted(session, url)} of {in_all} are accepted"

    await until(all_accepted, members, 300, said)


def _record(organization: dict[str, str], n: int, now: datetime) -> Record:
    shard = int(organization["shard"]) % SHARDS
    fact = OrgFact(
        shard=shard,
        n=n,
        organization_id=organization["_id"],
        type=FactType.CALL_ENDED,
        at=now,
        campaign_id="3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21",
        contact_id="0d6c4f7e-8f0a-5b3e-9d53-0b1c7e1f2a33",
        facts=FACTS,
    )
    return Record(shard, event_key(organization["_id"]), fact.model_dump_json().encode())


async def _bare(url: str, events: int) -> float:
    """Deliveries a second of a loop that only posts, as many at once as the sender has for four webhooks."""
    left = events
    body = b"x" * 400
    async with aiohttp.ClientSession() as session:

        async def post() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                async with session.post(f"{url}/hooks", data=body) as answer:
                    assert answer.status == 204

        began = monotonic()
        await asyncio.gather(*(post() for _ in range(AT_ONCE * ORGANIZATIONS)))
        return events / (monotonic() - began)


async def _accepted(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as answer:
        return int(await answer.text())


@contextlib.asynccontextmanager
async def _receiver() -> AsyncIterator[str]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.receiver", str(port))
    try:
        yield f"http://{LOCALHOST}:{port}"
    finally:
        process.terminate()
        await process.wait()
