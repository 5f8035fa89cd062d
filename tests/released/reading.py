"""The documents that a release has left, as they are kept under tests/data."""

from pathlib import Path
from typing import Final

from bson import json_util

from shared.store.client import Document, Store
from shared.store.documents.collections import COLLECTIONS
from shared.store.documents.completing import defaults

DATA: Final = Path(__file__).resolve().parents[1] / "data"
RELEASES: Final = sorted(folder.name for folder in DATA.glob("release-*"))
# What the server itself is asked for: its absence would say something of a contact. All other defaults stand for
# fields that a document may lack.
ASKED_FOR: Final = frozenset({"lock", "start", "asked", "delete_requested", "tier", "due_at", "seq"})


def read_release(release: str, *, oldest_form: bool = False) -> dict[str, list[Document]]:
    """Documents by collection; in the oldest form they lack every field that says no more than its default."""
    found = {}
    for path in sorted((DATA / release).glob("*.json")):
        options = json_util.JSONOptions(tz_aware=True)
        documents: list[Document] = json_util.loads(path.read_text(), json_options=options)
        found[path.stem] = [_oldest(path.stem, each) for each in documents] if oldest_form else documents
    return found


def _oldest(collection: str, document: Document) -> Document:
    younger = {name: value for name, value in defaults(COLLECTIONS[collection]).items() if name not in ASKED_FOR}
    return {name: value for name, value in document.items() if name not in younger or value != _plain(younger[name])}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


async def restore(store: Store, documents: dict[str, list[Document]]) -> None:
    """Puts the documents into an empty database, in which its own version stands, or none."""
    await store["schema"].delete_many({})
    for collection, found in documents.items():
        await store[collection].insert_many(found)
