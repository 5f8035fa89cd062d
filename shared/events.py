"""Every Kafka message, once: frozen, versioned, JSON. Messages are hints; MongoDB is the truth.

`contact.batches` is the one topic whose messages come from outside; its value is `ContactBatch`, whose
rows are validated one by one by contact-ingest and therefore are plain objects here.

What is let in here must be bearable everywhere behind: an event that cannot be stored would stop its shard
for good, and a hundred large ones are more than MongoDB takes in one question.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from shared.domain.facts import FactType, fact_id
from shared.domain.fields import Remark
from shared.domain.ids import SHARDS
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal

MAX_BATCH_CONTACTS: Final = 1000


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("datetime_range", "Write a time between the years 1 and 9999 in UTC") from error


Id = Annotated[str, Field(min_length=1, max_length=255)]
"""An id of ours."""

Shard = Annotated[int, Field(ge=0, lt=SHARDS)]
"""A shard that there is."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time that can be stored and compared."""


class Message(BaseModel):
    """What all messages share. Unknown fields are ignored so that an older reader survives a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = 1


class ContactBatch(BaseModel):
    """Up to 1,000 contacts for one campaign, published by a customer to `contact.batches`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1]
    batch_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Yours. The same bytes again are a no-op; another message under a stored id is refused.",
        ),
    ]
    organization_id: Annotated[str, Field(min_length=1, max_length=64)]
    credential: Annotated[
        str | None,
        Field(max_length=512, description="An organization key `ak_<id>.<secret>`; or sign the message by headers."),
    ] = None
    campaign: Annotated[str, Field(min_length=1, max_length=255, description="Campaign id, external_id, or `default`.")]
    contacts: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH_CONTACTS)]


class DialJob(Message):
    """The order to make one attempt. Worthless after `not_after`: the claim has expired by then.

    A paced call is placed at `place_at` by the database's clock, or up to a second later; null: as soon as can be.

    It carries no contact data: the executor reads that from MongoDB when it starts the job, so an edit
    made in between counts and no personal data stays in the log.
    """

    attempt_id: Id
    claim_id: Id
    organization_id: Id
    shard: Shard
    campaign_id: Id
    contact_id: Id
    not_after: Moment
    place_at: Moment | None = None


class OrgEvent(Message):
    """What all events of `org.events` share."""

    organization_id: Id
    shard: Shard


class CallAnswered(OrgEvent):
    """The person (or a machine) picked up; the call is still up."""

    type: Literal["call_answered"] = "call_answered"
    attempt_id: Id
    contact_id: Id
    answered_at: Moment


class CallFinished(OrgEvent):
    """A call has an ending. `proven` means that the carrier itself said so.

    `by_numbers`: the carrier was asked by the call's two numbers and time, for its id was never heard of. The call that
    was found may be that of a later attempt, so the ending counts only while the contact is on this one.
    `message_left`: a message was left on a machine, or may have been.
    """

    type: Literal["call_finished"] = "call_finished"
    attempt_id: Id
    contact_id: Id
    outcome: Outcome
    proven: bool = True
    started_at: Moment | None = None
    answered_at: Moment | None = None
    ended_at: Moment
    duration_seconds: Annotated[float, Field(allow_inf_nan=False)] | None = None
    provider_call_id: Remark | None = None
    error: Remark | None = None
    refusal: Refusal | None = None  # set when the ending speaks of us: no limit of attempts counts it
    by_numbers: bool = False
    message_left: bool = False


class OutcomeUnknown(OrgEvent):
    """A placement whose answer was lost: the contact stays in progress until evidence arrives."""

    type: Literal["outcome_unknown"] = "outcome_unknown"
    attempt_id: Id
    contact_id: Id


class JobReleased(OrgEvent):
    """An executor gives a job back. `nonce` is null when it was never started.

    `refusal` is what the carrier said when it refused the call for a reason that speaks of us; what that names rests.
    """

    type: Literal["job_released"] = "job_released"
    attempt_id: Id
    contact_id: Id
    nonce: Id | None
    reason: Remark
    refusal: Refusal | None = None


class ProbePlaced(OrgEvent):
    """The carrier took a call that asked whether something that rested may be used again; the rest ends."""

    type: Literal["probe_placed"] = "probe_placed"
    attempt_id: Id
    contact_id: Id


class ContactsAdded(OrgEvent):
    """Contacts of a campaign were added, changed or asked to be deleted; with `asked`, something is asked of some."""

    type: Literal["contacts_added"] = "contacts_added"
    campaign_id: Id
    asked: bool = False


class CampaignChanged(OrgEvent):
    """A campaign was created, edited or moved, or its configuration was edited."""

    type: Literal["campaign_changed"] = "campaign_changed"
    campaign_id: Id


class LimitsChanged(OrgEvent):
    """The organization's own document changed: its limits, its do-not-call list, its configurations."""

    type: Literal["limits_changed"] = "limits_changed"


AnyOrgEvent = Annotated[
    CallAnswered
    | CallFinished
    | OutcomeUnknown
    | JobReleased
    | ProbePlaced
    | ContactsAdded
    | CampaignChanged
    | LimitsChanged,
    Field(discriminator="type"),
]


class OrgFact(Message):
    """Something that has become true, for webhooks: the `n`-th fact of its shard, from 1 on, without gaps.

    Facts of a shard first come in order of `n`; after a failure some come again. A reader that handles those of a
    partition in order, and ignores every `n` that is not above the highest it has handled, sees each once.
    """

    shard: Shard
    n: Annotated[int, Field(ge=1)]
    organization_id: Id
    type: FactType
    at: Moment
    campaign_id: Annotated[Id | None, Field(description="`default` for contacts of no campaign.")] = None
    contact_id: Id | None = None
    attempt_id: Id | None = None
    person_id: Id | None = None
    callback_id: Id | None = None
    facts: Annotated[dict[str, Any], Field(description="What was true then; which fields, the type decides.")] = Field(
        default_factory=dict
    )

    @property
    def id(self) -> str:
        """The fact's id, the same however often it comes."""
        return fact_id(self.shard, self.n)


CONTACT_BATCH: TypeAdapter[ContactBatch] = TypeAdapter(ContactBatch)
DIAL_JOB: TypeAdapter[DialJob] = TypeAdapter(DialJob)
ORG_EVENT: TypeAdapter[AnyOrgEvent] = TypeAdapter(AnyOrgEvent)
ORG_FACT: TypeAdapter[OrgFact] = TypeAdapter(OrgFact)
