"""A campaign's document as it is first stored."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from shared.store.catalog.courses import stored_course
from shared.store.catalog.stored_campaign import DESCRIPTIVE
from shared.store.client import Document

if TYPE_CHECKING:
    from shared.store.catalog.campaigns import NewCampaign


def new_document(campaign_id: str, organization_id: str, shard: int, new: "NewCampaign", now: datetime) -> Document:
    """The document of a campaign that is made at `now`."""
    course = new.course(now)
    document: Document = {
        "_id": campaign_id,
        "organization_id": organization_id,
        "shard": shard,
        "name": new.name,
        **stored_course(course),
        "end_at": new.end_at,
        "auto_complete": new.auto_complete,
        "fact_seq": 1,
        "started_at": now if course.is_opened else None,
        "completed_at": None,
        "priority": new.priority,
        "order": new.order,
        "configuration_id": new.configuration_id,
        "agent_id": new.agent_id,
        "agent_version": new.agent_version,
        "agent_number": new.agent_number,
        "concurrency_limit": new.concurrency_limit,
        "calls_per_second": new.calls_per_second,
        "created_at": now,
        "updated_at": now,
    }
    named = {"caller_numbers": new.caller_numbers, "caller_number_pool": new.caller_number_pool}
    named |= {"telephony_account_id": new.telephony_account_id}
    named |= {name: getattr(new, name) for name in (*DESCRIPTIVE, "kept_words")}
    document |= {name: value for name, value in named.items() if value}
    if new.source_file is not None:
        document["source_file"] = asdict(new.source_file)
    limits = {"max_calls": new.max_calls, "circuit_breaker": new.circuit_breaker}
    document |= {name: value for name, value in limits.items() if value is not None}
    if new.caller_number_choice is not None:
        document["caller_number_choice"] = new.caller_number_choice
    return document if new.external_id is None else {**document, "external_id": new.external_id}
