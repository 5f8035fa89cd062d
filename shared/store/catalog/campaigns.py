"""Campaigns. Every change is one transaction with the configuration's count and the organization's
`changed_at`; a move between states is refused in the wrong state, by the document that the transaction writes.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.caller_numbers import NumberChoice
from shared.domain.campaign import (
    CampaignMove,
    CampaignState,
    CampaignUse,
    Course,
    Intent,
    drafted,
    moved,
    scheduled,
    started,
)
from shared.domain.campaign_log import ENGINE, Actor
from shared.domain.contact_input import is_uuid
from shared.domain.queue_order import QueueOrder
from shared.domain.stored_files import SourceFile
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState
from shared.store.catalog.caller_numbers import CAMPAIGN_FIELDS, check_numbers_of
from shared.store.catalog.campaign_dates import check_dates
from shared.store.catalog.campaign_documents import new_document
from shared.store.catalog.campaign_log import tell_of_making, tell_of_move
from shared.store.catalog.configurations import count_campaign, hide_private
from shared.store.catalog.courses import NOT_DELETED, stored_course
from shared.store.catalog.organizations import next_campaign_number, touch
from shared.store.catalog.private_configurations import configuration_for
from shared.store.catalog.stored_campaign import DESCRIPTIVE, Campaign
from shared.store.client import Document, Store, translates

EDITABLE: Final = frozenset(
    {
        "name",
        "external_id",
        "priority",
        "order",
        "configuration_id",
        "agent_id",
        "agent_version",
        "concurrency_limit",
        "calls_per_second",
        "end_at",
        "auto_complete",
        *DESCRIPTIVE,
        "max_calls",
        "circuit_breaker",
        "kept_words",
        *CAMPAIGN_FIELDS,
    }
)


# What may be set together with a move.
EDITABLE_BY_MOVE: Final = frozenset({"max_calls"})
NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """What a customer says about a campaign that is to be made.

    With `start_at` (UTC) it starts by itself at that time; as a draft not before it is started; otherwise at once. From
    `end_at` (UTC) on nobody is called in it. With `auto_complete` it is completed once nothing is left to do in it.
    """

    name: str
    configuration_id: str
    external_id: str | None
    priority: int
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    concurrency_limit: int | None = None
    calls_per_second: float | None = None
    order: QueueOrder = QueueOrder.FRESH_FIRST
    is_draft: bool = False
    start_at: datetime | None = None
    caller_numbers: Sequence[Mapping[str, Any]] | None = None
    caller_number_pool: str | None = None
    caller_number_choice: NumberChoice | None = None
    end_at: datetime | None = None
    auto_complete: bool = False
    description: str | None = None
    objective: str | None = None
    labels: Mapping[str, Any] | None = None
    company_id: str | None = None
    max_calls: int | None = None
    circuit_breaker: Mapping[str, Any] | None = None
    telephony_account_id: str | None = None
    source_file: SourceFile | None = None
    kept_words: Mapping[str, Any] | None = None

    def course(self, now: datetime) -> Course:
        """The course of the new campaign."""
        if self.start_at is not None:
            return replace(scheduled(self.start_at), end_at=self.end_at)
        return replace(drafted() if self.is_draft else started(now), end_at=self.end_at)


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """When a campaign shall start by itself; `start_at` (UTC) None: not by itself."""

    start_at: datetime | None

    def asked_of(self, course: Course) -> CampaignMove | None:
        """The move that this asks of a campaign; None when it is so already."""
        if self.start_at is None:
            return None if course.start_at is None else CampaignMove.UNSCHEDULE
        is_so = course.intent is Intent.SCHEDULED and course.start_at == self.start_at
        return None if is_so else CampaignMove.SCHEDULE


async def create_campaign(
    store: Store,
    organization_id: str,
    new: NewCampaign,
    now: datetime,
    by: Actor = ENGINE,
    own_configuration: Mapping[str, Any] | None = None,
    work_id: str | None = None,
) -> Campaign:
    """A new campaign, with `own_configuration` (JSON values of all fields) for itself where that is given.

    With `work_id`, which becomes its id, the one that was made so before.

    Raises `NotFound` (configuration), `Conflict` (external_id, configuration of another), `BadSetting` (numbers, or it
    ends before it starts).
    """
    campaign_id = work_id or str(uuid.uuid4())

    async def work(session: AsyncClientSession) -> Campaign:
        return await make_campaign(store, session, organization_id, campaign_id, new, now, by, own_configuration)

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError as error:
        made = await store["campaigns"].find_one({"_id": campaign_id, "organization_id": organization_id})
        if made is not None:
            return Campaign.from_document(made)
        raise Conflict(Clash.EXTERNAL_ID_TAKEN, new.external_id or "") from error


async def make_campaign(
    store: Store,
    session: AsyncClientSession,
    organization_id: str,
    campaign_id: str,
    new: NewCampaign,
    now: datetime,
    by: Actor = ENGINE,
    own_configuration: Mapping[str, Any] | None = None,
) -> Campaign:
    """`create_campaign` under this id, in the caller's transaction. Raises `DuplicateKeyError` for an external_id."""
    check_dates(new.course(now), "end_at")
    configuration_id = await configuration_for(
        store, organization_id, campaign_id, new.configuration_id, own_configuration, now, session
    )
    shard, number = await next_campaign_number(store, organization_id, session)
    document = new_document(campaign_id, organization_id, shard, new, now)
    document |= {"number": number, "configuration_id": configuration_id}
    await check_numbers_of(store, organization_id, document, session)
    await store["campaigns"].insert_one(document, session=session)
    made = Campaign.from_document(document)
    await tell_of_making(store, session, document, made.course, now, by)
    return made


