"""`Idempotency-Key`: a request that makes something is done once, however often it is sent under the same key.

The key is claimed when credential and body are known to be good, before the work. A request that is refused gives it
back; one whose process dies keeps it for a while, and the next with the key finds what was made by its `work_id`.
"""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, Final, get_args

from fastapi import Depends, Header, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.edge import ThisEngine, engine_of
from services.campaign_api.http.faults import BadValue, EngineError, Refused, ValuesInvalid
from services.campaign_api.native.auth import CampaignManager, ResultReporter
from shared.clock import utc_now
from shared.domain.once import MAX_KEY
from shared.engine import once
from shared.engine.engine import Engine
from shared.engine.once import Answered, Begun, UnderWay
from shared.errors import TemporaryError
from shared.logs import get_logger

HEADER: Final = "Idempotency-Key"
REPEATED: Final = "Idempotent-Replayed"
OTHER_REQUEST: Final = "This Idempotency-Key was used for another request; send each request under a key of its own."
UNDER_WAY: Final = "The first request with this Idempotency-Key is not answered yet; send it again in {seconds} s."
KEY_PLACE: Final = ("header", HEADER)
KeyHeader = Annotated[
    str | None,
    Header(
        alias=HEADER,
        description=f"1 to {MAX_KEY} characters of ASCII. For 24 hours the same request under it gets the same answer, "
        "and does nothing more.",
    ),
]


# After these nothing was done.
_REFUSALS: Final = (Refused, ValuesInvalid, *(known for known in get_args(EngineError) if known is not TemporaryError))


class _AnsweredElsewise(Exception):
    """The request is answered without its endpoint."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class OnceRoute(BodyRoute):
    """A route whose requests are done once each where they carry a key; its endpoint depends on `Once`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer as the route does, or as was answered before."""
        answer = super().get_route_handler()

        async def answer_once(request: Request) -> Response:
            if HEADER.lower() not in request.headers or request.method != "POST":
                return await answer(request)
            read = bytearray()
            request.state.once_body, request.state.once = read, None
            engine = await engine_of(request)
            try:
                response = await answer(Request(request.scope, _noting(request.receive, read)))
            except _AnsweredElsewise as known:
                return known.response
            except TemporaryError:
                await _settle(engine, request, once.let_go)
                raise
            except _REFUSALS:
                await _settle(engine, request, once.give_key_back)
                raise
            await _settle(engine, request, functools.partial(_keep, response))
            return response

        return answer_once


async def _once_of_caller(
    request: Request, engine: ThisEngine, caller: CampaignManager, key: KeyHeader = None
) -> str | None:
    return await work_id_of(request, engine, caller.organization_id, key)


async def _once_of_reporter(
    request: Request, engine: ThisEngine, reporter: ResultReporter, key: KeyHeader = None
) -> str | None:
    return await work_id_of(request, engine, reporter.organization_id, key)


Once = Annotated[str | None, Depends(_once_of_caller)]
"""From what ids of what the request makes derive; None: it came without a key. After the body among the parameters."""
ReportedOnce = Annotated[str | None, Depends(_once_of_reporter)]
"""`Once` of a request that may be by the token of a call."""


async def work_id_of(request: Request, engine: Engine, organization_id: str, key: str | None) -> str | None:
    """`Once`, for an endpoint of an `OnceRoute` that reads its body by itself, to be called when it has."""
    if key is None:
        return None
    if not once.is_key(key) or len(request.headers.getlist(HEADER)) != 1:
        sentence = f"must be one key of 1 to {MAX_KEY} printable characters of ASCII"
        raise ValuesInvalid([BadValue(KEY_PLACE, sentence, "idempotency_key")])
    target = f"{request.url.path}?{request.url.query}"
    asked = once.fingerprint(request.method, target, bytes(request.state.once_body))
    match await once.claim_key(engine, organization_id, key, asked, utc_now()):
        case Begun() as begun:
            request.state.once = begun
            return begun.work_id
        case Answered(status, body, media_type):
            headers = {REPEATED: "true"}
            raise _AnsweredElsewise(Response(body, status, headers=headers, media_type=media_type))
        case UnderWay(seconds):
            detail, again = UNDER_WAY.format(seconds=seconds), {"Retry-After": str(seconds)}
            raise _AnsweredElsewise(JSONResponse({"detail": detail}, 409, headers=again))
    raise _AnsweredElsewise(JSONResponse({"detail": OTHER_REQUEST}, 409))


async def _settle(engine: Engine, request: Request, settle: Callable[[Engine, Begun], Awaitable[None]]) -> None:
    """Do with the key, if the request has claimed it, what its end asks for."""
    begun: Begun | None = request.state.once
    if begun is None:
        return
    try:
        await settle(engine, begun)
    except TemporaryError as error:
        # The claim lapses, and the work is safe to repeat.
        get_logger().warning("a key of a request is not settled", reason=str(error))


async def _keep(response: Response, engine: Engine, begun: Begun) -> None:
    kept = Answered(response.status_code, bytes(response.body), response.media_type or "application/json")
    await once.keep_answer(engine, begun, kept, utc_now())


def _noting(receive: Receive, read: bytearray) -> Receive:
    """The body as it comes, noted for the claim of the key once it is read."""

    async def noted() -> Message:
        message = await receive()
        read.extend(message.get("body", b""))
        return message

    return noted
