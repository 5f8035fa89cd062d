"""Results of calls: report, read."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native import translate_results
from services.campaign_api.native.auth import CampaignReader, ResultReporter
from services.campaign_api.native.once import OnceRoute, ReportedOnce
from services.campaign_api.native.paths import CallRef
from services.campaign_api.native.schemas.problems import body_problems, problems
from services.campaign_api.native.schemas.results import CallResultView, ReportResult
from shared.clock import utc_now
from shared.engine import results

router = APIRouter(prefix="/campaign/attempts/{attempt}/result", tags=["Results"], route_class=OnceRoute)


@router.post("", responses=body_problems(404, 409))
async def report(
    engine: ThisEngine,
    reporter: ResultReporter,
    attempt: CallRef,
    body: Annotated[ReportResult, json_body(ReportResult)],
    _: ReportedOnce,
) -> CallResultView:
    """Report what came of a call, during it or later: by a key, or by the token that came with the call.

    Who asks not to be called again is never called again; who asks for a callback is called back at that time.
    """
    call = reporter.call(attempt)
    found = await results.record_result(engine, reporter.organization_id, call, body, utc_now())
    return translate_results.call_result_view(found, sensitive=reporter.reads_sensitive)


@router.get("", responses=problems(404))
async def get(engine: ThisEngine, caller: CampaignReader, attempt: CallRef) -> CallResultView:
    """Get what was reported of a call, with its transcript."""
    found = await results.get_result(engine, caller.organization_id, attempt)
    return translate_results.call_result_view(found, sensitive=caller.reads_sensitive)
