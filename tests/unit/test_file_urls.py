"""URLs of files: what was signed is what is allowed, and nothing else."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import SecretStr

from shared.errors import FileUrlRefused
from shared.file_urls import FileUrl, FileUrls, FileUse

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
IN_TIME = NOW + timedelta(seconds=899)
FILE = "9a1de6a5-8f0e-4c3f-a3f6-5d0d7f3b2c10"
KEY = f"campaigns/7b1c9f2e-52a5-4f0d-8c4b-0c6f3b8f6d11/{FILE}_people.csv"
OLD, NEW = "o" * 32, "n" * 32
UPLOAD = FileUrl(FileUse.UPLOAD, KEY, NOW + timedelta(seconds=900), most_bytes=10_485_760)
DOWNLOAD = FileUrl(FileUse.DOWNLOAD, KEY, NOW + timedelta(seconds=900))


def urls(secret_key: str | None = NEW) -> FileUrls:
    return FileUrls(None if secret_key is None else SecretStr(secret_key))


def taken_apart(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return parts.path.removeprefix("/files/"), dict(parse_qsl(parts.query))


@pytest.mark.parametrize("url", [UPLOAD, DOWNLOAD, FileUrl(FileUse.DOWNLOAD, KEY, UPLOAD.expires_at, inline=True)])
def test_a_url_allows_what_was_signed(url: FileUrl) -> None:
    signed = urls().signed(url, "https://dial.example/")
    assert signed.startswith(f"https://dial.example/files/{KEY}?")
    key, query = taken_apart(signed)
    assert urls().proven(url.use.value, key, query, IN_TIME) == url


@pytest.mark.parametrize(
    ("method", "key", "changes"),
    [
        ("GET", KEY, {}),
        ("DELETE", KEY, {}),
        ("put", KEY, {}),
        ("PUT", KEY.replace("people", "others"), {}),
        ("PUT", KEY.upper(), {}),
        ("PUT", KEY, {"expires": "9999999999"}),
        ("PUT", KEY, {"expires": None}),
        ("PUT", KEY, {"expires": "never"}),
        ("PUT", KEY, {"max_bytes": "99999999999"}),
        ("PUT", KEY, {"max_bytes": None}),
        ("PUT", KEY, {"signature": None}),
        ("PUT", KEY, {"signature": ""}),
        ("PUT", KEY, {"signature": "ä\udc80"}),
        ("PUT", KEY, {"inline": "1"}),
        ("PUT", KEY, {"x": ""}),
    ],
)
def test_a_url_that_was_altered_is_refused(method: str, key: str, changes: dict[str, str | None]) -> None:
    _, query = taken_apart(urls().signed(UPLOAD, "https://dial.example"))
    altered = {name: value for name, value in {**query, **changes}.items() if value is not None}
    with pytest.raises(FileUrlRefused) as refused:
        urls().proven(method, key, altered, IN_TIME)
    assert not refused.value.expired


def test_a_signature_holds_no_longer_than_it_says() -> None:
    key, query = taken_apart(urls().signed(UPLOAD, ""))
    with pytest.raises(FileUrlRefused) as refused:
        urls().proven("PUT", key, query, UPLOAD.expires_at)
    assert refused.value.expired


def test_every_character_of_a_signature_counts() -> None:
    key, query = taken_apart(urls().signed(DOWNLOAD, ""))
    for place in range(len(query["signature"])):
        other = "A" if query["signature"][place] != "A" else "B"
        altered = query["signature"][:place] + other + query["signature"][place + 1 :]
        # The last character of base64 has bits that stand for nothing.
        if place < len(query["signature"]) - 1:
            with pytest.raises(FileUrlRefused):
                urls().proven("GET", key, {**query, "signature": altered}, IN_TIME)


def test_a_replaced_secret_key_still_proves_and_a_removed_one_does_not() -> None:
    key, query = taken_apart(urls(OLD).signed(UPLOAD, ""))
    assert urls(f"{NEW},{OLD}").proven("PUT", key, query, IN_TIME) == UPLOAD
    with pytest.raises(FileUrlRefused):
        urls(NEW).proven("PUT", key, query, IN_TIME)
    _, by_newest = taken_apart(urls(f"{NEW},{OLD}").signed(UPLOAD, ""))
    assert urls(NEW).proven("PUT", key, by_newest, IN_TIME) == UPLOAD


def test_without_a_secret_key_urls_hold_in_one_process_alone() -> None:
    here = urls(None)
    key, query = taken_apart(here.signed(UPLOAD, ""))
    assert here.proven("PUT", key, query, IN_TIME) == UPLOAD
    with pytest.raises(FileUrlRefused):
        urls(None).proven("PUT", key, query, IN_TIME)
