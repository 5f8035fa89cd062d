"""Use cases asked directly, where a route would only stand in between."""

from unittest.mock import create_autospec

import pytest

from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignUse
from shared.domain.contact import ContactStatus
from shared.domain.contact_input import ContactInput, NumberRules, PreparedContacts
from shared.domain.ids import DEFAULT_CAMPAIGN
from shared.engine import campaigns, contacts
from shared.engine.engine import Engine
from shared.engine.file_places import file_place
from shared.engine.hints import Hint, Hints
from shared.errors import ContactsNotStored, TemporaryError, WrongState
from shared.events import CampaignChanged, ContactsAdded
from shared.settings import FileSettings
from shared.store.client import Document, Store
from tests.factories import add_configuration, add_organization


class Told(Hints):
    """Hints that stay here."""

    def __init__(self) -> None:
        super().__init__(create_autospec(Producer, instance=True))
        self.hints: list[Hint] = []

    def give(self, hint: Hint) -> None:
        self.hints.append(hint)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def engine(store: Store, told: Told) -> Engine:
    return Engine(store, told, "api-0", file_place(FileSettings(), store, None))


@pytest.fixture
async def organization(store: Store) -> Document:
    return await add_organization(store)


@pytest.fixture
async def new(store: Store, organization: Document) -> campaigns.NewCampaign:
    configuration = await add_configuration(store, organization)
    return campaigns.NewCampaign("c", configuration["_id"], None, 1, None, None, None)


def rows(count: int) -> PreparedContacts:
    inputs = [ContactInput(external_id=f"x{n}", phone_numbers=[f"+1415555{n:04d}"]) for n in range(count)]
    return NumberRules("+1").prepare(inputs)


async def test_a_campaign_made_with_contacts_tells_the_scheduler_of_both(
    engine: Engine, told: Told, organization: Document, new: campaigns.NewCampaign
) -> None:
    made = await campaigns.create_campaign(engine, organization["_id"], new, rows(3), utc_now())
    assert made.contacts is not None
    assert (made.contacts.inserted, [type(hint) for hint in told.hints]) == (3, [CampaignChanged, ContactsAdded])
    page = await contacts.list_contacts(
        engine, organization["_id"], made.campaign.id, status=None, limit=2, offset=1, now=utc_now()
    )
    assert ([contact.external_id for contact in page.rows], page.total) == (["x1", "x2"], 3)
    assert page.rows[0].status is ContactStatus.PENDING
    assert page.rows[0].standing.waits is not None


async def test_a_campaign_whose_contacts_could_not_be_stored_is_there_and_named(
    engine: Engine,
    organization: Document,
    new: campaigns.NewCampaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise TemporaryError("Other requests are in the way.")

    monkeypatch.setattr("shared.store.contacts.upsert.upsert_contacts", busy)
    with pytest.raises(ContactsNotStored) as refused:
        await campaigns.create_campaign(engine, organization["_id"], new, rows(1), utc_now())
    assert refused.value.why == "Other requests are in the way."
    stored = await campaigns.get_campaign(engine, organization["_id"], refused.value.campaign_id)
    assert stored.name == "c"


async def test_contacts_of_a_closed_campaign_are_not_reset(
    engine: Engine, organization: Document, new: campaigns.NewCampaign
) -> None:
    made = await campaigns.create_campaign(engine, organization["_id"], new, None, utc_now())
    assert made.contacts is None
    await campaigns.move_campaign(engine, organization["_id"], made.campaign.id, CampaignMove.CANCEL, utc_now())
    with pytest.raises(WrongState) as refused:
        await contacts.reset_contacts(
            engine,
            organization["_id"],
            made.campaign.id,
            status=ContactStatus.ERROR,
            because=None,
            cursor=None,
            now=utc_now(),
        )
    assert refused.value.asked is CampaignUse.RESET_CONTACTS


async def test_contacts_of_no_campaign_are_shown_without_one(
    engine: Engine, told: Told, organization: Document
) -> None:
    organization_id, now = organization["_id"], utc_now()
    target = await contacts.contact_target(engine, organization_id, DEFAULT_CAMPAIGN)
    rules = await contacts.number_rules(engine, organization_id, target.configuration_id)
    assert rules.why_unreadable("4155550123") is not None, "E.164 alone"
    await contacts.add_contacts(engine, target, rules.prepare([ContactInput(phone_numbers=["+14155550123"])]), now)
    page = await contacts.list_contacts(
        engine, organization_id, DEFAULT_CAMPAIGN, status=None, limit=1, offset=0, now=now
    )
    assert [contact.campaign_id for contact in page.rows] == [None]
    assert told.hints == [target.hint]
