"""The sender on a clock of its own: tries, waits, dead letters, senders that are killed, receivers that hang."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.webhook_sender.intake import deliveries_of
from services.webhook_sender.sender import TAKEN, Sender
from shared.domain.facts import FactType
from shared.domain.ids import shard_of
from shared.domain.webhook_signatures import standard_secret
from shared.domain.webhooks import MAX_TRIES, RETRY_SECONDS, Answer, DeliveryError, DeliveryState, Dialect, OffReason
from shared.engine import webhooks
from shared.engine.engine import Engine
from shared.errors import Unavailable
from shared.events import OrgFact
from shared.store.catalog.webhooks import active_webhooks
from shared.store.client import Store
from shared.store.reports import deliveries as stored
from shared.store.reports.deliveries import Delivery, add_deliveries
from tests.eventually import eventually
from tests.integration.webhook_sender.conftest import Clock, subscribed

ACCEPTED = Answer(200, None)
BROKEN = Answer(500, DeliveryError.STATUS, "down")
HANGING = Answer(None, DeliveryError.TIMEOUT, milliseconds=5000)
URL = "https://127.0.0.1/hooks"


@dataclass(slots=True)
class Post:
    """Keeps what it is given, and answers as `says` does for the URL."""

    says: Callable[[str], Awaitable[Answer]]
    got: defaultdict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.got[url].append(headers)
        self.bodies.append(body)
        return await self.says(url)


def always(answer: Answer) -> Post:
    async def says(_: str) -> Answer:
        return answer

    return Post(says)


def sender_of(engine: Engine, post: Post, clock: Clock, connections: int = 100) -> Sender:
    return Sender(engine, post, connections=connections, poll_seconds=0.05, clock=clock.now)


def fact(organization_id: str, n: int, clock: Clock, kind: FactType = FactType.CALL_ENDED, **fields: Any) -> OrgFact:
    return OrgFact(
        shard=shard_of(organization_id), n=n, organization_id=organization_id, type=kind, at=clock.now(), **fields
    )


async def told(store: Store, clock: Clock, *facts: OrgFact) -> list[Delivery]:
    """The deliveries of these facts, stored as the intake does."""
    organizations = {one.organization_id for one in facts}
    campaigns = {one.campaign_id for one in facts if one.campaign_id}
    to = await active_webhooks(store, organizations, campaigns)
    made = [delivery for one in facts for delivery in deliveries_of(one, to, clock.now())]
    await add_deliveries(store, made)
    return made


async def one_round(sender: Sender) -> int:
    took = await sender.look()
    await sender.settled()
    return took


async def seen(store: Store, delivery: Delivery) -> Delivery:
    return await stored.get_delivery(store, delivery.organization_id, delivery.webhook_id, delivery.id)


async def test_an_event_is_signed_so_that_the_verifier_of_standard_webhooks_accepts_it(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    made = await subscribed(engine, organization_id, URL)
    facts = {"outcome": "answered", "duration_seconds": 12.5}
    [delivery] = await told(
        store, clock, fact(organization_id, 1, clock, campaign_id="spring", contact_id="lead", facts=facts)
    )
    post = always(ACCEPTED)
    assert await one_round(sender_of(engine, post, clock)) == 1
    [headers], [body] = post.got[URL], post.bodies
    event = Verifier(standard_secret(made.secret)).verify(body, headers)
    assert event == {
        "id": headers["webhook-id"],
        "type": "call.ended",
        "created_at": delivery.at.isoformat(timespec="microseconds").replace("+00:00", "Z").replace(".000000", ""),
        "organization_id": organization_id,
        "data": {"campaign_id": "spring", "contact_id": "lead", **facts},
    }
    for other in (body + b" ", body.replace(b"12.5", b"99.5")):
        with pytest.raises(WebhookVerificationError):
            Verifier(standard_secret(made.secret)).verify(other, headers)
    after = await seen(store, delivery)
    assert (after.state, after.tries, after.last_status) == (DeliveryState.DELIVERED, 1, 200)


async def test_both_secrets_sign_while_one_is_replaced_and_then_the_new_one_alone(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    made = await subscribed(engine, organization_id, URL)
    new = await webhooks.rotate_secret(
        engine, organization_id, made.webhook.id, None, timedelta(minutes=2), clock.now()
    )
    post = always(ACCEPTED)
    sender = sender_of(engine, post, clock)
    await told(store, clock, fact(organization_id, 1, clock))
    await one_round(sender)
    for secret in (made.secret, new.secret):
        Verifier(standard_secret(secret)).verify(post.bodies[0], post.got[URL][0])
    clock.move(121)
    await told(store, clock, fact(organization_id, 2, clock))
    await one_round(sender)
    Verifier(standard_secret(new.secret)).verify(post.bodies[1], post.got[URL][1])
    with pytest.raises(WebhookVerificationError):
        Verifier(standard_secret(made.secret)).verify(post.bodies[1], post.got[URL][1])


@pytest.mark.parametrize(
    ("dialect", "names"),
    [
        (Dialect.NATIVE, set()),
        (Dialect.SMARTALEX, {"X-SmartAlex-Signature"}),
        (Dialect.TALKTURO, {"X-Talkturo-Secret", "X-Signature"}),
    ],
)
async def test_a_dialect_signs_beside_the_standard(
    engine: Engine, store: Store, organization_id: str, clock: Clock, dialect: Dialect, names: set[str]
) -> None:
    await subscribed(engine, organization_id, URL, dialect=dialect)
    await told(store, clock, fact(organization_id, 1, clock))
    post = always(ACCEPTED)
    await one_round(sender_of(engine, post, clock))
    assert set(post.got[URL][0]) == {"webhook-id", "webhook-timestamp", "webhook-signature"} | names


async def test_a_receiver_that_fails_for_a_day_gets_every_event_eight_times_and_the_dead_letters_are_complete(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    made = await subscribed(engine, organization_id, URL)
    events = await told(store, clock, *(fact(organization_id, n, clock) for n in range(1, 21)))
    post = always(BROKEN)
    sender = sender_of(engine, post, clock)
    for wait in (0, *RETRY_SECONDS):
        clock.move(wait - 1)
        assert await one_round(sender) == 0
        clock.move(1)
        while await one_round(sender):
            pass
    assert len(post.got[URL]) == MAX_TRIES * len(events)
    assert len({headers["webhook-id"] for headers in post.got[URL]}) == len(events)
    clock.move(10 * 24 * 3600)
    assert await one_round(sender) == 0
    dead = await webhooks.list_deliveries(
        engine, organization_id, made.webhook.id, state=DeliveryState.DEAD, cursor=None, limit=200
    )
    assert {one.id for one in dead.rows} == {one.id for one in events}
    assert {(one.tries, one.last_status, one.last_text) for one in dead.rows} == {(MAX_TRIES, 500, "down")}
    # The receiver is back, and what it missed is sent again under the ids of before.
    assert await webhooks.replay_dead_letters(engine, organization_id, made.webhook.id, clock.now()) == len(events)
    again = always(ACCEPTED)
    sender = sender_of(engine, again, clock)
    while await one_round(sender):
        pass
    assert {headers["webhook-id"] for headers in again.got[URL]} == {headers["webhook-id"] for headers in post.got[URL]}


async def test_killed_between_delivery_and_mark_the_event_comes_again_under_the_same_id(
    engine: Engine, store: Store, organization_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribed(engine, organization_id, URL)
    [delivery] = await told(store, clock, fact(organization_id, 1, clock))
    killed = always(ACCEPTED)
    sender = sender_of(engine, killed, clock)
    assert await sender.look() == 1
    await eventually(lambda: killed.got[URL], saying="the delivery")
    # It is gone with the mark unwritten; others leave its deliveries alone until their time is up.
    other = always(ACCEPTED)
    successor = sender_of(engine, other, clock)
    clock.move(TAKEN.total_seconds() - 1)
    assert await one_round(successor) == 0
    clock.move(1)
    assert await one_round(successor) == 1
    assert [h["webhook-id"] for h in killed.got[URL]] == [h["webhook-id"] for h in other.got[URL]]
    # One that wakes up writes nothing over what its successor has written.
    before = await seen(store, delivery)
    await sender.settled()
    assert await seen(store, delivery) == before


async def test_two_senders_share_what_is_due_and_deliver_each_once(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    made = await subscribed(engine, organization_id, URL)
    await told(store, clock, *(fact(organization_id, n, clock) for n in range(1, 201)))
    posts = [always(ACCEPTED), always(ACCEPTED)]
    senders = [sender_of(engine, post, clock) for post in posts]
    while any(await asyncio.gather(*(one_round(sender) for sender in senders))):
        pass
    ids = [headers["webhook-id"] for post in posts for headers in post.got[URL]]
    assert len(ids) == len(set(ids)) == 200
    delivered = {"webhook_id": made.webhook.id, "state": DeliveryState.DELIVERED.value}
    assert await store["deliveries"].count_documents(delivered) == 200


async def test_one_receiver_that_hangs_holds_up_nobody(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    slow, fast = URL + "/slow", URL + "/fast"
    for url in (slow, fast):
        await subscribed(engine, organization_id, url)
    await told(store, clock, *(fact(organization_id, n, clock) for n in range(1, 301)))
    released = asyncio.Event()

    async def says(url: str) -> Answer:
        if url == slow:
            await released.wait()
            return HANGING
        return ACCEPTED

    post = Post(says)
    sender = sender_of(engine, post, clock, connections=40)
    running = asyncio.create_task(sender.run())
    await eventually(lambda: len(post.got[fast]) == 300, saying="all of the fast one's events")
    assert len(post.got[slow]) <= 8
    released.set()
    sender.end()
    await running
    # What was under way was marked; the rest was given back, for others at once.
    waiting = store["deliveries"].find({"state": DeliveryState.WAITING.value})
    assert {one["tries"] for one in await waiting.to_list()} <= {0, 1}
    assert await store["deliveries"].count_documents({"taken": {"$exists": True}}) == 0


async def test_a_receiver_that_is_gone_is_switched_off_and_what_waits_is_kept_as_dead_letters(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    made = await subscribed(engine, organization_id, URL)
    await told(store, clock, *(fact(organization_id, n, clock) for n in range(1, 101)))
    post = always(Answer(410, DeliveryError.STATUS))
    sender = sender_of(engine, post, clock)
    while await one_round(sender):
        pass
    webhook = await webhooks.get_webhook(engine, organization_id, made.webhook.id)
    assert (webhook.active, webhook.off_because) == (False, OffReason.GONE)
    organization = await store["organizations"].find_one({"_id": organization_id})
    assert organization is not None
    assert organization["fact_types"] == []
    assert len(post.got[URL]) <= 8
    assert await store["deliveries"].count_documents({"state": DeliveryState.DEAD.value}) == 100
    assert await told(store, clock, fact(organization_id, 101, clock)) == []


async def test_an_event_is_for_those_that_want_its_type_and_its_campaign(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    everywhere = await subscribed(engine, organization_id, URL)
    # Made for a campaign that the engine does not look up here.
    of_campaign = (await subscribed(engine, organization_id, URL)).webhook.id
    await store["webhooks"].update_one({"_id": of_campaign}, {"$set": {"campaign_id": "spring"}})
    await subscribed(engine, organization_id, URL, events=["call.placed"])
    await subscribed(engine, organization_id, URL, active=False)

    async def receivers(one: OrgFact) -> set[str]:
        return {delivery.webhook_id for delivery in await told(store, clock, one)}

    assert await receivers(fact(organization_id, 1, clock, campaign_id="spring")) == {
        everywhere.webhook.id,
        of_campaign,
    }
    assert await receivers(fact(organization_id, 2, clock, campaign_id="autumn")) == {everywhere.webhook.id}
    assert await receivers(fact(organization_id, 3, clock)) == {everywhere.webhook.id}
    assert await receivers(fact(str(uuid.uuid4()), 4, clock)) == set()


async def test_a_fact_that_comes_twice_is_told_once(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    await subscribed(engine, organization_id, URL)
    post = always(ACCEPTED)
    sender = sender_of(engine, post, clock)
    one = fact(organization_id, 1, clock)
    await told(store, clock, one)
    await one_round(sender)
    assert len(await told(store, clock, one)) == 1
    assert await one_round(sender) == 0
    assert len(post.got[URL]) == 1


async def test_a_secret_that_no_key_opens_holds_up_its_own_webhook_alone(
    engine: Engine, store: Store, organization_id: str, clock: Clock
) -> None:
    broken = (await subscribed(engine, organization_id, URL + "/broken")).webhook.id
    await subscribed(engine, organization_id, URL)
    await store["webhooks"].update_one({"_id": broken}, {"$set": {"secret": "of another key"}})
    made = await told(store, clock, fact(organization_id, 1, clock))
    post = always(ACCEPTED)
    await one_round(sender_of(engine, post, clock))
    errors = {one.webhook_id: (await seen(store, one)).last_error for one in made}
    assert errors.pop(broken) is DeliveryError.SECRET
    assert set(errors.values()) == {None}
    assert (len(post.got[URL]), len(post.got[URL + "/broken"])) == (1, 0)


async def test_answers_are_written_once_mongodb_is_back(
    engine: Engine, store: Store, organization_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribed(engine, organization_id, URL)
    [delivery] = await told(store, clock, fact(organization_id, 1, clock))
    away = [True, True]
    write = stored.mark

    async def sometimes(*arguments: Any) -> None:
        if away:
            away.pop()
            raise Unavailable("MongoDB")
        await write(*arguments)

    monkeypatch.setattr("services.webhook_sender.sender.mark", sometimes)
    monkeypatch.setattr("services.webhook_sender.sender.AWAY_SECONDS", 0.01)
    post = always(ACCEPTED)
    sender = sender_of(engine, post, clock)
    running = asyncio.create_task(sender.run())

    async def delivered() -> bool:
        return (await seen(store, delivery)).state is DeliveryState.DELIVERED

    await eventually(delivered, saying="the mark")
    sender.end()
    await running
    assert len(post.got[URL]) == 1


async def test_what_was_taken_while_mongodb_goes_away_is_in_hand_no_more(
    engine: Engine, store: Store, organization_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a webhook deleted meanwhile: each time it was forgotten in vain, there was less room, and in the end none."""
    kept = (await subscribed(engine, organization_id, URL)).webhook.id
    deleted = (await subscribed(engine, organization_id, URL + "/deleted")).webhook.id
    await told(store, clock, *(fact(organization_id, n, clock) for n in range(1, 4)))
    await store["webhooks"].delete_one({"_id": deleted})

    async def away(*_: Any) -> None:
        raise Unavailable("MongoDB")

    post = always(ACCEPTED)
    sender = sender_of(engine, post, clock, connections=3)
    with monkeypatch.context() as patched:
        patched.setattr("services.webhook_sender.sender.drop_waiting", away)
        with pytest.raises(Unavailable):
            await sender.look()
    await sender.settled()
    clock.move(TAKEN.total_seconds())
    while await one_round(sender):
        pass
    assert len(post.got[URL]) == 3
    assert await store["deliveries"].count_documents({"webhook_id": kept, "state": "delivered"}) == 3
    assert await store["deliveries"].count_documents({"webhook_id": deleted}) == 0


