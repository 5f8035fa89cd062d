"""A campaign as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.breaker import CircuitBreaker
from shared.domain.caller_numbers import ListedNumber, NumberChoice
from shared.domain.campaign import (
    Course,
    ShownState,
    shown_state,
)
from shared.domain.known_words import known
from shared.domain.queue_order import QueueOrder
from shared.domain.stored_files import SourceFile
from shared.store.catalog.courses import course_of
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete

# What a campaign is for, in its owner's words: no rule reads them.
DESCRIPTIVE: Final = ("description", "objective", "labels", "company_id")


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign as it is stored; the overrides are None where the configuration's value holds.

    `number` is unique within the organization, and higher than those of campaigns made before. `completed_at` (UTC) is
    None again once another run begins, `last_completed_at` (UTC) stays.
    """

    id: str
    organization_id: str
    shard: int
    external_id: str | None
    name: str
    course: Course
    priority: int
    configuration_id: str
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    concurrency_limit: int | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    last_completed_at: datetime | None = None
    calls_per_second: float | None = None
    order: QueueOrder = QueueOrder.FRESH_FIRST
    caller_numbers: tuple[ListedNumber, ...] = ()
    caller_number_pool: str | None = None
    caller_number_choice: NumberChoice | None = None
    auto_complete: bool = False
    number: int | None = None
    description: str | None = None
    objective: str | None = None
    labels: Mapping[str, Any] | None = None
    company_id: str | None = None
    max_calls: int | None = None
    circuit_breaker: CircuitBreaker | None = None
    telephony_account_id: str | None = None
    redial_of: str | None = None
    redialed_as: str | None = None
    source_file: SourceFile | None = None
    kept_words: Mapping[str, Any] | None = None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Campaign":
        """The campaign as it is stored."""
        document = complete(CampaignDocument, stored)
        choice = document["caller_number_choice"]
        return cls(
            id=document["_id"],
            organization_id=document["organization_id"],
            shard=document["shard"],
            external_id=document["external_id"] or document["former_external_id"],
            name=document["name"],
            course=course_of(document),
            priority=document["priority"],
            configuration_id=document["configuration_id"],
            agent_id=document["agent_id"],
            agent_version=document["agent_version"],
            agent_number=document["agent_number"],
            concurrency_limit=document["concurrency_limit"],
            created_at=document["created_at"],
            updated_at=document["updated_at"],
            started_at=document["started_at"],
            completed_at=document["completed_at"],
            last_completed_at=document["last_completed_at"],
            calls_per_second=document["calls_per_second"],
            order=known(QueueOrder, document["order"]) or QueueOrder.FRESH_FIRST,
            caller_numbers=_listed(document),
            caller_number_pool=document["caller_number_pool"],
            caller_number_choice=None if choice is None else NumberChoice(choice),
            auto_complete=document["auto_complete"],
            number=document["number"],
            **{name: document[name] for name in DESCRIPTIVE},
            max_calls=document["max_calls"],
            circuit_breaker=CircuitBreaker.from_document(document["circuit_breaker"]),
            telephony_account_id=document["telephony_account_id"],
            redial_of=document["redial_of"],
            redialed_as=document["redialed_as"],
            source_file=SourceFile.from_document(document["source_file"]),
            kept_words=document["kept_words"],
        )

    def shown(self, now: datetime) -> ShownState:
        """The campaign's state at `now`."""
        return shown_state(self.course, now)


def _listed(document: Mapping[str, Any]) -> tuple[ListedNumber, ...]:
    return tuple(ListedNumber(each["id"], each["weight"]) for each in document["caller_numbers"] or ())
