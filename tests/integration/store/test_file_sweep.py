"""Which files stay: those that campaigns use, and uploads for a day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from unittest.mock import create_autospec

import pytest

from services.contact_ingest.sweeping import sweep_for_ever
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain.stored_files import UNUSED_FOR, file_key
from shared.engine.engine import Engine
from shared.engine.file_places import file_place
from shared.engine.files import copy_key_of, get_file, new_upload, store_file, sweep_files, take_copy
from shared.engine.hints import Hints
from shared.errors import Kind, NotFound, TooLarge
from shared.settings import FileSettings
from shared.store.catalog.files import REPLACED_FOR
from shared.store.client import Store
from tests.eventually import eventually
from tests.factories import new_id

NOW = utc_now()
A_DAY_ON = NOW + UNUSED_FOR
A_MOMENT = timedelta(seconds=5)


@pytest.fixture
def engine(store: Store) -> Engine:
    return Engine(
        store, Hints(create_autospec(Producer, instance=True)), "api", file_place(FileSettings(), store, None)
    )


@pytest.fixture
def organization_id() -> str:
    return new_id()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def stored(engine: Engine, organization_id: str, content: bytes = b"hello") -> str:
    file = await store_file(engine, organization_id, chunks(content), name="a.csv", content_type="text/csv", now=NOW)
    return file.key


async def content(engine: Engine, organization_id: str, key: str) -> bytes:
    return b"".join([chunk async for chunk in engine.files.contents.read(organization_id, key)])


async def sweep(engine: Engine) -> None:
    """As often as it finds something, a day on; other tests' files are in the same database."""
    for _ in range(100):
        if not await sweep_files(engine.store, engine.files, A_DAY_ON + A_MOMENT):
            return
    raise AssertionError("the sweep finds the same files for ever")


async def bytes_of(store: Store, organization_id: str) -> int:
    """How many uploads of the organization there are in GridFS."""
    return await store["file_contents.files"].count_documents({"filename": {"$regex": f"/{organization_id}/"}})


async def test_an_upload_that_no_campaign_uses_goes_after_a_day(engine: Engine, organization_id: str) -> None:
    key, never = await stored(engine, organization_id), new_id()
    url = await new_upload(engine, organization_id, name="a.csv", content_type="text/csv", base_url="http://x", now=NOW)
    await sweep_files(engine.store, engine.files, A_DAY_ON - A_MOMENT)
    assert await content(engine, organization_id, key) == b"hello"
    await sweep(engine)
    assert await bytes_of(engine.store, organization_id) == 0
    for gone in (url.file.id, never):
        with pytest.raises(NotFound):
            await get_file(engine, organization_id, gone)
    assert await engine.store["files"].count_documents({"organization_id": organization_id}) == 0


async def test_contact_ingest_sweeps(engine: Engine, organization_id: str) -> None:
    key = await stored(engine, organization_id)
    long_ago = NOW - UNUSED_FOR - A_MOMENT
    await engine.store["files"].update_one({"key": key}, {"$set": {"created_at": long_ago, "sweep_at": long_ago}})

    async def gone() -> bool:
        return await engine.store["files"].find_one({"key": key}) is None

    sweeping = asyncio.create_task(sweep_for_ever(engine.store, engine.files))
    try:
        await eventually(gone, saying="the upload is removed")
    finally:
        sweeping.cancel()
    assert await bytes_of(engine.store, organization_id) == 0


async def test_a_campaigns_own_copy_has_what_it_took_and_both_stay(engine: Engine, organization_id: str) -> None:
    key, campaign_id = await stored(engine, organization_id), new_id()
    taken = await take_copy(engine, organization_id, key, campaign_id, NOW)
    assert (taken.key, taken.size) == (str(copy_key_of(organization_id, key, campaign_id)), 5)
    await engine.files.contents.put(organization_id, key, chunks(b"others"))
    again = await take_copy(engine, organization_id, key, campaign_id, NOW)
    assert again == taken, "asked again, the campaign keeps the copy that it has"
    another = await take_copy(engine, organization_id, key, new_id(), NOW)
    await sweep(engine)
    assert await content(engine, organization_id, taken.key) == b"hello"
    assert await content(engine, organization_id, key) == b"others"
    assert await content(engine, organization_id, another.key) == b"others"
    assert await bytes_of(engine.store, organization_id) == 3, "what was replaced is gone"
    assert await engine.store["files"].count_documents({"organization_id": organization_id, "sweep_at": None}) == 3


async def test_a_copy_that_was_not_finished_goes_and_can_be_made_again(
    engine: Engine, organization_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, campaign_id = await stored(engine, organization_id), new_id()

    async def killed(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("shared.engine.files.stored.use_file", killed)
    with pytest.raises(RuntimeError):
        await take_copy(engine, organization_id, key, campaign_id, NOW)
    monkeypatch.undo()
    assert (await take_copy(engine, organization_id, key, campaign_id, NOW)).size == 5
    monkeypatch.setattr("shared.engine.files.stored.use_file", killed)
    with pytest.raises(RuntimeError):
        await take_copy(engine, organization_id, key, new_id(), NOW)
    monkeypatch.undo()
    await sweep(engine)
    assert await bytes_of(engine.store, organization_id) == 2


async def test_what_cannot_be_taken_is_refused_alike(engine: Engine, organization_id: str) -> None:
    theirs = await stored(engine, new_id())
    never_uploaded = await new_upload(
        engine, organization_id, name="a.csv", content_type="text/csv", base_url="http://x", now=NOW
    )
    for key in (theirs, never_uploaded.file.key, str(file_key(organization_id, new_id(), "a.csv")), "a.csv", ""):
        with pytest.raises(NotFound) as refused:
            await take_copy(engine, organization_id, key, new_id(), NOW)
        assert (refused.value.kind, refused.value.reference) == (Kind.FILE, key)
    too_large = await stored(engine, organization_id, b"x" * 1001)
    with pytest.raises(TooLarge):
        await take_copy(engine, organization_id, too_large, new_id(), NOW, most_bytes=1000)


async def test_replaced_bytes_stay_an_hour_for_their_readers(engine: Engine, organization_id: str) -> None:
    key = await stored(engine, organization_id)
    await engine.files.contents.put(organization_id, key, chunks(b"others"))
    now = utc_now()
    await sweep_files(engine.store, engine.files, now + REPLACED_FOR - A_MOMENT)
    assert await bytes_of(engine.store, organization_id) == 2
    await sweep_files(engine.store, engine.files, now + REPLACED_FOR + A_MOMENT)
    assert await bytes_of(engine.store, organization_id) == 1
    assert await content(engine, organization_id, key) == b"others"
