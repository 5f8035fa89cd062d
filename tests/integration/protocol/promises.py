"""What must hold in MongoDB after every step (I6, I7, I8), seen at one moment, from outside of any transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress

from shared.domain.contact import ACTIVE, FINAL, ContactStatus, Tier
from shared.domain.ids import campaign_budget, number_budget, organization_budget
from shared.domain.outcome import PROVISIONAL, Outcome
from shared.domain.queue_order import tier_in
from shared.domain.reasons import EndReason
from shared.domain.wishes import WishKind
from shared.store.client import Document, Store
from shared.store.dialing.ledger import BUCKET
from shared.store.dialing.number_use import holds_number
from tests.eventually import eventually
from tests.integration.protocol.carrier import FOR_GOOD, Call

LOOKED_AT = (
    "contacts",
    "attempts",
    "counters",
    "counters_in",
    "budgets",
    "shards",
    "global_budget",
    "asks",
    "campaigns",
)
# A shard that has nobody to call gives back within a second.
REST_SECONDS = 3.0
COUNTED = (
    *("pending", "active", "completed", "exhausted", "error", "skipped", "attempts", "attempts_removed"),
    *("called", "answered", "opted_out", "retrying", "called_back", "talk_milliseconds"),
)


class Promises:
    """Looks at the store; remembers real outcomes, because they must never change, and what was granted.

    Check after every change of the limit: one that was lowered since the last look may be exceeded by what was granted.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._real: dict[str, str] = {}
        self._granted = 0
        self._waiting: dict[str, int] = {}

    async def check(self) -> Mapping[str, list[Document]]:
        """Raise AssertionError, naming the promise, if one is broken; what was looked at."""
        at = await _at_one_moment(self._store)
        _check_shapes(at["contacts"], at["attempts"])
        _check_budgets(at["contacts"], at["budgets"], at["shards"])
        _check_counters(at)
        _check_run_calls(at)
        _check_wishes(at["contacts"], at["asks"])
        self._check_waiting(at["contacts"])
        _check_runs(at["contacts"], at["campaigns"])
        self._check_grants(at["shards"], at["global_budget"])
        self._check_outcomes(at["attempts"])
        return at

    async def _all(self, collection: str) -> list[Document]:
        return await self._store[collection].find({}).to_list()

    def _check_grants(self, shards: list[Document], global_budget: list[Document]) -> None:
        limit = sum(int(everybody["limit"]) for everybody in global_budget)
        before, self._granted = self._granted, sum(shard["grant"] for shard in shards)
        assert self._granted <= max(limit, before), (
            f"I7: {self._granted} slots are granted, of a limit of {limit}; {before} were at the last look"
        )

    def _check_waiting(self, contacts: list[Document]) -> None:
        """The number of a contact's waiting never falls: the id of a callback is never another one's."""
        for contact in contacts:
            waiting, before = contact.get("waiting", 0), self._waiting.get(contact["_id"], 0)
            assert waiting >= before, f"the waiting of {contact['_id']} was {before} and is {waiting}"
            self._waiting[contact["_id"]] = waiting

    def _check_outcomes(self, attempts: list[Document]) -> None:
        outcomes = {attempt["_id"]: attempt["outcome"] for attempt in attempts}
        for attempt_id, outcome in self._real.items():
            assert outcomes.get(attempt_id) == outcome, f"I8: {outcome} became {outcomes.get(attempt_id)}"
        self._real |= {key: outcome for key, outcome in outcomes.items() if outcome not in PROVISIONAL}

    async def check_end(self, calls: Iterable[Call], unknowable: set[str]) -> None:
        """What must hold once everything has settled: I9 and I10."""
        for contact in await self._all("contacts"):
            assert contact["status"] in FINAL, f"I9: a contact stays {contact['status']}"
            assert not contact.get("delete_requested"), "I9: a deleted contact stays"
        for holder in [*await self._all("budgets"), *await self._all("shards")]:
            assert holder["held"] == 0, f"I9: {holder['_id']} holds {holder['held']} for ever"
        attempts = {attempt["_id"]: attempt for attempt in await self._all("attempts")}
        ended_because = {contact["_id"]: contact["ended_because"] for contact in await self._all("contacts")}
        for call in calls:
            attempt = attempts.get(call.request.attempt_id)
            assert attempt is not None, "I10: a call without an attempt"
            if call.request.attempt_id in unknowable and attempt["outcome"] in PROVISIONAL:
                continue
            assert attempt["outcome"] == call.outcome, f"I10: {call.outcome} was recorded as {attempt['outcome']}"
            if call.outcome in FOR_GOOD and call.request.contact_id in ended_because:
                because = ended_because[call.request.contact_id]
                assert because in (EndReason.ANSWERED, EndReason.OPTED_OUT), f"I10: {call.outcome}, ended as {because}"


