"""Organizations and campaigns of a scheduler's shards, as far as dialing needs them, and their changes.

Hints on Kafka say it at once; the server-made `changed_at` stamps say it again within a second when a
hint was lost. Every read here is small however many campaigns are idle; each that an organization has ever had costs
every change of it some 6 µs of the server's time (docs/capacity.md).
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from shared.domain.caller_numbers import CallerNumber, NumberPlan
from shared.domain.calling_window import Schedule
from shared.domain.campaign import NO_CAMPAIGN_PRIORITY, Course, Intent
from shared.domain.configuration import Configuration
from shared.domain.dialing_values import CallFields
from shared.domain.ids import default_campaign_id, organization_budget
from shared.domain.known_words import known
from shared.domain.organization_hours import NO_ORGANIZATION_HOURS, OrganizationHours
from shared.domain.queue_order import QueueOrder, Whose
from shared.domain.refusal import Rest
from shared.domain.telephony_accounts import NO_ACCOUNTS, TelephonyAccounts
from shared.store.catalog.courses import MAY_RUN, course_of
from shared.store.client import Document, Store, translates
from shared.store.dialing.context import (
    call_fields,
    concurrency_limit,
    organization_hours,
    readable_configurations,
)
from shared.store.dialing.number_use import may_have_several, plan_of, read_numbers, read_registries
from shared.store.dialing.rests import read_rests
from shared.store.documents.catalog import FOR_PEOPLE, CampaignDocument, OrganizationDocument
from shared.store.documents.completing import complete
from shared.store.documents.dialing import BudgetDocument, CountersDocument, CountersInDocument

RUNS: Final = Course(Intent.RUNNING)


@dataclass(frozen=True, slots=True)
class OrganizationEntry:
    """One organization: its limits, the slots it holds, its usual caller number, what rests, and its hours.

    `registered` are its caller numbers, by number, `accounts` its telephony accounts.
    """

    organization_id: str
    limit: int
    held: int
    default_caller_number: str | None = None
    rests: Mapping[str, Rest] = field(default_factory=dict)
    hours: OrganizationHours = NO_ORGANIZATION_HOURS
    calls_per_second: float | None = None
    registered: Mapping[str, CallerNumber] = field(default_factory=dict)
    accounts: TelephonyAccounts = NO_ACCOUNTS
    fact_types: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """One campaign that may be dialed; without configuration: contacts of no campaign.

    Those are called by the `ad_hoc_schedule`, or without it at any hour. `zones` are the timezones its contacts have
    ever had, `prioritized` says whether any had a priority above 0, or was to be called back on request, `whose` in
    whose queues they are.
    """

    campaign_id: str
    organization_id: str
    priority: int
    configuration: Configuration | None
    zones: frozenset[str | None] = field(default_factory=frozenset)
    fields: CallFields = field(default_factory=CallFields)
    prioritized: bool = False
    order: QueueOrder = QueueOrder.FRESH_FIRST
    course: Course = RUNS
    ad_hoc_schedule: Schedule | None = None
    calls_per_second: float | None = None
    numbers: NumberPlan | None = None
    max_calls: int | None = None
    whose: Whose = Whose.WITHOUT_OWN_NUMBER


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the contacts of a campaign have ever had: timezones, and whether any had a priority above 0.

    A callback that was asked for counts as such a priority. `own_numbers`: any had a caller number of its own.
    """

    zones: frozenset[str | None] = frozenset()
    prioritized: bool = False
    own_numbers: bool = False

    @property
    def whose(self) -> Whose:
        """Whose queues hold the campaign's waiting contacts."""
        return Whose.EVERYBODYS if self.own_numbers else Whose.WITHOUT_OWN_NUMBER


@translates
async def server_now(store: Store) -> datetime:
    """The server's clock, against which its stamps are compared."""
    # A command's answer is decoded with PyMongo's defaults, that is without a timezone, unless told otherwise.
    answer = await store.client.admin.command("hello", codec_options=store.client.codec_options)
    now: datetime = answer["localTime"]
    return now


@translates
async def read_organizations(store: Store, query: Document) -> list[OrganizationEntry]:
    """The organizations that match, with what they hold."""
    found = store["organizations"].find(query)
    documents = [complete(OrganizationDocument, organization) async for organization in found]
    keys = [organization_budget(d["_id"]) for d in documents]
    budgets = {b["_id"]: b async for b in store["budgets"].find({"_id": {"$in": keys}})}
    registries, accounts = await read_numbers(store, documents)
    entries = [
        _organization_entry(d, budgets.get(organization_budget(d["_id"]), {}), registries.get(d["_id"], {}))
        for d in documents
    ]
    return [replace(entry, accounts=accounts.get(entry.organization_id, NO_ACCOUNTS)) for entry in entries]


def _organization_entry(
    organization: Document, stored: Document, registered: Mapping[str, CallerNumber]
) -> OrganizationEntry:
    budget = complete(BudgetDocument, stored)
    return OrganizationEntry(
        organization["_id"],
        concurrency_limit(organization),
        budget["held"],
        organization["default_agent_number"],
        read_rests(budget["rests"]),
        organization_hours(organization),
        organization["calls_per_second"],
        registered,
        fact_types=organization["fact_types"],
    )


