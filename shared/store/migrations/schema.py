"""The number of the database's form: `schema/database {version}`. A migration that has ended raises it by one.

A database without the number is that of the first release, or a new one.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from pymongo.errors import DuplicateKeyError

from shared.errors import ConfigurationError
from shared.logs import get_logger
from shared.store.client import Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.dialing import SchemaDocument
from shared.store.migrations.active_index import ACTIVE_INDEX
from shared.store.migrations.call_numbers import CALL_NUMBERS
from shared.store.migrations.caller_number_serials import CALLER_NUMBER_SERIALS
from shared.store.migrations.campaign_counters import CAMPAIGN_COUNTERS
from shared.store.migrations.campaign_courses import CAMPAIGN_COURSES
from shared.store.migrations.campaign_numbers import CAMPAIGN_NUMBERS
from shared.store.migrations.deletions import DELETIONS
from shared.store.migrations.do_not_call_sources import DO_NOT_CALL_SOURCES
from shared.store.migrations.own_number_queues import OWN_NUMBER_QUEUES
from shared.store.migrations.step import Migration

MIGRATIONS: Final[Sequence[Migration]] = (
    DO_NOT_CALL_SOURCES,
    CAMPAIGN_COURSES,
    CAMPAIGN_NUMBERS,
    CAMPAIGN_COUNTERS,
    DELETIONS,
    CALL_NUMBERS,
    CALLER_NUMBER_SERIALS,
    ACTIVE_INDEX,
    OWN_NUMBER_QUEUES,
)
FIRST_VERSION: Final = 1
VERSION: Final = MIGRATIONS[-1].version
_DATABASE: Final = "database"


@translates
async def read_version(store: Store) -> int:
    """The database's version; a new database, in which nothing is set up, gets the newest. Safe to repeat."""
    document = await store["schema"].find_one({"_id": _DATABASE})
    if document is None:
        # Whatever else a start writes, an organization is what everything begins with.
        is_new = await store["organizations"].find_one({}, {"_id": 1}) is None
        document = {"version": VERSION if is_new else FIRST_VERSION}
        if is_new:
            await _stamp(store, document["version"])
    version: int = complete(SchemaDocument, document)["version"]
    return version


async def _stamp(store: Store, version: int) -> None:
    try:
        await store["schema"].insert_one({"_id": _DATABASE, "version": version})
    except DuplicateKeyError:
        # Another process has done so meanwhile, by the same rule.
        return


def pending(version: int) -> list[Migration]:
    """The migrations that a database of this version still needs, in order."""
    return [migration for migration in MIGRATIONS if migration.version > version]


def check_not_newer(version: int) -> None:
    """Return when this release knows documents of this version; raises `ConfigurationError`, which says what to do."""
    if version > VERSION:
        raise ConfigurationError(
            f"the documents in the database have version {version}, and this release knows them up to version "
            f"{VERSION}: run the newer release that has migrated them"
        )


def check_version(version: int) -> None:
    """Return when services of this release can work on a database of this version.

    Raises `ConfigurationError`, which says what to do, when its documents are newer than this release, or older in a
    way that services cannot work with.
    """
    check_not_newer(version)
    missing = pending(version)
    if any(not migration.while_up for migration in missing):
        raise ConfigurationError(
            f"the documents in the database have version {version}, and this release needs version {VERSION}: "
            "stop all services and run python -m deploy.migrate"
        )
    if missing:
        get_logger().warning("documents of an older version: run python -m deploy.migrate", version=version)


async def migrate(store: Store) -> AsyncIterator[tuple[Migration, int]]:
    """Bring the database to this release's version; each migration as it goes on, and how many documents it has found.

    May be repeated, killed at any time, and run by several at once. Raises `ConfigurationError` when the database is
    newer than this release, and `Unavailable` (run it again).
    """
    version = await read_version(store)
    check_not_newer(version)
    for migration in pending(version):
        found = 0
        yield migration, found
        while some := await migration.change_some(store):
            found += some
            yield migration, found
        await _reached(store, migration.version)


@translates
async def _reached(store: Store, version: int) -> None:
    if version == FIRST_VERSION + 1:
        await _stamp(store, FIRST_VERSION)
    # One that another run has brought further stays there.
    await store["schema"].update_one({"_id": _DATABASE, "version": version - 1}, {"$set": {"version": version}})
