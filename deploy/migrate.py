"""Brings the documents of an older release to the form that this release needs; safe to run twice, also at once.

Run it before the services of a new release: `python -m deploy.migrate`. `--list` says what it would do and changes
nothing. Killed, it goes on at the next run.
"""

import asyncio
import contextlib
from typing import Annotated, Final

import typer

from deploy.dev_env import mongo_settings
from shared.errors import ConfigurationError, TemporaryError
from shared.logs import configure_logs
from shared.settings import MongoSettings
from shared.store.client import connect
from shared.store.migrations.schema import VERSION, check_not_newer, migrate, pending, read_version
from shared.store.migrations.step import Migration
from shared.store.readiness import wait_for_primary

START_SECONDS: Final = 10.0


async def run(settings: MongoSettings, *, only_list: bool = False, quiet: bool = False) -> None:
    """Migrate the database, saying what is done; `quiet` says nothing where nothing is to be done.

    Raises `Unavailable` when MongoDB is away (run it again), `ConfigurationError` when the database is of a newer
    release.
    """
    store = connect(settings)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await wait_for_primary(store, START_SECONDS)
        version = await read_version(store)
        check_not_newer(version)
        to_do = pending(version)
        if not to_do:
            if not quiet:
                print(f"The documents have version {version}: nothing to do.")
            return
        print(f"The documents have version {version}, this release needs version {VERSION}:")
        for migration in to_do:
            count = await migration.count(store)
            print(f"  {migration.version}  {migration.title}: {count:,} documents; {_when(migration)}")
        if only_list:
            return
        async for migration, found in migrate(store):
            if found:
                print(f"  {migration.version}  {found:,} changed", flush=True)
        print(f"The documents have version {VERSION}.")


def _when(migration: Migration) -> str:
    return "services may run meanwhile" if migration.while_up else "no service may run meanwhile"


def main(
    only_list: Annotated[bool, typer.Option("--list", help="Only say what is to be done.")] = False,
) -> None:
    """Bring the documents of an older release to the form that this release needs."""
    settings = mongo_settings("migrate")
    configure_logs("ERROR", "migrate")
    try:
        asyncio.run(run(settings, only_list=only_list))
    except (TemporaryError, ConfigurationError) as error:
        raise SystemExit(f"migrate: {error}") from None


if __name__ == "__main__":
    typer.run(main)
