"""The place that keeps the bytes of files, and what signs its URLs, as the settings say; made once by a process."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from shared.domain.stored_files import FileStore
from shared.file_urls import FileUrl, FileUrls
from shared.files.s3 import S3Files
from shared.settings import FileSettings
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.client import Store


@dataclass(frozen=True, slots=True)
class FilePlace:
    """The place of files' bytes. `s3` is the same place where that is S3, which answers its URLs itself."""

    contents: FileStore
    urls: FileUrls
    s3: S3Files | None = None
    gridfs: GridFSFiles | None = None

    async def signed(self, url: FileUrl, base_url: str, now: datetime) -> str:
        """A URL that allows this. `base_url` is where campaign-api is reached, without a path."""
        if self.s3 is None:
            return self.urls.signed(url, base_url)
        return await self.s3.signed_url(url.use.value, url.key, round((url.expires_at - now).total_seconds()))


def file_place(settings: FileSettings, store: Store, secret_key: SecretStr | None) -> FilePlace:
    """The place that these settings name. Raises `ConfigurationError` for those of S3 that cannot be used."""
    urls = FileUrls(secret_key)
    if settings.s3_bucket:
        s3 = S3Files(settings)
        return FilePlace(s3, urls, s3=s3)
    gridfs = GridFSFiles(store)
    return FilePlace(gridfs, urls, gridfs=gridfs)
