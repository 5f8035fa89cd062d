"""What a receiver's host stands for, asked of the operating system in threads of its own.

The event loop's own look-ups share a handful of threads: a name server that hangs for one host would hold up others.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

# A look-up that hangs keeps its thread for as long as the operating system tries.
_THREADS: Final = 64
_POOL: Final = ThreadPoolExecutor(_THREADS, thread_name_prefix="receiver-lookup")


async def addresses_of(host: str, seconds: float) -> tuple[str, ...]:
    """The IP addresses of a host, each once, best first; none when there are none, or no answer came in time."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            found = await loop.run_in_executor(_POOL, _look_up, host)
    except (OSError, UnicodeError, TimeoutError):
        return ()
    return tuple(dict.fromkeys(found))


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
