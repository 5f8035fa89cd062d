"""The events of a shard that have not been worked on yet, sorted by what has to be done with them."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any

from shared.events import (
    AnyOrgEvent,
    CallAnswered,
    CallFinished,
    CallWasPlaced,
    CampaignChanged,
    ContactsAdded,
    JobReleased,
    LimitsChanged,
    ProbePlaced,
)
from shared.store.dialing.shard_work import BATCH


class Chore(StrEnum):
    """Work that the safety net finds in MongoDB, whether or not a message has told of it."""

    EXPIRED = "expired"  # claims nobody started in time
    RESULTS = "results"  # endings in the second sink
    DELETED = "deleted"  # contacts whose deletion was asked for
    LISTED = "listed"  # numbers newly on a do-not-call list
    ASKED = "asked"  # what was asked of contacts
    OVER = "over"  # contacts whose `expires_at` has come
    FACTS = "facts"  # facts of other services that are not numbered yet
    FULL = "full"  # runs that have made all the calls they may


@dataclass(slots=True)
class Inbox:
    """Events and hints of one shard, and up to which offset of Kafka their work is done."""

    ended: deque[CallFinished] = field(default_factory=deque)
    released: deque[JobReleased] = field(default_factory=deque)
    answered: deque[CallAnswered | CallWasPlaced] = field(default_factory=deque)
    probes: deque[ProbePlaced] = field(default_factory=deque)
    campaigns: set[str] = field(default_factory=set)
    organizations: set[str] = field(default_factory=set)
    chores: set[Chore] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)  # campaigns whose waiting contacts are to be skipped
    _done: list[int] = field(default_factory=lambda: [0] * 4)  # endings, releases, answers, probes: since the beginning
    _marks: deque[tuple[int, list[int]]] = field(default_factory=deque)

    def add(self, event: AnyOrgEvent) -> None:
        """Sort one event in."""
        match event:
            case CallFinished():
                self.ended.append(event)
            case JobReleased():
                self.released.append(event)
            case CallAnswered() | CallWasPlaced():
                self.answered.append(event)
            case ProbePlaced():
                self.probes.append(event)
            case ContactsAdded(campaign_id=campaign_id, asked=asked):
                self.campaigns.add(campaign_id)
                self.chores |= {Chore.ASKED} if asked else set()
            case CampaignChanged(organization_id=organization_id) | LimitsChanged(organization_id=organization_id):
                self.organizations.add(organization_id)
            case _:
                # OutcomeUnknown: the contact stays in progress, and its age has it reconciled.
                pass

    @property
    def open_events(self) -> int:
        """Events whose effect is not in MongoDB yet; while there are any, no offset may be committed."""
        return sum(len(queue) for queue in self._queues())

    @property
    def done(self) -> int:
        """Events whose effect is in MongoDB, since the beginning."""
        return sum(self._done)

    def next_batch(self) -> tuple[list[CallFinished], list[JobReleased]]:
        """Up to 500 endings and releases, oldest first; they stay here until `done_with`."""
        ended = list(islice(self.ended, BATCH))
        return ended, list(islice(self.released, BATCH - len(ended)))

    def done_with(self, ended: int = 0, released: int = 0, answered: int = 0, probes: int = 0) -> None:
        """Forget the oldest events of each kind: their effects are committed to MongoDB."""
        counts = (ended, released, answered, probes)
        for queue, count in zip(self._queues(), counts, strict=True):
            for _ in range(count):
                queue.popleft()
        self._done = [before + n for before, n in zip(self._done, counts, strict=True)]

    def read_up_to(self, offset: int) -> None:
        """Note that every event before this offset of the shard's partition has been added."""
        wanted = [n + len(queue) for n, queue in zip(self._done, self._queues(), strict=True)]
        if self._marks and self._marks[-1][1] == wanted:
            self._marks.pop()
        self._marks.append((offset, wanted))

    def take_offset(self) -> int | None:
        """The offset to commit: every event before it is done. None if there is no newer one.

        Does not wait for the inbox to be empty, which under steady load it never is.
        """
        offset = None
        while self._marks and all(n >= wanted for n, wanted in zip(self._done, self._marks[0][1], strict=True)):
            offset, _ = self._marks.popleft()
        return offset

    def _queues(self) -> tuple[deque[Any], ...]:
        return self.ended, self.released, self.answered, self.probes
