"""The customers of the crowd: their organizations and campaigns, and the batches that they have sent."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tests.chaos.truth import CampaignRules, Rule
from tests.e2e.system import SystemCustomer

ALWAYS: Final = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}]
AGAIN_SOON: Final = {"retry": True, "delay_seconds": 1}
CONFIGURATION: Final[dict[str, Any]] = {
    "name": "chaos",
    "default_windows": ALWAYS,
    # Enough that nobody ends uncalled because of attempts that broke off before a call.
    "max_attempts": 20,
    "retry_rules": {
        "no_answer": {**AGAIN_SOON, "max_attempts": 2},
        "busy": {**AGAIN_SOON, "max_attempts": 2},
        "voicemail": {**AGAIN_SOON, "max_attempts": 2},
        "failed": {**AGAIN_SOON, "max_attempts": 4},
        "interrupted": AGAIN_SOON,
    },
    "voicemail": {"action": "leave_message", "message": "Please call us back."},
    "agent_id": "chaos-agent",
    "agent_number": "+14155550100",
}


@dataclass(slots=True)
class Campaign:
    """One campaign of the crowd, and who is in it: external id → the number in force.

    Rows of a batch are `on_their_way`, by the batch's id, until its result is there: an edit would be overtaken.
    """

    id: str
    configuration_id: str
    rules: CampaignRules
    made_at: datetime
    numbers: dict[str, str] = field(default_factory=dict)
    on_their_way: dict[str, dict[str, str]] = field(default_factory=dict)
    takes_more: bool = True
    # None: when it was made.
    begins_at: datetime | None = None
    has_breaker: bool = False


@dataclass(slots=True)
class Organization:
    """One customer with its campaigns. What it does, it does one after the other."""

    who: SystemCustomer
    campaigns: list[Campaign]
    limit: Rule[int]
    capped: bool = False

    @property
    def id(self) -> str:
        """The organization's id."""
        return self.who.organization_id


@dataclass(slots=True)
class Batch:
    """A batch that Kafka has acknowledged: what it must have become."""

    organization_id: str
    batch_id: str
    good: list[str]
    bad: int
