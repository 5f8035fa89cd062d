"""Translation between this API and the engine, purely: bodies to what use cases take, their values to the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from services.campaign_api.native.campaign_words import STATUS_OF
from services.campaign_api.native.row_sentences import remark_sentence
from services.campaign_api.native.schemas.caller_numbers import CampaignNumber
from services.campaign_api.native.schemas.calling_hours import CallingHours, EditCallingHours
from services.campaign_api.native.schemas.campaigns import (
    CampaignAndContacts,
    CampaignPage,
    CampaignView,
    CreateCampaign,
    EditCampaign,
    SettingWarningView,
)
from services.campaign_api.native.schemas.concurrency import Concurrency as ConcurrencyView
from services.campaign_api.native.schemas.configurations import ChangedConfiguration as ChangedConfigurationView
from services.campaign_api.native.schemas.configurations import (
    ConfigurationPage,
    ConfigurationView,
    CreateConfiguration,
    EditConfiguration,
)
from services.campaign_api.native.schemas.contacts import (
    AttemptView,
    ContactPage,
    ContactsResult,
    ContactView,
    ContactWarning,
    FailedContact,
    ResetResult,
    WaitingFor,
)
from services.campaign_api.native.schemas.do_not_call import AddedNumbers, DoNotCallPage, DoNotCallView, RemovedNumber
from services.campaign_api.native.schemas.ingest_batches import BatchRowView, IngestBatchPage, IngestBatchView
from services.campaign_api.native.schemas.limits import Limits
from services.campaign_api.native.sentences import code_and_sentence
from services.campaign_api.native.translate_callbacks import contact_callback
from services.campaign_api.native.translate_results import reported_result_view
from shared.domain.contact_input import RowWarning
from shared.domain.contact_record import Attempt, Contact
from shared.domain.organization_hours import OrganizationHours
from shared.domain.page import NumberedPage, Page
from shared.domain.setting_faults import SettingWarning
from shared.domain.upload import UpsertResult
from shared.engine.campaigns import Campaign, ChangedCampaign, NewCampaign, ScheduleChange
from shared.engine.concurrency import Concurrency
from shared.engine.configurations import ChangedConfiguration, StoredConfiguration
from shared.engine.contacts import ResetPage
from shared.engine.do_not_call import DoNotCallEntry
from shared.engine.ingest_batches import BatchResult, BatchRow
from shared.engine.limits import Organization

# Fields of a campaign's view that are not as they are stored; all others are, under the same names.
_CAMPAIGN_AS_SHOWN: Final = frozenset(
    {"status", "state", "state_reason", "start_at", "end_at", "deleted_at", "caller_numbers"}
)
_CAMPAIGN_AS_STORED: Final = CampaignView.model_fields.keys() - _CAMPAIGN_AS_SHOWN


def new_campaign(body: CreateCampaign) -> NewCampaign:
    """The campaign that the body asks for, without its contacts."""
    fields = body.model_dump(exclude={"contacts", "state"})
    return NewCampaign(**fields, is_draft=body.state == "draft")


def campaign_changes(body: EditCampaign) -> dict[str, Any]:
    """The campaign's fields that the body names, without its contacts."""
    return body.model_dump(exclude={"contacts", "start_at"}, exclude_unset=True)


def schedule_change(body: EditCampaign) -> ScheduleChange | None:
    """The change of the time at which the campaign starts by itself; None where the body leaves that out."""
    return ScheduleChange(body.start_at) if "start_at" in body.model_fields_set else None


def calling_hours_changes(body: EditCallingHours) -> dict[str, Any]:
    """The fields of an organization's hours that the body names, as JSON values."""
    return body.model_dump(mode="json", exclude_unset=True)


def configuration_values(body: CreateConfiguration | EditConfiguration, *, only_given: bool) -> dict[str, Any]:
    """The configuration's fields as JSON values, retry rules only with what was set in them."""
    values = body.model_dump(mode="json", exclude_unset=only_given)
    if values.get("retry_rules") is not None:
        values["retry_rules"] = body.model_dump(mode="json", exclude_unset=True).get("retry_rules", {})
    return values


def setting_warnings(warnings: Sequence[SettingWarning]) -> list[SettingWarningView]:
    """Remarks on settings, each with what to do."""
    said = map(code_and_sentence, warnings)
    return [SettingWarningView(code=code, message=message) for code, message in said]


