"""The bytes of files in GridFS: whole or not at all, one organization's alone, and nothing left behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.domain.stored_files import StoredFile, file_key
from shared.errors import Kind, NotFound, TooLarge
from shared.store.catalog.file_contents import REPLACED_FOR, GridFSFiles
from shared.store.catalog.files import register_file
from shared.store.client import Store
from tests.factories import new_id

HELLO = StoredFile("", 5, '"5d41402abc4b2a76b9719d911017c592"')
MORE_THAN_A_CHUNK = b"x" * 600_000


@pytest.fixture
def files(store: Store) -> GridFSFiles:
    return GridFSFiles(store)


@pytest.fixture
def organization_id() -> str:
    return new_id()


async def registered(store: Store, organization_id: str) -> str:
    key = file_key(organization_id, new_id(), "a.csv")
    await register_file(store, key, name="a.csv", content_type="text/csv", now=utc_now())
    return str(key)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def content_of(files: GridFSFiles, organization_id: str, key: str) -> bytes:
    return b"".join([chunk async for chunk in files.read(organization_id, key)])


async def kept(store: Store, key: str) -> tuple[int, int]:
    """How many uploads, and how many chunks of uploads, there are under a key."""
    found = await store["file_contents.files"].find({"filename": key}).to_list()
    document = await store["files"].find_one({"key": key})
    ids = [one["id"] for one in (document or {}).get("contents", [])]
    return len(found), await store["file_contents.chunks"].count_documents({"files_id": {"$in": ids}})


async def test_what_is_stored_comes_back_as_it_was(files: GridFSFiles, store: Store, organization_id: str) -> None:
    key = await registered(store, organization_id)
    assert await files.put(organization_id, key, chunks(b"he", b"", b"llo")) == StoredFile(key, HELLO.size, HELLO.etag)
    assert await content_of(files, organization_id, key) == b"hello"
    large = bytes(range(256)) * 4096
    await files.put(organization_id, key, chunks(large, large))
    assert await content_of(files, organization_id, key) == large * 2
    assert (await files.stat(organization_id, key)).size == 2 * len(large)
    await files.put(organization_id, key, chunks())
    assert await content_of(files, organization_id, key) == b""


async def test_what_is_too_large_or_breaks_off_leaves_all_as_it_was(
    files: GridFSFiles, store: Store, organization_id: str
) -> None:
    key = await registered(store, organization_id)
    with pytest.raises(TooLarge):
        await files.put(organization_id, key, chunks(MORE_THAN_A_CHUNK, b"y"), most_bytes=len(MORE_THAN_A_CHUNK))
    assert await kept(store, key) == (0, 0)
    with pytest.raises(NotFound):
        await files.stat(organization_id, key)

    await files.put(organization_id, key, chunks(b"hello"), most_bytes=5)

    async def broken() -> AsyncIterator[bytes]:
        yield MORE_THAN_A_CHUNK
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await files.put(organization_id, key, broken())
    assert await content_of(files, organization_id, key) == b"hello"
    assert await kept(store, key) == (1, 1)


async def test_a_file_is_its_organizations_alone(files: GridFSFiles, store: Store, organization_id: str) -> None:
    key, other = await registered(store, organization_id), new_id()
    await files.put(organization_id, key, chunks(b"hello"))
    for asked in (files.stat(other, key), files.put(other, key, chunks(b"x")), content_of(files, other, key)):
        with pytest.raises(NotFound) as refused:
            await asked
        assert refused.value.kind is Kind.FILE
    never_registered = str(file_key(organization_id, new_id(), "a.csv"))
    with pytest.raises(NotFound):
        await files.put(organization_id, never_registered, chunks(b"x"))


async def test_a_copy_stays_when_its_original_changes_or_goes(
    files: GridFSFiles, store: Store, organization_id: str
) -> None:
    key, copy = await registered(store, organization_id), await registered(store, organization_id)
    with pytest.raises(NotFound):
        await files.copy(organization_id, key, copy)
    await files.put(organization_id, key, chunks(b"hello"))
    assert (await files.copy(organization_id, key, copy)).etag == HELLO.etag
    await files.put(organization_id, key, chunks(b"other"))
    await files.delete(organization_id, key)
    await files.delete(organization_id, key)
    assert await content_of(files, organization_id, copy) == b"hello"
    assert await kept(store, key) == (0, 0)
    with pytest.raises(NotFound):
        await content_of(files, organization_id, key)


async def test_who_reads_while_a_file_is_replaced_reads_to_the_end(
    files: GridFSFiles, store: Store, organization_id: str
) -> None:
    key = await registered(store, organization_id)
    await files.put(organization_id, key, chunks(b"a" * 600_000))
    reading = files.read(organization_id, key)
    first = await anext(reading)
    await files.put(organization_id, key, chunks(b"b"))
    assert first + b"".join([chunk async for chunk in reading]) == b"a" * 600_000
    await files.tidy(organization_id, key, utc_now())
    assert (await kept(store, key))[0] == 2, "readers have an hour"
    await files.tidy(organization_id, key, utc_now() + REPLACED_FOR + timedelta(seconds=1))
    assert await kept(store, key) == (1, 1)
    assert await content_of(files, organization_id, key) == b"b"


async def test_an_upload_of_a_killed_process_is_tidied_up(
    files: GridFSFiles, store: Store, organization_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await registered(store, organization_id)

    async def killed(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(GridFSFiles, "_remove", killed)
    with pytest.raises(RuntimeError):
        await files.put(organization_id, key, chunks(MORE_THAN_A_CHUNK, b"y"), most_bytes=len(MORE_THAN_A_CHUNK))
    assert (await kept(store, key))[1] > 0
    monkeypatch.undo()
    await files.tidy(organization_id, key, utc_now() + REPLACED_FOR + timedelta(seconds=1))
    assert await kept(store, key) == (0, 0)
