"""Transcripts of calls as text files, by URLs that need no credential and expire."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from shared.domain.stored_files import StoredFile
from shared.engine.engine import Engine
from shared.engine.results import get_result
from shared.errors import Kind, NotFound
from shared.file_urls import FileUrl, FileUse, expiry

__all__ = ["TRANSCRIPT_SECONDS", "open_transcript", "parsed_transcript", "text_of", "transcript_key", "transcript_url"]

TRANSCRIPT_SECONDS: Final = 7 * 24 * 3600
_KEY: Final = re.compile(r"transcripts/([0-9a-f-]{36})/([A-Za-z0-9_-]{1,255})\.txt")


def transcript_key(organization_id: str, attempt_id: str) -> str:
    """The key by which a call's transcript is had; no uploaded file has such a key."""
    return f"transcripts/{organization_id}/{attempt_id}.txt"


def parsed_transcript(key: str) -> tuple[str, str] | None:
    """The organization and the attempt of a transcript's key; None where the key is none."""
    parts = _KEY.fullmatch(key)
    return None if parts is None else (parts[1], parts[2])


def transcript_url(
    engine: Engine,
    organization_id: str,
    attempt_id: str,
    *,
    base_url: str,
    now: datetime,
    seconds: int = TRANSCRIPT_SECONDS,
    inline: bool = False,
) -> str:
    """Where the transcript of a call is had for so long; `base_url` is where campaign-api is reached, without a path.

    Whoever has the URL reads what was said: give it only to those who may.
    """
    key = transcript_key(organization_id, attempt_id)
    url = FileUrl(FileUse.DOWNLOAD, key, expiry(now, seconds), inline=inline)
    return engine.files.urls.signed(url, base_url)


async def open_transcript(engine: Engine, key: str) -> tuple[StoredFile, AsyncIterator[bytes]] | None:
    """The transcript under a key that a signature has proven; None where the key is none of a transcript.

    Raises `NotFound`: the call, or what was said in it, is not there (any more).
    """
    parts = parsed_transcript(key)
    if parts is None:
        return None
    organization_id, attempt_id = parts
    found = await get_result(engine, organization_id, attempt_id)
    if found.result.transcript is None:
        raise NotFound(Kind.ATTEMPT, attempt_id)
    text = text_of(found.result.transcript).encode()

    async def once() -> AsyncIterator[bytes]:
        yield text

    return StoredFile(key, len(text), f'"{sha256(text).hexdigest()[:32]}"'), once()


def text_of(transcript: Any) -> str:
    """A transcript as lines of `speaker: text`."""
    turns: list[Mapping[str, Any]] = list(transcript)
    return "\n".join(f"{turn['speaker']}: {turn['text']}" for turn in turns)