async def _at_one_moment(store: Store) -> Mapping[str, list[Document]]:
    """Everything, in one question: grants move whenever a shard asks, also while this looks."""

    def documents_of(name: str) -> list[Document]:
        return [{"$replaceWith": {"of": {"$literal": name}, "document": "$$ROOT"}}]

    first, *others = LOOKED_AT
    question = [*documents_of(first), *({"$unionWith": {"coll": o, "pipeline": documents_of(o)}} for o in others)]
    at: dict[str, list[Document]] = {name: [] for name in LOOKED_AT}
    async with store.client.start_session(snapshot=True) as session:
        async for found in await store[first].aggregate(question, session=session):
            at[found["of"]].append(found["document"])
    return at


async def check_at_rest(store: Store) -> None:
    """`Promises.check` where nobody has looked before: what is granted above a lowered limit comes back in a moment."""

    async def holds() -> bool:
        with suppress(AssertionError):
            await Promises(store).check()
            return True
        return False

    with suppress(AssertionError):
        await eventually(holds, within=REST_SECONDS)
    await Promises(store).check()


def _check_shapes(contacts: list[Document], attempts: list[Document]) -> None:
    claimed = [
        (contact["organization_id"], contact["lock"]["call_number"]) for contact in contacts if "lock" in contact
    ]
    numbers = Counter([(attempt["organization_id"], attempt["call_number"]) for attempt in attempts] + claimed)
    assert all(count == 1 for count in numbers.values()), f"two calls have one number: {numbers.most_common(1)}"
    made = Counter(attempt["contact_id"] for attempt in attempts)
    for contact in contacts:
        status = contact["status"]
        assert ("lock" in contact) == (status in ACTIVE), f"I6: a {status} contact with a claim, or one without"
        assert ("start" in contact) == (status == ContactStatus.IN_PROGRESS), f"I6: a {status} contact, started or not"
        because = contact.get("ended_because")
        assert (because is not None) == (status in FINAL), f"a {status} contact, ended because {because}"
        is_completed = because in (EndReason.ANSWERED, EndReason.DONE)
        assert is_completed == (status == ContactStatus.COMPLETED), f"{status} because {because}"
        recorded = made[contact["_id"]]
        assert contact["attempts_made"] == recorded, (
            f"I6: {contact['_id']} ({status}) has made {contact['attempts_made']} attempts, {recorded} are recorded"
        )
        counted = recorded - contact.get("uncounted", 0) + contact.get("retries_skipped", 0)
        assert sum(contact["outcomes"].values()) == counted, (
            f"I6: limits count {contact['outcomes']} of {contact['_id']} ({status}), and {counted} attempts"
        )


def _check_budgets(contacts: list[Document], budgets: list[Document], shards: list[Document]) -> None:
    held: Counter[str] = Counter()
    exclusive: Counter[str] = Counter()
    by_shard: Counter[int] = Counter()
    for contact in contacts:
        if contact["status"] not in ACTIVE:
            continue
        lock, organization_id = contact["lock"], contact["organization_id"]
        held[organization_budget(organization_id)] += 1
        held[campaign_budget(contact["campaign_id"])] += 1
        by_shard[contact["shard"]] += 1
        if holds_number(lock):
            held[number_budget(organization_id, lock["caller_number"])] += 1
        if lock["exclusive"]:
            exclusive[number_budget(organization_id, lock["caller_number"])] += 1
    said = Counter({budget["_id"]: budget["held"] for budget in budgets})
    for key in held.keys() | said.keys():
        assert said[key] == held[key], f"I6: {key} holds {said[key]}, {held[key]} are locked or in progress"
        assert exclusive[key] < 2, f"I3: {key} is held {held[key]} times"
    for shard in shards:
        assert shard["held"] == by_shard[shard["_id"]], f"I6: shard {shard['_id']} holds {shard['held']}"
        assert shard["held"] <= shard["grant"], f"I1: shard {shard['_id']} holds more than it was granted"


def _check_wishes(contacts: list[Document], asks: list[Document]) -> None:
    wished = {contact["_id"]: contact for contact in contacts if "asked" in contact}
    rows = {row["_id"] for row in asks}
    # A row alone has the scheduler look at the contact of a person who was changed.
    people = {contact["_id"] for contact in contacts if contact.get("person_id") is not None}
    # An opt-out that the scheduler has not taken over has a row too.
    untold = {c["_id"] for c in contacts if c.get("opted_out") and c.get("for_good") != EndReason.OPTED_OUT}
    assert untold <= rows, "an opt-out that nobody takes over"
    without_wish = people | untold
    assert wished.keys() <= rows <= wished.keys() | without_wish, f"without a row, or a wish: {rows ^ wished.keys()}"
    for contact in wished.values():
        kind, status = WishKind(contact["asked"]["kind"]), contact["status"]
        if kind is not WishKind.CALLBACK:
            waits = {ContactStatus.PENDING}
            may = FINAL | (waits if contact.get("put_off") else set()) if kind is WishKind.AGAIN else waits
            assert status in may, f"S4: {kind} is asked of a contact that is {status}"
        elif status in ACTIVE:
            assert contact["asked"]["of"] == contact["lock"]["attempt"], "S4: a callback of another call than this one"


