"""Before a service works with MongoDB: a primary that answers, has transactions, documents in our form, and indexes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pymongo.errors import PyMongoError

from shared.clock import monotonic
from shared.errors import ConfigurationError, Unavailable
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.migrations.schema import check_version, read_version

POLL_SECONDS: Final = 0.2


async def wait_until_ready(store: Store, deadline_seconds: float) -> None:
    """Return when services can work with this database; raise `Unavailable` after the deadline (exit then).

    Raises `ConfigurationError` when what answers has no transactions, or documents of a release with which this one
    cannot work.
    """
    await _wait(store, _is_ready, deadline_seconds)


async def wait_for_primary(store: Store, deadline_seconds: float) -> None:
    """Return when a primary with transactions answers, whatever its documents are; raises as `wait_until_ready`."""
    await _wait(store, _has_transactions, deadline_seconds)


async def _wait(store: Store, is_ready: Callable[[Store], Awaitable[bool]], deadline_seconds: float) -> None:
    deadline = monotonic() + deadline_seconds
    while not await is_ready(store):
        get_logger().warning("waiting for MongoDB", seconds_left=round(deadline - monotonic()))
        if monotonic() > deadline:
            raise Unavailable("MongoDB", f"no primary answered within {deadline_seconds:g} s; set DIALSTREAM_MONGODB")
        await asyncio.sleep(POLL_SECONDS)


async def _is_ready(store: Store) -> bool:
    if not await _has_transactions(store):
        return False
    try:
        # Before the indexes: those of this release may be of no use to the documents of another.
        check_version(await read_version(store))
        await store.ensure_indexes()
    except Unavailable:
        # It went away again in between.
        return False
    return True


async def _has_transactions(store: Store) -> bool:
    """True for a replica set or a sharded cluster, False when it is away; a single server is refused."""
    try:
        hello = await store.client.admin.command("hello")
    except PyMongoError:
        return False
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise ConfigurationError(
            "the server that DIALSTREAM_MONGODB names is not part of a replica set and has no transactions: "
            "start it with --replSet and initiate the set, or name another"
        )
    return True