async def test_a_sender_that_a_bug_keeps_from_writing_answers_ends(
    engine: Engine, store: Store, organization_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process ends with it and is started again; before, it went on with full hands and sent nothing."""
    await subscribed(engine, organization_id, URL)
    await told(store, clock, fact(organization_id, 1, clock))

    async def broken(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("services.webhook_sender.sender.mark", broken)
    with pytest.raises(KeyError):
        await asyncio.wait_for(sender_of(engine, always(ACCEPTED), clock).run(), 20)


@pytest.mark.parametrize("code", [None, 189], ids=["unconfirmed", "stepped down"])
async def test_deliveries_that_no_majority_has_are_not_taken_for_stored(
    engine: Engine,
    store: Store,
    organization_id: str,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    code: int | None,
) -> None:
    """Facts that come again are there in part; the rest was taken for stored, or ended the reader for good."""
    await subscribed(engine, organization_id, URL)
    wrong = [{"code": 11000}] if code is None else [{"code": 11000}, {"code": code}]
    details = {"nInserted": 1, "writeErrors": wrong, "writeConcernErrors": [{"code": 64}] if code is None else []}

    async def in_part(*_: Any, **__: Any) -> None:
        raise BulkWriteError(details)

    monkeypatch.setattr(AsyncCollection, "insert_many", in_part)
    with pytest.raises(Unavailable):
        await told(store, clock, fact(organization_id, 1, clock))


async def test_looking_for_what_is_due_is_one_look_a_webhook_however_much_waits(store: Store, clock: Clock) -> None:
    for webhook_id in ("a", "b"):
        await add_deliveries(
            store,
            [
                Delivery(
                    id=f"{webhook_id}-{n}",
                    organization_id="o",
                    webhook_id=webhook_id,
                    event_id="evt_1",
                    event="call.ended",
                    at=clock.now(),
                    created_at=clock.now() + timedelta(seconds=n if webhook_id == "b" else -n),
                    fact=None,
                )
                for n in range(500)
            ],
        )
    assert await stored.waiting_webhooks(store, clock.now()) == ["a", "b"]
    assert await stored.waiting_webhooks(store, clock.now() - timedelta(seconds=1)) == ["a"]
    first = [
        {"$match": {"queue": {"$gt": ""}}},
        {"$sort": {"queue": 1, "due_at": 1}},
        {"$group": {"_id": "$queue", "due_at": {"$first": "$due_at"}}},
    ]
    plan = await store.db.command(
        "explain", {"aggregate": "deliveries", "pipeline": first, "cursor": {}}, verbosity="executionStats"
    )
    assert "DISTINCT_SCAN" in str(plan), plan
