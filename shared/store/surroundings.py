"""What campaign-api owns and a dialing decision needs, as one transaction (or one look) sees it.

Each document is read at most once; nothing is kept beyond the transaction.
"""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.calling_window import is_open
from shared.domain.campaign import CampaignStatus
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus, Tier, is_default_campaign
from shared.domain.retry import BUILT_IN_POLICY, RetryPolicy
from shared.logs import get_logger
from shared.store.client import Document, Store

log = get_logger()

DEFAULT_CONCURRENCY_LIMIT: Final = 10

# (organization id, number): one entry of an organization's do-not-call list.
Listed = tuple[str, str]


def concurrency_limit(organization: Document | None) -> int:
    """How many calls an organization may have up at once; 0 for one that does not exist."""
    if organization is None:
        return 0
    limit = organization.get("concurrency_limit")
    return DEFAULT_CONCURRENCY_LIMIT if limit is None else int(limit)


def readable_configurations(documents: Iterable[Document]) -> dict[str, Configuration]:
    """Configurations by id. One that our rules do not allow (any more) is left out, so that nobody is called by it.

    Raising would stop every organization of the shard, again at every start.
    """
    readable: dict[str, Configuration] = {}
    for document in documents:
        try:
            readable[document["_id"]] = Configuration.from_document(document)
        except ValidationError as error:
            faults = [".".join(str(part) for part in fault["loc"]) for fault in error.errors()]
            log.error("unusable configuration, its campaigns wait", configuration=document["_id"], faults=faults)
    return readable


@dataclass(slots=True)
class Surroundings:
    """Organizations, campaigns, configurations and do-not-call entries, by id."""

    store: Store
    session: AsyncClientSession | None = None
    organizations: dict[str, Document] = field(default_factory=dict)
    campaigns: dict[str, Document] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)
    listed: set[Listed] = field(default_factory=set)
    _asked: dict[str, set[str]] = field(default_factory=dict)

    async def load(self, contacts: Collection[Document]) -> None:
        """Read what these contacts need: their organizations, campaigns, configurations, do-not-call entries."""
        if self.session is None:
            await asyncio.gather(
                self._load_organizations(contacts), self._load_campaigns(contacts), self._load_listed(contacts)
            )
            return
        # A session does one thing at a time.
        await self._load_organizations(contacts)
        await self._load_campaigns(contacts)
        await self._load_listed(contacts)

    async def _load_organizations(self, contacts: Collection[Document]) -> None:
        await self._find("organizations", (c["organization_id"] for c in contacts), self.organizations)

    async def _load_campaigns(self, contacts: Collection[Document]) -> None:
        campaign_ids = (c["campaign_id"] for c in contacts if not is_default_campaign(c["campaign_id"]))
        await self._find("campaigns", campaign_ids, self.campaigns)
        found: dict[str, Document] = {}
        await self._find("configurations", (c["configuration_id"] for c in self.campaigns.values()), found)
        self.configurations |= readable_configurations(found.values())

    async def _load_listed(self, contacts: Collection[Document]) -> None:
        entries: dict[str, Document] = {}
        await self._find("do_not_call", _do_not_call_ids(contacts), entries)
        self.listed.update((entry["organization_id"], entry["phone_number"]) for entry in entries.values())

    async def _find(self, collection: str, ids: Iterable[str], into: dict[str, Document]) -> None:
        asked = self._asked.setdefault(collection, set())
        new = set(ids) - asked
        if not new:
            return
        asked |= new
        cursor = self.store[collection].find({"_id": {"$in": list(new)}}, session=self.session)
        into.update({document["_id"]: document async for document in cursor})

    def configuration(self, contact: Document) -> Configuration | None:
        """The configuration behind a contact; None under `default`, or when the campaign is gone."""
        campaign = self.campaigns.get(contact["campaign_id"])
        return self.configurations.get(campaign["configuration_id"]) if campaign else None

    def retry_policy(self, contact: Document) -> RetryPolicy:
        """The rule for what follows an attempt; the built-in one where there is no configuration."""
        configuration = self.configuration(contact)
        return configuration.retry_policy if configuration else BUILT_IN_POLICY

    def is_closed(self, contact: Document) -> bool:
        """Whether the contact's campaign is closed or gone; `default` never is."""
        if is_default_campaign(contact["campaign_id"]):
            return False
        campaign = self.campaigns.get(contact["campaign_id"])
        return campaign is None or campaign["status"] == CampaignStatus.CLOSED

    def may_dial(self, contact: Document) -> bool:
        """Whether the contact's campaign is active; `default` always is."""
        if is_default_campaign(contact["campaign_id"]):
            return True
        campaign = self.campaigns.get(contact["campaign_id"])
        return campaign is not None and campaign["status"] == CampaignStatus.ACTIVE

    def window_is_open(self, contact: Document, now: datetime, *, ahead: timedelta = timedelta()) -> bool:
        """Whether the contact may be called at `now`, and for `ahead` from then; `default` always may."""
        if is_default_campaign(contact["campaign_id"]):
            return True
        configuration = self.configuration(contact)
        if configuration is None:
            return False
        schedule = configuration.schedule(contact["tier"] == Tier.SCHEDULED)
        return is_open(schedule, contact["timezone"], now, for_seconds=ahead.total_seconds())

    def is_listed(self, organization_id: str, phone: str) -> bool:
        """Whether a number is on the organization's do-not-call list; only for loaded contacts' numbers."""
        return (organization_id, phone) in self.listed

    def allowed_numbers(self, contact: Document) -> list[str]:
        """The contact's numbers that are not on the do-not-call list, in order."""
        return [p for p in contact["phone_numbers"] if not self.is_listed(contact["organization_id"], p)]

    def first_set(self, contact: Document, name: str) -> str | None:
        """Contact, then campaign, then configuration: the first value set of an agent or caller field."""
        if contact.get(name) is not None:
            return str(contact[name])
        campaign = self.campaigns.get(contact["campaign_id"])
        if campaign is not None and campaign.get(name) is not None:
            return str(campaign[name])
        configuration = self.configuration(contact)
        value = getattr(configuration, name, None) if configuration else None
        return str(value) if value is not None else None

    def caller_number(self, contact: Document) -> str | None:
        """`first_set` for the caller number, then the organization's default."""
        chosen = self.first_set(contact, "agent_number")
        if chosen is not None:
            return chosen
        organization = self.organizations.get(contact["organization_id"]) or {}
        default = organization.get("default_agent_number")
        return str(default) if default is not None else None

    def settled(self, contact: Document, to: ContactStatus) -> ContactStatus | None:
        """Where a contact really ends up: deletion, a closed campaign and do-not-call win over waiting again.

        None: it is removed.
        """
        if contact.get("delete_requested"):
            return None
        if to is ContactStatus.PENDING and (self.is_closed(contact) or not self.allowed_numbers(contact)):
            return ContactStatus.SKIPPED
        return to


def _do_not_call_ids(contacts: Collection[Document]) -> Iterable[str]:
    for contact in contacts:
        yield from (f"{contact['organization_id']}:{phone}" for phone in contact["phone_numbers"])
        if "lock" in contact:
            yield f"{contact['organization_id']}:{contact['lock']['phone']}"
