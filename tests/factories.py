"""Documents as the services write them, valid by default, changed by keyword; straight into the store."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from shared.clock import utc_now
from shared.domain.contact import ContactStatus, Tier
from shared.domain.ids import default_campaign_id, shard_of
from shared.domain.outcome import Outcome
from shared.domain.queue_order import queue_of
from shared.events import CallFinished
from shared.store.client import Document, Store
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import GrantMove, ensure_shards, move_grants, set_global_limit

ALWAYS_OPEN = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}]


def new_id() -> str:
    """An id as the services make them."""
    return str(uuid.uuid4())


def ending() -> CallFinished:
    """The end of a call, under new ids."""
    return CallFinished(
        organization_id=new_id(),
        shard=0,
        attempt_id=new_id(),
        contact_id=new_id(),
        outcome=Outcome.BUSY,
        ended_at=utc_now(),
    )


async def add_organization(store: Store, **fields: Any) -> Document:
    """An organization."""
    organization_id = fields.pop("_id", new_id())
    document = {
        "_id": organization_id,
        "name": "Acme",
        "shard": shard_of(organization_id),
        "concurrency_limit": None,
        "default_agent_number": "+14155550100",
        "exclusive_caller_numbers": [],
        "created_at": utc_now(),
        "changed_at": utc_now(),
        **fields,
    }
    await store["organizations"].insert_one(document)
    return document


async def add_configuration(store: Store, organization: Document, **fields: Any) -> Document:
    """A configuration whose windows are always open."""
    document = {
        "_id": new_id(),
        "organization_id": organization["_id"],
        "name": "Always",
        "default_timezone": "America/New_York",
        "default_windows": ALWAYS_OPEN,
        "overrides": [],
        "scheduled_windows": None,
        "scheduled_overrides": None,
        "default_country_code": None,
        "max_attempts": 3,
        "retry_rules": {},
        "agent_id": "agent-1",
        "agent_version": None,
        "agent_number": None,
        "campaign_count": 0,
        "created_at": utc_now(),
        "updated_at": utc_now(),
        **fields,
    }
    await store["configurations"].insert_one(document)
    return document


async def add_campaign(
    store: Store, organization: Document, configuration: Document | None = None, **fields: Any
) -> Document:
    """A running campaign."""
    configuration = configuration or await add_configuration(store, organization)
    document = {
        "_id": new_id(),
        "organization_id": organization["_id"],
        "shard": organization["shard"],
        "name": "Spring",
        "intent": "running",
        "generation": 1,
        "priority": 1,
        "configuration_id": configuration["_id"],
        "agent_id": None,
        "agent_version": None,
        "agent_number": None,
        "concurrency_limit": None,
        "created_at": utc_now(),
        "updated_at": utc_now(),
        **fields,
    }
    await store["campaigns"].insert_one(document)
    return document


async def add_caller_number(store: Store, organization: Document, number: str, **fields: Any) -> Document:
    """A registered caller number without limits."""
    document = {
        "_id": new_id(),
        "organization_id": organization["_id"],
        "number": number,
        "label": "",
        "weight": 1,
        "max_calls": None,
        "daily_limit": None,
        "active": True,
        "pools": [],
        "created_at": utc_now(),
        "updated_at": utc_now(),
        **fields,
    }
    await store["caller_numbers"].insert_one(document)
    await store["organizations"].update_one({"_id": organization["_id"]}, {"$inc": {"caller_number_count": 1}})
    return document


def contact_document(organization: Document, campaign: Document | None, number: int, **fields: Any) -> Document:
    """A fresh contact; `number` makes its phone number and its place in the request."""
    now: datetime = fields.pop("created_at", utc_now())
    scheduled_at = fields.get("scheduled_at")
    tier = Tier.SCHEDULED if scheduled_at else Tier.FRESH
    return {
        "_id": new_id(),
        "organization_id": organization["_id"],
        "shard": organization["shard"],
        "campaign_id": campaign["_id"] if campaign else default_campaign_id(organization["_id"]),
        "external_id": None,
        "phone_numbers": [f"+1415{2000000 + number:07d}"],
        "data": {},
        "timezone": None,
        "scheduled_at": None,
        "agent_id": None if campaign else "agent-1",
        "agent_version": None,
        "agent_number": None,
        "agent_config": None,
        "initial_context": None,
        "created_at": now,
        "updated_at": now,
        "seq": number,
        "status": ContactStatus.PENDING,
        "tier": queue_of(0, tier, own_number=fields.get("agent_number") is not None),
        "due_at": scheduled_at or now,
        "attempts_made": 0,
        "outcomes": {},
        "last_attempt": None,
        **fields,
    }


async def add_contacts(
    store: Store, organization: Document, campaign: Document | None, count: int, **fields: Any
) -> list[Document]:
    """Fresh contacts, counted as an ingest would count them."""
    contacts = [contact_document(organization, campaign, number, **fields) for number in range(count)]
    await store["contacts"].insert_many(contacts)
    campaign_id = contacts[0]["campaign_id"]
    await store["counters_in"].update_one(
        {"_id": f"{campaign_id}/test-0"},
        {
            "$inc": {"added": count, "added_skipped": 0},
            "$addToSet": {"zones": {"$each": list({contact["timezone"] for contact in contacts})}},
            "$set": {
                "campaign_id": campaign_id,
                "organization_id": organization["_id"],
                "shard": organization["shard"],
                **({"own_numbers": True} if fields.get("agent_number") else {}),
            },
            "$currentDate": {"changed_at": True},
        },
        upsert=True,
    )
    return contacts


async def open_limits(store: Store, shard: int, slots: int, epoch: int = 0) -> None:
    """A global limit of `slots`, all of it granted to one shard."""
    await ensure_shards(store)
    await set_global_limit(store, slots)
    assert await move_grants(store, [GrantMove(Ownership(shard, epoch), slots)])


def a_moment_ago(**delta: float) -> datetime:
    """An instant in the recent past."""
    return utc_now() - timedelta(**(delta or {"seconds": 1}))
