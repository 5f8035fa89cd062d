from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.telephony.provider import CallReport, PlaceCall
from shared.telephony.twilio_callback import (
    Callback,
    CallPickedUp,
    ForgedCallback,
    UnusableCallback,
    parse_callback,
    read_instant,
    report_of,
    status_callback_url,
)
from shared.telephony.twilio_signature import sign

TOKEN = "a token"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ORDER = PlaceCall(
    attempt_id="an attempt",
    organization_id="organization & co",
    shard=3,
    contact_id="contact/1",
    campaign_id="campaign",
    phone_number="+12025550123",
    caller_number="+12025550100",
    conversation_id="conversation",
    ring_timeout_seconds=30,
    max_call_seconds=600,
)
TOLD = status_callback_url("https://dial.example/", ORDER, 5)
CALLED = TOLD.partition("#")[0]
# As a receiver of a declined call noted it down in public, names of places apart.
FIELDS = {
    "AccountSid": "AC950e",
    "ApiVersion": "2010-04-01",
    "CallDuration": "0",
    "CallSid": "CA35c0",
    "CallStatus": "busy",
    "CallbackSource": "call-progress-events",
    "CalledCity": "",
    "Direction": "outbound-api",
    "Duration": "0",
    "From": "+447412301423",
    "SequenceNumber": "2",
    "SipResponseCode": "486",
    "Timestamp": "Sat, 07 May 2022 14:30:14 +0000",
    "To": "+260967301606",
}


def parse(url: str = CALLED, signed_url: str | None = None, **changes: str | None) -> Callback | None:
    fields = {name: value for name, value in {**FIELDS, **changes}.items() if value is not None}
    signature = sign(TOKEN, signed_url or url, fields.items())
    return parse_callback(TOKEN, url, urlencode(fields).encode(), signature, now=NOW)


def report(**changes: str | None) -> CallReport:
    callback = parse(CALLED, None, **changes)
    assert callback is not None
    assert isinstance(callback.event, CallReport)
    return callback.event


def test_callback_is_filed_by_the_ids_in_its_url() -> None:
    callback = parse()
    assert callback is not None
    assert (callback.organization_id, callback.contact_id, callback.shard) == ("organization & co", "contact/1", 3)
    assert callback.event == CallReport(
        attempt_id="an attempt",
        outcome=Outcome.BUSY,
        ended_at=datetime(2022, 5, 7, 14, 30, 14, tzinfo=UTC),
        call_id="CA35c0",
        error="carrier: busy, SIP 486",
    )


def test_signature_over_the_url_with_its_fragment_counts_too() -> None:
    assert parse(signed_url=TOLD) == parse()


def test_completed_call_was_answered_its_duration_before_its_end() -> None:
    ended = report(CallStatus="completed", CallDuration="49", Duration="1", AnsweredBy="human", SipResponseCode="200")
    assert ended.outcome is Outcome.ANSWERED
    assert ended.duration_seconds == 49
    assert ended.answered_at == datetime(2022, 5, 7, 14, 29, 25, tzinfo=UTC)
    assert ended.error is None


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"CallStatus": "completed", "AnsweredBy": "machine_start"}, Outcome.VOICEMAIL),
        ({"CallStatus": "completed", "AnsweredBy": "fax"}, Outcome.FAILED),
        ({"CallStatus": "completed", "CallDuration": None}, Outcome.ANSWERED),
        ({"CallStatus": "busy", "SipResponseCode": "603"}, Outcome.DECLINED),
        ({"CallStatus": "no-answer", "SipResponseCode": "487"}, Outcome.NO_ANSWER),
        ({"CallStatus": "failed", "SipResponseCode": "404"}, Outcome.INVALID_NUMBER),
        ({"CallStatus": "failed", "SipResponseCode": None, "ErrorCode": "13224"}, Outcome.INVALID_NUMBER),
        ({"CallStatus": "failed", "SipResponseCode": "a lot"}, Outcome.FAILED),
        ({"CallStatus": "canceled"}, Outcome.INTERRUPTED),
    ],
)
def test_outcomes(changes: dict[str, str | None], outcome: Outcome) -> None:
    assert report(**changes).outcome is outcome


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        ("13227", RefusalSubject.COUNTRY),
        ("21215", RefusalSubject.COUNTRY),
        ("32009", RefusalSubject.ACCOUNT),
        ("10004", RefusalSubject.ACCOUNT),
        ("32017", RefusalSubject.CALLER_NUMBER),
    ],
)
@pytest.mark.parametrize("sip_response", [None, "403", "486"])
def test_call_that_failed_for_our_sake_says_what_it_speaks_of(
    code: str, subject: RefusalSubject, sip_response: str | None
) -> None:
    ended = report(CallStatus="failed", ErrorCode=code, SipResponseCode=sip_response)
    assert ended.outcome is Outcome.FAILED
    assert ended.refusal == Refusal(subject=subject, code=int(code), message=ended.error or "")
    assert f"code {code}" in (ended.error or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"CallStatus": "failed", "ErrorCode": "13224"},
        {"CallStatus": "failed", "ErrorCode": "13225"},
        {"CallStatus": "failed", "ErrorCode": "99999"},
        {"CallStatus": "failed", "ErrorCode": "a lot"},
        {"CallStatus": "failed", "SipResponseCode": "403"},
        {"CallStatus": "busy"},
        # Somebody picked up, or we hung up ourselves: whatever else went wrong, the call was made.
        {"CallStatus": "completed", "CallDuration": "3", "ErrorCode": "13227"},
        {"CallStatus": "canceled", "ErrorCode": "13227"},
    ],
)
def test_every_other_ending_says_nothing_of_us(changes: dict[str, str | None]) -> None:
    assert report(**changes).refusal is None


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "teleported"])
def test_news_of_no_interest(status: str) -> None:
    assert parse(CallStatus=status) is None


