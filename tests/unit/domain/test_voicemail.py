from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.voicemail import MAX_MESSAGE, Voicemail, VoicemailAction


def test_without_more_words_machines_are_told_from_people_and_hung_up_on() -> None:
    assert Voicemail.model_validate({}) == Voicemail(detect=True, action=VoicemailAction.HANG_UP)


@pytest.mark.parametrize(
    "values",
    [
        {"detect": False},
        {"action": "hang_up"},
        {"action": "leave_message", "message": "Please call us back."},
        {"action": "leave_message", "message": "Bitte rufen Sie zurück.\nDanke!", "language": "de-DE"},
        {"action": "leave_message", "message": "請回電", "language": "cmn-Hant-TW"},
        {"action": "leave_message", "message": "x" * MAX_MESSAGE},
    ],
)
def test_what_can_be_set_comes_back_as_it_was(values: dict[str, Any]) -> None:
    voicemail = Voicemail.model_validate(values)
    assert Voicemail.model_validate(voicemail.model_dump(mode="json")) == voicemail


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"action": "leave_message"}, "message_missing"),
        ({"action": "leave_message", "message": None}, "message_missing"),
        ({"action": "leave_message", "message": "Hello", "detect": False}, "detection_off"),
        ({"message": "Hello"}, "message_unused"),
        ({"detect": False, "language": "de-DE"}, "message_unused"),
        ({"action": "leave_message", "message": " \n"}, "message_unspeakable"),
        ({"action": "leave_message", "message": "Hello\x00"}, "message_unspeakable"),
        ({"action": "leave_message", "message": "Hello\x0b"}, "message_unspeakable"),
        ({"action": "leave_message", "message": "Hello\ufffe"}, "message_unspeakable"),
        ({"action": "leave_message", "message": "x" * (MAX_MESSAGE + 1)}, "string_too_long"),
        ({"action": "leave_message", "message": "Hello", "language": 'en" x="'}, "string_pattern_mismatch"),
        ({"action": "leave_message", "message": "Hello", "language": "en-US\n"}, "string_pattern_mismatch"),
        ({"action": "sing"}, "enum"),
        ({"detect": "yes"}, "bool_type"),
        ({"voice": "alice"}, "extra_forbidden"),
    ],
)
def test_what_cannot_be_set_is_refused(values: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Voicemail.model_validate(values)
    assert [fault["type"] for fault in caught.value.errors()] == [kind]
