"""contact.batches: customers' own bytes, so nothing about them can be taken for granted."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from deploy.replay import run as run_replay
from services.contact_ingest.app import SERVICE, running
from services.contact_ingest.rows import MAX_BATCH_BYTES
from services.contact_ingest.settings import IngestSettings
from shared.bus.replay import Replayed
from shared.clock import utc_now
from shared.domain.contact_input import ContactInput
from shared.events import ContactBatch
from shared.store.catalog.campaigns import NewCampaign, create_campaign
from shared.store.catalog.keys import Scope
from shared.store.client import Store
from shared.topics import CONTACT_BATCHES
from tests.eventually import eventually
from tests.fuzzing import SEED
from tests.integration.contact_ingest.customer import Customer, new_customer, new_key
from tests.integration.topic_fuzz.letters import check, check_replayed, dressed, mixed, odd_headers
from tests.integration.topic_fuzz.mutations import OF_NO_TEXT, TOO_LONG, noise, unusable, with_text
from tests.integration.topic_fuzz.wire import GZIP, NONE, ZSTD, Message, Wire, largest_value, unreadable, wire_of

CLASSES = {"UnreadableBatch", "BatchTooLarge", "UnprovenOrganization", "CampaignNotUsable", "BatchIdReused"}
LATER = "the campaign that comes later"
UNPACKED = 20 * 1024 * 1024


def row(rng: random.Random, external_id: str) -> dict[str, Any]:
    """A good contact."""
    return {"external_id": external_id, "phone_numbers": [f"+1415{rng.randrange(2000000, 10000000)}"]}


def odd_rows(rng: random.Random) -> list[Any]:
    """Contacts that are wrong in every field, as far as JSON can say it."""
    rows: list[Any] = [None, 7, "x", [], {}, [[]]]
    for name in (*ContactInput.model_fields, "surprise", "$where", "a\x00b"):
        for text in (*OF_NO_TEXT, TOO_LONG, "1" * 400, '"\\ud800"', '"\\u0000"', "-0.0", "1e308"):
            rows.append(json.loads(with_text(row(rng, f"odd-{len(rows)}"), name, text)))
    return rows


def good_batches(rng: random.Random, customer: Customer) -> Iterator[Message]:
    """Batches that must be stored; each has some odd rows, one that has been sent before and odd headers."""
    odd = odd_rows(rng)
    for number in range(30):
        rows = [row(rng, f"good-{number}-{place}") for place in range(3)] + odd[number::30]
        rng.shuffle(rows)
        signed = number % 3 == 0
        batch = customer.batch(*rows, batch_id=f"good-{number}", **({"credential": None} if signed else {}))
        value = json.dumps(batch).encode()
        headers = (*odd_headers(rng), *(customer.signed(value) if signed else ()))
        for _ in range(1 + number % 2):
            yield Message(f"good batch {number}", value, None, headers, partition=number % 8)


async def of_others(customer: Customer, other: Customer, rng: random.Random) -> list[Message]:
    """Good in form, and not the sender's to send."""

    def of(what: str, error: str = "UnprovenOrganization", **fields: Any) -> Message:
        value = json.dumps(customer.batch(row(rng, "stolen")) | fields).encode()
        return Message(what, value, None, odd_headers(rng), error=error)

    mine, store, unusable_one = customer.organization_id, customer.store, "CampaignNotUsable"
    weak = await new_key(store, mine, scopes=[Scope.CAMPAIGNS_READ])
    later = [{"batch_id": f"{LATER} {number}", "contacts": [row(rng, f"later-{number}")]} for number in range(5)]
    return [
        of("another organization", organization_id=other.organization_id),
        of("another's campaign too", organization_id=other.organization_id, campaign=other.campaign_id),
        of("another's campaign", unusable_one, campaign=other.campaign_id),
        of("another's key", credential=other.credential),
        of("another's key and campaign", credential=other.credential, campaign=other.campaign_id),
        of("no key", credential=None),
        of("half a key", credential=customer.credential[:-1]),
        of("a weak key", credential=weak),
        *(of(LATER, unusable_one, campaign="later", **fields) for fields in later),
    ]