@translates
async def read_campaigns(store: Store, hours: Mapping[str, OrganizationHours]) -> list[CampaignEntry]:
    """All campaigns of these organizations that may be dialed, now or once their time comes.

    Contacts of no campaign are among them. `hours` is what each organization says of hours, by its id.
    """
    query = {"organization_id": {"$in": list(hours)}, **MAY_RUN}
    found = store["campaigns"].find(query, dict.fromkeys(FOR_PEOPLE, 0))
    documents = [complete(CampaignDocument, campaign) async for campaign in found]
    return await _entries(store, documents, {default_campaign_id(o) for o in hours}, hours)


@translates
async def read_campaign(store: Store, organization_id: str, campaign_id: str) -> CampaignEntry | None:
    """One campaign (stored form) in whatever state it is, or an organization's contacts of no campaign.

    None: there is no such campaign, its configuration cannot be used, or there never was a contact of no campaign.
    """
    organization = await store["organizations"].find_one({"_id": organization_id})
    known_as = None if organization is None else complete(OrganizationDocument, organization)
    hours = {organization_id: organization_hours(known_as)}
    query = {"_id": campaign_id, "organization_id": organization_id}
    found = store["campaigns"].find(query, dict.fromkeys(FOR_PEOPLE, 0))
    documents = [complete(CampaignDocument, campaign) async for campaign in found]
    entries = await _entries(store, documents, set() if documents else {campaign_id}, hours)
    return entries[0] if entries else None


async def _entries(
    store: Store, documents: Sequence[Document], of_no_campaign: Set[str], hours: Mapping[str, OrganizationHours]
) -> list[CampaignEntry]:
    """These campaigns with a configuration that can be used, and these organizations' contacts of no campaign."""
    ids = [*(d["_id"] for d in documents), *of_no_campaign]
    enrolled = await read_enrolled(store, ids)
    configurations = await _configurations(store, {d["configuration_id"] for d in documents}, hours)
    registries = await read_registries(store, {d["organization_id"] for d in documents if may_have_several(d)})
    entries = [
        CampaignEntry(
            d["_id"],
            d["organization_id"],
            d["priority"],
            configurations[d["configuration_id"]],
            (has := enrolled.get(d["_id"], Enrolled())).zones,
            call_fields(d),
            has.prioritized,
            known(QueueOrder, d["order"]) or QueueOrder.FRESH_FIRST,
            course_of(d),
            calls_per_second=d["calls_per_second"],
            numbers=plan_of(d, registries.get(d["organization_id"], {})),
            max_calls=d["max_calls"],
            whose=has.whose,
        )
        for d in documents
        if d["configuration_id"] in configurations
    ]
    for organization_id, its_hours in hours.items():
        campaign_id = default_campaign_id(organization_id)
        if campaign_id in of_no_campaign and campaign_id in enrolled:
            has = enrolled[campaign_id]
            entry = CampaignEntry(campaign_id, organization_id, NO_CAMPAIGN_PRIORITY, None, has.zones)
            hours_of_it = its_hours.ad_hoc_schedule
            entries.append(replace(entry, prioritized=has.prioritized, whose=has.whose, ad_hoc_schedule=hours_of_it))
    return entries


async def _configurations(
    store: Store, ids: Collection[str], hours: Mapping[str, OrganizationHours]
) -> dict[str, Configuration]:
    cursor = store["configurations"].find({"_id": {"$in": list(ids)}})
    return readable_configurations([document async for document in cursor], hours)


@translates
async def read_enrolled(store: Store, campaign_ids: Collection[str]) -> dict[str, Enrolled]:
    """What contacts of these campaigns have ever had; campaigns never given a contact are absent."""
    enrolled: dict[str, Enrolled] = {}
    async for found in store["counters_in"].find({"campaign_id": {"$in": list(campaign_ids)}}):
        source = complete(CountersInDocument, found)
        before = enrolled.get(source["campaign_id"], Enrolled())
        enrolled[source["campaign_id"]] = Enrolled(
            before.zones.union(source["zones"]),
            before.prioritized or source["prioritized"],
            before.own_numbers or source["own_numbers"],
        )
    return enrolled


@translates
async def campaigns_with_waiting(store: Store, shard: int) -> set[str]:
    """Campaigns of a shard in which contacts wait, by their counts; spares a look at every idle one."""
    waiting: dict[str, int] = {}
    async for found in store["counters_in"].find({"shard": shard}, {"campaign_id": 1, "added": 1}):
        source = complete(CountersInDocument, found, {"added"})
        waiting[source["campaign_id"]] = waiting.get(source["campaign_id"], 0) + source["added"]
    async for counter in store["counters"].find({"shard": shard}, {"pending": 1}):
        if counter["_id"] in waiting:
            waiting[counter["_id"]] += complete(CountersDocument, counter, {"pending"})["pending"]
    return {campaign_id for campaign_id, count in waiting.items() if count > 0}
