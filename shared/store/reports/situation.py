"""The standing of contacts: why one waits, and when it can be called. Reads only, never in a transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.caller_numbers import CallerNumbers
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Standing
from shared.domain.diagnosis import LimitUse
from shared.domain.dialing import next_call, verdict
from shared.domain.dialing_values import Call, DialedContact, Rules, Verdict, Wait
from shared.domain.ids import campaign_budget, organization_budget
from shared.domain.phone import compared, spellings
from shared.domain.reasons import WaitReason
from shared.domain.retry import BUILT_IN_POLICY, RetryPolicy
from shared.domain.run_calls import NOTHING_COUNTED
from shared.store.client import Document, Store, translates
from shared.store.dialing.caps import NO_ATTEMPTS, PastAttempts, past_attempts
from shared.store.dialing.context import DialingContext, Root, concurrency_limit
from shared.store.dialing.shards import read_global_use
from shared.store.dialing.wished import as_asked


@dataclass(slots=True)
class Situation:
    """One organization's documents, as the standing of its contacts needs them."""

    organization_id: str
    context: DialingContext
    everybody: LimitUse
    now: datetime
    live: set[str] = field(default_factory=set)
    past: PastAttempts = NO_ATTEMPTS
    # The rules with the limit that is full, by campaign.
    _limited: dict[str, Rules] = field(default_factory=dict)

    @classmethod
    @translates
    async def read(
        cls, store: Store, organization_id: str, contacts: Collection[Document], now: datetime
    ) -> "Situation":
        """Read what these contacts need, whatever their status; three or four questions for any number of them."""
        root = Root("organizations", organization_id, ("concurrency_limit",))
        context = DialingContext(store, root)
        await context.load(contacts)
        await context.load_numbers([contact for contact in contacts if contact["lock"] is None])
        situation = cls(organization_id, context, LimitUse(*await read_global_use(store)), now)
        waiting = [contact for contact in contacts if is_waiting(contact)]
        situation.live = await _live(store, organization_id, waiting)
        situation.past = await past_attempts(store, context, waiting, now)
        return situation

    def rules(self, contact: Document) -> Rules:
        """The rules for a contact, with numbers on a call and what caps count.

        The limit that is full depends on its caller number.
        """
        return self.past.rules(replace(self.context.rules_of(contact), live=self.live), self.organization_id)

    def dialed(self, contact: Document) -> DialedContact:
        """A contact as the rules see it, once what was asked for it is carried out."""
        return self.past.contact(self.context.dialed(self.seen(contact)), contact["_id"])

    def seen(self, contact: Document) -> Document:
        """The contact as it is shown: as what was asked of it, and is not carried out yet, will leave it."""
        return as_asked(contact, self.context.retry_policy(contact), self.now)

    def standing(self, contact: Document) -> Standing:
        """The standing of a contact; it must be one that was read for."""
        waits = self.waits(contact)
        if waits is None:
            return Standing()
        return Standing(waits, next_call(self.dialed(contact), self.rules(contact), self.now))

    def waits(self, contact: Document) -> Wait | None:
        """Why a contact waits, None when it does not; it must be one that was read for."""
        if self.seen(contact)["status"] != ContactStatus.PENDING:
            return None
        match self.answer(contact):
            case Wait() as waits:
                return waits
            case Call(choice=choice) if self.is_paced(contact["campaign_id"], choice.caller_number):
                return Wait(WaitReason.CALLS_PER_SECOND)
            case _:
                # It is called next, or the scheduler is about to end it.
                return Wait(WaitReason.IN_LINE)

    def answer(self, contact: Document) -> Verdict:
        """Whether a contact may be called now; it must be one that was read for."""
        campaign_id = contact["campaign_id"]
        if campaign_id not in self._limited:
            self._limited[campaign_id] = replace(self.rules(contact), full=self._full(contact))
        return verdict(self.dialed(contact), self._limited[campaign_id], self.now)

    def take(self, contact: Document, number: str) -> None:
        """Count a call of this number from now on, in every limit above it but that of its caller number."""
        for budget in (organization_budget(self.organization_id), campaign_budget(contact["campaign_id"])):
            self.context.held[budget] = self.context.held.get(budget, 0) + 1
        self.everybody = LimitUse(self.everybody.held + 1, self.everybody.limit)
        self.live.add(compared(number))
        self._limited.clear()

    def _full(self, contact: Document) -> WaitReason | None:
        """The first limit above a contact's call that has no slot free, that of its caller number apart."""
        run = self.run_use(contact["campaign_id"])
        if run is not None and run.is_full:
            return WaitReason.MAX_CALLS
        campaign = self.campaign_use(contact["campaign_id"])
        if campaign is not None and campaign.is_full:
            return WaitReason.CAMPAIGN_LIMIT
        if self.organization_use.is_full:
            return WaitReason.ORGANIZATION_LIMIT
        if self.everybody.is_full:
            return WaitReason.GLOBAL_LIMIT if self.everybody.limit > 0 else WaitReason.NO_EXECUTOR
        return None

    @property
    def organization_use(self) -> LimitUse:
        """The organization's limit on calls at once."""
        organization = self.context.organizations.get(self.organization_id)
        held = self.context.held.get(organization_budget(self.organization_id), 0)
        return LimitUse(held, concurrency_limit(organization))

    @property
    def numbers(self) -> CallerNumbers:
        """The organization's caller numbers, with the use of those that the contacts may be called from."""
        organization = self.context.organizations.get(self.organization_id)
        return self.context.numbers.of(self.organization_id, organization)

    def is_paced(self, campaign_id: str, caller_number: str | None) -> bool:
        """Whether a call of a campaign waits for a time: of the organization, of the campaign or of its number."""
        of_number = None if caller_number is None else self.numbers.calls_per_second(caller_number)
        return of_number is not None or bool(self.rates(campaign_id))

    def rates(self, campaign_id: str) -> dict[str, float]:
        """The limits of calls a second above a campaign's calls, by whose they are, those of caller numbers apart."""
        holders = {
            "organization": self.context.organizations.get(self.organization_id),
            "campaign": self.context.campaigns.get(campaign_id),
        }
        rates = {name: holder["calls_per_second"] for name, holder in holders.items() if holder}
        return {name: rate for name, rate in rates.items() if rate is not None}

    def run_use(self, campaign_id: str) -> LimitUse | None:
        """The calls that the campaign's run has made of those it may; None when it may make any number."""
        campaign = self.context.campaigns.get(campaign_id)
        if campaign is None or campaign["max_calls"] is None:
            return None
        counted = self.context.runs.get(campaign_id, NOTHING_COUNTED).of(campaign["generation"])
        return LimitUse(counted.calls, campaign["max_calls"])

    def campaign_use(self, campaign_id: str) -> LimitUse | None:
        """The campaign's own limit on calls at once; None when it has none."""
        campaign = self.context.campaigns.get(campaign_id)
        limit = campaign["concurrency_limit"] if campaign else None
        return None if limit is None else LimitUse(self.context.held.get(campaign_budget(campaign_id), 0), limit)


