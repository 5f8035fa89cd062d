"""What an order to Twilio says of machines, the instructions that speak a message, and the word on a machine."""

from urllib.parse import parse_qs, parse_qsl, urldefrag, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.outcome import Outcome
from shared.domain.voicemail import Voicemail
from shared.telephony.provider import MachineDetected, PlaceCall
from shared.telephony.twilio_callback import ForgedCallback, UnusableCallback, parse_machine_callback
from shared.telephony.twilio_signature import sign
from shared.telephony.twilio_voicemail import detection_of, spoken
from tests.contract.carriers import TOKEN, an_order, twilio_settings

BASE = "https://dial.example"
LEAVE = Voicemail.model_validate({"action": "leave_message", "message": "Please call us back."})


def fields_of(order: PlaceCall, **settings: object) -> dict[str, str]:
    return dict(detection_of(order, twilio_settings("https://api.example", BASE, **settings)))


@pytest.mark.parametrize(
    ("voicemail", "asked"), [(LEAVE, "DetectMessageEnd"), (Voicemail(), "Enable"), (Voicemail(detect=False), None)]
)
@pytest.mark.parametrize("of_operator", [True, False])
def test_a_configuration_wins_over_the_operator(voicemail: Voicemail, asked: str | None, of_operator: bool) -> None:
    order = an_order("+12025550123", voicemail=voicemail)
    fields = fields_of(order, twilio_machine_detection=of_operator)
    assert fields.get("MachineDetection") == asked
    if asked is None:
        assert fields == {}
        return
    assert (fields["AsyncAmd"], fields["AsyncAmdStatusCallbackMethod"]) == ("true", "POST")
    told = urlsplit(fields["AsyncAmdStatusCallback"])
    assert (told.scheme, told.netloc, told.path) == ("https", "dial.example", "/callbacks/twilio/answering-machines")
    assert told.fragment == "rc=5&rp=ct,rt,5xx"
    assert parse_qs(told.query)["attempt_id"] == [order.attempt_id]


def test_without_a_word_of_the_configuration_an_order_is_as_the_operator_says() -> None:
    order = an_order("+12025550123")
    assert fields_of(order, twilio_machine_detection=True) == {"MachineDetection": "Enable"}
    assert fields_of(order, twilio_machine_detection=False) == {}


def test_a_message_is_spoken_and_then_the_call_ends() -> None:
    assert spoken(LEAVE) == "<Response><Say>Please call us back.</Say><Hangup/></Response>"
    german = Voicemail.model_validate({"action": "leave_message", "message": "<Say>&", "language": "de-DE"})
    assert spoken(german) == '<Response><Say language="de-DE">&lt;Say&gt;&amp;</Say><Hangup/></Response>'


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200))
def test_whatever_a_message_says_it_is_words_and_never_instructions(message: str) -> None:
    if not message.strip() or "\ufffe" in message or "\uffff" in message:
        return
    voicemail = Voicemail.model_validate({"action": "leave_message", "message": message})
    response = ElementTree.fromstring(spoken(voicemail))
    assert [step.tag for step in response] == ["Say", "Hangup"]
    assert response[0].text == message


def heard(form: dict[str, str], *, token: str = TOKEN, without: str = "") -> MachineDetected | None:
    order = an_order("+12025550123", voicemail=LEAVE)
    url = urldefrag(fields_of(order)["AsyncAmdStatusCallback"]).url.replace(without, "x" if without else "")
    body = urlencode(form)
    signature = sign(token, url, parse_qsl(body, keep_blank_values=True))
    return parse_machine_callback(TOKEN, url, body.encode(), signature)


@pytest.mark.parametrize(
    ("answered_by", "outcome", "greeting_over"),
    [
        ("machine_start", Outcome.VOICEMAIL, False),
        ("machine_end_beep", Outcome.VOICEMAIL, True),
        ("machine_end_silence", Outcome.VOICEMAIL, True),
        ("machine_end_other", Outcome.VOICEMAIL, True),
        ("fax", Outcome.FAILED, False),
    ],
)
def test_the_carriers_word_on_a_machine(answered_by: str, outcome: Outcome, greeting_over: bool) -> None:
    machine = heard({"CallSid": "CA1", "AnsweredBy": answered_by, "MachineDetectionDuration": "1200"})
    assert machine is not None
    assert (machine.call_id, machine.outcome, machine.greeting_over) == ("CA1", outcome, greeting_over)
    assert (machine.organization_id, bool(machine.attempt_id), bool(machine.contact_id)) == ("organization", True, True)


@pytest.mark.parametrize("answered_by", ["human", "unknown", "a word of tomorrow"])
def test_whoever_may_be_a_person_is_no_machine(answered_by: str) -> None:
    assert heard({"CallSid": "CA1", "AnsweredBy": answered_by}) is None


def test_a_forged_word_is_refused() -> None:
    with pytest.raises(ForgedCallback):
        heard({"CallSid": "CA1", "AnsweredBy": "machine_start"}, token="guessed")


@pytest.mark.parametrize("form", [{"CallSid": "CA1"}, {"AnsweredBy": "fax"}, {"CallSid": "", "AnsweredBy": "fax"}])
def test_a_word_that_lacks_something_is_unusable(form: dict[str, str]) -> None:
    with pytest.raises(UnusableCallback):
        heard(form)
    with pytest.raises(UnusableCallback):
        heard({"CallSid": "CA1", "AnsweredBy": "fax"}, without="attempt_id")
