"""The URLs that S3 signs: what they allow, and, at a server that looks (`make s3-test`), nothing else."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from yarl import URL

from shared.domain.stored_files import file_key
from shared.errors import TooLarge
from shared.files.s3 import S3Files
from shared.settings import FileSettings
from tests.eventually import eventually
from tests.factories import new_id
from tests.s3_server import is_real, new_bucket, s3_server, settings_of

strict = pytest.mark.skipif(not is_real(), reason="moto accepts every signature, for ever; make s3-test has a server")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and somebody who has nothing but URLs."""

    settings: FileSettings
    files: S3Files
    session: aiohttp.ClientSession

    async def ask(self, method: str, url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer."""
        async with self.session.request(method, URL(url, encoded=True), data=data, headers=headers) as answer:
            return answer.status, await answer.read()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileSettings]:
    folder: Path = tmp_path_factory.mktemp("s3")
    with s3_server(folder) as endpoint:
        yield settings_of(endpoint, new_bucket(endpoint, folder))


@pytest.fixture
async def bucket(settings: FileSettings) -> AsyncIterator[Bucket]:
    async with aiohttp.ClientSession() as session:
        yield Bucket(settings, S3Files(settings), session)


@pytest.fixture
def organization_id() -> str:
    return new_id()


@pytest.fixture
def key(organization_id: str) -> str:
    return str(file_key(organization_id, new_id(), "people.csv"))


async def test_what_a_url_uploads_another_one_downloads(bucket: Bucket, organization_id: str, key: str) -> None:
    up = await bucket.files.signed_url("PUT", key, 900)
    assert up.startswith(f"{bucket.settings.s3_endpoint}/{bucket.settings.s3_bucket}/{key}?")
    assert await bucket.ask("PUT", up, b"hello") == (200, b"")
    assert (await bucket.files.stat(organization_id, key)).size == 5
    assert await bucket.ask("PUT", up, b"replaced") == (200, b"")
    assert await bucket.ask("GET", await bucket.files.signed_url("GET", key, 900)) == (200, b"replaced")


async def test_a_copy_is_downloaded_as_a_list_under_its_name(bucket: Bucket, organization_id: str, key: str) -> None:
    assert (await bucket.ask("PUT", await bucket.files.signed_url("PUT", key, 900), b"<script>"))[0] == 200
    copy = str(file_key(organization_id, new_id(), "people.csv"))
    await bucket.files.copy(organization_id, key, copy)
    async with bucket.session.get(URL(await bucket.files.signed_url("GET", copy, 900), encoded=True)) as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="people.csv"'
        assert await answer.read() == b"<script>"


async def test_what_is_too_large_is_refused_when_it_is_used(bucket: Bucket, organization_id: str, key: str) -> None:
    assert (await bucket.ask("PUT", await bucket.files.signed_url("PUT", key, 900), b"x" * 1001))[0] == 200
    copy = str(file_key(organization_id, new_id(), "people.csv"))
    with pytest.raises(TooLarge):
        await bucket.files.copy(organization_id, key, copy, most_bytes=1000)
    assert (await bucket.files.copy(organization_id, key, copy, most_bytes=1001)).size == 1001


async def test_urls_are_signed_for_the_address_that_customers_know(bucket: Bucket, key: str) -> None:
    public = bucket.settings.model_copy(update={"s3_public_endpoint": "https://files.example"})
    assert (await S3Files(public).signed_url("GET", key, 900)).startswith("https://files.example/")


@strict
async def test_s3_refuses_a_url_that_was_altered(bucket: Bucket, key: str) -> None:
    up = await bucket.files.signed_url("PUT", key, 900)
    for altered in (
        up.replace("people", "others"),
        up.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"),
        up[:-1] + ("0" if up[-1] != "0" else "1"),
        up.partition("?")[0],
    ):
        assert altered != up
        assert (await bucket.ask("PUT", altered, b"x"))[0] == 403
    assert (await bucket.ask("GET", up))[0] == 403
    assert (await bucket.ask("DELETE", up))[0] == 403
    assert (await bucket.ask("PUT", up, b"x"))[0] == 200


@strict
async def test_s3_refuses_a_url_that_has_expired(bucket: Bucket, key: str) -> None:
    up = await bucket.files.signed_url("PUT", key, 1)

    async def refused() -> bool:
        return (await bucket.ask("PUT", up, b"x"))[0] == 403

    await eventually(refused, timeout=10)


@strict
async def test_s3_refuses_a_wrong_secret(bucket: Bucket, key: str) -> None:
    other = S3Files(bucket.settings.model_copy(update={"s3_secret_access_key": SecretStr("another")}))
    assert (await bucket.ask("PUT", await other.signed_url("PUT", key, 900), b"x"))[0] == 403
