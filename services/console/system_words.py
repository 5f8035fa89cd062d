"""What is amiss in an installation, in sentences that say what to do; purely, from the API's answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.console.words import counted

# Records of one topic; as the alert rules of deploy/monitoring.
MANY_UNREAD: Final = 1000
READERS: Final[Mapping[str, str]] = {
    "call-executor": "nobody is called: start a call-executor",
    "contact-ingest": "contacts that come through Kafka are not stored: start a contact-ingest",
    "contact-ingest.jobs": "imports and redials stand still: start a contact-ingest",
    "scheduler": "nobody is called: start a scheduler",
    "webhook-sender": "webhooks are told nothing new: start a webhook-sender",
}
EVIDENCE: Final[Mapping[str, str]] = {
    "executor_dead": "Their executor is gone, and the carrier has not said that the call is up",
    "not_reported": "The call should have been placed or lost by now, and the carrier does not find it or cannot tell",
    "past_longest_call": "The carrier should have ended the call",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Slots that wait for evidence of how their calls ended: how many for each reason, and their times."""

    reasons: Mapping[str, int]
    oldest_at: str | None
    given_up_by: str | None

    @property
    def slots(self) -> int:
        """The number of slots that wait."""
        return sum(self.reasons.values())


def waiting_for_evidence(dialing: Mapping[str, Any] | None) -> Evidence:
    """What living schedulers say together; nothing where MongoDB is away."""
    reasons: dict[str, int] = {}
    oldest: list[str] = []
    last: list[str] = []
    for scheduler in _living(dialing, "schedulers"):
        for reason, slots in scheduler["waiting"].items():
            reasons[reason] = reasons.get(reason, 0) + slots
        oldest += [scheduler["oldest_at"]] if scheduler["oldest_at"] else []
        last += [scheduler["given_up_by"]] if scheduler["given_up_by"] else []
    return Evidence(reasons, min(oldest, default=None), max(last, default=None))


def faults(system: Mapping[str, Any]) -> list[str]:
    """What is amiss, gravest first; empty: nothing that can be seen from here."""
    return [*_servers(system), *_readers(system["topics"] or ()), *_dialing(system["dialing"])]


def _servers(system: Mapping[str, Any]) -> list[str]:
    away = {
        "mongodb": "MongoDB is away: nobody is called, and the API cannot be used.",
        "kafka": "Kafka is away, or does not answer in time: no call is begun. Those that are up are recorded.",
    }
    return [sentence for server, sentence in away.items() if not system[server]]


def _readers(topics: Any) -> list[str]:
    found = []
    for topic in topics:
        name = topic["name"]
        if not topic["exists"]:
            found.append(f"There is no topic {name}: run python -m deploy.create_topics.")
        elif not topic["readers"]:
            found.append(f"Nobody reads {name}, so {READERS.get(topic['group'], 'it fills: start what reads it')}.")
        elif topic["unread"] > MANY_UNREAD:
            found.append(
                f"{counted(topic['unread'], 'record')} of {name} unread: its readers are too few, slow, or wait."
            )
    for topic in topics:
        if topic["dead_letters"]:
            letters = counted(topic["dead_letters"], "dead letter")
            found.append(f"{letters} of {topic['name']}: look why, mend the cause, then have them read again.")
    return found


def _dialing(dialing: Mapping[str, Any] | None) -> list[str]:
    if dialing is None:
        return []
    found = []
    unowned = [shard["shard"] for shard in dialing["shards"] if shard["scheduler"] is None]
    if unowned:
        found.append(
            f"{counted(len(unowned), 'shard')} without a scheduler ({', '.join(map(str, unowned))}): "
            "their organizations are not dialed."
        )
    if not [one for one in _living(dialing, "executors") if not one["draining"]]:
        found.append("No executor takes calls: start a call-executor.")
    elif dialing["held"] >= dialing["limit"]:
        found.append("All calls at once that the installation may have are up: add executors, or raise the limit.")
    slots = waiting_for_evidence(dialing).slots
    if slots:
        found.append(f"{counted(slots, 'slot')} held by calls whose ending nobody has reported.")
    return found


def _living(dialing: Mapping[str, Any] | None, kind: str) -> list[Mapping[str, Any]]:
    return [] if dialing is None else [one for one in dialing[kind] if one["alive"]]
