"""The operator's look at the installation: what reads which topic, what dials; dead letters and their replay."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from deploy.create_topics import create_topics, delete_topics
from shared.bus.dead_letters import send_to_dead_letters
from shared.bus.producer import Producer, Record
from shared.clock import utc_now
from shared.domain.ids import SHARDS
from shared.errors import PermanentError
from shared.settings import KafkaSettings
from shared.store.client import connect
from shared.store.dialing import schedulers, shards
from shared.store.dialing.executors import Heartbeat, beat
from shared.store.dialing.schedulers import SchedulerReport
from shared.store.migrations.schema import read_version
from shared.topics import CONTACT_BATCHES, JOBS, TOPICS
from tests.integration.campaign_api.client import Api, Customer, unique
from tests.integration.campaign_api.conftest import Stack, serving, settings_for


class UnreadableJob(PermanentError):
    """What a message dies of here."""


@pytest.fixture
async def own(stack: Stack) -> AsyncIterator[Stack]:
    """Topics and a database of the test's own, with a producer."""
    kafka = KafkaSettings(kafka=stack.settings.kafka, topic_prefix=f"{unique('system')}.")
    await create_topics(kafka)
    settings = settings_for(kafka.kafka, stack.settings.mongodb, kafka.topic_prefix)
    store, producer = connect(settings), Producer(settings)
    await read_version(store)
    await producer.start()
    yield Stack(settings, store, producer)
    await producer.stop()
    await store.client.drop_database(settings.mongodb_database)
    await store.close()
    await delete_topics(kafka)


@pytest.fixture
async def installation(own: Stack) -> AsyncIterator[Api]:
    """A gateway of that installation."""
    async with serving(own.settings, own.store, own.producer) as running:
        yield running


async def die(stack: Stack, *values: bytes) -> None:
    """Have messages of `jobs` die."""
    for offset, value in enumerate(values):
        record: ConsumerRecord[bytes | None, bytes | None] = ConsumerRecord(
            topic=stack.producer.topic_name(JOBS),
            partition=3,
            offset=offset,
            timestamp=0,
            timestamp_type=0,
            key=b"job",
            value=value,
            checksum=None,
            serialized_key_size=3,
            serialized_value_size=len(value),
            headers=(),
        )
        await send_to_dead_letters(stack.producer, JOBS, record, UnreadableJob("job_id: missing"), utc_now())


async def look(api: Api) -> dict[str, Any]:
    answer = await api.admin("GET", "/system")
    assert answer.status == 200, answer.raw
    found: dict[str, Any] = answer.body
    return found


async def test_topics_say_who_reads_them_and_what_is_unread(installation: Api, own: Stack) -> None:
    await own.producer.publish(CONTACT_BATCHES, [Record(partition, None, b"batch") for partition in (0, 0, 5)])
    await die(own, b"one", b"two")
    found = await look(installation)
    assert (found["kafka"], found["mongodb"]) == (True, True)
    assert [topic["name"] for topic in found["topics"]] == [topic.name for topic in TOPICS]
    topics = {topic["name"]: topic for topic in found["topics"]}
    batches = {"exists": True, "readers": 0, "unread": 3, "dead_letters": 0}
    assert topics["contact.batches"].items() >= batches.items()
    assert (topics["jobs"]["unread"], topics["jobs"]["dead_letters"]) == (0, 2)


async def test_executors_schedulers_and_shards_are_as_they_said_of_themselves(installation: Api, own: Stack) -> None:
    await shards.ensure_shards(own.store)
    await shards.set_global_limit(own.store, 40)
    await beat(own.store, Heartbeat("executor-0", 7, 40, 10.0, draining=False))
    now = utc_now()
    await schedulers.report(own.store, SchedulerReport("scheduler-0", [0, 2], {"executor_dead": 3}, now, now))
    await schedulers.report(own.store, SchedulerReport("scheduler-1", [1], {}))
    away = {"_id": "scheduler-1"}
    await own.store["schedulers"].update_one(away, [{"$set": {"seen_at": {"$subtract": ["$$NOW", 60_000]}}}])
    dialing = (await look(installation))["dialing"]
    assert [(one["id"], one["alive"], one["capacity"]) for one in dialing["executors"]] == [("executor-0", True, 40)]
    assert [(one["id"], one["alive"], one["waiting"]) for one in dialing["schedulers"]] == [
        ("scheduler-0", True, {"executor_dead": 3}),
        ("scheduler-1", False, {}),
    ]
    owners = [shard["scheduler"] for shard in dialing["shards"]]
    assert owners == ["scheduler-0", None, "scheduler-0", *[None] * (SHARDS - 3)]
    assert (dialing["held"], dialing["limit"]) == (0, 40)