def is_waiting(contact: Document) -> bool:
    """Whether a contact waits for a call, or may as soon as what was asked of it is carried out."""
    return contact["status"] == ContactStatus.PENDING or contact["asked"] is not None


@dataclass(frozen=True, slots=True)
class Seen:
    """A contact as it is shown, as what was asked of it will leave it: its document, its standing, its retry rules."""

    document: Document
    standing: Standing = field(default_factory=Standing)
    policy: RetryPolicy = BUILT_IN_POLICY


async def as_seen(store: Store, organization_id: str, contacts: Sequence[Document], now: datetime) -> dict[str, Seen]:
    """These contacts of one organization as they are shown, by id."""
    if not any(is_waiting(contact) for contact in contacts):
        return {contact["_id"]: Seen(contact) for contact in contacts}
    situation = await Situation.read(store, organization_id, contacts, now)
    policy = situation.context.retry_policy
    return {c["_id"]: Seen(situation.seen(c), situation.standing(c), policy(c)) for c in contacts}


async def _live(store: Store, organization_id: str, contacts: Sequence[Document]) -> set[str]:
    """Numbers of these contacts, in compared form, that are on a call."""
    phones = {form for contact in contacts for number in contact["phone_numbers"] for form in spellings(number)}
    if not phones:
        return set()
    query = {"organization_id": organization_id, "lock.phone": {"$in": sorted(phones)}}
    found = store["contacts"].find(query, {"lock.phone": 1}, hint="live_phone")
    return {compared(contact["lock"]["phone"]) async for contact in found}
