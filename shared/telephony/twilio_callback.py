"""Twilio's callbacks on a call's status and on answering machines: verified, read, and turned into our words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from shared.domain.outcome import Outcome
from shared.errors import PermanentError
from shared.telephony.provider import CallReport, MachineDetected, PlaceCall
from shared.telephony.twilio_errors import refusal_in_ending
from shared.telephony.twilio_outcomes import ANSWERED_BY, COMPLETED, GREETING_OVER, PICKED_UP_STATUS, ending, is_failure
from shared.telephony.twilio_signature import is_signed

CALLBACK_PATH = "/callbacks/twilio"
MACHINE_PATH = "/callbacks/twilio/answering-machines"
_MAX_FIELDS = 200
# No call is older. What the carrier dates earlier is no date, and no duration leads out of the calendar from here.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class UnusableCallback(PermanentError):
    """Signed or not, it cannot be understood: answer 400; repeating it cannot help."""


class ForgedCallback(UnusableCallback):
    """The signature is missing or wrong: answer 403, change nothing."""


@dataclass(frozen=True, slots=True)
class CallPickedUp:
    """A call was answered, by a person or a machine; it is up. `answered_at` is aware UTC, whole seconds."""

    attempt_id: str
    answered_at: datetime
    call_id: str


@dataclass(frozen=True, slots=True)
class Callback:
    """One verified callback, and what is needed to file it."""

    organization_id: str
    shard: int
    contact_id: str
    event: CallReport | CallPickedUp


def connection_overrides(retries: int) -> str:
    """The URL fragment that makes Twilio repeat a failed callback: without it a 503 is final.

    `retries` is 0 to 5 (Twilio's limit); Twilio spends at most 15 seconds on all of them.
    """
    return f"#rc={retries}&rp=ct,rt,5xx" if retries else ""


def status_callback_url(callback_base_url: str, call: PlaceCall, retries: int) -> str:
    """Where Twilio reports on `call`. It carries the ids because a report may be older than the call id."""
    return _callback_url(callback_base_url, CALLBACK_PATH, call, retries)


def machine_callback_url(callback_base_url: str, call: PlaceCall, retries: int) -> str:
    """Where Twilio says who or what has taken `call`."""
    return _callback_url(callback_base_url, MACHINE_PATH, call, retries)


def _callback_url(callback_base_url: str, path: str, call: PlaceCall, retries: int) -> str:
    ids = {
        "attempt_id": call.attempt_id,
        "organization_id": call.organization_id,
        "contact_id": call.contact_id,
        "shard": str(call.shard),
    }
    if call.account_id is not None:
        ids["account_id"] = call.account_id
    return f"{callback_base_url.rstrip('/')}{path}?{urlencode(ids)}{connection_overrides(retries)}"


def account_named(url: str) -> tuple[str | None, str]:
    """The customer's account (None: the operator's) and the organization that a callback's URL names.

    They say with whose token the signature is to be checked; nothing of it is proven before that.
    """
    ids = dict(parse_qsl(urlsplit(url).query))
    return ids.get("account_id"), ids.get("organization_id", "")


def parse_callback(
    auth_token: str, url: str, body: bytes, signature: str | None, *, now: datetime, retries: int = 5
) -> Callback | None:
    """What a status callback says, or None when it is genuine and of no interest (ringing and the like).

    `url` is what Twilio called: `callback_base_url`, the path and the raw query, not what a proxy made of
    it. `body` is the raw form. `now` stands in for a missing timestamp. `retries` is the number the call
    was placed with (it is in the URL's fragment, which Twilio may have signed). Safe to call twice.

    Raises `ForgedCallback` (answer 403) or its parent `UnusableCallback` (answer 400).
    """
    fields, ids = _verified(auth_token, url, body, signature, retries)
    event = _event(_required(ids, "attempt_id"), fields, now)
    if event is None:
        return None
    return Callback(_required(ids, "organization_id"), _shard(ids), _required(ids, "contact_id"), event)


def parse_machine_callback(
    auth_token: str, url: str, body: bytes, signature: str | None, *, retries: int = 5
) -> MachineDetected | None:
    """The machine that has taken a call, or None: a person has, or that is not known. Arguments and errors as above."""
    fields, ids = _verified(auth_token, url, body, signature, retries)
    answered_by = _required(fields, "AnsweredBy")
    detected = MachineDetected(
        attempt_id=_required(ids, "attempt_id"),
        organization_id=_required(ids, "organization_id"),
        contact_id=_required(ids, "contact_id"),
        call_id=_required(fields, "CallSid"),
        outcome=ANSWERED_BY.get(answered_by, Outcome.ANSWERED),
        greeting_over=answered_by in GREETING_OVER,
        account_id=ids.get("account_id"),
    )
    return None if detected.outcome is Outcome.ANSWERED else detected


def _verified(
    auth_token: str, url: str, body: bytes, signature: str | None, retries: int
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The fields of a genuine callback, and the ids in its URL."""
    form = _form(body)
    if not is_signed(auth_token, url + connection_overrides(retries), form, signature):
        raise ForgedCallback("the callback's signature is missing or wrong")
    return dict(form), dict(parse_qsl(urlsplit(url).query))


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise UnusableCallback("the callback's body is not a form") from error


def _event(attempt_id: str, fields: Mapping[str, str], now: datetime) -> CallReport | CallPickedUp | None:
    status, call_id = _required(fields, "CallStatus"), _required(fields, "CallSid")
    at = read_instant(fields.get("Timestamp")) or now
    if status == PICKED_UP_STATUS:
        return CallPickedUp(attempt_id, at, call_id)
    return report_of(
        attempt_id,
        call_id,
        status,
        ended_at=at,
        duration=fields.get("CallDuration"),
        answered_by=fields.get("AnsweredBy"),
        sip_response=_number(fields.get("SipResponseCode")),
        error_code=_number(fields.get("ErrorCode")),
    )


def report_of(
    attempt_id: str,
    call_id: str,
    status: str,
    *,
    ended_at: datetime,
    duration: object,
    answered_by: str | None,
    started_at: datetime | None = None,
    sip_response: int | None = None,
    error_code: int | None = None,
) -> CallReport | None:
    """The report of an ended call, or None while `status` says it is up.

    `ended_at` is of `read_instant` or our own clock; `duration` is Twilio's whole seconds, 0 when unreadable.
    Twilio never says when a call was answered; for a completed call it is the end minus the duration.
    """
    outcome = ending(status, answered_by=answered_by, sip_response=sip_response, error_code=error_code)
    if outcome is None:
        return None
    seconds = float(_number(duration) or 0) if status == COMPLETED else None
    why = None if status == COMPLETED else _why(status, sip_response, error_code)
    return CallReport(
        attempt_id=attempt_id,
        outcome=outcome,
        ended_at=ended_at,
        started_at=started_at,
        answered_at=None if seconds is None else ended_at - timedelta(seconds=seconds),
        duration_seconds=seconds,
        call_id=call_id,
        error=why,
        refusal=refusal_in_ending(error_code, why or "") if is_failure(status) else None,
    )


def _why(status: str, sip_response: int | None, error_code: int | None) -> str:
    details = [f"{name} {value}" for name, value in (("SIP", sip_response), ("code", error_code)) if value]
    return f"carrier: {', '.join([status, *details])}"


def read_instant(value: object) -> datetime | None:
    """An RFC 2822 instant as Twilio writes it, in UTC; None when it is missing, unreadable or before 1970."""
    if not isinstance(value, str):
        return None
    try:
        instant = parsedate_to_datetime(value)
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):  # an offset may lead out of the years 1 to 9999
        return None
    return instant if instant >= _EARLIEST else None


def _required(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name)
    if not value:
        raise UnusableCallback(f"the callback has no {name}")
    return value


def _shard(ids: Mapping[str, str]) -> int:
    shard = _number(_required(ids, "shard"))
    if shard is None:
        raise UnusableCallback("the callback's shard is not a number")
    return shard


def _number(value: object) -> int | None:
    """Up to nine digits, also where the carrier's JSON has a number instead of a text."""
    text = str(value) if isinstance(value, str | int) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
