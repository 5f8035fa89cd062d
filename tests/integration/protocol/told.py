"""What Acme, who wants to be told of everything, must have been told at the end of a run; Beta wants nothing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from shared.domain.campaign import Intent, RunState
from shared.domain.contact import FINAL
from shared.domain.facts import FactType
from shared.events import CallAnswered, CallWasPlaced
from shared.store.catalog.courses import course_of
from shared.store.client import Document, Store
from shared.store.dialing.calls_up import tell_of_calls
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import Swept
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete

OF_CONTACTS = (FactType.CONTACT_COMPLETED, FactType.CONTACT_SKIPPED)
OF_CAMPAIGNS = [kind for kind in FactType if kind.startswith("campaign.")]
BY_RUN = {RunState.COMPLETED: FactType.CAMPAIGN_COMPLETED, RunState.HALTED: FactType.CAMPAIGN_HALTED}
BY_INTENT = {Intent.PAUSED: FactType.CAMPAIGN_PAUSED, Intent.CANCELLED: FactType.CAMPAIGN_CANCELLED}
BEGUN = (FactType.CAMPAIGN_STARTED, FactType.CAMPAIGN_RESUMED)


async def tell_news(store: Store, news: Sequence[CallAnswered | CallWasPlaced], owner: Ownership) -> Swept:
    """A shard's owner tells of calls that are up."""
    return Swept(await tell_of_calls(store, owner, news))


async def told_to(store: Store, organization_id: str) -> list[Document]:
    """All that was told, in order; the numbers of every shard have no gap."""
    told: list[Document] = []
    for shard in await store["shards"].find().to_list():
        documents = await store["facts"].find({"shard": shard["_id"]}).sort("_id", 1).to_list()
        numbers = [document["n"] + place for document in documents for place in range(len(document["facts"]))]
        assert numbers == list(range(1, shard.get("facts", 0) + 1)), "S7: the numbers of facts have a gap"
        told += [fact for document in documents for fact in document["facts"]]
    assert {fact["organization_id"] for fact in told} <= {organization_id}, "told to somebody who does not want it"
    return told


async def check_told(store: Store, organization_id: str) -> None:
    """Raise AssertionError unless calls, contacts and campaigns were told of, each in its order."""
    told = await told_to(store, organization_id)
    _check_calls(told, await store["attempts"].find({"organization_id": organization_id}).to_list())
    _check_contacts(told, await store["contacts"].find({"organization_id": organization_id}).to_list())
    _check_campaigns(told, await store["campaigns"].find({"organization_id": organization_id}).to_list())


def _by(name: str, told: Iterable[Document], kinds: Sequence[FactType]) -> dict[str, list[Document]]:
    found = defaultdict(list)
    for fact in told:
        if fact["type"] in kinds:
            found[fact[name]].append(fact)
    return found


def _check_calls(told: list[Document], attempts: list[Document]) -> None:
    calls = _by("attempt_id", told, (FactType.CALL_PLACED, FactType.CALL_ANSWERED, FactType.CALL_ENDED))
    for attempt in attempts:
        if attempt["campaign_id"] is None:
            # The contact was deleted before.
            continue
        facts = calls[attempt["_id"]]
        kinds = [fact["type"] for fact in facts]
        endings = [fact["facts"] for fact in facts if fact["type"] == FactType.CALL_ENDED]
        assert endings, "a call that has ended was not told of"
        assert ["corrected" in ending for ending in endings] == [False, True][: len(endings)], "told twice"
        assert endings[-1]["outcome"] == attempt["outcome"], "told otherwise than recorded"
        for kind in (FactType.CALL_PLACED, FactType.CALL_ANSWERED):
            assert kinds.count(kind) <= 1, f"{kind} was told twice"
        if FactType.CALL_PLACED in kinds:
            assert kinds[0] == FactType.CALL_PLACED, "a call was placed after something had come of it"
        if attempt["answered_at"] is not None:
            assert FactType.CALL_ANSWERED in kinds, "a call that was answered was not told of"


def _check_contacts(told: list[Document], contacts: list[Document]) -> None:
    by_contact = _by("contact_id", told, OF_CONTACTS)
    for contact in contacts:
        if contact["status"] not in FINAL:
            continue
        assert by_contact[contact["_id"]], "a contact that has ended was not told of"
        last = by_contact[contact["_id"]][-1]["facts"]
        assert last["status"] == contact["status"], f"{contact['status']} was told as {last['status']}"
        assert not last["called_again"], "told to be called again, and never was"


def _check_campaigns(told: list[Document], campaigns: list[Document]) -> None:
    by_campaign = _by("campaign_id", told, OF_CAMPAIGNS)
    for stored in campaigns:
        facts, course = by_campaign[stored["_id"]], course_of(complete(CampaignDocument, stored))
        run = course.current_run
        wanted = BY_INTENT.get(course.intent) or (BY_RUN.get(run.state) if run is not None else None)
        if wanted is not None:
            assert facts[-1]["type"] == wanted, f"{wanted} was told as {facts[-1]['type']}"
        elif facts:
            assert facts[-1]["type"] in BEGUN, f"a campaign goes on, and was told as {facts[-1]['type']}"
