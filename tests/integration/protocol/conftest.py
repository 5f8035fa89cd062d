"""A store that is driven from synchronous tests."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from shared.settings import MongoSettings
from shared.store import in_parts
from shared.store.client import Store, connect
from tests.integration.protocol.stage import Stage


@pytest.fixture(scope="module")
def stage(mongodb_address: str) -> Iterator[Stage]:
    """Hypothesis calls synchronous code, and PyMongo's asyncio client belongs to one loop: this one."""
    name = f"test_{uuid.uuid4().hex}"
    with asyncio.Runner() as runner:

        async def open_store() -> Store:
            store = connect(MongoSettings(mongodb=mongodb_address, mongodb_database=name))
            await store.ensure_indexes()
            return store

        store = runner.run(open_store())
        try:
            yield Stage(runner, store)
        finally:
            runner.run(store.client.drop_database(name))
            runner.run(store.close())


@pytest.fixture(scope="package", autouse=True)
def _small_parts() -> Iterator[None]:
    """The batches here are small, and shall be written in parts all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_parts, "FIRST_PART", 1)
        patch.setattr(in_parts, "PART", 1)
        yield
