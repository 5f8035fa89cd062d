"""Warnings of an upload about rows that were stored, and contacts that it has called again.

A row that was stored and yet will not be called must say so; a contact that ended for a reason that no longer holds is
called again when an upload names it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.calling_window import Schedule
from shared.domain.contact import FINAL, ContactStatus
from shared.domain.contact_input import ContactRow, RowWarning
from shared.domain.dialing import choose_call, end_of
from shared.domain.dialing_values import Rules
from shared.domain.reasons import MAY_NO_LONGER_HOLD, EndReason
from shared.domain.row_remarks import Remark, RemarkCode
from shared.domain.setting_faults import SettingFault, fault_of_hours, setting_faults
from shared.store.client import Document, Store
from shared.store.contacts.wishes import ask_again
from shared.store.dialing.context import DialingContext, Root
from shared.store.documents.contacts import contact_of

# Fields of a row that spare it a fault of its campaign's settings.
_SPARED_BY: Final[Mapping[SettingFault, tuple[str, ...]]] = {
    SettingFault.NO_AGENT: ("agent_id", "agent_config"),
    SettingFault.NO_CALLER_NUMBER: ("agent_number",),
}


async def read_rules(store: Store, organization_id: str, campaign_id: str) -> Rules:
    """The rules of a campaign's contacts (stored form) as they are now."""
    context = DialingContext(store, Root("organizations", organization_id, ("concurrency_limit",)))
    contact = {"organization_id": organization_id, "campaign_id": campaign_id, "phone_numbers": ()}
    await context.load([contact])
    await context.load_numbers([])
    return context.rules_of(contact)


def remarks_on_settings(rules: Rules, rows: Sequence[ContactRow], now: datetime) -> list[RowWarning]:
    """What keeps these rows from being called as things stand: once for each fault, at the first row it concerns."""
    remarks = []
    for fault, concerned in _rows_by_fault(rules, rows, now).items():
        if concerned:
            first, facts = concerned[0], {"fault": fault.value, "others": len(concerned) - 1}
            remarks.append(_warning(first, Remark(RemarkCode.LACKS_SETTING, facts)))
    expired = [row for row in rows if _has_expired(row, now)]
    if expired:
        remarks.append(_warning(expired[0], Remark(RemarkCode.HAS_EXPIRED, {"others": len(expired) - 1})))
    return remarks


def _rows_by_fault(rules: Rules, rows: Sequence[ContactRow], now: datetime) -> dict[SettingFault, list[ContactRow]]:
    """The rows that each fault concerns; hours differ by timezone, and by number where a rule looks at that.

    The timezone that an update leaves out is taken for the default one.
    """
    by_fault = {fault: [row for row in rows if not _is_spared(fault, row)] for fault in setting_faults(rules, now)}
    of_hours: dict[SettingFault, list[ContactRow]] = {SettingFault.NO_WINDOWS: [], SettingFault.NEVER_OPEN: []}
    known: dict[tuple[bool, str | None], SettingFault | None] = {}
    for row in rows:
        is_scheduled, timezone = row.fields.get("scheduled_at") is not None, row.fields.get("timezone")
        schedule = _schedule(rules, is_scheduled)
        if schedule is None:
            continue
        if schedule.depends_on_number(timezone):
            fault = fault_of_hours(schedule, timezone, row.phone_numbers, now)
        else:
            kind = is_scheduled, timezone
            if kind not in known:
                known[kind] = fault_of_hours(schedule, timezone, row.phone_numbers, now)
            fault = known[kind]
        if fault is not None:
            of_hours[fault].append(row)
    return by_fault | of_hours


def _schedule(rules: Rules, is_scheduled: bool) -> Schedule | None:
    """The windows of a contact with a scheduled time, or without; None where its campaign has none that are usable."""
    if rules.campaign is None:
        return rules.ad_hoc_schedule
    configuration = rules.campaign.configuration
    return configuration.schedule(is_scheduled) if configuration else None


def _has_expired(row: ContactRow, now: datetime) -> bool:
    expires_at = row.fields.get("expires_at")
    return expires_at is not None and expires_at <= now


def _is_spared(fault: SettingFault, row: ContactRow) -> bool:
    return any(row.fields.get(name) is not None for name in _SPARED_BY.get(fault, ()))


async def call_again(
    store: Store,
    organization_id: str,
    existing: Mapping[str, ContactRow],
    now: datetime,
    session: AsyncClientSession | None = None,
) -> list[RowWarning]:
    """Have those of these changed contacts called again that ended for a reason that no longer holds.

    A remark on each of the others that has ended: it is not called, and why. With `session` it is asked in the caller's
    transaction.
    """
    ended = await _ended(store, existing)
    if not ended:
        return []
    again = await callable_again(store, organization_id, ended, now)
    await ask_again(store, again, now, session=session)
    again_ids = {contact["_id"] for contact in again}
    return [
        _warning(row, _stays_ended(contact))
        for contact in ended
        if contact["_id"] not in again_ids and contact["asked"] is None
        for row in [existing[contact["_id"]]]
    ]


async def _ended(store: Store, contact_ids: Iterable[str]) -> list[Document]:
    query = {"_id": {"$in": list(contact_ids)}, "status": {"$in": sorted(FINAL)}}
    # What customers send along may be large, and decides nothing here.
    left_out = {"data": 0, "initial_context": 0}
    return [contact_of(contact) async for contact in store["contacts"].find(query, left_out)]


async def callable_again(
    store: Store, organization_id: str, ended: Collection[Document], now: datetime
) -> list[Document]:
    """Those of these ended contacts (complete) whose reason holds no more, so that they could be called now."""
    candidates = [contact for contact in ended if _ended_because(contact) in MAY_NO_LONGER_HOLD]
    if not candidates:
        return []
    context = DialingContext(store, Root("organizations", organization_id, ("concurrency_limit",)))
    await context.load(candidates)
    again = []
    for contact in candidates:
        rules, dialed = context.rules_of(contact), context.dialed(contact)
        if end_of(dialed, rules, now) is None and choose_call(dialed, rules, now).has_agent:
            again.append(contact)
    return again


def _ended_because(contact: Document) -> EndReason | None:
    """Why the contact ended; for one that ended before reasons were kept, the only one that its status leaves."""
    because = contact["ended_because"]
    if because is not None:
        return EndReason(because)
    if contact["status"] == ContactStatus.SKIPPED:
        return EndReason.DO_NOT_CALL
    never_called = contact["status"] == ContactStatus.ERROR and not contact["attempts_made"]
    return EndReason.NO_AGENT if never_called and not contact["last_attempt"] else None


def _stays_ended(contact: Document) -> Remark:
    facts = {"status": ContactStatus(contact["status"]).value, "because": _ended_because(contact) or ""}
    return Remark(RemarkCode.STAYS_ENDED, facts)


def _warning(row: ContactRow, remark: Remark) -> RowWarning:
    return RowWarning(row.index, row.external_id, remark)
