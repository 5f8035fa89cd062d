"""Deliveries of webhooks: one for each event and subscription, taken by a sender, marked with what became of it.

A delivery that a sender has taken is due again when its time is up, so one that a killed sender had in hand is made
again, under the same id. What a sender writes afterwards counts only while the delivery is still its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from shared.domain.page import NumberedPage, Page
from shared.domain.webhooks import After, Answer, DeliveryError, DeliveryState
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.client import Document, Store, check_but_duplicates, translates
from shared.store.documents.completing import complete
from shared.store.documents.webhooks import DeliveryDocument
from shared.store.paging import newest_first, numbered


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one subscription; times in UTC. `fact` is the message of `org.facts`; None for a test event."""

    id: str
    organization_id: str
    webhook_id: str
    event_id: str
    event: str
    at: datetime
    created_at: datetime
    fact: str | None
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    due_at: datetime | None = None
    last_at: datetime | None = None
    last_status: int | None = None
    last_error: DeliveryError | None = None
    last_text: str = ""
    last_milliseconds: int | None = None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Delivery":
        """The delivery as it is stored."""
        document = complete(DeliveryDocument, stored)
        error = document["last_error"]
        return cls(
            id=document["_id"],
            state=DeliveryState(document["state"]),
            last_error=None if error is None else DeliveryError(error),
            **{
                name: document[name]
                for name in (
                    "organization_id",
                    "webhook_id",
                    "event_id",
                    "event",
                    "at",
                    "created_at",
                    "fact",
                    "tries",
                    "due_at",
                    "last_at",
                    "last_status",
                    "last_text",
                    "last_milliseconds",
                )
            },
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """What has become of a try: the delivery, its sender's token, the answer, and where the delivery stands now."""

    delivery: Delivery
    token: str
    answer: Answer
    after: After
    at: datetime


@translates
async def add_deliveries(store: Store, deliveries: Sequence[Delivery]) -> int:
    """Store deliveries that wait from their `created_at` on; those that are there already stay as they are.

    How many are new.
    """
    if not deliveries:
        return 0
    documents = [_document(delivery) for delivery in deliveries]
    try:
        await store["deliveries"].insert_many(documents, ordered=False)
    except BulkWriteError as error:
        check_but_duplicates(error)
        return int(error.details["nInserted"])
    return len(documents)


@translates
async def waiting_webhooks(store: Store, now: datetime) -> Sequence[str]:
    """Subscriptions with a delivery that is due, the one that has waited longest first.

    One look into the index for each subscription with any that waits, however many those are.
    """
    first: list[Document] = [
        {"$match": {"queue": {"$gt": ""}}},
        {"$sort": {"queue": 1, "due_at": 1}},
        {"$group": {"_id": "$queue", "due_at": {"$first": "$due_at"}}},
    ]
    rows = await (await store["deliveries"].aggregate(first)).to_list()
    due = [(row["due_at"], row["_id"]) for row in rows if row["due_at"] <= now]
    return [webhook_id for _, webhook_id in sorted(due)]


@translates
async def take_due(
    store: Store, rooms: Mapping[str, int], token: str, now: datetime, until: datetime
) -> Sequence[Delivery]:
    """Take deliveries that are due, so many of each subscription as there is room for; no other sender has them now.

    From `until` on another sender may take them. `token` is new for each time.
    """
    found: list[Document] = []
    for webhook_id, room in rooms.items():
        due = {"queue": webhook_id, "due_at": {"$lte": now}}
        found += await store["deliveries"].find(due).sort("due_at", 1).limit(room).to_list()
    if not found:
        return []
    mine = {"_id": {"$in": [one["_id"] for one in found]}, "due_at": {"$lte": now}, "queue": {"$exists": True}}
    taken = await store["deliveries"].update_many(mine, {"$set": {"taken": token, "due_at": until}})
    if taken.modified_count < len(found):
        ours = {"_id": mine["_id"], "taken": token}
        kept = {row["_id"] async for row in store["deliveries"].find(ours, {"_id": True})}
        found = [one for one in found if one["_id"] in kept]
    return [Delivery.from_document(one) for one in found]


@translates
async def give_back(store: Store, taken: Collection[Delivery], token: str, now: datetime) -> None:
    """Let others have deliveries that were taken and not tried."""
    if taken:
        ours = {"_id": {"$in": [one.id for one in taken]}, "taken": token}
        await store["deliveries"].update_many(ours, {"$set": {"due_at": now}, "$unset": {"taken": True}})


@translates
async def mark(store: Store, marks: Sequence[Mark]) -> None:
    """Write what has become of tries; nothing where the delivery has been taken by somebody else meanwhile."""
    if marks:
        await store["deliveries"].bulk_write([_marked(one) for one in marks], ordered=False)


@translates
async def drop_waiting(store: Store, webhook_id: str) -> None:
    """Forget what waits for a subscription that is no more."""
    await store["deliveries"].delete_many({"queue": webhook_id})


@translates
async def get_delivery(store: Store, organization_id: str, webhook_id: str, delivery_id: str) -> Delivery:
    """A delivery of the organization's subscription. Raises `NotFound`."""
    mine = {"_id": delivery_id, "organization_id": organization_id, "webhook_id": webhook_id}
    document = await store["deliveries"].find_one(mine)
    if document is None:
        raise NotFound(Kind.DELIVERY, delivery_id)
    return Delivery.from_document(document)


@translates
async def list_deliveries(
    store: Store, organization_id: str, webhook_id: str, *, state: DeliveryState | None, cursor: str | None, limit: int
) -> Page[Delivery]:
    """A subscription's deliveries, newest first; those in one state, or (None) all. Raises `InvalidCursor`."""
    which = _listed(organization_id, webhook_id, state)
    page = await newest_first(store["deliveries"], which, cursor=cursor, limit=limit)
    return Page([Delivery.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def numbered_deliveries(
    store: Store, organization_id: str, webhook_id: str, *, state: DeliveryState | None, offset: int, limit: int
) -> NumberedPage[Delivery]:
    """A subscription's deliveries as `list_deliveries` has them, from the `offset`-th on, and how many there are."""
    which = _listed(organization_id, webhook_id, state)
    page = await numbered(store["deliveries"], which, offset=offset, limit=limit)
    return NumberedPage([Delivery.from_document(row) for row in page.rows], page.total)


@translates
async def replay(store: Store, organization_id: str, webhook_id: str, delivery_id: str, now: datetime) -> Delivery:
    """A delivery that has ended waits again, with all its tries before it. Raises `NotFound`, `Conflict` (it waits)."""
    delivery = await get_delivery(store, organization_id, webhook_id, delivery_id)
    ended = {"_id": delivery_id, "state": {"$ne": DeliveryState.WAITING.value}}
    done = await store["deliveries"].update_one(ended, _again(webhook_id, now))
    if not done.matched_count:
        raise Conflict(Clash.DELIVERY_WAITS, delivery.id)
    return await get_delivery(store, organization_id, webhook_id, delivery_id)


@translates
async def replay_dead(store: Store, organization_id: str, webhook_id: str, now: datetime) -> int:
    """All dead letters of a subscription wait again; how many these were."""
    dead = {"organization_id": organization_id, "webhook_id": webhook_id, "state": DeliveryState.DEAD.value}
    return (await store["deliveries"].update_many(dead, _again(webhook_id, now))).modified_count


def _again(webhook_id: str, now: datetime) -> Document:
    waits = {"state": DeliveryState.WAITING.value, "queue": webhook_id, "due_at": now, "tries": 0}
    return {"$set": waits, "$unset": {"kept_until": True}}


def _listed(organization_id: str, webhook_id: str, state: DeliveryState | None) -> Document:
    # The index has the state before the time, so that one question merges the states that it names.
    states = list(DeliveryState) if state is None else [state]
    return {
        "organization_id": organization_id,
        "webhook_id": webhook_id,
        "state": {"$in": [one.value for one in states]},
    }


def _document(delivery: Delivery) -> Document:
    return {
        "_id": delivery.id,
        "organization_id": delivery.organization_id,
        "webhook_id": delivery.webhook_id,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "at": delivery.at,
        "created_at": delivery.created_at,
        "fact": delivery.fact,
        "state": DeliveryState.WAITING.value,
        "tries": 0,
        "queue": delivery.webhook_id,
        "due_at": delivery.created_at,
    }


def _marked(one: Mark) -> UpdateOne:
    change: Document = {
        "state": one.after.state.value,
        # What is not sent because the subscription is off is no try.
        "tries": one.delivery.tries + (one.answer.error is not DeliveryError.OFF),
        "last_at": one.at,
        "last_status": one.answer.status,
        "last_error": None if one.answer.error is None else one.answer.error.value,
        "last_text": one.answer.text,
        "last_milliseconds": one.answer.milliseconds,
    }
    gone: Document = {"taken": True}
    if one.after.due_at is None:
        change["kept_until"] = one.after.kept_until
        gone |= {"queue": True, "due_at": True}
    else:
        change["due_at"] = one.after.due_at
    return UpdateOne({"_id": one.delivery.id, "taken": one.token}, {"$set": change, "$unset": gone})
