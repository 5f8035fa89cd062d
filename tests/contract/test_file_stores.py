"""Every place that keeps files does the same: whole or not at all, one organization's alone, copies that stay."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.clock import utc_now
from shared.domain.stored_files import FileStore, StoredFile, file_key
from shared.errors import Kind, NotFound, TooLarge, Unavailable
from shared.files.s3 import PART_BYTES, S3Files
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.catalog.files import register_file
from shared.store.client import Store
from tests.factories import new_id
from tests.s3_server import new_bucket, s3_server, settings_of

LARGE = bytes(range(256)) * 1024 * 4 * 6  # 6 MiB: S3 takes it in two parts


@dataclass(frozen=True, slots=True)
class Place:
    """A place under test, with an organization of its own."""

    files: FileStore
    store: Store
    organization_id: str

    async def new_key(self) -> str:
        """The key of a new file, registered."""
        key = file_key(self.organization_id, new_id(), "a.csv")
        await register_file(self.store, key, name="a.csv", content_type="text/csv", now=utc_now())
        return str(key)

    async def put(self, key: str, *chunks: bytes, most_bytes: int = 100_000_000) -> StoredFile:
        """Store these bytes."""
        return await self.files.put(self.organization_id, key, in_chunks(*chunks), most_bytes)

    async def content(self, key: str) -> bytes:
        """The bytes under this key."""
        return b"".join([chunk async for chunk in self.files.read(self.organization_id, key)])


async def in_chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], FileStore]]:
    folder: Path = tmp_path_factory.mktemp("s3")
    with s3_server(folder) as endpoint:
        bucket = new_bucket(endpoint, folder)
        yield lambda: S3Files(settings_of(endpoint, bucket))


@pytest.fixture(params=["gridfs", "s3"])
def place(request: pytest.FixtureRequest, store: Store) -> Place:
    files: FileStore = GridFSFiles(store) if request.param == "gridfs" else request.getfixturevalue("s3")()
    return Place(files, store, new_id())


async def test_what_is_stored_comes_back_as_it_was(place: Place) -> None:
    key = await place.new_key()
    first = await place.put(key, b"he", b"", b"llo")
    assert (first.key, first.size, first.etag[0], first.etag[-1]) == (key, 5, '"', '"')
    assert await place.content(key) == b"hello"
    large = await place.put(key, LARGE, LARGE)
    assert (large.size, large.etag == first.etag) == (2 * len(LARGE), False)
    found = hashlib.sha256(await place.content(key)).digest()
    assert found == hashlib.sha256(LARGE * 2).digest()
    assert await place.files.stat(place.organization_id, key) == large
    assert (await place.put(key)).size == 0
    assert await place.content(key) == b""


@pytest.mark.parametrize("most_bytes", [4, len(LARGE) + PART_BYTES])
async def test_what_is_too_large_leaves_all_as_it_was(place: Place, most_bytes: int) -> None:
    key = await place.new_key()
    with pytest.raises(TooLarge) as refused:
        await place.put(key, LARGE[:most_bytes], LARGE, LARGE, most_bytes=most_bytes)
    assert refused.value.most_bytes == most_bytes
    with pytest.raises(NotFound):
        await place.files.stat(place.organization_id, key)
    await place.put(key, b"hello")
    with pytest.raises(TooLarge):
        await place.put(key, LARGE, LARGE, LARGE, most_bytes=most_bytes)
    assert await place.content(key) == b"hello"
    assert (await place.put(key, LARGE[:4], most_bytes=4)).size == 4


async def test_an_upload_that_breaks_off_leaves_all_as_it_was(place: Place) -> None:
    key = await place.new_key()
    await place.put(key, b"hello")

    async def broken() -> AsyncIterator[bytes]:
        yield LARGE
        yield LARGE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await place.files.put(place.organization_id, key, broken())
    assert await place.content(key) == b"hello"


async def test_a_file_is_its_organizations_alone(place: Place) -> None:
    key, other = await place.new_key(), new_id()
    await place.put(key, b"hello")
    for asked in (
        place.files.stat(other, key),
        place.files.put(other, key, in_chunks(b"x")),
        place.files.open(other, key),
        place.files.copy(other, key, str(file_key(other, new_id(), "a.csv"))),
        place.files.delete(other, key),
    ):
        with pytest.raises(NotFound) as refused:
            await asked
        assert refused.value.kind is Kind.FILE
    assert await place.content(key) == b"hello"


async def test_nothing_is_under_a_key_before_an_upload_and_after_its_removal(place: Place) -> None:
    key = await place.new_key()
    for _ in range(2):
        with pytest.raises(NotFound):
            await place.content(key)
        with pytest.raises(NotFound):
            await place.files.copy(place.organization_id, key, await place.new_key())
        await place.put(key, b"hello")
        await place.files.delete(place.organization_id, key)
        await place.files.delete(place.organization_id, key)


async def test_a_copy_stays_when_its_original_changes_or_goes(place: Place) -> None:
    key, copy = await place.new_key(), await place.new_key()
    await place.put(key, b"hello")
    with pytest.raises(TooLarge):
        await place.files.copy(place.organization_id, key, copy, 4)
    assert (await place.files.copy(place.organization_id, key, copy, 5)).key == copy
    await place.put(key, b"other")
    await place.files.delete(place.organization_id, key)
    assert await place.content(copy) == b"hello"


async def test_an_s3_that_is_away_is_waited_for_by_others() -> None:
    away = S3Files(settings_of("http://127.0.0.1:9", "files"))
    organization_id = new_id()
    with pytest.raises(Unavailable) as refused:
        await away.stat(organization_id, str(file_key(organization_id, new_id(), "a.csv")))
    assert refused.value.what == "S3"
