"""How a process ends: with which exit code, for which reason."""

import asyncio
import gc
import os
import signal

from shared.errors import Unavailable
from shared.process import EXIT_FAILED, EXIT_OK, GARBAGE_EVERY, run_until_stopped


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def told_to_end() -> None:
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
    await wait_for_ever()


async def tripping_over_a_task_of_its_own() -> None:
    task = asyncio.create_task(wait_for_ever())
    task.cancel()
    await task


async def without_a_server() -> None:
    raise Unavailable("Kafka")


def test_a_process_that_is_told_to_end_ends_well() -> None:
    assert run_until_stopped(told_to_end()) == EXIT_OK


def test_a_process_that_is_cancelled_by_nobody_has_failed_and_shall_be_started_again() -> None:
    assert run_until_stopped(tripping_over_a_task_of_its_own()) == EXIT_FAILED


def test_a_process_whose_server_stays_away_has_failed() -> None:
    assert run_until_stopped(without_a_server()) == EXIT_FAILED


def test_a_process_looks_for_garbage_seldom_while_it_works() -> None:
    before, meanwhile = gc.get_threshold(), []

    async def look() -> None:
        meanwhile.append((gc.get_threshold()[0], gc.get_freeze_count() > 0, gc.isenabled()))

    assert run_until_stopped(look()) == EXIT_OK
    assert meanwhile == [(GARBAGE_EVERY, True, True)]
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
