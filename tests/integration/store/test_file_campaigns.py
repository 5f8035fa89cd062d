"""Campaigns that are made of an uploaded list, and overviews of campaigns, asked directly."""

import uuid
from collections.abc import AsyncIterator
from unittest.mock import create_autospec

import pytest

from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.campaign_log import Actor, ActorKind, LogEvent
from shared.domain.configuration import Configuration
from shared.domain.csv_check import Breach, Refusal
from shared.domain.jobs import JobKind
from shared.engine import campaigns
from shared.engine.campaign_log import numbered_log
from shared.engine.campaigns import Campaign, NewCampaign
from shared.engine.engine import Engine
from shared.engine.file_campaigns import NewFileCampaign, create_file_campaign
from shared.engine.file_places import file_place
from shared.engine.files import store_file
from shared.engine.hints import Hints
from shared.engine.overviews import attempts_by_agent, last_import_of, overviews
from shared.errors import BadSetting, Kind, NotFound, WrongState
from shared.settings import FileSettings
from shared.store.client import Document, Store
from tests.factories import add_organization

KEY = Actor(ActorKind.KEY, "key-1")
LIST = b"phone_number,name\n+14155550101,Ada\n,\n+14155550102,Bob\n"


@pytest.fixture
def engine(store: Store) -> Engine:
    hints = Hints(create_autospec(Producer, instance=True))
    return Engine(store, hints, "api-0", file_place(FileSettings(), store, None))


@pytest.fixture
async def organization(store: Store) -> Document:
    return await add_organization(store)


async def bytes_of(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def uploaded(engine: Engine, organization: Document, data: bytes = LIST) -> str:
    now = utc_now()
    stored = await store_file(
        engine, organization["_id"], bytes_of(data), name="a.csv", content_type="text/csv", now=now
    )
    return stored.key


def wish(key: str, **fields: object) -> NewFileCampaign:
    campaign = NewCampaign("June", "", None, 1, "agent", None, None, **fields)  # type: ignore[arg-type]
    values = {"name": "June", **Configuration().model_dump(mode="json")}
    return NewFileCampaign(campaign, values, key, ("name",), "row_")


async def made(engine: Engine, organization: Document, **fields: object) -> Campaign:
    key = await uploaded(engine, organization)
    campaign = await create_file_campaign(engine, organization["_id"], wish(key, **fields), utc_now(), KEY)
    assert isinstance(campaign, Campaign)
    return campaign


async def test_a_list_makes_a_draft_that_imports_its_own_copy(engine: Engine, organization: Document) -> None:
    campaign = await made(engine, organization)
    assert campaign.shown(utc_now()).state is CampaignState.DRAFT
    assert (campaign.course.imports, campaign.agent_id) == (1, "agent")
    assert campaign.source_file is not None
    assert campaign.source_file.rows == 2
    job = await last_import_of(engine, campaign)
    assert job is not None
    assert job.order is not None
    assert (job.kind, job.order.file_key, job.order.fails_campaign) == (
        JobKind.IMPORT,
        campaign.source_file.copy_key,
        True,
    )
    assert campaign.source_file.copy_key != campaign.source_file.key
    logged = (await numbered_log(engine, organization["_id"], campaign.id, offset=0, limit=9)).rows
    assert {(entry.event, entry.by) for entry in logged} == {(LogEvent.CREATED, KEY), (LogEvent.IMPORT_STARTED, KEY)}
    [private] = await engine.store["configurations"].find({"campaign_id": campaign.id}).to_list()
    assert (private["_id"], private["campaign_count"]) == (campaign.configuration_id, 1)


async def test_a_list_that_breaks_a_rule_makes_nothing(engine: Engine, organization: Document) -> None:
    key = await uploaded(engine, organization, b"phone_number\n+14155550101\n")
    refused = await create_file_campaign(engine, organization["_id"], wish(key), utc_now())
    assert isinstance(refused, Refusal)
    assert (refused.breach, refused.names) == (Breach.MISSING_VARIABLES, ("name",))
    other = await add_organization(engine.store)
    with pytest.raises(NotFound) as raised:
        await create_file_campaign(engine, other["_id"], wish(key), utc_now())
    assert raised.value.kind is Kind.FILE
    key = await uploaded(engine, organization)
    with pytest.raises(BadSetting):
        await create_file_campaign(
            engine, organization["_id"], wish(key, telephony_account_id=str(uuid.uuid4())), utc_now()
        )
    for name in ("campaigns", "configurations", "jobs"):
        assert await engine.store[name].count_documents({"organization_id": organization["_id"]}) == 0


async def test_a_campaign_by_its_number_and_its_overview(engine: Engine, organization: Document) -> None:
    first, second = await made(engine, organization), await made(engine, organization)
    assert (first.number, second.number) == (1, 2)
    assert (await campaigns.campaign_of_number(engine, organization["_id"], 2)).id == second.id
    for nobodys in (0, 3, 2**53, 2**70):
        with pytest.raises(NotFound):
            await campaigns.campaign_of_number(engine, organization["_id"], nobodys)
    await engine.store["counters"].insert_one({"_id": second.id, "attempts": 7})
    shown = await overviews(engine, organization["_id"], [second, first])
    assert [one.campaign.id for one in shown] == [second.id, first.id]
    assert [one.counts.attempts for one in shown] == [7, 0]
    assert [one.configuration.id for one in shown] == [second.configuration_id, first.configuration_id]
    assert {(one.agent, one.account, one.parent, one.child) for one in shown} == {(None, None, None, None)}
    assert await overviews(engine, organization["_id"], []) == []
    assert await attempts_by_agent(engine, organization["_id"]) == {"agent": 7}


async def test_a_move_from_fewer_states_than_the_engine_allows(engine: Engine, organization: Document) -> None:
    campaign = await made(engine, organization)
    with pytest.raises(WrongState):
        await campaigns.move_campaign(
            engine, organization["_id"], campaign.id, CampaignMove.START, utc_now(), only_in={CampaignState.PAUSED}
        )
    draft = {CampaignState.DRAFT}
    await campaigns.move_campaign(
        engine, organization["_id"], campaign.id, CampaignMove.START, utc_now(), only_in=draft
    )
    with pytest.raises(WrongState):
        await campaigns.edit_campaign(
            engine, organization["_id"], campaign.id, {"name": "July"}, None, utc_now(), only_in=draft
        )