def campaign_view(campaign: Campaign, now: datetime) -> CampaignView:
    """The campaign as its customer sees it at `now`."""
    return CampaignView.model_validate(_campaign_fields(campaign, now))


def campaign_page(page: Page[Campaign], now: datetime) -> CampaignPage:
    """A page of campaigns as they are at `now`."""
    return CampaignPage(campaigns=[campaign_view(one, now) for one in page.rows], next_cursor=page.next_cursor)


def changed_campaign(changed: ChangedCampaign, now: datetime) -> CampaignAndContacts:
    """The campaign with remarks and with its contacts' result, each only when there is something to say."""
    more: dict[str, Any] = {}
    if changed.warnings:
        more["warnings"] = setting_warnings(changed.warnings)
    if changed.contacts is not None:
        more["contacts_result"] = contacts_result(changed.contacts)
    view = CampaignAndContacts.model_validate(_campaign_fields(changed.campaign, now))
    return view.model_copy(update=more)


def configuration_view(configuration: StoredConfiguration) -> ConfigurationView:
    """The configuration as it was set."""
    return ConfigurationView.model_validate(_configuration_fields(configuration))


def configuration_page(page: Page[StoredConfiguration]) -> ConfigurationPage:
    """A page of configurations."""
    rows = [configuration_view(one) for one in page.rows]
    return ConfigurationPage(configurations=rows, next_cursor=page.next_cursor)


def changed_configuration(changed: ChangedConfiguration) -> ChangedConfigurationView:
    """The configuration, with remarks on it if there are any."""
    view = ChangedConfigurationView.model_validate(_configuration_fields(changed.configuration))
    return view.model_copy(update={"warnings": setting_warnings(changed.warnings)}) if changed.warnings else view


def calling_hours_view(hours: OrganizationHours) -> CallingHours:
    """What the organization says of hours."""
    return CallingHours.model_validate(hours.model_dump())


def contacts_result(result: UpsertResult) -> ContactsResult:
    """The result of the rows."""
    return ContactsResult(
        inserted=result.inserted,
        updated=result.updated,
        failed=[FailedContact.model_validate(failure) for failure in result.failed],
        warnings=[_contact_warning(warning) for warning in result.warnings],
        contact_ids=list(result.contact_ids),
    )


def contact_view(contact: Contact, *, sensitive: bool = False) -> ContactView:
    """The contact with its attempts; of their results also what is `sensitive`, for those who may read that."""
    waits = contact.standing.waits
    return ContactView(
        id=contact.id,
        external_id=contact.external_id,
        campaign_id=contact.campaign_id,
        phone_numbers=list(contact.phone_numbers),
        data=None if contact.data is None else dict(contact.data),
        timezone=contact.timezone,
        scheduled_at=contact.scheduled_at,
        expires_at=contact.expires_at,
        priority=contact.priority,
        agent_id=contact.agent_id,
        agent_version=contact.agent_version,
        agent_number=contact.agent_number,
        agent_config=None if contact.agent_config is None else dict(contact.agent_config),
        initial_context=_text_or_object(contact.initial_context),
        status=contact.status,
        attempts_made=contact.attempts_made,
        next_attempt_at=contact.standing.next_call,
        waiting_for=None if waits is None else WaitingFor(reason=waits.reason, until=waits.until),
        ended_because=contact.ended_because,
        opted_out=contact.opted_out,
        callback=contact_callback(contact.callback),
        person_id=contact.person_id,
        attempts=[attempt_view(attempt, sensitive=sensitive) for attempt in contact.attempts],
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )


def attempt_view(attempt: Attempt, *, sensitive: bool) -> AttemptView:
    """An attempt."""
    return AttemptView(
        id=attempt.id,
        attempt_number=attempt.attempt_number,
        phone_number=attempt.phone_number,
        caller_number=attempt.caller_number,
        agent_id=attempt.agent_id,
        agent_version=attempt.agent_version,
        status="ended" if attempt.ended else "in_progress",
        outcome=attempt.outcome,
        started_at=attempt.started_at,
        answered_at=attempt.answered_at,
        ended_at=attempt.ended_at,
        duration_seconds=attempt.duration_seconds,
        conversation_id=attempt.conversation_id,
        provider_call_id=attempt.provider_call_id,
        error=attempt.error,
        message_left=attempt.message_left,
        opted_out=attempt.opted_out,
        result=reported_result_view(attempt.result, sensitive=sensitive),
    )


