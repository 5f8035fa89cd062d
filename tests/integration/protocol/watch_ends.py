"""What must hold of campaigns that are completed or have an end date, seen after each step (S2)."""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.campaign import DIALED, RunState, shown_state
from shared.domain.contact import ACTIVE, ContactStatus
from shared.store.catalog.courses import course_of
from shared.store.client import Document
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete


class EndsWatch:
    """Remembers who was seen waiting, or on a call, in which run: none of them may be left in it once completed."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, int]] = {}
        # Campaigns and the generations of the runs that were completed.
        self.completed: set[tuple[str, int]] = set()

    def accepted(self, contact_id: str, stored: Document, now: datetime) -> None:
        """Note a contact that was taken in, or asked to be called again, before its campaign was read as this."""
        course = course_of(complete(CampaignDocument, stored))
        if shown_state(course, now).state in DIALED:
            self._seen[contact_id] = stored["_id"], course.generation
        else:
            self._seen.pop(contact_id, None)

    def look(self, at: Mapping[str, list[Document]], now: datetime) -> None:
        """Raise AssertionError if a completion, or a campaign's dates, are not as they must be."""
        busy = {contact["_id"]: contact["campaign_id"] for contact in at["contacts"] if _is_busy(contact)}
        self._seen = {contact_id: run for contact_id, run in self._seen.items() if contact_id in busy}
        for campaign in (complete(CampaignDocument, stored) for stored in at["campaigns"]):
            campaign_id, course = campaign["_id"], course_of(campaign)
            its_run, run = (campaign_id, course.generation), course.current_run
            is_completed = run is not None and run.state is RunState.COMPLETED
            when = campaign["completed_at"]
            assert (when is not None) == is_completed, f"S2: completed at {when}, and its run is {run}"
            if is_completed:
                left = [contact_id for contact_id, seen in self._seen.items() if seen == its_run]
                assert not left, f"S2: {left} are left behind in a campaign that is completed"
                asked = campaign["auto_complete"] or course.has_ended(now) or its_run in self.completed
                assert asked, "S2: a campaign is completed that neither completes by itself nor has ended"
                self.completed.add(its_run)
            elif shown_state(course, now).state in DIALED:
                self._seen |= {contact_id: its_run for contact_id, its in busy.items() if its == campaign_id}


def _is_busy(contact: Document) -> bool:
    return contact["status"] == ContactStatus.PENDING or contact["status"] in ACTIVE or "asked" in contact
