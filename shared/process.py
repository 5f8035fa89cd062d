"""How every service runs as a process: uvloop, SIGTERM as a polite end, one exit code for each kind of failure."""

import asyncio
import gc
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

import uvloop
from pydantic import ValidationError

from shared.cancelling import until_cancelled
from shared.domain.unknown_names import PREFIX, unknown_names
from shared.errors import ConfigurationError, DialstreamError
from shared.logs import configure_logs, get_logger
from shared.setting_names import KNOWN_NAMES
from shared.settings import StartSettings

S = TypeVar("S", bound=StartSettings)

# New objects after which Python looks for cycles among them. By default these are 700: a batch of documents has tens of
# thousands, of which nearly none is in a cycle, and a tenth of a process's time went there (docs/benchmarks.md).
GARBAGE_EVERY = 10_000

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIGURATION = 2


def run_service(
    service: str, settings_class: type[S], running: Callable[[S], AbstractAsyncContextManager[object]]
) -> int:
    """Read the settings and have the service at work on them until it fails or is told to end; the process's exit code.

    `running` is the one of the service's `app.py` (shared/wiring.py). Settings that cannot work are refused on standard
    error, one sentence each; `running` may read more of them when it is called. What can work and is hardly meant, and
    names that are no settings, are warnings in the log.
    """
    try:
        settings = settings_class()
        block = running(settings)
    except ValidationError as error:
        return refuse_to_start(service, error)
    configure_logs(settings.log_level, service)
    for sentence in (*map(str, unknown_names(os.environ, KNOWN_NAMES)), *settings.doubts()):
        get_logger().warning("look at the settings", why=sentence)
    return run_until_stopped(stay_in(block))


async def stay_in(running: AbstractAsyncContextManager[object]) -> None:
    """Enter the block and stay until cancelled, or until the block ends itself by an error."""
    async with running:
        await until_cancelled()


def run_until_stopped(work: Coroutine[Any, Any, None]) -> int:
    """Run `work` until it ends or SIGTERM or SIGINT cancels it; the process's exit code.

    A server that stayed away past its deadline, or settings that cannot work, end it with a message in words
    and a code other than 0.
    """
    log = get_logger()
    try:
        with _collecting_seldom(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signalled(work))
    except ConfigurationError as error:
        log.error("does not start", why=str(error))
        return EXIT_CONFIGURATION
    except DialstreamError as error:
        log.error("stopped", why=str(error))
        return EXIT_FAILED
    except asyncio.CancelledError:
        log.exception("stopped, although nobody said so")
        return EXIT_FAILED
    return EXIT_OK


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Python looks for garbage seldom in the block, and never among what was loaded before."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    told = False

    def stop() -> None:
        nonlocal told
        told = True
        task.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    try:
        await task
    except asyncio.CancelledError:
        # A library that awaits a task it has cancelled raises this, too: a supervisor must start us again then.
        if not told:
            raise
        get_logger().info("stopped in order")


def explain(error: ValidationError) -> str:
    """Settings errors for a person: a sentence a line, with the setting's name, the rule and the value."""
    lines = []
    for detail in error.errors():
        said = detail["msg"].removeprefix("Value error, ")
        if not detail["loc"]:
            # A rule about several settings, which names them itself.
            lines.append(said)
            continue
        setting, *inner = (str(part) for part in detail["loc"])
        name = f"{PREFIX}{setting.upper()}" + (f" ({'.'.join(inner)})" if inner else "")
        if detail["type"] != "value_error":
            said = f"{_rule(said)}, and is {str(detail['input'])[:100]!r}"
        lines.append(f"{name} {said}")
    return "\n".join(lines)


def _rule(said: str) -> str:
    """Pydantic's words, made to go on from a setting's name."""
    rule, _, _ = said.partition(", unable to")
    rule = re.sub(r"^(Input|String|Value|List|Tuple) should", "must", rule)
    return rule if rule.startswith("must") else f"cannot be used ({rule})"


def refuse_to_start(service: str, error: ValidationError) -> int:
    """Print what is wrong with the settings; the exit code for it."""
    sys.stderr.write(f"{service} does not start because of its settings:\n{explain(error)}\n")
    return EXIT_CONFIGURATION
