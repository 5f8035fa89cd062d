"""GATE: the last look before a call is placed. The only sound check of do-not-call, pause, edit and delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.domain.caller_numbers import against_claim
from shared.domain.contact import ContactStatus
from shared.domain.dialing import NOT_DIALED, WAITS_FOR_REST, frozen_choice, verdict
from shared.domain.dialing_values import Call, End, Rules, Wait
from shared.domain.ids import campaign_budget, organization_budget
from shared.domain.phone import compared
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.refusal import RefusalSubject
from shared.errors import TemporaryError
from shared.store.client import Document, Store, translates
from shared.store.dialing.context import DialingContext, Root, concurrency_limit
from shared.store.dialing.shards import GLOBAL, read_shards_and_global, sum_over_shards, summed
from shared.store.documents.contacts import contact_of

# What the gate reads of a contact: less than half of it, and none of what its agent is told.
LOOKED_AT: Final = frozenset(
    {
        "organization_id",
        "campaign_id",
        "status",
        "lock",
        "start",
        "delete_requested",
        "phone_numbers",
        "timezone",
        "scheduled_at",
        "expires_at",
        "created_at",
        "due_at",
        "tier",
        "attempts_made",
        "agent_id",
        "agent_version",
        "agent_number",
        "agent_config",
        "invalid_numbers",
        "put_off",
        "stopped",
        "for_good",
        "opted_out",
    }
)


@translates
async def look(
    store: Store, nonces: Mapping[str, str], now: datetime, just_read: Sequence[Document] | None = None
) -> dict[str, str | None]:
    """For each contact started with a nonce: None when its call may be placed now, else why not.

    One read of every document for the whole batch. The answer is worth GATE ms and not more; with `just_read`, these
    contacts with `LOOKED_AT` at least, it is worth that from the moment in which they were read.
    """
    if just_read is None:
        found = store["contacts"].find({"_id": {"$in": list(nonces)}}, dict.fromkeys(LOOKED_AT, 1))
        just_read = [contact_of(contact, LOOKED_AT) for contact in await found.to_list()]
    contacts = {contact["_id"]: contact for contact in just_read}
    everybody = Root("global_budget", GLOBAL, ("limit",), (sum_over_shards("held"),))
    context = DialingContext(store, everybody)
    await context.load(contacts.values())
    await context.load_numbers([c for c in contacts.values() if c["lock"] is not None and c["lock"]["day"] is not None])
    limits = context.root_document
    if contacts and limits is None:
        raise TemporaryError("the global limit is not in the database; a scheduler makes it when it starts")
    if limits and summed(limits) > int(limits["limit"]) and await _is_above_global_limit(store):
        return dict.fromkeys(nonces, "global limit lowered")
    return {
        contact_id: _reason_against(context, contacts.get(contact_id), nonce, now)
        for contact_id, nonce in nonces.items()
    }


async def _is_above_global_limit(store: Store) -> bool:
    """Whether more slots are held than the global limit.

    Read once more, for slots that changed hands in between may have counted twice.
    """
    states, limit, _ = await read_shards_and_global(store)
    return sum(state.held for state in states) > limit


# How a verdict against a call reads among the reasons for which jobs come back; others read as they are.
_SAID: Final[Mapping[WaitReason | EndReason, str]] = {
    EndReason.CANCELLED: "campaign not active",
    EndReason.DO_NOT_CALL: "do-not-call",
    **dict.fromkeys(NOT_DIALED.values(), "campaign not active"),
    WaitReason.OUTSIDE_HOURS: "calling window closed",
    WaitReason.NO_WINDOWS: "calling window closed",
    WaitReason.ORGANIZATION_LIMIT: "organization limit lowered",
    WaitReason.CAMPAIGN_LIMIT: "campaign limit lowered",
    WaitReason.NO_CALLER_NUMBER: "caller number withdrawn",
    WaitReason.CALLER_NUMBER_LIMIT: "caller number limit lowered",
    WaitReason.MAX_CALLS: "calls of the run lowered, or it is halted",
    WaitReason.CIRCUIT_BREAKER: "campaign not active",
    WaitReason.CALLER_NUMBER_SPENT: "caller number spent, or claimed on another day",
}


def _reason_against(context: DialingContext, contact: Document | None, nonce: str, now: datetime) -> str | None:
    if contact is None or contact["status"] != ContactStatus.IN_PROGRESS or contact["start"]["nonce"] != nonce:
        return "not ours any more"
    lock = contact["lock"]
    if contact["delete_requested"]:
        return "deleted"
    dialed = context.dialed(contact)
    if compared(lock["phone"]) not in map(compared, dialed.phone_numbers):
        return "number edited away"
    if context.is_listed(contact["organization_id"], lock["phone"]):
        return _SAID[EndReason.DO_NOT_CALL]
    if _is_of_another_run(context, contact):
        return "campaign started anew"
    rules = context.rules_of(contact)
    probing, full = _asks_about(context, contact), _full(context, contact, rules, now)
    if probing or full is not None:
        rules = replace(rules, probing=probing, full=full)
    if dialed.due_at > now:
        # Due by the clock of the scheduler that claimed it, which is ahead of this one.
        later = dialed.scheduled_at if dialed.scheduled_at and dialed.scheduled_at > dialed.due_at else None
        dialed = replace(dialed, due_at=now, scheduled_at=later)
    match verdict(dialed, rules, now, frozen=frozen_choice(lock)):
        case Call(probing=over):
            # A claim decides which call asks about a rest that is over: one that is older than the rest may not.
            return str(WAITS_FOR_REST[RefusalSubject(over[0].partition(":")[0])]) if over else None
        case Wait(reason=reason) | End(because=reason):
            return _SAID.get(reason, str(reason))


def _is_of_another_run(context: DialingContext, contact: Document) -> bool:
    """Whether the campaign was paused and started again since the claim."""
    campaign = context.campaigns.get(contact["campaign_id"])
    return campaign is not None and bool(campaign["generation"] != contact["lock"]["generation"])


def _asks_about(context: DialingContext, contact: Document) -> frozenset[str]:
    """The rests that this call, and since its claim no other one, asks the carrier about."""
    lock = contact["lock"]
    if not lock["probing"]:
        return frozenset()
    rests = context.rests.get(organization_budget(contact["organization_id"]), {})
    # The claim that asks may ask until it expires; another until is another claim's, or a new refusal's.
    return frozenset(
        key for key in lock["probing"] if key in rests and rests[key].asking and rests[key].until == lock["expires_at"]
    )


def _is_above_max_calls(context: DialingContext, campaign: Document, lock: Document) -> bool:
    """Whether a claim is one of more than its run may make; one that does not count is none of them."""
    counted, most = context.runs.get(campaign["_id"]), campaign["max_calls"]
    return bool(
        lock["counted"] and most is not None and counted is not None and counted.is_above(lock["generation"], most)
    )


def _full(context: DialingContext, contact: Document, rules: Rules, now: datetime) -> WaitReason | None:
    """A limit that is passed. What is held counts this contact too: above its limit it was lowered meanwhile."""
    organization_id, campaign_id, held = contact["organization_id"], contact["campaign_id"], context.held
    limit = concurrency_limit(context.organizations.get(organization_id))
    if held.get(organization_budget(organization_id), 0) > limit:
        return WaitReason.ORGANIZATION_LIMIT
    campaign = context.campaigns.get(campaign_id)
    campaign_limit = campaign["concurrency_limit"] if campaign else None
    if campaign_limit is not None and held.get(campaign_budget(campaign_id), 0) > campaign_limit:
        return WaitReason.CAMPAIGN_LIMIT
    lock = contact["lock"]
    if campaign and _is_above_max_calls(context, campaign, lock):
        return WaitReason.MAX_CALLS
    if rules.accounts.is_off(lock["account"]):
        return WaitReason.NO_CALLER_NUMBER
    return against_claim(rules.numbers, lock["caller_number"], lock["day"], now)