def _check_runs(contacts: list[Document], campaigns: list[Document]) -> None:
    """Who is claimed in the campaign's generation has its run opened; nobody is of a generation to come."""
    by_id = {campaign["_id"]: campaign for campaign in campaigns}
    for each in campaigns:
        run = each.get("run")
        assert run is None or run["generation"] <= each["generation"], "S1: a run of a generation to come"
    for contact in contacts:
        campaign = by_id.get(contact["campaign_id"])
        if campaign is None or contact["status"] not in ACTIVE:
            continue
        generation = contact["lock"].get("generation", 1)
        assert generation <= campaign["generation"], "S1: a claim of a generation to come"
        if generation == campaign["generation"]:
            opened = (campaign.get("run") or {}).get("generation") == generation
            assert opened, f"S1: {contact['_id']} is claimed, and its campaign's run is not opened"


def _counted_for(contact: Document, attempts: list[str]) -> set[str]:
    """The counters of contacts in which a contact is one, by its own documents: itself and its attempts' outcomes."""
    told = {contact.get("ended_because"), contact.get("for_good")}
    found = {
        "called": bool(attempts) or contact["status"] in ACTIVE,
        "answered": Outcome.ANSWERED in attempts and (Outcome.ANSWERED in contact["outcomes"] or "answered" in told),
        "opted_out": (
            Outcome.DO_NOT_CALL in attempts and (Outcome.DO_NOT_CALL in contact["outcomes"] or "opted_out" in told)
        )
        # By an agent's result, which the scheduler has taken over.
        or (bool(contact.get("opted_out")) and contact.get("for_good") == EndReason.OPTED_OUT)
        # By a word of another version, which holds like an opt-out.
        or ("opted_out" in told and not told <= {None, *EndReason}),
        "retrying": contact["status"] == ContactStatus.PENDING and tier_in(contact["tier"]) is Tier.RETRY,
        "called_back": contact["status"] == ContactStatus.PENDING and tier_in(contact["tier"]) is Tier.REQUESTED,
    }
    return {name for name, is_so in found.items() if is_so}


def _check_run_calls(at: Mapping[str, list[Document]]) -> None:
    """A run's calls are the claims of its generation that are there, and the attempts that were made of others."""
    calls: Counter[tuple[str, int]] = Counter()
    for contact in at["contacts"]:
        if contact["status"] in ACTIVE:
            calls[contact["campaign_id"], contact["lock"]["generation"]] += 1
    for attempt in at["attempts"]:
        if attempt.get("generation") is not None:
            calls[attempt["campaign_id"], attempt["generation"]] += 1
    counted = {counter["_id"]: run for counter in at["counters"] if (run := counter.get("run"))}
    for campaign_id, generation in calls:
        assert campaign_id in counted, f"S3: calls of generation {generation} that no run counts"
        newest = counted[campaign_id]["generation"]
        assert generation <= newest, f"S3: the run counted is {newest}, there are calls of {generation}"
    for campaign_id, run in counted.items():
        made = calls[campaign_id, run["generation"]]
        assert run["calls"] == made, f"S3: {run} counts calls, and {made} were made"


def _check_counters(at: Mapping[str, list[Document]]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    made: defaultdict[str, list[str]] = defaultdict(list)
    for attempt in at["attempts"]:
        made[attempt["contact_id"]].append(attempt["outcome"])
    there = {contact["_id"] for contact in at["contacts"]}
    for contact in at["contacts"]:
        counts[contact["campaign_id"], BUCKET[ContactStatus(contact["status"])]] += 1
        if contact.get("ended_because") is not None:
            counts[contact["campaign_id"], f"ended.{contact['ended_because']}"] += 1
        for name in _counted_for(contact, made[contact["_id"]]):
            counts[contact["campaign_id"], name] += 1
    for attempt in at["attempts"]:
        counts[attempt["campaign_id"], "attempts"] += 1
        counts[attempt["campaign_id"], "attempts_removed"] += attempt["contact_id"] not in there
        counts[attempt["campaign_id"], f"outcomes.{attempt['outcome']}"] += 1
        if attempt["outcome"] == Outcome.ANSWERED:
            talk = attempt.get("duration_seconds") or 0.0
            counts[attempt["campaign_id"], "talk_milliseconds"] += round(1000 * talk)
    said: Counter[tuple[str, str]] = Counter()
    for counter in at["counters"]:
        said.update({(counter["_id"], name): counter.get(name, 0) for name in COUNTED})
        for group in ("ended", "outcomes"):
            named = counter.get(group, {}).items()
            said.update({(counter["_id"], f"{group}.{name}"): count for name, count in named})
    for counter in at["counters_in"]:
        said[counter["campaign_id"], "pending"] += counter["added"]
        said[counter["campaign_id"], "skipped"] += counter["added_skipped"]
        # Skipped as they were added: their numbers stood on the do-not-call list.
        said[counter["campaign_id"], f"ended.{EndReason.DO_NOT_CALL}"] += counter["added_skipped"]
    for key in counts.keys() | said.keys():
        assert counts[key] == said[key], f"I6: counters say {said[key]} {key[1]}, there are {counts[key]}"
