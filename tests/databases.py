"""Databases of tests that last for a session."""

from shared.settings import MongoSettings
from shared.store.client import connect


async def drop_database(settings: MongoSettings) -> None:
    """Drop a database by a client of its own.

    One that was made at the session's start has stood still for as long as tests without a loop went on, and may take
    its server for away when it wakes.
    """
    store = connect(settings)
    await store.client.drop_database(settings.mongodb_database)
    await store.close()
