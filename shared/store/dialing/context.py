"""The documents of campaign-api that a dialing decision needs, as one transaction (or one look) sees them.

Each document is read at most once, but for the root of the read; nothing is kept beyond the transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.caps import NO_CAPS, NumberCaps
from shared.domain.configuration import Configuration
from shared.domain.dialing import number_plan
from shared.domain.dialing_values import CallFields, CampaignRules, DialedContact, Rules
from shared.domain.ids import campaign_budget, is_default_campaign, organization_budget
from shared.domain.known_words import known
from shared.domain.organization_hours import CLOSED_FOR_GOOD, NO_ORGANIZATION_HOURS, OrganizationHours
from shared.domain.phone import compared
from shared.domain.queue_order import tier_in
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.refusal import Rest
from shared.domain.retry import BUILT_IN_POLICY, RetryPolicy
from shared.domain.run_calls import RunCalls
from shared.domain.telephony_accounts import NO_ACCOUNTS
from shared.logs import get_logger
from shared.store.catalog.courses import course_of
from shared.store.catalog.do_not_call import listing_ids
from shared.store.client import Document, Store
from shared.store.dialing.number_use import NumbersInForce, may_have_several, plan_of
from shared.store.dialing.rests import read_rests
from shared.store.dialing.run_sums import read_run_calls
from shared.store.documents.catalog import FOR_PEOPLE, CampaignDocument, OrganizationDocument
from shared.store.documents.completing import complete
from shared.store.documents.dialing import BudgetDocument

log = get_logger()

DEFAULT_CONCURRENCY_LIMIT: Final = 10
# So many documents in one answer, which must stay below 16 MB: an organization may have 95 kB (its exclusive caller
# numbers and closures), a campaign 5, an entry of the do-not-call list 0.4, a budget 0.4.
AT_MOST: Final = {"organizations": 50, "campaigns": 300, "budgets": 1000, "do_not_call": 10_000}
# A configuration of at most so many bytes comes in the same answer, with each of its campaigns; one may have megabytes
# of windows, and is asked for by itself.
SMALL_BYTES: Final = 16 * 1024
_WITH_CONFIGURATION: Final[Document] = {
    "$lookup": {
        "from": "configurations",
        "localField": "configuration_id",
        "foreignField": "_id",
        "pipeline": [{"$match": {"$expr": {"$lte": [{"$bsonSize": "$$ROOT"}, SMALL_BYTES]}}}],
        "as": "configurations",
    }
}
# Fields that are read, where a document has larger ones.
FIELDS: Final[Mapping[str, Document]] = {
    "campaigns": dict.fromkeys(FOR_PEOPLE, 0),
    "do_not_call": {"organization_id": 1, "phone_number": 1},
    "budgets": {"held": 1, "rests": 1, "turn": 1, "run": 1, "calls": 1, "claims": 1},
}

# (organization id, number in compared form): one entry of an organization's do-not-call list.
Listed = tuple[str, str]


def concurrency_limit(organization: Document | None) -> int:
    """The calls at once that an organization may have; 0 for one that does not exist."""
    if organization is None:
        return 0
    limit = organization["concurrency_limit"]
    return DEFAULT_CONCURRENCY_LIMIT if limit is None else int(limit)


def organization_hours(organization: Document | None) -> OrganizationHours:
    """What an organization says of hours; one whose stored hours our rules do not allow (any more) calls nobody."""
    if organization is None:
        return NO_ORGANIZATION_HOURS
    try:
        return OrganizationHours.from_document(organization)
    except ValidationError:
        log.error("unusable hours of an organization, its contacts wait", organization=organization["_id"])
        return CLOSED_FOR_GOOD


def number_caps(organization: Mapping[str, Any] | None) -> NumberCaps:
    """The caps on each phone that an organization has set; none for one that does not exist."""
    if not organization:
        return NO_CAPS
    return NumberCaps(
        organization["max_attempts_per_number_per_day"],
        organization["max_attempts_per_number_per_week"],
        organization["min_minutes_between_calls"],
    )


def readable_configurations(
    documents: Iterable[Document], hours: Mapping[str, OrganizationHours]
) -> dict[str, Configuration]:
    """Configurations by id, with the `hours` of their organizations, by organization id.

    One that our rules do not allow (any more) is left out, so that nobody is called by it. Raising would stop every
    organization of the shard, again at every start.
    """
    readable: dict[str, Configuration] = {}
    for document in documents:
        try:
            organization = hours.get(document["organization_id"], NO_ORGANIZATION_HOURS)
            readable[document["_id"]] = Configuration.from_document(document, organization)
        except ValidationError as error:
            faults = [".".join(str(part) for part in fault["loc"]) for fault in error.errors()]
            log.error("unusable configuration, its campaigns wait", configuration=document["_id"], faults=faults)
    return readable


@dataclass(frozen=True, slots=True)
class Root:
    """The root of a read: the document from which the others are looked up, its fields, and stages that add more.

    The reader takes one it needs anyway. Without that document nothing is found, so the reader must look whether
    `root_document` is there.
    """

    collection: str
    id: Any
    fields: tuple[str, ...]
    more: tuple[Document, ...] = ()


@dataclass(slots=True)
class DialingContext:
    """Organizations, campaigns and configurations by id, do-not-call entries, and what budgets hold, by their keys.

    `rests` are what the carrier has refused to an organization, by organization id and key; `runs` the counted calls
    of campaigns' runs, by campaign id.
    Budgets of organizations and campaigns are loaded with their contacts, caller numbers by `load_numbers`.
    `root_document` is None until something was loaded, and when there is no such document.
    """

    store: Store
    root: Root
    session: AsyncClientSession | None = None
    root_document: Document | None = None
    organizations: dict[str, Document] = field(default_factory=dict)
    campaigns: dict[str, Document] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    rests: dict[str, dict[str, Rest]] = field(default_factory=dict)
    runs: dict[str, RunCalls] = field(default_factory=dict)
    listed: set[Listed] = field(default_factory=set)
    _hours: dict[str, OrganizationHours] = field(default_factory=dict)
    _small_configurations: dict[str, Document] = field(default_factory=dict)
    numbers: NumbersInForce = field(default_factory=NumbersInForce)
    _rules: dict[tuple[str, str], Rules] = field(default_factory=dict)
    _asked: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    async def load(self, contacts: Collection[Document]) -> None:
        """Read what these contacts need: organizations, campaigns, configurations, budgets, do-not-call entries."""
        campaign_ids = {c["campaign_id"] for c in contacts}
        wanted = {
            "organizations": {c["organization_id"] for c in contacts},
            "campaigns": {campaign_id for campaign_id in campaign_ids if not is_default_campaign(campaign_id)},
            "budgets": {organization_budget(c["organization_id"]) for c in contacts}
            | {campaign_budget(campaign_id) for campaign_id in campaign_ids},
            "do_not_call": set(_do_not_call_ids(contacts)),
        }
        new = {name: sorted(self._new(name, ids)) for name, ids in wanted.items()}
        while any(new.values()):
            await self._look_up({name: ids[: AT_MOST[name]] for name, ids in new.items()})
            new = {name: ids[AT_MOST[name] :] for name, ids in new.items()}
        await self._load_configurations()

    async def load_numbers(self, contacts: Collection[Document]) -> None:
        """Read the registries of loaded contacts' organizations, and the use of numbers they may be called from.

        Of a contact that is on a call that is the number it is called from. Where no number is registered or exclusive,
        nothing is read.
        """
        if await self.numbers.load_registries(self.store, self.organizations.values(), self.session):
            self._rules.clear()
        on_call = [contact for contact in contacts if contact["lock"] is not None]
        # Those of a campaign without a number of their own may all be called from the same numbers.
        waiting = {(c["campaign_id"], c["agent_number"]): c for c in contacts if c["lock"] is None}
        counted: set[tuple[str, str]] = set()
        for contact in (*on_call, *waiting.values()):
            numbers, organization_id = self.rules_of(contact).numbers, contact["organization_id"]
            counted |= {(organization_id, n) for n in self._numbers_of(contact) if numbers.is_counted(n)}
        await self.numbers.load_uses(self.store, counted, self.session)

    def _numbers_of(self, contact: Document) -> Sequence[str]:
        if contact["lock"] is not None:
            return [contact["lock"]["caller_number"]]
        plan = number_plan(call_fields(contact), self.rules_of(contact))
        return [offer.number for offer in plan.offers] if plan is not None else []

    async def load_root(self) -> None:
        """Read the root alone."""
        await self._look_up({})

    async def _look_up(self, ids: Mapping[str, Sequence[str]]) -> None:
        """Read all these documents in one request, for a request costs more than what it reads (docs/benchmarks.md).

        A `$lookup`, because the server refuses `$unionWith` in a transaction; its answer is one document.
        """
        lookups = [_lookup(name, some) for name, some in ids.items() if some]
        root: list[Document] = [
            {"$match": {"_id": self.root.id}},
            {"$project": dict.fromkeys(self.root.fields, 1)},
            *self.root.more,
        ]
        found = await self.store[self.root.collection].aggregate([*root, *lookups], session=self.session)
        async for document in found:
            self.organizations |= _by_id(OrganizationDocument, document.pop("organizations", []))
            campaigns = document.pop("campaigns", [])
            for campaign in campaigns:
                self._small_configurations |= {each["_id"]: each for each in campaign.pop("configurations")}
            self.campaigns |= _by_id(CampaignDocument, campaigns)
            for budget in (complete(BudgetDocument, stored) for stored in document.pop("budgets", [])):
                self.held[budget["_id"]] = budget["held"]
                if budget["turn"] is not None:
                    self.numbers.turns[budget["_id"].removeprefix(campaign_budget(""))] = budget["turn"]
                if budget["run"] is not None:
                    self.runs[budget["_id"].removeprefix(campaign_budget(""))] = read_run_calls(budget)
                if budget["rests"]:
                    self.rests[budget["_id"]] = read_rests(budget["rests"])
            entries = document.pop("do_not_call", [])
            self.listed.update((entry["organization_id"], compared(entry["phone_number"])) for entry in entries)
            self.root_document = document

    async def _load_configurations(self) -> None:
        """Make the loaded campaigns' configurations of what was read with these, the large ones of what is read now."""
        if new := self._new("configurations", {c["configuration_id"] for c in self.campaigns.values()}):
            documents = [self._small_configurations.pop(each) for each in new & self._small_configurations.keys()]
            large = new - {document["_id"] for document in documents}
            if large:
                found = self.store["configurations"].find({"_id": {"$in": list(large)}}, session=self.session)
                documents += [document async for document in found]
            hours = {organization_id: self.hours_of(organization_id) for organization_id in self.organizations}
            self.configurations |= readable_configurations(documents, hours)

    def _new(self, collection: str, ids: Collection[str]) -> set[str]:
        """The ids among these that have not been asked for yet; they count as asked for from now on."""
        new = set(ids) - self._asked[collection]
        self._asked[collection] |= new
        return new

    def fact_types(self, organization_id: str) -> Collection[str]:
        """The types of facts that a loaded organization wants to be told of."""
        organization = self.organizations.get(organization_id)
        return organization["fact_types"] if organization is not None else ()

    def hours_of(self, organization_id: str) -> OrganizationHours:
        """What a loaded organization says of hours, read once."""
        if organization_id not in self._hours:
            self._hours[organization_id] = organization_hours(self.organizations.get(organization_id))
        return self._hours[organization_id]

    def configuration(self, contact: Document) -> Configuration | None:
        """The configuration behind a contact; None under `default`, or when the campaign is gone."""
        campaign = self.campaigns.get(contact["campaign_id"])
        return self.configurations.get(campaign["configuration_id"]) if campaign else None

    def has_several_numbers(self, contact: Document) -> bool:
        """Whether a contact is called from numbers that its campaign has several of, or a pool, or an account."""
        campaign = self.campaigns.get(contact["campaign_id"])
        return contact["agent_number"] is None and campaign is not None and may_have_several(campaign)

    def retry_policy(self, contact: Document) -> RetryPolicy:
        """The rule for what follows an attempt; the built-in one where there is no configuration."""
        configuration = self.configuration(contact)
        return configuration.retry_policy if configuration else BUILT_IN_POLICY

    def rules_of(self, contact: Document) -> Rules:
        """The rules for a loaded contact, made once for each campaign; numbers on a call and limits are left open."""
        key = contact["organization_id"], contact["campaign_id"]
        if key not in self._rules:
            self._rules[key] = self._make_rules(*key)
        return self._rules[key]

    def forget_rules(self, organization_id: str) -> None:
        """Have the rules of an organization's contacts made anew: what rests has changed in this transaction."""
        self._rules = {key: rules for key, rules in self._rules.items() if key[0] != organization_id}

    def _make_rules(self, organization_id: str, campaign_id: str) -> Rules:
        campaign = self.campaigns.get(campaign_id)
        organization = self.organizations.get(organization_id)
        return Rules(
            campaign=None if campaign is None else self._campaign_rules(campaign),
            of_no_campaign=is_default_campaign(campaign_id),
            default_caller_number=organization["default_agent_number"] if organization else None,
            rests=self.rests.get(organization_budget(organization_id), {}),
            ad_hoc_schedule=self.hours_of(organization_id).ad_hoc_schedule,
            number_caps=number_caps(organization),
            numbers=self.numbers.of(organization_id, organization),
            accounts=self.numbers.accounts.get(organization_id, NO_ACCOUNTS),
        )

    def _campaign_rules(self, campaign: Document) -> CampaignRules:
        configuration = self.configurations.get(campaign["configuration_id"])
        registry = self.numbers.registries.get(campaign["organization_id"], {})
        return CampaignRules(course_of(campaign), configuration, call_fields(campaign), plan_of(campaign, registry))

    def dialed(self, contact: Document) -> DialedContact:
        """A loaded contact as the rules of dialing see it."""
        organization_id = contact["organization_id"]
        numbers = tuple(contact["phone_numbers"])
        put_off = contact["put_off"]
        return DialedContact(
            phone_numbers=numbers,
            due_at=contact["due_at"],
            tier=tier_in(contact["tier"]),
            timezone=contact["timezone"],
            scheduled_at=contact["scheduled_at"],
            attempts_made=contact["attempts_made"],
            fields=call_fields(contact),
            has_agent_config=contact["agent_config"] is not None,
            listed={form for form in map(compared, numbers) if (organization_id, form) in self.listed}
            if self.listed
            else frozenset(),
            invalid=frozenset(contact["invalid_numbers"]),
            put_off=known(WaitReason, put_off["reason"]) if put_off else None,
            for_good=told_of(contact),
            expires_at=contact["expires_at"],
            id=contact["_id"],
            stopped=_known_stop(contact["stopped"]),
        )

    def is_listed(self, organization_id: str, phone: str) -> bool:
        """Whether a number is on the organization's do-not-call list; only for loaded contacts' numbers."""
        return (organization_id, compared(phone)) in self.listed


