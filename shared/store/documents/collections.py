"""Every collection, and the model of its documents."""

from collections.abc import Mapping
from typing import Final

from shared.store.documents.campaign_log import CampaignLogDocument
from shared.store.documents.catalog import (
    ApiKeyDocument,
    CallerNumberDocument,
    CampaignDocument,
    ConfigurationDocument,
    DoNotCallDocument,
    IdempotencyKeyDocument,
    OrganizationDocument,
    RequestCountDocument,
    TelephonyAccountDocument,
)
from shared.store.documents.contacts import (
    AskDocument,
    AttemptDocument,
    CallResultDocument,
    ContactDocument,
    DeletionDocument,
    ExpiryDocument,
    ExternalIdDocument,
    IngestBatchDocument,
)
from shared.store.documents.dialing import (
    AnsweringMachineDocument,
    BudgetDocument,
    CountersDocument,
    CountersInDocument,
    ExecutorDocument,
    GlobalBudgetDocument,
    ResultDocument,
    SchedulerDocument,
    SchemaDocument,
    ShardDocument,
)
from shared.store.documents.facts import FactInDocument, FactsDocument, RelayDocument
from shared.store.documents.files import FileChunkDocument, FileContentDocument, FileDocument
from shared.store.documents.jobs import JobDocument, JobRowDocument
from shared.store.documents.people import AgentDocument, CompanyDocument, PersonDocument
from shared.store.documents.webhooks import DeliveryDocument, WebhookDocument

COLLECTIONS: Final[Mapping[str, type]] = {
    "agents": AgentDocument,
    "answering_machines": AnsweringMachineDocument,
    "api_keys": ApiKeyDocument,
    "asks": AskDocument,
    "attempts": AttemptDocument,
    "budgets": BudgetDocument,
    "call_results": CallResultDocument,
    "caller_numbers": CallerNumberDocument,
    "campaign_log": CampaignLogDocument,
    "campaigns": CampaignDocument,
    "companies": CompanyDocument,
    "configurations": ConfigurationDocument,
    "contacts": ContactDocument,
    "counters": CountersDocument,
    "counters_in": CountersInDocument,
    "deliveries": DeliveryDocument,
    "do_not_call": DoNotCallDocument,
    "executors": ExecutorDocument,
    "deletions": DeletionDocument,
    "expiries": ExpiryDocument,
    "external_ids": ExternalIdDocument,
    "facts": FactsDocument,
    "facts_in": FactInDocument,
    "file_contents.chunks": FileChunkDocument,
    "file_contents.files": FileContentDocument,
    "files": FileDocument,
    "global_budget": GlobalBudgetDocument,
    "idempotency_keys": IdempotencyKeyDocument,
    "ingest_batches": IngestBatchDocument,
    "job_rows": JobRowDocument,
    "jobs": JobDocument,
    "organizations": OrganizationDocument,
    "people": PersonDocument,
    "relays": RelayDocument,
    "request_counts": RequestCountDocument,
    "results": ResultDocument,
    "schedulers": SchedulerDocument,
    "schema": SchemaDocument,
    "shards": ShardDocument,
    "telephony_accounts": TelephonyAccountDocument,
    "webhooks": WebhookDocument,
}