def huge(rng: random.Random, good: bytes) -> list[Message]:
    """As large as the topic takes, and larger once unpacked."""
    largest = largest_value(CONTACT_BATCHES, None, ())
    return [
        Message("as large as may be", rng.randbytes(largest), codec=NONE),
        Message("a good batch, padded", good.ljust(MAX_BATCH_BYTES + 1), codec=GZIP),
        Message("larger than the topic takes, unpacked from gzip", b" " * UNPACKED, codec=GZIP),
        Message("larger than the topic takes, unpacked from zstd", good.ljust(UNPACKED), codec=ZSTD),
        Message("a large key", b"{}", b"k" * 1_500_000, codec=NONE),
        Message("many headers", b"{}", headers=tuple((f"h{n}", bytes(100)) for n in range(3000)), codec=NONE),
    ]


async def all_stored(customer: Customer, *, others: int = 0) -> None:
    """Every good batch once: what was sent is either a contact or a reported row; and `others`, and nothing else."""
    stored = await customer.store["contacts"].find({"organization_id": customer.organization_id}).to_list()
    inserted = 0
    for number in range(30):
        result = await customer.done(f"good-{number}")
        inserted += result.inserted
        assert result.received == result.inserted + result.updated + len({problem.index for problem in result.failed})
    names = Counter(contact["external_id"] for contact in stored)
    assert len(stored) == inserted + others
    assert all(names[f"good-{number}-{place}"] == 1 for number in range(30) for place in range(3))
    assert "stolen" not in names


async def no_lag(wire: Wire) -> None:
    """All of the topic has been read and committed."""

    async def nothing_left() -> bool:
        return await wire.lag(SERVICE) == 0

    await eventually(nothing_left, timeout=60, every=0.1, saying="the end of the topic")


async def replay_all(customer: Customer, wire: Wire, settings: IngestSettings) -> None:
    """Once their campaign exists, what was refused is stored; all else dies once more and ends there."""
    configuration = await customer.store["configurations"].find_one({"organization_id": customer.organization_id})
    assert configuration is not None
    later = NewCampaign("later", configuration["_id"], "later", 1, None, None, None)
    await create_campaign(customer.store, customer.organization_id, later, utc_now())
    assert await run_replay(settings, CONTACT_BATCHES.name, 3) == Replayed(3, 0)
    await no_lag(wire)
    everything = await wire.letters()
    waiting = everything[3:]
    assert await run_replay(settings, CONTACT_BATCHES.name, None) == Replayed(len(waiting) - 1, 1)
    await no_lag(wire)
    for number in range(5):
        assert (await customer.done(f"{LATER} {number}")).inserted == 1
    good_now = sum(LATER.encode() in (letter.value or b"") for letter in waiting)
    # The largest one has no room for the note that it was put back.
    check_replayed(waiting, (await wire.letters())[len(everything) :], without=good_now + 1)


async def test_whatever_customers_send_stops_nobody_and_is_not_lost(
    store: Store, kafka_address: str, mongodb_address: str, topic_prefix: str
) -> None:
    rng = random.Random(SEED)
    settings = IngestSettings(
        kafka=kafka_address, mongodb=mongodb_address, mongodb_database=store.db.name, topic_prefix=topic_prefix
    )
    async with (
        new_customer(store, kafka_address, topic_prefix) as customer,
        new_customer(store, kafka_address, topic_prefix) as other,
        new_customer(store, kafka_address, topic_prefix) as noisy,
        wire_of(kafka_address, topic_prefix, CONTACT_BATCHES) as wire,
        running(settings),
    ):
        valid = customer.batch(row(rng, "bad"))
        bad = dressed(rng, unusable(rng, ContactBatch, valid, 1), "UnreadableBatch")
        bad += await of_others(customer, other, rng)
        perhaps = dressed(rng, noise(rng, json.dumps(noisy.batch(row(rng, "noise"))).encode(), 150))
        bad += huge(rng, json.dumps(valid).encode()) + [unreadable(f"unreadable {n}", n) for n in (2, 6)]
        rng.shuffle(bad)
        sent = await wire.send(rng, mixed(rng, mixed(rng, bad, perhaps), good_batches(rng, customer)))
        await no_lag(wire)
        await all_stored(customer)
        assert await other.contacts() == 0
        letters = await wire.letters()
        check(
            CONTACT_BATCHES,
            topic_prefix,
            letters,
            [one for one in sent if one.message in bad],
            perhaps=[one for one in sent if one.message in perhaps],
            classes=CLASSES,
        )
        await replay_all(customer, wire, settings)
        await all_stored(customer, others=5)