@translates
async def get_campaign(store: Store, organization_id: str, reference: str, *, deleted: bool = False) -> Campaign:
    """The organization's campaign by its id or external_id; with `deleted` also a deleted one, by its id.

    Raises `NotFound`.
    """
    return Campaign.from_document(await _found(store, organization_id, reference, deleted=deleted))


async def edit_campaign(
    store: Store,
    organization_id: str,
    campaign_id: str,
    changes: Mapping[str, Any],
    now: datetime,
    move: ScheduleChange | None = None,
    by: Actor = ENGINE,
    only_in: Collection[CampaignState] | None = None,
) -> Campaign:
    """Set the given ones of `EDITABLE`; None clears. With `move` also when it starts by itself, all or nothing.

    `only_in`: refused in other states than these.

    Raises `NotFound` (campaign or configuration), `WrongState` (it is over, or does not allow the move), `Conflict`
    (external_id, configuration of another), `BadSetting` (numbers, or it would end before it starts).
    """
    if not changes.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(changes.keys() - EDITABLE)}")

    async def work(session: AsyncClientSession) -> Campaign:
        stored = await _found(store, organization_id, campaign_id, session)
        before = Campaign.from_document(stored)
        state = before.shown(now).state
        if before.course.is_over if only_in is None else state not in only_in:
            raise WrongState(Kind.CAMPAIGN, campaign_id, state, CampaignUse.CHANGE)
        configuration_id = changes.get("configuration_id", before.configuration_id)
        if configuration_id != before.configuration_id:
            await count_campaign(store, organization_id, configuration_id, campaign_id, 1, session)
            await count_campaign(store, organization_id, before.configuration_id, campaign_id, -1, session)
        if not changes.keys().isdisjoint(CAMPAIGN_FIELDS):
            await check_numbers_of(store, organization_id, {**stored, **changes}, session)
        asked = move.asked_of(before.course) if move is not None else None
        after = changes if asked is None or move is None else {**changes, **_moved(before, asked, now, move.start_at)}
        if asked is not None or "end_at" in changes:
            course = Campaign.from_document({**stored, **after}).course
            check_dates(course, "end_at" if "end_at" in changes else "start_at")
        written = await _write(store, campaign_id, after, now, session)
        if asked is not None:
            await tell_of_move(store, session, stored, written, asked, now, by)
        await touch(store, organization_id, session)
        return Campaign.from_document(written)

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError as error:
        raise Conflict(Clash.EXTERNAL_ID_TAKEN, changes.get("external_id") or "") from error


