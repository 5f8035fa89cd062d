"""What customers and operators set up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.campaign import DEFAULT_PRIORITY
from shared.domain.organization_hours import LegalHoursUse
from shared.domain.queue_order import QueueOrder

# The `source` of do-not-call entries that came through the native API, and of those that a person asked for in a call.
NATIVE: Final = "native"
FROM_CALL: Final = "call"
# Fields of campaigns that are for people: no rule of dialing reads them, and they may have 145 kB together.
FOR_PEOPLE: Final = ("description", "objective", "labels", "company_id", "source_file", "kept_words")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationDocument:
    """`organizations`: one customer. `concurrency_limit` None: the default one.

    `caller_number_count` is how many caller numbers it has registered, `campaign_number` the highest number that one of
    its campaigns was given, `registered_agents` that of its agents.
    """

    id: str
    name: str
    shard: int
    created_at: datetime
    changed_at: datetime
    concurrency_limit: int | None = None
    default_agent_number: str | None = None
    exclusive_caller_numbers: Sequence[str] = ()
    refused_number_types: Sequence[str] = ()
    # As `OrganizationHours` reads them.
    closures: Sequence[Mapping[str, Any]] = ()
    holiday_calendars: Sequence[str] = ()
    legal_hours: str = LegalHoursUse.OFF
    max_attempts_per_number_per_day: int | None = None
    max_attempts_per_number_per_week: int | None = None
    min_minutes_between_calls: int | None = None
    calls_per_second: float | None = None
    # Of each of its credentials, as `request_windows` reads them.
    request_limits: str | None = None
    caller_number_count: int = 0
    campaign_number: int = 0
    registered_agents: int = 0
    slug: str | None = None
    external_id: str | None = None
    # Counted up by those who look whether anybody of the contact book has a phone before they write that.
    phones_taken: int = 0
    # The highest serial that one of its caller numbers was given, and number that one of its accounts was.
    caller_number_serial: int = 0
    account_number: int = 0
    # How many telephony accounts it has, and the one that it has chosen as its default.
    account_count: int = 0
    default_account_id: str | None = None
    # Types of facts that any of its subscriptions wants; kept in the transaction that writes a subscription.
    fact_types: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyDocument:
    """`api_keys`: one credential; `digest` is all that is kept of its secret."""

    id: str
    kind: str
    digest: str
    name: str
    organization_ids: Sequence[str]
    scopes: Sequence[str]
    created_at: datetime
    person: str | None = None
    expires_at: datetime | None = None
    request_limits: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCountDocument:
    """`request_counts`: the requests of one credential in one window, by the process that has counted them."""

    id: str
    by: Mapping[str, int]
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKeyDocument:
    """`idempotency_keys`: a key under which a request is done once, by organization and the key's digest.

    `answer` {status, body, media_type} is None until the work is done. MongoDB forgets it at `expires_at`.
    """

    id: str
    organization_id: str
    fingerprint: str
    work_id: str
    claimed_at: datetime
    expires_at: datetime
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationDocument:
    """`configurations`: rules that campaigns share. The rules themselves, and their defaults, are `Configuration`'s.

    One with `campaign_id` is private to that campaign, and is hidden with it from `deleted_at` on.
    """

    id: str
    organization_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    campaign_count: int
    campaign_id: str | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDocument:
    """`campaigns`: one campaign. `external_id` is absent, never null, where there is none: it has a unique index.

    A deleted campaign (`deleted_at`) keeps its own as `former_external_id`, so that another one may have it.
    """

    id: str
    organization_id: str
    shard: int
    name: str
    configuration_id: str
    created_at: datetime
    updated_at: datetime
    # By campaign-api: what its owner wants.
    intent: str
    generation: int
    start_at: datetime | None = None
    end_at: datetime | None = None
    auto_complete: bool = False
    # By the scheduler, and by the API's move that opens a run: what has come of it.
    run: Mapping[str, Any] | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    # Stays when another run begins.
    last_completed_at: datetime | None = None
    imports: int = 0
    # Counted up by every write of intent or run.
    fact_seq: int = 0
    # By those who add contacts: how many processes have begun to.
    sources: int = 0
    external_id: str | None = None
    priority: int = DEFAULT_PRIORITY
    agent_id: str | None = None
    agent_version: str | None = None
    agent_number: str | None = None
    concurrency_limit: int | None = None
    calls_per_second: float | None = None
    # Of each run; None: no limit.
    max_calls: int | None = None
    # As `CircuitBreaker` reads it.
    circuit_breaker: Mapping[str, Any] | None = None
    order: str = QueueOrder.FRESH_FIRST
    caller_numbers: Sequence[Mapping[str, Any]] | None = None
    caller_number_pool: str | None = None
    caller_number_choice: str | None = None
    telephony_account_id: str | None = None
    number: int | None = None
    description: str | None = None
    objective: str | None = None
    labels: Mapping[str, Any] | None = None
    # Whose people it calls: a company of the contact book.
    company_id: str | None = None
    # The uploaded file that its contacts came from, as `SourceFile` reads it.
    source_file: Mapping[str, Any] | None = None
    # What the API that it was made through was told, and no rule reads.
    kept_words: Mapping[str, Any] | None = None
    deleted_at: datetime | None = None
    former_external_id: str | None = None
    # The campaign whose contacts it calls again, and the one that calls its own again.
    redial_of: str | None = None
    redialed_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerNumberDocument:
    """`caller_numbers`: one registered number to call from, in E.164; None: no limit."""

    id: str
    organization_id: str
    number: str
    label: str
    weight: int
    max_calls: int | None
    daily_limit: int | None
    active: bool
    pools: Sequence[str]
    created_at: datetime
    updated_at: datetime
    calls_per_second: float | None = None
    telephony_account_id: str | None = None
    serial: int | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephonyAccountDocument:
    """`telephony_accounts`: one account of a carrier.

    `credentials` are encrypted (shared/stored_secrets.py): Twilio's auth token. `base_url` None: the operator's.
    """

    id: str
    organization_id: str
    number: int
    name: str
    provider: str
    active: bool
    created_at: datetime
    updated_at: datetime
    account_sid: str | None = None
    base_url: str | None = None
    credentials: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotCallDocument:
    """`do_not_call`: one number that is never called, in the customer's spelling."""

    id: str
    organization_id: str
    phone_number: str
    created_at: datetime
    reason: str | None = None
    source: str = NATIVE
