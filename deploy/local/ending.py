"""What `make run` does about its servers while it is up, and about its calls before it ends."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import psutil
from rich.console import Console

from deploy.local import kafka, mongo
from deploy.local.home import Home
from deploy.local.process import Server, has_ended
from deploy.local.servers import Addresses, Given
from deploy.local.supervision import Running
from shared.clock import monotonic
from shared.errors import Unavailable
from shared.settings import MongoSettings
from shared.store.client import connect
from shared.store.dialing.in_progress import count_running

LOOK_SECONDS: Final = 1.0
CALLS_LOOK_SECONDS: Final = 0.1
# The demo's longest call, with the look-ups after lost callbacks, takes 15 s.
CALLS_END_SECONDS: Final = 20.0


async def watch_servers(home: Home, given: Given, say: Callable[[str], None]) -> None:
    """Says when a server of this home has ended, and when it is back; until cancelled.

    It is not started again: its end may be the wish of the person at the other terminal.
    """
    finders: Mapping[str, Callable[[Home], Server | None]] = {
        **({"Kafka": kafka.find} if given.kafka is None else {}),
        **({"MongoDB": mongo.find} if given.mongodb is None else {}),
    }
    up: dict[str, Server | None] = {name: await asyncio.to_thread(find, home) for name, find in finders.items()}
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for name, find in finders.items():
            server = up[name]
            if server is not None and _is_gone(server.process):
                up[name] = None
                say(
                    f"{name} (process {server.process.pid}) has ended, and no call is placed without it: bring it back "
                    f"with `python -m deploy.local up`, or end with Ctrl-C; its log is in {home.logs}."
                )
            elif server is None:
                up[name] = found = await asyncio.to_thread(find, home)
                if found is not None:
                    say(f"{name} is back (process {found.process.pid}).")


def _is_gone(process: psutil.Process) -> bool:
    try:
        return has_ended(process) or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def let_calls_end(up: Running, addresses: Addresses, console: Console, hurry: asyncio.Event) -> None:
    """Before the end: nothing new is placed, and calls that are up may end, until `hurry` or for CALLS_END_SECONDS.

    Says how many there were and what becomes of those that are left.
    """
    store = connect(MongoSettings(mongodb=addresses.mongodb))
    try:
        calls = await count_running(store)
        if not calls:
            return
        _say(
            console,
            f"{_calls(calls)} up: no more are placed, and these may end, for {CALLS_END_SECONDS:g} s at most "
            "(Ctrl-C again does not wait) ...",
        )
        await up.drain()
        deadline = monotonic() + CALLS_END_SECONDS
        while calls and not hurry.is_set() and monotonic() < deadline:
            await asyncio.sleep(CALLS_LOOK_SECONDS)
            calls = await count_running(store)
        _say(console, "All calls have ended." if not calls else f"{_calls(calls)} still up. {LEFT}")
    except Unavailable:
        _say(console, f"MongoDB does not answer, so nobody knows how many calls are up. {LEFT}")
    finally:
        await store.close()


LEFT: Final = (
    "The simulated carrier ends now and forgets its calls: the next `make run` records them as `interrupted` and calls "
    "again where the campaign's retry rules say so."
)


def _calls(number: int) -> str:
    return "1 call is" if number == 1 else f"{number} calls are"


def _say(console: Console, sentence: Any) -> None:
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
