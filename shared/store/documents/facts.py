"""What is told to customers' systems, on its way to Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FactInDocument:
    """`facts_in`: a fact of campaign-api or contact-ingest that the scheduler has not numbered yet.

    `fact_seq` is that of the campaign whose course it tells of, when it was written; None: it tells of something else.
    """

    id: str
    shard: int
    organization_id: str
    type: str
    at: datetime
    facts: Mapping[str, Any]
    campaign_id: str | None = None
    contact_id: str | None = None
    attempt_id: str | None = None
    person_id: str | None = None
    callback_id: str | None = None
    fact_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsDocument:
    """`facts`: the facts that one transaction of a shard's owner has written, in order; `n` is the first one's number.

    Each has `organization_id`, `type`, `at`, and, where it has them, `facts` and the ids of an `OrgFact`. The
    document's own id is in the order of shard and number.
    """

    id: int
    shard: int
    n: int
    facts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayDocument:
    """`relays`: up to which number a shard's facts are safe in Kafka (`relayed`), and removed here (`removed`)."""

    id: int
    relayed: int = 0
    removed: int = 0
