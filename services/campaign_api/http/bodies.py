"""Reading JSON bodies: type and size first, then one pass that finds every bad value."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from email.message import Message
from typing import Any, Final, TypeVar, get_args

from fastapi import Depends, Request, Response
from fastapi.dependencies.utils import request_params_to_args
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from services.campaign_api.http.faults import BadValue, Refused, RequestFault, ValuesInvalid
from shared.domain.mistakes import OUT_OF_BOUNDS, mistake
from shared.domain.repeating import quoted, repeated

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
# Larger ones are parsed beside the event loop, so that the carrier's reports and the requests of others go on.
MAX_INLINE_BYTES: Final = 64 * 1024
# Every number of 5,000 contacts can be listed; a million unknown fields are only counted, because listing them
# would keep the process busy for half a minute.
MAX_BAD_VALUES: Final = 50_000
Model = TypeVar("Model", bound=BaseModel)


class BodyReader:
    """A dependency that reads the body as `model`. `parse` makes the endpoint's value of its bytes.

    Where it is not `required` those may be none. A body of more than `most_bytes` is refused.
    """

    def __init__(
        self,
        model: type[BaseModel],
        parse: Callable[[bytes], Any],
        *,
        required: bool = True,
        most_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.model, self.required, self._parse, self._most_bytes = model, required, parse, most_bytes

    async def __call__(self, request: Request) -> Any:
        """The endpoint's value. Raises `Refused` for another type or size, and what `parse` raises."""
        read = read_json if self.required else read_json_if_any
        raw = await read(request, self._most_bytes)
        # Others do not wait for a large one.
        return self._parse(raw) if len(raw) <= MAX_INLINE_BYTES else await asyncio.to_thread(self._parse, raw)


class BodyRoute(APIRoute):
    """A route that documents the body which its endpoint's `BodyReader` reads; so a body is named once.

    `body` is its model, None without one: openapi.py adds it to the components.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        reader = _reader_of(endpoint)
        self.body = None if reader is None else reader.model
        if reader is not None:
            options["openapi_extra"] = _described(reader)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer as the route does; of a refused body path and query are told, too, which FastAPI reads after it."""
        answer = super().get_route_handler()
        if self.body is None:
            return answer

        async def answer_with_every_bad_value(request: Request) -> Response:
            try:
                return await answer(request)
            except ValuesInvalid as error:
                raise ValuesInvalid([*self._bad_parameters(request), *error.fault.values]) from None

        return answer_with_every_bad_value

    def _bad_parameters(self, request: Request) -> list[BadValue]:
        of_path = request_params_to_args(self.dependant.path_params, request.path_params)
        of_query = request_params_to_args(self.dependant.query_params, request.query_params)
        return [bad_value(error) for _, errors in (of_path, of_query) for error in errors]


def json_body(model: type[Model], most_bytes: int = MAX_BODY_BYTES) -> Any:
    """The annotation of an endpoint's parameter that is the body, read as `model`; every bad value is named at once."""

    def parse(raw: bytes) -> Model:
        try:
            return model.model_validate_json(raw)
        except ValidationError as error:
            raise ValuesInvalid(bad_values(error, model, raw)) from None

    return Depends(BodyReader(model, parse, most_bytes=most_bytes))


def optional_json_body(model: type[Model], most_bytes: int = MAX_BODY_BYTES) -> Any:
    """The annotation of an endpoint's parameter that may be left out: without a body, or with null, `model` as it is.

    A body that is there must be JSON and say so, as where one is required.
    """

    def parse(raw: bytes) -> Model:
        try:
            return model.model_validate_json(b"{}" if raw.strip() in (b"", b"null") else raw)
        except ValidationError as error:
            raise ValuesInvalid(bad_values(error, model, raw)) from None

    return Depends(BodyReader(model, parse, required=False, most_bytes=most_bytes))


async def read_body(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The whole body; refused as soon as it is known to be larger than the limit, whatever its header says."""
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


async def read_json(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body of a request that says it is JSON, not parsed yet; every other kind is refused."""
    _require_json(request)
    body = await read_body(request, limit_bytes)
    return b"" if body.isspace() else body


async def read_json_if_any(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body of a request that says it is JSON, or none; every other kind is refused."""
    body = await read_body(request, limit_bytes)
    if not body or body.isspace():
        return b""
    _require_json(request)
    return body


def bad_value(
    error: Mapping[str, Any], prefix: Sequence[str | int] = (), model: type[BaseModel] | None = None
) -> BadValue:
    """One of pydantic's errors in our words, without the value itself; the names of fields may be the caller's."""
    place = (repeated(part) if isinstance(part, str) else part for part in error["loc"])
    return BadValue((*prefix, *place), mistake(error, model), error["type"])


def bad_values(error: ValidationError, model: type[BaseModel], raw: bytes) -> list[BadValue]:
    """The bad values of a body of this model, or their number when they are too many to list."""
    count = error.error_count()
    if count > MAX_BAD_VALUES:
        sentence = f"has {count} invalid values, which are too many to list; correct the kind of value that repeats"
        return [BadValue(("body",), sentence, "too_many_problems")]
    found: list[Mapping[str, Any]] = [*error.errors(include_url=False, include_input=False)]
    if any(one["type"] in OUT_OF_BOUNDS for one in found):
        # pydantic would bring along the input of every error, which may be the whole body each time.
        body = from_json(raw)
        found = [{**one, "input": _at(body, one["loc"])} if one["type"] in OUT_OF_BOUNDS else one for one in found]
    return [bad_value(one, ["body"], model) for one in found]


def _at(body: Any, loc: Sequence[str | int]) -> Any:
    """The value at a place of a parsed body; None where there is none."""
    for part in loc:
        try:
            body = body[part]
        except (LookupError, TypeError):
            return None
    return body


def _reader_of(endpoint: Callable[..., Any]) -> BodyReader | None:
    notes = (note for one in inspect.signature(endpoint).parameters.values() for note in get_args(one.annotation)[1:])
    readers = (note.dependency for note in notes if isinstance(note, Dependency))
    return next((reader for reader in readers if isinstance(reader, BodyReader)), None)


def _described(reader: BodyReader) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{reader.model.__name__}"}
    return {"requestBody": {"required": reader.required, "content": {"application/json": {"schema": schema}}}}


def _require_json(request: Request) -> None:
    given = request.headers.get("content-type", "")
    message = Message()
    message["content-type"] = given or "none/none"
    charset = message.get_param("charset", "utf-8")
    is_json = message.get_content_maintype() == "application" and (
        message.get_content_subtype() == "json" or message.get_content_subtype().endswith("+json")
    )
    if not is_json or not isinstance(charset, str) or charset.lower() not in {"utf-8", "utf8"}:
        if not given:
            raise Refused(RequestFault.NO_CONTENT_TYPE)
        raise Refused(RequestFault.NOT_JSON, given=quoted(given))
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(RequestFault.BODY_COMPRESSED)


def _too_large(limit_bytes: int) -> Refused:
    return Refused(RequestFault.BODY_TOO_LARGE, limit=str(limit_bytes))
