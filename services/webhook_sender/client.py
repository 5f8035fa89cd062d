"""One request to a receiver: to an address that has been checked, for five seconds at most, whatever is answered.

The address is checked where the connection is made, after the host has been resolved, so that a name that stands for
another address at the second look (DNS rebinding) gains nothing: the address checked is the one connected to.
"""

import asyncio
import socket
from types import TracebackType
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.clock import monotonic
from shared.domain.receiver_urls import is_public, url_flaw
from shared.domain.webhooks import ANSWER_SECONDS, Answer, DeliveryError, status_error
from shared.engine.receiver_addresses import addresses_of

# The beginning of an answer that is kept; nothing behind it is read.
KEPT_BYTES: Final = 1024
# What an answer that is short anyway may take, so that its connection can be used again.
_REST_SECONDS: Final = 0.5
_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": "Dialstream-Webhooks/1.0",
    # A small answer that unpacks to gigabytes is not unpacked.
    "Accept-Encoding": "identity",
}


class ForbiddenAddress(OSError):
    """The host stands for an address that webhooks may not go to."""


class CheckedResolver(AbstractResolver):
    """Gives addresses that may be connected to, and refuses a host when one of its addresses may not."""

    def __init__(self, *, public: bool, private: bool) -> None:
        self._public, self._private = public, private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of the host. Raises `ForbiddenAddress`, and `OSError` for a host that has none."""
        found = await addresses_of(host, ANSWER_SECONDS)
        if not found:
            raise OSError(None, f"no address of {host} is known")
        if not all(self._public if is_public(address) else self._private for address in found):
            raise ForbiddenAddress(None, f"{host} is at an address that webhooks may not go to")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""


class Client:
    """The connections to all receivers. Use it as a context, inside the running loop."""

    def __init__(self, *, connections: int, private_allowed: bool) -> None:
        self._private_allowed = private_allowed
        self._sessions = {
            "https": _session(connections, CheckedResolver(public=True, private=private_allowed)),
            # Only ever to private addresses, and so only where those are allowed.
            "http": _session(connections, CheckedResolver(public=False, private=private_allowed)),
        }

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """What the receiver says to this body. Never raises for what a receiver, or its name server, does."""
        if url_flaw(url, private_allowed=self._private_allowed) is not None:
            return Answer(None, DeliveryError.ADDRESS)
        began = monotonic()
        session = self._sessions[url.partition(":")[0].lower()]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await session.post(url, data=body, headers=headers, allow_redirects=False)
        except TimeoutError:
            return Answer(None, DeliveryError.TIMEOUT, milliseconds=_milliseconds(began))
        except aiohttp.ClientConnectorError as error:
            kind = DeliveryError.ADDRESS if isinstance(error.os_error, ForbiddenAddress) else DeliveryError.CONNECTION
            return Answer(None, kind, milliseconds=_milliseconds(began))
        except (aiohttp.ClientError, OSError, ValueError):
            return Answer(None, DeliveryError.CONNECTION, milliseconds=_milliseconds(began))
        milliseconds = _milliseconds(began)
        text = await _beginning(answer)
        return Answer(answer.status, status_error(answer.status), text, milliseconds)


def _session(connections: int, resolver: AbstractResolver) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=connections, resolver=resolver, ttl_dns_cache=10)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        auto_decompress=False,
        # `post` has a limit of its own, from which waiting for an answer's body is apart.
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=KEPT_BYTES * 16,
    )


async def _beginning(answer: aiohttp.ClientResponse) -> str:
    """The first bytes of the answer's body as text; a connection on which more would come is closed."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_REST_SECONDS):
            while size <= KEPT_BYTES and (part := await answer.content.read(KEPT_BYTES + 1 - size)):
                parts.append(part)
                size += len(part)
    except (TimeoutError, aiohttp.ClientError, OSError):
        answer.close()
    if size > KEPT_BYTES or not answer.content.at_eof():
        answer.close()
    else:
        answer.release()
    return b"".join(parts)[:KEPT_BYTES].decode(errors="replace").replace("\x00", "\ufffd")


def _milliseconds(began: float) -> int:
    return int((monotonic() - began) * 1000)
