"""Who is asking, for which organization, and whether they may: 401, then 403.

| credential | organization | at `/admin` | elsewhere |
|---|---|---|---|
| organization key `ak_` | its own; the header beside it is ignored | 401 | by scope |
| personal token `pat_` | `X-Anyreach-Org` or `X-Org-Id`, one of the person's | 401 | by scope |
| admin token | none | everything | 401 |
"""

import hmac
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from services.campaign_api.gateway import Gateway, ThisGateway
from services.campaign_api.native.errors import Refused, Unauthorized, too_many
from shared.clock import monotonic, utc_now
from shared.store.catalog.keys import ApiKey, KeyKind, Scope, digest_of, find_key

ORGANIZATION_HEADERS: Final = ("x-anyreach-org", "x-org-id")
# Only tells the OpenAPI about the header; the reading is below, where doubled headers are noticed too.
_BEARER: Final = HTTPBearer(auto_error=False, description="`ak_…`, `pat_…`, or the admin token for /admin.")
_OrganizationHeader = Annotated[
    str | None, Header(alias="X-Anyreach-Org", description="With a personal token: the organization's id.")
]
_OrganizationHeaderToo = Annotated[str | None, Header(alias="X-Org-Id", description="The same as X-Anyreach-Org.")]

READ_CAMPAIGNS: Final = frozenset({Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_MANAGE})
MANAGE_CAMPAIGNS: Final = frozenset({Scope.CAMPAIGNS_MANAGE})
READ_CONCURRENCY: Final = frozenset(Scope)
MANAGE_CONCURRENCY: Final = frozenset({Scope.CAMPAIGNS_MANAGE, Scope.CONCURRENCY_MANAGE})


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven credential, for one organization."""

    key_id: str
    organization_id: str
    scopes: frozenset[Scope]


async def authenticate(
    request: Request,
    gateway: ThisGateway,
    _: Annotated[Any, Security(_BEARER)],
    __: _OrganizationHeader = None,
    ___: _OrganizationHeaderToo = None,
) -> Caller:
    """The caller. 401 without a valid credential, 403 for an organization that is not the person's, 429."""
    key = await _proven_key(request, gateway)
    organization_id = _organization(request, key)
    wait = gateway.rate_limit.seconds_to_wait(key.id, monotonic())
    if wait:
        raise too_many(wait)
    return Caller(key.id, organization_id, key.scopes)


async def require_operator(request: Request, gateway: ThisGateway, _: Annotated[Any, Security(_BEARER)]) -> None:
    """Let the admin token pass; 401 for everything else."""
    expected = gateway.settings.admin_token.get_secret_value()
    given = _credential(request)
    # Digests are compared, so that not even the length of the token can be measured.
    if not hmac.compare_digest(digest_of(given), digest_of(expected)) or not expected:
        raise Unauthorized("This needs the admin token that the operator has set as DIALSTREAM_ADMIN_TOKEN.")


def _needs(scopes: frozenset[Scope]) -> Any:
    async def check(caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        if not caller.scopes & scopes:
            raise Refused(403, f"This credential lacks the scope: it needs {' or '.join(sorted(scopes))}.")
        return caller

    return Depends(check)


AnyCaller = Annotated[Caller, Depends(authenticate)]
CampaignReader = Annotated[Caller, _needs(READ_CAMPAIGNS)]
CampaignManager = Annotated[Caller, _needs(MANAGE_CAMPAIGNS)]
ConcurrencyReader = Annotated[Caller, _needs(READ_CONCURRENCY)]
ConcurrencyManager = Annotated[Caller, _needs(MANAGE_CONCURRENCY)]


async def _proven_key(request: Request, gateway: Gateway) -> ApiKey:
    key = await find_key(gateway.store, _credential(request), utc_now())
    if key is None:
        raise Unauthorized("The credential is unknown, expired or deleted; make a new one.")
    return key


def _credential(request: Request) -> str:
    headers = request.headers.getlist("authorization")
    scheme, _, credential = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthorized("Send one credential in the header: Authorization: Bearer <credential>.")
    return credential.strip()


def _organization(request: Request, key: ApiKey) -> str:
    if key.kind is KeyKind.ORGANIZATION:
        return key.organization_ids[0]
    named = {value.lower() for header in ORGANIZATION_HEADERS for value in request.headers.getlist(header) if value}
    if len(named) != 1:
        raise Unauthorized("A personal token needs one organization: send its id in the header X-Anyreach-Org.")
    organization_id = named.pop()
    if organization_id not in key.organization_ids:
        raise Refused(403, "The organization in the header is not one of this person's.")
    return organization_id
