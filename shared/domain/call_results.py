"""Results: what a voice agent reports of a call, in one report or several, and what follows from that.

Reports of a call are merged field by field: a later value wins, objects are merged key by key, lists are replaced. A
field that is left out or null keeps what was reported before. Who asked once not to be called has asked for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.callbacks import MAX_NOTES
from shared.domain.contact_input import Instant
from shared.domain.fields import at_most
from shared.domain.json_rules import MAX_JSON_BYTES, JsonObject, LongText, ShortText, check_text

MAX_TURNS: Final = 5000
MAX_TAGS: Final = 100
MAX_URL: Final = 2048
MAX_COST: Final = 1_000_000
# Of all turns together: a document of MongoDB's has 16 MiB at most.
MAX_TRANSCRIPT_BYTES: Final = 1024 * 1024

# What others than those with a scope of its own do not read: what was said, and what was made of that.
SENSITIVE: Final = frozenset({"transcript", "summary", "recording_url", "extracted"})


class Sentiment(StrEnum):
    """How the person felt about the call."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class ResultRemark(StrEnum):
    """Why the callback that a result asks for does not come; the result keeps what was asked."""

    OPTED_OUT = "opted_out"
    DO_NOT_CALL = "do_not_call"
    CALLED_SINCE = "called_since"
    CAMPAIGN_OVER = "campaign_over"
    CAMPAIGN_ENDS_BEFORE = "campaign_ends_before"
    EXPIRES_BEFORE = "expires_before"
    CONTACT_DELETED = "contact_deleted"


def _web_address(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in {"http", "https"} or not rest or any(c <= " " for c in url):
        raise PydanticCustomError("url", "Write an address that begins with http:// or https://, without blanks")
    return url


class TranscriptTurn(BaseModel):
    """One turn of a conversation: the speaker, the words, and when it began."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    speaker: ShortText = Field(examples=["agent"])
    text: LongText
    at: Instant | None = None


class ReportedResult(BaseModel):
    """One report of a call; a field left out or null keeps what was reported before."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    disposition: ShortText | None = Field(None, description="In your own words, such as `appointment_made`.")
    summary: LongText | None = None
    sentiment: Annotated[Sentiment, Field(strict=False)] | None = None
    transcript: Annotated[list[TranscriptTurn], Field(max_length=MAX_TURNS), at_most(MAX_TURNS)] | None = Field(
        None, description="The whole of it: a later one replaces it. At most 1 MiB of text in all."
    )
    recording_url: (
        Annotated[str, Field(max_length=MAX_URL), AfterValidator(check_text), AfterValidator(_web_address)] | None
    ) = None
    extracted: JsonObject | None = Field(None, description="What the agent has found out; merged key by key.")
    tags: Annotated[list[ShortText], Field(max_length=MAX_TAGS), at_most(MAX_TAGS)] | None = Field(
        None, description="All of them: a later list replaces it."
    )
    cost: Annotated[float, Field(ge=0, le=MAX_COST, allow_inf_nan=False)] | None = Field(
        None, description="Of the call, in your own unit."
    )
    goal_reached: bool | None = None
    opt_out: bool | None = Field(
        None, description="The person asked not to be called again: true holds for good, whatever is reported later."
    )
    callback_at: Instant | None = Field(
        None, description="When the person asked to be called back: to come, and within a year."
    )
    notes: Annotated[str, Field(max_length=MAX_NOTES), AfterValidator(check_text)] | None = None

    @model_validator(mode="after")
    def _of_bounded_size(self) -> "ReportedResult":
        size = sum(len(turn.speaker.encode()) + len(turn.text.encode()) for turn in self.transcript or ())
        if size > MAX_TRANSCRIPT_BYTES:
            raise PydanticCustomError(
                "transcript_too_long",
                "Send a transcript of at most {limit} bytes of text, not {size}",
                {"limit": MAX_TRANSCRIPT_BYTES, "size": size},
            )
        return self

    @property
    def given(self) -> dict[str, Any]:
        """The fields that were given, in the form in which they are stored."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        given = {name: value for name, value in fields.items() if value is not None}
        if self.transcript is not None:
            given["transcript"] = [turn.model_dump() for turn in self.transcript]
        if self.sentiment is not None:
            given["sentiment"] = self.sentiment.value
        if self.tags is not None:
            given["tags"] = list(dict.fromkeys(self.tags))
        return given


@dataclass(frozen=True, slots=True)
class CallResult:
    """What is known of a call from all reports of it; times in UTC. None: it was not reported.

    `transcript` has `{speaker, text, at}` for each turn; None also where it was not asked for.
    """

    disposition: str | None = None
    summary: str | None = None
    sentiment: Sentiment | None = None
    transcript: tuple[Mapping[str, Any], ...] | None = None
    recording_url: str | None = None
    extracted: Mapping[str, Any] | None = None
    tags: tuple[str, ...] = ()
    cost: float | None = None
    goal_reached: bool | None = None
    opt_out: bool = False
    callback_at: datetime | None = None
    notes: str | None = None
    remarks: tuple[ResultRemark, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Following:
    """What follows from a report: the person opts out, or is to be called back at a time (UTC)."""

    opts_out: bool = False
    call_back_at: datetime | None = None


def merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a result after one more report, both in stored form; the order of keys is that of arrival."""
    after = dict(before)
    for name, value in given.items():
        known = before.get(name)
        if name == "extracted" and known is not None:
            after[name] = _merged_objects(known, value)
        elif name == "opt_out":
            after[name] = bool(known) or value
        else:
            after[name] = value
    return after


def _merged_objects(before: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    after = dict(before)
    for key, value in later.items():
        known = after.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        after[key] = _merged_objects(known, value) if both else value  # type: ignore[arg-type]
    return after


def is_too_large(after: Mapping[str, Any]) -> bool:
    """Whether what the agent has found out is, merged, more than may be stored."""
    extracted = after.get("extracted")
    return extracted is not None and len(orjson.dumps(extracted)) > MAX_JSON_BYTES


def following(before: Mapping[str, Any], after: Mapping[str, Any]) -> Following:
    """What follows from the report that has made one result of the other; nothing follows twice."""
    opts_out = bool(after.get("opt_out"))
    call_back_at = after.get("callback_at")
    is_new = call_back_at is not None and call_back_at != before.get("callback_at")
    return Following(opts_out and not before.get("opt_out"), call_back_at if is_new else None)


def told_of_result(after: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a result in stored form: all but what needs a scope of its own."""
    return {name: value for name, value in after.items() if name not in SENSITIVE}
