"""The registry of voice agents.

An agent's document stands under its organization and its own id, which may be any text. Whoever registers or deletes
one, and whoever makes or edits a campaign, writes the organization: an agent cannot vanish beside a campaign that names
it.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.campaign import OVER, CampaignState
from shared.domain.ids import agent_key
from shared.domain.page import NumberedPage, Page
from shared.domain.voicemail import VoicemailAction
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.catalog.courses import NOT_DELETED, shown_as
from shared.store.catalog.named_campaigns import named_campaigns
from shared.store.catalog.organizations import touch
from shared.store.catalog.references import is_external_id
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.people import AgentDocument
from shared.store.paging import newest_first, numbered

EDITABLE: Final = frozenset(
    {
        "name",
        "active",
        "outbound_enabled",
        "voicemail_detection",
        "voicemail_action",
        "phone_numbers",
        "attributes",
        "definition",
    }
)
# Campaigns in these states call with no agent any more.
_ENDED: Final = OVER | {CampaignState.COMPLETED}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgent:
    """What a customer says about an agent that is to be registered. `id` None: a new UUID."""

    name: str
    id: str | None = None
    external_id: str | None = None
    active: bool = True
    outbound_enabled: bool = True
    voicemail_detection: bool = True
    voicemail_action: VoicemailAction | None = None
    phone_numbers: Collection[str] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    definition: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A registered agent. `number` is unique in the organization, and higher than those of agents before it.

    Not `active`: archived. `voicemail_detection` and `voicemail_action` are defaults for campaigns that say nothing.
    """

    id: str
    number: int
    external_id: str | None
    name: str
    active: bool
    outbound_enabled: bool
    voicemail_detection: bool
    voicemail_action: VoicemailAction | None
    phone_numbers: tuple[str, ...]
    attributes: Mapping[str, Any]
    definition: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Agent":
        """The agent as it is stored."""
        document = complete(AgentDocument, stored)
        action = document["voicemail_action"]
        as_stored = EDITABLE - {"voicemail_action", "phone_numbers"} | {"number", "external_id"}
        return cls(
            id=document["agent_id"],
            voicemail_action=None if action is None else VoicemailAction(action),
            phone_numbers=tuple(document["phone_numbers"]),
            created_at=document["created_at"],
            updated_at=document["updated_at"],
            **{name: document[name] for name in as_stored},
        )


async def register_agent(store: Store, organization_id: str, new: NewAgent, now: datetime) -> Agent:
    """A new agent. Raises `Conflict` (id or external_id taken) or `NotFound` (organization)."""
    agent_id = new.id if new.id is not None else str(uuid.uuid4())
    document: Document = {
        "_id": agent_key(organization_id, agent_id),
        "organization_id": organization_id,
        "agent_id": agent_id,
        **_stored({name: getattr(new, name) for name in EDITABLE}),
        **({} if new.external_id is None else {"external_id": new.external_id}),
        "created_at": now,
        "updated_at": now,
    }

    async def work(session: AsyncClientSession) -> Agent:
        whole = {**document, "number": await _next_number(store, organization_id, session)}
        await store["agents"].insert_one(whole, session=session)
        return Agent.from_document(whole)

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError as error:
        if is_external_id(error):
            raise Conflict(Clash.AGENT_EXTERNAL_ID_TAKEN, new.external_id or "") from error
        raise Conflict(Clash.AGENT_ID_TAKEN, agent_id) from error


@translates
async def get_agent(store: Store, organization_id: str, reference: str) -> Agent:
    """The organization's agent of this id, else this external_id. Raises `NotFound`."""
    return Agent.from_document(await _found(store, organization_id, reference))


@translates
async def agent_of_number(store: Store, organization_id: str, number: int) -> Agent:
    """The organization's agent of this number. Raises `NotFound`."""
    document = await store["agents"].find_one({"organization_id": organization_id, "number": number})
    if document is None:
        raise NotFound(Kind.AGENT, str(number))
    return Agent.from_document(document)