def contact_page(page: NumberedPage[Contact], *, limit: int, offset: int, sensitive: bool = False) -> ContactPage:
    """A page of contacts."""
    rows = [contact_view(contact, sensitive=sensitive) for contact in page.rows]
    return ContactPage(contacts=rows, total=page.total, limit=limit, offset=offset)


def reset_result(page: ResetPage) -> ResetResult:
    """The number of contacts that one request of a reset has reached."""
    return ResetResult(reset=page.asked, next_cursor=page.next_cursor)


def do_not_call_view(entry: DoNotCallEntry) -> DoNotCallView:
    """An entry of the list."""
    return DoNotCallView.model_validate(entry)


def added_numbers(entries: Sequence[DoNotCallEntry]) -> AddedNumbers:
    """The entries of the numbers that were sent."""
    return AddedNumbers(do_not_call=[do_not_call_view(entry) for entry in entries])


def do_not_call_page(page: Page[DoNotCallEntry]) -> DoNotCallPage:
    """A page of the list."""
    return DoNotCallPage(do_not_call=[do_not_call_view(one) for one in page.rows], next_cursor=page.next_cursor)


def removed_number(phone_number: str, warnings: Sequence[SettingWarning]) -> RemovedNumber:
    """A number that was taken off, with a remark on the contacts that this brings nothing back."""
    if not warnings:
        return RemovedNumber(phone_number=phone_number, deleted=True)
    return RemovedNumber(phone_number=phone_number, deleted=True, warnings=setting_warnings(warnings))


def concurrency_view(concurrency: Concurrency) -> ConcurrencyView:
    """The limit and its use."""
    return ConcurrencyView(concurrency_limit=concurrency.limit, active_calls=concurrency.active)


def ingest_batch_view(result: BatchResult) -> IngestBatchView:
    """The result of a batch."""
    return IngestBatchView(
        batch_id=result.batch_id,
        campaign_id=result.campaign_id,
        status=result.status,
        received=result.received,
        inserted=result.inserted,
        updated=result.updated,
        failed=[_batch_row(row) for row in result.failed],
        warnings=[_batch_row(row) for row in result.warnings],
        reason=result.reason,
        created_at=result.created_at,
        finished_at=result.finished_at,
    )


def ingest_batch_page(page: Page[BatchResult]) -> IngestBatchPage:
    """A page of batches."""
    return IngestBatchPage(ingest_batches=[ingest_batch_view(one) for one in page.rows], next_cursor=page.next_cursor)


def limits_view(organization: Organization) -> Limits:
    """The organization's limits beside that on calls at once."""
    return Limits.model_validate(organization)


def _campaign_fields(campaign: Campaign, now: datetime) -> dict[str, Any]:
    shown = campaign.shown(now)
    return {
        "status": STATUS_OF[shown.state],
        "state": shown.state,
        "state_reason": shown.reason,
        "start_at": campaign.course.start_at,
        "end_at": campaign.course.end_at,
        "deleted_at": campaign.course.deleted_at,
        "caller_numbers": [CampaignNumber(id=one.id, weight=one.weight) for one in campaign.caller_numbers] or None,
        **{name: getattr(campaign, name) for name in _CAMPAIGN_AS_STORED},
    }


def _configuration_fields(configuration: StoredConfiguration) -> dict[str, Any]:
    return {
        "id": configuration.id,
        "campaign_id": configuration.campaign_id,
        **configuration.values,
        "created_at": configuration.created_at,
        "updated_at": configuration.updated_at,
    }


def _text_or_object(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else dict(value)


def _contact_warning(warning: RowWarning) -> ContactWarning:
    message = remark_sentence(warning.remark)
    return ContactWarning(index=warning.index, external_id=warning.external_id, message=message)


def _batch_row(row: BatchRow) -> BatchRowView:
    reason = row.reason if row.remark is None else remark_sentence(row.remark)
    return BatchRowView(index=row.index, external_id=row.external_id, field=row.field, reason=reason)
