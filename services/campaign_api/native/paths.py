"""References in the native API's paths."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator

from services.campaign_api.http.paths import decoded
from services.campaign_api.http.requests import as_stored

CampaignRef = Annotated[
    str,
    Path(description="The campaign's id or its external_id, percent-encoded.", examples=["spring-outreach"]),
    AfterValidator(decoded),
]
ContactsCampaignRef = Annotated[
    str,
    Path(
        description="The campaign's id or its external_id, or `default` for contacts of no campaign.",
        examples=["spring-outreach"],
    ),
    AfterValidator(decoded),
]
ContactRef = Annotated[
    str,
    Path(description="The contact's id or its external_id, percent-encoded.", examples=["lead-1001"]),
    AfterValidator(decoded),
]
CallbackRef = Annotated[
    str,
    Path(
        description="The callback's id: its contact's, and a number.",
        min_length=1,
        examples=["3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21-2"],
    ),
    AfterValidator(decoded),
]
CallRef = Annotated[
    str,
    Path(
        description="The id of the attempt, or of its conversation.",
        min_length=1,
        examples=["3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"],
        json_schema_extra={"format": "uuid"},
    ),
    AfterValidator(decoded),
    AfterValidator(as_stored),
]
BatchRef = Annotated[
    str, Path(description="The batch's id, as its sender made it.", min_length=1), AfterValidator(decoded)
]
PoolRef = Annotated[
    str, Path(description="The pool's name, percent-encoded.", examples=["west-coast"]), AfterValidator(decoded)
]
PhoneRef = Annotated[str, Path(description="The number in E.164.", examples=["+14155550123"]), AfterValidator(decoded)]
AgentRef = Annotated[
    str,
    Path(description="The agent's id or its external_id, percent-encoded.", examples=["outreach"]),
    AfterValidator(decoded),
]
CompanyRef = Annotated[
    str,
    Path(description="The company's id or its external_id, percent-encoded.", examples=["acme"]),
    AfterValidator(decoded),
]
PersonRef = Annotated[
    str,
    Path(description="The person's id or external_id, percent-encoded.", examples=["crm-1001"]),
    AfterValidator(decoded),
]