@translates
async def agents_by_id(store: Store, organization_id: str, agent_ids: Collection[str]) -> dict[str, Agent]:
    """The registered agents among these, by id."""
    keys = [agent_key(organization_id, agent_id) for agent_id in set(agent_ids)]
    found = store["agents"].find({"_id": {"$in": keys}})
    return {document["agent_id"]: Agent.from_document(document) async for document in found}


@translates
async def list_agents(
    store: Store, organization_id: str, *, active: bool | None, outbound: bool | None, cursor: str | None, limit: int
) -> Page[Agent]:
    """The organization's agents, newest first; None: whether active, or outbound-enabled, or not.

    Raises `InvalidCursor`.
    """
    where = _matching(organization_id, active, outbound)
    page = await newest_first(store["agents"], where, cursor=cursor, limit=limit)
    return Page([Agent.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def numbered_agents(
    store: Store, organization_id: str, *, active: bool | None, outbound: bool | None, offset: int, limit: int
) -> NumberedPage[Agent]:
    """The agents as `list_agents` has them, from the `offset`-th on, and how many there are."""
    where = _matching(organization_id, active, outbound)
    page = await numbered(store["agents"], where, offset=offset, limit=limit)
    return NumberedPage([Agent.from_document(row) for row in page.rows], page.total)


@translates
async def edit_agent(
    store: Store, organization_id: str, reference: str, changes: Mapping[str, Any], now: datetime
) -> Agent:
    """Set the given ones of `EDITABLE`; the others stay. Raises `NotFound`."""
    if not changes.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(changes.keys() - EDITABLE)}")
    found = await _found(store, organization_id, reference)
    after = await store["agents"].find_one_and_update(
        {"_id": found["_id"]},
        {"$set": {**_stored(changes), "updated_at": now}},
        return_document=ReturnDocument.AFTER,
    )
    if after is None:
        raise NotFound(Kind.AGENT, reference)
    return Agent.from_document(after)


async def delete_agent(store: Store, organization_id: str, reference: str, now: datetime) -> str:
    """Remove an agent; its id. Raises `NotFound`, or `Conflict` while a campaign that has not ended names it."""

    async def work(session: AsyncClientSession) -> str:
        found = await _found(store, organization_id, reference, session)
        agent_id: str = found["agent_id"]
        mine = {"organization_id": organization_id, "agent_id": agent_id}
        by_configuration = [c["_id"] async for c in store["configurations"].find(mine, {"_id": 1}, session=session)]
        uses: list[Document] = [{"agent_id": agent_id}]
        if by_configuration:
            # The configuration's agent is a campaign's that has none of its own.
            uses.append({"configuration_id": {"$in": by_configuration}, "agent_id": None})
        query = {"organization_id": organization_id, **NOT_DELETED, "$nor": [shown_as(_ENDED, now)], "$or": uses}
        if using := await named_campaigns(store, query, session):
            raise Conflict(Clash.AGENT_IN_USE, agent_id, using)
        await store["agents"].delete_one({"_id": found["_id"]}, session=session)
        await touch(store, organization_id, session)
        return agent_id

    return await store.in_transaction(work)


def _matching(organization_id: str, active: bool | None, outbound: bool | None) -> Document:
    filters = {"active": active, "outbound_enabled": outbound}
    return {"organization_id": organization_id} | {name: value for name, value in filters.items() if value is not None}


def _stored(values: Mapping[str, Any]) -> Document:
    return {name: list(value) if name == "phone_numbers" else value for name, value in values.items()}


async def _next_number(store: Store, organization_id: str, session: AsyncClientSession) -> int:
    after = await store["organizations"].find_one_and_update(
        {"_id": organization_id},
        {"$inc": {"registered_agents": 1}},
        projection={"registered_agents": True},
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if after is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    number: int = after["registered_agents"]
    return number


async def _found(
    store: Store, organization_id: str, reference: str, session: AsyncClientSession | None = None
) -> Document:
    by_id = {"_id": agent_key(organization_id, reference)}
    by_external_id = {"organization_id": organization_id, "external_id": reference}
    for query in (by_id, by_external_id):
        document = await store["agents"].find_one(query, session=session)
        if document is not None:
            return document
    raise NotFound(Kind.AGENT, reference)
