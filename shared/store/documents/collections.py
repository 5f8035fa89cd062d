"""Every collection, and the model of its documents."""

from collections.abc import Mapping
from typing import Final

from shared.store.documents.catalog import (
    ApiKeyDocument,
    CallerNumberDocument,
    CampaignDocument,
    ConfigurationDocument,
    DoNotCallDocument,
    OrganizationDocument,
)
from shared.store.documents.contacts import (
    AskDocument,
    AttemptDocument,
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
    SchemaDocument,
    ShardDocument,
)
from shared.store.documents.facts import FactInDocument
from shared.store.documents.webhooks import DeliveryDocument, WebhookDocument

COLLECTIONS: Final[Mapping[str, type]] = {
    "answering_machines": AnsweringMachineDocument,
    "api_keys": ApiKeyDocument,
    "asks": AskDocument,
    "attempts": AttemptDocument,
    "budgets": BudgetDocument,
    "caller_numbers": CallerNumberDocument,
    "campaigns": CampaignDocument,
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
    "facts_in": FactInDocument,
    "global_budget": GlobalBudgetDocument,
    "ingest_batches": IngestBatchDocument,
    "organizations": OrganizationDocument,
    "results": ResultDocument,
    "schema": SchemaDocument,
    "shards": ShardDocument,
    "webhooks": WebhookDocument,
}
