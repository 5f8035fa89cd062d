"""What the console says is amiss in an installation."""

from typing import Any

import pytest

from services.campaign_api.operator.system_schemas import TopicName
from services.console import system_words
from services.scheduler.evidence.suspects import Reason
from shared.topics import TOPICS

EXECUTOR = {"alive": True, "draining": False}


def topic(**fields: Any) -> dict[str, Any]:
    usual = {"name": "jobs", "group": "contact-ingest.jobs", "exists": True, "readers": 1}
    return {**usual, "unread": 0, "dead_letters": 0, **fields}


def scheduler(**fields: Any) -> dict[str, Any]:
    return {"alive": True, "waiting": {}, "oldest_at": None, "given_up_by": None, **fields}


def dialing(**fields: Any) -> dict[str, Any]:
    shard = {"shard": 0, "scheduler": "scheduler-0"}
    usual = {"executors": [EXECUTOR], "schedulers": [scheduler()], "shards": [shard], "held": 1, "limit": 10}
    return {**usual, **fields}


def system(**fields: Any) -> dict[str, Any]:
    return {"kafka": True, "mongodb": True, "topics": [topic()], "dialing": dialing(), **fields}


def test_where_all_is_well_nothing_is_amiss() -> None:
    assert system_words.faults(system()) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (system(kafka=False, topics=None), "Kafka is away"),
        (system(mongodb=False, dialing=None), "MongoDB is away"),
        (
            system(topics=[topic(exists=False, readers=0)]),
            "There is no topic jobs: run python -m",
        ),
        (
            system(topics=[topic(readers=0)]),
            "Nobody reads jobs, so imports and redials stand still: start a contact-ingest.",
        ),
        (system(topics=[topic(unread=1001)]), "1,001 records of jobs unread"),
        (system(topics=[topic(dead_letters=1)]), "1 dead letter of jobs"),
        (system(dialing=dialing(executors=[])), "No executor takes calls"),
        (system(dialing=dialing(executors=[{"alive": False, "draining": False}])), "No executor takes calls"),
        (system(dialing=dialing(executors=[{"alive": True, "draining": True}])), "No executor takes calls"),
        (system(dialing=dialing(held=10)), "add executors, or raise the limit"),
        (system(dialing=dialing(shards=[{"shard": 3, "scheduler": None}])), "1 shard without a scheduler (3)"),
        (
            system(dialing=dialing(schedulers=[scheduler(waiting={"executor_dead": 2})])),
            "2 slots held by calls whose ending nobody has reported.",
        ),
    ],
)
def test_a_fault_is_said_once_with_what_to_do(found: dict[str, Any], said: str) -> None:
    [fault] = system_words.faults(found)
    assert said in fault


def test_some_unread_records_are_no_fault() -> None:
    assert system_words.faults(system(topics=[topic(unread=1000)])) == []


def test_slots_of_all_living_schedulers_are_added_up() -> None:
    early, late = "2026-11-29T12:00:00Z", "2026-11-29T13:00:00Z"
    found = dialing(
        schedulers=[
            scheduler(waiting={"executor_dead": 2, "not_reported": 1}, oldest_at=late, given_up_by=late),
            scheduler(waiting={"executor_dead": 1}, oldest_at=early, given_up_by=early),
            scheduler(waiting={"executor_dead": 9}, alive=False),
        ]
    )
    evidence = system_words.waiting_for_evidence(found)
    assert evidence.reasons == {"executor_dead": 3, "not_reported": 1}
    assert (evidence.slots, evidence.oldest_at, evidence.given_up_by) == (4, early, late)
    assert system_words.waiting_for_evidence(None).slots == 0


def test_every_group_and_every_reason_has_its_words_and_every_topic_can_be_named() -> None:
    assert system_words.READERS.keys() == {topic.group for topic in TOPICS}
    assert system_words.EVIDENCE.keys() == set(Reason)
    assert [*TopicName] == [topic.name for topic in TOPICS]
