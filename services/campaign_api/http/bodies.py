"""Reading JSON bodies: type and size first, then one pass that finds every bad value."""

import asyncio
from collections.abc import Awaitable, Callable
from email.message import Message
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from services.campaign_api.native.errors import Refused, RequestInvalid, problems_in_body
from shared.domain.repeating import quoted

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
# Larger ones are parsed beside the event loop, so that the carrier's reports and the requests of others go on.
MAX_INLINE_BYTES: Final = 64 * 1024
Model = TypeVar("Model", bound=BaseModel)
Parsed = TypeVar("Parsed")


async def read_body(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The whole body; 413 as soon as it is known to be larger than the limit, whatever its header says."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: Request) -> bytes:
    """The body of a request that says it is JSON, not parsed yet; 415 for every other kind."""
    _require_json(request)
    body = await read_body(request)
    return b"" if body.isspace() else body


def body_of(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """A dependency that reads the body as `model`; 422 names every bad value."""

    def parse(raw: bytes) -> Model:
        try:
            return model.model_validate_json(raw)
        except ValidationError as error:
            raise RequestInvalid(problems_in_body(error, model)) from None

    async def read(request: Request) -> Model:
        return await parsed(await read_json(request), parse)

    return read


async def parsed(raw: bytes, parse: Callable[[bytes], Parsed]) -> Parsed:
    """What `parse` makes of the body; others do not wait for a large one."""
    return parse(raw) if len(raw) <= MAX_INLINE_BYTES else await asyncio.to_thread(parse, raw)


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI of a body that `body_of` reads; openapi.py adds the model itself to the components."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _require_json(request: Request) -> None:
    given = request.headers.get("content-type", "")
    message = Message()
    message["content-type"] = given or "none/none"
    charset = message.get_param("charset", "utf-8")
    is_json = message.get_content_maintype() == "application" and (
        message.get_content_subtype() == "json" or message.get_content_subtype().endswith("+json")
    )
    if not is_json or not isinstance(charset, str) or charset.lower() not in {"utf-8", "utf8"}:
        what = f"The Content-Type {quoted(given)} is not JSON in UTF-8" if given else "The request has no Content-Type"
        raise Refused(415, f"{what}: send JSON in UTF-8 with the header Content-Type: application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "The body must not be compressed: leave out Content-Encoding.")


def _too_large(limit_bytes: int) -> Refused:
    return Refused(413, f"The body is larger than {limit_bytes} bytes; send it in several requests.")
