"""The number of the database's form: who may start on it, and how it is raised."""

import asyncio
import dataclasses
from collections.abc import Sequence

import pytest

from deploy import migrate as command
from shared.clock import utc_now
from shared.errors import ConfigurationError
from shared.settings import MongoSettings
from shared.store import readiness
from shared.store.client import Store
from shared.store.migrations import do_not_call_sources, schema
from shared.store.migrations.step import Migration
from tests.factories import add_organization

OLD_ENTRIES = 25


async def old_database(store: Store) -> None:
    """What a release without a version has left."""
    await store["schema"].delete_many({})
    organization = await add_organization(store)
    entries = [
        {
            "_id": f"{organization['_id']}:+1415200{2000 + place}",
            "organization_id": organization["_id"],
            "phone_number": f"+1415200{2000 + place}",
            "reason": None,
            "source": "api" if place < OLD_ENTRIES else "import",
            "created_at": utc_now(),
        }
        for place in range(OLD_ENTRIES + 3)
    ]
    await store["do_not_call"].insert_many(entries)


async def sources(store: Store) -> dict[str, int]:
    found = [entry["source"] async for entry in store["do_not_call"].find()]
    return {source: found.count(source) for source in found}


async def run(store: Store) -> list[tuple[int, int]]:
    return [(migration.version, found) async for migration, found in schema.migrate(store)]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(do_not_call_sources, "BATCH", 10)


async def test_a_new_database_has_the_newest_version(store: Store) -> None:
    await store["schema"].delete_many({})
    await readiness.wait_until_ready(store, 10)
    assert await store["schema"].find().to_list() == [{"_id": "database", "version": schema.VERSION}]
    await add_organization(store)
    assert await schema.read_version(store) == schema.VERSION
    assert await run(store) == []


async def test_documents_are_changed_in_batches_and_the_version_is_raised(store: Store) -> None:
    await old_database(store)
    assert await schema.read_version(store) == 1
    assert [progress for progress in await run(store) if progress[0] == 2] == [(2, 0), (2, 10), (2, 20), (2, 25)]
    assert await sources(store) == {"native": OLD_ENTRIES, "import": 3}
    assert await schema.read_version(store) == schema.VERSION
    assert await run(store) == [], "twice is once"


async def test_a_run_that_was_killed_is_ended_by_the_next(store: Store) -> None:
    await old_database(store)
    async for _, found in schema.migrate(store):
        if found == 10:
            break
    assert await sources(store) == {"native": 10, "api": OLD_ENTRIES - 10, "import": 3}
    assert await schema.read_version(store) == 1, "a migration that has not ended counts for nothing"
    assert (2, OLD_ENTRIES - 10) in await run(store)
    assert await schema.read_version(store) == schema.VERSION


async def test_two_runs_at_once_do_no_harm(store: Store) -> None:
    await old_database(store)
    await asyncio.gather(run(store), run(store), run(store))
    assert await sources(store) == {"native": OLD_ENTRIES, "import": 3}
    assert await schema.read_version(store) == schema.VERSION


async def test_a_slower_run_does_not_take_a_version_back(store: Store) -> None:
    await old_database(store)
    slow = schema.migrate(store)
    await anext(slow)
    await run(store)
    async for _ in slow:
        pass
    assert await schema.read_version(store) == schema.VERSION


def migrations(*, while_up: bool) -> Sequence[Migration]:
    """Today's migrations, as if services might, or might not, run meanwhile."""
    return [dataclasses.replace(migration, while_up=while_up) for migration in schema.MIGRATIONS]


async def test_services_wait_for_no_migration_that_may_run_beside_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", migrations(while_up=True))
    await old_database(store)
    await readiness.wait_until_ready(store, 10)


async def test_services_refuse_documents_that_they_cannot_work_with(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", migrations(while_up=False))
    await old_database(store)
    with pytest.raises(ConfigurationError, match=r"version 1, .*: stop all services and run python -m deploy\.migrate"):
        await readiness.wait_until_ready(store, 10)


async def test_documents_of_a_newer_release_are_refused_and_not_changed(store: Store) -> None:
    newer = {"_id": "database", "version": schema.VERSION + 1}
    await store["schema"].replace_one({"_id": "database"}, newer)
    sentence = rf"have version {schema.VERSION + 1}, and this release knows them up to version {schema.VERSION}"
    with pytest.raises(ConfigurationError, match=sentence):
        await readiness.wait_until_ready(store, 10)
    with pytest.raises(ConfigurationError, match=sentence):
        await run(store)
    assert await store["schema"].find().to_list() == [newer]


async def test_the_command_lists_what_it_does(
    store: Store, mongodb_address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = MongoSettings(mongodb=mongodb_address, mongodb_database=store.db.name)
    await old_database(store)
    await command.run(settings, only_list=True)
    listed = capsys.readouterr().out
    assert f"The documents have version 1, this release needs version {schema.VERSION}:" in listed
    assert "  2  do-not-call entries name their source as the native API does: 25 documents; services may run" in listed
    assert await sources(store) == {"api": OLD_ENTRIES, "import": 3}
    await command.run(settings)
    assert "  2  25 changed\n" in capsys.readouterr().out
    await command.run(settings)
    assert capsys.readouterr().out == f"The documents have version {schema.VERSION}: nothing to do.\n"


async def test_the_command_refuses_a_newer_database(store: Store, mongodb_address: str) -> None:
    await store["schema"].update_one({"_id": "database"}, {"$set": {"version": schema.VERSION + 1}})
    settings = MongoSettings(mongodb=mongodb_address, mongodb_database=store.db.name)
    with pytest.raises(ConfigurationError, match="run the newer release"):
        await command.run(settings)
