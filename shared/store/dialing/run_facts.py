"""What scheduler transactions write into campaigns' logs and tell of their runs."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from shared.domain.campaign_log import LogEvent
from shared.domain.ids import is_default_campaign
from shared.domain.refusal import Rest
from shared.store.catalog.campaign_log import NewEntry, fact_of, log_document
from shared.store.dialing.ledger import Ledger


def tell_of_run(
    ledger: Ledger,
    fact_types: Collection[str],
    campaign: Mapping[str, Any],
    event: LogEvent,
    now: datetime,
    reason: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Note what has become of a campaign's run; the document is complete, as this transaction leaves it."""
    entry, organization_id = NewEntry(event, reason, facts=facts), campaign["organization_id"]
    ledger.logged.append(log_document(campaign["_id"], organization_id, entry, now))
    fact = fact_of(campaign, entry, now)
    if fact is not None and fact.type in fact_types:
        ledger.tell(organization_id, fact)


def log_rest(
    ledger: Ledger, contact: Mapping[str, Any], event: LogEvent, key: str, rest: Rest | None, now: datetime
) -> None:
    """Note in the log of a contact's campaign that something it is called by rests from now on, or rests no more.

    `key` names what rests, without the number itself.
    """
    campaign_id = contact["campaign_id"]
    if is_default_campaign(campaign_id):
        return
    subject, _, _ = key.partition(":")
    facts = {} if rest is None else {"until": rest.until, "code": rest.refusal.code}
    entry = NewEntry(event, subject, facts={name: value for name, value in facts.items() if value is not None})
    ledger.logged.append(log_document(campaign_id, contact["organization_id"], entry, now))
