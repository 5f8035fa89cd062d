"""How a contact's row becomes a new document, or a change of the customer's fields of an existing one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne

from shared.domain.contact import ContactStatus, Tier
from shared.domain.contact_input import OPTIONAL_FIELDS, ContactRow
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, QUEUES, REQUESTED_PRIORITY, TIERS, queue_of
from shared.domain.reasons import EndReason
from shared.store.client import Document
from shared.store.contacts.matching import ContactsOf

NOT_DELETED: Final = {"delete_requested": {"$ne": True}}


def new_contact(
    scope: ContactsOf, row: ContactRow, contact_id: str, *, status: ContactStatus, now: datetime
) -> Document:
    """The document of a contact that was never dialed. `status` is pending, or skipped for do-not-call."""
    given = {name: row.fields.get(name) for name in OPTIONAL_FIELDS}
    scheduled_at, priority = given["scheduled_at"], given.pop("priority")
    document: Document = {
        "_id": contact_id,
        "organization_id": scope.organization_id,
        "shard": scope.shard,
        "campaign_id": scope.campaign_id,
        "external_id": row.external_id,
        "phone_numbers": list(row.phone_numbers),
        **given,
        "data": given["data"] or {},
        "created_at": now,
        "updated_at": now,
        # Ties in created_at are listed and dialed in the order of the request.
        "seq": row.indexes[0],
        "status": status.value,
        "tier": queue_of(
            priority or DEFAULT_CONTACT_PRIORITY,
            _first_tier(scheduled_at),
            own_number=given["agent_number"] is not None,
        ),
        "due_at": scheduled_at or now,
        "attempts_made": 0,
        "outcomes": {},
        "last_attempt": None,
        "ended_because": EndReason.DO_NOT_CALL.value if status is ContactStatus.SKIPPED else None,
    }
    return document if priority is None else {**document, "priority": priority}


def change(contact_id: str, row: ContactRow, now: datetime) -> UpdateOne:
    """The change that brings the row's fields to an existing contact and leaves its dialing state alone.

    Two exceptions: a contact that was never dialed is due at its new scheduled time, unless it is to be called back on
    request, and one that waits changes its queue with its priority and with whether it has a caller number of its own.
    """
    values: dict[str, Any] = {"phone_numbers": list(row.phone_numbers), **row.fields, "updated_at": now}
    if values.get("data", ...) is None:
        values["data"] = {}
    if row.external_id_given and row.external_id is None:
        values["external_id"] = None
    living = {"_id": contact_id, **NOT_DELETED}
    if not values.keys() & {"scheduled_at", "priority", "agent_number"}:
        return UpdateOne(living, {"$set": values})
    return UpdateOne(living, [{"$set": {**_literal(values), **_place(row.fields)}}])


def _literal(values: Mapping[str, Any]) -> dict[str, Any]:
    # In a pipeline a customer's text that begins with "$" would be read as a field's name.
    return {name: {"$literal": value} for name, value in values.items()}


def _place(given: Mapping[str, Any]) -> dict[str, Any]:
    """The queue and the due time of an existing contact after one of the fields was given that they go by."""
    waits = {"$eq": ["$status", ContactStatus.PENDING.value]}
    # A remainder has its dividend's sign.
    tier: Any = {"$mod": [{"$add": [{"$mod": ["$tier", TIERS]}, TIERS]}, TIERS]}
    is_requested = {"$eq": [tier, int(Tier.REQUESTED)]}
    never_dialed = {"$and": [waits, {"$eq": ["$attempts_made", 0]}, {"$not": [is_requested]}]}
    priority: Any = given.get("priority") or DEFAULT_CONTACT_PRIORITY
    if "priority" not in given:
        priority = {"$ifNull": ["$priority", DEFAULT_CONTACT_PRIORITY]}
    place: dict[str, Any] = {}
    if "scheduled_at" in given:
        scheduled_at = given["scheduled_at"]
        due: Any = scheduled_at if scheduled_at is not None else "$created_at"
        place["due_at"] = {"$cond": [never_dialed, due, "$due_at"]}
        tier = {"$cond": [never_dialed, int(_first_tier(scheduled_at)), tier]}
    own: Any = TIERS if given.get("agent_number") is not None else 0
    if "agent_number" not in given:
        own = {"$cond": [{"$eq": [{"$type": "$agent_number"}, "string"]}, TIERS, 0]}
    counted = {"$add": [priority, {"$cond": [is_requested, REQUESTED_PRIORITY, 0]}]}
    queue = {"$toInt": {"$subtract": [{"$add": [tier, own]}, {"$multiply": [QUEUES, counted]}]}}
    return {**place, "tier": {"$cond": [waits, queue, "$tier"]}}


def _first_tier(scheduled_at: datetime | None) -> Tier:
    return Tier.FRESH if scheduled_at is None else Tier.SCHEDULED
