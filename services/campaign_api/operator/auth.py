"""The operator's credential: the admin token."""

from typing import Annotated, Any

from fastapi import Request, Security

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.credentials import bearer_credential
from services.campaign_api.http.faults import RequestFault, Unauthorized
from services.campaign_api.native.auth import BEARER
from shared.engine.keys import is_same_secret


async def require_operator(request: Request, gateway: ThisGateway, _: Annotated[Any, Security(BEARER)]) -> None:
    """Let the admin token pass. Raises `Unauthorized` for everything else, and always while there is none."""
    expected = gateway.settings.admin_token.get_secret_value()
    if not is_same_secret(bearer_credential(request), expected) or not expected:
        raise Unauthorized(RequestFault.NOT_THE_OPERATOR)
