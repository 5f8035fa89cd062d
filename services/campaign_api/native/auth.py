"""The credentials of this API, and their scopes: 401, then 403. Which organization: http/credentials.py.

An organization key or a personal token has what its scopes allow; the admin token is none here.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from services.campaign_api.http.credentials import (
    MANAGE_CAMPAIGNS,
    READ_CAMPAIGNS,
    Caller,
    bearer_credential,
    caller_of,
    needs,
)
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.http.faults import RequestFault, Unauthorized, too_many
from services.campaign_api.http.request_limits import note_limit
from shared.domain.ids import conversation_id_of
from shared.engine.keys import Scope
from shared.engine.results import ReportedCall
from shared.errors import Kind, NotFound
from shared.result_tokens import PREFIX, TokenCall

# Only tells the OpenAPI about the header; the reading is elsewhere, where doubled headers are noticed too.
BEARER: Final = HTTPBearer(
    auto_error=False, description="`ak_…`, `pat_…`, `rt_…` that came with a call, or the admin token for /admin."
)
_OrganizationHeader = Annotated[
    str | None,
    Header(
        alias="X-Anyreach-Org",
        description="With a personal token: the organization's id.",
        json_schema_extra={"format": "uuid"},
    ),
]
_OrganizationHeaderToo = Annotated[
    str | None,
    Header(alias="X-Org-Id", description="The same as X-Anyreach-Org.", json_schema_extra={"format": "uuid"}),
]

READ_CONCURRENCY: Final = frozenset(Scope) - {Scope.CONVERSATIONS_READ_SENSITIVE}
MANAGE_CONCURRENCY: Final = frozenset({Scope.CAMPAIGNS_MANAGE, Scope.CONCURRENCY_MANAGE})


async def authenticate(
    request: Request,
    edge: ThisEdge,
    _: Annotated[Any, Security(BEARER)],
    __: _OrganizationHeader = None,
    ___: _OrganizationHeaderToo = None,
) -> Caller:
    """The caller. Raises `Unauthorized`, and `Refused` (an organization of others, too many requests)."""
    return await caller_of(request, edge, bearer_credential(request))


@dataclass(frozen=True, slots=True)
class Reporter:
    """The reporter of a call's result: by a credential of the organization, or by the token of that one call."""

    organization_id: str
    reads_sensitive: bool
    token: TokenCall | None = None

    def call(self, reference: str) -> str | ReportedCall:
        """The call that an id of its attempt or conversation means. Raises `NotFound` for a token of another call."""
        if self.token is None:
            return reference
        if reference not in (self.token.attempt_id, conversation_id_of(self.token.attempt_id)):
            raise NotFound(Kind.ATTEMPT, reference)
        return ReportedCall(self.token.attempt_id, self.token.contact_id)


async def reporter_of(
    request: Request,
    edge: ThisEdge,
    _: Annotated[Any, Security(BEARER)],
    __: _OrganizationHeader = None,
    ___: _OrganizationHeaderToo = None,
) -> Reporter:
    """The reporter of a result. Raises `Unauthorized` (also for a forged token), and `Refused`."""
    credential = bearer_credential(request)
    if not credential.startswith(PREFIX):
        caller = await caller_of(request, edge, credential)
        caller.require(MANAGE_CAMPAIGNS)
        return Reporter(caller.organization_id, caller.reads_sensitive)
    token = edge.result_tokens.read(credential)
    if token is None:
        raise Unauthorized(RequestFault.UNKNOWN_CREDENTIAL)
    state = edge.request_limits.ask(token.attempt_id, None, token.organization_id, request.method)
    note_limit(request, state)
    if state is not None and state.retry_after:
        raise too_many(state.retry_after)
    return Reporter(token.organization_id, reads_sensitive=False, token=token)


AnyCaller = Annotated[Caller, Depends(authenticate)]
CampaignReader = Annotated[Caller, needs(authenticate, READ_CAMPAIGNS)]
CampaignManager = Annotated[Caller, needs(authenticate, MANAGE_CAMPAIGNS)]
ConcurrencyReader = Annotated[Caller, needs(authenticate, READ_CONCURRENCY)]
ConcurrencyManager = Annotated[Caller, needs(authenticate, MANAGE_CONCURRENCY)]
ResultReporter = Annotated[Reporter, Depends(reporter_of)]