def test_answered_call() -> None:
    callback = parse(CallStatus="in-progress", SipResponseCode=None, CallDuration=None)
    assert callback is not None
    assert callback.event == CallPickedUp("an attempt", datetime(2022, 5, 7, 14, 30, 14, tzinfo=UTC), "CA35c0")


@pytest.mark.parametrize(
    "timestamp",
    [
        None,
        "",
        "yesterday",
        "Sat, 99 May 2022 14:30:14 +0000",
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "Fri, 31 Dec 9999 23:59:59 -9999999999999999999",
        "Sat, 07 May 2022 14:30:14 +9999",
        "Fri, 01 Jan 0100 00:00:00 +1400",
        "Wed, 31 Dec 1969 23:59:59 +0000",
    ],
)
def test_missing_or_odd_timestamp_is_now(timestamp: str | None) -> None:
    assert report(Timestamp=timestamp).ended_at == NOW


@pytest.mark.parametrize("duration", ["-5", "1e9", "9" * 10, "9" * 5000, "\u0663", "NaN", ""])
def test_a_duration_that_no_call_has_is_none_at_all(duration: str) -> None:
    ended = report(CallStatus="completed", CallDuration=duration)
    assert (ended.duration_seconds, ended.answered_at) == (0, ended.ended_at)


@given(
    timestamp=st.datetimes(timezones=st.timezones()).map(format_datetime) | st.text(),
    duration=st.integers().map(str) | st.text(),
)
def test_whatever_the_carrier_says_of_times_can_be_stored(timestamp: str, duration: str) -> None:
    ended = report(Timestamp=timestamp, CallStatus="completed", CallDuration=duration)
    assert ended.answered_at is not None
    assert ended.answered_at <= ended.ended_at


@pytest.mark.parametrize("value", [5, 1.5, True, {"a": 1}, ["Sat, 07 May 2022 14:30:14 +0000"]])
def test_json_that_is_no_text_is_no_instant(value: object) -> None:
    assert read_instant(value) is None


@pytest.mark.parametrize(("duration", "seconds"), [(49, 49), ("49", 49), (True, 0), (-1, 0), (1.5, 0), ([], 0)])
def test_a_duration_in_the_carriers_json_may_be_a_number(duration: object, seconds: float) -> None:
    ended = report_of("a", "CA1", "completed", ended_at=NOW, duration=duration, answered_by=None)
    assert ended is not None
    assert ended.duration_seconds == seconds


@pytest.mark.parametrize(
    ("url", "signature_of"),
    [
        pytest.param(CALLED.replace("an+attempt", "another"), CALLED, id="another attempt"),
        pytest.param(CALLED + "&shard=4", CALLED, id="another shard"),
        pytest.param(CALLED, CALLED.replace("dial", "evil"), id="signed for another host"),
    ],
)
def test_altered_urls_are_forged(url: str, signature_of: str) -> None:
    with pytest.raises(ForgedCallback):
        parse(url, signature_of)


def test_altered_outcome_is_forged() -> None:
    body = urlencode({**FIELDS, "CallStatus": "completed"}).encode()
    with pytest.raises(ForgedCallback):
        parse_callback(TOKEN, CALLED, body, sign(TOKEN, CALLED, FIELDS.items()), now=NOW)


@pytest.mark.parametrize("signature", [None, "", "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_missing_or_wrong_signature_is_forged(signature: str | None) -> None:
    with pytest.raises(ForgedCallback):
        parse_callback(TOKEN, CALLED, urlencode(FIELDS).encode(), signature, now=NOW)


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"{}", b"CallStatus", b"a=%ff", b"&".join(b"a=1" for _ in range(300))],
    ids=["binary", "JSON", "no value", "bad UTF-8", "too many fields"],
)
def test_body_that_is_no_form_is_unusable(body: bytes) -> None:
    with pytest.raises(UnusableCallback):
        parse_callback(TOKEN, CALLED, body, "a signature", now=NOW)


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        pytest.param(CALLED, {"CallStatus": None}, id="no status"),
        pytest.param(CALLED, {"CallSid": None}, id="no call id"),
        pytest.param("https://dial.example/callbacks/twilio", {}, id="no ids"),
        pytest.param(CALLED.replace("shard=3", "shard=x"), {}, id="shard is no number"),
        pytest.param(CALLED.replace("shard=3", "shard=-1"), {}, id="shard is negative"),
    ],
)
def test_signed_nonsense_is_unusable_and_not_forged(url: str, changes: dict[str, str | None]) -> None:
    with pytest.raises(UnusableCallback) as caught:
        parse(url, None, **changes)
    assert not isinstance(caught.value, ForgedCallback)


def test_no_repeats_wanted_leaves_no_fragment() -> None:
    assert "#" not in status_callback_url("https://dial.example", ORDER, 0)
    assert TOLD.endswith("#rc=5&rp=ct,rt,5xx")
    assert TOLD.startswith("https://dial.example/callbacks/twilio?")
