"""How text from outside is repeated in answers, results and dead letters: shortened, and so that all can carry it."""

from typing import Final

# Long enough to know a name by; a request of 32 MiB must not make an answer of 32 MiB.
MAX_REPEATED: Final = 200
_LEFT_OUT: Final = "…"


def repeated(text: str, limit: int = MAX_REPEATED) -> str:
    """The text, at most `limit` characters of it, without what UTF-8 or MongoDB could not carry."""
    shown = text if len(text) <= limit else text[: limit - len(_LEFT_OUT)] + _LEFT_OUT
    return shown.encode(errors="replace").decode().replace("\x00", "?")


def quoted(text: str, limit: int = MAX_REPEATED) -> str:
    """The text in quotation marks, for a sentence: at most `limit` characters between them, each printable."""
    kept = text[:limit]
    while len(repr(kept)) - 2 > limit - (len(kept) < len(text)):
        kept = kept[:-1]  # whole characters: half an escape says nothing
    shown = repr(kept)
    return shown if len(kept) == len(text) else f"{shown[:-1]}{_LEFT_OUT}{shown[-1]}"
