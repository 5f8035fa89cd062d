"""What voice agents have reported of calls, as it is read."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from shared.domain.call_results import CallResult, ResultRemark, Sentiment
from shared.domain.known_words import known
from shared.store.client import Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.contacts import CallResultDocument

_AS_STORED: Final = (
    "disposition",
    "summary",
    "recording_url",
    "extracted",
    "cost",
    "goal_reached",
    "opt_out",
    "callback_at",
    "notes",
    "created_at",
    "updated_at",
)


@translates
async def results_of(store: Store, attempt_ids: Collection[str]) -> dict[str, CallResult]:
    """The results of these attempts, by attempt; those of which nothing was reported are absent.

    Without their transcripts, which may have a megabyte each: they are read one by one.
    """
    if not attempt_ids:
        return {}
    found = store["call_results"].find({"_id": {"$in": list(attempt_ids)}}, {"transcript": 0})
    return {stored["_id"]: result_from(stored) async for stored in found}


def result_from(stored: Mapping[str, Any]) -> CallResult:
    """The result of a stored document."""
    document = complete(CallResultDocument, stored)
    transcript, remarks = document["transcript"], (known(ResultRemark, each) for each in document["remarks"])
    return CallResult(
        **{name: document[name] for name in _AS_STORED},
        sentiment=known(Sentiment, document["sentiment"]),
        tags=tuple(document["tags"]),
        transcript=None if transcript is None else tuple(transcript),
        remarks=tuple(remark for remark in remarks if remark is not None),
    )
