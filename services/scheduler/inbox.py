"""What has arrived for a shard and has not been worked on yet, sorted by what has to be done with it."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from shared.events import (
    AnyOrgEvent,
    CallAnswered,
    CallFinished,
    CampaignChanged,
    ContactsAdded,
    JobReleased,
    LimitsChanged,
)
from shared.store.shard_work import BATCH


class Chore(StrEnum):
    """Work that the safety net finds in MongoDB, whether or not a message has told of it."""

    EXPIRED = "expired"  # claims nobody started in time
    RESULTS = "results"  # endings in the second sink
    DELETED = "deleted"  # contacts whose deletion was asked for
    LISTED = "listed"  # numbers newly on a do-not-call list


@dataclass(slots=True)
class Inbox:
    """Events and hints of one shard. `offset` is where reading continues once everything here is done."""

    ended: deque[CallFinished] = field(default_factory=deque)
    released: deque[JobReleased] = field(default_factory=deque)
    answered: deque[CallAnswered] = field(default_factory=deque)
    campaigns: set[str] = field(default_factory=set)
    organizations: set[str] = field(default_factory=set)
    chores: set[Chore] = field(default_factory=set)
    offset: int | None = None

    def add(self, event: AnyOrgEvent) -> None:
        """Sort one event in."""
        match event:
            case CallFinished():
                self.ended.append(event)
            case JobReleased():
                self.released.append(event)
            case CallAnswered():
                self.answered.append(event)
            case ContactsAdded(campaign_id=campaign_id):
                self.campaigns.add(campaign_id)
            case CampaignChanged(organization_id=organization_id) | LimitsChanged(organization_id=organization_id):
                self.organizations.add(organization_id)
            case _:
                # OutcomeUnknown: the contact stays in progress, and its age has it reconciled.
                pass

    @property
    def open_events(self) -> int:
        """Events whose effect is not in MongoDB yet; while there are any, no offset may be committed."""
        return len(self.ended) + len(self.released) + len(self.answered)

    def next_batch(self) -> tuple[list[CallFinished], list[JobReleased]]:
        """Up to 500 endings and releases, oldest first; they stay here until `done_with`."""
        ended = list(islice(self.ended, BATCH))
        return ended, list(islice(self.released, BATCH - len(ended)))

    def done_with(self, ended: int, released: int) -> None:
        """The oldest of each have been committed to MongoDB."""
        for _ in range(ended):
            self.ended.popleft()
        for _ in range(released):
            self.released.popleft()

    def take_offset(self) -> int | None:
        """The offset to commit, if everything read so far is done."""
        if self.open_events:
            return None
        offset, self.offset = self.offset, None
        return offset