async def move_campaign(
    store: Store,
    organization_id: str,
    campaign_id: str,
    move: CampaignMove,
    now: datetime,
    changes: Mapping[str, Any] = NO_CHANGES,
    by: Actor = ENGINE,
    only_in: Collection[CampaignState] | None = None,
) -> Campaign:
    """Start, pause, cancel or delete, if the campaign's state allows it. Raises `NotFound` or `WrongState`.

    With `only_in` it must be one of these states besides: a dialect may allow less than the engine.

    A deleted campaign keeps what it has, its contacts, calls and configuration among it, and is found no more.

    Of two moves at once one is made first, and the other is asked of the state that it leads to. With `changes` also
    the given ones of `EDITABLE_BY_MOVE` are set, all or nothing.
    """
    if not changes.keys() <= EDITABLE_BY_MOVE:
        raise ValueError(f"not set by a move: {sorted(changes.keys() - EDITABLE_BY_MOVE)}")

    async def work(session: AsyncClientSession) -> Campaign:
        stored = await _found(store, organization_id, campaign_id, session)
        before = Campaign.from_document(stored)
        if only_in is not None and (state := before.shown(now).state) not in only_in:
            raise WrongState(Kind.CAMPAIGN, campaign_id, state, move)
        after = await _write(store, campaign_id, {**changes, **_moved(before, move, now)}, now, session)
        await tell_of_move(store, session, stored, after, move, now, by)
        if move is CampaignMove.DELETE:
            await hide_private(store, organization_id, campaign_id, now, session)
        await touch(store, organization_id, session)
        return Campaign.from_document(after)

    return await store.in_transaction(work)


def _moved(campaign: Campaign, move: CampaignMove, now: datetime, start_at: datetime | None = None) -> Document:
    """The fields that a move changes."""
    course = moved(campaign.course, move, now, start_at)
    if course is None:
        raise WrongState(Kind.CAMPAIGN, campaign.id, campaign.shown(now).state, move)
    fields = stored_course(course)
    if move is CampaignMove.START:
        fields["completed_at"] = None
    if course.is_opened and campaign.started_at is None:
        fields["started_at"] = now
    return fields


async def _found(
    store: Store,
    organization_id: str,
    reference: str,
    session: AsyncClientSession | None = None,
    *,
    deleted: bool = False,
) -> Document:
    """By id where the reference looks like one: no external_id has that form."""
    query: Document = {"organization_id": organization_id, **({} if deleted else NOT_DELETED)}
    query |= {"_id": reference.lower()} if is_uuid(reference) else {"external_id": reference}
    document = await store["campaigns"].find_one(query, session=session)
    if document is None:
        raise NotFound(Kind.CAMPAIGN, reference)
    return document


async def _write(
    store: Store, campaign_id: str, changes: Mapping[str, Any], now: datetime, session: AsyncClientSession
) -> Document:
    update: dict[str, Any] = {"$set": {**changes, "updated_at": now}}
    if "intent" in changes:
        update["$inc"] = {"fact_seq": 1}
    if "external_id" in changes and changes["external_id"] is None:
        # Absent, not null: the unique index holds only campaigns that have one.
        del update["$set"]["external_id"]
        update["$unset"] = {"external_id": ""}
    if changes.get("deleted_at") is not None:
        update["$rename"] = {"external_id": "former_external_id"}
    after = await store["campaigns"].find_one_and_update(
        {"_id": campaign_id}, update, return_document=ReturnDocument.AFTER, session=session
    )
    if after is None:
        raise NotFound(Kind.CAMPAIGN, campaign_id)
    return after
