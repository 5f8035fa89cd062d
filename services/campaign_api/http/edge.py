"""The edge: the engine, the request limits and the tokens of calls that the gateway gives to every dialect."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.campaign_api.http.request_limits import RequestLimits
from shared.engine.engine import Engine
from shared.result_tokens import NO_TOKENS, ResultTokens


@dataclass(frozen=True, slots=True)
class Edge:
    """The one door to the engine, the limit on requests that a credential has in all dialects together, and the tokens
    by which voice agents report results.

    `public_url` is the operator's; empty: none.
    """

    engine: Engine
    request_limits: RequestLimits
    public_url: str
    result_tokens: ResultTokens = NO_TOKENS

    def base_url(self, request: Request) -> str:
        """The address of campaign-api for this customer, without a path: the operator's, else the one asked."""
        return self.public_url or f"{request.url.scheme}://{request.url.netloc}"


async def edge_of(request: Request) -> Edge:
    """The edge of the application that answers this request."""
    edge: Edge = request.app.state.edge
    return edge


async def engine_of(request: Request) -> Engine:
    """The engine of the application that answers this request."""
    edge: Edge = request.app.state.edge
    return edge.engine


ThisEdge = Annotated[Edge, Depends(edge_of)]
ThisEngine = Annotated[Engine, Depends(engine_of)]
