"""Answering machines at Twilio: what a call's order says of them, and the instructions that speak a message.

Detection runs beside the call (`AsyncAmd`), so that a person is not left in silence until it is over; its word comes in
a callback of its own. https://www.twilio.com/docs/voice/answering-machine-detection
"""

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from shared.domain.voicemail import Voicemail, VoicemailAction
from shared.settings import TelephonySettings
from shared.telephony.provider import PlaceCall
from shared.telephony.twilio_callback import machine_callback_url

# The word comes as soon as the machine is known, or when its greeting is over.
_DETECTION: Final = {VoicemailAction.HANG_UP: "Enable", VoicemailAction.LEAVE_MESSAGE: "DetectMessageEnd"}


def detection_of(call: PlaceCall, settings: TelephonySettings) -> list[tuple[str, str]]:
    """The fields of an order that have Twilio tell machines from people; none where that was not asked for.

    Without handling of its own a call has what the operator has set, where the voice agent gets Twilio's word.
    """
    if call.voicemail is None:
        return [("MachineDetection", "Enable")] if settings.twilio_machine_detection else []
    if not call.voicemail.detect:
        return []
    return [
        ("MachineDetection", _DETECTION[call.voicemail.action]),
        ("AsyncAmd", "true"),
        (
            "AsyncAmdStatusCallback",
            machine_callback_url(settings.callback_base_url, call, settings.twilio_callback_retries),
        ),
        ("AsyncAmdStatusCallbackMethod", "POST"),
    ]


def spoken(voicemail: Voicemail) -> str:
    """The instructions (TwiML) that speak the message and then end the call."""
    language = f" language={quoteattr(voicemail.language)}" if voicemail.language else ""
    return f"<Response><Say{language}>{escape(voicemail.message or '')}</Say><Hangup/></Response>"
