"""A campaign's log, and what is told of its course, written in the transaction that moves the campaign."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import CampaignMove, Course, shown_state
from shared.domain.campaign_log import (
    ENGINE,
    FACT_OF,
    MAX_ENTRIES,
    Actor,
    ActorKind,
    LogEntry,
    LogEvent,
    events_of_making,
    events_of_move,
)
from shared.domain.facts import Fact
from shared.domain.known_words import known
from shared.domain.page import NumberedPage, Page
from shared.store.catalog.courses import course_of
from shared.store.catalog.facts import tell
from shared.store.client import Document, Store, translates
from shared.store.documents.campaign_log import CampaignLogDocument
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.paging import newest_first, numbered


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be written: an event with its reason, and who is behind it."""

    event: LogEvent
    reason: str | None = None
    by: Actor = ENGINE
    facts: Mapping[str, Any] | None = None


def log_document(campaign_id: str, organization_id: str, entry: NewEntry, at: datetime) -> Document:
    """An entry as it is stored."""
    document: Document = {
        "_id": str(ObjectId()),
        "campaign_id": campaign_id,
        "organization_id": organization_id,
        "created_at": at,
        "event": entry.event.value,
        "by": entry.by.kind.value,
    }
    more = {"reason": entry.reason, "by_id": entry.by.id, "facts": dict(entry.facts or {}) or None}
    return document | {name: value for name, value in more.items() if value is not None}


async def write_log(store: Store, session: AsyncClientSession, documents: Sequence[Document]) -> None:
    """Write entries in this transaction; of each campaign the newest are kept."""
    if not documents:
        return
    await store["campaign_log"].insert_many(documents, session=session)
    for campaign_id in sorted({document["campaign_id"] for document in documents}):
        found = store["campaign_log"].find({"campaign_id": campaign_id}, {"_id": 1}, session=session)
        old = await found.sort([("created_at", -1), ("_id", -1)]).skip(MAX_ENTRIES).to_list()
        if old:
            await store["campaign_log"].delete_many({"_id": {"$in": [each["_id"] for each in old]}}, session=session)


async def log_and_tell(
    store: Store, session: AsyncClientSession, campaign: Document, entries: Sequence[NewEntry], now: datetime
) -> None:
    """Write what has become of a campaign, given as it is stored after the write, into its log, and tell of it.

    For all but the scheduler, which numbers facts itself.
    """
    organization_id = campaign["organization_id"]
    campaign = complete(CampaignDocument, campaign)
    documents = [log_document(campaign["_id"], organization_id, entry, now) for entry in entries]
    await write_log(store, session, documents)
    facts = [fact for entry in entries if (fact := fact_of(campaign, entry, now)) is not None]
    await tell(store, session, organization_id, facts, fact_seq=campaign["fact_seq"])


async def tell_of_making(
    store: Store, session: AsyncClientSession, campaign: Document, course: Course, now: datetime, by: Actor
) -> None:
    """Write into the log that a campaign was made, and tell that it has started if it has."""
    entries = [NewEntry(event, None, by) for event in events_of_making(course)]
    await log_and_tell(store, session, campaign, entries, now)


async def tell_of_move(
    store: Store,
    session: AsyncClientSession,
    before: Document,
    after: Document,
    move: CampaignMove,
    now: datetime,
    by: Actor,
) -> None:
    """Write a move into the campaign's log, and tell of it; `before` and `after` as they are stored."""
    was, now_is = complete(CampaignDocument, before), complete(CampaignDocument, after)
    course, was_started = course_of(was), was["started_at"] is not None
    shown = shown_state(course, now).state
    events = events_of_move(course, course_of(now_is), move, shown, was_started=was_started)
    await log_and_tell(store, session, after, [NewEntry(event, None, by) for event in events], now)


def fact_of(campaign: Mapping[str, Any], entry: NewEntry, now: datetime) -> Fact | None:
    """What is told of an entry about a complete campaign document; None: nothing."""
    kind = FACT_OF.get(entry.event)
    if kind is None:
        return None
    said = {
        "name": campaign["name"],
        "external_id": campaign["external_id"],
        "generation": campaign["generation"],
        "state": shown_state(course_of(campaign), now).state.value,
        "reason": entry.reason,
    }
    facts = {name: value for name, value in said.items() if value is not None}
    return Fact(type=kind, at=now, campaign_id=campaign["_id"], facts=facts)


def entry_of(stored: Mapping[str, Any]) -> LogEntry | None:
    """A stored entry; None for an event that this version does not know."""
    document = complete(CampaignLogDocument, stored)
    event, kind = known(LogEvent, document["event"]), known(ActorKind, document["by"])
    if event is None:
        return None
    by = ENGINE if kind is None else Actor(kind, document["by_id"])
    return LogEntry(document["_id"], document["created_at"], event, document["reason"], by, document["facts"])


@translates
async def read_log(
    store: Store, organization_id: str, campaign_id: str, *, cursor: str | None, limit: int
) -> Page[LogEntry]:
    """The campaign's log, newest first. Raises `InvalidCursor`: ask for the first page."""
    query = {"campaign_id": campaign_id, "organization_id": organization_id}
    page = await newest_first(store["campaign_log"], query, cursor=cursor, limit=limit)
    return Page(_known(page.rows), page.next_cursor)


@translates
async def numbered_log(
    store: Store,
    organization_id: str,
    campaign_id: str,
    *,
    offset: int,
    limit: int,
    events: Collection[LogEvent] | None = None,
) -> NumberedPage[LogEntry]:
    """The campaign's log as `read_log` has it, from the `offset`-th entry on, and how many there are.

    `events`: of these alone; None: of all.
    """
    query: Document = {"campaign_id": campaign_id, "organization_id": organization_id}
    if events is not None:
        query["event"] = {"$in": sorted(event.value for event in events)}
    page = await numbered(store["campaign_log"], query, offset=offset, limit=limit)
    return NumberedPage(_known(page.rows), page.total)


def _known(rows: Sequence[Document]) -> list[LogEntry]:
    return [entry for row in rows if (entry := entry_of(row)) is not None]