def known_ending(stored: str | None) -> EndReason | None:
    """Why a contact is never called again; a reason that this version does not know holds like an opt-out."""
    return None if stored is None else known(EndReason, stored) or EndReason.OPTED_OUT


def _known_stop(stored: str | None) -> EndReason | None:
    """Why a contact's person is not called; a reason that this version does not know holds as do-not-call."""
    return None if stored is None else known(EndReason, stored) or EndReason.DO_NOT_CALL


def told_of(contact: Mapping[str, Any]) -> EndReason | None:
    """What one of a contact's calls has told for good; an opt-out counts from the moment in which it is reported."""
    return EndReason.OPTED_OUT if contact["opted_out"] else known_ending(contact["for_good"])


def is_opt_out_untold(contact: Mapping[str, Any]) -> bool:
    """Whether the person has opted out and the scheduler, which counts that, has not taken it over yet."""
    return bool(contact["opted_out"]) and contact["for_good"] != EndReason.OPTED_OUT


def call_fields(document: Mapping[str, Any]) -> CallFields:
    """Agent, caller number and (a campaign's) account as a contact's or a campaign's document has them."""
    account_id = document.get("telephony_account_id")
    return CallFields(document["agent_id"], document["agent_version"], document["agent_number"], account_id)


def _do_not_call_ids(contacts: Collection[Document]) -> Iterable[str]:
    for contact in contacts:
        on_call = (contact.get("lock") or {}).get("phone")
        numbers = contact["phone_numbers"] if on_call is None else (*contact["phone_numbers"], on_call)
        yield from listing_ids(contact["organization_id"], numbers)


def _lookup(collection: str, ids: Sequence[str]) -> Document:
    pipeline: list[Document] = [{"$match": {"_id": {"$in": list(ids)}}}]
    if collection in FIELDS:
        pipeline.append({"$project": FIELDS[collection]})
    if collection == "campaigns":
        pipeline.append(_WITH_CONFIGURATION)
    return {"$lookup": {"from": collection, "pipeline": pipeline, "as": collection}}


def _by_id(model: type, documents: Iterable[Document]) -> dict[str, Document]:
    return {document["_id"]: complete(model, document) for document in documents}
