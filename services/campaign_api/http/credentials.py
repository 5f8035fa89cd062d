"""Callers and their organizations, proven alike in all dialects; each dialect reads its own headers.

| credential | organization |
|---|---|
| organization key `ak_` | its own; the header beside it is ignored |
| personal token `pat_` | `X-Anyreach-Org` or `X-Org-Id`, one of the person's |
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from services.campaign_api.http.edge import Edge
from services.campaign_api.http.faults import Refused, RequestFault, Unauthorized, too_many
from services.campaign_api.http.request_limits import note_limit
from shared.clock import utc_now
from shared.domain.campaign_log import Actor, ActorKind
from shared.engine.keys import ApiKey, KeyKind, Scope, prove_key

ORGANIZATION_HEADERS: Final = ("x-anyreach-org", "x-org-id")
READ_CAMPAIGNS: Final = frozenset({Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_MANAGE})
MANAGE_CAMPAIGNS: Final = frozenset({Scope.CAMPAIGNS_MANAGE})


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven credential, for one organization."""

    key_id: str
    organization_id: str
    scopes: frozenset[Scope]

    @property
    def reads_sensitive(self) -> bool:
        """Whether the credential may read what was said in calls, and what was made of that."""
        return Scope.CONVERSATIONS_READ_SENSITIVE in self.scopes

    @property
    def actor(self) -> Actor:
        """The credential, as logs name it."""
        return Actor(ActorKind.KEY, self.key_id)

    def require(self, scopes: frozenset[Scope]) -> None:
        """Raises `Refused` unless the credential has one of these scopes."""
        if not self.scopes & scopes:
            raise Refused(RequestFault.MISSING_SCOPE, scopes=" or ".join(sorted(scopes)))


def needs(authenticate: Callable[..., Awaitable[Caller]], scopes: frozenset[Scope]) -> Any:
    """What a route depends on that a dialect's proven caller with one of these scopes alone may ask."""

    async def check(caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        caller.require(scopes)
        return caller

    return Depends(check)


def bearer_credential(request: Request) -> str:
    """The credential of the one `Authorization: Bearer` header. Raises `Unauthorized`."""
    headers = request.headers.getlist("authorization")
    scheme, _, credential = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthorized(RequestFault.NO_CREDENTIAL)
    return credential.strip()


async def caller_of(request: Request, edge: Edge, credential: str) -> Caller:
    """The caller that this credential proves; the request counts for its limit.

    Raises `Unauthorized`, or `Refused` for an organization that is not the person's and for one request too many.
    """
    key = await prove_key(edge.engine, credential, utc_now())
    if key is None:
        raise Unauthorized(RequestFault.UNKNOWN_CREDENTIAL)
    organization_id = _organization(request, key)
    state = edge.request_limits.ask(key.id, key.request_limits, organization_id, request.method)
    note_limit(request, state)
    if state is not None and state.retry_after:
        raise too_many(state.retry_after)
    return Caller(key.id, organization_id, key.scopes)


def _organization(request: Request, key: ApiKey) -> str:
    if key.kind is KeyKind.ORGANIZATION:
        return key.organization_ids[0]
    named = {value.lower() for header in ORGANIZATION_HEADERS for value in request.headers.getlist(header) if value}
    if len(named) != 1:
        raise Unauthorized(RequestFault.NO_ORGANIZATION_NAMED)
    organization_id = named.pop()
    if organization_id not in key.organization_ids:
        raise Refused(RequestFault.FOREIGN_ORGANIZATION)
    return organization_id
