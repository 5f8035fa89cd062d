"""The credentials of this API, and their scopes: 401, then 403. Which organization: http/credentials.py.

`X-API-Key` that is not empty wins over `Authorization: Bearer`; reading needs either scope of campaigns, all else the
one to manage them.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from services.campaign_api.http.credentials import Caller, bearer_credential, caller_of
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.http.faults import RequestFault, Unauthorized
from shared.engine.keys import Scope

# Only tell the OpenAPI about the headers; the reading is below, where doubled headers are noticed too.
API_KEY: Final = APIKeyHeader(name="X-API-Key", auto_error=False, description="`ak_…`, or `pat_…` with its header.")
BEARER: Final = HTTPBearer(auto_error=False, description="The same credential; X-API-Key wins.")

_READ: Final = frozenset({Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_MANAGE})
_MANAGE: Final = frozenset({Scope.CAMPAIGNS_MANAGE})


def credential_of(request: Request) -> str:
    """The credential that a request carries. Raises `Unauthorized` for none, and for two."""
    keys = [key for value in request.headers.getlist("x-api-key") if (key := value.strip())]
    if len(keys) > 1:
        raise Unauthorized(RequestFault.NO_CREDENTIAL)
    return keys[0] if keys else bearer_credential(request)


async def authenticate(
    request: Request, edge: ThisEdge, _: Annotated[Any, Security(API_KEY)], __: Annotated[Any, Security(BEARER)]
) -> Caller:
    """The caller. Raises `Unauthorized`, and `Refused` (an organization of others, too many requests)."""
    return await caller_of(request, edge, credential_of(request))


def _needs(scopes: frozenset[Scope]) -> Any:
    async def check(caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        caller.require(scopes)
        return caller

    return Depends(check)


Reader = Annotated[Caller, _needs(_READ)]
Manager = Annotated[Caller, _needs(_MANAGE)]
