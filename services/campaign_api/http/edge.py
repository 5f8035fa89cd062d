"""The edge: the engine, the rate limit and the tokens of calls that the gateway gives to every dialect."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.campaign_api.http.rate_limit import RateLimit
from shared.engine.engine import Engine
from shared.result_tokens import NO_TOKENS, ResultTokens


@dataclass(frozen=True, slots=True)
class Edge:
    """The one door to the engine, the limit on requests that a credential has in all dialects together, and the tokens
    by which voice agents report results."""

    engine: Engine
    rate_limit: RateLimit
    result_tokens: ResultTokens = NO_TOKENS


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
