"""When may a phone be called next?"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.filters import with_plus
from services.campaign_api.native.schemas.next_call import NextCallView
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.translate_reports import next_call_view
from shared.clock import utc_now
from shared.domain.fields import TimezoneName
from shared.domain.json_rules import check_text
from shared.domain.phone import MAX_RAW_LENGTH, InvalidPhoneNumber
from shared.engine.next_call import next_call_under

router = APIRouter(prefix="/campaign/configurations", tags=["Configurations"])


AskedNumber = Annotated[
    str,
    Query(
        min_length=1,
        max_length=MAX_RAW_LENGTH,
        description="The number, read as a contact's: in E.164, or national in the configuration's country.",
        examples=["+442071838750"],
    ),
    AfterValidator(check_text),
    AfterValidator(with_plus),
]
AskedZone = Annotated[
    TimezoneName | None, Query(description="The contact's timezone; without it as one that has none.")
]


@router.get("/{configuration_id}/next-call", responses=problems(404))
async def next_call(
    engine: ThisEngine,
    caller: CampaignReader,
    configuration_id: OurRef,
    number: AskedNumber,
    timezone: AskedZone = None,
) -> NextCallView:
    """Say when a phone may be called next under a configuration, and why not now: hours, do-not-call list, caps."""
    now = utc_now()
    try:
        answer = await next_call_under(engine, caller.organization_id, configuration_id, number, timezone, now)
    except InvalidPhoneNumber as error:
        raise ValuesInvalid([BadValue(("query", "number"), str(error), "phone_number")]) from None
    return next_call_view(answer, now)
