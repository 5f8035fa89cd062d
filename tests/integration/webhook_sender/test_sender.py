"""The sender on a clock of its own: tries, waits, dead letters, senders that are killed, receivers that hang."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.webhook_sender.sender import TAKEN
from shared.domain.webhook_signatures import standard_secret
from shared.domain.webhooks import MAX_TRIES, RETRY_SECONDS, Answer, DeliveryError, DeliveryState, Dialect, OffReason
from shared.engine import webhooks
from shared.engine.engine import Engine
from shared.events import OrgFact
from shared.store.client import Store
from tests.eventually import eventually
from tests.integration.webhook_sender.conftest import Clock, subscribed
from tests.integration.webhook_sender.sending import (
    ACCEPTED,
    BROKEN,
    HANGING,
    URL,
    Post,
    always,
    fact,
    one_round,
    seen,
    sender_of,
    told,
)


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
    engine: Engine, organization_id: str, clock: Clock, dialect: Dialect, names: set[str]
) -> None:
    made = await subscribed(engine, organization_id, URL, dialect=dialect)
    await webhooks.send_test(engine, organization_id, made.webhook.id, clock.now())
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
