"""A campaign's log, as it is read."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.campaign_log import ActorKind, LogEvent, LogLevel
from shared.domain.shown_ids import UuidText


class LogActor(BaseModel):
    """The one that did it: a key or token, or the engine by itself."""

    kind: ActorKind
    id: UuidText | None = Field(description="The key's or token's id; null for the engine.")


class LogEntryView(BaseModel):
    """One thing that has happened to a campaign."""

    at: datetime
    level: LogLevel
    event: LogEvent
    reason: str | None = Field(description="Why, where there is more to say than the event: `max_calls`, `account` …")
    by: LogActor
    details: dict[str, Any]


class LogPage(BaseModel):
    """Entries of a campaign's log, newest first; the newest 1,000 are kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entries": [
                        {
                            "at": "2027-03-05T15:30:00Z",
                            "level": "warning",
                            "event": "halted",
                            "reason": "max_calls",
                            "by": {"kind": "engine", "id": None},
                            "details": {},
                        }
                    ],
                    "next_cursor": None,
                    "total": None,
                }
            ]
        }
    )

    entries: list[LogEntryView]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last one, and with `offset`.")
    total: int | None = Field(description="How many entries there are; null without `offset`.")
