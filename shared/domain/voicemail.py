"""Answering machines: whether the carrier tells them from people, and what is done when one takes a call."""

import re
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

# Twilio takes 4,000 characters of instructions, and an ampersand becomes five of them: about a minute of speech.
# https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
MAX_MESSAGE: Final = 750
# Characters that XML 1.0 has no way to write, and carriers take messages as XML.
_NO_TEXT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class VoicemailAction(StrEnum):
    """What is done once a machine has taken a call."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"


def _can_be_spoken(message: str) -> str:
    if not message.strip() or _NO_TEXT.search(message):
        raise PydanticCustomError("message_unspeakable", "Write the message in words, without control characters")
    return message


Message = Annotated[StrictStr, Field(max_length=MAX_MESSAGE), AfterValidator(_can_be_spoken)]
"""What is spoken on a machine."""

Language = Annotated[StrictStr, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$", examples=["de-DE"])]
"""A language tag (BCP 47), which decides the voice."""


class Voicemail(BaseModel):
    """How calls that a machine takes are handled. `language` None: as the carrier speaks without being told."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"action": "leave_message", "message": "This is Acme. Please call us back."}]},
    )

    detect: StrictBool = Field(True, description="Have the carrier tell machines from people; false: never.")
    action: VoicemailAction = Field(
        VoicemailAction.HANG_UP, description="`hang_up` at once, or `leave_message` after the machine's greeting."
    )
    message: Message | None = Field(None, description="For `leave_message`: spoken, then the call ends.")
    language: Language | None = Field(None, description="The language of the message; null: the carrier's own choice.")

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        leaves = self.action is VoicemailAction.LEAVE_MESSAGE
        if leaves and not self.detect:
            raise PydanticCustomError("detection_off", "leave_message needs detect: true, or nobody knows of a machine")
        if leaves and self.message is None:
            raise PydanticCustomError("message_missing", "leave_message needs a message to speak")
        if not leaves and (self.message is not None or self.language is not None):
            raise PydanticCustomError(
                "message_unused", "message and language are for leave_message; set that action or leave them out"
            )
        return self
