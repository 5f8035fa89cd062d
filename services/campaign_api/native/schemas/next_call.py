"""When a phone may be called next."""

from datetime import datetime

from pydantic import BaseModel, Field

from shared.domain.reasons import EndReason, WaitReason


class NextCallView(BaseModel):
    """When a phone may be called next under a configuration, whatever campaign, caller number and agent."""

    phone_number: str = Field(description="In E.164, as the number was read.")
    at: datetime = Field(description="The moment of this answer.")
    callable_at: datetime | None = Field(
        description="The first moment from `at` on; the end of a call that is up is not foreseen. null: never, as "
        "things stand."
    )
    timezones: list[str] = Field(description="By whose clocks hours were looked at: all of them must be open.")
    reason: WaitReason | None = Field(description="Why not now, and `until` when; null: nothing waits.")
    until: datetime | None
    ended_because: EndReason | None = Field(description="Why it is never called; null: it is not so.")
    what_to_do: str | None