async def test_dead_letters_are_listed_and_put_back_oldest_first(installation: Api, own: Stack) -> None:
    await die(own, b"one", b"second", b"three")
    listed = (await installation.admin("GET", "/dead-letters/jobs?limit=2")).body["dead_letters"]
    assert [(one["offset"], one["partition"], one["origin_offset"]) for one in listed] == [(0, 3, 0), (1, 3, 1)]
    assert [(one["error"], one["message"]) for one in listed] == [("UnreadableJob", "job_id: missing")] * 2
    assert [(one["replays"], one["bytes"]) for one in listed] == [(0, 6), (0, 9)]
    assert all(one["died_at"] for one in listed)
    done = await installation.admin("POST", "/dead-letters/jobs/replay", {"limit": 2})
    assert done.body == {"put_back": 2, "left_out": 0}
    [left] = (await installation.admin("GET", "/dead-letters/jobs")).body["dead_letters"]
    assert left["offset"] == 2
    jobs = next(topic for topic in (await look(installation))["topics"] if topic["name"] == "jobs")
    assert (jobs["unread"], jobs["dead_letters"]) == (2, 1)


async def test_what_strangers_put_among_dead_letters_has_no_origin_and_is_left_out(
    installation: Api, own: Stack
) -> None:
    letters = own.producer.prefix + JOBS.dead_letter
    strange = (("dialstream-died-at", b"yesterday"), ("dialstream-origin-partition", b"99"), ("x", b"\xff\x00"))
    await own.producer.publish_to(letters, [Record(0, None, b"?", strange)])
    [letter] = (await installation.admin("GET", "/dead-letters/jobs")).body["dead_letters"]
    assert (letter["partition"], letter["died_at"], letter["error"], letter["bytes"]) == (None, None, "", 1)
    assert (await installation.admin("POST", "/dead-letters/jobs/replay")).body == {"put_back": 0, "left_out": 1}


async def test_a_topic_that_does_not_exist_is_said_to_be_missing(stack: Stack) -> None:
    settings = settings_for(stack.settings.kafka, stack.settings.mongodb, f"{unique('none')}.")
    producer = Producer(settings)
    await producer.start()
    async with serving(settings, stack.store, producer) as api:
        topics = (await look(api))["topics"]
    await producer.stop()
    assert [topic["exists"] for topic in topics] == [False] * len(TOPICS)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/dead-letters/contacts", None),
        ("GET", "/dead-letters/jobs?limit=0", None),
        ("POST", "/dead-letters/jobs/replay", {"limit": 0}),
        ("POST", "/dead-letters/jobs/replay", {"limit": 1001}),
        ("POST", "/dead-letters/jobs/replay", {"topic": "jobs"}),
    ],
)
async def test_a_bad_question_is_422(api: Api, method: str, path: str, body: Any) -> None:
    assert (await api.admin(method, path, body)).status == 422


@pytest.mark.parametrize("path", ["/system", "/dead-letters/jobs", "/organizations/x"])
async def test_a_customer_sees_nothing_of_it(acme: Customer, path: str) -> None:
    assert (await acme.api.call("GET", f"/admin{path}", key=acme.key)).status == 401


async def test_one_organization_and_its_keys_alone_can_be_asked_for(acme: Customer, other: Customer) -> None:
    found = await acme.api.admin("GET", f"/organizations/{acme.organization_id}")
    assert (found.status, found.body["name"]) == (200, "Acme")
    assert (await acme.api.admin("GET", "/organizations/none")).status == 404
    keys = (await acme.api.admin("GET", f"/organization-pats?organization_id={acme.organization_id}")).body
    assert {key["organization_id"] for key in keys["organization_pats"]} == {acme.organization_id}
    both = [acme.organization_id, other.organization_id]
    wish = {"person": "ada@example.com", "organization_ids": both, "name": "laptop"}
    token = (await acme.api.admin("POST", "/personal-tokens", wish)).body
    for organization in both:
        listed = (await acme.api.admin("GET", f"/personal-tokens?organization_id={organization}")).body
        assert [one["id"] for one in listed["personal_tokens"]] == [token["id"]]
