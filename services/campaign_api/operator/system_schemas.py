"""The installation, for its operator."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from services.campaign_api.http.requests import RequestBody
from shared.engine.installation import Letter, State, TopicState

MOST_AT_ONCE: Final = 1000


class TopicName(StrEnum):
    """The topics of shared/topics.py."""

    CONTACT_BATCHES = "contact.batches"
    DIAL_JOBS = "dial.jobs"
    JOBS = "jobs"
    ORG_EVENTS = "org.events"
    ORG_FACTS = "org.facts"


class TopicView(BaseModel):
    """A topic of Kafka."""

    name: str
    group: str = Field(description="The consumer group that reads it.")
    exists: bool
    readers: int = Field(description="Members of the group; 0: nobody reads.")
    unread: int = Field(description="Records behind those that are done, Kafka's own among them.")
    dead_letters: int = Field(description="Those that wait to be put back.")

    @classmethod
    def of(cls, state: TopicState) -> Self:
        """As the operator sees it."""
        return cls(
            name=state.topic.name,
            group=state.topic.group,
            exists=state.exists,
            readers=state.readers,
            unread=state.unread,
            dead_letters=state.dead_letters,
        )


class ExecutorView(BaseModel):
    """A call-executor, as it last said of itself."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    alive: bool = Field(description="It was heard of in the last ten seconds.")
    draining: bool
    capacity: int = Field(description="Calls at once.")
    calls_per_second: float
    seen_at: datetime


class SchedulerView(BaseModel):
    """A scheduler, as it last said of itself."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    alive: bool = Field(description="It was heard of in the last ten seconds.")
    shards: list[int]
    waiting: dict[str, int] = Field(
        description="Slots that wait for evidence, by reason: `executor_dead`, `not_reported`, `past_longest_call`."
    )
    oldest_at: datetime | None = Field(description="When the oldest call among those began.")
    given_up_by: datetime | None = Field(description="When the last of those slots is given up.")
    seen_at: datetime


class ShardView(BaseModel):
    """A shard of organizations."""

    model_config = ConfigDict(from_attributes=True)

    shard: int
    scheduler: str | None = Field(description="The living one that owns it; null: nobody dials its organizations.")
    held: int = Field(description="Slots held by its calls.")
    granted: int = Field(description="Slots of the global limit that it may hold.")
    organizations_waiting: int = Field(description="Its organizations with contacts due.")


class DialingView(BaseModel):
    """What schedulers and executors do."""

    model_config = ConfigDict(from_attributes=True)

    executors: list[ExecutorView] = Field(description="Those of the last hour.")
    schedulers: list[SchedulerView] = Field(description="Those of the last hour.")
    shards: list[ShardView]
    held: int = Field(description="Calls at once, those being placed included.")
    limit: int = Field(description="As many there may be; 0 while no executor is alive.")


class SystemView(BaseModel):
    """The installation. What a server that is away would tell is null."""

    kafka: bool = Field(description="Whether Kafka answers.")
    mongodb: bool = Field(description="Whether MongoDB answers.")
    topics: list[TopicView] | None
    dialing: DialingView | None

    @classmethod
    def of(cls, state: State) -> Self:
        """As the operator sees it."""
        return cls(
            kafka=state.topics is not None,
            mongodb=state.dialing is not None,
            topics=None if state.topics is None else [TopicView.of(one) for one in state.topics],
            dialing=None if state.dialing is None else DialingView.model_validate(state.dialing),
        )


class DeadLetterView(BaseModel):
    """The story of a message that could not be used; what it holds is not shown."""

    model_config = ConfigDict(from_attributes=True)

    offset: int = Field(description="Its place among the dead letters.")
    partition: int | None = Field(description="Where the message stood; null: nobody of Dialstream put it there.")
    origin_offset: int | None
    died_at: datetime | None
    error: str = Field(description="The class of the error.", examples=["UnreadableBatch"])
    message: str
    replays: int = Field(description="So often it was put back already.")
    bytes: int

    @classmethod
    def of(cls, letter: Letter) -> Self:
        """As the operator sees it."""
        return cls.model_validate(letter)


class DeadLetters(BaseModel):
    """Dead letters that wait to be put back, oldest first."""

    dead_letters: list[DeadLetterView]


class ReplayDeadLetters(RequestBody):
    """How many are to be put back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"limit": 100}]})

    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = Field(100, description="At most so many, oldest first.")


class ReplayedLetters(BaseModel):
    """What became of dead letters."""

    put_back: int = Field(description="They are read once more; those that die again wait again.")
    left_out: int = Field(description="Strangers' records, and messages too large for the topic; they wait no more.")
