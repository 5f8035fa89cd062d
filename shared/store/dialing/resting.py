"""What rests in an organization, changed inside a scheduler transaction by refusals and by calls that went through."""

from datetime import datetime

from shared.domain.campaign_log import LogEvent
from shared.domain.dialing import dialed_number
from shared.domain.ids import organization_budget
from shared.domain.refusal import Refusal, Rest, refused_again, superfluous, what_rests
from shared.store.client import Document
from shared.store.dialing.run_facts import log_rest
from shared.store.dialing.shard_transaction import ShardTransaction


def begin_rest(
    transaction: ShardTransaction,
    contact: Document,
    lock: Document,
    refusal: Refusal,
    now: datetime,
    *,
    in_ending: bool = False,
) -> Rest:
    """Begin the rest of what a refusal of a contact's call, made by this claim, speaks of; those of one moment are one.

    `in_ending`: the carrier had taken the call, and ended it for that reason.
    """
    organization_id = contact["organization_id"]
    number, account_id = dialed_number(lock), lock.get("account")
    key = what_rests(refusal.subject, caller_number=lock["caller_number"], number=number, account_id=account_id)
    rests = transaction.context.rests.setdefault(organization_budget(organization_id), {})
    rest = refused_again(rests.get(key), refusal, now, in_ending=in_ending)
    if rest != rests.get(key):
        if key not in rests:
            log_rest(transaction.ledger, contact, LogEvent.RESTING, key, rest, now)
        rests[key] = rest
        transaction.ledger.rest(organization_id, key, rest)
        transaction.ledger.refused(organization_id, key, refusal, now)
        for other in superfluous(rests, now):
            del rests[other]
            transaction.ledger.rest(organization_id, other, None)
        transaction.context.forget_rules(organization_id)
    return rest


def end_rests(transaction: ShardTransaction, contact: Document, now: datetime, *, by_ending: bool) -> None:
    """End the rests that a contact's call has asked about, for the carrier has taken it.

    `by_ending`: that call has ended, and not for a reason of ours. Without that, what was refused in endings rests on.
    """
    organization_id = contact["organization_id"]
    rests = transaction.context.rests.get(organization_budget(organization_id), {})
    for key in contact["lock"]["probing"]:
        if key in rests and (by_ending or not rests[key].in_ending):
            del rests[key]
            transaction.ledger.rest(organization_id, key, None)
            log_rest(transaction.ledger, contact, LogEvent.REST_OVER, key, None, now)
            transaction.context.forget_rules(organization_id)
