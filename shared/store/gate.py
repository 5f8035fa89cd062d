"""GATE: the last look before a call is placed. The only sound check of do-not-call, pause, edit and delete."""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.contact import ContactStatus
from shared.errors import TemporaryError
from shared.store.client import Document, Store, translates
from shared.store.ledger import campaign_budget, organization_budget
from shared.store.shards import GLOBAL, read_shards_and_global, sum_over_shards, summed
from shared.store.surroundings import Anchor, Surroundings, concurrency_limit


@translates
async def look(store: Store, nonces: Mapping[str, str], now: datetime) -> dict[str, str | None]:
    """For each contact started with a nonce: None when its call may be placed now, else why not.

    One read of every document for the whole batch. The answer is worth GATE ms and not more.
    """
    contacts = {c["_id"]: c async for c in store["contacts"].find({"_id": {"$in": list(nonces)}})}
    everybody = Anchor("global_budget", GLOBAL, ("limit",), (sum_over_shards("held"),))
    surroundings = Surroundings(store, everybody)
    await surroundings.load(contacts.values())
    limits = surroundings.anchor_document
    if contacts and limits is None:
        raise TemporaryError("the global limit is not in the database; a scheduler makes it when it starts")
    if limits and summed(limits) > int(limits["limit"]) and await _is_above_global_limit(store):
        return dict.fromkeys(nonces, "global limit lowered")
    return {
        contact_id: _reason_against(surroundings, contacts.get(contact_id), nonce, now)
        for contact_id, nonce in nonces.items()
    }


async def _is_above_global_limit(store: Store) -> bool:
    """Read once more: slots that changed hands while they were added up may have been counted twice."""
    states, limit, _ = await read_shards_and_global(store)
    return sum(state.held for state in states) > limit


def _reason_against(surroundings: Surroundings, contact: Document | None, nonce: str, now: datetime) -> str | None:
    if contact is None or contact["status"] != ContactStatus.IN_PROGRESS or contact["start"]["nonce"] != nonce:
        return "not ours any more"
    phone = contact["lock"]["phone"]
    if contact.get("delete_requested"):
        return "deleted"
    if phone not in contact["phone_numbers"]:
        return "number edited away"
    if not surroundings.may_dial(contact):
        return "campaign not active"
    if surroundings.is_listed(contact["organization_id"], phone):
        return "do-not-call"
    if not surroundings.window_is_open(contact, now):
        return "calling window closed"
    return _over_a_limit(surroundings, contact)


def _over_a_limit(surroundings: Surroundings, contact: Document) -> str | None:
    """What is held counts this contact too, so at the limit is fine; above it, a limit was lowered meanwhile."""
    organization_id, campaign_id, held = contact["organization_id"], contact["campaign_id"], surroundings.held
    limit = concurrency_limit(surroundings.organizations.get(organization_id))
    if held.get(organization_budget(organization_id), 0) > limit:
        return "organization limit lowered"
    campaign = surroundings.campaigns.get(campaign_id)
    campaign_limit = campaign.get("concurrency_limit") if campaign else None
    if campaign_limit is not None and held.get(campaign_budget(campaign_id), 0) > campaign_limit:
        return "campaign limit lowered"
    return None
